/* xclient-parser.c: tests of the attributes of XCLIENT and XFORWARD.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/xclient-parser.h"

typedef struct Row {
    const char *name, *text;
    const char *ip; /* NULL: not legal */
    const char *client;
    unsigned port;
} Row;

/* It is about 192.0.2.1, port 9, old.test. */
static const Row rows[] = {
    {"address", "ADDR=198.51.100.1", "198.51.100.1", "", 0},
    {"all", "PORT=25 NAME=a.test ADDR=IPV6:2001:db8::1 PROTO=esmtp HELO=h",
     "2001:db8::1", "a.test", 25},
    {"name-only", "name=a.test", "192.0.2.1", "a.test", 9},
    {"name-unavailable", "NAME=[UNAVAILABLE]", "192.0.2.1", "", 9},
    {"nobody-is-not-local", "ADDR=[unavailable]", "::", "", 0},
    {"nobody-for-now", "ADDR=[TEMPUNAVAIL] PORT=[TEMPUNAVAIL]", "::", "", 0},
    {"xtext", "NAME=a+2Etest LOGIN=j+2Boe+3D", "192.0.2.1", "a.test", 9},
    {"destination", "DESTADDR=192.0.2.9 DESTPORT=587", "192.0.2.1", "old.test",
     9},
    {"nothing", ""},
    {"word", "ADDR"},
    {"no-value", "ADDR="},
    {"unknown", "ADDR=192.0.2.2 COLOUR=red"},
    {"twice", "ADDR=192.0.2.2 ADDR=192.0.2.3"},
    {"v6-without-prefix", "ADDR=2001:db8::1"},
    {"v4-with-prefix", "ADDR=IPV6:192.0.2.1"},
    {"network", "ADDR=192.0.2.0/24"},
    {"port-too-large", "PORT=65536"},
    {"port-negative", "PORT=-1"},
    {"protocol", "PROTO=QMTP"},
    {"no-domain", "NAME=a..test"},
    {"cr", "HELO=a+0D"},
    {"lf", "LOGIN=a+0Ab"},
    {"nul", "HELO=a+00"},
    {"delete", "HELO=a+7F"},
    {"small-hex", "HELO=a+2b"},
    {"cut-hex", "HELO=a+2"},
    {"cut-plus", "HELO=a+"},
    {"broken-utf8", "LOGIN=+C3"},
    {"source-is-not-its", "SOURCE=LOCAL"},
    {"control-of-two-octets", "LOGIN=a+C2+85"},
    {"helo-with-space", "HELO=a+20b"},
    {"helo-with-8-bit", "HELO=+C3+BC"},
    {"empty-word", "ADDR=192.0.2.2  PORT=1"},
};

/* Behind ADDR=192.0.2.7 NAME=a.test HELO=h.test PROTO=SMTP SOURCE=LOCAL. */
typedef struct Forward {
    const char *name, *text;
    const char *ip; /* NULL: not legal */
    const char *client, *helo;
    int protocol;
    gboolean local;
} Forward;

static const Forward forwards[] = {
    {"adds-up", "PORT=25 IDENT=4XyZ", "192.0.2.7", "a.test", "h.test",
     XCLIENT_SMTP, TRUE},
    {"another-address-takes-nothing-away", "ADDR=192.0.2.8", "192.0.2.8",
     "a.test", "h.test", XCLIENT_SMTP, TRUE},
    {"replaces", "HELO=i.test PROTO=ESMTP SOURCE=REMOTE", "192.0.2.7", "a.test",
     "i.test", XCLIENT_ESMTP, FALSE},
    {"unavailable-is-not-local",
     "SOURCE=[UNAVAILABLE] ADDR=[UNAVAILABLE] NAME=[UNAVAILABLE] "
     "HELO=[UNAVAILABLE] PROTO=[UNAVAILABLE]",
     "::", "", "", XCLIENT_NO_PROTOCOL, FALSE},
    {"any-protocol", "PROTO=QMQP", "192.0.2.7", "a.test", "h.test",
     XCLIENT_NO_PROTOCOL, TRUE},
    {"login-is-not-its", "LOGIN=joe"},
    {"destination-is-not-its", "DESTADDR=192.0.2.9"},
    {"source-of-neither", "SOURCE=HERE"},
    {"twice", "IDENT=a IDENT=b"},
    {"ident-with-lf", "IDENT=a+0Ab"},
    {"nothing", ""},
};

static void
test_forward(gconstpointer data)
{
    const Forward *row = data;
    char ip[IP_TEXT_SIZE];
    XclientPeer peer = {0};
    g_assert_true(xforward_parse("ADDR=192.0.2.7 NAME=a.test HELO=h.test "
                                 "PROTO=SMTP SOURCE=LOCAL",
                                 &peer));
    const XclientPeer first = peer;
    g_assert_true(xforward_parse(row->text, &peer) == (row->ip != NULL));
    if (row->ip == NULL) {
        g_assert_cmpmem(&peer, sizeof peer, &first, sizeof first);
        return;
    }
    g_assert_cmpstr(ip_format(&peer.ip, ip), ==, row->ip);
    g_assert_cmpstr(peer.name, ==, row->client);
    g_assert_cmpstr(peer.helo, ==, row->helo);
    g_assert_cmpint(peer.protocol, ==, row->protocol);
    g_assert_true(peer.local == row->local);
}

static void
test_login(void)
{
    XclientPeer peer = {0};
    g_assert_true(xclient_parse("LOGIN=j+2Boe HELO=h.test PROTO=smtp", &peer));
    g_assert_cmpstr(peer.login, ==, "j+oe");
    g_assert_true(xclient_parse("NAME=a.test", &peer));
    g_assert_cmpstr(peer.login, ==, "j+oe");
    g_assert_cmpstr(peer.helo, ==, "h.test");
    g_assert_cmpint(peer.protocol, ==, XCLIENT_SMTP);
    g_assert_true(xclient_parse("ADDR=192.0.2.2", &peer));
    g_assert_cmpstr(peer.login, ==, "");
    g_assert_cmpstr(peer.helo, ==, "");
    g_assert_cmpint(peer.protocol, ==, XCLIENT_NO_PROTOCOL);
}

static XclientPeer
before(void)
{
    XclientPeer peer = {.port = 9, .name = "old.test"};
    g_assert_true(ip_parse("192.0.2.1", &peer.ip));
    return peer;
}

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    char ip[IP_TEXT_SIZE];
    XclientPeer peer = before();
    g_assert_true(xclient_parse(row->text, &peer) == (row->ip != NULL));
    gboolean legal = row->ip != NULL;
    g_assert_cmpstr(ip_format(&peer.ip, ip), ==, legal ? row->ip : "192.0.2.1");
    g_assert_cmpstr(peer.name, ==, legal ? row->client : "old.test");
    g_assert_cmpuint(peer.port, ==, legal ? row->port : 9);
}

static void
test_long_values(void)
{
    for (unsigned more = 0; more < 2; more++) {
        XclientPeer peer = before();
        g_autofree char *value = g_strnfill(XCLIENT_VALUE_LIMIT + more, 'x');
        g_autofree char *text = g_strconcat("LOGIN=", value, NULL);
        g_assert_true(xclient_parse(text, &peer) == (more == 0));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strconcat("/wire/xclient-parser/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(forwards); i++) {
        g_autofree char *path = g_strconcat("/wire/xclient-parser/forward/",
                                            forwards[i].name, NULL);
        g_test_add_data_func(path, &forwards[i], test_forward);
    }
    g_test_add_func("/wire/xclient-parser/another-address-is-another-login",
                    test_login);
    g_test_add_func("/wire/xclient-parser/values-have-an-end",
                    test_long_values);
    return g_test_run();
}
