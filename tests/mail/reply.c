/* reply.c: tests of SMTP replies. (RFC 5321 4.2, RFC 2034, RFC 3463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/reply.h"

#include <string.h>

static char *
wire(const MailReply *reply, const char *suffix)
{
    GString *out = g_string_new(NULL);
    mail_reply_append(out, reply, suffix);
    return g_string_free(out, FALSE);
}

typedef struct Row {
    const char *name;
    int code;
    const char *enhanced;
    const char *text;
    const char *suffix;
    const char *wire;
} Row;

static const Row rows[] = {
    {"plain", 250, "2.0.0", "ok", NULL, "250 2.0.0 ok\r\n"},
    {"without-enhanced-code", 220, NULL, "mx ESMTP", NULL, "220 mx ESMTP\r\n"},
    {"suffix", 550, "5.7.1", "no", "[7f-2]", "550 5.7.1 no [7f-2]\r\n"},
    {"several-lines", 250, NULL, "mx\nSIZE 1\nPIPELINING", NULL,
     "250-mx\r\n250-SIZE 1\r\n250 PIPELINING\r\n"},
    {"suffix-behind-several-lines", 550, "5.7.1", "a\nb", "[7f]",
     "550-5.7.1 a\r\n550 5.7.1 b [7f]\r\n"},
    {"without-text", 354, NULL, "", NULL, "354 \r\n"},
    {"without-text-but-enhanced-code", 250, "2.0.0", NULL, NULL,
     "250 2.0.0\r\n"},
    {"suffix-alone", 550, "5.7.1", "", "[7f]", "550 5.7.1 [7f]\r\n"},
    {"controls-are-cleaned", 550, "5.7.1", "a\r\r\n\tb\x01\x7f\xc3\xbc", NULL,
     "550-5.7.1 a?\r\n550 5.7.1 ?b????\r\n"},
    {"bare-cr-begins-no-line", 550, NULL, "a\r250 b", NULL, "550 a?250 b\r\n"},
    {"crlf-parts-lines", 550, NULL, "a\r\nb", NULL, "550-a\r\n550 b\r\n"},
    {"enhanced-code-of-another-class-is-dropped", 550, "4.7.1", "a", NULL,
     "550 a\r\n"},
    {"enhanced-code-of-another-form-is-dropped", 550, "5.7\r\n", "a", NULL,
     "550 a\r\n"},
};

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    MailReply reply = {0};
    mail_reply_set(&reply, row->code, row->enhanced, row->text);
    g_autofree char *out = wire(&reply, row->suffix);
    g_assert_cmpstr(out, ==, row->wire);
    mail_reply_clear(&reply);
}

/* Every line has the code and at most 512 octets; the words are all there. */
static void
check_lines(const char *out, const char *prefix, unsigned lines)
{
    g_auto(GStrv) parts = g_strsplit(out, "\r\n", -1);
    guint count = g_strv_length(parts) - 1;
    g_assert_cmpstr(parts[count], ==, "");
    g_assert_cmpuint(count, ==, lines);
    for (guint i = 0; i < count; i++) {
        g_assert_cmpuint(strlen(parts[i]) + 2, <=, MAIL_REPLY_LINE);
        g_assert_true(strncmp(parts[i], prefix, 3) == 0);
        g_assert_cmpint(parts[i][3], ==, i + 1 < count ? '-' : ' ');
        g_assert_true(g_str_has_prefix(parts[i] + 4, prefix + 4));
    }
}

static void
test_long_text_wraps_at_spaces(void)
{
    MailReply reply = {0};
    g_autoptr(GString) text = g_string_new("word");
    for (unsigned i = 0; i < 200; i++)
        g_string_append(text, " word");
    mail_reply_set(&reply, 550, "5.7.1", text->str);
    g_autofree char *out = wire(&reply, "[7f3a-2]");
    check_lines(out, "550 5.7.1 word", 3);
    g_assert_true(g_str_has_suffix(out, "word [7f3a-2]\r\n"));
    mail_reply_clear(&reply);
}

static void
test_suffix_gets_a_line_where_it_must(void)
{
    MailReply reply = {0};
    for (gsize length = 480; length < 520; length++) {
        g_autofree char *text = g_strnfill(length, 'x');
        mail_reply_set(&reply, 550, "5.7.1", text);
        g_autofree char *out = wire(&reply, "[7f3a-2]");
        /* 4 + 6 in front, a space and 8 of suffix, CRLF: 491 of text. */
        check_lines(out, "550 5.7.1 ", length <= 491 ? 1 : 2);
        g_assert_true(g_str_has_suffix(out, "[7f3a-2]\r\n"));
    }
    mail_reply_clear(&reply);
}

static void
test_endless_text_is_cut_before_the_suffix(void)
{
    MailReply reply = {0};
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned j = 0; j < 3000; j++)
            g_string_append_c(text, 'x');
        g_string_append_c(text, '\n');
    }
    mail_reply_set(&reply, 450, "4.7.1", text->str);
    g_autofree char *out = wire(&reply, "[7f3a-2]");
    check_lines(out, "450 4.7.1 x", MAIL_REPLY_LINES);
    g_assert_true(g_str_has_suffix(out, "x [7f3a-2]\r\n"));
    mail_reply_clear(&reply);
}

static void
test_format_is_one_line(void)
{
    MailReply reply = {0}, copy = {0};
    mail_reply_set(&reply, 550, "5.7.1", "a\nb");
    mail_reply_copy(&copy, &reply);
    mail_reply_set(&reply, 250, NULL, NULL);
    mail_reply_copy(&reply, &copy);
    mail_reply_clear(&copy);
    g_autofree char *text = mail_reply_format(&reply);
    g_assert_cmpstr(text, ==, "550 5.7.1 a b");
    mail_reply_clear(&reply);
}

typedef struct Parsed {
    const char *name;
    const char *lines[5];
    MailReplyState state;
    const char *formatted;
} Parsed;

#define DONE MAIL_REPLY_DONE
#define MORE MAIL_REPLY_MORE
#define BROKEN MAIL_REPLY_BROKEN

static const Parsed parsed[] = {
    {"plain", {"250 ok"}, DONE, "250 ok"},
    {"code-alone", {"250"}, DONE, "250"},
    {"code-and-space", {"250 "}, DONE, "250"},
    {"enhanced", {"550 5.7.1 no"}, DONE, "550 5.7.1 no"},
    {"enhanced-alone", {"250 2.0.0"}, DONE, "250 2.0.0"},
    {"enhanced-of-another-class-is-text",
     {"550 4.7.1 no"},
     DONE,
     "550 4.7.1 no"},
    {"there-is-no-class-3", {"354 3.0.0 go"}, DONE, "354 3.0.0 go"},
    {"several-lines", {"250-a", "250-b", "250 c"}, DONE, "250 a b c"},
    {"enhanced-on-each-line",
     {"550-5.7.1 a", "550 5.7.1 b"},
     DONE,
     "550 5.7.1 a b"},
    {"other-enhanced-on-the-second-line-is-text",
     {"550-5.7.1 a", "550 5.7.2 b"},
     DONE,
     "550 5.7.1 a 5.7.2 b"},
    {"unfinished", {"250-a"}, MORE, NULL},
    {"codes-differ", {"250-a", "251 b"}, BROKEN, NULL},
    {"controls-are-cleaned", {"250 a\x01\tb\r"}, DONE, "250 a??b?"},
    {"empty", {""}, BROKEN, NULL},
    {"short", {"25"}, BROKEN, NULL},
    {"no-digits", {"2x0 ok"}, BROKEN, NULL},
    {"no-separator", {"250ok"}, BROKEN, NULL},
    {"four-digits", {"2500 ok"}, BROKEN, NULL},
    {"code-199", {"199 ok"}, BROKEN, NULL},
    {"code-600", {"600 ok"}, BROKEN, NULL},
    {"code-599", {"599 no"}, DONE, "599 no"},
    {"nonsense", {"HTTP/1.1 400 Bad Request"}, BROKEN, NULL},
};

static void
test_parse(gconstpointer data)
{
    const Parsed *row = data;
    MailReplyParser parser = {0};
    MailReplyState state = MORE;
    for (gsize i = 0; row->lines[i] != NULL; i++) {
        g_assert_cmpint(state, ==, MORE);
        state = mail_reply_parse_line(&parser, row->lines[i],
                                      strlen(row->lines[i]));
    }
    g_assert_cmpint(state, ==, row->state);
    if (state == DONE) {
        g_autofree char *text = mail_reply_format(&parser.reply);
        g_assert_cmpstr(text, ==, row->formatted);
    }
    mail_reply_parser_clear(&parser);
}

static void
test_enhanced_is_set_apart(void)
{
    MailReplyParser parser = {0};
    mail_reply_parse_line(&parser, "550 5.123.456 no", 16);
    g_assert_cmpstr(parser.reply.enhanced, ==, "5.123.456");
    g_assert_cmpstr(parser.reply.text, ==, "no");
    mail_reply_parse_line(&parser, "550 5.1234.456 no", 17);
    g_assert_cmpstr(parser.reply.enhanced, ==, "");
    mail_reply_parse_line(&parser, "550 4.7.1 no", 12);
    g_assert_cmpstr(parser.reply.enhanced, ==, "");
    g_assert_cmpstr(parser.reply.text, ==, "4.7.1 no");
    mail_reply_parse_line(&parser, "354 3.0.0 go", 12);
    g_assert_cmpstr(parser.reply.enhanced, ==, "");
    mail_reply_parser_clear(&parser);
}

static void
test_nul_is_cleaned(void)
{
    MailReplyParser parser = {0};
    g_assert_cmpint(mail_reply_parse_line(&parser, "250 a\0b", 7), ==, DONE);
    g_assert_cmpstr(parser.reply.text, ==, "a?b");
    mail_reply_parser_clear(&parser);
}

static void
test_parser_starts_again(void)
{
    MailReplyParser parser = {0};
    g_assert_cmpint(mail_reply_parse_line(&parser, "250 a", 5), ==, DONE);
    g_assert_cmpint(mail_reply_parse_line(&parser, "354 b", 5), ==, DONE);
    g_assert_cmpint(parser.reply.code, ==, 354);
    g_assert_cmpstr(parser.reply.text, ==, "b");
    mail_reply_parser_clear(&parser);
}

static void
test_limits(void)
{
    MailReplyParser parser = {0};
    for (unsigned i = 0; i < MAIL_REPLY_LINES; i++)
        g_assert_cmpint(mail_reply_parse_line(&parser, "250-a", 5), ==, MORE);
    g_assert_cmpint(mail_reply_parse_line(&parser, "250 a", 5), ==, BROKEN);
    mail_reply_parser_clear(&parser);
    g_autofree char *line = g_strnfill(MAIL_REPLY_PARSE_LINE + 1, 'x');
    memcpy(line, "250 ", 4);
    g_assert_cmpint(mail_reply_parse_line(&parser, line, MAIL_REPLY_PARSE_LINE),
                    ==, DONE);
    g_assert_cmpint(
        mail_reply_parse_line(&parser, line, MAIL_REPLY_PARSE_LINE + 1), ==,
        BROKEN);
    mail_reply_parser_clear(&parser);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strdup_printf("/mail/reply/written/%s", rows[i].name);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(parsed); i++) {
        g_autofree char *path =
            g_strdup_printf("/mail/reply/parsed/%s", parsed[i].name);
        g_test_add_data_func(path, &parsed[i], test_parse);
    }
    g_test_add_func("/mail/reply/long-text-wraps-at-spaces",
                    test_long_text_wraps_at_spaces);
    g_test_add_func("/mail/reply/suffix-gets-a-line-where-it-must",
                    test_suffix_gets_a_line_where_it_must);
    g_test_add_func("/mail/reply/endless-text-is-cut-before-the-suffix",
                    test_endless_text_is_cut_before_the_suffix);
    g_test_add_func("/mail/reply/format-is-one-line", test_format_is_one_line);
    g_test_add_func("/mail/reply/enhanced-code-is-set-apart",
                    test_enhanced_is_set_apart);
    g_test_add_func("/mail/reply/nul-is-cleaned", test_nul_is_cleaned);
    g_test_add_func("/mail/reply/parser-starts-again",
                    test_parser_starts_again);
    g_test_add_func("/mail/reply/lines-and-octets-are-limited", test_limits);
    return g_test_run();
}
