/* smtp-bdat.c: BDAT, a message in chunks. (RFC 3030 2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A chunk follows its command at once, whatever the answer will be: so it is
 * always taken from the stream, and where it ends must be certain.
 */
#include "filterd/base/clock.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

/* More octets than that number of digits can tell do not come. */
#define CHUNK_DIGITS 18

typedef struct Chunk {
    gsize size;
    gboolean last;
} Chunk;

/* chunk-size [ SP "LAST" ] */
static gboolean
parse(const char *text, Chunk *chunk)
{
    gsize digits = strspn(text, "0123456789");
    gsize blanks = strspn(text + digits, " ");
    const char *word = text + digits + blanks;
    chunk->size = g_ascii_strtoull(text, NULL, 10);
    chunk->last = blanks > 0 && g_ascii_strcasecmp(word, "LAST") == 0;
    return digits > 0 && digits <= CHUNK_DIGITS
           && (*word == '\0' || chunk->last);
}

/* Without an intake they are forgotten. */
static StreamStatus
read_chunk(SmtpServer *server, gsize left, SmtpPace *pace, Intake *intake)
{
    gboolean ended;
    stream_set_deadline(server->stream, pace->deadline);
    for (;;) {
        size_t length;
        const char *bytes = stream_peek(server->stream, &length);
        length = MIN(length, left);
        if (intake != NULL)
            intake_feed(intake, bytes, length, &ended);
        stream_consume(server->stream, length);
        pace->octets += length;
        left -= length;
        if (left == 0)
            return STREAM_OK;
        StreamStatus status = stream_flush(server->stream);
        if (status == STREAM_OK)
            status = smtp_fill_message(server, pace);
        if (status != STREAM_OK)
            return status;
    }
}

/* FALSE: the connection is over. */
static gboolean
eat(SmtpServer *server, const Chunk *chunk)
{
    SmtpPace pace = {.deadline =
                         clock_after(server->service->listen->data_timeout)};
    StreamStatus status = read_chunk(server, chunk->size, &pace, NULL);
    if (status != STREAM_OK)
        smtp_give_up(server, status);
    return status == STREAM_OK;
}

/* Whether a message may begin here; if not, the client has been told. */
static gboolean
begin(SmtpServer *server, const Chunk *chunk)
{
    if (smtp_withholds(server, POLICY_CHUNKING)) {
        if (eat(server, chunk))
            smtp_error(server, 502, "5.5.1", "chunks are not taken here");
        return FALSE;
    }
    if (!smtp_has_recipients(server)) {
        if (eat(server, chunk))
            smtp_error(server, 503, "5.5.1", "say MAIL and RCPT first");
        return FALSE;
    }
    SessionDecision decision = session_data(server->session);
    if (decision.verdict == SESSION_CONTINUE) {
        smtp_begin_message(server, DATA_CHUNKED);
        return TRUE;
    }
    if (eat(server, chunk))
        smtp_follow(server, decision);
    smtp_transaction_end(server);
    return FALSE;
}

/* Chunks without octets lead nowhere. */
static void
acknowledge(SmtpServer *server, const Chunk *chunk)
{
    g_autofree char *text =
        g_strdup_printf("%" G_GSIZE_FORMAT " octets", chunk->size);
    if (chunk->size == 0 && ++server->junk > SMTP_JUNK_LIMIT)
        smtp_error(server, 250, "2.0.0", text);
    else
        smtp_reply(server, 250, "2.0.0", text);
}

/* The time for a message goes on between its chunks. */
static void
take_chunk(SmtpServer *server, const Chunk *chunk)
{
    StreamStatus status = STREAM_TIMEOUT;
    if (clock_monotonic() < server->pace.deadline)
        status = read_chunk(server, chunk->size, &server->pace, server->intake);
    if (status != STREAM_OK) {
        smtp_give_up(server, status);
        smtp_transaction_end(server);
    } else if (!chunk->last) {
        acknowledge(server, chunk);
    } else {
        intake_end(server->intake);
        smtp_end_message(server);
    }
}

gboolean
smtp_bdat_announced(const char *line, gsize length)
{
    return length >= 4 && g_ascii_strncasecmp(line, "BDAT", 4) == 0;
}

void
smtp_bdat_refuse(SmtpServer *server, const char *problem)
{
    server->closing = TRUE;
    smtp_error(server, 500, "5.5.2", problem);
}

void
smtp_bdat(SmtpServer *server, const char *arguments)
{
    Chunk chunk;
    if (!parse(arguments, &chunk)) {
        smtp_error(server, 501, "5.5.4", "it is BDAT octets [LAST]");
        server->closing = TRUE;
    } else if (server->intake != NULL || begin(server, &chunk)) {
        take_chunk(server, &chunk);
    }
}
