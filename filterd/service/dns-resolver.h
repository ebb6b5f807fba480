/* dns-resolver.h: libunbound on the loop's own libevent base.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/service/dns-answer.h"
#include "filterd/service/dns.h"

typedef struct DnsResolver DnsResolver;

/* From a stack of 200 KB and more: the context is made ready to the last. */
DnsResolver *dns_resolver_new(const DnsConfig *config, GError **error);
/* Open questions are dropped; their callbacks are not called. */
void dns_resolver_free(DnsResolver *resolver);

/* May be called before dns_resolver_ask() has returned; on the loop's stack.
 * The answer is borrowed. */
typedef void (*DnsResolved)(DnsAnswer *answer, void *data);

typedef struct DnsAsked {
    FilterdDnsType type;
    DnsResolved resolved;
    void *data;
    int id; /* libunbound's */
} DnsAsked;

/* From the loop's own stack. `asked` is the caller's, valid until resolved or
 * cancelled, and until this returns. FALSE: it will not be resolved. */
gboolean dns_resolver_ask(DnsResolver *resolver, const char *key,
                          DnsAsked *asked);
void dns_resolver_cancel(DnsResolver *resolver, const DnsAsked *asked);
