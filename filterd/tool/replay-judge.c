/* replay-judge.c: one recorded mail, judged by the rules of another policy.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * As the session does it, but with facts that are as they are: what was not
 * recorded is neither yes nor no, nor unknown, and a verdict that rests on it
 * is none.
 */
#include "filterd/tool/replay.h"

#include <string.h>

struct ReplayJudge {
    const PolicyConfig *config;
    const PolicyFact *score_fact;
    DecisionFacts *facts;
    PolicyClient client;
    FilterdStage stage; /* at hand */
    int64_t time;       /* of the decision */
    FilterdValue score;
    gboolean scored;   /* for certain */
    GPtrArray *asked;  /* PolicyFact: by the rule at hand, in vain */
    GPtrArray *scores; /* the same: what the score rests on */
    GPtrArray *missing;
    gboolean stuck;
    const PolicyRule *rule; /* that decided, or NULL */
    GString *group;
    gboolean grouped;
};

/* ---- facts -------------------------------------------------------------- */

static void
add_once(GPtrArray *facts, const PolicyFact *fact)
{
    if (!g_ptr_array_find(facts, fact, NULL))
        g_ptr_array_add(facts, (gpointer)fact);
}

static void
add_all(GPtrArray *to, const GPtrArray *from)
{
    for (guint i = 0; i < from->len; i++)
        add_once(to, g_ptr_array_index(from, i));
}

static const FilterdValue *
ask(void *data, const PolicyFact *fact, G_GNUC_UNUSED gboolean shadow)
{
    ReplayJudge *judge = data;

    if (fact == judge->score_fact && judge->scored)
        return &judge->score;
    if (fact == judge->score_fact) {
        add_all(judge->asked, judge->scores);
        return &decision_absent;
    }
    const FilterdValue *value =
        decision_facts_get(judge->facts, fact, judge->stage);
    if (value == &decision_absent)
        add_once(judge->asked, fact);
    return value;
}

static int64_t
now(void *data)
{
    const ReplayJudge *judge = data;

    return judge->time;
}

/* ---- rules -------------------------------------------------------------- */

/* Whether the rule could be otherwise, were all facts there. The sample of a
 * canary rests on facts, too. */
static gboolean
is_open(const ReplayJudge *judge, const PolicyRule *rule, PolicyTruth truth)
{
    return judge->asked->len > 0
           && (truth == POLICY_UNKNOWN
               || (rule->canary > 0 && truth == POLICY_YES));
}

/* What does not act decides nothing, whatever it is. */
static void
judged(void *data, const PolicyRule *rule, PolicyTruth truth, PolicyMode mode)
{
    ReplayJudge *judge = data;
    gboolean acts = mode == POLICY_APPLIED || mode == POLICY_CANARY_OUT;

    if (acts && is_open(judge, rule, truth)) {
        if (rule->kind == POLICY_SCORE) {
            judge->scored = FALSE;
            add_all(judge->scores, judge->asked);
        } else if (rule->kind < POLICY_REWRITE) {
            judge->stuck = TRUE;
            add_all(judge->missing, judge->asked);
        }
    }
    g_ptr_array_set_size(judge->asked, 0);
}

static void
fired(void *data, const PolicyRule *rule, PolicyMode mode)
{
    ReplayJudge *judge = data;

    if (rule->kind == POLICY_SCORE && mode == POLICY_APPLIED)
        judge->score.integer += rule->score;
}

static gboolean
is_stuck(void *data)
{
    const ReplayJudge *judge = data;

    return judge->stuck;
}

/* ---- life --------------------------------------------------------------- */

ReplayJudge *
replay_judge_new(const PolicyConfig *config)
{
    ReplayJudge *judge = g_new0(ReplayJudge, 1);

    judge->config = config;
    judge->score_fact = policy_fact_find(config, "score");
    judge->facts = decision_facts_new(config);
    judge->asked = g_ptr_array_new();
    judge->scores = g_ptr_array_new();
    judge->missing = g_ptr_array_new();
    judge->group = g_string_new(NULL);
    judge->client = (PolicyClient){
        .data = judge,
        .fact = ask,
        .fired = fired,
        .judged = judged,
        .cancelled = is_stuck,
        .now = now,
        .absent = &decision_absent,
    };
    return judge;
}

void
replay_judge_free(ReplayJudge *judge)
{
    decision_facts_free(judge->facts);
    g_ptr_array_unref(judge->asked);
    g_ptr_array_unref(judge->scores);
    g_ptr_array_unref(judge->missing);
    g_string_free(judge->group, TRUE);
    g_free(judge);
}

/* ---- the way through the stages ----------------------------------------- */

/* What tells recipients apart, see session_group_find(). */
static void
find_group(ReplayJudge *judge, const PolicyRule *at_rcpt)
{
    gboolean accepted = at_rcpt != NULL && at_rcpt->kind == POLICY_ACCEPT;

    judge->grouped = TRUE;
    g_string_assign(judge->group,
                    accepted ? "an accepted one"
                    : at_rcpt != NULL && at_rcpt->kind != POLICY_PASS
                        ? at_rcpt->name
                        : "");
    g_string_append_c(judge->group, '\n');
    if (accepted)
        return;
    if (policy_mentions(judge->config, judge->score_fact))
        g_string_append_printf(judge->group, "%" G_GINT64_FORMAT "\n",
                               judge->score.integer);
    policy_group(judge->config, &judge->client, judge->group);
    g_ptr_array_set_size(judge->asked, 0);
}

/* Whether the rule ends it; a quarantine holds unless a later stage refuses. */
static gboolean
decide(ReplayJudge *judge, const PolicyRule *rule)
{
    if (rule->kind == POLICY_PASS && judge->stage != FILTERD_MESSAGE)
        return FALSE;
    if ((rule->kind == POLICY_ACCEPT || rule->kind == POLICY_PASS)
        && judge->rule != NULL)
        return TRUE;
    judge->rule = rule;
    return rule->kind != POLICY_QUARANTINE;
}

static void
pass_stages(ReplayJudge *judge, FilterdStage last)
{
    for (int stage = 0; stage <= (int)last; stage++) {
        judge->stage = (FilterdStage)stage;
        const PolicyRule *rule =
            policy_judge(judge->config, judge->stage, &judge->client);
        if (judge->stuck)
            return;
        gboolean ends = rule != NULL && decide(judge, rule);
        if (stage == FILTERD_RCPT && (!ends || rule->kind == POLICY_ACCEPT))
            find_group(judge, rule);
        if (ends)
            return;
    }
}

gboolean
replay_judge_run(ReplayJudge *judge, const JsonValue *decision,
                 const JsonValue *recipient, FilterdStage last,
                 ReplayVerdict *verdict)
{
    decision_facts_set(judge->facts, decision, recipient);
    judge->time = decision_time(json_text(decision, "time"));
    judge->score = filterd_int(0);
    judge->scored = TRUE;
    judge->stuck = judge->grouped = FALSE;
    judge->rule = NULL;
    g_ptr_array_set_size(judge->asked, 0);
    g_ptr_array_set_size(judge->scores, 0);
    g_ptr_array_set_size(judge->missing, 0);
    pass_stages(judge, last);
    const PolicyRule *rule = judge->rule;
    *verdict = (ReplayVerdict){rule != NULL ? rule->kind : POLICY_ACCEPT,
                               rule != NULL ? rule->name : NULL,
                               rule != NULL ? rule->stage : FILTERD_MESSAGE};
    return !judge->stuck;
}

const GPtrArray *
replay_judge_missing(const ReplayJudge *judge)
{
    return judge->missing;
}

char *
replay_judge_reply(ReplayJudge *judge)
{
    MailReply reply = {0};

    if (judge->rule == NULL
        || (judge->rule->kind != POLICY_REJECT
            && judge->rule->kind != POLICY_TEMPFAIL
            && judge->rule->kind != POLICY_DISCONNECT))
        return NULL;
    policy_rule_reply(judge->rule, &judge->client, &reply);
    char *text = mail_reply_format(&reply);
    mail_reply_clear(&reply);
    g_ptr_array_set_size(judge->asked, 0);
    return text;
}

const char *
replay_judge_group(const ReplayJudge *judge)
{
    return judge->grouped ? judge->group->str : NULL;
}
