/* pattern-needs.c: what a text has to have in it for a pattern to match.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Literal octets outside of all parentheses. What is not understood for
 * certain, or has a bar outside of parentheses, needs nothing.
 */
#include "policy/pattern-needs.h"

#include <string.h>

typedef struct Reading {
    const char *at;
    unsigned depth;
    gboolean lost; /* something stood there that is not understood */
    GString *runs;
} Reading;

static void
end_run(Reading *reading)
{
    GString *runs = reading->runs;

    if (runs->len > 0 && runs->str[runs->len - 1] != '\n')
        g_string_append_c(runs, '\n');
}

static void
take_octet(Reading *reading, char octet)
{
    if (reading->depth == 0)
        g_string_append_c(reading->runs, g_ascii_tolower(octet));
}

/* The octet before `?`, `*` or `{…}` may be missing. */
static void
drop_last(Reading *reading)
{
    GString *runs = reading->runs;

    if (reading->depth == 0 && runs->len > 0
        && runs->str[runs->len - 1] != '\n')
        g_string_truncate(runs, runs->len - 1);
    end_run(reading);
}

/* {2}, {2,}, {2,5} */
static void
pass_braces(Reading *reading)
{
    gsize length = strspn(reading->at, "0123456789,");

    drop_last(reading);
    if (length == 0 || *reading->at == ',' || reading->at[length] != '}') {
        reading->lost = TRUE;
        return;
    }
    reading->at += length + 1;
}

/* A backslash has been passed. Of those with letters, the ones that nothing
 * belongs to. */
static void
pass_escape(Reading *reading, gboolean literal)
{
    char c = *reading->at;

    if (c == '\0'
        || (g_ascii_isalnum(c) && strchr("dDwWsSbBAzZhHvVtnrfR", c) == NULL))
        reading->lost = TRUE;
    else if (literal && g_ascii_ispunct(c))
        take_octet(reading, c);
    else
        end_run(reading);
    reading->at += c != '\0';
}

/* A `[` has been passed. */
static void
pass_class(Reading *reading)
{
    end_run(reading);
    reading->at += *reading->at == '^';
    reading->at += *reading->at == ']';
    while (*reading->at != '\0' && *reading->at != ']' && !reading->lost) {
        char c = *reading->at++;

        if (c == '\\') {
            pass_escape(reading, FALSE);
        } else if (c == '[') {
            /* [:alpha:] */
            gsize length = strspn(reading->at, ":^abcdefghijklmnopqrstuvwxyz");

            reading->lost = *reading->at != ':' || length < 3
                            || reading->at[length - 1] != ':'
                            || reading->at[length] != ']';
            reading->at += length + !reading->lost;
        }
    }
    reading->lost = reading->lost || *reading->at == '\0';
    reading->at += !reading->lost;
}

/* A `(` has been passed: (?:…), (?=…), (?<name>…), (?i), (?s-i:…) …, but no
 * verb, comment, condition, recursion or white space that means nothing. */
static void
open_group(Reading *reading)
{
    const char *at = reading->at;

    end_run(reading);
    reading->depth++;
    if (*at == '*')
        reading->lost = TRUE;
    if (*at != '?')
        return;
    at += 1 + strspn(at + 1, "ims-");
    reading->lost = *at == '\0' || strchr(":=!><)", *at) == NULL;
}

static void
close_group(Reading *reading)
{
    reading->lost = reading->lost || reading->depth == 0;
    reading->depth -= reading->depth > 0;
}

static void
pass_one(Reading *reading)
{
    char c = *reading->at++;

    if (c == '\\')
        pass_escape(reading, TRUE);
    else if (c == '[')
        pass_class(reading);
    else if (c == '(')
        open_group(reading);
    else if (c == ')')
        close_group(reading);
    else if (c == '{')
        pass_braces(reading);
    else if (c == '?' || c == '*')
        drop_last(reading);
    else if (strchr("+.^$", c) != NULL)
        end_run(reading);
    else if (c == '|' && reading->depth == 0)
        reading->lost = TRUE;
    else
        take_octet(reading, c);
}

char *
pattern_needs(const char *pattern)
{
    Reading reading = {.at = pattern, .runs = g_string_new(NULL)};

    while (*reading.at != '\0' && !reading.lost)
        pass_one(&reading);
    end_run(&reading);
    if (reading.lost || reading.depth > 0)
        g_string_truncate(reading.runs, 0);
    return g_string_free(reading.runs, FALSE);
}
