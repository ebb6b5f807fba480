/* macro.c: macro strings: their grammar and their expansion (RFC 7208 section
 * 7).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/macro.h"
#include "plugins/spf/check.h"
#include "plugins/spf/match.h"

#include <arpa/inet.h>
#include <string.h>

#define NAME_LIMIT 253
/* While a name grows: only its end counts. */
#define NAME_SLACK 1024
/* "The DIGIT transformer": more labels than any name has. */
#define PARTS_LIMIT 1000
#define DELIMITERS ".-+,/_="
#define LETTERS "slodiphv"
#define EXPLANATION_LETTERS "crt"

/* "%{" macro-letter transformers *delimiter "}", "%%", "%_" or "%-". */
typedef struct Macro {
    const char *literal; /* of the last three: what it stands for; else NULL */
    char letter;         /* lower case */
    bool escaped;        /* was upper case: URL-escape */
    bool reversed;
    unsigned parts; /* 0: all */
    SpfSlice delimiters;
} Macro;

static const char *
find_literal(char c)
{
    static const char *const literals[] = {"%%", "_ ", "-%20"};
    for (gsize i = 0; i < G_N_ELEMENTS(literals); i++)
        if (literals[i][0] == c)
            return literals[i] + 1;
    return NULL;
}

static bool
in_set(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

bool
spf_macro_has_local(SpfSlice text)
{
    for (gsize i = 0; i + 2 < text.length; i++) {
        if (text.bytes[i] != '%')
            continue;
        i++; /* "%%{s" is no macro */
        if (text.bytes[i] == '{' && in_set(text.bytes[i + 1], "sSlL"))
            return true;
    }
    return false;
}

/* What stands behind "%{". Octets read, with the "}"; 0: a syntax error. */
static gsize
read_braces(SpfSlice text, Macro *macro)
{
    gsize i = 0;
    if (text.length == 0)
        return 0;
    macro->letter = g_ascii_tolower(text.bytes[i]);
    macro->escaped = g_ascii_isupper(text.bytes[i++]);
    bool digits = i < text.length && g_ascii_isdigit(text.bytes[i]);
    for (; i < text.length && g_ascii_isdigit(text.bytes[i]); i++)
        macro->parts = MIN(macro->parts * 10 + (unsigned)(text.bytes[i] - '0'),
                           PARTS_LIMIT);
    if (digits && macro->parts == 0)
        return 0;
    macro->reversed = i < text.length && in_set(text.bytes[i], "rR");
    i += macro->reversed;
    macro->delimiters.bytes = text.bytes + i;
    while (i < text.length && in_set(text.bytes[i], DELIMITERS))
        i++;
    macro->delimiters.length =
        (gsize)(text.bytes + i - macro->delimiters.bytes);
    if (!in_set(macro->letter, LETTERS EXPLANATION_LETTERS) || i == text.length
        || text.bytes[i] != '}')
        return 0;
    return i + 1;
}

/* A macro at "%". Octets read; 0: a syntax error. */
static gsize
read_macro(SpfSlice text, Macro *macro)
{
    *macro = (Macro){0};
    if (text.length < 2)
        return 0;
    macro->literal = find_literal(text.bytes[1]);
    if (macro->literal != NULL)
        return 2;
    if (text.bytes[1] != '{')
        return 0;
    SpfSlice rest = {text.bytes + 2, text.length - 2};
    gsize length = read_braces(rest, macro);
    return length ? length + 2 : 0;
}

/* macro-string; `tail` is where the literal at its end begins, `explaining`
 * whether it has a letter that is only for explanations. */
static bool
scan(SpfSlice text, const char *others, gsize *tail, bool *explaining)
{
    *tail = 0;
    *explaining = false;
    for (gsize i = 0; i < text.length;) {
        char c = text.bytes[i];
        if (c != '%') {
            if (!g_ascii_isgraph(c) && !in_set(c, others))
                return false;
            i++;
            continue;
        }
        Macro macro;
        SpfSlice rest = {text.bytes + i, text.length - i};
        gsize length = read_macro(rest, &macro);
        if (length == 0)
            return false;
        i += length;
        *tail = i;
        *explaining |= in_set(macro.letter, EXPLANATION_LETTERS);
    }
    return true;
}

bool
spf_macro_string_valid(SpfSlice text, const char *others)
{
    gsize tail;
    bool explaining;
    return scan(text, others, &tail, &explaining);
}

/* toplabel = ( *alphanum ALPHA *alphanum )
 *          / ( 1*alphanum "-" *( alphanum / "-" ) alphanum ) */
static bool
toplabel_valid(const char *label, gsize length)
{
    bool named = false;
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isalnum(label[i]) && label[i] != '-')
            return false;
        named |= !g_ascii_isdigit(label[i]);
    }
    return named && label[0] != '-' && label[length - 1] != '-';
}

/* domain-end = ( "." toplabel [ "." ] ) / macro-expand */
bool
spf_domain_spec_valid(SpfSlice text)
{
    gsize tail;
    bool explaining;
    if (!scan(text, "", &tail, &explaining) || explaining || text.length == 0)
        return false;
    if (tail == text.length)
        return true;
    gsize end = text.length - (text.bytes[text.length - 1] == '.');
    gsize start = end;
    while (start > tail && text.bytes[start - 1] != '.')
        start--;
    return start > tail && toplabel_valid(text.bytes + start, end - start);
}

static void
append_address(GString *out, const SpfCheck *check)
{
    const uint8_t *bytes = check->client.bytes;
    if (spf_check_is_ip4(check)) {
        g_string_append_printf(out, "%u.%u.%u.%u", bytes[12], bytes[13],
                               bytes[14], bytes[15]);
        return;
    }
    for (int i = 0; i < 16; i++)
        g_string_append_printf(out, "%s%X.%X", i ? "." : "", bytes[i] >> 4,
                               bytes[i] & 15);
}

/* Section 7.2: what a letter stands for, where that is somebody's text. */
static const char *
letter_text(SpfCheck *check, char letter, const char *domain)
{
    const struct {
        char letter;
        const char *text;
    } texts[] = {
        {'l', check->local},
        {'o', check->sender_domain},
        {'d', domain},
        {'h', check->helo},
        {'r', check->config->receiver},
        {'v', spf_check_is_ip4(check) ? "in-addr" : "ip6"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (texts[i].letter == letter)
            return texts[i].text;
    return spf_match_client_name(check, domain);
}

static char *
letter_value(SpfCheck *check, char letter, const char *domain)
{
    GString *out = g_string_new(NULL);
    if (letter == 's')
        g_string_append_printf(out, "%s@%s", check->local,
                               check->sender_domain);
    else if (letter == 'i')
        append_address(out, check);
    else if (letter == 'c')
        spf_check_append_client(out, check);
    else if (letter == 't')
        g_string_append_printf(out, "%" G_GINT64_FORMAT,
                               check->call->host->now(check->call) / 1000);
    else
        g_string_append(out, letter_text(check, letter, domain));
    return g_string_free(out, FALSE);
}

/* The parts of `value`, which is cut up: borrowed from it. */
static GPtrArray *
split(char *value, SpfSlice delimiters)
{
    GPtrArray *parts = g_ptr_array_new();
    if (delimiters.length == 0)
        delimiters = (SpfSlice){".", 1};
    g_ptr_array_add(parts, value);
    for (char *p = value; *p != '\0'; p++)
        if (memchr(delimiters.bytes, *p, delimiters.length) != NULL) {
            *p = '\0';
            g_ptr_array_add(parts, p + 1);
        }
    return parts;
}

/* Section 7.3: split, reversed, the right-hand parts, joined with dots. */
static char *
transform(const Macro *macro, char *value)
{
    g_autoptr(GPtrArray) parts = split(value, macro->delimiters);
    guint count = parts->len;
    guint kept = macro->parts ? MIN(macro->parts, count) : count;
    GString *out = g_string_new(NULL);
    for (guint i = count - kept; i < count; i++) {
        guint index = macro->reversed ? count - 1 - i : i;
        if (i > count - kept)
            g_string_append_c(out, '.');
        g_string_append(out, parts->pdata[index]);
    }
    return g_string_free(out, FALSE);
}

static void
append_macro(GString *out, SpfCheck *check, const Macro *macro,
             const char *domain)
{
    if (macro->literal != NULL) {
        g_string_append(out, macro->literal);
        return;
    }
    g_autofree char *value = letter_value(check, macro->letter, domain);
    g_autofree char *text = transform(macro, value);
    if (macro->escaped)
        g_string_append_uri_escaped(out, text, NULL, FALSE);
    else
        g_string_append(out, text);
}

/* Appends what the text begins with; octets read. */
static gsize
expand_step(GString *out, SpfCheck *check, const char *domain, SpfSlice text)
{
    Macro macro;
    gsize length = text.bytes[0] == '%' ? read_macro(text, &macro) : 0;
    if (length == 0) {
        g_string_append_c(out, text.bytes[0]);
        return 1;
    }
    append_macro(out, check, &macro, domain);
    return length;
}

/* Left labels go until the name fits. */
static void
shorten(GString *name)
{
    if (name->len > 0 && name->str[name->len - 1] == '.')
        g_string_truncate(name, name->len - 1);
    while (name->len > NAME_LIMIT) {
        const char *dot = strchr(name->str, '.');
        gsize cut = dot ? (gsize)(dot - name->str) + 1 : name->len;
        g_string_erase(name, 0, (gssize)cut);
    }
}

char *
spf_domain_expand(SpfCheck *check, const char *domain, SpfSlice text)
{
    GString *name = g_string_new(text.bytes == NULL ? domain : NULL);
    for (gsize i = 0; i < text.length;) {
        SpfSlice rest = {text.bytes + i, text.length - i};
        i += expand_step(name, check, domain, rest);
        if (name->len > 2 * NAME_SLACK)
            g_string_erase(name, 0, (gssize)(name->len - NAME_SLACK));
    }
    shorten(name);
    return g_string_free(name, FALSE);
}

char *
spf_text_expand(SpfCheck *check, const char *domain, SpfSlice text, gsize limit)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < text.length && out->len < limit;) {
        SpfSlice rest = {text.bytes + i, text.length - i};
        i += expand_step(out, check, domain, rest);
    }
    return g_string_free(out, FALSE);
}
