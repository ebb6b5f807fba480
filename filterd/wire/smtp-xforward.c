/* smtp-xforward.c: the XFORWARD command, as Postfix reads it
 * (postfix.org/XFORWARD_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-xforward.h"

#include "filterd/wire/smtp-xclient.h"

#include <string.h>

static const char *const known[] = {
    "NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE", NULL,
};

static void
append_command(GPtrArray *commands, const char *attribute)
{
    g_ptr_array_add(commands, g_strconcat("XFORWARD ", attribute, NULL));
}

/* Behind the last command, or as another one. */
static void
append(GPtrArray *commands, const char *attribute)
{
    char **last =
        commands->len > 0 ? (char **)&commands->pdata[commands->len - 1] : NULL;
    if (last == NULL
        || strlen(*last) + 1 + strlen(attribute) + 2 > XFORWARD_LINE_LIMIT) {
        append_command(commands, attribute);
        return;
    }
    char *longer = g_strconcat(*last, " ", attribute, NULL);
    g_free(*last);
    *last = longer;
}

char **
smtp_xforward_format(const char *offered, const SmtpIdentity *identity)
{
    g_auto(GStrv) names = g_strsplit(offered, " ", 0);
    if (!g_strv_contains((const char *const *)names, "ADDR"))
        return NULL;
    GPtrArray *commands = g_ptr_array_new();
    for (unsigned i = 0; known[i] != NULL; i++) {
        if (!g_strv_contains((const char *const *)names, known[i]))
            continue;
        GString *attribute = g_string_new(NULL);
        smtp_attribute_append(attribute, known[i], identity);
        append(commands, attribute->str);
        g_string_free(attribute, TRUE);
    }
    g_ptr_array_add(commands, NULL);
    return (char **)g_ptr_array_free(commands, FALSE);
}
