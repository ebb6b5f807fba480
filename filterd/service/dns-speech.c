/* dns-speech.c: an answer in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/ip.h"
#include "filterd/base/text.h"
#include "filterd/service/dns-answer.h"

/* Octets of a TXT record. */
#define TXT_LIMIT 300

static const struct {
    const char *word, *speech;
} statuses[] = {
    [FILTERD_DNS_ANSWER] = {"answer", ""},
    [FILTERD_DNS_NODATA] = {"nodata", "no such record"},
    [FILTERD_DNS_NXDOMAIN] = {"nxdomain", "no such name"},
    [FILTERD_DNS_SERVFAIL] = {"servfail", "the servers failed"},
    [FILTERD_DNS_TIMEOUT] = {"timeout", "no answer in time"},
    [FILTERD_DNS_BOGUS] = {"bogus", "forged, says DNSSEC"},
    [FILTERD_DNS_BADNAME] = {"badname", "no name that can be asked for"},
    [FILTERD_DNS_CANCELLED] = {"cancelled", "cancelled"},
};

static const struct {
    FilterdDnsType type;
    const char *word;
} types[] = {
    {FILTERD_DNS_A, "A"},     {FILTERD_DNS_AAAA, "AAAA"},
    {FILTERD_DNS_PTR, "PTR"}, {FILTERD_DNS_MX, "MX"},
    {FILTERD_DNS_TXT, "TXT"},
};

const char *
dns_type_word(FilterdDnsType type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].type == type)
            return types[i].word;
    return "?";
}

const char *
dns_status_word(FilterdDnsStatus status)
{
    return statuses[status].word;
}

static void
append_record(GString *out, FilterdDnsType type, const FilterdDnsRecord *record)
{
    char ip[IP_TEXT_SIZE];

    if (type == FILTERD_DNS_TXT) {
        g_string_append_c(out, '"');
        text_append_clean(out, record->bytes, TXT_LIMIT);
        g_string_append_c(out, '"');
    } else if (type == FILTERD_DNS_A || type == FILTERD_DNS_AAAA) {
        text_append(out, ip_format(&record->ip, ip));
    } else {
        text_append(out, record->name);
    }
}

void
dns_answer_append(GString *out, FilterdDnsType type,
                  const FilterdDnsAnswer *answer, gsize limit)
{
    gsize start = out->len;

    text_append(out, statuses[answer->status].speech);
    for (size_t i = 0; i < answer->length; i++) {
        if (i > 0)
            text_append(out, ", ");
        if (out->len - start >= limit) {
            text_append(out, "…");
            return;
        }
        append_record(out, type, &answer->records[i]);
    }
}
