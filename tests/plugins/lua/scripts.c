/* scripts.c: the scripts that come along.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/lua/fixture.h"

static Harness *
new_script(const char *name, const char *given)
{
    return harness_new(&filterd_plugin, fixture_shipped(name, given));
}

/* ---- helo --------------------------------------------------------------- */

static void
helo(void)
{
    static const struct {
        const char *name, *shown;
    } cases[] = {
        {"example.com", "yes"},
        {"MX.Example.Com.", "yes"},
        {"notexample.com", "no"},
        {"example.com.evil.example", "no"},
        {"[192.0.2.25]", "yes"},
        {"192.0.2.25", "yes"},
        {"[192.0.2.26]", "no"},
        {"[IPv6:2001:db8::25]", "yes"},
        {"[ipv6:2001:DB8:0::25]", "yes"},
        {"[", "no"},
        {NULL, "-"},
    };
    g_autoptr(Harness) harness =
        new_script("helo", "own example.com\n"
                           "own-address 192.0.2.25 2001:db8::25");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        harness_reconnect(harness);
        harness_set(harness, "helo.name", cases[i].name);
        harness_run(harness, FILTERD_HELO);
        g_assert_cmpstr(harness_fact(harness, "claims-us"), ==, cases[i].shown);
    }
}

/* ---- mx ----------------------------------------------------------------- */

static void
zone(Harness *harness, G_GNUC_UNUSED void *data)
{
    harness_zone(harness, "good.example 60 MX 10 mx.good.example\n"
                          "mx.good.example 60 A 198.18.0.1\n"
                          "mx.good.example 60 AAAA 2001:db8::1\n"
                          "bad.example 60 MX 10 mx1.bad.example\n"
                          "bad.example 60 MX 20 mx2.bad.example\n"
                          "mx1.bad.example 60 A 10.0.0.1\n"
                          "mx2.bad.example 60 A 127.0.0.1\n"
                          "mx2.bad.example 60 AAAA ::1\n"
                          "six.example 60 MX 10 mx.six.example\n"
                          "mx.six.example 60 AAAA fe80::1\n"
                          "bare.example 60 A 203.0.113.5\n"
                          "home.example 60 A 192.168.0.1\n"
                          "null.example 60 MX 0 .\n");
    harness_set(harness, "mail.domain", "bad.example");
}

static void
mx(void)
{
    static const struct {
        const char *domain, *bogus, *host, *null;
    } cases[] = {
        {"good.example", "no", "-", "no"},
        {"bad.example", "yes", "mx1.bad.example", "no"},
        {"six.example", "yes", "mx.six.example", "no"},
        {"bare.example", "no", "-", "no"},
        {"home.example", "yes", "home.example", "no"},
        {"null.example", "no", "-", "yes"},
        {"gone.example", "yes", "gone.example", "no"},
        {NULL, "-", "-", "-"},
    };
    g_autoptr(Harness) harness = new_script("mx", NULL);

    zone(harness, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        harness_reset(harness);
        harness_set(harness, "mail.domain", cases[i].domain);
        harness_run(harness, FILTERD_MAIL);
        g_assert_cmpstr(harness_fact(harness, "bogus"), ==, cases[i].bogus);
        g_assert_cmpstr(harness_fact(harness, "host"), ==, cases[i].host);
        g_assert_cmpstr(harness_fact(harness, "null"), ==, cases[i].null);
    }
}

static void
run_mail(Harness *harness, G_GNUC_UNUSED void *data)
{
    harness_run(harness, FILTERD_MAIL);
}

static void
mx_with_faults(void)
{
    const HarnessScene scene = {.prepare = zone, .play = run_mail};
    g_assert_cmpuint(
        harness_explore(&filterd_plugin, fixture_shipped("mx", NULL), &scene),
        >, 10);
}

/* ---- quota -------------------------------------------------------------- */

static const char *
count_of(Harness *harness, const char *sender)
{
    harness_reset(harness);
    harness_set(harness, "mail.from", sender);
    harness_run(harness, FILTERD_MAIL);
    return harness_fact(harness, "count");
}

static void
quota(void)
{
    g_autoptr(Harness) harness = new_script("quota", "limit 2");

    g_assert_cmpstr(count_of(harness, "a@example.com"), ==, "1");
    g_assert_cmpstr(count_of(harness, "A@Example.com"), ==, "2");
    g_assert_cmpstr(harness_fact(harness, "over"), ==, "no");
    g_assert_cmpstr(count_of(harness, "a@example.com"), ==, "3");
    g_assert_cmpstr(harness_fact(harness, "over"), ==, "yes");
    g_assert_cmpstr(count_of(harness, "b@example.com"), ==, "1");
    g_assert_cmpstr(count_of(harness, ""), ==, "-");
    harness_advance(harness, 24 * 3600 * 1000);
    g_assert_cmpstr(count_of(harness, "a@example.com"), ==, "1");
    harness_set(harness, "auth.user", "b@example.com");
    harness_advance(harness, -24 * 3600 * 1000);
    g_assert_cmpstr(count_of(harness, "a@example.com"), ==, "2");
    harness_store_fails(harness, true);
    g_assert_cmpstr(count_of(harness, "a@example.com"), ==, "-");
    g_assert_cmpstr(harness_fact(harness, "over"), ==, "-");
}

/* ---- attachment --------------------------------------------------------- */

#define PARTS(type, disposition)                              \
    "Content-Type: multipart/mixed;\n boundary=\"a=b\"\n\n"   \
    "Content-Type: text/plain; name=\"preamble.exe\"\n"       \
    "--a=b\nContent-Type: text/plain\n\nhello\nname=x.exe\n"  \
    "--a=b  \nContent-Type: " type "\n"                       \
    "Content-Disposition: " disposition "\n\nTVqQ\n--a=b--\n" \
    "--a=b\nContent-Type: text/plain; name=epilogue.exe\n\n"

static void
attachment(void)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {PARTS("application/x", "attachment; filename=a.exe"), "a.exe"},
        {PARTS("application/x", "attachment; filename=a.exes"), NULL},
        {PARTS("application/x", "attachment;\n\tFileName =\n \"A B.EXE\""),
         "A B.EXE"},
        {PARTS("application/x; name=x.scr", "inline"), "x.scr"},
        {PARTS("application/x", "attachment; filename=\"a.exe. .\""),
         "a.exe. ."},
        {PARTS("application/x", "attachment; filename=\"a\\\"b.exe\""),
         "a\"b.exe"},
        {PARTS("application/x", "attachment; filename=\"a.exe\\\\\""), NULL},
        {PARTS("application/x", "attachment; filename=\"a.exe"), "a.exe"},
        {PARTS("application/x", "attachment; filename*=utf-8''%61%2eexe"),
         "a.exe"},
        {PARTS("application/x",
               "attachment; filename*0=\"a.\"; filename*1*=%65xe"),
         "a.exe"},
        {PARTS("application/x",
               "attachment; filename=\"=?utf-8?B?YS5leGU=?=\""),
         "a.exe"},
        {PARTS("application/x",
               "attachment; filename=\"=?utf-8?Q?a=2E?= =?x?q?exe?=\""),
         "a.exe"},
        {PARTS("multipart/mixed; boundary=in",
               "inline\n\n--in\nContent-Type: message/rfc822\n\n"
               "Subject: inner\nContent-Type: multipart/x; boundary=c\n\n"
               "--c\nContent-Disposition: x; filename=deep.vbs"),
         "deep.vbs"},
        {"Content-Type: application/x; name=whole.js\n\nx\n", "whole.js"},
        {"Content-Type: message/rfc822\n\nContent-Type: a/b; name=b.js\n\n",
         "b.js"},
        {"Subject: nothing\n\nfilename=a.exe\n", NULL},
        {"Content-Type: multipart/mixed\n\n--\nContent-Type: a/b; name=b.js\n"
         "\n",
         NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t chunk = 0; chunk < 8; chunk++) {
            g_autoptr(Harness) harness = new_script("attachment", NULL);
            harness_message(harness, cases[i].text, chunk);
            g_assert_cmpstr(harness_fact(harness, "name"), ==,
                            cases[i].name != NULL ? cases[i].name : "-");
            g_assert_cmpstr(harness_fact(harness, "banned"), ==,
                            cases[i].name != NULL ? "yes" : "no");
        }
}

static void
attachment_of_others(void)
{
    g_autoptr(Harness) harness = new_script("attachment", "banned Zip doc");

    harness_message(harness,
                    PARTS("application/x", "attachment; filename=a.zip"), 0);
    g_assert_cmpstr(harness_fact(harness, "name"), ==, "a.zip");
    g_assert_cmpstr(harness_fact(harness, "parts"), ==, "1");
    harness_reset(harness);
    harness_message(harness,
                    PARTS("application/x", "attachment; filename=a.exe"), 0);
    g_assert_cmpstr(harness_fact(harness, "banned"), ==, "no");
}

/* Much of what costs most. */
static void
attachment_of_bulk(void)
{
    static const char *const lines[] = {
        "--b\nA: b\n",
        "--b\n",
        "x\n",
        "\n",
        " \n",
        "--b--\n--b\n",
        "--b\nContent-Type: a/b; c=\"\\\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(Harness) harness = new_script("attachment", NULL);
        GString *text =
            g_string_new("Content-Type: multipart/mixed; boundary=b\n\n--b\n");
        while (text->len < 300000)
            g_string_append(text, lines[i]);
        harness_message(harness, text->str, 65536);
        g_assert_cmpstr(harness_fact(harness, "banned"), ==, "no");
        g_string_free(text, TRUE);
    }
}

/* ---- phrases ------------------------------------------------------------ */

static void
phrases(void)
{
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"Subject: FINAL\n\tnotice\n\nx\n", "final notice"},
        {"Subject: =?utf-8?Q?Final_notice?=\n\nx\n", "final notice"},
        {"Subject: final\n\nnotice\n", "-"},
        {"Subject: x\n\nplease verify\nyour   account now\n",
         "verify your account"},
        {"Subject: x\n\nhttp://Wallet.Example/a\n", "wallet.example"},
        {"Subject: x\n\nverify your accoun\n", "-"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t chunk = 0; chunk < 8; chunk++) {
            g_autoptr(Harness) harness = new_script(
                "phrases", "subject final_notice\n"
                           "text verify_your_account wallet.example");
            harness_message(harness, cases[i].text, chunk);
            g_assert_cmpstr(harness_fact(harness, "found"), ==, cases[i].found);
        }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/helo/names-and-addresses-of-ours", helo);
    g_test_add_func("/lua/mx/servers-that-are-nowhere", mx);
    g_test_add_func("/lua/mx/every-fault-everywhere", mx_with_faults);
    g_test_add_func("/lua/quota/counts-a-day", quota);
    g_test_add_func("/lua/attachment/names-however-they-are-written",
                    attachment);
    g_test_add_func("/lua/attachment/other-extensions", attachment_of_others);
    g_test_add_func("/lua/attachment/bulk", attachment_of_bulk);
    g_test_add_func("/lua/phrases/in-subject-and-text", phrases);
    return g_test_run();
}
