/* macro.h: macro strings: their grammar and their expansion (RFC 7208 section
 * 7).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/spf/record.h"

struct SpfCheck;

/* domain-spec, of section 7.1: a macro string that ends with a macro or a top
 * label, without the letters that only explanations may have. */
bool spf_domain_spec_valid(SpfSlice text);
/* macro-string with any macro letter; octets of `others` stand for
 * themselves, too. */
bool spf_macro_string_valid(SpfSlice text, const char *others);

/* Whether a valid text holds %{s} or %{l}, whose local part no name in the DNS
 * can have if it is not ASCII (RFC 8616 section 4). */
bool spf_macro_has_local(SpfSlice text);

/* Both want a text that is valid, and may wait for the DNS (%{p}). `domain` is
 * the current <domain>. The name has no final dot and at most 253 octets, cut
 * at a dot from the left (section 7.3). An explanation ends with the
 * macro that goes over `limit` octets; it may have any octets. Caller frees. */
char *spf_domain_expand(struct SpfCheck *check, const char *domain,
                        SpfSlice text);
char *spf_text_expand(struct SpfCheck *check, const char *domain, SpfSlice text,
                      gsize limit);
