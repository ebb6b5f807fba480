/* judge.c: from a request of Postfix to the action that answers it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * DUNNO leaves the decision to what Postfix asks next; OK, which would skip it,
 * is never said.
 */
#include "filterd/wire/delegation/judge.h"

#include "filterd/base/log.h"
#include "filterd/base/text.h"
#include "filterd/wire/delegation/facts.h"

#include <string.h>

/* Octets of a field; Postfix reads lines of 2048. */
#define DELEGATION_FIELD_LIMIT 1800
/* Between two lines about recipients that nobody showed. */
#define TELL_PAUSE 60000

typedef struct Case {
    DelegationClient *client;
    const DelegationRequest *request;
    const PolicySettings *settings;
    FilterdStage asked;
    int64_t delay;
    MailReply reply; /* by no rule */
} Case;

static const struct State {
    const char *name;
    FilterdStage stage;
} states[] = {
    {"RCPT", FILTERD_RCPT},       {"DATA", FILTERD_DATA},
    {"BDAT", FILTERD_DATA},       {"END-OF-MESSAGE", FILTERD_MESSAGE},
    {"MAIL", FILTERD_MAIL},       {"EHLO", FILTERD_HELO},
    {"HELO", FILTERD_HELO},       {"LHLO", FILTERD_HELO},
    {"CONNECT", FILTERD_CONNECT},
};

/* FALSE: of that nothing is judged (VRFY, ETRN …). */
static gboolean
find_stage(const char *name, FilterdStage *stage)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++)
        if (strcmp(states[i].name, name) == 0) {
            *stage = states[i].stage;
            return TRUE;
        }
    return FALSE;
}

/* ---- what a decision is for Postfix ------------------------------------- */

/* It closes the connection after these two codes (access(5)). */
static int
code_of(const SessionDecision *decision)
{
    int code = decision->reply->code;
    if (decision->verdict != SESSION_DISCONNECT)
        return code;
    return code / 100 == 5 ? 521 : 421;
}

static char *
refusal(const Session *session, const SessionDecision *decision)
{
    const MailReply *reply = decision->reply;
    GString *action = g_string_new(NULL);
    if (decision->verdict == SESSION_TEMPFAIL && decision->wordless)
        g_string_assign(action, "DEFER_IF_PERMIT ");
    else
        g_string_printf(action, "%d ", code_of(decision));
    if (*reply->enhanced != '\0')
        g_string_append_printf(action, "%s ", reply->enhanced);
    gsize start = action->len;
    g_string_append_len(action, reply->text,
                        (gssize)MIN(strlen(reply->text), MAIL_REPLY_LINE));
    g_strdelimit(action->str + start, "\n", ' ');
    g_string_append_printf(action, " [%s]", session_id(session));
    return g_string_free(action, FALSE);
}

/* NULL: it goes on. */
static char *
format(Case *at, const SessionDecision *decision)
{
    const Session *session = at->client->session;
    at->delay = MAX(at->delay, decision->delay);
    if (decision->verdict == SESSION_CONTINUE
        || decision->verdict == SESSION_CANCELLED)
        return NULL;
    if (decision->verdict == SESSION_DISCARD)
        return g_strdup_printf("DISCARD [%s]", session_id(session));
    return refusal(session, decision);
}

static void
keep(Case *at, FilterdStage stage, SessionDecision decision)
{
    g_free(at->client->refusals[stage]);
    at->client->refusals[stage] = format(at, &decision);
}

/* ---- stage by stage ----------------------------------------------------- */

static const char *
value(const Case *at, DelegationName name)
{
    return at->request->values[name];
}

static void
replace(char **kept, const char *text)
{
    g_free(*kept);
    *kept = g_strdup(text);
}

/* What was said about the transaction is over with it. */
static void
begin_again(DelegationClient *client, FilterdStage from)
{
    for (unsigned stage = from; stage < FILTERD_STAGES; stage++)
        g_clear_pointer(&client->refusals[stage], g_free);
    g_hash_table_remove_all(client->recipients);
    client->mailed = client->dated = client->ended = FALSE;
    client->held = -1;
}

/* TLS begins before all else, or after EHLO, which is said again then. */
static void
judge_connect(Case *at)
{
    DelegationClient *client = at->client;
    if (!client->secured && *value(at, DELEGATION_TLS) != '\0') {
        delegation_tell_tls(client->session, at->request);
        client->secured = TRUE;
        g_clear_pointer(&client->helo, g_free);
    }
    if (!client->connected)
        keep(at, FILTERD_CONNECT, session_connect(client->session));
    client->connected = TRUE;
}

static void
judge_helo(Case *at)
{
    DelegationClient *client = at->client;
    const char *name = value(at, DELEGATION_HELO);
    gboolean extended = strcmp(value(at, DELEGATION_PROTOCOL), "SMTP") != 0;
    if (*name == '\0' || g_strcmp0(client->helo, name) == 0)
        return;
    replace(&client->helo, name);
    begin_again(client, FILTERD_HELO);
    const char *protocol = client->secured ? "ESMTPS" : "ESMTP";
    keep(at, FILTERD_HELO,
         session_helo(client->session, name, extended ? protocol : "SMTP"));
}

/* Postfix names the transaction with its first recipient only. */
static gboolean
same_transaction(const Case *at)
{
    const DelegationClient *client = at->client;
    const char *instance = value(at, DELEGATION_INSTANCE);
    gboolean named = client->instance != NULL && *client->instance != '\0';
    return client->mailed
           && strcmp(client->sender, value(at, DELEGATION_SENDER)) == 0
           && (!named || strcmp(client->instance, instance) == 0);
}

/* By no rule of the file. */
static const struct Own {
    const char *rule;
    int code;
    const char *enhanced, *text;
} bad_sender = {"-envelope", 501, "5.1.7", "this is no sender's address"},
  bad_recipient = {"-envelope", 501, "5.1.3", "this is no recipient's address"},
  too_many = {"-recipients", 452, "4.5.3", "too many recipients"};

static SessionDecision
say_no(Case *at, const struct Own *own)
{
    mail_reply_set(&at->reply, own->code, own->enhanced, own->text);
    session_refused(at->client->session, own->rule, &at->reply);
    return (SessionDecision){
        own->code < 500 ? SESSION_TEMPFAIL : SESSION_REJECT, &at->reply, 0};
}

static SessionDecision
say_mail(Case *at)
{
    MailAddress path = {0};
    Session *session = at->client->session;
    delegation_tell_user(session, at->request);
    if (!mail_address_take(value(at, DELEGATION_SENDER), MAIL_REVERSE_PATH,
                           &path))
        return say_no(at, &bad_sender);
    SessionDecision decision =
        session_mail(session, &path, delegation_size(at->request));
    mail_address_clear(&path);
    return decision;
}

static void
judge_mail(Case *at)
{
    DelegationClient *client = at->client;
    gboolean same = same_transaction(at);
    replace(&client->instance, value(at, DELEGATION_INSTANCE));
    if (!same) {
        begin_again(client, FILTERD_MAIL);
        replace(&client->sender, value(at, DELEGATION_SENDER));
        client->mailed = TRUE;
        keep(at, FILTERD_MAIL, say_mail(at));
    }
    if (client->refusals[FILTERD_MAIL] == NULL
        && *value(at, DELEGATION_QUEUE_ID) != '\0')
        session_queued(client->session, value(at, DELEGATION_QUEUE_ID));
}

static SessionDecision
say_rcpt(Case *at)
{
    MailAddress path = {0};
    Session *session = at->client->session;
    if (g_hash_table_size(at->client->recipients)
        >= (guint64)at->settings->max_recipients)
        return say_no(at, &too_many);
    if (!mail_address_take(value(at, DELEGATION_RECIPIENT), MAIL_FORWARD_PATH,
                           &path))
        return say_no(at, &bad_recipient);
    SessionDecision decision = session_rcpt(session, &path);
    if (decision.verdict == SESSION_CONTINUE)
        session_rcpt_answered(session, TRUE, NULL);
    mail_address_clear(&path);
    return decision;
}

/* What was said of a recipient before is said again. Those of a transaction
 * that has several are not named after RCPT. */
static void
judge_rcpt(Case *at)
{
    DelegationClient *client = at->client;
    const char *text = value(at, DELEGATION_RECIPIENT);
    char **last = &client->refusals[FILTERD_RCPT];
    gboolean asked =
        at->asked == FILTERD_RCPT || g_hash_table_size(client->recipients) == 0;
    g_clear_pointer(last, g_free);
    if (!asked || *text == '\0')
        return;
    const char *known = g_hash_table_lookup(client->recipients, text);
    if (known == NULL) {
        SessionDecision decision = say_rcpt(at);
        char *action = format(at, &decision);
        known = action != NULL ? action : g_strdup("");
        g_hash_table_insert(client->recipients, g_strdup(text), (char *)known);
    }
    *last = *known != '\0' ? g_strdup(known) : NULL;
}

static void
warn_unshown(const Case *at)
{
    static int64_t told;
    if (g_hash_table_size(at->client->recipients) == 0
        && log_allow(&told, TELL_PAUSE))
        log_event(FILTERD_LOG_WARNING, "policy",
                  "%s of several recipients that nobody asked about before: "
                  "check_policy_service is missing in "
                  "smtpd_recipient_restrictions",
                  value(at, DELEGATION_STATE));
}

static void
judge_data(Case *at)
{
    DelegationClient *client = at->client;
    if (client->dated)
        return;
    client->dated = TRUE;
    warn_unshown(at);
    keep(at, FILTERD_DATA, session_data(client->session));
}

static void
tell_late(Session *session)
{
    char *field;
    while ((field = session_next_field(session)) != NULL) {
        session_edit_dropped(session, "add-header", NULL, field,
                             "not done: no request was left for it");
        g_free(field);
    }
}

static void
judge_message(Case *at)
{
    DelegationClient *client = at->client;
    Session *session = client->session;
    if (client->ended)
        return;
    client->ended = TRUE;
    session_told_size(session, delegation_size(at->request));
    SessionDecision decision = session_message(session);
    keep(at, FILTERD_MESSAGE, decision);
    if (decision.verdict != SESSION_CONTINUE)
        return;
    tell_late(session);
    session_delivered(session, NULL, NULL);
}

static void (*const judges[FILTERD_STAGES])(Case *at) = {
    [FILTERD_CONNECT] = judge_connect, [FILTERD_HELO] = judge_helo,
    [FILTERD_MAIL] = judge_mail,       [FILTERD_RCPT] = judge_rcpt,
    [FILTERD_DATA] = judge_data,       [FILTERD_MESSAGE] = judge_message,
};

/* The first refusal; NULL: there is none. */
static const char *
judge_all(Case *at)
{
    for (unsigned stage = 0; stage <= at->asked && !fiber_cancelled();
         stage++) {
        judges[stage](at);
        if (at->client->refusals[stage] != NULL)
            return at->client->refusals[stage];
    }
    return NULL;
}

/* ---- one action --------------------------------------------------------- */

static DelegationKind
kind_of(const char *action)
{
    if (g_str_has_prefix(action, "DISCARD"))
        return DELEGATION_DISCARD;
    return *action == '5' ? DELEGATION_REJECT : DELEGATION_TEMPFAIL;
}

/* Once at each stage: Postfix forgets it with what comes before a message. */
static gboolean
hold(const Case *at, GString *action)
{
    DelegationClient *client = at->client;
    const char *rule = session_quarantined(client->session);
    if (rule == NULL || client->held == (int)at->asked)
        return FALSE;
    client->held = (int)at->asked;
    g_string_append(action, "HOLD ");
    text_append_clean(action, rule, DELEGATION_FIELD_LIMIT);
    g_string_append_printf(action, " [%s]", session_id(client->session));
    return TRUE;
}

static gboolean
prepend(const Case *at, GString *action)
{
    Session *session = at->client->session;
    gboolean open = at->asked >= FILTERD_MAIL && at->asked < FILTERD_MESSAGE;
    g_autofree char *field = open ? session_next_field(session) : NULL;
    if (field == NULL)
        return FALSE;
    if (strlen(field) > DELEGATION_FIELD_LIMIT) {
        session_edit_dropped(session, "add-header", NULL, field,
                             "not done: it is too long for an action");
        return prepend(at, action);
    }
    g_string_append(action, "PREPEND ");
    text_append_clean(action, field, DELEGATION_FIELD_LIMIT);
    return TRUE;
}

/* Postfix logs it, and goes on as after DUNNO. */
static gboolean
warn(const Case *at, GString *action)
{
    GString *would = at->client->would;
    if (would->len == 0)
        return FALSE;
    g_string_append_printf(action, "WARN would %s [%s]", would->str,
                           session_id(at->client->session));
    g_string_truncate(would, 0);
    return TRUE;
}

/* Each request gets one; that a hook wants the message held comes to light
 * among the fields. */
static DelegationKind
advise(const Case *at, GString *action)
{
    if (hold(at, action))
        return DELEGATION_HOLD;
    if (prepend(at, action))
        return DELEGATION_PREPEND;
    if (hold(at, action))
        return DELEGATION_HOLD;
    if (warn(at, action))
        return DELEGATION_WARN;
    g_string_append(action, "DUNNO");
    return DELEGATION_DUNNO;
}

static void
judge_client(Case *at, GString *action, DelegationAnswer *answer)
{
    const char *refused = judge_all(at);
    answer->delay = at->delay;
    answer->kind = refused != NULL ? kind_of(refused) : advise(at, action);
    if (refused == NULL)
        return;
    g_string_append(action, refused);
    g_string_truncate(at->client->would, 0);
}

gboolean
delegation_judge(DelegationDesk *desk, const FilterdIp *origin,
                 const DelegationRequest *request, GString *action,
                 DelegationAnswer *answer)
{
    Engine *engine = delegation_desk_engine(desk);
    Case at = {.request = request,
               .settings = &engine_config(engine)->settings};
    *answer = (DelegationAnswer){DELEGATION_DUNNO, 0};
    if (!find_stage(request->values[DELEGATION_STATE], &at.asked)) {
        g_string_append(action, "DUNNO");
        return TRUE;
    }
    at.client = delegation_desk_enter(desk, origin, request);
    if (at.client == NULL)
        return FALSE;
    judge_client(&at, action, answer);
    delegation_desk_leave(desk, at.client);
    mail_reply_clear(&at.reply);
    return !fiber_cancelled();
}
