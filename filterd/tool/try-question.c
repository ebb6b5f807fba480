/* try-question.c: a question to the DNS and its answer, in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/ip.h"
#include "filterd/base/text.h"
#include "filterd/tool/try.h"

/* Octets of a TXT record. */
#define TXT_LIMIT 300

static const char *const status_words[] = {
    [FILTERD_DNS_ANSWER] = "",
    [FILTERD_DNS_NODATA] = "no such record",
    [FILTERD_DNS_NXDOMAIN] = "no such name",
    [FILTERD_DNS_SERVFAIL] = "the servers failed",
    [FILTERD_DNS_TIMEOUT] = "no answer in time",
    [FILTERD_DNS_BOGUS] = "forged, says DNSSEC",
    [FILTERD_DNS_BADNAME] = "no name that can be asked for",
    [FILTERD_DNS_CANCELLED] = "cancelled",
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
try_question_type(const TryQuestion *question)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].type == question->type)
            return types[i].word;
    return "?";
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
        g_string_append(out, ip_format(&record->ip, ip));
    } else {
        g_string_append(out, record->name);
    }
}

TryQuestion *
try_question_new(const char *name, FilterdDnsType type,
                 const FilterdDnsAnswer *answer, int64_t waited)
{
    GString *text = g_string_new(status_words[answer->status]);
    TryQuestion *question = g_new(TryQuestion, 1);

    for (size_t i = 0; i < answer->length; i++) {
        if (i > 0)
            g_string_append(text, ", ");
        append_record(text, type, &answer->records[i]);
    }
    *question =
        (TryQuestion){g_strdup(name), type, g_string_free(text, FALSE), waited};
    return question;
}

void
try_question_free(void *data)
{
    TryQuestion *question = data;

    g_free(question->name);
    g_free(question->answer);
    g_free(question);
}
