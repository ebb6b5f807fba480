/* quarantine-mail.c: a message that was kept, as one that can be sent.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/quarantine.h"

#include "filterd/base/clock.h"
#include "filterd/session/session.h"

#include <string.h>

static gboolean
is_binary(const QuarantineLetter *letter)
{
    g_auto(GStrv) words = g_strsplit(
        letter->parameters != NULL ? letter->parameters : "", " ", 0);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (g_ascii_strcasecmp(words[i], "BODY=BINARYMIME") == 0)
            return TRUE;
    return FALSE;
}

static void
add_mark(MailMessage *message, const QuarantineLetter *letter)
{
    g_autofree char *date = clock_format_mail(clock_real());
    g_autofree char *kept = clock_format_mail(letter->time);
    g_autofree char *value =
        g_strdup_printf("%s (%s), kept %s;\n %s", letter->id,
                        letter->rule != NULL ? letter->rule : "-", kept, date);
    mail_message_add_header(message, SESSION_RELEASED_FIELD, value);
}

MailMessage *
quarantine_mail(const QuarantineFile *file)
{
    gsize length, at = 0, taken;
    const char *bytes = quarantine_file_message(file, &length);
    const QuarantineLetter *letter = quarantine_file_letter(file);
    MailMessage *message = mail_message_new(G_MAXSIZE, NULL);
    FilterdField field;
    mail_message_set_binary(message, is_binary(letter));
    while ((taken = mail_field_next(bytes + at, length - at, &field)) > 0) {
        mail_message_add_field(message, &field);
        at += taken;
    }
    at = MIN(at + strlen("\r\n"), length);
    mail_message_add_body(message, bytes + at, length - at, NULL);
    add_mark(message, letter);
    return message;
}

char *
quarantine_field(const QuarantineFile *file, const char *name)
{
    gsize length, at = 0, taken;
    const char *bytes = quarantine_file_message(file, &length);
    FilterdField field;
    while ((taken = mail_field_next(bytes + at, length - at, &field)) > 0) {
        if (mail_field_is(&field, name))
            return mail_field_unfold(&field);
        at += taken;
    }
    return NULL;
}
