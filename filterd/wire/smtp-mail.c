/* smtp-mail.c: MAIL and RCPT (RFC 5321 4.1.1.2, 4.1.1.3).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-parameters.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

gsize
smtp_size_limit(SmtpServer *server)
{
    const SmtpExtensions *offered = backend_pool_known(server->service->pool);
    gsize own = (gsize)server->settings->max_message_size;
    if (offered->size_limit != 0 && offered->size_limit < own)
        return offered->size_limit;
    return own;
}

gboolean
smtp_is_local(const SmtpServer *server)
{
    return server->service->listen->wire == POLICY_LMTP;
}

gboolean
smtp_is_binary(const SmtpServer *server)
{
    return (server->needs & SMTP_BINARYMIME) != 0;
}

gboolean
smtp_single(const SmtpServer *server)
{
    const GPtrArray *backends =
        engine_config(server->service->engine)->backends;
    if (smtp_is_local(server) || server->settings->mixed_replies != 0)
        return FALSE;
    for (unsigned i = 0; i < backends->len; i++) {
        const PolicyBackend *backend = g_ptr_array_index(backends, i);
        if (backend->wire == POLICY_LMTP)
            return TRUE;
    }
    return FALSE;
}

void
smtp_transaction_end(SmtpServer *server)
{
    g_clear_pointer(&server->intake, intake_free);
    session_reset(server->session);
    smtp_backend_end(server);
    g_clear_pointer(&server->mail_command, g_free);
    g_clear_pointer(&server->mail_parameters, g_free);
    g_ptr_array_set_size(server->rcpt_commands, 0);
    server->discarded = server->recipients = 0;
    server->needs = 0;
    server->in_mail = server->utf8 = FALSE;
    smtp_forward_forget(server);
}

/* "FROM:" or "TO:", then the path; a space between them is borne. */
static const char *
find_path(const char *arguments, const char *word)
{
    gsize length = strlen(word);
    if (g_ascii_strncasecmp(arguments, word, length) != 0)
        return NULL;
    return arguments + length + strspn(arguments + length, " ");
}

static void
refuse_eightbit(SmtpServer *server)
{
    smtp_error(server, 553, "5.6.7", "this address needs SMTPUTF8");
}

/* The path of MAIL or RCPT; FALSE: the client has been told. */
static gboolean
parse_path(SmtpServer *server, const char *text, MailPath kind, gboolean utf8,
           MailAddress *path, const char **end)
{
    g_autoptr(GError) error = NULL;
    const char *enhanced = kind == MAIL_REVERSE_PATH ? "5.1.7" : "5.1.3";
    if (mail_address_parse(text, kind, utf8, path, end, &error))
        return TRUE;
    if (g_error_matches(error, MAIL_ERROR, MAIL_ERROR_EIGHTBIT))
        refuse_eightbit(server);
    else
        smtp_error(server, 501, enhanced, error->message);
    return FALSE;
}

/* ---- MAIL --------------------------------------------------------------- */

static void
keep_mail_command(SmtpServer *server, const MailAddress *path,
                  SmtpParameters *parameters)
{
    g_free(server->mail_parameters);
    server->mail_parameters = g_steal_pointer(&parameters->text);
    g_free(server->mail_command);
    server->mail_command = g_strconcat("MAIL FROM:<", path->text, ">",
                                       server->mail_parameters, NULL);
}

static void
begin_mail(SmtpServer *server, const MailAddress *path,
           SmtpParameters *parameters)
{
    const IntakeRefusal *too_large = intake_too_large();
    if (parameters->size > smtp_size_limit(server)) {
        smtp_limit(server, too_large->rule, too_large->code,
                   too_large->enhanced, too_large->text);
        return;
    }
    if (!smtp_forward_begin(server))
        return;
    if (!smtp_follow(server,
                     session_mail(server->session, path, parameters->size))) {
        smtp_forward_end(server);
        return;
    }
    keep_mail_command(server, path, parameters);
    server->in_mail = server->connection->served = TRUE;
    server->utf8 = parameters->utf8;
    server->needs = parameters->needs;
    smtp_reply(server, 250, "2.1.0", "sender ok");
}

/* Whether octets over 127 are legal in the path depends on the parameters
 * behind it. */
static void
take_mail(SmtpServer *server, const char *text)
{
    const SmtpExtensions offered = smtp_offer_now(server);
    SmtpParameters parameters = {.authenticated = server->login != NULL};
    MailReply reply = {0};
    MailAddress path = {0};
    const char *end = NULL;
    if (!parse_path(server, text, MAIL_REVERSE_PATH,
                    offered.passed & SMTP_SMTPUTF8, &path, &end))
        return;
    if (!smtp_mail_parameters(end, &offered, &parameters, &reply))
        smtp_error(server, reply.code, reply.enhanced, reply.text);
    else if (path.eightbit && !parameters.utf8)
        refuse_eightbit(server);
    else
        begin_mail(server, &path, &parameters);
    smtp_parameters_clear(&parameters);
    mail_reply_clear(&reply);
    mail_address_clear(&path);
}

void
smtp_mail(SmtpServer *server, const char *arguments)
{
    const char *text = find_path(arguments, "FROM:");
    if (!server->greeted && !smtp_xclient_hello(server))
        return;
    if (server->in_mail)
        smtp_error(server, 503, "5.5.1", "a transaction is open");
    else if (text == NULL)
        smtp_error(server, 501, "5.5.4", "it is MAIL FROM:<address>");
    else
        take_mail(server, text);
}

/* ---- RCPT --------------------------------------------------------------- */

static void
ask_backend(SmtpServer *server, const MailAddress *path, const char *parameters)
{
    MailReply reply = {0};
    char *command = g_strconcat("RCPT TO:<", path->text, ">", parameters, NULL);
    smtp_backend_rcpt(server, command, &reply);
    gboolean taken = reply.code / 100 == 2;
    session_rcpt_answered(server->session, taken, &reply);
    if (taken)
        g_ptr_array_add(server->rcpt_commands, g_steal_pointer(&command));
    g_free(command);
    if (reply.code / 100 == 5) {
        server->errors++;
        visitors_note(server->address_seat, VISITOR_UNKNOWN);
    }
    smtp_relay(server, &reply);
    mail_reply_clear(&reply);
}

static void
judge_rcpt(SmtpServer *server, const MailAddress *path,
           const SmtpParameters *parameters)
{
    SessionDecision decision = session_rcpt(server->session, path);
    server->recipients++;
    if (decision.verdict == SESSION_DISCARD) {
        server->discarded++;
        smtp_reply(server, 250, "2.1.5", "recipient ok");
    } else if (smtp_follow(server, decision)) {
        server->needs |= parameters->needs;
        ask_backend(server, path, parameters->text);
    }
}

static void
take_rcpt(SmtpServer *server, const char *text)
{
    const SmtpExtensions offered = smtp_offer_now(server);
    SmtpParameters parameters = {.utf8 = server->utf8};
    MailReply reply = {0};
    MailAddress path = {0};
    const char *end = NULL;
    if (!parse_path(server, text, MAIL_FORWARD_PATH, server->utf8, &path, &end))
        return;
    if (!smtp_rcpt_parameters(end, &offered, &parameters, &reply))
        smtp_error(server, reply.code, reply.enhanced, reply.text);
    else
        judge_rcpt(server, &path, &parameters);
    smtp_parameters_clear(&parameters);
    mail_reply_clear(&reply);
    mail_address_clear(&path);
}

/* It is told so once; whoever goes on all the same is not listening. */
static void
refuse_recipient(SmtpServer *server)
{
    const char *text = "too many recipients; send to the others later";
    if (server->recipients++ == server->settings->max_recipients)
        smtp_limit(server, "-recipients", 452, "4.5.3", text);
    else if (++server->junk > SMTP_JUNK_LIMIT)
        smtp_error(server, 452, "4.5.3", text);
    else
        smtp_reply(server, 452, "4.5.3", text);
}

void
smtp_rcpt(SmtpServer *server, const char *arguments)
{
    const char *text = find_path(arguments, "TO:");
    if (!server->in_mail)
        smtp_error(server, 503, "5.5.1", "say MAIL first");
    else if (server->intake != NULL)
        smtp_error(server, 503, "5.5.1", "the message has begun");
    else if (text == NULL)
        smtp_error(server, 501, "5.5.4", "it is RCPT TO:<address>");
    else if (server->recipients >= server->settings->max_recipients)
        refuse_recipient(server);
    else if (server->rcpt_commands->len > 0 && smtp_single(server))
        smtp_limit(server, "-one-recipient", 452, "4.5.3",
                   "one recipient at a time; send to the others later");
    else
        take_rcpt(server, text);
}
