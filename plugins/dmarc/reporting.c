/* reporting.c: a message as a row of an aggregate report (RFC 9990 3.1.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/reporting.h"

#include <arpa/inet.h>
#include <string.h>

#define KEY_LIMIT 512
#define DAY INT64_C(86400000)

const char *const dmarc_reason_words[] = {"local_policy", "mailing_list",
                                          "other", "trusted_forwarder", NULL};

/* ---- words -------------------------------------------------------------- */

static void
append_escaped(GString *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (g_ascii_isalnum(*text) || strchr("-._:@!*", *text) != NULL)
            g_string_append_c(out, *text);
        else
            g_string_append_printf(out, "%%%02X", (unsigned char)*text);
    }
}

static void
add_word(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, " %s=", name);
    append_escaped(out, value);
}

/* Its parts are parted by `separator` in what is written. */
static void
add_parts(GString *out, const char *name, char *const *parts, char separator)
{
    g_string_append_printf(out, " %s=", name);
    for (unsigned i = 0; parts[i] != NULL; i++) {
        if (i > 0)
            g_string_append_c(out, separator);
        append_escaped(out, parts[i]);
    }
}

static const char *
pass_or_fail(DmarcAlignment alignment)
{
    return alignment >= DMARC_RELAXED ? "pass" : "fail";
}

/* ---- the policy --------------------------------------------------------- */

static void
add_policy(GString *out, const char *tag, int policy)
{
    if (policy <= DMARC_REJECT)
        add_word(out, tag, dmarc_policy_words[policy]);
}

static bool
add_destinations(GString *out, const FilterdDnsRecord *txt)
{
    g_autofree char *list =
        dmarc_record_report_uris(txt->bytes, txt->length, DMARC_REPORT_URIS);

    if (list == NULL)
        return false;
    g_auto(GStrv) uris = g_strsplit(list, ",", -1);
    add_parts(out, "rua", uris, ',');
    return true;
}

static bool
add_published(GString *out, const DmarcJudgement *judgement)
{
    const DmarcDiscovery *discovery = &judgement->discovery;
    const DmarcRecord *record = &discovery->record;

    add_policy(out, "p", record->p);
    add_policy(out, "sp", record->sp);
    add_policy(out, "np", record->np);
    add_word(out, "adkim", record->adkim ? "s" : "r");
    add_word(out, "aspf", record->aspf ? "s" : "r");
    add_word(out, "t", record->testing ? "y" : "n");
    add_word(out, "m", judgement->psl != NULL ? "psl" : "treewalk");
    if (discovery->organization != NULL)
        add_word(out, "o", discovery->organization);
    return add_destinations(out, discovery->txt);
}

/* ---- the row ------------------------------------------------------------ */

static void
add_address(GString *out, const FilterdValue *value)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN] = "";

    if (value->type != FILTERD_IP)
        return;
    if (memcmp(value->ip.bytes, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, value->ip.bytes + sizeof mapped, text, sizeof text);
    else
        inet_ntop(AF_INET6, value->ip.bytes, text, sizeof text);
    add_word(out, "ip", text);
}

static const char *
text_of(const FilterdValue *value)
{
    return value->type >= FILTERD_TEXT && value->type <= FILTERD_ADDRESS
               ? value->text
               : NULL;
}

static void
add_spf(GString *out, const DmarcEvidence *evidence)
{
    const char *domain = text_of(evidence->spf_domain);
    const char *result = text_of(evidence->spf_result);

    if (domain == NULL || result == NULL)
        return;
    char *const parts[] = {(char *)domain, (char *)result, NULL};
    add_parts(out, "spf", parts, '/');
}

/* RFC 9990 3.1.3: what to name first. */
static unsigned
rank_signature(const DmarcJudgement *judgement, char *const *parts)
{
    const char *organization = judgement->discovery.organization;

    if (strcmp(parts[0], "pass") != 0)
        return 3;
    if (strcmp(parts[1], judgement->author) == 0)
        return 0;
    return organization != NULL && dmarc_domain_within(parts[1], organization)
               ? 1
               : 2;
}

/* result:domain:selector:algorithm */
static bool
add_signature(GString *out, const DmarcJudgement *judgement, const char *text,
              unsigned rank)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);

    if (g_strv_length(parts) < 3 || *parts[1] == '\0'
        || rank_signature(judgement, parts) != rank)
        return false;
    char *const ordered[] = {parts[1], parts[2], parts[0], NULL};
    add_parts(out, "dkim", ordered, '/');
    return true;
}

static void
add_signatures(GString *out, const DmarcJudgement *judgement,
               const FilterdValue *results)
{
    unsigned added = 0;

    if (results->type != FILTERD_LIST)
        return;
    for (unsigned rank = 0; rank < 4; rank++)
        for (size_t i = 0;
             i < results->list.length && added < DMARC_REPORT_SIGNATURES; i++)
            added += add_signature(out, judgement, results->list.items[i].text,
                                   rank);
}

static void
add_row(GString *out, const DmarcJudgement *judgement)
{
    FilterdCall *call = judgement->call;
    const FilterdHost *host = call->host;
    const char *envelope = text_of(host->lookup(call, DMARC_NEED_MAIL_DOMAIN));

    add_address(out, host->lookup(call, DMARC_NEED_CLIENT));
    add_word(out, "k", pass_or_fail(judgement->dkim));
    add_word(out, "s", pass_or_fail(judgement->spf));
    add_word(out, "h", judgement->author);
    if (envelope != NULL)
        add_word(out, "e", envelope);
    add_signatures(out, judgement, host->lookup(call, DMARC_NEED_DKIM_RESULTS));
    add_spf(out, &judgement->evidence);
}

static const char *
lessened_by(const DmarcJudgement *judgement)
{
    if (judgement->psl != NULL)
        return "other/sampled out by pct";
    return judgement->discovery.record.testing ? "policy_test_mode/t=y" : NULL;
}

void
dmarc_account_take(DmarcAccount *account, const DmarcJudgement *judgement)
{
    g_autoptr(GString) words = g_string_new(NULL);

    if (!judgement->applies || judgement->discovery.txt == NULL
        || !add_published(words, judgement))
        return;
    add_row(words, judgement);
    *account = (DmarcAccount){
        .domain = g_strdup(judgement->discovery.domain),
        .words = g_string_free(g_steal_pointer(&words), FALSE),
        .result = judgement->result,
        .published = judgement->policy,
        .lessened = judgement->lessened,
        .lessened_by = lessened_by(judgement),
    };
}

void
dmarc_account_clear(DmarcAccount *account)
{
    g_free(account->domain);
    g_free(account->words);
    *account = (DmarcAccount){0};
}

/* ---- what was done with it ---------------------------------------------- */

/* A refusal that does not rest on DMARC, and is not what DMARC asked for, is
 * another filter's. */
static DmarcPolicy
applied_policy(const DmarcAccount *account, const FilterdOutcome *outcome)
{
    static const DmarcPolicy policies[] = {
        [FILTERD_ACCEPTED] = DMARC_NONE,
        [FILTERD_QUARANTINED] = DMARC_QUARANTINE,
        [FILTERD_DISCARDED] = DMARC_REJECT,
        [FILTERD_REJECTED] = DMARC_REJECT,
    };
    DmarcPolicy policy = policies[outcome->fate];

    if (outcome->asked || policy == account->lessened)
        return policy;
    return DMARC_NONE;
}

static int
reason_type(const FilterdOutcome *outcome, const FilterdArray *reasons)
{
    const DmarcReason *items = reasons->items;

    for (size_t i = 0; outcome->rule != NULL && i < reasons->length; i++)
        if (strcmp(items[i].rule, outcome->rule) == 0)
            return items[i].type;
    return DMARC_LOCAL_POLICY;
}

/* "TYPE/WORDS" */
static char *
find_reason(const DmarcAccount *account, DmarcPolicy applied,
            const FilterdOutcome *outcome, const FilterdArray *reasons)
{
    if (account->result == DMARC_RESULT_TEMPERROR)
        return g_strdup("other/a DNS failure left it undecided");
    if (applied == account->lessened && account->lessened_by != NULL)
        return g_strdup(account->lessened_by);
    return g_strconcat(dmarc_reason_words[reason_type(outcome, reasons)], "/",
                       outcome->rule != NULL ? outcome->rule : "no rule", NULL);
}

static void
add_override(GString *out, const DmarcAccount *account, DmarcPolicy applied,
             const FilterdOutcome *outcome, const FilterdArray *reasons)
{
    g_autofree char *reason = find_reason(account, applied, outcome, reasons);
    g_auto(GStrv) parts = g_strsplit(reason, "/", 2);

    add_parts(out, "why", parts, '/');
}

static void
add_evaluation(GString *out, const DmarcAccount *account,
               const FilterdOutcome *outcome, const FilterdArray *reasons)
{
    if (account->result == DMARC_RESULT_PASS) {
        add_word(out, "d", account->published > DMARC_NONE ? "pass" : "none");
        return;
    }
    DmarcPolicy applied = applied_policy(account, outcome);
    add_word(out, "d", dmarc_policy_words[applied]);
    if (applied != account->published)
        add_override(out, account, applied, outcome, reasons);
}

/* ---- the store ---------------------------------------------------------- */

static char *
format_day(int64_t now)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / 1000);

    return g_date_time_format(time, "%Y-%m-%d");
}

static char *
short_key(const char *what, const char *day, const DmarcAccount *account,
          const char *words)
{
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, words, -1);

    return g_strdup_printf("%s %s %s #%s", what, day, account->domain, hash);
}

/* Most rows fit into their key, and cost one write. */
static void
add_to_store(const DmarcAccount *account, FilterdCall *call, const char *words,
             DmarcDay *day)
{
    const FilterdHost *host = call->host;
    g_autofree char *date = format_day(host->now(call));
    g_autofree char *key =
        g_strdup_printf("report %s %s%s", date, account->domain, words);
    int64_t sum = 0;
    gboolean fits = strlen(key) <= KEY_LIMIT;

    if (!fits) {
        g_free(key);
        key = short_key("report", date, account, words);
    }
    if (host->store_add(call, key, 1, DMARC_REPORT_KEEP * DAY, &sum)
            != FILTERD_STORE_OK
        || sum != 1)
        return;
    day->rows++;
    if (fits)
        return;
    g_autofree char *detail = short_key("detail", date, account, words);
    host->store_put(call, detail, words, strlen(words),
                    DMARC_REPORT_KEEP * DAY);
}

bool
dmarc_account_count(DmarcAccount *account, FilterdCall *call,
                    const FilterdOutcome *outcome, const FilterdArray *reasons,
                    DmarcDay *day)
{
    g_autoptr(GString) words = NULL;
    int64_t today = call->host->now(call) / DAY;

    if (account->words == NULL || outcome->fate == FILTERD_TEMPFAILED)
        return true;
    if (day->day != today)
        *day = (DmarcDay){.day = today};
    if (day->rows >= DMARC_REPORT_ROWS)
        return false;
    words = g_string_new(account->words);
    add_evaluation(words, account, outcome, reasons);
    add_to_store(account, call, words->str, day);
    return true;
}
