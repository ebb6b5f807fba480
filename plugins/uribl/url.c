/* url.c: links in texts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/url.h"

#include "plugins/uribl/host.h"

#include <string.h>

static const char *const schemes[] = {"http", "https", "ftp"};

static bool
is_scheme(const char *text, size_t length)
{
    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (strlen(schemes[i]) == length
            && g_ascii_strncasecmp(schemes[i], text, length) == 0)
            return true;
    return false;
}

/* Dots and marks of other scripts may be part of a name, quotes not; 0 ends
 * it. Else octets of the character. */
static size_t
foreign_length(const char *text, size_t length)
{
    gunichar c = g_utf8_get_char_validated(text, (gssize)length);

    if (c == (gunichar)-1 || c == (gunichar)-2)
        return 0;
    return g_unichar_isalnum(c) || g_unichar_ismark(c) || c == 0x3002
                   || c == 0xff0e || c == 0xff61
                   || g_unichar_type(c) == G_UNICODE_FORMAT
               ? (size_t)(g_utf8_next_char(text) - text)
               : 0;
}

/* Up to what no host and no user in front of it can hold; in a text that goes
 * on behind a link, quotes and brackets too. */
static size_t
authority_length(const char *text, size_t length, bool whole)
{
    const char *ends = whole ? "/\\?#" : "/\\?# \t\r\n<>\"'`()[]{}|,;^";
    size_t i = 0;

    while (i < length && text[i] != '\0' && strchr(ends, text[i]) == NULL) {
        size_t step = whole || (text[i] & 0x80) == 0
                          ? 1
                          : foreign_length(text + i, length - i);

        if (step == 0)
            break;
        i += step;
    }
    return i;
}

static void
authority_take(const char *text, size_t length, bool whole, UrlFound *found,
               void *data)
{
    UrlHost host;

    if (host_parse(text, authority_length(text, length, whole), &host))
        found(data, &host);
}

/* ---- links in a text ---------------------------------------------------- */

/* Whether a scheme ends before `at`, which no other word may touch. */
static bool
scheme_before(const char *text, const char *at)
{
    const char *start = at;

    while (start > text && g_ascii_isalpha(start[-1]) && at - start < 6)
        start--;
    return is_scheme(start, (size_t)(at - start));
}

static bool
starts(const char *text, size_t length, const char *word)
{
    size_t own = strlen(word);

    return length > own && g_ascii_strncasecmp(text, word, own) == 0;
}

static bool
begins_word(const char *text, const char *at)
{
    return at == text
           || (!g_ascii_isalnum(at[-1]) && strchr("/.-_@%=", at[-1]) == NULL);
}

void
url_scan(const char *text, size_t length, UrlFound *found, void *data)
{
    const char *end = text + length;

    for (const char *at = text; at < end; at++) {
        size_t left = (size_t)(end - at);

        if (*at == ':' && starts(at, left, "://") && scheme_before(text, at))
            authority_take(at + 3, left - 3, false, found, data);
        else if ((*at | 0x20) == 'w' && starts(at, left, "www.")
                 && begins_word(text, at))
            authority_take(at, left, false, found, data);
        else if ((*at | 0x20) == 'm' && starts(at, left, "mailto:")
                 && begins_word(text, at))
            authority_take(at + 7, left - 7, false, found, data);
    }
}

/* ---- a text that is a link ---------------------------------------------- */

static bool
is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* Browsers drop blanks at the ends, and tabs and line ends anywhere. */
static size_t
blanks_drop(char *text, size_t length)
{
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        bool blank = (unsigned char)text[i] <= ' ';

        if (strchr("\t\r\n", text[i]) == NULL && !(blank && kept == 0))
            text[kept++] = text[i];
    }
    return kept;
}

/* Behind the scheme and any number of slashes of either sort. */
void
url_whole(char *text, size_t length, UrlFound *found, void *data)
{
    length = blanks_drop(text, length);

    const char *colon = memchr(text, ':', length);
    size_t scheme = colon != NULL ? (size_t)(colon - text) : 0;
    size_t at = 0;

    if (scheme > 0 && is_scheme(text, scheme))
        at = scheme + 1;
    else if (length < 2 || !is_slash(text[0]) || !is_slash(text[1]))
        return;
    while (at < length && is_slash(text[at]))
        at++;
    authority_take(text + at, length - at, true, found, data);
}
