/* prefix.h: whether a rule acts: `would`, `canary` and `until` before it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which mail is in the sample of a `canary` rests on the rule's name, the
 * client's network and the domain of the reverse-path alone: it is the same
 * when the sender tries again, in every worker and on every machine. The number
 *
 *     SHA-256 of "NAME NETWORK DOMAIN", its first eight octets, big-endian,
 *     modulo PREFIX_WHOLE
 *
 * is below the share. NETWORK is the client's /24 or /64; what is not known, or
 * not yet at that stage, is `-`.
 */
#pragma once

#include "policy/tree.h"

/* Of the day that `until` names: the end, milliseconds since 1970. `why` is set
 * to what is wrong if it is no day. */
gboolean prefix_parse_day(const char *text, int64_t *end, const char **why);

/* Gives a rule with `canary` the facts that its sample rests on. */
void prefix_prepare(Rule *rule, GHashTable *facts);

PolicyMode prefix_mode(const Rule *rule, const PolicyClient *client);
