/* dns-name.h: names that are asked for, as octets with dots between labels
 * (RFC 1035 2.3.4, 3.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key is a question as one text: an octet that is the type, then the name in
 * lower case.
 */
#pragma once

#include <filterd/plugin.h>

#define DNS_LABEL_LIMIT 63
#define DNS_NAME_LIMIT 253
#define DNS_KEY_SIZE (1 + DNS_NAME_LIMIT + 1)

/* FALSE: no name that the DNS could have. A final dot is dropped. */
gboolean dns_key_init(char key[DNS_KEY_SIZE], const char *name,
                      FilterdDnsType type);
FilterdDnsType dns_key_type(const char *key);
const char *dns_key_name(const char *key);

/* For tables of keys: keyed itself, as strangers choose the names. */
unsigned dns_key_hash(gconstpointer key);

/* The name with a final dot, odd octets as \DDD. Caller frees. */
char *dns_name_format(const char *name);

/* The name without its first label: behind the last one the root, "", and
 * behind that NULL. */
const char *dns_name_parent(const char *name);
