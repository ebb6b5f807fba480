/* text.h: octets and words: ASCII case, cleaning, units, suggestions.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All of it is ASCII, but where it says UTF-8, and never looks at the locale.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* g_string_append_len(), in place: for lines that are made of many small
 * pieces.
 */
static inline void
text_append_len(GString *out, const char *text, size_t length)
{
    if (length < out->allocated_len - out->len) {
        memcpy(out->str + out->len, text, length);
        out->len += length;
        out->str[out->len] = '\0';
    } else {
        g_string_append_len(out, text, (gssize)length);
    }
}

static inline void
text_append(GString *out, const char *text)
{
    text_append_len(out, text, strlen(text));
}

/* Texts, up to a NULL. */
void text_append_all(GString *out, ...) G_GNUC_NULL_TERMINATED;

/* Decimal. */
void text_append_integer(GString *out, int64_t integer);
/* With zeros in front where it has fewer digits; `width` is at most 24. */
void text_append_padded(GString *out, unsigned number, unsigned width);

/* Makes `?` of control characters, DEL and octets over 126. For replies and
 * terminals. */
void text_clean(char *text, size_t length);
/* Appends at most `limit` octets of `text`, cleaned. */
void text_append_clean(GString *out, const char *text, size_t limit);

/* UTF-8 without control characters. */
gboolean text_is_plain(const char *text, size_t length);

/* "5m", "10s", "500ms", "2h", "7d", a bare 0: milliseconds. */
gboolean text_parse_duration(const char *text, int64_t *milliseconds);
/* "300s" as "5m": the largest unit that divides it. */
char *text_format_duration(int64_t milliseconds);
/* "10M", "512k", "1G" (powers of 1024), "4096". */
gboolean text_parse_size(const char *text, int64_t *octets);
/* Decimal, the whole text, within the bounds; no sign but '-'. */
gboolean text_parse_int(const char *text, int64_t low, int64_t high,
                        int64_t *value);

/* The nearest of NULL-terminated `words`, if one is near enough to have been
 * meant; else NULL. */
const char *text_suggest(const char *word, const char *const *words);

/* Matches as an ASCII word, without case. */
gboolean text_equal_nocase(const char *a, size_t length, const char *b);
