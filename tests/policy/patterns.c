/* patterns.c: lists of patterns: what they need, who is tried, what is said.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/pattern-list.h"
#include "policy/pattern-needs.h"
#include "tests/policy/world.h"

#include <string.h>

/* ---- what a pattern needs ---- */

static void
test_needs(void)
{
    static const struct {
        const char *pattern, *runs;
    } cases[] = {
        {"abc", "abc\n"},
        {"^Pool-\\d+\\.Example\\.net$", "pool-\n.example.net\n"},
        {"(?i)DYN", "dyn\n"},
        {"(a|b)cde", "cde\n"},
        {"(?:x(y)z)cde(?=q)(?<!r)(?<n>s)f", "cde\nf\n"},
        {"ab+c", "ab\nc\n"},
        {"abc?d", "ab\nd\n"},
        {"abc*?d", "ab\nd\n"},
        {"abc{0,2}d", "ab\nd\n"},
        {"ab[cd]ef", "ab\nef\n"},
        {"ab[]cd]ef", "ab\nef\n"},
        {"ab[^]cd]ef", "ab\nef\n"},
        {"ab[c\\]d]ef", "ab\nef\n"},
        {"ab[[:alpha:]d]ef", "ab\nef\n"},
        {"ab\\wcd", "ab\ncd\n"},
        {"a\\*b\\.?c", "a*b\nc\n"},
        {"ab.cd", "ab\ncd\n"},
        {"(ab", ""},
        {"", ""},
        {"abc|def", ""},
        {"(?x)abc # it", ""},
        {"abc(*ACCEPT)def", ""},
        {"(?#abc)", ""},
        {"\\Qabc\\E", ""},
        {"\\x{41}bc", ""},
        {"abc\\p{Lu}", ""},
        {"(abc)\\1", ""},
        {"abc(?R)?", ""},
        {"(?(?=a)abc|def)", ""},
        {"abc{,2}", ""},
        {"ab[[.x.]]cd", ""},
        {"abc\\", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *runs = pattern_needs(cases[i].pattern);
        g_test_message("%s", cases[i].pattern);
        g_assert_cmpstr(runs, ==, cases[i].runs);
    }
}

/* ---- who is tried ---- */

static PatternList *
list_of(const char *const *patterns)
{
    PatternList *list = pattern_list_new();
    g_autofree char *message = NULL;
    gsize offset;

    for (gsize i = 0; patterns[i] != NULL; i++)
        if (!pattern_list_add(list, patterns[i], &message, &offset))
            g_error("%s: %s", patterns[i], message);
    pattern_list_finish(list);
    return list;
}

static void
test_tried(void)
{
    static const char *const patterns[] = {
        "^alpha\\d", "Beta$", "gamma-(x|y)\\.example", "^\\d+$", NULL};
    PatternList *list = list_of(patterns);

    g_assert_cmpint(pattern_list_match(list, "nothing"), ==, PATTERN_NO);
    g_assert_cmpint(pattern_list_tried(list), ==, 1);
    g_assert_cmpint(pattern_list_match(list, "alpha7"), ==, PATTERN_YES);
    g_assert_cmpint(pattern_list_tried(list), ==, 1);
    g_assert_cmpint(pattern_list_match(list, "beta"), ==, PATTERN_NO);
    g_assert_cmpint(pattern_list_tried(list), ==, 2);
    g_assert_cmpint(pattern_list_match(list, "a.Beta"), ==, PATTERN_YES);
    g_assert_cmpint(pattern_list_match(list, "17"), ==, PATTERN_YES);
    g_assert_cmpint(pattern_list_match(list, ""), ==, PATTERN_NO);
    pattern_list_free(list);
}

static void
test_once(void)
{
    static const char *const patterns[] = {"aaa.*b$", NULL};
    PatternList *list = list_of(patterns);

    g_assert_cmpint(pattern_list_match(list, "aaaaaaaaaaaaaaaa"), ==,
                    PATTERN_NO);
    g_assert_cmpint(pattern_list_tried(list), ==, 1);
    pattern_list_free(list);
}

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* One that takes too many steps, and others that do not. */
static void
test_gives_up(void)
{
    static const char *const patterns[] = {"^(a+)+$", "(?i)aaaX", NULL};
    PatternList *list = list_of(patterns);

    g_assert_cmpint(pattern_list_match(list, LONG "!"), ==, PATTERN_GAVE_UP);
    g_assert_cmpint(pattern_list_match(list, LONG "x!"), ==, PATTERN_YES);
    g_assert_cmpint(pattern_list_match(list, "b"), ==, PATTERN_NO);
    pattern_list_free(list);
}

/* However many patterns would. */
static void
test_gives_up_for_good(void)
{
    PatternList *list = pattern_list_new();
    g_autofree char *message = NULL;
    gsize offset;

    for (unsigned i = 0; i < 3 * PATTERN_LIST_GIVE_UPS; i++) {
        g_autofree char *pattern = g_strdup_printf("^(a+)+[%u]$", i);
        g_assert_true(pattern_list_add(list, pattern, &message, &offset));
    }
    pattern_list_finish(list);
    g_assert_cmpint(pattern_list_match(list, LONG "!"), ==, PATTERN_GAVE_UP);
    g_assert_cmpint(pattern_list_tried(list), ==, PATTERN_LIST_GIVE_UPS);
    pattern_list_free(list);
}

/* ---- what is tried is all that matters ---- */

/* A pattern that compiles, or not, of what such lists are made of. */
static char *
random_pattern(void)
{
    static const char *const parts[] = {
        "a",           "b",     "ab",    "bab",    "abba",      "A",
        "(",           ")",     "|",     "?",      "*",         "+",
        "{2}",         "{0}",   "{1,2}", "{",      "}",         "[ab]",
        "[^a]",        "[",     "]",     "^",      "$",         ".",
        "\\.",         "\\w",   "\\Q",   "\\E",    "\\1",       "\\",
        "(?:",         "(?i)",  "(?=",   "(?!",    "(?x)",      " ",
        "#",           "\\b",   "(?<n>", "(?-i:",  "[\\]]",     "[]a]",
        "[[]",         "\\x61", "(?#",   "(?|",    "(*ACCEPT)", "\\K",
        "[[:alpha:]]", "(?R)",  "\\ca",  "(?P<m>", "\\g1",      "(?(1)",
        "-",
    };
    GString *pattern = g_string_new(NULL);

    for (int i = g_test_rand_int_range(1, 9); i > 0; i--)
        g_string_append(pattern,
                        parts[g_test_rand_int_range(0, G_N_ELEMENTS(parts))]);
    return g_string_free(pattern, FALSE);
}

static char *
random_text(void)
{
    static const char octets[] = "aabbbAB.ab-# ()[]*{}x";
    GString *text = g_string_new(NULL);

    for (int i = g_test_rand_int_range(0, 14); i > 0; i--)
        g_string_append_c(text,
                          octets[g_test_rand_int_range(0, sizeof(octets) - 1)]);
    return g_string_free(text, FALSE);
}

/* Of that pattern by itself and in a list. */
static void
try_pattern(const char *text, unsigned *matches)
{
    const char *const patterns[] = {text, NULL};
    g_autofree char *message = NULL;
    gsize offset;
    Pattern *pattern = pattern_new(text, NULL, &message, &offset);

    if (pattern == NULL)
        return;
    PatternList *list = list_of(patterns);
    for (int i = 0; i < 30; i++) {
        g_autofree char *subject = random_text();
        PatternAnswer answer = pattern_match(pattern, subject);

        if (pattern_list_match(list, subject) != answer)
            g_error("`%s` and `%s`", text, subject);
        *matches +=
            answer == PATTERN_YES && pattern_list_tried(list) > 0 ? 1 : 0;
    }
    pattern_list_free(list);
    pattern_free(pattern);
}

static void
test_random(void)
{
    unsigned matches = 0;

    for (int i = 0; i < 20000; i++) {
        g_autofree char *pattern = random_pattern();
        try_pattern(pattern, &matches);
    }
    g_assert_cmpuint(matches, >, 1000);
}

/* ---- what is said of them ---- */

static const WorldCase errors[] = {
    {"list a of pattern { \"ok\" \"a(b\" \"x[\" }\n"
     "at helo { reject x if helo.name in a }\n",
     "1:30: the pattern is wrong: missing closing parenthesis\n"
     "1:35: the pattern is wrong: missing terminating ] for character class\n"},
    {"list a of pattern { ^a(b|c) foo }\n"
     "at helo { reject x if helo.name in a }\n",
     "1:21: expected a pattern in quotes, found `^a` | such as \"^[0-9]+$\"\n"},
    {"list a of pattern { \"a\"\n"
     "at helo { reject x if helo.name in a }\n",
     "2:1: the block opened in line 1 is not closed | a `}` is missing\n"},
    {"list a of pattern { \"a\" }\n"
     "at helo { reject x if client.ip in a }\n",
     "2:23: `client.ip` is an ip, and a pattern matches texts\n"},
    {"list a of pattern { \"a\" }\n"
     "at helo { reject x if helo.name = a }\n",
     "2:35: `a` is a list, not a value | … in a\n"},
    {"list a of pattern { \"a\" }\n"
     "at helo { reject x if known a[helo.name] }\n",
     "2:29: `a` is a list, not a value | … in a\n"},
    {"list a of pattern { \"a\" }\n"
     "at helo { reject x if helo.name matches a }\n",
     "2:33: `a` is a list: ask with `in`\n"},
    {"map a of pattern to int { \"a\" 1 }\n",
     "1:10: only a list is one of patterns | list NAME of pattern { … }\n"},
    {"map a of text to pattern { \"a\" 1 }\n",
     "1:18: only a list is one of patterns | list NAME of pattern { … }\n"},
    {"list a of regex { \"a\" }\n",
     "1:11: no type `regex`; did you mean `pattern`?\n"},
    {"list a of pattern from \"p\"\n"
     "at helo { reject x if helo.name in a }\n",
     "p:2:8: the pattern is wrong: missing closing parenthesis\n"
     "p:4:5: the pattern is wrong: missing terminating ] for character "
     "class\n"},
};

static void
test_errors(void)
{
    world_file("p", "^ok # comment\n   bad(\n\n\\d[z\n\\#x\n");
    world_check(errors, G_N_ELEMENTS(errors));
    world_clear();
}

static void
test_file(void)
{
    world_file("p", "\xef\xbb\xbf# dial-up\n^Dyn-\\d+ # comment\n\n \\#7 \r\n"
                    "^Q$\n^q$\n");
    PolicyConfig *config =
        world_config("list a of pattern from \"p\"\n"
                     "at helo { reject x if helo.name in a }\n");
    static const struct {
        const char *facts;
        gboolean fires;
    } cases[] = {
        {"helo.name=Dyn-1", TRUE},  {"helo.name=dyn-1", FALSE},
        {"helo.name=x#7y", TRUE},   {"helo.name=comment", FALSE},
        {"helo.name=Dyn-x", FALSE}, {"helo.name=Q", TRUE},
        {"helo.name=q", TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        world_facts(config, cases[i].facts);
        g_assert_cmpint(policy_judge(config, FILTERD_HELO, &world_client)
                            != NULL,
                        ==, cases[i].fires);
    }
    world_facts(NULL, "");
    policy_config_free(config);
    world_clear();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/patterns/needs-are-what-every-match-has", test_needs);
    g_test_add_func("/patterns/only-those-that-can-match-are-tried",
                    test_tried);
    g_test_add_func("/patterns/each-is-tried-once", test_once);
    g_test_add_func("/patterns/giving-up-is-no-answer-unless-another-matches",
                    test_gives_up);
    g_test_add_func("/patterns/few-give-up-then-the-list-does",
                    test_gives_up_for_good);
    g_test_add_func("/patterns/a-list-answers-as-its-pattern-alone",
                    test_random);
    g_test_add_func("/patterns/errors-are-told-at-the-pattern", test_errors);
    g_test_add_func("/patterns/a-file-has-a-pattern-a-line", test_file);
    return g_test_run();
}
