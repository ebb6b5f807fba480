/* smtp-parameters.c: tests of what stands behind a path, and of XCLIENT.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-parameters.h"

#include "filterd/base/ip.h"
#include "filterd/wire/smtp-xclient.h"

static const SmtpExtensions all = {
    .known = TRUE, .eightbitmime = TRUE, .smtputf8 = TRUE, .size = TRUE};
static const SmtpExtensions none = {.known = TRUE};

typedef struct Row {
    const char *name;
    const char *text;
    const SmtpExtensions *offered;
    int code; /* 0: taken */
    gsize size;
    gboolean eightbit, utf8;
} Row;

static const Row rows[] = {
    {"none", "", &none, 0, 0, FALSE, FALSE},
    {"spaces-alone", "  ", &none, 0, 0, FALSE, FALSE},
    {"size", " SIZE=1000", &none, 0, 1000, FALSE, FALSE},
    {"all-in-any-case", " size=1  body=8bitmime smtputf8", &all, 0, 1, TRUE,
     TRUE},
    {"7bit", " BODY=7BIT", &all, 0, 0, FALSE, FALSE},
    {"largest-size", " SIZE=18446744073709551615", &none, 0, G_MAXUINT64, FALSE,
     FALSE},
    {"size-over-64-bits-does-not-wrap", " SIZE=18446744073709551617", &none, 0,
     G_MAXUINT64, FALSE, FALSE},
    {"size-of-21-digits", " SIZE=118446744073709551617", &none, 501, 0, FALSE,
     FALSE},
    {"negative-size", " SIZE=-1", &none, 501, 0, FALSE, FALSE},
    {"signed-size", " SIZE=+1", &none, 501, 0, FALSE, FALSE},
    {"hexadecimal-size", " SIZE=0x10", &none, 501, 0, FALSE, FALSE},
    {"size-without-value", " SIZE", &none, 501, 0, FALSE, FALSE},
    {"empty-size", " SIZE=", &none, 501, 0, FALSE, FALSE},
    {"size-twice", " SIZE=1 SIZE=1", &none, 501, 0, FALSE, FALSE},
    {"body-not-offered", " BODY=8BITMIME", &none, 555, 0, FALSE, FALSE},
    {"smtputf8-not-offered", " SMTPUTF8", &none, 555, 0, FALSE, FALSE},
    {"smtputf8-with-value", " SMTPUTF8=1", &all, 501, 0, FALSE, FALSE},
    {"binarymime", " BODY=BINARYMIME", &all, 501, 0, FALSE, FALSE},
    {"unknown", " FOO=bar", &all, 555, 0, FALSE, FALSE},
    {"not-parted", "SIZE=1", &all, 501, 0, FALSE, FALSE},
    {"tab", "\tSIZE=1", &all, 501, 0, FALSE, FALSE},
};

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    SmtpParameters parameters;
    MailReply reply = {0};
    gboolean taken =
        smtp_mail_parameters(row->text, row->offered, &parameters, &reply);
    g_assert_cmpint(reply.code, ==, row->code);
    g_assert_true(taken == (row->code == 0));
    if (taken) {
        g_assert_cmpuint(parameters.size, ==, row->size);
        g_assert_cmpint(parameters.eightbit, ==, row->eightbit);
        g_assert_cmpint(parameters.utf8, ==, row->utf8);
    }
    mail_reply_clear(&reply);
}

static void
test_rcpt(void)
{
    MailReply reply = {0};
    g_assert_true(smtp_rcpt_parameters("", &reply));
    g_assert_true(smtp_rcpt_parameters("  ", &reply));
    g_assert_false(smtp_rcpt_parameters(" NOTIFY=NEVER", &reply));
    g_assert_cmpint(reply.code, ==, 555);
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strconcat("/wire/parameters/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/wire/parameters/rcpt-has-none", test_rcpt);
    g_test_add_func("/wire/xclient/sets-every-attribute-offered",
                    test_every_attribute);
    g_test_add_func("/wire/xclient/says-what-is-unavailable",
                    test_unknown_name);
    g_test_add_func("/wire/xclient/values-are-xtext", test_xtext);
    g_test_add_func("/wire/xclient/is-of-no-use-without-the-address",
                    test_without_address);
    return g_test_run();
}
