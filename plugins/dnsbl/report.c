/* report.c: what a list of good ones said, for Authentication-Results (RFC
 * 8904).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/list.h"

#include "plugins/dnsbl/code.h"

/* Codes of an answer that are told. */
#define CODES_LIMIT 8

/* "127.0.9.2,127.0.9.3". Caller frees. */
static char *
format_codes(const FilterdDnsAnswer *answer)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < MIN(answer->length, CODES_LIMIT); i++) {
        uint32_t code;

        if (!code_address(&answer->records[i].ip, &code))
            continue;
        g_string_append_printf(out, "%s%u.%u.%u.%u", out->len > 0 ? "," : "",
                               code >> 24, code >> 16 & 255, code >> 8 & 255,
                               code & 255);
    }
    return g_string_free(out, FALSE);
}

/* policy.txt would take one more question, which nobody asked. */
void
list_report(FilterdCall *call, const List *list, const FilterdDnsAnswer *answer,
            ListResult result)
{
    static const char *const words[] = {
        [LIST_CLEAR] = "none",
        [LIST_HAS] = "pass",
        [LIST_NO_ANSWER] = "temperror",
        [LIST_WRONG] = "permerror",
    };
    g_autofree char *codes = format_codes(answer);
    FilterdProperty properties[3] = {{"dns", "zone", list->zone->name}};
    size_t length = 1;

    if (answer->status == FILTERD_DNS_CANCELLED)
        return;
    if (*codes != '\0')
        properties[length++] = (FilterdProperty){"policy", "ip", codes};
    if (answer->secure)
        properties[length++] = (FilterdProperty){"dns", "sec", "yes"};
    call->host->authres(call, "dnswl", words[result], NULL, properties, length);
}
