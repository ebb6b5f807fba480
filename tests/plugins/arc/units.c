/* units.c: the parsers by themselves, with octets that no text can hold.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/chain.h"

#include <string.h>

#include "tests/plugins/arc/fixture.h"

#define HEAD "i=1; a=rsa-sha256; b=AAAA; "

static Span
span_of(const char *text, size_t length)
{
    return (Span){text, length};
}

/* What NUL ends is not what is asked. */
static void
nul(void)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {HEAD "d=one.example\0.evil.example; s=rsa",
         sizeof HEAD "d=one.example\0.evil.example; s=rsa" - 1},
        {HEAD "d=one.example; s=rsa\0x",
         sizeof HEAD "d=one.example; s=rsa\0x" - 1},
        {"i=1\0; d=one.example; s=rsa",
         sizeof "i=1\0; d=one.example; s=rsa" - 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Part part = {0};
        gint64 instance = 0;
        const Span value = span_of(rows[i].text, rows[i].length);
        g_assert_cmpstr(part_read_seal(&part, value, &instance), ==,
                        "octet that is not printable ASCII");
        g_assert_cmpstr(part_read_message(&part, value, &instance), ==,
                        "octet that is not printable ASCII");
        g_assert_null(part.signature);
    }
}

static void
instances(void)
{
    static const struct {
        const char *text;
        gint64 instance; /* -1: none */
    } rows[] = {
        {"i=1; x", 1}, {" i = 50 ; x", 50}, {"(a (b) \\) c)i(d)=(e)7(f);", 7},
        {"i=99;", 99}, /* whether it may be so high is not asked here */
        {"", -1},      {"i", -1},           {"i=", -1},
        {"i=1", -1},   {"i=;", -1},         {"i=100;", -1},
        {"i=-1;", -1}, {"i=+1;", -1},       {"i=1x;", -1},
        {"I=1;", -1},  {"i=1 2;", -1},      {"i=1,", -1},
        {"(i=1;", -1}, {"\"i\"=1", -1},     {"x=1; i=1;", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Results results;
        gint64 instance = -1;
        bool good = results_read(
            &results, span_of(rows[i].text, strlen(rows[i].text)), &instance);
        g_assert_cmpint(good ? instance : -1, ==, rows[i].instance);
    }
}

/* One comment of nothing but parentheses takes no stack. */
static void
deep(void)
{
    Results results;
    gint64 instance = 0;
    g_autofree char *text = g_malloc(SIGNATURE_FIELD_LIMIT);
    memset(text, '(', SIGNATURE_FIELD_LIMIT);
    g_assert_false(results_read(&results, span_of(text, SIGNATURE_FIELD_LIMIT),
                                &instance));
}

/* b= is cut out with the white space around it. (RFC 6376 3.7) */
static void
cut(void)
{
    static const struct {
        const char *text, *rest;
    } rows[] = {
        {"i=1; b=AAAA; d=x.y", "i=1; b=; d=x.y"},
        {"i=1; b = \r\n AA\r\n AA \t; d=x.y", "i=1; b =; d=x.y"},
        {"b=AAAA;i=1", "b=;i=1"},
        {"i=1; bb=1; b=AAAA", "i=1; bb=1; b="},
        {"i=1; b=AAA= ", "i=1; b="},
        {"i=1; b= ;", "i=1; b=;"},
        {"i=1; x=b=1; b=AAAA", "i=1; x=b=1; b="},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Part part = {0};
        gint64 instance;
        const char *text = rows[i].text;
        g_assert_null(
            part_read_seal(&part, span_of(text, strlen(text)), &instance));
        g_autofree char *head = g_strndup(text, part.cut);
        g_autofree char *rest =
            g_strconcat(head, text + part.cut + part.cut_length, NULL);
        g_assert_cmpstr(rest, ==, rows[i].rest);
        part_clear(&part);
    }
}

/* ---- what is too much work ----------------------------------------------- */

static void
add_field(Chain **chain, Header *header, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *folded = g_strjoinv("\r\n", lines);
    const size_t name = strcspn(folded, ":");
    const FilterdField field = {folded, strlen(folded), name, name + 1};
    Span signature;
    header_add(header, &field, &signature);
    chain_add(chain, &field, header->fields->len - 1);
}

static Chain *
read_chain(const char *name, Header *header)
{
    Chain *chain = NULL;
    g_autofree char *text = fixture_message(name);
    *strstr(text, "\n\n") = '\0';
    for (char *at = text, *end; at != NULL; at = end) {
        for (end = strchr(at, '\n'); end != NULL && strchr(" \t", end[1]);)
            end = strchr(end + 1, '\n');
        if (end != NULL)
            *end++ = '\0';
        add_field(&chain, header, at);
    }
    return chain;
}

static void
work(void)
{
    static const struct {
        size_t limit;
        Result newest, older;
    } rows[] = {
        {HEADER_LIMIT, RESULT_PENDING, RESULT_PENDING},
        {10, RESULT_PENDING, RESULT_POLICY},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Header header = {0};
        Chain *chain = read_chain("dkimpy-3", &header);
        g_assert_null(chain->problem);
        g_assert_cmpint(chain->length, ==, 3);
        chain_digest(chain, &header, rows[i].limit);
        for (gint64 k = 1; k <= 3; k++)
            g_assert_cmpint(
                chain_part(chain, k, KIND_MESSAGE)->signature->result, ==,
                k == 3 ? rows[i].newest : rows[i].older);
        chain_free(chain);
        header_clear(&header);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arc/names-with-nul-are-not-read", nul);
    g_test_add_func("/arc/results-begin-with-an-instance", instances);
    g_test_add_func("/arc/comments-are-as-deep-as-they-like", deep);
    g_test_add_func("/arc/the-signature-itself-is-not-signed", cut);
    g_test_add_func("/arc/older-sets-that-are-much-work-are-left-out", work);
    return g_test_run();
}
