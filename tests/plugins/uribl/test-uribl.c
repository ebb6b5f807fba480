/* test-uribl.c: which links a message has, and what lists say of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/links.h"

#include <filterd/harness.h>

#include <string.h>

/* As plugins/uribl/uribl.c has it. */
typedef struct Config {
    FilterdArray zones;
    FilterdFile skip;
    int64_t domains, scan;
    bool self_test;
} Config;

static const ListZone zones[] = {
    {.name = "u.example.net", .weight = 2, .test = "test"}};

static const char skipped[] =
    "# ours\nskipped.example\n\n  W3.org # all of it\n";

#define SKIP                                \
    {                                       \
        "skip", skipped, sizeof skipped - 1 \
    }

static const Config config = {
    .zones = {zones, 1}, .skip = SKIP, .domains = 5, .scan = 100000};

#define PLAIN "Subject: x\n\n"
#define HTML "Content-Type: text/html\n\n"
#define PART(type, text) "--b\nContent-Type: " type "\n\n" text "\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

typedef struct Row {
    const char *message, *links;
} Row;

static void
rows_check(const Row *rows, gsize length)
{
    static const size_t chunks[] = {0, 1, 7};

    for (gsize i = 0; i < length; i++)
        for (gsize j = 0; j < G_N_ELEMENTS(chunks); j++) {
            g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

            g_test_message("%s", rows[i].message);
            harness_message(harness, rows[i].message, chunks[j]);
            g_assert_cmpstr(harness_fact(harness, "links"), ==, rows[i].links);
        }
}

static void
test_texts(void)
{
    static const Row rows[] = {
        {PLAIN, ""},
        {PLAIN "no links at all", ""},
        {PLAIN "see http://evil.example/x", "evil.example"},
        {PLAIN "HTTPS://WWW.Evil.Example:8443?x", "www.evil.example"},
        {PLAIN "(http://a.example). <http://b.example>,\"http://c.example\"",
         "a.example,b.example,c.example"},
        {PLAIN "http://a.example,http://a.example http://a.example.",
         "a.example"},
        {PLAIN "www.evil.example, xwww.fine.example", "www.evil.example"},
        {PLAIN "http://good.example@evil.example/", "evil.example"},
        {PLAIN "http://good.example:x@evil.example:80/", "evil.example"},
        {PLAIN "http://r.example/?to=http://evil.example/",
         "r.example,evil.example"},
        {PLAIN "mailto:joe@evil.example?subject=x", "evil.example"},
        {PLAIN "ftp://evil.example/", "evil.example"},
        {PLAIN "javascript://evil.example/ xhttp://fine.example/", ""},
        {PLAIN "http://b\xc3\xbc"
               "cher.example/",
         "xn--bcher-kva.example"},
        {PLAIN "http://evil\xe3\x80\x82"
               "example/",
         "evil.example"},
        {PLAIN "\xe2\x80\x9chttp://evil.example\xe2\x80\x9d", "evil.example"},
        {PLAIN "http://ev%69l.example/", "evil.example"},
        {PLAIN "http://evil.example%2f.fine.example/", ""},
        {PLAIN "http://localhost/ http:// http://.. http://a..example/", ""},
        {PLAIN "http://\xff\xfe.example/", ""},
        {PLAIN "http://skipped.example http://www.w3.org http://aw3.org",
         "aw3.org"},
        {PLAIN "http://a.example http://b.example http://c.example "
               "http://d.example http://e.example http://f.example",
         "a.example,b.example,c.example,d.example,e.example"},
        {PLAIN "http://evil.exa\nmple", "evil.exa"},
    };

    rows_check(rows, G_N_ELEMENTS(rows));
}

static void
test_addresses(void)
{
    static const Row rows[] = {
        {PLAIN "http://203.0.113.7/", "203.0.113.7"},
        {PLAIN "http://0xcb007107/", "203.0.113.7"},
        {PLAIN "http://3405803783/", "203.0.113.7"},
        {PLAIN "http://0313.0.0161.7/", "203.0.113.7"},
        {PLAIN "http://203.28935/", "203.0.113.7"},
        {PLAIN "http://127.0.0.1/ http://10.0.0.1/ http://192.168.1", ""},
        {PLAIN "http://1.2.3.4.5/ http://256.0.0.1/ http://4294967296/", ""},
        {PLAIN "http://99999999999999999999999/ http://1.2.3.99999/", ""},
        {PLAIN "http://[2001:db8::1]/", ""},
    };

    rows_check(rows, G_N_ELEMENTS(rows));
}

static void
test_pages(void)
{
    static const Row rows[] = {
        {HTML "<a href=\"http://evil.example/\">x</a>", "evil.example"},
        {HTML "<A HREF = 'http://evil.example'>x", "evil.example"},
        {HTML "<a class=x href=http://evil.example>x", "evil.example"},
        {HTML "<a/href=\"//evil.example/x\">", "evil.example"},
        {HTML "<a href=\"http:evil.example\">", "evil.example"},
        {HTML "<a href=\"http:\\\\evil.example\\x\">", "evil.example"},
        {HTML "<a href=\" ht\ntp://evil\t.exam\nple/\">", "evil.example"},
        {HTML "<a href=\"&#104;ttp&colon;&#x2F;/evil&period;example/&amp;\">",
         "evil.example"},
        {HTML "<a href=&#104ttp://evil.example>", "evil.example"},
        {HTML "<a href=\"mailto:joe@evil.example\">", "evil.example"},
        {HTML "<img src=http://i.example/x.png><form action=//f.example>",
         "i.example,f.example"},
        {HTML "<td style=\"background:url(http://i.example/x)\">", "i.example"},
        {HTML "http&#58;//evil.example", "evil.example"},
        {HTML "x http://evil.example<br>", "evil.example"},
        {HTML "<html xmlns=\"http://x.example/\">", ""},
        {HTML "<!DOCTYPE html PUBLIC \"http://x.example/\">", ""},
        {HTML "<!-- http://x.example > -- <a href=http://y.example> --> "
              "http://z.example",
         "z.example"},
        {HTML "<!--> http://a.example <!----> http://b.example",
         "a.example,b.example"},
        {HTML "<!--[if mso]><a href=http://evil.example><![endif]-->",
         "evil.example"},
        {HTML "1 < 2 http://evil.example", "evil.example"},
        {HTML "<a title='>' href=http://evil.example>", "evil.example"},
        {HTML "<a href=http://never.example", ""},
        {HTML "&bogus;&#xffffffffff;&#0;&", ""},
    };

    rows_check(rows, G_N_ELEMENTS(rows));
}

static void
test_parts(void)
{
    static const Row rows[] = {
        {MIXED
         "http://preamble.example\n" PART("text/plain", "http://a.example")
             PART("text/html", "<a href=//b.example>")
                 PART("image/png", "http://c.example") "--b--\n"
                                                       "http://end.example",
         "a.example,b.example"},
        {MIXED "--b\n\nhttp://a.example\n--bx\nhttp://b.example\n--b  \n\n"
               "http://c.example",
         "a.example,b.example,c.example"},
        {"Content-Type: Multipart/Alternative;\n charset=\"x;boundary=no\";\n"
         " BOUNDARY=\"b c\\\"d\"\n\n--b c\"d\n\nhttp://a.example\n",
         "a.example"},
        {MIXED PART("multipart/mixed; boundary=c",
                    "--c\n\nhttp://a.example\n--b\n\nhttp://b.example"),
         "a.example,b.example"},
        {MIXED PART("message/rfc822", "Subject: y\nContent-Type: text/html\n\n"
                                      "<a href=//a.example>"),
         "a.example"},
        {"Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
         "Content-Type: text/html\n\n<a href=//a.example>\n--b--",
         "a.example"},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
         "aHR0cDovL2V2\naWwuZXhhbXBsZS8=\n",
         "evil.example"},
        {"Content-Type: text/html\n"
         "Content-Transfer-Encoding: Quoted-Printable\n\n"
         "<a href=3D\"http://ev=\nil.ex=61mple/\">=ZZ=",
         "evil.example"},
        {"Content-Type: multipart/mixed\n\nhttp://a.example", "a.example"},
        {"Content-Type: rubbish\n\nhttp://a.example", "a.example"},
        {"Content-Type: application/pdf\n\nhttp://a.example", ""},
        {"Content-Type: text/calendar\n\nhttp://a.example", "a.example"},
        {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
         "http://a.example",
         ""},
        {MIXED PART("text/plain", "x") "--b--\n--b\n\nhttp://a.example", ""},
        {MIXED "--b\nContent-Type: text/html", ""},
        {MIXED "--b\nContent-Type\n\nhttp://a.example", "a.example"},
    };

    rows_check(rows, G_N_ELEMENTS(rows));
}

/* ---- limits ------------------------------------------------------------- */

static void
problem_check(const char *message, const char *links, const char *problem)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

    harness_message(harness, message, 0);
    g_assert_cmpstr(harness_fact(harness, "links"), ==, links);
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, problem);
}

static void
test_limits(void)
{
    g_autoptr(GString) deep = g_string_new("Content-Type: multipart/mixed; "
                                           "boundary=b0\n\n");
    g_autoptr(GString) longish = g_string_new(PLAIN);
    g_autofree char *word = g_strnfill(5000, 'x');
    g_autofree char *many =
        g_strconcat(HTML "<a href=\"http://", word, "@evil.example\">", NULL);

    for (int i = 0; i < 11; i++)
        g_string_append_printf(deep,
                               "--b%d\nContent-Type: multipart/mixed; "
                               "boundary=b%d\n\n",
                               i, i + 1);
    g_string_append(deep, "--b11\n\nhttp://a.example\n");
    problem_check(deep->str, "", "parts that are nested too deep");
    while (longish->len < 100000)
        g_string_append(longish, "0123456789 0123456789\n");
    g_string_append(longish, " http://a.example");
    problem_check(longish->str, "", "more links or text than are looked at");
    problem_check(many, "", "a link that is too long");
    problem_check(PLAIN "http://a.example http://b.example http://c.example "
                        "http://d.example http://e.example http://f.example",
                  "a.example,b.example,c.example,d.example,e.example",
                  "more links or text than are looked at");
}

/* ---- lists -------------------------------------------------------------- */

#define RECORDS                                             \
    "evil.example.u.example.net 60 A 127.0.0.2\n"           \
    "evil.example.u.example.net 60 TXT \"sells \\009it\"\n" \
    "7.113.0.203.u.example.net 60 A 127.0.0.2"

static void
test_lists(void)
{
    static const struct {
        const char *message, *questions, *score, *listed, *domains, *reason;
    } rows[] = {
        {PLAIN "http://www.evil.example http://fine.example",
         "A evil.example.u.example.net\nA fine.example.u.example.net\n"
         "TXT evil.example.u.example.net",
         "2", "yes", "www.evil.example", "sells  it"},
        {PLAIN "http://a.evil.example http://b.evil.example http://203.0.113.7",
         "A evil.example.u.example.net\nA 7.113.0.203.u.example.net\n"
         "TXT evil.example.u.example.net",
         "2", "yes", "a.evil.example,b.evil.example,203.0.113.7", "sells  it"},
        {PLAIN "http://fine.example", "A fine.example.u.example.net", "0", "no",
         "", "-"},
        {PLAIN "http://203.0.113.7",
         "A 7.113.0.203.u.example.net\nTXT 7.113.0.203.u.example.net", "2",
         "yes", "203.0.113.7", "listed in u.example.net"},
        {PLAIN, "", "0", "no", "", "-"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

        harness_zone(harness, RECORDS);
        harness_message(harness, rows[i].message, 0);
        g_assert_cmpstr(harness_questions(harness), ==, rows[i].questions);
        g_assert_cmpuint(harness_waits(harness), ==, 0);
        g_assert_cmpstr(harness_fact(harness, "score"), ==, rows[i].score);
        g_assert_cmpstr(harness_fact(harness, "listed"), ==, rows[i].listed);
        g_assert_cmpstr(harness_fact(harness, "domains"), ==, rows[i].domains);
        g_assert_cmpstr(harness_fact(harness, "reason"), ==, rows[i].reason);
    }
}

/* At the end they would come list by list. */
static void
test_ahead(void)
{
    static const ListZone both[] = {{.name = "u.example.net", .test = "test"},
                                    {.name = "v.example.net", .test = "test"}};
    Config two = config;

    two.zones = (FilterdArray){both, 2};

    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &two);

    harness_message(harness, PLAIN "http://a.example\nhttp://b.example\n", 1);
    g_assert_cmpstr(harness_questions(harness), ==,
                    "A a.example.u.example.net\nA a.example.v.example.net\n"
                    "A b.example.u.example.net\nA b.example.v.example.net");
}

static void
test_dead(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

    harness_dns_status(harness, "evil.example.u.example.net", 0,
                       FILTERD_DNS_TIMEOUT);
    harness_message(harness, PLAIN "http://evil.example", 0);
    g_assert_cmpstr(harness_fact(harness, "score"), ==, "-");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==,
                    "u.example.net does not answer");
    harness_reset(harness);
    harness_message(harness, PLAIN "http://fine.example", 0);
    g_assert_cmpstr(harness_fact(harness, "score"), ==, "0");
    g_assert_cmpstr(harness_fact(harness, "links"), ==, "fine.example");
}

static void
test_suspended(void)
{
    Config tested = config;

    tested.self_test = true;

    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &tested);

    harness_zone(harness, "*.u.example.net 60 A 127.0.0.2");
    harness_expect_warning(harness, "u.example.net is suspended");
    harness_advance(harness, 0);
    harness_message(harness, PLAIN "http://evil.example", 0);
    g_assert_cmpstr(harness_fact(harness, "score"), ==, "-");
    g_assert_cmpint(harness_metric(harness, "suspended u.example.net"), ==, 1);
}

static void
test_bad_skip(void)
{
    static const char text[] = "fine.example\nno domain\n";
    Config bad = config;

    bad.skip = (FilterdFile){"skip", text, sizeof text - 1};

    g_autofree char *error = harness_start_error(&filterd_plugin, &bad);

    g_assert_cmpstr(error, ==, "skip: “no domain” is no domain");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uribl/links-in-texts-are-found", test_texts);
    g_test_add_func("/uribl/addresses-are-read-as-browsers-do", test_addresses);
    g_test_add_func("/uribl/links-in-pages-are-found", test_pages);
    g_test_add_func("/uribl/texts-in-parts-are-read", test_parts);
    g_test_add_func("/uribl/what-is-not-looked-at-is-told", test_limits);
    g_test_add_func("/uribl/lists-are-asked-about-registered-domains",
                    test_lists);
    g_test_add_func("/uribl/links-are-asked-about-as-they-come", test_ahead);
    g_test_add_func("/uribl/a-dead-list-has-no-score", test_dead);
    g_test_add_func("/uribl/a-list-that-lies-is-suspended", test_suspended);
    g_test_add_func("/uribl/a-bad-skip-list-stops-the-start", test_bad_skip);
    return g_test_run();
}
