/* dmarc.c: the DMARC plugin: what the author's domain wants done with mail that
 * nothing aligned vouches for (RFC 9989 5.3; RFC 7489 6.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

#include "plugins/dmarc/judgement.h"

#include <string.h>

enum { MODE_RFC9989, MODE_RFC7489 };

typedef struct Config {
    int mode;
} Config;

typedef struct Instance {
    psl_ctx_t *psl; /* NULL: tree walk */
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
     "policy, temperror where the DNS failed and a pass may be hidden by that, "
     "permerror where the policy record is broken or From is missing, "
     "repeated, malformed or names several domains, so that no one domain can "
     "be asked (RFC 9989 5.3.1, 11.5).",
     .words = result_words},
    {"policy", FILTERD_WORD, FILTERD_MESSAGE,
     "The policy as published: p= of the record. Unknown without a record.",
     .words = dmarc_policy_words},
    {"disposition", FILTERD_WORD, FILTERD_MESSAGE,
     "What the domain asks to do with this message, after sp=, np= and t=; "
     "none unless the result is fail. RFC 9989 7.4 forbids to reject for it "
     "alone.",
     .words = dmarc_policy_words},
    {"domain", FILTERD_DOMAIN, FILTERD_MESSAGE,
     "The domain whose record applies."},
    {"organization", FILTERD_DOMAIN, FILTERD_MESSAGE,
     "The organizational domain of the From domain."},
    {"alignment", FILTERD_TEXT, FILTERD_MESSAGE,
     "What vouched for the author, and how closely: "
     "\"spf:relaxed,dkim:strict\","
     " or \"none\"."},
    {"problem", FILTERD_TEXT, FILTERD_MESSAGE,
     "What was wrong with From, the record or the DNS; unknown if nothing."},
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
    {NULL},
};

static const FilterdOption options[] = {
    {"mode", FILTERD_WORD, 0, offsetof(Config, mode), "rfc9989",
     "How records and organizations are found: rfc9989 walks up the DNS tree "
     "and knows np=, t= and psd=; rfc7489 uses the Public Suffix List and "
     "knows pct=.",
     .words = mode_words},
    {NULL},
};

static const FilterdMethod methods[] = {{"dmarc", FACT_RESULT}, {NULL}};

static char *
format_alignment(const DmarcJudgement *judgement)
{
    static const char *const words[] = {
        [DMARC_RELAXED] = "relaxed", [DMARC_STRICT] = "strict"};
    GString *text = g_string_new(NULL);

    if (judgement->spf >= DMARC_RELAXED)
        g_string_append_printf(text, "spf:%s", words[judgement->spf]);
    if (judgement->dkim >= DMARC_RELAXED)
        g_string_append_printf(text, "%sdkim:%s", text->len > 0 ? "," : "",
                               words[judgement->dkim]);
    if (text->len == 0)
        g_string_append(text, "none");
    return g_string_free(text, FALSE);
}

static DmarcPolicy
disposition(const DmarcJudgement *judgement)
{
    return judgement->result == DMARC_RESULT_FAIL ? judgement->lessened
                                                  : DMARC_NONE;
}

static bool
has_policy(const DmarcJudgement *judgement)
{
    return judgement->discovery.status == DMARC_FOUND
           && judgement->result != DMARC_RESULT_PERMERROR;
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
    if (has_policy(judgement))
        publish_policy(judgement);
}

/* "p=reject", and what took its place: "p=reject sp=none". */
static char *
format_comment(const DmarcJudgement *judgement)
{
    if (!has_policy(judgement))
        return NULL;
    const char *published = dmarc_policy_words[judgement->discovery.record.p];
    if (judgement->tag == NULL || strcmp(judgement->tag, "p") == 0)
        return g_strdup_printf("p=%s", published);
    return g_strdup_printf("p=%s %s=%s", published, judgement->tag,
                           dmarc_policy_words[judgement->policy]);
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

static bool
dmarc_eom(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const Instance *instance = call->instance;
    DmarcJudgement judgement = {.call = call, .psl = instance->psl};

    dmarc_judge(&judgement);
    if (!judgement.cancelled) {
        publish(&judgement);
        report(&judgement);
    }
    g_free(judgement.problem);
    return true;
}

static bool
dmarc_start(FilterdCall *call, GError **error)
{
    const Config *config = call->config;
    Instance *instance = call->instance;

    if (config->mode == MODE_RFC9989)
        return true;
    instance->psl = psl_latest(NULL);
    if (instance->psl != NULL)
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
}

FILTERD_PLUGIN(.name = "dmarc", .version = "0.1.0",
               .summary = "DMARC: whether the author's domain stands behind "
                          "the message (RFC 9989)",
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .methods = methods,
               .instance_size = sizeof(Instance), .start = dmarc_start,
               .stop = dmarc_stop, .eom = dmarc_eom);
