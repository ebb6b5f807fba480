/* quarantine-release.c: what was kept goes to a backend after all.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is locked while it is sent, each recipient whom the backend took is
 * marked at once, and it is removed when none is left.
 */
#include "filterd/tool/quarantine.h"

#include "filterd/base/text.h"
#include "filterd/tool/sender.h"

#include <stdio.h>

typedef struct Release {
    QuarantineTask *task;
    QuarantineFile *file;
    const QuarantineLetter *letter;
    GArray *recipients; /* SenderRecipient */
    GArray *indices;    /* of each among the letter's; none with --to */
} Release;

/* ---- to whom ------------------------------------------------------------ */

static void
recipient_clear(void *data)
{
    SenderRecipient *recipient = data;
    mail_reply_clear(&recipient->reply);
}

static void
add(Release *release, const char *address, const char *parameters)
{
    const SenderRecipient recipient = {.address = address,
                                       .parameters = parameters};
    g_array_append_val(release->recipients, recipient);
}

static void
add_recipients(Release *release)
{
    const GPtrArray *all = release->letter->recipients;
    const char *elsewhere = release->task->request->to;
    if (elsewhere != NULL)
        add(release, elsewhere, NULL);
    for (unsigned i = 0; elsewhere == NULL && i < all->len; i++) {
        const QuarantineRecipient *recipient = g_ptr_array_index(all, i);
        if (recipient->taken)
            continue;
        add(release, recipient->address, recipient->parameters);
        g_array_append_val(release->indices, i);
    }
}

static const SenderRecipient *
recipient_at(const Release *release, unsigned index)
{
    return &g_array_index(release->recipients, SenderRecipient, index);
}

/* ---- what came of it ---------------------------------------------------- */

static void
tell_sent(const Release *release, const SenderRecipient *recipient)
{
    GString *text = g_string_new(NULL);
    text_append_clean(text, recipient->address, G_MAXSIZE);
    printf("%s: sent to <%s>\n", release->letter->id, text->str);
    fflush(stdout);
    g_string_free(text, TRUE);
}

static void
tell_refused(const Release *release, const SenderRecipient *recipient)
{
    g_autofree char *text = recipient->reply.code != 0
                                ? mail_reply_format(&recipient->reply)
                                : g_strdup("no answer");
    g_autofree char *why =
        g_strdup_printf("<%s>: %s", recipient->address, text);
    quarantine_complain(release->task, release->letter->id, why);
}

/* FALSE: it is not known any more that this one was taken. */
static gboolean
mark(Release *release, unsigned index, GError **error)
{
    return release->indices->len == 0
           || quarantine_file_mark(
               release->file, g_array_index(release->indices, unsigned, index),
               error);
}

/* TRUE: there is nobody left to get it. */
static gboolean
settle(Release *release, GError **error)
{
    gboolean all = TRUE;
    for (unsigned i = 0; i < release->recipients->len; i++) {
        const SenderRecipient *recipient = recipient_at(release, i);
        gboolean taken = recipient->reply.code / 100 == 2;
        if (taken && !mark(release, i, error))
            return FALSE;
        (taken ? tell_sent : tell_refused)(release, recipient);
        all &= taken;
    }
    return all;
}

/* ---- one ---------------------------------------------------------------- */

static gboolean
send_mail(Release *release, Sender *sender, GError **error)
{
    const QuarantineLetter *letter = release->letter;
    g_autoptr(MailMessage) message = quarantine_mail(release->file);
    const SenderLetter mail = {.reverse_path = letter->reverse_path,
                               .parameters = letter->parameters,
                               .message = message,
                               .recipients =
                                   (SenderRecipient *)release->recipients->data,
                               .length = release->recipients->len};
    if (mail.length == 0 && letter->recipients->len == 0) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "the policy left it no recipient; --to names one");
        return FALSE;
    }
    return mail.length == 0 || sender_send(sender, &mail, error);
}

static void
finish(Release *release, GError **error)
{
    QuarantineTask *task = release->task;
    if (task->request->keep)
        return;
    if (quarantine_file_remove(release->file, error))
        quarantine_tally(task->quarantine, 1, 0);
}

/* Those who were answered before something broke stand. */
static void
release_file(Release *release, Sender *sender)
{
    QuarantineTask *task = release->task;
    g_autoptr(GError) error = NULL, trouble = NULL;
    gboolean sent = send_mail(release, sender, &error);
    gboolean done = settle(release, &trouble);
    if (!sent)
        quarantine_complain(task, release->letter->id, error->message);
    if (sent && done && trouble == NULL)
        finish(release, &trouble);
    if (trouble != NULL)
        quarantine_complain(task, release->letter->id, trouble->message);
}

static void
release_one(QuarantineTask *task, Sender *sender, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QuarantineFile) file =
        quarantine_file_open(task->quarantine, id, TRUE, &error);
    if (file == NULL) {
        quarantine_complain(task, id, error->message);
        return;
    }
    Release release = {
        .task = task,
        .file = file,
        .letter = quarantine_file_letter(file),
        .recipients = g_array_new(FALSE, TRUE, sizeof(SenderRecipient)),
        .indices = g_array_new(FALSE, TRUE, sizeof(unsigned)),
    };
    g_array_set_clear_func(release.recipients, recipient_clear);
    add_recipients(&release);
    release_file(&release, sender);
    g_array_unref(release.recipients);
    g_array_unref(release.indices);
}

void
quarantine_release_all(QuarantineTask *task)
{
    g_autoptr(Sender) sender =
        sender_new(task->config, task->config->settings.hostname, TRUE);
    for (unsigned i = 0; i < task->ids->len; i++)
        release_one(task, sender, g_ptr_array_index(task->ids, i));
}
