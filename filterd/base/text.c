/* text.c: octets and words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"

#include <stdarg.h>
#include <string.h>

/* More than an integer of 64 bits has. */
#define TEXT_DIGITS 24

/* Longer words are never suggested for, nor suggested. */
#define SUGGEST_LENGTH 40

typedef struct Unit {
    const char *name;
    int64_t factor;
} Unit;

/* The largest first, for text_format_duration(). */
static const Unit durations[] = {
    {"d", 24 * 60 * 60 * 1000},
    {"h", 60 * 60 * 1000},
    {"m", 60 * 1000},
    {"s", 1000},
    {"ms", 1},
};

static const Unit sizes[] = {
    {"", 1}, {"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30},
};

void
text_append_all(GString *out, ...)
{
    const char *text;
    va_list texts;

    va_start(texts, out);
    while ((text = va_arg(texts, const char *)) != NULL)
        text_append(out, text);
    va_end(texts);
}

static void
append_digits(GString *out, uint64_t left, unsigned width)
{
    char digits[TEXT_DIGITS], *end = digits + sizeof digits, *at = end;

    while (left > 0 || at > end - width) {
        *--at = (char)('0' + left % 10);
        left /= 10;
    }
    text_append_len(out, at, (size_t)(end - at));
}

void
text_append_integer(GString *out, int64_t integer)
{
    if (integer < 0)
        g_string_append_c(out, '-');
    append_digits(out, integer < 0 ? -(uint64_t)integer : (uint64_t)integer, 1);
}

void
text_append_padded(GString *out, unsigned number, unsigned width)
{
    g_assert(width <= TEXT_DIGITS);
    append_digits(out, number, width);
}

void
text_clean(char *text, size_t length)
{
    for (char *end = text + length; text < end; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

void
text_append_clean(GString *out, const char *text, size_t limit)
{
    size_t start = out->len, length = strnlen(text, limit);

    text_append_len(out, text, length);
    text_clean(out->str + start, length);
}

gboolean
text_is_plain(const char *text, size_t length)
{
    const char *end = text + length;

    if (!g_utf8_validate_len(text, length, NULL))
        return FALSE;
    for (; text < end; text = g_utf8_next_char(text))
        if (g_unichar_iscntrl(g_utf8_get_char(text)))
            return FALSE;
    return TRUE;
}

static const char *
parse_digits(const char *text, int64_t *value)
{
    int64_t number = 0;

    if (!g_ascii_isdigit(*text))
        return NULL;
    for (; g_ascii_isdigit(*text); text++)
        if (__builtin_mul_overflow(number, 10, &number)
            || __builtin_add_overflow(number, *text - '0', &number))
            return NULL;
    *value = number;
    return text;
}

static gboolean
parse_units(const char *text, const Unit *units, size_t count, int64_t *value)
{
    int64_t number, product;
    const char *unit = parse_digits(text, &number);

    for (size_t i = 0; unit != NULL && i < count; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(number, units[i].factor, &product))
            return FALSE;
        *value = product;
        return TRUE;
    }
    return FALSE;
}

gboolean
text_parse_duration(const char *text, int64_t *milliseconds)
{
    if (strcmp(text, "0") == 0) {
        *milliseconds = 0;
        return TRUE;
    }
    return parse_units(text, durations, G_N_ELEMENTS(durations), milliseconds);
}

char *
text_format_duration(int64_t milliseconds)
{
    size_t i = 0;

    if (milliseconds == 0)
        return g_strdup("0");
    while (milliseconds % durations[i].factor != 0)
        i++;
    return g_strdup_printf("%" G_GINT64_FORMAT "%s",
                           milliseconds / durations[i].factor,
                           durations[i].name);
}

gboolean
text_parse_size(const char *text, int64_t *octets)
{
    return parse_units(text, sizes, G_N_ELEMENTS(sizes), octets);
}

gboolean
text_parse_int(const char *text, int64_t low, int64_t high, int64_t *value)
{
    gboolean negative = *text == '-';
    int64_t number;
    const char *end = parse_digits(text + negative, &number);

    if (end == NULL || *end != '\0')
        return FALSE;
    if (negative)
        number = -number;
    if (number < low || number > high)
        return FALSE;
    *value = number;
    return TRUE;
}

/* How many letters must be put in, left out, replaced or swapped. */
static unsigned
distance(const char *a, const char *b)
{
    unsigned rows[3][SUGGEST_LENGTH + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    size_t width = strlen(b);

    for (size_t j = 0; j <= width; j++)
        before[j] = last[j] = (unsigned)j;
    for (size_t i = 1; i <= strlen(a); i++) {
        unsigned *oldest = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= width; j++) {
            row[j] = MIN(MIN(last[j], row[j - 1]) + 1,
                         last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[width];
}

const char *
text_suggest(const char *word, const char *const *words)
{
    const char *nearest = NULL;
    unsigned least = (unsigned)strlen(word) / 3 + 2;

    if (strlen(word) > SUGGEST_LENGTH)
        return NULL;
    for (; *words != NULL; words++) {
        unsigned steps;

        if (strlen(*words) > SUGGEST_LENGTH)
            continue;
        steps = distance(word, *words);
        if (steps < least && steps < strlen(*words)) {
            least = steps;
            nearest = *words;
        }
    }
    return nearest;
}

gboolean
text_equal_nocase(const char *a, size_t length, const char *b)
{
    return strlen(b) == length && g_ascii_strncasecmp(a, b, length) == 0;
}
