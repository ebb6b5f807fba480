/* prefix.c: whether a rule acts: `would`, `canary` and `until` before it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/prefix.h"

#include "filterd/base/clock.h"
#include "filterd/base/ip.h"

#include <string.h>

#define NETWORK_V4 24
#define NETWORK_V6 64
#define DAY INT64_C(86400000)
#define DATE_LENGTH 10

const char *const policy_mode_words[] = {"applied", "would", "canary-out",
                                         "expired", NULL};

/* ---- until -------------------------------------------------------------- */

/* date = 4DIGIT "-" 2DIGIT "-" 2DIGIT . (RFC 3339 5.6, full-date) */
static gboolean
is_date(const char *text)
{
    if (strlen(text) != DATE_LENGTH)
        return FALSE;
    for (int i = 0; i < DATE_LENGTH; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : !g_ascii_isdigit(text[i]))
            return FALSE;
    return TRUE;
}

gboolean
prefix_parse_day(const char *text, int64_t *end, const char **why)
{
    *why = "is no date";
    if (!is_date(text))
        return FALSE;
    int year = (int)g_ascii_strtoll(text, NULL, 10);
    int month = (int)g_ascii_strtoll(text + 5, NULL, 10);
    int day = (int)g_ascii_strtoll(text + 8, NULL, 10);
    g_autoptr(GDateTime) begin =
        year > 0 ? g_date_time_new_utc(year, month, day, 0, 0, 0) : NULL;
    *why = "is a day that no calendar has";
    if (begin == NULL)
        return FALSE;
    *end = g_date_time_to_unix(begin) * 1000 + DAY;
    return TRUE;
}

static gboolean
is_expired(const PolicyRule *rule, const PolicyClient *client)
{
    if (!rule->limited)
        return FALSE;
    int64_t now =
        client->now != NULL ? client->now(client->data) : clock_real();
    return now >= rule->until;
}

/* ---- canary ------------------------------------------------------------- */

void
prefix_prepare(Rule *rule, GHashTable *facts)
{
    if (rule->public.canary == 0)
        return;
    rule->client = g_hash_table_lookup(facts, "client.ip");
    if (rule->public.stage >= FILTERD_MAIL)
        rule->domain = g_hash_table_lookup(facts, "mail.domain");
}

static const FilterdValue *
ask(const PolicyFact *fact, const PolicyClient *client)
{
    static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};

    return fact != NULL ? client->fact(client->data, fact, FALSE) : &unknown;
}

static void
append_network(GString *text, const FilterdValue *client)
{
    char network[IP_TEXT_SIZE] = "-";

    if (client->type == FILTERD_IP) {
        FilterdIp ip = ip_mask(&client->ip,
                               ip_is_v4(&client->ip) ? NETWORK_V4 : NETWORK_V6);
        ip_format(&ip, network);
    }
    g_string_append(text, network);
}

static uint64_t
hash(const GString *text)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize length = sizeof(digest);
    uint64_t number = 0;

    g_checksum_update(checksum, (const guchar *)text->str, (gssize)text->len);
    g_checksum_get_digest(checksum, digest, &length);
    for (unsigned i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    return number;
}

static gboolean
is_in_sample(const Rule *rule, const PolicyClient *client)
{
    g_autoptr(GString) text = g_string_new(rule->public.name);

    g_string_append_c(text, ' ');
    append_network(text, ask(rule->client, client));
    const FilterdValue *domain = ask(rule->domain, client);
    g_string_append_printf(text, " %s",
                           domain->type == FILTERD_DOMAIN ? domain->text : "-");
    return hash(text) % POLICY_CANARY_WHOLE < rule->public.canary;
}

static gboolean
acts(const Rule *rule, const PolicyClient *client)
{
    if (rule->public.canary == 0 || client->sample == POLICY_SAMPLE_IN)
        return TRUE;
    return client->sample != POLICY_SAMPLE_OUT && is_in_sample(rule, client);
}

PolicyMode
prefix_mode(const Rule *rule, const PolicyClient *client)
{
    if (is_expired(&rule->public, client))
        return POLICY_EXPIRED;
    if (rule->public.would)
        return POLICY_WOULD;
    return acts(rule, client) ? POLICY_APPLIED : POLICY_CANARY_OUT;
}

/* ---- as written --------------------------------------------------------- */

static void
append_share(GString *out, unsigned share)
{
    unsigned percent = POLICY_CANARY_WHOLE / 100;
    char digits[16];

    g_snprintf(digits, sizeof(digits), "%u.%03u", share / percent,
               share % percent);
    for (gsize i = strlen(digits); i > 0 && digits[i - 1] == '0'; i--)
        digits[i - 1] = '\0';
    if (g_str_has_suffix(digits, "."))
        digits[strlen(digits) - 1] = '\0';
    g_string_append_printf(out, "canary %s%% ", digits);
}

void
policy_append_prefixes(GString *out, const PolicyRule *rule)
{
    if (rule->would)
        g_string_append(out, "would ");
    if (rule->canary > 0)
        append_share(out, rule->canary);
    if (!rule->limited)
        return;
    g_autofree char *day = policy_rule_day(rule);
    g_string_append_printf(out, "until %s ", day);
}

char *
policy_rule_day(const PolicyRule *rule)
{
    g_autoptr(GDateTime) day =
        g_date_time_new_from_unix_utc((rule->until - DAY) / 1000);

    return g_date_time_format(day, "%Y-%m-%d");
}
