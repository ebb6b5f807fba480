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

static const FilterdValue *
ask(void *data, const PolicyFact *fact, gboolean shadow)
{
    Session *session = data;
    if (fact->use == NULL)
        return session_core_fact(session, fact->index);
    return visit_fact(session->visit, host_fact(session->engine->host, fact),
                      shadow);
}

/* Whom the stage is about; NULL: all of them. */
static const char *
judged_recipient(const Session *session, FilterdStage stage)
{
    return stage == FILTERD_RCPT ? session->recipient.text : NULL;
}

static void
fired(void *data, const PolicyRule *rule)
{
    Session *session = data;
    session->engine->rules[rule->index]++;
    if (rule->would) {
        session_log(session, "would", rule->name, stage_names[rule->stage],
                    judged_recipient(session, rule->stage), NULL);
        if (session->observer.would != NULL)
            session->observer.would(session->observer.data, rule);
    } else if (rule->kind == POLICY_SCORE) {
        SessionScope scope = rule->stage == FILTERD_CONNECT
                                 ? SESSION_OF_CONNECTION
                             : rule->stage == FILTERD_HELO ? SESSION_OF_HELO
                                                           : SESSION_OF_MESSAGE;
        session->score[scope] += rule->score;
    } else {
        session_rewrite_add(session, rule);
    }
}

static void
judged(void *data, const PolicyRule *rule, PolicyTruth truth)
{
    Session *session = data;
    if (session->observer.judged != NULL)
        session->observer.judged(session->observer.data, rule, truth);
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
    *client = (PolicyClient){session, ask, fired, judged, cancelled};
    return client;
}

/* ---- what stands -------------------------------------------------------- */

/* The accept or discard of an earlier stage, which leaves the policy. */
static const PolicyRule *
settled(const Session *session)
{
    for (unsigned i = 0; i < SESSION_SCOPES; i++) {
        const PolicyRule *rule = session->standing[i];
        if (rule != NULL && rule->kind != POLICY_QUARANTINE)
            return rule;
    }
    return NULL;
}

gboolean
session_accepted(const Session *session)
{
    const PolicyRule *rule = settled(session);
    if (rule != NULL)
        return TRUE;
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (session_recipient_goes(recipient))
            return recipient->rule != NULL
                   && recipient->rule->kind == POLICY_ACCEPT;
    }
    return FALSE;
}

static void
stand(Session *session, const PolicyRule *rule)
{
    if (rule->stage == FILTERD_RCPT)
        session->recipient_rule = rule;
    else if (rule->stage == FILTERD_CONNECT)
        session->standing[SESSION_OF_CONNECTION] = rule;
    else if (rule->stage == FILTERD_HELO)
        session->standing[SESSION_OF_HELO] = rule;
    else if (rule->stage != FILTERD_MESSAGE)
        session->standing[SESSION_OF_MESSAGE] = rule;
}

/* ---- a stage ------------------------------------------------------------ */

static void
tell_store(Engine *engine)
{
    const char *problem = store_problem(engine->store);
    if (problem != NULL && log_allow(&engine->store_told, 60000))
        log_event(FILTERD_LOG_WARNING, "store", "%s", problem);
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
    return (SessionDecision){SESSION_DISCARD, &session->reply};
}

static SessionDecision
refuse(Session *session, const PolicyRule *rule)
{
    PolicyClient client;
    const struct Outcome *outcome = &outcomes[rule->kind];
    policy_rule_reply(rule, session_policy_client(session, &client),
                      &session->reply);
    metrics_add(outcome->metric, 1);
    session_log(session, outcome->event, rule->name, stage_names[rule->stage],
                judged_recipient(session, rule->stage), &session->reply);
    observe(session, rule->stage, rule, &session->reply);
    return (SessionDecision){outcome->verdict, &session->reply};
}

static SessionDecision
carry_on(Session *session, FilterdStage stage, const PolicyRule *rule)
{
    if (rule != NULL && rule->kind != POLICY_PASS)
        stand(session, rule);
    observe(session, stage, rule, NULL);
    if (rule != NULL && rule->kind == POLICY_DISCARD
        && (stage == FILTERD_RCPT || stage == FILTERD_MESSAGE))
        return discard_reply(session);
    return (SessionDecision){SESSION_CONTINUE, NULL};
}

static SessionDecision
conclude(Session *session, FilterdStage stage, const PolicyRule *rule)
{
    if (rule != NULL)
        session->engine->rules[rule->index]++;
    if (stage == FILTERD_MESSAGE)
        session->final = rule;
    if (rule != NULL
        && (outcomes[rule->kind].verdict == SESSION_REJECT
            || outcomes[rule->kind].verdict == SESSION_TEMPFAIL
            || outcomes[rule->kind].verdict == SESSION_DISCONNECT))
        return refuse(session, rule);
    return carry_on(session, stage, rule);
}

/* DISCARD comes from rcpt and message only: a discard before them lets the
 * dialogue go on. */
SessionDecision
session_judge(Session *session, FilterdStage stage)
{
    PolicyClient client;
    const PolicyRule *rule = settled(session);
    if (rule != NULL) {
        if (rule->kind == POLICY_DISCARD && stage >= FILTERD_RCPT
            && stage != FILTERD_DATA)
            return discard_reply(session);
        return (SessionDecision){SESSION_CONTINUE, NULL};
    }
    rule = policy_judge(session->engine->config, stage,
                        session_policy_client(session, &client));
    if (fiber_cancelled())
        return (SessionDecision){SESSION_CANCELLED, NULL};
    tell_store(session->engine);
    return conclude(session, stage, rule);
}

void
session_go_on(Session *session, FilterdStage stage, SessionDecision decision)
{
    if (decision.verdict == SESSION_CONTINUE && settled(session) == NULL)
        visit_start_early(session->visit, stage);
}

/* ---- the message -------------------------------------------------------- */

/* The group's first: the rules say the same about the others. */
static const SessionRecipient *
face_recipient(Session *session)
{
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (!session_recipient_goes(recipient))
            continue;
        visit_set_recipient(session->visit, i);
        mail_address_clear(&session->recipient);
        mail_address_copy(&session->recipient, &recipient->address);
        return recipient;
    }
    return NULL;
}

static SessionDecision
loop_found(Session *session)
{
    mail_reply_set(&session->reply, 554, "5.4.6",
                   "too many Received fields: a mail loop");
    session_refused(session, "-loop", &session->reply);
    return (SessionDecision){SESSION_REJECT, &session->reply};
}

static const PolicyRule *
quarantine_rule(const Session *session, const SessionRecipient *face)
{
    const PolicyRule *candidates[] = {
        session->final,
        face->rule,
        session->standing[SESSION_OF_MESSAGE],
        session->standing[SESSION_OF_HELO],
        session->standing[SESSION_OF_CONNECTION],
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(candidates); i++)
        if (candidates[i] != NULL && candidates[i]->kind == POLICY_QUARANTINE)
            return candidates[i];
    return NULL;
}

static void
tell_discarded(Session *session)
{
    const PolicyRule *rule = session->final;
    const SessionRecipient *first =
        session->recipients->len > 0 ? g_ptr_array_index(session->recipients, 0)
                                     : NULL;
    if (rule == NULL)
        rule = settled(session);
    if (rule == NULL && first != NULL)
        rule = first->rule;
    metrics_add(METRIC_DISCARDED, 1);
    session_log(session, "discarded", rule != NULL ? rule->name : NULL,
                rule != NULL ? stage_names[rule->stage] : NULL, NULL, NULL);
}

static SessionDecision
judge_message(Session *session, const SessionRecipient *face)
{
    gboolean exempt =
        face != NULL && face->rule != NULL && face->rule->kind == POLICY_ACCEPT;
    if (face == NULL)
        return discard_reply(session);
    if (exempt)
        return (SessionDecision){SESSION_CONTINUE, NULL};
    if (settled(session) == NULL)
        visit_start_early(session->visit, FILTERD_MESSAGE);
    return session_judge(session, FILTERD_MESSAGE);
}

SessionDecision
session_message(Session *session)
{
    session->judged = TRUE;
    metrics_add(METRIC_MESSAGES, 1);
    if (session->hops > HOP_LIMIT)
        return loop_found(session);
    const SessionRecipient *face = face_recipient(session);
    SessionDecision decision = judge_message(session, face);
    if (decision.verdict == SESSION_DISCARD)
        tell_discarded(session);
    if (decision.verdict != SESSION_CONTINUE)
        return decision;
    session_edits_apply(session, quarantine_rule(session, face));
    if (fiber_cancelled())
        return (SessionDecision){SESSION_CANCELLED, NULL};
    return decision;
}

/* ---- what others decided ------------------------------------------------ */

static const PolicyRule *
accepting_rule(Session *session)
{
    const SessionRecipient *face = face_recipient(session);
    if (face == NULL)
        return NULL;
    const PolicyRule *quarantine = quarantine_rule(session, face);
    if (quarantine != NULL)
        return quarantine;
    if (session->final != NULL)
        return session->final;
    return face->rule != NULL ? face->rule : settled(session);
}

void
session_delivered(Session *session, const MailReply *backend)
{
    const PolicyRule *rule = accepting_rule(session);
    gboolean taken = backend->code / 100 == 2;
    PolicyVerdict kind = rule != NULL ? rule->kind : POLICY_ACCEPT;
    if (!taken) {
        session_refused(session, "-backend", backend);
        return;
    }
    metrics_add(outcomes[kind].metric, 1);
    session_log(session, kind == POLICY_QUARANTINE ? "quarantined" : "accepted",
                rule != NULL ? rule->name : NULL,
                rule != NULL ? stage_names[rule->stage] : "message", NULL,
                backend);
}

void
session_refused(Session *session, const char *rule, const MailReply *reply)
{
    PolicyVerdict kind = reply->code < 500 ? POLICY_TEMPFAIL : POLICY_REJECT;
    metrics_add(outcomes[kind].metric, 1);
    session_log(session, outcomes[kind].event, rule, NULL, NULL, reply);
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
        func(fact, ask(session, fact, FALSE), data);
    }
}
