/* smtp-keep.c: a message that stays here until somebody releases it
 * (`set quarantine spool`): answered when it is on the disk, name and all.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/service/offload.h"
#include "filterd/service/quarantine.h"
#include "filterd/wire/smtp-state.h"

typedef struct Keeping {
    const PolicySettings *settings;
    const QuarantineLetter *letter;
    MailMessage *message;
    gboolean kept;
    GError *error;
} Keeping;

static gboolean
write_message(void *message, QuarantineFunc *func, void *data, GError **error)
{
    return mail_message_write(message, func, data, error);
}

/* In a thread: nothing else touches the message while the fiber waits. */
static void
keep(void *data)
{
    Keeping *keeping = data;
    const PolicySettings *settings = keeping->settings;
    const QuarantineContent content = {write_message, keeping->message};
    g_autoptr(Quarantine) quarantine =
        quarantine_open(settings->state_directory, &keeping->error);
    keeping->kept =
        quarantine != NULL
        && quarantine_put(quarantine, keeping->letter, &content,
                          settings->quarantine_size, &keeping->error);
}

static QuarantineLetter *
write_letter(SmtpServer *server)
{
    const char *reverse_path;
    const GPtrArray *recipients;
    QuarantineLetter *letter = session_letter(server->session);
    session_envelope(server->session, &reverse_path, &recipients);
    letter->parameters = g_strdup(server->mail_parameters);
    for (unsigned i = 0; i < recipients->len; i++) {
        const char *address = g_ptr_array_index(recipients, i);
        quarantine_letter_add(letter, address,
                              smtp_recipient_parameters(server, address));
    }
    return letter;
}

static void
answer_kept(SmtpServer *server, const QuarantineLetter *letter)
{
    MailReply reply = {0};
    g_autofree char *text = g_strdup_printf("kept [%s]", letter->id);
    mail_reply_set(&reply, 250, "2.0.0", text);
    server->errors = server->junk = 0;
    session_delivered(server->session, NULL, &reply);
    smtp_relay(server, &reply);
    mail_reply_clear(&reply);
}

static void
answer_not_kept(SmtpServer *server, const GError *error)
{
    gboolean full = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    log_event(FILTERD_LOG_WARNING, "quarantine", "%s [%s]", error->message,
              session_id(server->session));
    smtp_limit(server, "-quarantine", full ? 452 : 451,
               full ? "4.3.1" : "4.3.0",
               "the message cannot be stored now; try again later");
}

/* Cancelled before it began there is nobody left to be told. */
void
smtp_keep(SmtpServer *server)
{
    g_autoptr(QuarantineLetter) letter = write_letter(server);
    Keeping keeping = {.settings = server->settings,
                       .letter = letter,
                       .message = session_outgoing(server->session)};
    if (!offload_run(NULL, keep, &keeping))
        server->closing = TRUE;
    else if (keeping.kept)
        answer_kept(server, letter);
    else
        answer_not_kept(server, keeping.error);
    g_clear_error(&keeping.error);
}
