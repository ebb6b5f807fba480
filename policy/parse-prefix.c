/* parse-prefix.c: `would`, `canary` and `until` before a rule.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/parse.h"

#include "policy/prefix.h"

#include <string.h>

#define FRACTION_DIGITS 3

/* The places of those there are; line 0: not there. */
typedef struct Prefixes {
    PolicyPlace would, canary, until;
} Prefixes;

static gboolean
note_once(Compile *compile, PolicyPlace *seen, const char *word)
{
    if (seen->line == 0) {
        *seen = compile->token.place;
        return TRUE;
    }
    compile_error(compile, &compile->token.place, "leave one of them out",
                  "`%s` stands before this rule twice", word);
    return FALSE;
}

static gboolean
parse_would(Compile *compile, Rule *rule)
{
    rule->public.would = TRUE;
    compile_advance(compile);
    return TRUE;
}

/* ---- canary ------------------------------------------------------------- */

/* "5", "0.5", "12.125" in thousandths; FALSE: it is no such number. */
static gboolean
read_thousandths(const char *text, gsize length, uint64_t *thousandths)
{
    gsize digits = 0, fraction = 0;
    gboolean point = FALSE;

    *thousandths = 0;
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '.' && !point && digits > 0) {
            point = TRUE;
            continue;
        }
        if (!g_ascii_isdigit(text[i]) || ++digits > 9)
            return FALSE;
        fraction += point;
        *thousandths = *thousandths * 10 + (uint64_t)(text[i] - '0');
    }
    for (gsize i = fraction; i < FRACTION_DIGITS; i++)
        *thousandths *= 10;
    return digits > 0 && fraction <= FRACTION_DIGITS && text[length - 1] != '.';
}

static gboolean
wrong_share(Compile *compile, const char *hint, const char *why)
{
    const Token *token = &compile->token;

    compile_error(compile, &token->place, hint, "`%.*s` %s",
                  (int)MIN(token->length, 20), token->start, why);
    return FALSE;
}

/* SHARE = DIGIT { DIGIT } [ "." DIGIT { DIGIT } ] "%" . */
static gboolean
parse_share(Compile *compile, Rule *rule)
{
    const Token *token = &compile->token;
    const char *example = "such as canary 5% or canary 0.5%";
    uint64_t share;

    compile_advance(compile);
    if (token->kind != TOKEN_BARE || parse_begins_rule(token)
        || !g_ascii_isalnum(*token->start)) {
        compile_wanted(compile, example, "how much mail it acts on");
        return FALSE;
    }
    gboolean percent = token->start[token->length - 1] == '%';
    if (!read_thousandths(token->start, token->length - percent, &share))
        return wrong_share(compile, example, "is no share");
    if (!percent)
        return wrong_share(compile, example, "is no share: `%` is missing");
    if (share == 0)
        return wrong_share(compile, "a rule that never acts is a `would` rule",
                           "of the mail is none");
    if (share >= POLICY_CANARY_WHOLE)
        return wrong_share(compile, "leave `canary` out",
                           "of the mail is all of it");
    rule->public.canary = (unsigned)share;
    compile_advance(compile);
    return TRUE;
}

/* ---- until -------------------------------------------------------------- */

/* DATE = 4DIGIT "-" 2DIGIT "-" 2DIGIT . */
static gboolean
parse_day(Compile *compile, Rule *rule)
{
    const Token *token = &compile->token;
    const char *why;

    compile_advance(compile);
    if ((token->kind != TOKEN_BARE && token->kind != TOKEN_TEXT)
        || parse_begins_rule(token)) {
        compile_wanted(compile, "such as until 2027-01-31", "a date");
        return FALSE;
    }
    g_autofree char *text = g_strndup(token->start, token->length);
    if (!prefix_parse_day(text, &rule->public.until, &why)) {
        compile_error(compile, &token->place,
                      "YEAR-MONTH-DAY, such as 2027-01-31", "`%.40s` %s", text,
                      why);
        return FALSE;
    }
    rule->public.limited = TRUE;
    compile_advance(compile);
    return TRUE;
}

/* ---- all of them -------------------------------------------------------- */

static const struct {
    const char *word;
    gsize place;
    gboolean (*parse)(Compile *compile, Rule *rule);
} words[] = {
    {"would", offsetof(Prefixes, would), parse_would},
    {"canary", offsetof(Prefixes, canary), parse_share},
    {"until", offsetof(Prefixes, until), parse_day},
};

static int
find_prefix(const Token *token)
{
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (token_is(token, words[i].word))
            return (int)i;
    return -1;
}

gboolean
parse_begins_rule(const Token *token)
{
    return parse_verdict_word(token) >= 0 || find_prefix(token) >= 0;
}

/* A rule that never acts has no share of mail to act on. */
static gboolean
check_sense(Compile *compile, const Prefixes *prefixes)
{
    const PolicyPlace *would = &prefixes->would, *canary = &prefixes->canary;
    gboolean first =
        would->line < canary->line
        || (would->line == canary->line && would->column < canary->column);

    if (would->line == 0 || canary->line == 0)
        return TRUE;
    compile_error(compile, first ? canary : would,
                  "leave one of them out: outside of its sample a `canary` is "
                  "as `would`",
                  "`would` never acts, `canary` does on its share");
    return FALSE;
}

/* { "would" | "canary" SHARE | "until" DATE } */
gboolean
parse_prefixes(Compile *compile, Rule *rule)
{
    Prefixes prefixes = {0};
    int prefix;

    while ((prefix = find_prefix(&compile->token)) >= 0) {
        PolicyPlace *seen =
            (PolicyPlace *)((char *)&prefixes + words[prefix].place);

        if (!note_once(compile, seen, words[prefix].word)
            || !words[prefix].parse(compile, rule))
            return FALSE;
    }
    rule->would_place = prefixes.would;
    rule->canary_place = prefixes.canary;
    rule->until_place = prefixes.until;
    return check_sense(compile, &prefixes);
}
