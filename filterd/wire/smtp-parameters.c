/* smtp-parameters.c: what may stand behind a path of MAIL and RCPT.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-parameters.h"

#include "filterd/base/text.h"

#include <string.h>

/* RFC 1870 3. */
#define SIZE_DIGITS 20

static gboolean
offered_always(const SmtpExtensions *offered)
{
    (void)offered;
    return TRUE;
}

static gboolean
offered_eightbitmime(const SmtpExtensions *offered)
{
    return offered->eightbitmime;
}

static gboolean
offered_smtputf8(const SmtpExtensions *offered)
{
    return offered->smtputf8;
}

/* What does not fit into 64 bits becomes the largest number. */
static gboolean
take_size(SmtpParameters *parameters, const char *value)
{
    gsize digits = value != NULL ? strspn(value, "0123456789") : 0;
    if (digits == 0 || digits > SIZE_DIGITS || value[digits] != '\0')
        return FALSE;
    parameters->size = g_ascii_strtoull(value, NULL, 10);
    return TRUE;
}

static gboolean
take_body(SmtpParameters *parameters, const char *value)
{
    if (value == NULL)
        return FALSE;
    parameters->eightbit = g_ascii_strcasecmp(value, "8BITMIME") == 0;
    return parameters->eightbit || g_ascii_strcasecmp(value, "7BIT") == 0;
}

static gboolean
take_smtputf8(SmtpParameters *parameters, const char *value)
{
    parameters->utf8 = TRUE;
    return value == NULL;
}

static const struct Row {
    const char *keyword;
    gboolean (*offered)(const SmtpExtensions *offered);
    gboolean (*take)(SmtpParameters *parameters, const char *value);
} rows[] = {
    {"SIZE", offered_always, take_size},
    {"BODY", offered_eightbitmime, take_body},
    {"SMTPUTF8", offered_smtputf8, take_smtputf8},
};

static gboolean
unknown(const char *word, MailReply *reply)
{
    g_autofree char *text =
        g_strdup_printf("the parameter %s is not offered here", word);
    mail_reply_set(reply, 555, "5.5.4", text);
    return FALSE;
}

static gboolean
take(const char *word, const SmtpExtensions *offered,
     SmtpParameters *parameters, MailReply *reply)
{
    gsize length = strcspn(word, "=");
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!text_equal_nocase(word, length, rows[i].keyword)
            || !rows[i].offered(offered))
            continue;
        unsigned bit = 1u << i;
        gboolean twice = (parameters->seen & bit) != 0;
        parameters->seen |= bit;
        if (!twice && rows[i].take(parameters, value))
            return TRUE;
        mail_reply_set(reply, 501, "5.5.4",
                       twice ? "a parameter stands there twice"
                             : "a parameter's value is not legal");
        return FALSE;
    }
    return unknown(word, reply);
}

gboolean
smtp_mail_parameters(const char *text, const SmtpExtensions *offered,
                     SmtpParameters *parameters, MailReply *reply)
{
    *parameters = (SmtpParameters){0};
    if (*text != '\0' && *text != ' ') {
        mail_reply_set(reply, 501, "5.5.4", "something stands behind the path");
        return FALSE;
    }
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (*words[i] != '\0' && !take(words[i], offered, parameters, reply))
            return FALSE;
    return TRUE;
}

gboolean
smtp_rcpt_parameters(const char *text, MailReply *reply)
{
    gsize blanks = strspn(text, " ");
    return text[blanks] == '\0' || unknown(text + blanks, reply);
}
