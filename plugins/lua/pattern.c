/* pattern.c: Lua's patterns (reference manual 6.4.1), matched within a limit.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/pattern.h"

#include <ctype.h>
#include <string.h>

static const char *match(Pattern *pattern, const char *at, const char *item);

static const char *
fail(Pattern *pattern, const char *problem)
{
    if (pattern->problem == NULL)
        pattern->problem = problem;
    return NULL;
}

static bool
step(Pattern *pattern)
{
    if (++pattern->steps > PATTERN_STEPS)
        fail(pattern, "the pattern takes too long for this text");
    return pattern->problem == NULL;
}

/* ---- one character ------------------------------------------------------ */

static bool
in_class(int c, int class)
{
    static const struct {
        char letter;
        int (*is)(int c);
    } classes[] = {
        {'a', isalpha}, {'c', iscntrl},  {'d', isdigit}, {'g', isgraph},
        {'l', islower}, {'p', ispunct},  {'s', isspace}, {'u', isupper},
        {'w', isalnum}, {'x', isxdigit},
    };

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].letter == tolower(class))
            return (classes[i].is(c) != 0) == (islower(class) != 0);
    return class == c;
}

/* Behind the `]` of the set whose `[` is at hand; NULL with a problem. */
static const char *
end_of_set(Pattern *pattern, const char *item)
{
    item += item + 1 < pattern->end && item[1] == '^' ? 2 : 1;
    do {
        if (item < pattern->end && *item == '%')
            item++;
        if (item >= pattern->end)
            return fail(pattern, "the pattern misses a `]`");
        item++;
    } while (item >= pattern->end || *item != ']');
    return item + 1;
}

/* Behind the single character at hand, its class or set. */
static const char *
end_of_item(Pattern *pattern, const char *item)
{
    if (*item == '%' && item + 1 >= pattern->end)
        return fail(pattern, "the pattern ends with `%`");
    if (*item == '%')
        return item + 2;
    return *item == '[' ? end_of_set(pattern, item) : item + 1;
}

/* `last` is the `]`. */
static bool
in_set(int c, const char *item, const char *last)
{
    bool inside = true;

    if (item[1] == '^') {
        inside = false;
        item++;
    }
    while (++item < last) {
        if (*item == '%') {
            item++;
            if (in_class(c, (unsigned char)*item))
                return inside;
        } else if (item[1] == '-' && item + 2 < last) {
            if ((unsigned char)item[0] <= c && c <= (unsigned char)item[2])
                return inside;
            item += 2;
        } else if ((unsigned char)*item == c) {
            return inside;
        }
    }
    return !inside;
}

/* `end` is behind the item. */
static bool
single(Pattern *pattern, const char *at, const char *item, const char *end)
{
    if (at >= pattern->subject_end || !step(pattern))
        return false;
    int c = (unsigned char)*at;
    if (*item == '.')
        return true;
    if (*item == '%')
        return in_class(c, (unsigned char)item[1]);
    if (*item == '[') {
        pattern->steps += (end - item) / 4;
        return in_set(c, item, end - 1);
    }
    return (unsigned char)*item == c;
}

/* ---- repetitions -------------------------------------------------------- */

static const char *
most(Pattern *pattern, const char *at, const char *item, const char *end)
{
    ptrdiff_t count = 0;

    while (single(pattern, at + count, item, end))
        count++;
    for (; count >= 0 && pattern->problem == NULL; count--) {
        const char *found = match(pattern, at + count, end + 1);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const char *
least(Pattern *pattern, const char *at, const char *item, const char *end)
{
    while (pattern->problem == NULL) {
        const char *found = match(pattern, at, end + 1);
        if (found != NULL)
            return found;
        if (!single(pattern, at, item, end))
            return NULL;
        at++;
    }
    return NULL;
}

/* ---- captures ----------------------------------------------------------- */

static const char *
open_capture(Pattern *pattern, const char *at, const char *item,
             ptrdiff_t length)
{
    if (pattern->captures >= PATTERN_CAPTURES)
        return fail(pattern, "the pattern has too many captures");
    pattern->capture[pattern->captures++] = (PatternCapture){at, length};
    const char *found = match(pattern, at, item);
    if (found == NULL)
        pattern->captures--;
    return found;
}

static const char *
close_capture(Pattern *pattern, const char *at, const char *item)
{
    int open = (int)pattern->captures - 1;

    while (open >= 0 && pattern->capture[open].length != PATTERN_OPEN)
        open--;
    if (open < 0)
        return fail(pattern, "the pattern has a `)` without its `(`");
    pattern->capture[open].length = at - pattern->capture[open].start;
    const char *found = match(pattern, at, item);
    if (found == NULL)
        pattern->capture[open].length = PATTERN_OPEN;
    return found;
}

/* %1 … %9: the same text again. */
static const char *
same_again(Pattern *pattern, const char *at, const char *item)
{
    int which = item[1] - '1';

    if (which < 0 || which >= (int)pattern->captures
        || pattern->capture[which].length == PATTERN_OPEN)
        return fail(pattern, "the pattern names a capture that it has not");
    const PatternCapture *capture = &pattern->capture[which];
    if (capture->length == PATTERN_POSITION) /* no text is like a number */
        return NULL;
    pattern->steps += capture->length / 8;
    if (pattern->subject_end - at < capture->length
        || memcmp(at, capture->start, (size_t)capture->length) != 0)
        return NULL;
    return match(pattern, at + capture->length, item + 2);
}

/* ---- %b and %f ---------------------------------------------------------- */

static const char *
balanced(Pattern *pattern, const char *at, const char *item)
{
    int depth = 1;

    if (item + 3 >= pattern->end)
        return fail(pattern, "the pattern misses two characters behind `%b`");
    if (at >= pattern->subject_end || *at != item[2])
        return NULL;
    while (++at < pattern->subject_end && step(pattern)) {
        if (*at == item[3] && --depth == 0)
            return match(pattern, at + 1, item + 4);
        if (*at == item[2] && item[2] != item[3])
            depth++;
    }
    return NULL;
}

static const char *
frontier(Pattern *pattern, const char *at, const char *item)
{
    item += 2;
    if (item >= pattern->end || *item != '[')
        return fail(pattern, "the pattern misses a `[` behind `%f`");
    const char *end = end_of_item(pattern, item);
    if (end == NULL)
        return NULL;
    int before = at == pattern->subject ? 0 : (unsigned char)at[-1];
    int after = at == pattern->subject_end ? 0 : (unsigned char)*at;
    if (in_set(before, item, end - 1) || !in_set(after, item, end - 1))
        return NULL;
    return match(pattern, at, end);
}

/* ---- all of it ---------------------------------------------------------- */

/* An item with what repeats it. */
static const char *
match_item(Pattern *pattern, const char *at, const char *item)
{
    const char *end = end_of_item(pattern, item);

    if (end == NULL)
        return NULL;
    char how = end < pattern->end ? *end : '\0';
    if (how == '*')
        return most(pattern, at, item, end);
    if (how == '-')
        return least(pattern, at, item, end);
    bool once = single(pattern, at, item, end);
    if (how == '+')
        return once ? most(pattern, at + 1, item, end) : NULL;
    if (how == '?') {
        const char *found = once ? match(pattern, at + 1, end + 1) : NULL;
        return found != NULL ? found : match(pattern, at, end + 1);
    }
    return once ? match(pattern, at + 1, end) : NULL;
}

static const char *
match_special(Pattern *pattern, const char *at, const char *item)
{
    char next = item + 1 < pattern->end ? item[1] : '\0';

    if (*item == '(' && next == ')')
        return open_capture(pattern, at, item + 2, PATTERN_POSITION);
    if (*item == '(')
        return open_capture(pattern, at, item + 1, PATTERN_OPEN);
    if (*item == ')')
        return close_capture(pattern, at, item + 1);
    if (*item == '$' && item + 1 == pattern->end)
        return at == pattern->subject_end ? at : NULL;
    if (*item == '%' && next == 'b')
        return balanced(pattern, at, item);
    if (*item == '%' && next == 'f')
        return frontier(pattern, at, item);
    if (*item == '%' && next >= '0' && next <= '9')
        return same_again(pattern, at, item);
    return match_item(pattern, at, item);
}

/* Plain items take no depth. */
static const char *
skip_plain(Pattern *pattern, const char **at, const char *item)
{
    while (item < pattern->end && strchr("()$%[.", *item) == NULL
           && (item + 1 >= pattern->end || strchr("*+-?", item[1]) == NULL)) {
        if (!single(pattern, *at, item, item + 1))
            return NULL;
        ++*at;
        item++;
    }
    return item;
}

static const char *
match(Pattern *pattern, const char *at, const char *item)
{
    const char *found = NULL;

    if (pattern->depth >= PATTERN_DEPTH)
        return fail(pattern, "the pattern is too complex");
    pattern->depth++;
    item = skip_plain(pattern, &at, item);
    if (item != NULL && step(pattern))
        found = item >= pattern->end ? at : match_special(pattern, at, item);
    pattern->depth--;
    return found;
}

const char *
pattern_end(Pattern *pattern, const char *at, const char *item)
{
    pattern->captures = 0;
    pattern->depth = 0;
    return match(pattern, at, item);
}
