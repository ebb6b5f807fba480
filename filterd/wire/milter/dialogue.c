/* dialogue.c: the steps of a mail server's dialogue, judged in a fiber.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the mail server let through is judged as it is: syntax and limits are
 * its own.
 */
#include "filterd/base/text.h"
#include "filterd/base/timing.h"
#include "filterd/base/visitors.h"
#include "filterd/mail/domain.h"
#include "filterd/wire/milter/state.h"

#include <string.h>

/* Octets of a HELO argument and of a user's name. */
#define NAME_LIMIT 255

void
milter_recipient_free(void *data)
{
    MilterRecipient *recipient = data;
    g_free(recipient->address);
    g_free(recipient->told);
    g_free(recipient);
}

static const char *
macro(const MilterClient *client, const char *name)
{
    const char *value = smfi_getsymval(client->context, (char *)name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static int64_t
macro_number(const MilterClient *client, const char *name, int64_t otherwise)
{
    const char *text = macro(client, name);
    int64_t number;
    if (text == NULL || !text_parse_int(text, 0, G_MAXINT32, &number))
        return otherwise;
    return number;
}

/* ---- connect and helo --------------------------------------------------- */

/* What comes from the machine itself has no address. */
static void
take_address(SessionPeer *peer, const struct sockaddr *address)
{
    Endpoint endpoint = {0};
    socklen_t size = address != NULL && address->sa_family == AF_INET6
                         ? sizeof(struct sockaddr_in6)
                         : sizeof(struct sockaddr_in);
    if (address == NULL || !endpoint_from_sockaddr(address, size, &endpoint)
        || endpoint.path != NULL)
        ip_parse("127.0.0.1", &endpoint.ip);
    peer->ip = endpoint.ip;
    peer->port = endpoint.port;
    endpoint_clear(&endpoint);
}

/* The mail server has looked the client up, and back; where that led nowhere
 * the reverse lookup is ours. */
static const char *
confirmed_name(const MilterClient *client, const char *name)
{
    const char *resolved = macro(client, "{client_resolve}");
    gboolean sure = resolved == NULL || strcmp(resolved, "OK") == 0;
    return sure && name != NULL && strcmp(name, "unknown") != 0
                   && mail_domain_valid(name)
               ? name
               : NULL;
}

static void
note_visitor(MilterClient *client, SessionPeer *peer)
{
    VisitorCounts counts;
    client->seat = visitors_enter(&peer->ip);
    visitors_count(client->seat, &counts);
    peer->sessions =
        macro_number(client, "{client_connections}", counts.sessions);
    peer->errors = counts.recent[VISITOR_ERROR];
    peer->unknown_recipients = counts.recent[VISITOR_UNKNOWN];
}

static sfsistat
connect_step(MilterClient *client, const MilterCall *call)
{
    SessionPeer peer = {
        .name = confirmed_name(client, call->name),
        .wire = "milter",
        .advises = TRUE,
        .mta_name = macro(client, "j"),
        .mta_daemon = macro(client, "{daemon_name}"),
    };
    if (client->session != NULL)
        return SMFIS_TEMPFAIL;
    take_address(&peer, call->address);
    note_visitor(client, &peer);
    client->session = session_new(client->milter->engine, &peer);
    return milter_decide(client, session_connect(client->session));
}

/* It learns of TLS with the greeting that follows STARTTLS. */
static void
note_tls(MilterClient *client)
{
    const char *verified = macro(client, "{verify}");
    const SessionTls tls = {
        .version = macro(client, "{tls_version}"),
        .cipher = macro(client, "{cipher}"),
        .subject = macro(client, "{cert_subject}"),
        .verified = g_strcmp0(verified, "OK") == 0,
    };
    if (tls.version == NULL || client->secured)
        return;
    client->secured = TRUE;
    session_secured(client->session, &tls);
}

static sfsistat
helo_step(MilterClient *client, const MilterCall *call)
{
    note_tls(client);
    g_autofree char *name = g_strndup(call->name, NAME_LIMIT);
    const char *protocol = client->secured ? "ESMTPS" : "ESMTP";
    return milter_decide(client, session_helo(client->session, name, protocol));
}

/* ---- the envelope ------------------------------------------------------- */

static const IntakeRefusal bad_sender = {"-address", 553, "5.1.7",
                                         "this address cannot be"},
                           bad_recipient = {"-address", 553, "5.1.3",
                                            "this address cannot be"},
                           not_carried = {
                               "-milter", 451, "4.3.0",
                               "the message cannot be changed as it has to be"};

/* `word=` of the ESMTP parameters; NULL. */
static const char *
parameter(char **arguments, const char *word)
{
    gsize length = strlen(word);
    for (unsigned i = 1; arguments[i] != NULL; i++)
        if (g_ascii_strncasecmp(arguments[i], word, length) == 0)
            return arguments[i];
    return NULL;
}

/* Those that stay true of another sender (RFC 3461 4.3, 4.4). */
static char *
kept_arguments(char **arguments)
{
    const char *ret = parameter(arguments, "RET=");
    const char *envid = parameter(arguments, "ENVID=");
    if (ret == NULL && envid == NULL)
        return NULL;
    return g_strconcat(ret != NULL ? ret : "",
                       ret != NULL && envid != NULL ? " " : "", envid, NULL);
}

static gsize
declared_size(char **arguments)
{
    const char *size = parameter(arguments, "SIZE=");
    int64_t octets;
    if (size == NULL
        || !text_parse_int(size + strlen("SIZE="), 0, G_MAXINT64, &octets))
        return 0;
    return (gsize)octets;
}

static void
note_user(MilterClient *client)
{
    const char *user = macro(client, "{auth_authen}");
    if (user != NULL && strlen(user) <= NAME_LIMIT
        && text_is_plain(user, strlen(user)))
        session_authenticated(client->session, user);
}

static void
note_queue(MilterClient *client)
{
    const char *id = macro(client, "i");
    if (id != NULL)
        session_queued(client->session, id);
}

static void
forget_transaction(MilterClient *client)
{
    g_clear_pointer(&client->intake, intake_free);
    g_clear_pointer(&client->sender, g_free);
    g_clear_pointer(&client->sender_arguments, g_free);
    g_ptr_array_set_size(client->recipients, 0);
    client->in_data = client->judged = FALSE;
}

static gsize
size_limit(const MilterClient *client)
{
    const PolicyConfig *config = engine_config(client->milter->engine);
    return (gsize)config->settings.max_message_size;
}

static sfsistat
judge_sender(MilterClient *client, const MailAddress *path, char **arguments)
{
    client->sender = g_strdup(path->text);
    client->sender_arguments = kept_arguments(arguments);
    SessionDecision decision =
        session_mail(client->session, path, declared_size(arguments));
    return milter_decide(client, decision);
}

static sfsistat
mail_step(MilterClient *client, const MilterCall *call)
{
    MailAddress path = {0};
    milter_end_transaction(client);
    note_user(client);
    note_queue(client);
    if (!mail_address_take(call->arguments[0], MAIL_REVERSE_PATH, &path))
        return milter_refuse(client, &bad_sender);
    sfsistat answer = declared_size(call->arguments) > size_limit(client)
                          ? milter_refuse(client, intake_too_large())
                          : judge_sender(client, &path, call->arguments);
    mail_address_clear(&path);
    return answer;
}

/* It has been refused already, and is shown to be counted. */
static gboolean
is_refused(const MilterClient *client)
{
    return g_strcmp0(macro(client, "{rcpt_mailer}"), "error") == 0;
}

static void
keep_recipient(MilterClient *client, const MailAddress *path, const char *told)
{
    MilterRecipient *recipient = g_new(MilterRecipient, 1);
    recipient->address = g_strdup(path->text);
    recipient->told = g_strdup(told);
    g_ptr_array_add(client->recipients, recipient);
}

/* A discard is carried out at the end, for that recipient only: here it would
 * mean the message. */
static sfsistat
judge_recipient(MilterClient *client, const MailAddress *path, const char *told)
{
    SessionDecision decision = session_rcpt(client->session, path);
    if (decision.verdict == SESSION_CONTINUE)
        session_rcpt_answered(client->session, TRUE, NULL);
    else if (decision.verdict != SESSION_DISCARD)
        return milter_decide(client, decision);
    keep_recipient(client, path, told);
    return SMFIS_CONTINUE;
}

static sfsistat
rcpt_step(MilterClient *client, const MilterCall *call)
{
    MailAddress path = {0};
    if (is_refused(client)) {
        visitors_note(client->seat, VISITOR_UNKNOWN);
        return SMFIS_CONTINUE;
    }
    if (!mail_address_take(call->arguments[0], MAIL_FORWARD_PATH, &path))
        return milter_refuse(client, &bad_recipient);
    note_queue(client);
    sfsistat answer = judge_recipient(client, &path, call->arguments[0]);
    mail_address_clear(&path);
    return answer;
}

/* ---- the message -------------------------------------------------------- */

static sfsistat
data_step(MilterClient *client, const MilterCall *call)
{
    (void)call;
    note_queue(client);
    client->in_data = TRUE;
    return milter_decide(client, session_data(client->session));
}

static void
begin_message(MilterClient *client)
{
    const PolicySettings *settings =
        &engine_config(client->milter->engine)->settings;
    if (!client->in_data)
        (void)session_data(client->session);
    client->intake =
        intake_new(client->session, settings, size_limit(client), DATA_CHUNKED);
    if ((client->milter->needs.steps & SMFIP_NOBODY) != 0)
        session_partial(client->session);
}

static void
take_octets(MilterClient *client, const GString *octets)
{
    gboolean ended;
    if (client->intake == NULL)
        begin_message(client);
    intake_feed(client->intake, octets->str, octets->len, &ended);
}

/* A body that nobody listens to need not come. */
static sfsistat
octets_step(MilterClient *client, const MilterCall *call)
{
    take_octets(client, call->octets);
    if (!call->in_body || session_wants_body(client->session))
        return SMFIS_CONTINUE;
    session_partial(client->session);
    return SMFIS_SKIP;
}

static sfsistat
judge_message(MilterClient *client, const MilterCall *call)
{
    take_octets(client, call->octets);
    intake_end(client->intake);
    const IntakeRefusal *refusal = intake_refusal(client->intake);
    client->judged = refusal != NULL;
    if (refusal != NULL)
        return milter_refuse(client, refusal);
    note_queue(client);
    SessionDecision decision = session_message(client->session);
    client->judged = decision.verdict != SESSION_CONTINUE;
    if (!client->judged)
        milter_edits_collect(client);
    return milter_decide(client, decision);
}

static sfsistat
end_step(MilterClient *client, const MilterCall *call)
{
    int64_t began = clock_monotonic();
    sfsistat status = judge_message(client, call);
    timing_add(timing_find(TIMING_END_OF_DATA, ""), clock_monotonic() - began);
    return status;
}

static sfsistat
taken_step(MilterClient *client, const MilterCall *call)
{
    (void)call;
    client->judged = TRUE;
    session_delivered(client->session, NULL, NULL);
    return SMFIS_CONTINUE;
}

/* Without all edits it must not pass. */
static sfsistat
not_taken_step(MilterClient *client, const MilterCall *call)
{
    (void)call;
    client->judged = TRUE;
    return milter_refuse(client, &not_carried);
}

static sfsistat
abort_step(MilterClient *client, const MilterCall *call)
{
    (void)call;
    milter_end_transaction(client);
    return SMFIS_CONTINUE;
}

/* ---- all of them -------------------------------------------------------- */

static sfsistat (*const steps[])(MilterClient *client,
                                 const MilterCall *call) = {
    [MILTER_CONNECT] = connect_step,
    [MILTER_HELO] = helo_step,
    [MILTER_MAIL] = mail_step,
    [MILTER_RCPT] = rcpt_step,
    [MILTER_DATA] = data_step,
    [MILTER_OCTETS] = octets_step,
    [MILTER_END] = end_step,
    [MILTER_TAKEN] = taken_step,
    [MILTER_NOT_TAKEN] = not_taken_step,
    [MILTER_ABORT] = abort_step,
};

sfsistat
milter_carry_out(MilterClient *client, const MilterCall *call)
{
    if (client->session == NULL && call->step != MILTER_CONNECT)
        return SMFIS_TEMPFAIL;
    return steps[call->step](client, call);
}

void
milter_end_transaction(MilterClient *client)
{
    forget_transaction(client);
    if (client->session != NULL)
        session_reset(client->session);
}

void
milter_end_session(MilterClient *client)
{
    forget_transaction(client);
    g_clear_pointer(&client->session, session_free);
    visitors_leave(client->seat);
}
