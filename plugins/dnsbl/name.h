/* name.h: what stands in front of a list's name: addresses and domains.
 * (RFC 5782 2.1, 2.4, 3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>
#include <libpsl.h>

#define NAME_LIMIT 253
#define NAME_SIZE (NAME_LIMIT + 1)
/* "f.f.…" of an IPv6 address is 64 octets, of the 253 that a name may have. */
#define NAME_ZONE_LIMIT 189
/* Room for either in front of a list's name. */
#define NAME_PREFIX_SIZE 64

/* Private, loopback, link-local and such addresses are on no public list. The
 * ranges for documentation and benchmarks are as good as public. */
bool name_is_public(const FilterdIp *address);
bool name_is_v4(const FilterdIp *address);
/* "9.100.51.198", or 32 nibbles. */
void name_of_address(const FilterdIp *address, char prefix[NAME_PREFIX_SIZE]);

/* Letters, digits, hyphens and underscores in labels of 1 to 63. */
bool name_valid(const char *name);
/* A domain that a list may be asked about, lower case and without a final dot:
 * valid, of more than one label, and no address. false: it is not. */
bool name_of_domain(const char *text, char domain[NAME_SIZE]);
/* The Public Suffix List. Never NULL: psl_free() it. */
psl_ctx_t *name_suffixes_new(void);
/* Part of `domain`, itself where it is a public suffix. */
const char *name_registered(const psl_ctx_t *psl, const char *domain);
