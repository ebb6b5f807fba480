/* smtp-client.c: a connection to a backend: commands, replies, the message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-client.h"

#include "filterd/base/clock.h"
#include "filterd/wire/smtp-client-state.h"

#include <string.h>

/* A backend's reply line; RFC 5321 4.5.3.1.5 has 512. */
#define REPLY_LINE_LIMIT 4096
/* QUIT and its like must not hold anybody up. */
#define QUIT_TIMEOUT 1000

/* ---- lines -------------------------------------------------------------- */

gboolean
smtp_client_broken(SmtpClient *client, const char *what, GError **error)
{
    g_autofree char *where = endpoint_format(&client->backend->endpoint);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "backend %s: %s",
                where, what);
    return FALSE;
}

static gboolean
stream_broken(SmtpClient *client, StreamStatus status, GError **error)
{
    return smtp_client_broken(client, stream_status_text(status), error);
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
            return smtp_client_broken(client, "its reply line has no end",
                                      error);
        StreamStatus status = stream_fill(client->stream);
        if (status != STREAM_OK)
            return stream_broken(client, status, error);
    }
    *state = mail_reply_parse_line(parser, line, length);
    stream_consume(client->stream, taken);
    return TRUE;
}

static gboolean
read_reply(SmtpClient *client, MailReply *reply, GError **error)
{
    MailReplyParser parser = {0};
    MailReplyState state = MAIL_REPLY_MORE;
    gboolean ok = TRUE;
    while (ok && state == MAIL_REPLY_MORE)
        ok = read_line(client, &parser, &state, error);
    if (ok && (state == MAIL_REPLY_BROKEN || parser.reply.code == 421))
        ok = smtp_client_broken(client,
                                state == MAIL_REPLY_BROKEN ? "its reply is none"
                                                           : "it closes (421)",
                                error);
    if (ok)
        mail_reply_copy(reply, &parser.reply);
    mail_reply_parser_clear(&parser);
    return ok;
}

/* What XFORWARD was answered, where more was said behind it. */
static gboolean
read_introduction(SmtpClient *client, GError **error)
{
    MailReply reply = {0};
    gboolean ok = TRUE;
    for (; ok && client->introducing > 0; client->introducing--)
        ok = read_reply(client, &reply, error)
             && (reply.code == 250
                 || smtp_client_broken(client, "it refuses XFORWARD", error));
    mail_reply_clear(&reply);
    return ok;
}

gboolean
smtp_client_flush(SmtpClient *client, int64_t timeout, GError **error)
{
    stream_set_deadline(client->stream, clock_after(timeout));
    StreamStatus status = stream_flush(client->stream);
    return (status == STREAM_OK || stream_broken(client, status, error))
           && read_introduction(client, error);
}

gboolean
smtp_client_read(SmtpClient *client, int64_t timeout, MailReply *reply,
                 GError **error)
{
    return smtp_client_flush(client, timeout, error)
           && read_reply(client, reply, error);
}

gboolean
smtp_client_in_step(SmtpClient *client, GError **error)
{
    return !stream_pending(client->stream)
           || smtp_client_broken(client, "it speaks out of turn", error);
}

gboolean
smtp_client_write(SmtpClient *client, const char *command, GError **error)
{
    if (!smtp_client_in_step(client, error))
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
    return smtp_client_write(client, command, error)
           && smtp_client_read(client, client->backend->command_timeout, reply,
                               error);
}

gboolean
smtp_client_commands(SmtpClient *client, const char *first, const char *second,
                     MailReply *first_reply, MailReply *second_reply,
                     GError **error)
{
    int64_t timeout = client->backend->command_timeout;
    gboolean together = client->extensions.pipelining;
    if (!smtp_client_write(client, first, error)
        || (together && !smtp_client_write(client, second, error))
        || !smtp_client_read(client, timeout, first_reply, error))
        return FALSE;
    if (together)
        return smtp_client_read(client, timeout, second_reply, error);
    if (first_reply->code / 100 == 2)
        return smtp_client_command(client, second, second_reply, error);
    second_reply->code = 0;
    return TRUE;
}

/* ---- the connection ----------------------------------------------------- */

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

#define BLOCK ((gsize)64) /* octets */

/* Without branches: compilers make vectors of it. */
static gboolean
has_dot(const char *bytes)
{
    guint found = 0;
    for (gsize i = 0; i < BLOCK; i++)
        found |= (bytes[i] == '\n') & (bytes[i + 1] == '.');
    return found != 0;
}

/* The first dot that begins a line, but for the first octet; else the end. */
static const char *
find_dot(const char *from, const char *end)
{
    while ((gsize)(end - from) > BLOCK && !has_dot(from))
        from += BLOCK;
    const char *found = memmem(from, (gsize)(end - from), "\n.", 2);
    return found != NULL ? found + 1 : end;
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
    for (const char *dot = from; (dot = find_dot(dot, end)) != end;
         from = dot) {
        put(stuffer, from, (gsize)(dot - from));
        put(stuffer, ".", 1);
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

/* With more of them than there are recipients nobody can tell whose is whose. A
 * backend may close behind the last (RFC 5321 3.8). */
static gboolean
are_all(SmtpClient *client, MailReply *replies, unsigned count, GError **error)
{
    size_t size;
    const char *bytes = stream_peek(client->stream, &size);
    gboolean closes = size >= 3 && memcmp(bytes, "421", 3) == 0;
    if (count == 1 || closes || smtp_client_in_step(client, error))
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
        if (!smtp_client_read(client, client->backend->data_timeout,
                              &replies[i], error))
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
        return smtp_client_in_step(client, error);
    if (error != NULL && *error == NULL)
        stream_broken(client, stuffer.status, error);
    return FALSE;
}

gboolean
smtp_client_send(SmtpClient *client, MailMessage *message, MailReply *replies,
                 unsigned count, GError **error)
{
    if (!smtp_client_in_step(client, error)
        || !write_message(client, message, stuff, error))
        return FALSE;
    stream_write(client->stream, ".\r\n", 3);
    return read_replies(client, replies, count, error);
}

gboolean
smtp_client_send_chunk(SmtpClient *client, MailMessage *message,
                       MailReply *replies, unsigned count, GError **error)
{
    g_autofree char *command = g_strdup_printf(
        "BDAT %" G_GSIZE_FORMAT " LAST", mail_message_edited_size(message));
    return smtp_client_write(client, command, error)
           && write_message(client, message, pass, error)
           && read_replies(client, replies, count, error);
}
