/* judge.c: from the rules of a stage to a decision, and what it leaves behind.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/base/metrics.h"
#include "filterd/session/state.h"

#include <string.h>

/* RFC 5321 6.3: more Received fields than this are a loop. */
#define HOP_LIMIT 100

static const char *const stage_names[FILTERD_STAGES] = {
    "connect", "helo", "mail", "rcpt", "data", "message",
};

/* What a verdict is called in the log and counted as. */
static const struct Outcome {
    SessionVerdict verdict;
    const char *event;
    Metric metric;
} outcomes[] = {
    [POLICY_ACCEPT] = {SESSION_CONTINUE, "accepted", METRIC_ACCEPTED},
    [POLICY_PASS] = {SESSION_CONTINUE, "passed", METRIC_ACCEPTED},
    [POLICY_REJECT] = {SESSION_REJECT, "rejected", METRIC_REJECTED},
    [POLICY_TEMPFAIL] = {SESSION_TEMPFAIL, "tempfailed", METRIC_TEMPFAILED},
    [POLICY_DISCARD] = {SESSION_DISCARD, "discarded", METRIC_DISCARDED},
    [POLICY_QUARANTINE] = {SESSION_CONTINUE, "quarantined", METRIC_QUARANTINED},
    [POLICY_DISCONNECT] = {SESSION_DISCONNECT, "disconnected",
                           METRIC_TEMPFAILED},
};

/* ---- what the policy asks and tells ------------------------------------- */

const FilterdValue *
session_fact(Session *session, const PolicyFact *fact, gboolean shadow)
{
    if (fact->use == NULL)
        return session_core_fact(session, fact->index);
    return visit_fact(session->visit, host_fact(session->engine->host, fact),
                      shadow);
}

static const FilterdValue *
ask(void *data, const PolicyFact *fact, gboolean shadow)
{
    Session *session = data;
    const FilterdValue *value = session_fact(session, fact, shadow);
    if (session->observer.asked != NULL)
        session->observer.asked(session->observer.data, fact, value);
    return value;
}

/* Whom the stage is about; NULL: all of them. */
static const char *
judged_recipient(const Session *session, FilterdStage stage)
{
    return stage == FILTERD_RCPT ? session->recipient.text : NULL;
}

static void
fired(void *data, const PolicyRule *rule, PolicyMode mode)
{
    Session *session = data;
    if (mode != POLICY_APPLIED) {
        const SessionEntry entry = {
            .event = "would",
            .verdict = rule->kind,
            .how = mode,
            .mode = rule->canary > 0 ? policy_mode_words[mode] : NULL,
            .rule = rule->name,
            .stage = stage_names[rule->stage],
            .recipient = judged_recipient(session, rule->stage)};
        session_log(session, &entry);
        if (session->observer.would != NULL)
            session->observer.would(session->observer.data, rule);
    } else if (rule->kind == POLICY_SCORE) {
        session->holds[session_scope(rule->stage)].score += rule->score;
    } else {
        session_rewrite_add(session, rule);
    }
}

static void
judged(void *data, const PolicyRule *rule, PolicyTruth truth, PolicyMode mode)
{
    Session *session = data;
    if (!fiber_cancelled() && (truth == POLICY_YES || mode == POLICY_EXPIRED))
        rules_count(session->engine->counts, rule, mode);
    SessionLook look = SESSION_LOOK(rule->index, mode, truth);
    if (session->engine->recorder != NULL)
        session_look_add(session, rule->stage, look);
    if (session->observer.judged != NULL)
        session->observer.judged(session->observer.data, rule, truth, mode);
}

static gboolean
cancelled(void *data)
{
    (void)data;
    return fiber_cancelled();
}

const PolicyClient *
session_policy_client(Session *session, PolicyClient *client)
{
    *client = (PolicyClient){.data = session,
                             .fact = ask,
                             .fired = fired,
                             .judged = judged,
                             .cancelled = cancelled,
                             .thorough = session->observer.judged != NULL};
    return client;
}

/* ---- what stands -------------------------------------------------------- */

const PolicyRule *
session_settled(const Session *session)
{
    for (unsigned i = 0; i <= SESSION_OF_MESSAGE; i++)
        if (session->holds[i].settled != NULL)
            return session->holds[i].settled;
    return NULL;
}

const SessionRecipient *
session_face(const Session *session)
{
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (session_recipient_goes(session, recipient))
            return recipient;
    }
    return NULL;
}

static gboolean
all_accepted(const Session *session)
{
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (session_recipient_goes(session, recipient)
            && (recipient->rule == NULL
                || recipient->rule->kind != POLICY_ACCEPT))
            return FALSE;
    }
    return session_face(session) != NULL;
}

gboolean
session_accepted(const Session *session)
{
    return session_settled(session) != NULL || all_accepted(session);
}

static void
stand(Session *session, const PolicyRule *rule)
{
    SessionHold *hold = &session->holds[session_scope(rule->stage)];
    if (rule->stage == FILTERD_MESSAGE)
        session->final = rule;
    else if (rule->kind == POLICY_QUARANTINE)
        hold->quarantine = rule;
    else
        hold->settled = rule;
}

/* ---- a stage ------------------------------------------------------------ */

/* Milliseconds; one that comes and goes is not told each time. */
#define STORE_NEWS_PAUSE 60000

static void
tell_store(Engine *engine)
{
    const char *problem = store_problem(engine->store);
    if (engine->store_bad && problem == NULL) {
        log_event(FILTERD_LOG_INFO, "store", "it works again");
        engine->store_bad = FALSE;
    } else if (!engine->store_bad && problem != NULL
               && log_allow(&engine->store_told, STORE_NEWS_PAUSE)) {
        log_event(FILTERD_LOG_WARNING, "store", "%s", problem);
        engine->store_bad = TRUE;
    }
}

static void
observe(Session *session, FilterdStage stage, const PolicyRule *rule,
        const MailReply *reply)
{
    if (session->observer.decided != NULL)
        session->observer.decided(session->observer.data, stage, rule,
                                  judged_recipient(session, stage), reply);
}

static SessionDecision
discard_reply(Session *session)
{
    mail_reply_set(&session->reply, 250, "2.0.0", "ok");
    return (SessionDecision){SESSION_DISCARD, &session->reply, 0};
}

static SessionDecision
refuse(Session *session, const PolicyRule *rule)
{
    PolicyClient client;
    const struct Outcome *outcome = &outcomes[rule->kind];
    policy_rule_reply(rule, session_policy_client(session, &client),
                      &session->reply);
    if (fiber_cancelled())
        return (SessionDecision){.verdict = SESSION_CANCELLED};
    const SessionEntry entry = {.event = outcome->event,
                                .verdict = rule->kind,
                                .rule = rule->name,
                                .stage = stage_names[rule->stage],
                                .recipient =
                                    judged_recipient(session, rule->stage),
                                .reply = &session->reply,
                                .ours = TRUE};
    metrics_add(outcome->metric, 1);
    session_log(session, &entry);
    session_outcome_rule(session, rule);
    observe(session, rule->stage, rule, &session->reply);
    return (SessionDecision){outcome->verdict, &session->reply, rule->delay,
                             !rule->worded};
}

static SessionDecision
carry_on(Session *session, FilterdStage stage, const PolicyRule *rule)
{
    if (rule != NULL && (rule->kind != POLICY_PASS || stage == FILTERD_MESSAGE))
        stand(session, rule);
    observe(session, stage, rule, NULL);
    if (rule != NULL && rule->kind == POLICY_DISCARD
        && (stage == FILTERD_RCPT || stage == FILTERD_MESSAGE))
        return discard_reply(session);
    return (SessionDecision){.verdict = SESSION_CONTINUE};
}

/* By no rule of the file; `reply` has been set. */
static SessionDecision
refuse_ourselves(Session *session, const char *rule)
{
    gboolean now = session->reply.code < 500;
    session_refused(session, rule, &session->reply);
    if (session->observer.refused != NULL)
        session->observer.refused(session->observer.data, rule,
                                  &session->reply);
    return (SessionDecision){now ? SESSION_TEMPFAIL : SESSION_REJECT,
                             &session->reply, 0};
}

/* What lets nobody in refuses nobody for good. */
static SessionDecision
check_missing(Session *session)
{
    mail_reply_set(&session->reply, 451, "4.3.0",
                   "this cannot be checked now; try again later");
    return refuse_ourselves(session, "-plugin");
}

static gboolean
is_refusal(const PolicyRule *rule)
{
    return rule != NULL
           && (outcomes[rule->kind].verdict == SESSION_REJECT
               || outcomes[rule->kind].verdict == SESSION_TEMPFAIL
               || outcomes[rule->kind].verdict == SESSION_DISCONNECT);
}

static SessionDecision
conclude(Session *session, FilterdStage stage, const PolicyRule *rule)
{
    return is_refusal(rule) ? refuse(session, rule)
                            : carry_on(session, stage, rule);
}

/* DISCARD comes from rcpt and message only: a discard before them lets the
 * dialogue go on. */
SessionDecision
session_judge(Session *session, FilterdStage stage)
{
    PolicyClient client;
    const PolicyRule *rule = session_settled(session);
    session->reached = stage;
    if (rule != NULL) {
        if (rule->kind == POLICY_DISCARD && stage >= FILTERD_RCPT
            && stage != FILTERD_DATA)
            return discard_reply(session);
        return (SessionDecision){.verdict = SESSION_CONTINUE};
    }
    rule = policy_judge(session->engine->config, stage,
                        session_policy_client(session, &client));
    if (fiber_cancelled())
        return (SessionDecision){.verdict = SESSION_CANCELLED};
    tell_store(session->engine);
    if (visit_take_missed(session->visit) && !is_refusal(rule))
        return check_missing(session);
    return conclude(session, stage, rule);
}

void
session_go_on(Session *session, FilterdStage stage, SessionDecision decision)
{
    if (decision.verdict == SESSION_CONTINUE && !session_accepted(session))
        visit_start_early(session->visit, stage, stage);
}

/* ---- the message -------------------------------------------------------- */

/* Hooks may be running that hold what they were given of it. */
static void
set_recipient(Session *session, const SessionRecipient *recipient)
{
    if (g_strcmp0(session->recipient.text, recipient->address.text) == 0)
        return;
    mail_address_clear(&session->recipient);
    mail_address_copy(&session->recipient, &recipient->address);
}

const SessionRecipient *
session_turn_to_face(Session *session)
{
    const SessionRecipient *face = session_face(session);
    unsigned index;
    if (face == NULL || !g_ptr_array_find(session->recipients, face, &index))
        return NULL;
    set_recipient(session, face);
    visit_set_recipient(session->visit, index);
    session->holds[SESSION_OF_RECIPIENT].score = face->score;
    return face;
}

static SessionDecision
loop_found(Session *session)
{
    mail_reply_set(&session->reply, 554, "5.4.6",
                   "too many Received fields: a mail loop");
    return refuse_ourselves(session, "-loop");
}

static SessionDecision
not_signed(Session *session)
{
    mail_reply_set(&session->reply, 451, "4.3.0",
                   "the message cannot be signed now; try again later");
    return refuse_ourselves(session, "-sign");
}

static const PolicyRule *
quarantine_rule(const Session *session, const SessionRecipient *face)
{
    const PolicyRule *candidates[] = {
        session->final,
        face != NULL ? face->rule : NULL,
        session->holds[SESSION_OF_MESSAGE].quarantine,
        session->holds[SESSION_OF_HELO].quarantine,
        session->holds[SESSION_OF_CONNECTION].quarantine,
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(candidates); i++)
        if (candidates[i] != NULL && candidates[i]->kind == POLICY_QUARANTINE)
            return candidates[i];
    return NULL;
}

static void
log_discarded(Session *session, const PolicyRule *rule, const char *recipient)
{
    const SessionEntry entry = {.event = "discarded",
                                .verdict = POLICY_DISCARD,
                                .rule = rule->name,
                                .stage = stage_names[rule->stage],
                                .recipient = recipient};
    metrics_add(METRIC_DISCARDED, 1);
    session_log(session, &entry);
    session_outcome_rule(session, rule);
}

/* Those whom a rule at rcpt discarded, now that their message is gone; where
 * each is answered they are a group. */
static void
tell_discarded_recipients(Session *session)
{
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (recipient->discarded && recipient->turn == session->turn
            && recipient->rule != NULL)
            log_discarded(session, recipient->rule, recipient->address.text);
    }
}

static void
tell_discarded(Session *session)
{
    const PolicyRule *rule =
        session->final != NULL ? session->final : session_settled(session);
    if (rule != NULL)
        log_discarded(session, rule, NULL);
    tell_discarded_recipients(session);
}

/* Of several groups none has been asked about stage data. */
static SessionDecision
judge_message(Session *session, const SessionRecipient *face)
{
    SessionDecision decision = {.verdict = SESSION_CONTINUE};
    if (face == NULL)
        return session->recipients->len > 0 ? discard_reply(session) : decision;
    if (face->rule != NULL && face->rule->kind == POLICY_ACCEPT)
        return decision;
    if (session->divided)
        decision = session_judge(session, FILTERD_DATA);
    if (decision.verdict != SESSION_CONTINUE)
        return decision;
    if (!session_accepted(session))
        visit_start_early(session->visit, FILTERD_MESSAGE, FILTERD_DATA);
    return session_judge(session, FILTERD_MESSAGE);
}

SessionDecision
session_message(Session *session)
{
    if (!session->judged) {
        session->divided = session_divided(session);
        metrics_add(METRIC_MESSAGES, 1);
    }
    session->judged = TRUE;
    session->reached = FILTERD_MESSAGE;
    session_group_next(session);
    if (session->hops > HOP_LIMIT)
        return loop_found(session);
    const SessionRecipient *face = session_turn_to_face(session);
    SessionDecision decision = judge_message(session, face);
    if (decision.verdict == SESSION_DISCARD)
        tell_discarded(session);
    if (decision.verdict != SESSION_CONTINUE || session->envelopes)
        return decision;
    gboolean fine =
        session_edits_apply(session, quarantine_rule(session, face));
    if (fiber_cancelled())
        return (SessionDecision){.verdict = SESSION_CANCELLED};
    return fine ? decision : not_signed(session);
}

const PolicyRule *
session_quarantine_rule(const Session *session)
{
    return quarantine_rule(session, session_face(session));
}

const char *
session_quarantined(const Session *session)
{
    const PolicyRule *rule = session_quarantine_rule(session);
    if (session->hold_reason != NULL)
        return session->hold_reason;
    return rule != NULL ? rule->name : NULL;
}

/* ---- what others decided ------------------------------------------------ */

static const PolicyRule *
accepting_rule(const Session *session)
{
    const SessionRecipient *face = session_face(session);
    if (face == NULL)
        return NULL;
    const PolicyRule *quarantine = quarantine_rule(session, face);
    if (quarantine != NULL)
        return quarantine;
    if (session->final != NULL)
        return session->final;
    return face->rule != NULL ? face->rule : session_settled(session);
}

/* What a plugin holds has no rule. */
static void
note_taken(Session *session, const PolicyRule *rule, gboolean held)
{
    if (held && (rule == NULL || rule->kind != POLICY_QUARANTINE))
        session_outcome_other(session, SESSION_HELD_RULE, FILTERD_QUARANTINED);
    else
        session_outcome_rule(session, rule);
}

static void
taken(Session *session, const char *recipient, const MailReply *backend)
{
    const PolicyRule *rule = accepting_rule(session);
    PolicyVerdict kind = rule != NULL ? rule->kind : POLICY_ACCEPT;
    gboolean held = kind == POLICY_QUARANTINE || session_keeps(session);
    const SessionEntry entry = {.event = held ? "quarantined" : "accepted",
                                .verdict = kind,
                                .rule = rule != NULL ? rule->name : NULL,
                                .stage = rule != NULL ? stage_names[rule->stage]
                                                      : "message",
                                .recipient = recipient,
                                .reply = backend};
    metrics_add(outcomes[held ? POLICY_QUARANTINE : kind].metric, 1);
    session_log(session, &entry);
    note_taken(session, rule, held);
}

static void
not_taken(Session *session, const char *rule, const char *recipient,
          const MailReply *reply)
{
    PolicyVerdict kind = reply->code < 500 ? POLICY_TEMPFAIL : POLICY_REJECT;
    const SessionEntry entry = {.event = outcomes[kind].event,
                                .verdict = kind,
                                .rule = rule,
                                .recipient = recipient,
                                .reply = reply,
                                .ours = !g_str_has_prefix(rule, "-backend")};
    metrics_add(outcomes[kind].metric, 1);
    session_log(session, &entry);
    session_outcome_other(session, rule,
                          kind == POLICY_REJECT ? FILTERD_REJECTED
                                                : FILTERD_TEMPFAILED);
}

void
session_delivered(Session *session, const char *recipient,
                  const MailReply *backend)
{
    if (backend != NULL && backend->code / 100 != 2) {
        not_taken(session, "-backend", recipient, backend);
        return;
    }
    taken(session, recipient, backend);
    tell_discarded_recipients(session);
}

void
session_refused(Session *session, const char *rule, const MailReply *reply)
{
    not_taken(session, rule, NULL, reply);
}

void
session_each_fact(Session *session,
                  void (*func)(const PolicyFact *fact,
                               const FilterdValue *value, void *data),
                  void *data)
{
    const GPtrArray *facts = session->engine->config->facts;
    for (unsigned i = 0; i < facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(facts, i);
        func(fact, session_fact(session, fact, FALSE), data);
    }
}
