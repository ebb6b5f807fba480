/* smtp-answer.c: what becomes of a message that has come: judged, passed on,
 * answered; with LMTP recipient by recipient (RFC 2033 4.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/fiber.h"
#include "filterd/base/timing.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

/* ---- replies ------------------------------------------------------------ */

static gboolean
all_alike(const SmtpReplies *replies)
{
    for (unsigned i = 1; i < replies->length; i++)
        if (replies->items[i].code / 100 != replies->items[0].code / 100)
            return FALSE;
    return TRUE;
}

/* One line where the backend said the same to all. */
static void
tell_log(SmtpServer *server, const SmtpReplies *replies)
{
    const char *reverse_path;
    const GPtrArray *recipients;
    session_envelope(server->session, &reverse_path, &recipients);
    if (all_alike(replies) && replies->fault)
        session_refused(server->session, "-backend-fault", &replies->items[0]);
    else if (all_alike(replies))
        session_delivered(server->session, NULL, &replies->items[0]);
    else
        for (unsigned i = 0; i < replies->length; i++)
            session_delivered(server->session, g_ptr_array_index(recipients, i),
                              &replies->items[i]);
}

/* One reply for all: a client that hears of a failure sends it to everybody
 * again. */
static void
answer_once(SmtpServer *server, const SmtpReplies *replies)
{
    if (all_alike(replies))
        smtp_relay(server, &replies->items[0]);
    else
        smtp_limit(server, "-mixed-replies", 451, "4.3.0",
                   "not every recipient could be served; try again later");
}

static void
set_answer(SmtpServer *server, unsigned recipient, char *text)
{
    g_free(server->answers->pdata[recipient]);
    server->answers->pdata[recipient] = text;
}

/* The backend's recipients are those of the group, in their order. */
static void
answer_each(SmtpServer *server, const SmtpReplies *replies)
{
    unsigned next = 0;
    for (unsigned i = 0; i < server->answers->len; i++) {
        if (!session_concerns(server->session, i))
            continue;
        GString *text = g_string_new(NULL);
        mail_reply_append(text, &replies->items[next++], NULL);
        set_answer(server, i, g_string_free(text, FALSE));
    }
}

/* Where edits have changed who they are one reply has to do. */
static gboolean
can_answer_each(const SmtpServer *server, const SmtpReplies *replies)
{
    const char *reverse_path;
    const GPtrArray *recipients;
    return server->answers != NULL && replies->length > 1
           && !session_envelope(server->session, &reverse_path, &recipients);
}

/* ---- judging and passing on --------------------------------------------- */

/* A client that delivers mail may go on making mistakes. */
static void
pass_on(SmtpServer *server)
{
    SmtpReplies replies;
    smtp_backend_message(server, &replies);
    if (replies.items[0].code / 100 == 2)
        server->errors = server->junk = 0;
    tell_log(server, &replies);
    if (can_answer_each(server, &replies))
        answer_each(server, &replies);
    else
        answer_once(server, &replies);
    smtp_replies_clear(&replies);
}

static void
judge(SmtpServer *server)
{
    SessionDecision decision = session_message(server->session);
    if (decision.verdict == SESSION_DISCARD)
        smtp_relay(server, decision.reply);
    else if (!smtp_follow(server, decision))
        return;
    else if (session_keeps(server->session))
        smtp_keep(server);
    else
        pass_on(server);
}

static gboolean
sound(SmtpServer *server)
{
    const IntakeRefusal *refusal = intake_refusal(server->intake);
    if (refusal != NULL)
        smtp_limit(server, refusal->rule, refusal->code, refusal->enhanced,
                   refusal->text);
    return refusal == NULL;
}

/* ---- recipient by recipient --------------------------------------------- */

static void
start_answers(SmtpServer *server)
{
    guint recipients = server->rcpt_commands->len + server->discarded;
    server->answers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_set_size(server->answers, (int)recipients);
}

void
smtp_keep_answer(SmtpServer *server, const GString *text)
{
    for (unsigned i = 0; i < server->answers->len; i++)
        if (session_concerns(server->session, i))
            set_answer(server, i, g_strdup(text->str));
}

/* In the order of RCPT; a session that is ended says no more. */
static void
give_answers(SmtpServer *server)
{
    g_autoptr(GPtrArray) answers = g_steal_pointer(&server->answers);
    for (unsigned i = 0; i < answers->len && answers->pdata[i] != NULL; i++) {
        const char *text = g_ptr_array_index(answers, i);
        if (stream_write(server->stream, text, strlen(text)) != STREAM_OK)
            server->closing = TRUE;
    }
}

void
smtp_end_message(SmtpServer *server)
{
    int64_t began = clock_monotonic();
    if (smtp_is_local(server))
        start_answers(server);
    if (sound(server))
        do
            judge(server);
        while (session_has_group(server->session) && !fiber_cancelled());
    if (server->answers != NULL)
        give_answers(server);
    if (session_has_outcome(server->session))
        smtp_flush(server);
    timing_add(timing_find(TIMING_END_OF_DATA, ""), clock_monotonic() - began);
    smtp_transaction_end(server);
}
