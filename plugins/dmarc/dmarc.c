/* dmarc.c: the DMARC plugin: what the author's domain wants done with mail that
 * nothing aligned vouches for (RFC 9989 5.3; RFC 7489 6.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

#include "plugins/dmarc/manual.h"
#include "plugins/dmarc/reporting.h"

#include <string.h>

typedef struct Instance {
    psl_ctx_t *psl;  /* NULL: tree walk */
    psl_ctx_t *list; /* beside the tree walk, to tell where it differs */
    DmarcDay day;
} Instance;

static const char *const result_words[] = {"none",      "pass",      "fail",
                                           "temperror", "permerror", NULL};
static const char *const mode_words[] = {"rfc9989", "rfc7489", NULL};

enum {
    FACT_RESULT,
    FACT_POLICY,
    FACT_DISPOSITION,
    FACT_DOMAIN,
    FACT_ORGANIZATION,
    FACT_ALIGNMENT,
    FACT_PROBLEM,
};

static const FilterdFact facts[] = {
    {"result", FILTERD_WORD, FILTERD_MESSAGE,
     "What DMARC says of the author's domain: none where it publishes no "
     "policy, or one that is broken and has no valid rua= (RFC 9989 4.10.1: no "
     "DMARC processing), temperror where the DNS failed and a pass may be "
     "hidden by that, permerror where From is missing, repeated, malformed or "
     "names several domains, so that no one domain can be asked (RFC 9989 "
     "5.3.1, 11.5).",
     .words = result_words},
    {"policy", FILTERD_WORD, FILTERD_MESSAGE,
     "The policy as published, p= of the record. Unknown without a record.",
     .words = dmarc_policy_words},
    {"disposition", FILTERD_WORD, FILTERD_MESSAGE,
     "What the domain asks to do with this message, after sp=, np= and t=; "
     "none unless the result is fail. RFC 9989 7.4 forbids to reject for it "
     "alone, and `filterctl check` warns of a rule that does.",
     .words = dmarc_policy_words},
    {"domain", FILTERD_DOMAIN, FILTERD_MESSAGE,
     "The domain whose record applies."},
    {"organization", FILTERD_DOMAIN, FILTERD_MESSAGE,
     "The organizational domain of the From domain."},
    {"alignment", FILTERD_TEXT, FILTERD_MESSAGE,
     "What vouched for the author, and how closely: "
     "\"spf:relaxed,dkim:strict\", or \"none\"."},
    {"problem", FILTERD_TEXT, FILTERD_MESSAGE,
     "Why the result is not pass: what SPF and DKIM say that is not aligned, "
     "or what is wrong with From, the record or the DNS. Unknown where it "
     "passed."},
    {NULL},
};

static const FilterdNeed needs[] = {
    {"header.from.domain?", FILTERD_DOMAIN},
    {"header.from.problem?", FILTERD_WORD},
    {"spf.result?", FILTERD_WORD},
    {"spf.domain?", FILTERD_DOMAIN},
    {"dkim.result?", FILTERD_WORD},
    {"dkim.domains?", FILTERD_LIST},
    {"dkim.results?", FILTERD_LIST},
    {"client.ip?", FILTERD_IP},
    {"mail.domain?", FILTERD_DOMAIN},
    {NULL},
};

static const FilterdOption reason_options[] = {
    {"rule", FILTERD_TEXT, FILTERD_POSITION | FILTERD_REQUIRED,
     offsetof(DmarcReason, rule), NULL, "The name of the rule."},
    {"type", FILTERD_WORD, FILTERD_POSITION | FILTERD_REQUIRED,
     offsetof(DmarcReason, type), NULL,
     "What it is called, as RFC 9990 3.1.6 has it.",
     .words = dmarc_reason_words},
    {NULL},
};

static const FilterdOption options[] = {
    {"mode", FILTERD_WORD, 0, offsetof(DmarcConfig, mode), "rfc9989",
     "How records and organizations are found: `rfc9989` walks up the DNS tree "
     "and knows np=, t= and psd=; `rfc7489` uses the Public Suffix List and "
     "knows pct=.",
     .words = mode_words},
    {"reports", FILTERD_BOOL, 0, offsetof(DmarcConfig, reports), "off",
     "Whether messages are counted in the store for aggregate reports (RFC "
     "9990), which `filterctl report` makes of them."},
    {"report-contact", FILTERD_ADDRESS, 0, offsetof(DmarcConfig, contact), NULL,
     "Whom a reader of the reports can ask; also the author of the mail that "
     "they come in. `reports on` needs it."},
    {"report-organization", FILTERD_TEXT, 0,
     offsetof(DmarcConfig, organization), NULL,
     "Who reports; the `hostname` unless set."},
    {"report-sender", FILTERD_ADDRESS, 0, offsetof(DmarcConfig, sender), NULL,
     "The reverse-path of the mail that a report comes in; the null one unless "
     "set."},
    {"report-reason", FILTERD_GROUP, FILTERD_MANY,
     offsetof(DmarcConfig, reasons), NULL,
     "What a rule of that name is called in a report where it overrides a "
     "policy; without it `local_policy`. The rule's name is told beside it.",
     .group = reason_options, .size = sizeof(DmarcReason)},
    {NULL},
};

enum { METRIC_DIFFERS, METRIC_LEFT_OUT };

static const FilterdMetric metrics[] = {
    [METRIC_DIFFERS] =
        {"organization_differs",
         "Messages whose record applied and whose organization is another one "
         "by the Public Suffix List than by the tree walk."},
    [METRIC_LEFT_OUT] =
        {"reports_left_out",
         "Messages in no report, because the day has had its rows."},
    {NULL},
};

static const FilterdMethod methods[] = {{"dmarc", FACT_RESULT}, {NULL}};

static char *
format_alignment(const DmarcJudgement *judgement)
{
    static const char *const words[] = {
        [DMARC_RELAXED] = "relaxed", [DMARC_STRICT] = "strict"};
    bool spf = judgement->spf >= DMARC_RELAXED;
    bool dkim = judgement->dkim >= DMARC_RELAXED;

    if (!spf && !dkim)
        return g_strdup("none");
    return g_strconcat(spf ? "spf:" : "", spf ? words[judgement->spf] : "",
                       spf && dkim ? "," : "", dkim ? "dkim:" : "",
                       dkim ? words[judgement->dkim] : "", NULL);
}

static DmarcPolicy
disposition(const DmarcJudgement *judgement)
{
    return judgement->result == DMARC_RESULT_FAIL ? judgement->lessened
                                                  : DMARC_NONE;
}

static void
publish_string(FilterdCall *call, unsigned fact, const char *text)
{
    if (text != NULL)
        call->host->publish(call, fact, filterd_string(facts[fact].type, text));
}

static void
publish_policy(const DmarcJudgement *judgement)
{
    g_autofree char *alignment = format_alignment(judgement);

    publish_string(judgement->call, FACT_POLICY,
                   dmarc_policy_words[judgement->discovery.record.p]);
    publish_string(judgement->call, FACT_ALIGNMENT, alignment);
}

static void
publish(const DmarcJudgement *judgement)
{
    const DmarcDiscovery *discovery = &judgement->discovery;
    FilterdCall *call = judgement->call;

    publish_string(call, FACT_RESULT, result_words[judgement->result]);
    publish_string(call, FACT_DISPOSITION,
                   dmarc_policy_words[disposition(judgement)]);
    publish_string(call, FACT_PROBLEM, judgement->problem);
    publish_string(call, FACT_ORGANIZATION, discovery->organization);
    publish_string(call, FACT_DOMAIN, discovery->domain);
    if (judgement->applies)
        publish_policy(judgement);
}

/* "p=reject", and what took its place: "p=reject sp=none". */
static char *
format_comment(const DmarcJudgement *judgement)
{
    if (!judgement->applies)
        return NULL;
    const char *published = dmarc_policy_words[judgement->discovery.record.p];
    if (judgement->tag == NULL || strcmp(judgement->tag, "p") == 0)
        return g_strconcat("p=", published, NULL);
    return g_strconcat("p=", published, " ", judgement->tag, "=",
                       dmarc_policy_words[judgement->policy], NULL);
}

static void
report(const DmarcJudgement *judgement)
{
    g_autofree char *comment = format_comment(judgement);
    FilterdProperty properties[2];
    size_t length = 0;

    if (judgement->author != NULL)
        properties[length++] =
            (FilterdProperty){"header", "from", judgement->author};
    if (judgement->result == DMARC_RESULT_PASS
        || judgement->result == DMARC_RESULT_FAIL)
        properties[length++] = (FilterdProperty){
            "policy", "dmarc", dmarc_policy_words[disposition(judgement)]};
    judgement->call->host->authres(judgement->call, "dmarc",
                                   result_words[judgement->result], comment,
                                   properties, length);
}

/* The list is asked on the spot: this costs no query. */
static void
compare_list(const DmarcJudgement *judgement, const psl_ctx_t *list)
{
    const char *organization = judgement->discovery.organization;

    if (list == NULL || organization == NULL || !judgement->applies)
        return;
    const char *listed = psl_registrable_domain(list, judgement->author);
    if (strcmp(listed != NULL ? listed : judgement->author, organization) != 0)
        judgement->call->host->count(judgement->call, METRIC_DIFFERS, NULL, 1);
}

static bool
dmarc_eom(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const DmarcConfig *config = call->config;
    const Instance *instance = call->instance;
    DmarcJudgement judgement = {.call = call, .psl = instance->psl};

    dmarc_judge(&judgement);
    if (!judgement.cancelled) {
        publish(&judgement);
        report(&judgement);
        compare_list(&judgement, instance->list);
    }
    if (!judgement.cancelled && config->reports)
        dmarc_account_take(call->message, &judgement);
    g_free(judgement.problem);
    return true;
}

static void
dmarc_done(FilterdCall *call, const FilterdOutcome *outcome)
{
    const DmarcConfig *config = call->config;
    Instance *instance = call->instance;

    if (!dmarc_account_count(call->message, call, outcome, &config->reasons,
                             &instance->day))
        call->host->count(call, METRIC_LEFT_OUT, NULL, 1);
}

static void
dmarc_clear(FilterdCall *call)
{
    dmarc_account_clear(call->message);
}

static bool
dmarc_start(FilterdCall *call, GError **error)
{
    const DmarcConfig *config = call->config;
    Instance *instance = call->instance;

    if (config->reports && config->contact == NULL) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "`reports on` needs a `report-contact`");
        return false;
    }
    psl_ctx_t **list =
        config->mode == DMARC_RFC9989 ? &instance->list : &instance->psl;
    *list = psl_latest(NULL);
    if (*list != NULL || config->mode == DMARC_RFC9989)
        return true;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                        "mode rfc7489 needs the Public Suffix List: install "
                        "publicsuffix, or use mode rfc9989");
    return false;
}

static void
dmarc_stop(FilterdCall *call)
{
    Instance *instance = call->instance;

    psl_free(g_steal_pointer(&instance->psl));
    psl_free(g_steal_pointer(&instance->list));
}

FILTERD_PLUGIN(.name = "dmarc", .version = "0.1.0",
               .summary = "whether the author's domain stands behind "
                          "the message (RFC 9989)",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(DmarcConfig),
               .facts = facts, .needs = needs, .methods = methods,
               .metrics = metrics, .instance_size = sizeof(Instance),
               .message_size = sizeof(DmarcAccount), .start = dmarc_start,
               .stop = dmarc_stop, .eom = dmarc_eom, .done = dmarc_done,
               .clear_message = dmarc_clear);
