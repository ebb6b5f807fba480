/* smtp-auth.c: AUTH, relayed to the backend (RFC 4954).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who the client is the backend decides; we read along, for the name. The
 * connection to the backend on which it said yes is the client's for good.
 */
#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/base/text.h"
#include "filterd/wire/smtp-mechanism.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

/* Challenges of the backend, of one AUTH. */
#define AUTH_ROUNDS 10
/* A command for the backend, without CRLF: an initial response that is longer
 * follows its challenge (RFC 5321 4.5.3.1.4). */
#define COMMAND_LIMIT 510

typedef struct Exchange {
    SmtpServer *server;
    unsigned mechanism;
    char *user;      /* NULL: not told yet */
    GString *answer; /* of the client, in base64; "=" for an empty first one */
    MailReply reply; /* the backend's last word */
    gboolean over;   /* the client has been told how it ended */
} Exchange;

gboolean
smtp_auth_allowed(const SmtpServer *server)
{
    int auth = server->service->listen->auth;
    return auth == POLICY_AUTH_CLEAR
           || (auth == POLICY_AUTH_ENCRYPTED && smtp_is_secured(server));
}

gboolean
smtp_auth_announced(const char *line, gsize length)
{
    return length >= 5 && g_ascii_strncasecmp(line, "AUTH ", 5) == 0;
}

/* It closes before the next client could have it. */
void
smtp_auth_forget(SmtpServer *server)
{
    server->bound = FALSE;
    server->identity.login = NULL;
    g_clear_pointer(&server->login, g_free);
}

/* ---- base64 (RFC 4648 4) ------------------------------------------------ */

static gboolean
is_base64(const char *text)
{
    gsize length = strlen(text), digits = 0;
    while (g_ascii_isalnum(text[digits]) || text[digits] == '+'
           || text[digits] == '/')
        digits++;
    gsize padding = strspn(text + digits, "=");
    return length % 4 == 0 && digits + padding == length && padding <= 2;
}

static void
free_secret(guchar *bytes, gsize length)
{
    if (bytes != NULL)
        explicit_bzero(bytes, length);
    g_free(bytes);
}

/* The client's first answer names it. */
static gboolean
find_user(Exchange *exchange, const char *answer)
{
    gsize length = 0;
    guchar *octets = g_base64_decode(answer, &length);
    exchange->user =
        smtp_mechanism_user(exchange->mechanism, (const char *)octets, length);
    free_secret(octets, length);
    return exchange->user != NULL;
}

/* ---- the client's lines ------------------------------------------------- */

static void
end_with(Exchange *exchange, int code, const char *enhanced, const char *text)
{
    exchange->over = TRUE;
    smtp_error(exchange->server, code, enhanced, text);
}

/* Up to a line's end; FALSE: the connection is over. */
static gboolean
wait_for_line(Exchange *exchange, const char **line, gsize *length)
{
    SmtpServer *server = exchange->server;
    server->began = clock_monotonic();
    stream_set_deadline(server->stream, smtp_deadline(server));
    StreamStatus status = stream_flush(server->stream);
    while (status == STREAM_OK) {
        size_t size;
        *line = stream_peek(server->stream, &size);
        const char *lf = memchr(*line, '\n', MIN(size, SMTP_AUTH_LIMIT));
        *length = lf != NULL ? (gsize)(lf - *line) : 0;
        if (lf != NULL)
            return TRUE;
        if (size >= SMTP_AUTH_LIMIT)
            break;
        status = smtp_fill(server);
    }
    exchange->over = TRUE;
    smtp_ended(server, status);
    if (status == STREAM_OK)
        smtp_error(server, 500, "5.5.6", "the line is too long");
    return FALSE;
}

static gboolean
read_answer(Exchange *exchange)
{
    const char *line;
    gsize length;
    if (!wait_for_line(exchange, &line, &length))
        return FALSE;
    gboolean whole = length > 0 && line[length - 1] == '\r';
    g_string_truncate(exchange->answer, 0);
    g_string_append_len(exchange->answer, line,
                        (gssize)(whole ? length - 1 : 0));
    stream_consume(exchange->server->stream, length + 1);
    const char *answer = exchange->answer->str;
    if (whole && strcmp(answer, "*") == 0)
        end_with(exchange, 501, "5.7.0", "authentication is cancelled");
    else if (!whole || strlen(answer) != exchange->answer->len
             || !is_base64(answer)
             || (exchange->user == NULL && !find_user(exchange, answer)))
        end_with(exchange, 501, "5.5.2", "the response is not legal");
    return !exchange->over;
}

/* ---- the backend -------------------------------------------------------- */

static gboolean
nonsense(GError **error)
{
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "backend: what it says to AUTH is not legal");
    return FALSE;
}

static gboolean
say(Exchange *exchange, const char *line, GError **error)
{
    return smtp_client_command(exchange->server->client, line, &exchange->reply,
                               error);
}

/* The response goes along if there is one and room for it; otherwise `answer`
 * keeps it for the first challenge. */
static gboolean
say_auth(Exchange *exchange, GError **error)
{
    GString *answer = exchange->answer;
    g_autoptr(GString) command = g_string_new("AUTH ");
    g_string_append(command, smtp_mechanism_names[exchange->mechanism]);
    gboolean along =
        answer->len > 0 && command->len + 1 + answer->len <= COMMAND_LIMIT;
    if (along)
        g_string_append_printf(command, " %s", answer->str);
    gboolean said = say(exchange, command->str, error);
    explicit_bzero(command->str, command->len);
    if (along)
        g_string_truncate(answer, 0);
    return said;
}

/* An empty challenge, for that response was here already. */
static gboolean
say_kept(Exchange *exchange, GError **error)
{
    gboolean said = say(exchange, exchange->answer->str, error);
    g_string_truncate(exchange->answer, 0);
    return said;
}

/* The client has given up, or what it says is not passed on. */
static void
cancel(Exchange *exchange)
{
    SmtpServer *server = exchange->server;
    smtp_flush(server);
    if (!say(exchange, "*", NULL) || exchange->reply.code / 100 != 5)
        smtp_backend_lost(server, NULL);
}

static gboolean
answer_challenge(Exchange *exchange, GError **error)
{
    const char *challenge = exchange->reply.text;
    if (exchange->answer->len > 0)
        return say_kept(exchange, error);
    if (!is_base64(challenge))
        return nonsense(error);
    stream_printf(exchange->server->stream, "334 %s\r\n", challenge);
    if (!read_answer(exchange)) {
        cancel(exchange);
        return TRUE;
    }
    gboolean said = say(exchange, exchange->answer->str, error);
    explicit_bzero(exchange->answer->str, exchange->answer->len);
    g_string_truncate(exchange->answer, 0);
    return said;
}

/* TRUE: it has ended, by a reply to the client or by one that is for it. */
static gboolean
converse(Exchange *exchange, GError **error)
{
    gboolean said = say_auth(exchange, error);
    for (unsigned i = 0; said && !exchange->over && exchange->reply.code == 334;
         i++)
        said = i < AUTH_ROUNDS ? answer_challenge(exchange, error)
                               : nonsense(error);
    if (!said || exchange->over)
        return said;
    int code = exchange->reply.code;
    gboolean yes = code == 235 && exchange->user != NULL;
    return yes || code >= 400 || nonsense(error);
}

/* ---- how it ends -------------------------------------------------------- */

static void
tell_log(const Exchange *exchange, const char *result)
{
    LogLine line;
    char ip[IP_TEXT_SIZE];
    const SmtpServer *server = exchange->server;
    gboolean taken = exchange->reply.code == 235;
    g_autofree char *reply = mail_reply_format(&exchange->reply);
    log_begin(&line, FILTERD_LOG_INFO, "auth");
    log_text(&line, "session", session_id(server->session));
    log_text(&line, "client", ip_format(&server->identity.ip, ip));
    log_text(&line, "mechanism", smtp_mechanism_names[exchange->mechanism]);
    log_text(&line, "result", result);
    log_text(&line, "user", taken ? exchange->user : NULL);
    log_text(&line, "reply", reply);
    log_end(&line);
}

static void
succeed(Exchange *exchange)
{
    SmtpServer *server = exchange->server;
    tell_log(exchange, "yes");
    session_authenticated(server->session, exchange->user);
    server->login = g_steal_pointer(&exchange->user);
    server->identity.login = server->login;
    smtp_relay(server, &exchange->reply);
}

static void
fail(Exchange *exchange)
{
    SmtpServer *server = exchange->server;
    tell_log(exchange, "no");
    if (exchange->reply.code / 100 == 5) {
        server->errors++;
        visitors_note(server->address_seat, VISITOR_ERROR);
    }
    smtp_relay(server, &exchange->reply);
}

static void
refuse_for_now(SmtpServer *server, const GError *error)
{
    smtp_backend_lost(server, error);
    smtp_reply(server, 454, "4.7.0",
               "authentication is not possible now; try again later");
}

/* Secrets are for those that ask for them: on this connection, too. */
static gboolean
is_asked_for(const Exchange *exchange, GError **error)
{
    const SmtpExtensions *offered =
        smtp_client_extensions(exchange->server->client);
    if (offered->auth & 1u << exchange->mechanism)
        return TRUE;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
                        "backend: it does not offer this AUTH any more");
    return FALSE;
}

static void
relay(Exchange *exchange)
{
    g_autoptr(GError) error = NULL;
    SmtpServer *server = exchange->server;
    if (!smtp_backend_bind(server, &error) || !is_asked_for(exchange, &error)) {
        refuse_for_now(server, error);
        return;
    }
    server->bound = TRUE;
    gboolean ended = converse(exchange, &error);
    gboolean yes = ended && !exchange->over && exchange->reply.code == 235;
    server->bound = yes;
    if (server->client != NULL)
        smtp_client_wipe(server->client);
    if (!ended)
        refuse_for_now(server, error);
    else if (yes)
        succeed(exchange);
    else if (!exchange->over)
        fail(exchange);
}

/* ---- the command -------------------------------------------------------- */

/* "=" is an empty one. */
static gboolean
take_initial(Exchange *exchange, const char *answer)
{
    if (!smtp_mechanism_begins(exchange->mechanism))
        end_with(exchange, 501, "5.7.0",
                 "with this mechanism the server begins");
    else if (!is_base64(answer) || !find_user(exchange, answer))
        end_with(exchange, 501, "5.5.2", "the response is not legal");
    else
        g_string_assign(exchange->answer, answer);
    return !exchange->over;
}

static void
carry_out(SmtpServer *server, unsigned mechanism, const char *initial)
{
    Exchange exchange = {.server = server,
                         .mechanism = mechanism,
                         .answer = g_string_sized_new(SMTP_AUTH_LIMIT)};
    if (*initial == '\0' || take_initial(&exchange, initial))
        relay(&exchange);
    explicit_bzero(exchange.answer->str, exchange.answer->allocated_len);
    g_string_free(exchange.answer, TRUE);
    g_free(exchange.user);
    mail_reply_clear(&exchange.reply);
}

/* A backend that cannot be asked now is no reason to say never. */
static gboolean
offered(SmtpServer *server, int mechanism)
{
    const SmtpExtensions *known =
        backend_pool_extensions(server->service->pool);
    return mechanism >= 0
           && (!known->known || (known->auth & 1u << mechanism) != 0);
}

static void
take_arguments(SmtpServer *server, const char *arguments)
{
    gsize length = strcspn(arguments, " ");
    const char *initial = arguments + length;
    initial += strspn(initial, " ");
    int mechanism = smtp_mechanism_find(arguments, length);
    if (length == 0 || strchr(initial, ' ') != NULL)
        smtp_error(server, 501, "5.5.4", "it is AUTH mechanism [response]");
    else if (!offered(server, mechanism))
        smtp_error(server, 504, "5.5.4", "this mechanism is not offered");
    else
        carry_out(server, (unsigned)mechanism, initial);
}

/* Where it needs TLS and there is none, STARTTLS is no advice. */
static gboolean
never(const PolicyListen *listen)
{
    return listen->auth == POLICY_AUTH_OFF
           || (listen->auth == POLICY_AUTH_ENCRYPTED
               && listen->tls == POLICY_TLS_OFF);
}

void
smtp_auth(SmtpServer *server, const char *arguments)
{
    smtp_note_pipelining(server);
    if (never(server->service->listen))
        smtp_error(server, 502, "5.5.1", "nobody authenticates here");
    else if (!server->greeted || !server->identity.esmtp)
        smtp_error(server, 503, "5.5.1", "say EHLO first");
    else if (server->in_mail)
        smtp_error(server, 503, "5.5.1", "not within a transaction");
    else if (server->login != NULL)
        smtp_error(server, 503, "5.5.1", "you have authenticated already");
    else if (!smtp_auth_allowed(server))
        smtp_error(server, 538, "5.7.11", "say STARTTLS first");
    else
        take_arguments(server, arguments);
    stream_wipe(server->stream);
}
