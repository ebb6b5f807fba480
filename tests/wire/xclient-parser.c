/* xclient-parser.c: tests of the attributes of XCLIENT.
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
    {"empty-word", "ADDR=192.0.2.2  PORT=1"},
};

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
    g_test_add_func("/wire/xclient-parser/values-have-an-end",
                    test_long_values);
    return g_test_run();
}
