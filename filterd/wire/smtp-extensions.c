/* smtp-extensions.c: what a server's EHLO reply offers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-extensions.h"

#include "filterd/base/text.h"
#include "filterd/wire/smtp-mechanism.h"

#include <string.h>

const char *const smtp_extension_names[] = {
    "8BITMIME",   "SMTPUTF8", "DSN",  "MT-PRIORITY", "DELIVERBY", "REQUIRETLS",
    "BINARYMIME", "VRFY",     "EXPN", "ETRN",        "HELP",      NULL,
};

void
smtp_extensions_copy(SmtpExtensions *to, const SmtpExtensions *from)
{
    smtp_extensions_clear(to);
    *to = *from;
    to->xclient = g_strdup(from->xclient);
    to->xforward = g_strdup(from->xforward);
}

void
smtp_extensions_clear(SmtpExtensions *extensions)
{
    g_free(extensions->xclient);
    g_free(extensions->xforward);
    *extensions = (SmtpExtensions){0};
}

static void
learn_pipelining(SmtpExtensions *extensions, const char *arguments)
{
    (void)arguments;
    extensions->pipelining = TRUE;
}

static void
learn_starttls(SmtpExtensions *extensions, const char *arguments)
{
    (void)arguments;
    extensions->starttls = TRUE;
}

static void
learn_chunking(SmtpExtensions *extensions, const char *arguments)
{
    (void)arguments;
    extensions->chunking = TRUE;
}

static void
learn_size(SmtpExtensions *extensions, const char *arguments)
{
    int64_t limit = 0;
    extensions->size = TRUE;
    if (text_parse_int(arguments, 0, INT64_MAX, &limit))
        extensions->size_limit = (gsize)limit;
}

/* RFC 9422 4. */
static void
learn_limits(SmtpExtensions *extensions, const char *arguments)
{
    static const char name[] = "RCPTMAX=";
    g_auto(GStrv) words = g_strsplit(arguments, " ", 0);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (g_ascii_strncasecmp(words[i], name, strlen(name)) == 0)
            text_parse_int(words[i] + strlen(name), 1, INT64_MAX,
                           &extensions->max_recipients);
}

/* "AUTH PLAIN LOGIN", and "AUTH=PLAIN LOGIN" of old. */
static void
learn_auth(SmtpExtensions *extensions, const char *arguments)
{
    g_auto(GStrv) words = g_strsplit(arguments, " ", 0);
    extensions->passed |= SMTP_AUTH;
    for (unsigned i = 0; words[i] != NULL; i++) {
        int mechanism = smtp_mechanism_find(words[i], strlen(words[i]));
        if (mechanism >= 0)
            extensions->auth |= 1u << mechanism;
    }
}

static void
learn_xclient(SmtpExtensions *extensions, const char *arguments)
{
    g_free(extensions->xclient);
    extensions->xclient = g_strdup(arguments);
}

static void
learn_xforward(SmtpExtensions *extensions, const char *arguments)
{
    g_free(extensions->xforward);
    extensions->xforward = g_strdup(arguments);
}

static const struct Extension {
    const char *keyword;
    void (*learn)(SmtpExtensions *extensions, const char *arguments);
} extension_rows[] = {
    {"PIPELINING", learn_pipelining}, {"STARTTLS", learn_starttls},
    {"CHUNKING", learn_chunking},     {"SIZE", learn_size},
    {"LIMITS", learn_limits},         {"AUTH", learn_auth},
    {"XCLIENT", learn_xclient},       {"XFORWARD", learn_xforward},
};

static void
learn_line(SmtpExtensions *extensions, const char *line)
{
    gsize word = strcspn(line, " =");
    const char *arguments = line + word + (line[word] != '\0' ? 1 : 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(extension_rows); i++)
        if (text_equal_nocase(line, word, extension_rows[i].keyword)) {
            extension_rows[i].learn(extensions, arguments);
            return;
        }
    for (unsigned i = 0; smtp_extension_names[i] != NULL; i++)
        if (text_equal_nocase(line, word, smtp_extension_names[i]))
            extensions->passed |= 1u << i;
}

gboolean
smtp_extension_withheld(const FilterdArray *without, PolicyExtension extension)
{
    const int *items = without->items;
    for (size_t i = 0; i < without->length; i++)
        if (items[i] == (int)extension)
            return TRUE;
    return FALSE;
}

void
smtp_extensions_withhold(SmtpExtensions *extensions,
                         const FilterdArray *without)
{
    for (PolicyExtension i = 0; i < POLICY_CHUNKING; i++)
        if (smtp_extension_withheld(without, i))
            extensions->passed &= ~(1u << i);
    if (smtp_extension_withheld(without, POLICY_CHUNKING))
        extensions->passed &= ~(unsigned)SMTP_BINARYMIME;
}

void
smtp_extensions_learn(SmtpExtensions *extensions, const MailReply *reply,
                      const FilterdArray *without)
{
    g_autofree char *lines = g_strdup(reply->text);
    char *rest = lines;
    (void)strsep(&rest, "\n");
    while (rest != NULL)
        learn_line(extensions, strsep(&rest, "\n"));
    smtp_extensions_withhold(extensions, without);
    if (smtp_extension_withheld(without, POLICY_CHUNKING))
        extensions->chunking = FALSE;
    if (smtp_extension_withheld(without, POLICY_PIPELINING))
        extensions->pipelining = FALSE;
    if (!extensions->chunking)
        extensions->passed &= ~(unsigned)SMTP_BINARYMIME;
}
