/* check.c: check_host() around the walk: limits, records, explanations (RFC
 * 7208 section 4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/check.h"
#include "plugins/spf/macro.h"
#include "plugins/spf/walk.h"

#include <arpa/inet.h>
#include <string.h>

char *
spf_clean(const char *text, gsize length)
{
    char *clean = g_strndup(text, MIN(length, SPF_TEXT_LIMIT));
    for (char *p = clean; *p != '\0'; p++)
        if (!g_ascii_isprint(*p))
            *p = '?';
    return clean;
}

void
spf_check_append_client(GString *out, const SpfCheck *check)
{
    char text[INET6_ADDRSTRLEN];
    bool ip4 = spf_check_is_ip4(check);
    inet_ntop(ip4 ? AF_INET : AF_INET6, check->client.bytes + (ip4 ? 12 : 0),
              text, sizeof(text));
    g_string_append(out, text);
}

static void G_GNUC_PRINTF(2, 0)
    set_problem(SpfCheck *check, const char *format, va_list arguments)
{
    if (check->problem != NULL)
        return;
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    check->problem = spf_clean(text, strlen(text));
}

void
spf_check_explain_problem(SpfCheck *check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_problem(check, format, arguments);
    va_end(arguments);
}

void
spf_check_force(SpfCheck *check, SpfResult result, const char *format, ...)
{
    if (check->forced || check->explaining)
        return;
    check->forced = true;
    check->result = result;
    va_list arguments;
    va_start(arguments, format);
    set_problem(check, format, arguments);
    va_end(arguments);
}

bool
spf_check_count_lookup(SpfCheck *check)
{
    if (check->lookups < check->config->lookup_limit) {
        check->lookups++;
        return true;
    }
    spf_check_force(check, SPF_OUTCOME_PERMERROR,
                    "more than %d terms that ask the DNS",
                    (int)check->config->lookup_limit);
    return false;
}

const FilterdDnsAnswer *
spf_check_dns(SpfCheck *check, const char *name, FilterdDnsType type)
{
    const FilterdDnsAnswer *answer =
        check->call->host->dns(check->call, name, type);
    check->cancelled |= answer->status == FILTERD_DNS_CANCELLED;
    return answer;
}

bool
spf_domain_valid(const char *domain)
{
    gsize length = strlen(domain), label = 0, labels = 1;
    if (length > 0 && domain[length - 1] == '.')
        length--;
    for (gsize i = 0; i < length; i++) {
        bool dot = domain[i] == '.';
        if (dot ? label == 0 : label == 63)
            return false;
        label = dot ? 0 : label + 1;
        labels += dot;
    }
    return label > 0 && labels > 1 && length <= 253;
}

/* The one SPF record among TXT records; false where there are more. */
static bool
select_record(const FilterdDnsAnswer *answer, SpfSlice *text)
{
    *text = (SpfSlice){0};
    for (gsize i = 0; i < answer->length; i++) {
        SpfSlice candidate = {answer->records[i].bytes,
                              answer->records[i].length};
        if (!spf_record_is(candidate))
            continue;
        if (text->bytes != NULL)
            return false;
        *text = candidate;
    }
    return true;
}

/* Sections 4.3 to 4.5: PASS stands for a record. */
static SpfResult
fetch_text(SpfCheck *check, const char *domain, SpfSlice *text)
{
    if (!spf_domain_valid(domain)) {
        spf_check_explain_problem(check, "\"%s\" is no domain", domain);
        return SPF_OUTCOME_NONE;
    }
    const FilterdDnsAnswer *answer =
        spf_check_dns(check, domain, FILTERD_DNS_TXT);
    if (filterd_dns_failed(answer)) {
        spf_check_explain_problem(check, "no answer for %s", domain);
        return SPF_OUTCOME_TEMPERROR;
    }
    if (!select_record(answer, text)) {
        spf_check_explain_problem(check, "%s has more than one SPF record",
                                  domain);
        return SPF_OUTCOME_PERMERROR;
    }
    if (text->bytes == NULL) {
        spf_check_explain_problem(check, "%s has no SPF record", domain);
        return SPF_OUTCOME_NONE;
    }
    return SPF_OUTCOME_PASS;
}

SpfResult
spf_check_fetch(SpfCheck *check, const char *domain, SpfRecord *record)
{
    SpfSlice text;
    g_autoptr(GError) error = NULL;
    SpfResult result = fetch_text(check, domain, &text);
    if (result != SPF_OUTCOME_PASS || spf_record_parse(text, record, &error))
        return result;
    spf_check_explain_problem(check, "%s: %s", domain, error->message);
    return SPF_OUTCOME_PERMERROR;
}

/* Section 6.2: whatever is wrong with it, there is no explanation then. */
static void
explain(SpfCheck *check)
{
    if (check->decisive == NULL || check->exp.bytes == NULL)
        return;
    check->explaining = true;
    g_autofree char *name =
        spf_domain_expand(check, check->decisive, check->exp);
    const FilterdDnsAnswer *answer =
        spf_check_dns(check, name, FILTERD_DNS_TXT);
    if (answer->length != 1)
        return;
    SpfSlice text = {answer->records[0].bytes, answer->records[0].length};
    if (!spf_macro_string_valid(text, " "))
        return;
    g_autofree char *expanded =
        spf_text_expand(check, check->decisive, text, SPF_TEXT_LIMIT);
    if (*expanded != '\0')
        check->explanation = spf_clean(expanded, strlen(expanded));
}

void
spf_check_run(SpfCheck *check)
{
    spf_walk_run(check);
    if (check->result == SPF_OUTCOME_FAIL && check->explain
        && !check->cancelled)
        explain(check);
}

void
spf_check_clear(SpfCheck *check)
{
    g_clear_pointer(&check->mechanism, g_free);
    g_clear_pointer(&check->explanation, g_free);
    g_clear_pointer(&check->problem, g_free);
    g_clear_pointer(&check->decisive, g_free);
    g_clear_pointer(&check->validated, g_ptr_array_unref);
}
