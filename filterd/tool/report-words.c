/* report-words.c: the words that the plugin dmarc has put into its keys.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/report.h"

#include <string.h>

char *
report_word_next(const char **at, const char *name)
{
    gsize length = strlen(name);
    while (**at != '\0') {
        const char *word = *at + strspn(*at, " ");
        gsize whole = strcspn(word, " ");
        *at = word + whole;
        if (whole > length && strncmp(word, name, length) == 0
            && word[length] == '=')
            return g_strndup(word + length + 1, whole - length - 1);
    }
    return NULL;
}

char *
report_word(const char *words, const char *name)
{
    return report_word_next(&words, name);
}

char *
report_unescape(const char *value)
{
    GString *out = g_string_new(NULL);
    for (; *value != '\0'; value++) {
        char octet = *value;
        if (octet == '%' && g_ascii_isxdigit(value[1])
            && g_ascii_isxdigit(value[2])) {
            octet = (char)(g_ascii_xdigit_value(value[1]) << 4
                           | g_ascii_xdigit_value(value[2]));
            value += 2;
        }
        g_string_append_c(out, g_ascii_isprint(octet) ? octet : '?');
    }
    return g_string_free(out, FALSE);
}

char **
report_parts(const char *value, const char *separator)
{
    char **parts = g_strsplit(value, separator, -1);
    for (unsigned i = 0; parts[i] != NULL; i++) {
        char *part = parts[i];
        parts[i] = report_unescape(part);
        g_free(part);
    }
    return parts;
}
