/* smtp-client.c: a connection to a backend, from its greeting to QUIT.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-client.h"

#include "filterd/base/clock.h"
#include "filterd/base/text.h"
#include "filterd/wire/proxy-header.h"
#include "filterd/wire/smtp-xclient.h"
#include "filterd/wire/smtp-xforward.h"

#include <string.h>

/* A backend's reply line; RFC 5321 4.5.3.1.5 has 512. */
#define REPLY_LINE_LIMIT 4096
/* QUIT and its like must not hold anybody up. */
#define QUIT_TIMEOUT 1000

struct SmtpClient {
    const PolicyBackend *backend;
    Stream *stream;
    SmtpExtensions extensions;
    gboolean rested, bound;
};

/* ---- lines -------------------------------------------------------------- */

static gboolean
broken(SmtpClient *client, const char *what, GError **error)
{
    g_autofree char *where = endpoint_format(&client->backend->endpoint);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "backend %s: %s",
                where, what);
    return FALSE;
}

static gboolean
stream_broken(SmtpClient *client, StreamStatus status, GError **error)
{
    return broken(client, stream_status_text(status), error);
}

/* Takes one line from what has been read; NULL if there is none. */
static const char *
take_line(SmtpClient *client, gsize *length, gsize *taken)
{
    size_t size;
    const char *bytes = stream_peek(client->stream, &size);
    const char *lf = size > 0 ? memchr(bytes, '\n', size) : NULL;
    if (lf == NULL)
        return NULL;
    *taken = (gsize)(lf + 1 - bytes);
    *length = *taken - 1;
    if (*length > 0 && bytes[*length - 1] == '\r')
        (*length)--;
    return bytes;
}

static gboolean
read_line(SmtpClient *client, MailReplyParser *parser, MailReplyState *state,
          GError **error)
{
    gsize length, taken;
    const char *line;
    while ((line = take_line(client, &length, &taken)) == NULL) {
        size_t size;
        stream_peek(client->stream, &size);
        if (size > REPLY_LINE_LIMIT)
            return broken(client, "its reply line has no end", error);
        StreamStatus status = stream_fill(client->stream);
        if (status != STREAM_OK)
            return stream_broken(client, status, error);
    }
    *state = mail_reply_parse_line(parser, line, length);
    stream_consume(client->stream, taken);
    return TRUE;
}

static gboolean
read_reply(SmtpClient *client, int64_t timeout, MailReply *reply,
           GError **error)
{
    MailReplyParser parser = {0};
    MailReplyState state = MAIL_REPLY_MORE;
    stream_set_deadline(client->stream, clock_after(timeout));
    StreamStatus status = stream_flush(client->stream);
    gboolean ok = status == STREAM_OK || stream_broken(client, status, error);
    while (ok && state == MAIL_REPLY_MORE)
        ok = read_line(client, &parser, &state, error);
    if (ok && (state == MAIL_REPLY_BROKEN || parser.reply.code == 421))
        ok = broken(client,
                    state == MAIL_REPLY_BROKEN ? "its reply is none"
                                               : "it closes (421)",
                    error);
    if (ok)
        mail_reply_copy(reply, &parser.reply);
    mail_reply_parser_clear(&parser);
    return ok;
}

/* Nothing may have come since the last reply: it would be taken for the answer
 * to what is said now. */
static gboolean
in_step(SmtpClient *client, GError **error)
{
    return !stream_pending(client->stream)
           || broken(client, "it speaks out of turn", error);
}

static gboolean
write_command(SmtpClient *client, const char *command, GError **error)
{
    if (!in_step(client, error))
        return FALSE;
    stream_set_deadline(client->stream,
                        clock_after(client->backend->command_timeout));
    stream_write(client->stream, command, strlen(command));
    StreamStatus status = stream_write(client->stream, "\r\n", 2);
    return status == STREAM_OK || stream_broken(client, status, error);
}

gboolean
smtp_client_command(SmtpClient *client, const char *command, MailReply *reply,
                    GError **error)
{
    return write_command(client, command, error)
           && read_reply(client, client->backend->command_timeout, reply,
                         error);
}

gboolean
smtp_client_commands(SmtpClient *client, const char *first, const char *second,
                     MailReply *first_reply, MailReply *second_reply,
                     GError **error)
{
    int64_t timeout = client->backend->command_timeout;
    gboolean together = client->extensions.pipelining;
    if (!write_command(client, first, error)
        || (together && !write_command(client, second, error))
        || !read_reply(client, timeout, first_reply, error))
        return FALSE;
    if (together)
        return read_reply(client, timeout, second_reply, error);
    if (first_reply->code / 100 == 2)
        return smtp_client_command(client, second, second_reply, error);
    second_reply->code = 0;
    return TRUE;
}

/* ---- opening ------------------------------------------------------------ */

static gboolean
by_proxy(const PolicyBackend *backend)
{
    return backend->identity == POLICY_IDENTITY_PROXY_V1
           || backend->identity == POLICY_IDENTITY_PROXY_V2;
}

/* A refusal may be meant for a PROXY header before it: then nothing more is
 * said. */
static gboolean
say_hello(SmtpClient *client, const char *name, GError **error)
{
    MailReply reply = {0};
    gboolean local = client->backend->wire == POLICY_LMTP;
    g_autofree char *ehlo = g_strconcat(local ? "LHLO " : "EHLO ", name, NULL);
    g_autofree char *helo = g_strconcat("HELO ", name, NULL);
    smtp_extensions_clear(&client->extensions);
    gboolean ok = smtp_client_command(client, ehlo, &reply, error);
    if (ok && reply.code == 250)
        smtp_extensions_learn(&client->extensions, &reply);
    else if (ok && reply.code >= 500 && !local && !by_proxy(client->backend))
        ok = smtp_client_command(client, helo, &reply, error);
    if (ok && reply.code != 250)
        ok = broken(client, "it refuses our greeting", error);
    client->extensions.known = ok;
    if (stream_peer(client->stream) == NULL)
        client->extensions.passed &= ~(unsigned)SMTP_REQUIRETLS;
    mail_reply_clear(&reply);
    return ok;
}

static gboolean
read_greeting(SmtpClient *client, GError **error)
{
    MailReply reply = {0};
    gboolean ok =
        read_reply(client, client->backend->command_timeout, &reply, error);
    if (ok && reply.code != 220)
        ok = broken(client, "it greets with a refusal", error);
    mail_reply_clear(&reply);
    return ok;
}

/* What was asked for and cannot be done is no reason to do less. */
static gboolean
can_serve(const PolicyBackend *backend, const TlsContext *tls, GError **error)
{
    if (backend->tls < POLICY_TLS_REQUIRED || tls != NULL)
        return TRUE;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
                        "backend: TLS is not available");
    return FALSE;
}

/* ---- TLS ---------------------------------------------------------------- */

TlsContext *
smtp_client_tls_new(const PolicyBackend *backend, GError **error)
{
    char ip[IP_TEXT_SIZE];
    gboolean has_ip = backend->endpoint.path == NULL;
    const TlsClient options = {
        .host = backend->name != NULL ? backend->name
                : has_ip              ? ip_format(&backend->endpoint.ip, ip)
                                      : NULL,
        .verify = backend->tls == POLICY_TLS_VERIFIED,
        .authority = backend->ca,
    };
    return tls_client_new(&options, error);
}

/* What came behind the 220 in clear would be taken for the answer to something
 * that was said in TLS. */
static gboolean
handshake(SmtpClient *client, const TlsContext *tls, GError **error)
{
    if (!in_step(client, error))
        return FALSE;
    stream_set_deadline(client->stream,
                        clock_after(client->backend->command_timeout));
    if (stream_secure(client->stream, tls, error) == STREAM_OK)
        return TRUE;
    g_autofree char *where = endpoint_format(&client->backend->endpoint);
    g_prefix_error(error, "backend %s: ", where);
    return FALSE;
}

/* Everything that was heard in clear is forgotten. */
static gboolean
go_on_with_tls(SmtpClient *client, const TlsContext *tls, const char *helo,
               GError **error)
{
    gboolean needed = client->backend->tls != POLICY_TLS_OPPORTUNISTIC;
    MailReply reply = {0};
    if (!client->extensions.starttls)
        return !needed || broken(client, "it does not offer STARTTLS", error);
    if (!smtp_client_command(client, "STARTTLS", &reply, error))
        return FALSE;
    int code = reply.code;
    mail_reply_clear(&reply);
    if (code != 220)
        return !needed || broken(client, "it refuses STARTTLS", error);
    return handshake(client, tls, error) && say_hello(client, helo, error);
}

/* ---- the connection ----------------------------------------------------- */

SmtpClient *
smtp_client_greet(const PolicyBackend *backend, Stream *stream,
                  const char *helo, GError **error)
{
    g_autoptr(SmtpClient) client = g_new0(SmtpClient, 1);
    client->backend = backend;
    client->stream = stream;
    if (!read_greeting(client, error) || !say_hello(client, helo, error))
        return NULL;
    return g_steal_pointer(&client);
}

/* Postfix takes no PROXY UNKNOWN: then it is us who are the client. */
static const SmtpIdentity *
own_identity(const Stream *stream, SmtpIdentity *own)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    Endpoint here = {0}, there = {0};
    if (getsockname(stream_fd(stream), (struct sockaddr *)&address, &size) == 0)
        endpoint_from_sockaddr((struct sockaddr *)&address, size, &here);
    size = sizeof address;
    if (getpeername(stream_fd(stream), (struct sockaddr *)&address, &size) == 0)
        endpoint_from_sockaddr((struct sockaddr *)&address, size, &there);
    gboolean known = here.port != 0 && there.port != 0;
    *own = (SmtpIdentity){.ip = here.ip,
                          .port = here.port,
                          .local_ip = there.ip,
                          .local_port = there.port};
    endpoint_clear(&here);
    endpoint_clear(&there);
    return known ? own : NULL;
}

/* It goes out before the greeting is waited for. */
static void
write_proxy_header(const PolicyBackend *backend, Stream *stream,
                   const SmtpIdentity *identity)
{
    SmtpIdentity own;
    if (!by_proxy(backend))
        return;
    if (identity == NULL && backend->identity == POLICY_IDENTITY_PROXY_V1)
        identity = own_identity(stream, &own);
    GString *header =
        proxy_header_format((PolicyIdentity)backend->identity, identity);
    stream_write(stream, header->str, header->len);
    g_string_free(header, TRUE);
}

/* FALSE: there is none that the connection could have. */
static gboolean
find_source(const PolicyBackend *backend, const SmtpIdentity *identity,
            StreamSource *source, GError **error)
{
    const Endpoint *endpoint = &backend->endpoint;
    gboolean client = backend->source_client && identity != NULL;
    *source = (StreamSource){.ip = client ? identity->ip : backend->source_own,
                             .foreign = client};
    if (!client
        || (endpoint->path == NULL
            && ip_is_v4(&endpoint->ip) == ip_is_v4(&identity->ip)))
        return TRUE;
    g_autofree char *where = endpoint_format(endpoint);
    g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                "backend %s: the client's address is of another family", where);
    return FALSE;
}

static Stream *
connect_stream(const PolicyBackend *backend, const SmtpIdentity *identity,
               GError **error)
{
    StreamSource source;
    if (!find_source(backend, identity, &source, error))
        return NULL;
    gboolean bound = source.foreign || backend->source_given;
    Stream *stream =
        stream_connect(&backend->endpoint, bound ? &source : NULL,
                       clock_after(backend->connect_timeout), error);
    if (stream == NULL)
        g_prefix_error(error, "backend: ");
    return stream;
}

SmtpClient *
smtp_client_open(const PolicyBackend *backend, const TlsContext *tls,
                 const char *helo, const SmtpIdentity *identity, GError **error)
{
    if (!can_serve(backend, tls, error))
        return NULL;
    Stream *stream = connect_stream(backend, identity, error);
    if (stream == NULL)
        return NULL;
    write_proxy_header(backend, stream, identity);
    g_autoptr(SmtpClient) client =
        smtp_client_greet(backend, stream, helo, error);
    if (client == NULL
        || (tls != NULL && !go_on_with_tls(client, tls, helo, error)))
        return NULL;
    return g_steal_pointer(&client);
}

void
smtp_client_free(SmtpClient *client)
{
    g_clear_pointer(&client->stream, stream_free);
    smtp_extensions_clear(&client->extensions);
    g_free(client);
}

void
smtp_client_quit(SmtpClient *client)
{
    stream_set_deadline(client->stream, clock_after(QUIT_TIMEOUT));
    stream_write(client->stream, "QUIT\r\n", 6);
    stream_flush(client->stream);
    smtp_client_free(client);
}

const PolicyBackend *
smtp_client_backend(const SmtpClient *client)
{
    return client->backend;
}

const SmtpExtensions *
smtp_client_extensions(const SmtpClient *client)
{
    return &client->extensions;
}

gboolean
smtp_client_stale(SmtpClient *client)
{
    return !stream_quiet(client->stream);
}

void
smtp_client_rest(SmtpClient *client)
{
    client->rested = TRUE;
    stream_idle(client->stream);
}

gboolean
smtp_client_rested(const SmtpClient *client)
{
    return client->rested;
}

void
smtp_client_bind(SmtpClient *client)
{
    client->bound = TRUE;
}

gboolean
smtp_client_bound(const SmtpClient *client)
{
    return client->bound;
}

void
smtp_client_wipe(SmtpClient *client)
{
    stream_wipe(client->stream);
}

/* ---- identity ----------------------------------------------------------- */

/* The backend greets anew, and must be greeted anew: by the client's name, for
 * Postfix forgets the HELO attribute at our EHLO. */
static gboolean
say_xclient(SmtpClient *client, const SmtpIdentity *identity, GError **error)
{
    g_autofree char *command = NULL;
    if (client->extensions.xclient != NULL)
        command = smtp_xclient_format(client->extensions.xclient, identity);
    if (command == NULL)
        return broken(client, "it does not offer XCLIENT to us", error);
    MailReply reply = {0};
    gboolean ok = smtp_client_command(client, command, &reply, error);
    if (ok && reply.code != 220)
        ok = broken(client, "it refuses XCLIENT", error);
    mail_reply_clear(&reply);
    const char *helo = identity->helo != NULL ? identity->helo : "unknown";
    return ok && say_hello(client, helo, error);
}

gboolean
smtp_client_identify(SmtpClient *client, const SmtpIdentity *identity,
                     GError **error)
{
    if (client->backend->identity == POLICY_IDENTITY_XCLIENT)
        return say_xclient(client, identity, error);
    return TRUE;
}

static gboolean
say_xforward(SmtpClient *client, const char *command, GError **error)
{
    MailReply reply = {0};
    gboolean ok = smtp_client_command(client, command, &reply, error);
    if (ok && reply.code != 250)
        ok = broken(client, "it refuses XFORWARD", error);
    mail_reply_clear(&reply);
    return ok;
}

gboolean
smtp_client_introduce(SmtpClient *client, const SmtpIdentity *identity,
                      GError **error)
{
    if (client->backend->identity != POLICY_IDENTITY_XFORWARD)
        return TRUE;
    g_auto(GStrv) commands = NULL;
    if (client->extensions.xforward != NULL)
        commands = smtp_xforward_format(client->extensions.xforward, identity);
    if (commands == NULL)
        return broken(client, "it does not offer XFORWARD to us", error);
    for (unsigned i = 0; commands[i] != NULL; i++)
        if (!say_xforward(client, commands[i], error))
            return FALSE;
    return TRUE;
}

/* ---- the message -------------------------------------------------------- */

typedef struct Stuffer {
    SmtpClient *client;
    gboolean line_start;
    StreamStatus status;
} Stuffer;

static void
put(Stuffer *stuffer, const char *bytes, gsize length)
{
    if (length > 0 && stuffer->status == STREAM_OK)
        stuffer->status = stream_write(stuffer->client->stream, bytes, length);
}

/* A dot that begins a line becomes two. */
static gboolean
stuff(const char *bytes, gsize length, void *data, GError **error)
{
    (void)error;
    Stuffer *stuffer = data;
    const char *end = bytes + length, *from = bytes;
    if (length > 0 && stuffer->line_start && *bytes == '.')
        put(stuffer, ".", 1);
    for (const char *p = bytes;
         (p = memmem(p, (gsize)(end - p), "\n.", 2)) != NULL; p += 2) {
        put(stuffer, from, (gsize)(p + 1 - from));
        put(stuffer, ".", 1);
        from = p + 1;
    }
    put(stuffer, from, (gsize)(end - from));
    if (length > 0)
        stuffer->line_start = end[-1] == '\n';
    return stuffer->status == STREAM_OK;
}

static gboolean
pass(const char *bytes, gsize length, void *data, GError **error)
{
    (void)error;
    Stuffer *stuffer = data;
    put(stuffer, bytes, length);
    return stuffer->status == STREAM_OK;
}

static gboolean
count_octets(const char *bytes, gsize length, void *data, GError **error)
{
    (void)bytes;
    (void)error;
    *(gsize *)data += length;
    return TRUE;
}

/* With more of them than there are recipients nobody can tell whose is whose. A
 * backend may close behind the last (RFC 5321 3.8). */
static gboolean
are_all(SmtpClient *client, MailReply *replies, unsigned count, GError **error)
{
    size_t size;
    const char *bytes = stream_peek(client->stream, &size);
    gboolean closes = size >= 3 && memcmp(bytes, "421", 3) == 0;
    if (count == 1 || closes || in_step(client, error))
        return TRUE;
    for (unsigned i = 0; i < count; i++)
        mail_reply_clear(&replies[i]);
    return FALSE;
}

/* RFC 2033 4.2. */
static gboolean
read_replies(SmtpClient *client, MailReply *replies, unsigned count,
             GError **error)
{
    for (unsigned i = 0; i < count; i++)
        if (!read_reply(client, client->backend->data_timeout, &replies[i],
                        error))
            return FALSE;
    return are_all(client, replies, count, error);
}

static gboolean
write_message(SmtpClient *client, MailMessage *message, MailMessageFunc *func,
              GError **error)
{
    Stuffer stuffer = {client, TRUE, STREAM_OK};
    stream_set_deadline(client->stream,
                        clock_after(client->backend->data_timeout));
    if (mail_message_write(message, func, &stuffer, error))
        return in_step(client, error);
    if (error != NULL && *error == NULL)
        stream_broken(client, stuffer.status, error);
    return FALSE;
}

gboolean
smtp_client_send(SmtpClient *client, MailMessage *message, MailReply *replies,
                 unsigned count, GError **error)
{
    if (!in_step(client, error)
        || !write_message(client, message, stuff, error))
        return FALSE;
    stream_write(client->stream, ".\r\n", 3);
    return read_replies(client, replies, count, error);
}

gboolean
smtp_client_send_chunk(SmtpClient *client, MailMessage *message,
                       MailReply *replies, unsigned count, GError **error)
{
    gsize size = 0;
    if (!mail_message_write(message, count_octets, &size, error))
        return FALSE;
    g_autofree char *command =
        g_strdup_printf("BDAT %" G_GSIZE_FORMAT " LAST", size);
    return write_command(client, command, error)
           && write_message(client, message, pass, error)
           && read_replies(client, replies, count, error);
}
