/* proxy-protocol.c: tests of the PROXY header.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/proxy-protocol.h"

#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4_ADDRESSES "\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x34\x00\x19"
#define V6_ADDRESSES                             \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x34\x00\x19"

typedef struct Row {
    const char *name;
    const char *bytes;
    size_t length;
    ProxyStatus status;
    const char *source, *destination;
} Row;

#define BYTES(text) text, sizeof(text) - 1

static const Row rows[] = {
    {"v1-tcp4", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 4660 25\r\n"),
     PROXY_OK, "192.0.2.1:4660", "198.51.100.2:25"},
    {"v1-tcp6", BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 4660 25\r\n"),
     PROXY_OK, "[2001:db8::1]:4660", "[2001:db8::2]:25"},
    {"v1-mapped-is-ipv4",
     BYTES("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 4660 25\r\n"), PROXY_OK,
     "192.0.2.1:4660", "[2001:db8::2]:25"},
    {"v1-unknown", BYTES("PROXY UNKNOWN\r\n"), PROXY_LOCAL, NULL, NULL},
    {"v1-unknown-with-more", BYTES("PROXY UNKNOWN ff00:: x 1 2\r\n"),
     PROXY_LOCAL, NULL, NULL},
    {"v1-longest",
     BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     PROXY_LOCAL, NULL, NULL},
    {"v1-longer",
     BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535 \r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-bare-lf", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 4660 25\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-nul", BYTES("PROXY TCP4 192.0.2.1\0 198.51.100.2 4660 25\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-nul-in-unknown", BYTES("PROXY UNKNOWN\0\r\n"), PROXY_INVALID, NULL,
     NULL},
    {"v1-ipv6-as-tcp4", BYTES("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-ipv4-as-tcp6", BYTES("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-large-port", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-negative-port", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-word-missing", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-word-too-many", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-two-spaces", BYTES("PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-network", BYTES("PROXY TCP4 192.0.2.0/24 198.51.100.2 1 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-udp", BYTES("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-lower-case", BYTES("proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n"),
     PROXY_INVALID, NULL, NULL},
    {"v1-nothing", BYTES("PROXY \r\n"), PROXY_INVALID, NULL, NULL},
    {"no-header", BYTES("EHLO x\r\n"), PROXY_INVALID, NULL, NULL},
    {"v2-tcp4", BYTES(SIGNATURE "\x21\x11\0\x0c" V4_ADDRESSES), PROXY_OK,
     "192.0.2.1:4660", "198.51.100.2:25"},
    {"v2-tcp6", BYTES(SIGNATURE "\x21\x21\0\x24" V6_ADDRESSES), PROXY_OK,
     "[2001:db8::1]:4660", "[2001:db8::2]:25"},
    {"v2-with-tlvs",
     BYTES(SIGNATURE "\x21\x11\0\x11" V4_ADDRESSES "\x04\0\x02\0\0"), PROXY_OK,
     "192.0.2.1:4660", "198.51.100.2:25"},
    {"v2-local", BYTES(SIGNATURE "\x20\0\0\0"), PROXY_LOCAL, NULL, NULL},
    {"v2-local-with-addresses", BYTES(SIGNATURE "\x20\x11\0\x0c" V4_ADDRESSES),
     PROXY_LOCAL, NULL, NULL},
    {"v2-unspecified", BYTES(SIGNATURE "\x21\0\0\x03xyz"), PROXY_LOCAL, NULL,
     NULL},
    {"v2-udp", BYTES(SIGNATURE "\x21\x12\0\x0c" V4_ADDRESSES), PROXY_INVALID,
     NULL, NULL},
    {"v2-unix", BYTES(SIGNATURE "\x21\x31\0\x0c" V4_ADDRESSES), PROXY_INVALID,
     NULL, NULL},
    {"v2-version-1", BYTES(SIGNATURE "\x11\x11\0\x0c" V4_ADDRESSES),
     PROXY_INVALID, NULL, NULL},
    {"v2-command-2", BYTES(SIGNATURE "\x22\x11\0\x0c" V4_ADDRESSES),
     PROXY_INVALID, NULL, NULL},
    {"v2-short-addresses", BYTES(SIGNATURE "\x21\x11\0\x0b" V4_ADDRESSES),
     PROXY_INVALID, NULL, NULL},
    {"v2-ipv4-addresses-as-ipv6",
     BYTES(SIGNATURE "\x21\x21\0\x0c" V4_ADDRESSES), PROXY_INVALID, NULL, NULL},
    {"v2-too-long", BYTES(SIGNATURE "\x21\x11\x10\x01"), PROXY_INVALID, NULL,
     NULL},
};

static ProxyStatus
parse(const char *bytes, size_t length, Endpoint *from, Endpoint *to,
      size_t *taken)
{
    g_autofree char *exact = g_memdup2(bytes, length);
    return proxy_parse(exact, length, from, to, taken);
}

/* What follows is not touched, and nothing less is enough. */
static void
test_row(gconstpointer data)
{
    const Row *row = data;
    Endpoint from = {0}, to = {0};
    size_t taken = 0;
    g_autoptr(GString) more = g_string_new_len(row->bytes, (gssize)row->length);
    g_string_append(more, "EHLO x\r\n");
    g_assert_cmpint(parse(more->str, more->len, &from, &to, &taken), ==,
                    row->status);
    if (row->status == PROXY_INVALID)
        return;
    g_assert_cmpuint(taken, ==, row->length);
    for (size_t cut = 0; cut < row->length; cut++)
        g_assert_cmpint(parse(row->bytes, cut, &from, &to, &taken), ==,
                        PROXY_MORE);
    if (row->source == NULL)
        return;
    g_autofree char *source = endpoint_format(&from);
    g_autofree char *destination = endpoint_format(&to);
    g_assert_cmpstr(source, ==, row->source);
    g_assert_cmpstr(destination, ==, row->destination);
}

static void
test_no_line_end_is_no_header(void)
{
    Endpoint from, to;
    size_t taken;
    g_autoptr(GString) text = g_string_new("PROXY UNKNOWN ");
    while (text->len < PROXY_V1_LIMIT - 1)
        g_string_append_c(text, 'x');
    g_assert_cmpint(parse(text->str, text->len, &from, &to, &taken), ==,
                    PROXY_MORE);
    g_string_append_c(text, 'x');
    g_assert_cmpint(parse(text->str, text->len, &from, &to, &taken), ==,
                    PROXY_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/wire/proxy/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/wire/proxy/v1-without-line-end-is-no-header",
                    test_no_line_end_is_no_header);
    return g_test_run();
}
