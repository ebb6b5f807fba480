/* smtp-parameters.c: tests of what stands behind a path, and of XCLIENT.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-parameters.h"

#include "filterd/base/ip.h"
#include "filterd/wire/smtp-xclient.h"
#include "filterd/wire/smtp-xforward.h"

static const SmtpExtensions all = {.known = TRUE,
                                   .size = TRUE,
                                   .passed = SMTP_8BITMIME | SMTP_SMTPUTF8
                                             | SMTP_DSN | SMTP_MT_PRIORITY
                                             | SMTP_DELIVERBY};
static const SmtpExtensions binary = {
    .known = TRUE, .passed = SMTP_8BITMIME | SMTP_BINARYMIME};
static const SmtpExtensions auth = {.known = TRUE, .passed = SMTP_AUTH};
static const SmtpExtensions secure = {.known = TRUE, .passed = SMTP_REQUIRETLS};
static const SmtpExtensions none = {.known = TRUE};

typedef struct Row {
    const char *name;
    const char *text;
    const SmtpExtensions *offered;
    int code;           /* 0: taken */
    const char *passed; /* to the backend */
    gsize size;
} Row;

/* Of MAIL. */
static const Row mail_rows[] = {
    {"none", "", &none, 0, "", 0},
    {"spaces-alone", "  ", &none, 0, "", 0},
    {"size-without-the-backends", " SIZE=1000", &none, 0, "", 1000},
    {"size", " SIZE=1000", &all, 0, " SIZE=1000", 1000},
    {"size-0-tells-nothing", " SIZE=0", &all, 0, "", 0},
    {"all-in-any-case-and-order", "  smtputf8 body=8bitmime size=1 ", &all, 0,
     " SIZE=1 BODY=8BITMIME SMTPUTF8", 1},
    {"7bit", " BODY=7bit", &all, 0, " BODY=7BIT", 0},
    {"largest-size", " SIZE=18446744073709551615", &none, 0, "", G_MAXUINT64},
    {"size-over-64-bits-does-not-wrap", " SIZE=18446744073709551617", &none, 0,
     "", G_MAXUINT64},
    {"size-of-21-digits", " SIZE=118446744073709551617", &none, 501, NULL, 0},
    {"negative-size", " SIZE=-1", &none, 501, NULL, 0},
    {"signed-size", " SIZE=+1", &none, 501, NULL, 0},
    {"hexadecimal-size", " SIZE=0x10", &none, 501, NULL, 0},
    {"size-without-value", " SIZE", &none, 501, NULL, 0},
    {"empty-size", " SIZE=", &none, 501, NULL, 0},
    {"size-twice", " SIZE=1 SIZE=1", &none, 501, NULL, 0},
    {"body-not-offered", " BODY=8BITMIME", &none, 555, NULL, 0},
    {"body-without-value", " BODY", &all, 501, NULL, 0},
    {"smtputf8-not-offered", " SMTPUTF8", &none, 553, NULL, 0},
    {"smtputf8-with-value", " SMTPUTF8=1", &all, 501, NULL, 0},
    {"binarymime", " BODY=BinaryMIME", &binary, 0, " BODY=BINARYMIME", 0},
    {"unknown", " FOO=bar", &all, 555, NULL, 0},
    {"submitter-of-a-stranger", " AUTH=e+3Dx@c.test", &auth, 0, " AUTH=<>", 0},
    {"nobody-submitted", " auth=<>", &auth, 0, " AUTH=<>", 0},
    {"submitter-that-is-no-xtext", " AUTH=e=x@c.test", &auth, 501, NULL, 0},
    {"submitter-with-hidden-lf", " AUTH=e+0Ax@c.test", &auth, 501, NULL, 0},
    {"submitter-empty", " AUTH=", &auth, 501, NULL, 0},
    {"submitter-not-offered", " AUTH=<>", &all, 555, NULL, 0},
    {"binarymime-not-offered", " BODY=BINARYMIME", &none, 555, NULL, 0},
    {"binarymime-beside-8bitmime", " BODY=BINARYMIME", &all, 555, NULL, 0},
    {"body-of-no-sense", " BODY=BINARY", &all, 501, NULL, 0},
    {"requiretls-not-offered", " REQUIRETLS", &all, 550, NULL, 0},
    {"requiretls", " requiretls", &secure, 0, " REQUIRETLS", 0},
    {"requiretls-with-value", " REQUIRETLS=1", &secure, 501, NULL, 0},
    {"of-rcpt", " NOTIFY=NEVER", &all, 555, NULL, 0},
    {"not-parted", "SIZE=1", &all, 501, NULL, 0},
    {"tab", "\tSIZE=1", &all, 501, NULL, 0},
    {"ret-full", " RET=Full", &all, 0, " RET=FULL", 0},
    {"ret-hdrs", " ret=hdrs", &all, 0, " RET=HDRS", 0},
    {"ret-of-neither", " RET=BODY", &all, 501, NULL, 0},
    {"ret-without-value", " RET", &all, 501, NULL, 0},
    {"ret-empty", " RET=", &all, 501, NULL, 0},
    {"ret-twice", " RET=FULL ret=FULL", &all, 501, NULL, 0},
    {"ret-not-offered", " RET=FULL", &none, 555, NULL, 0},
    {"envid-keeps-its-case", " ENVID=aB+2B>", &all, 0, " ENVID=aB+2B>", 0},
    {"envid-with-space", " ENVID=a+20b", &all, 0, " ENVID=a+20b", 0},
    {"envid-empty", " ENVID=", &all, 501, NULL, 0},
    {"envid-without-value", " ENVID", &all, 501, NULL, 0},
    {"envid-with-equals", " ENVID=a=b", &all, 501, NULL, 0},
    {"envid-with-lower-case-hex", " ENVID=+2b", &all, 501, NULL, 0},
    {"envid-with-half-a-hex", " ENVID=+2", &all, 501, NULL, 0},
    {"envid-with-plus-alone", " ENVID=a+", &all, 501, NULL, 0},
    {"envid-with-hidden-cr-lf", " ENVID=a+0D+0Ab", &all, 501, NULL, 0},
    {"envid-with-hidden-nul", " ENVID=a+00b", &all, 501, NULL, 0},
    {"envid-with-hidden-8-bit", " ENVID=a+FFb", &all, 501, NULL, 0},
    {"envid-with-8-bit", " SMTPUTF8 ENVID=\303\274", &all, 501, NULL, 0},
    {"envid-with-tab", " ENVID=a\tb", &all, 501, NULL, 0},
    {"priority", " MT-PRIORITY=-9", &all, 0, " MT-PRIORITY=-9", 0},
    {"priority-0", " mt-priority=0", &all, 0, " MT-PRIORITY=0", 0},
    {"priority-minus-0", " MT-PRIORITY=-0", &all, 501, NULL, 0},
    {"priority-10", " MT-PRIORITY=10", &all, 501, NULL, 0},
    {"priority-plus", " MT-PRIORITY=+1", &all, 501, NULL, 0},
    {"priority-without-value", " MT-PRIORITY", &all, 501, NULL, 0},
    {"priority-not-offered", " MT-PRIORITY=1", &none, 555, NULL, 0},
    {"by", " BY=120;r", &all, 0, " BY=120;R", 0},
    {"by-passed", " BY=-5;NT", &all, 0, " BY=-5;NT", 0},
    {"by-without-mode", " BY=120", &all, 501, NULL, 0},
    {"by-of-another-mode", " BY=120;X", &all, 501, NULL, 0},
    {"by-of-10-digits", " BY=1000000000;R", &all, 501, NULL, 0},
    {"by-without-value", " BY", &all, 501, NULL, 0},
    {"by-not-offered", " BY=120;R", &none, 555, NULL, 0},
};

/* Of RCPT. */
static const Row rcpt_rows[] = {
    {"none", "  ", &none, 0, "", 0},
    {"unknown", " FOO", &all, 555, NULL, 0},
    {"of-mail", " SIZE=1", &all, 555, NULL, 0},
    {"not-parted", "NOTIFY=NEVER", &all, 501, NULL, 0},
    {"not-offered", " NOTIFY=NEVER", &none, 555, NULL, 0},
    {"never", " notify=never", &all, 0, " NOTIFY=NEVER", 0},
    {"never-and-more", " NOTIFY=NEVER,DELAY", &all, 501, NULL, 0},
    {"more-and-never", " NOTIFY=DELAY,NEVER", &all, 501, NULL, 0},
    {"several", " NOTIFY=Success,failure,DELAY", &all, 0,
     " NOTIFY=SUCCESS,FAILURE,DELAY", 0},
    {"notify-empty", " NOTIFY=", &all, 501, NULL, 0},
    {"notify-without-value", " NOTIFY", &all, 501, NULL, 0},
    {"notify-with-comma-last", " NOTIFY=DELAY,", &all, 501, NULL, 0},
    {"notify-of-another-word", " NOTIFY=ALWAYS", &all, 501, NULL, 0},
    {"notify-twice", " NOTIFY=DELAY NOTIFY=DELAY", &all, 501, NULL, 0},
    {"orcpt", " NOTIFY=DELAY ORCPT=rfc822;Bob+2Bx@mx.test", &all, 0,
     " NOTIFY=DELAY ORCPT=rfc822;Bob+2Bx@mx.test", 0},
    {"orcpt-without-type", " ORCPT=bob@mx.test", &all, 501, NULL, 0},
    {"orcpt-with-empty-type", " ORCPT=;bob@mx.test", &all, 501, NULL, 0},
    {"orcpt-with-empty-address", " ORCPT=rfc822;", &all, 501, NULL, 0},
    {"orcpt-without-value", " ORCPT", &all, 501, NULL, 0},
    {"orcpt-with-hidden-lf", " ORCPT=rfc822;a+0Ab", &all, 501, NULL, 0},
    {"orcpt-twice", " ORCPT=rfc822;a ORCPT=rfc822;b", &all, 501, NULL, 0},
    {"orcpt-of-utf8", " ORCPT=utf-8;\303\274@x", &all, 501, NULL, 0},
};

/* `utf8`: the transaction is under SMTPUTF8. */
static void
check_row(const Row *row, gboolean of_mail, gboolean utf8)
{
    SmtpParameters parameters = {.utf8 = utf8};
    MailReply reply = {0};
    gboolean taken = (of_mail ? smtp_mail_parameters : smtp_rcpt_parameters)(
        row->text, row->offered, &parameters, &reply);
    g_assert_cmpint(reply.code, ==, row->code);
    g_assert_true(taken == (row->code == 0));
    if (taken) {
        g_assert_cmpstr(parameters.text, ==, row->passed);
        g_assert_cmpuint(parameters.size, ==, row->size);
    }
    smtp_parameters_clear(&parameters);
    mail_reply_clear(&reply);
}

static void
test_mail(gconstpointer row)
{
    check_row(row, TRUE, FALSE);
}

static void
test_rcpt(gconstpointer row)
{
    check_row(row, FALSE, FALSE);
}

static void
test_utf8(void)
{
    static const Row utf8_rows[] = {
        {"", " ORCPT=UTF-8;\303\274@x", &all, 0, " ORCPT=UTF-8;\303\274@x", 0},
        {"", " ORCPT=rfc822;\303\274@x", &all, 501, NULL, 0},
        {"", " ORCPT=utf-8;\303@x", &all, 501, NULL, 0},
        {"", " ORCPT=utf-8;\303\274\x7f", &all, 501, NULL, 0},
        {"", " ORCPT=utf-8;\303\274+0A", &all, 501, NULL, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(utf8_rows); i++)
        check_row(&utf8_rows[i], FALSE, TRUE);
}

static void
test_lengths(void)
{
    static const struct Length {
        gboolean of_mail;
        const char *prefix;
        gsize limit;
    } lengths[] = {{TRUE, " ENVID=", 100}, {FALSE, " ORCPT=rfc822;", 500}};
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++)
        for (gsize more = 0; more <= 1; more++) {
            g_autofree char *value = g_strnfill(lengths[i].limit + more, 'x');
            g_autofree char *text = g_strconcat(lengths[i].prefix, value, NULL);
            const Row row = {"", text, &all, more > 0 ? 501 : 0, text, 0};
            check_row(&row, lengths[i].of_mail, FALSE);
        }
}

/* Its value, and more of it than a name has, was the client's own text back. */
static void
test_unknown_is_named_shortly(void)
{
    SmtpParameters parameters = {0};
    MailReply reply = {0};
    g_autofree char *word = g_strnfill(1900, 'X');
    g_autofree char *text = g_strconcat(" ", word, "=secret", NULL);
    g_assert_false(smtp_mail_parameters(text, &none, &parameters, &reply));
    g_assert_cmpuint(strlen(reply.text), <, 80);
    smtp_parameters_clear(&parameters);
    g_assert_false(
        smtp_mail_parameters(" FOO=secret", &none, &parameters, &reply));
    g_assert_cmpstr(reply.text, ==, "the parameter FOO is not offered here");
    smtp_parameters_clear(&parameters);
    mail_reply_clear(&reply);
}

/* ---- XCLIENT ------------------------------------------------------------ */

static SmtpIdentity
identity(const char *name, const char *helo)
{
    SmtpIdentity who = {.port = 1234,
                        .local_port = 25,
                        .name = name,
                        .helo = helo,
                        .esmtp = TRUE};
    g_assert_true(ip_parse("192.0.2.1", &who.ip));
    g_assert_true(ip_parse("2001:db8::1", &who.local_ip));
    return who;
}

static void
test_every_attribute(void)
{
    SmtpIdentity who = identity("mx.c.test", "h.c.test");
    g_autofree char *command = smtp_xclient_format(
        "NAME ADDR PORT PROTO HELO REVERSE_NAME LOGIN DESTADDR DESTPORT NEW",
        &who);
    g_assert_cmpstr(command, ==,
                    "XCLIENT NAME=mx.c.test ADDR=192.0.2.1 PORT=1234 "
                    "PROTO=ESMTP HELO=h.c.test REVERSE_NAME=mx.c.test "
                    "LOGIN=[UNAVAILABLE] DESTADDR=IPV6:2001:db8::1 "
                    "DESTPORT=25 NEW=[UNAVAILABLE]");
}

/* It refused the whole command, for TTL. */
static void
test_what_dovecot_offers(void)
{
    SmtpIdentity who = identity(NULL, "h");
    who.ident = "1a-1";
    g_autofree char *command = smtp_xclient_format(
        "ADDR PORT PROTO HELO LOGIN SESSION TTL TIMEOUT", &who);
    g_assert_cmpstr(command, ==,
                    "XCLIENT ADDR=192.0.2.1 PORT=1234 PROTO=ESMTP HELO=h "
                    "LOGIN=[UNAVAILABLE] SESSION=1a-1");
}

static void
test_unknown_name(void)
{
    SmtpIdentity who = identity(NULL, "");
    g_autofree char *command = smtp_xclient_format("NAME ADDR HELO", &who);
    g_assert_cmpstr(command, ==,
                    "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.1 "
                    "HELO=[UNAVAILABLE]");
}

static void
test_xtext(void)
{
    SmtpIdentity who = identity(NULL, "a+b=c d\r\nADDR=1.2.3.4\x7f\xff");
    g_autofree char *command = smtp_xclient_format("HELO ADDR", &who);
    g_assert_cmpstr(command, ==,
                    "XCLIENT HELO=a+2Bb+3Dc+20d+0D+0AADDR+3D1.2.3.4+7F+FF "
                    "ADDR=192.0.2.1");
}

static void
test_without_address(void)
{
    SmtpIdentity who = identity(NULL, "h");
    g_assert_null(smtp_xclient_format("NAME HELO DESTADDR", &who));
    g_assert_null(smtp_xclient_format("", &who));
}

/* Nobody becomes us because we do not know who it is. */
static void
test_unknown_address(void)
{
    SmtpIdentity who = identity(NULL, "h");
    g_assert_true(ip_parse("::", &who.ip));
    g_autofree char *command = smtp_xclient_format("ADDR HELO", &who);
    g_assert_cmpstr(command, ==, "XCLIENT ADDR=[UNAVAILABLE] HELO=h");
}

/* ---- XFORWARD ----------------------------------------------------------- */

static void
test_xforward(void)
{
    SmtpIdentity who = identity("mx.c.test", "a+b c");
    g_auto(GStrv) commands = smtp_xforward_format(
        "NEW SOURCE IDENT HELO PROTO PORT ADDR NAME DESTADDR", &who);
    g_assert_cmpuint(g_strv_length(commands), ==, 1);
    g_assert_cmpstr(commands[0], ==,
                    "XFORWARD NAME=mx.c.test ADDR=192.0.2.1 PORT=1234 "
                    "PROTO=ESMTP HELO=a+2Bb+20c IDENT=[UNAVAILABLE] "
                    "SOURCE=REMOTE");
    g_assert_null(smtp_xforward_format("NAME HELO", &who));
}

/* Whatever the client says, a line is as long as lines may be. */
static void
test_xforward_lines(void)
{
    g_autofree char *helo = g_strnfill(255, 'h');
    g_autofree char *name = g_strnfill(255, 'n');
    SmtpIdentity who = identity(name, helo);
    who.ident = "1-1";
    g_auto(GStrv) commands =
        smtp_xforward_format("NAME ADDR PORT PROTO HELO IDENT SOURCE", &who);
    g_assert_cmpuint(g_strv_length(commands), ==, 2);
    g_assert_true(g_str_has_prefix(commands[1], "XFORWARD HELO=hhh"));
    g_assert_true(g_str_has_suffix(commands[1], " IDENT=1-1 SOURCE=REMOTE"));
    for (unsigned i = 0; commands[i] != NULL; i++)
        g_assert_cmpuint(strlen(commands[i]) + 2, <=, XFORWARD_LINE_LIMIT);
}

static void
add_rows(const char *path, const Row *rows, gsize count, GTestDataFunc func)
{
    for (gsize i = 0; i < count; i++) {
        g_autofree char *name = g_strconcat(path, rows[i].name, NULL);
        g_test_add_data_func(name, &rows[i], func);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_rows("/wire/parameters/mail/", mail_rows, G_N_ELEMENTS(mail_rows),
             test_mail);
    add_rows("/wire/parameters/rcpt/", rcpt_rows, G_N_ELEMENTS(rcpt_rows),
             test_rcpt);
    g_test_add_func("/wire/parameters/rcpt/orcpt-under-smtputf8", test_utf8);
    g_test_add_func("/wire/parameters/what-is-unknown-is-named-shortly",
                    test_unknown_is_named_shortly);
    g_test_add_func("/wire/parameters/envid-and-orcpt-have-an-end",
                    test_lengths);
    g_test_add_func("/wire/xclient/sets-every-attribute-offered",
                    test_every_attribute);
    g_test_add_func("/wire/xclient/counts-nothing-for-dovecot",
                    test_what_dovecot_offers);
    g_test_add_func("/wire/xclient/says-what-is-unavailable",
                    test_unknown_name);
    g_test_add_func("/wire/xclient/values-are-xtext", test_xtext);
    g_test_add_func("/wire/xclient/is-of-no-use-without-the-address",
                    test_without_address);
    g_test_add_func("/wire/xclient/an-unknown-address-is-unavailable",
                    test_unknown_address);
    g_test_add_func("/wire/xforward/tells-what-is-offered", test_xforward);
    g_test_add_func("/wire/xforward/lines-have-an-end", test_xforward_lines);
    return g_test_run();
}
