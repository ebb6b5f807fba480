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

/* ---- TLVs --------------------------------------------------------------- */

#define SSL(bits, verify, parts) bits verify parts
#define GOOD "\0\0\0\0"
#define VERSION "\x21\0\x07TLSv1.3"
#define CIPHER "\x23\0\x16TLS_AES_256_GCM_SHA384"
#define CN "\x22\0\x06mail,x"

typedef struct TlvRow {
    const char *name;
    const char *bytes;
    size_t length;
    gboolean invalid, used, verified;
    const char *version, *cipher, *subject;
} TlvRow;

static const TlvRow tlv_rows[] = {
    {"none", BYTES("")},
    {"of-unknown-types", BYTES("\xe0\0\x01x\x05\0\0\x04\0\x02\0\0")},
    {"tls", BYTES("\x20\0\x28" SSL("\x01", GOOD, VERSION CIPHER)), .used = TRUE,
     .version = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384"},
    {"no-tls", BYTES("\x20\0\x0f" SSL("\0", GOOD, VERSION)),
     .version = "TLSv1.3"},
    {"a-certificate", BYTES("\x20\0\x0e" SSL("\x03", GOOD, CN)), .used = TRUE,
     .verified = TRUE, .subject = "CN=mail\\,x"},
    {"a-certificate-of-the-session", BYTES("\x20\0\x05\x05" GOOD), .used = TRUE,
     .verified = TRUE},
    {"a-certificate-that-failed", BYTES("\x20\0\x05\x03\0\0\0\x12"),
     .used = TRUE},
    {"a-version-with-a-bracket", BYTES("\x20\0\x0a\x01" GOOD "\x21\0\x02x)"),
     .used = TRUE},
    {"a-name-with-lf", BYTES("\x20\0\x0a\x01" GOOD "\x22\0\x02x\n"),
     .used = TRUE},
    {"the-first-of-two-counts",
     BYTES("\x20\0\x0d\x01" GOOD "\x21\0\x01"
           "a\x21\0\x01"
           "b"),
     .used = TRUE, .version = "a"},
    {"longer-than-the-header", BYTES("\x04\0\x03xy"), .invalid = TRUE},
    {"two-octets", BYTES("\x04\0"), .invalid = TRUE},
    {"short-ssl", BYTES("\x20\0\x04\x01\0\0\0"), .invalid = TRUE},
    {"a-part-longer-than-ssl", BYTES("\x20\0\x09\x01" GOOD "\x21\0\x02x"),
     .invalid = TRUE},
    {"the-right-sum", BYTES("\x03\0\x04\xa9\x44\x0d\xc1")},
    {"a-wrong-sum", BYTES("\x03\0\x04\xa9\x44\x0d\xc2"), .invalid = TRUE},
    {"a-short-sum", BYTES("\x03\0\x03\xa9\x44\x0d"), .invalid = TRUE},
};

static ProxyStatus
parse(const char *bytes, size_t length, ProxyHeader *header, size_t *taken)
{
    g_autofree char *exact = g_memdup2(bytes, length);
    return proxy_parse(exact, length, header, taken);
}

/* What follows is not touched, and nothing less is enough. */
static void
test_row(gconstpointer data)
{
    const Row *row = data;
    ProxyHeader header = {0};
    size_t taken = 0;
    g_autoptr(GString) more = g_string_new_len(row->bytes, (gssize)row->length);
    g_string_append(more, "EHLO x\r\n");
    g_assert_cmpint(parse(more->str, more->len, &header, &taken), ==,
                    row->status);
    if (row->status == PROXY_INVALID)
        return;
    g_assert_cmpuint(taken, ==, row->length);
    for (size_t cut = 0; cut < row->length; cut++)
        g_assert_cmpint(parse(row->bytes, cut, &header, &taken), ==,
                        PROXY_MORE);
    if (row->source == NULL)
        return;
    g_autofree char *source = endpoint_format(&header.source);
    g_autofree char *destination = endpoint_format(&header.destination);
    proxy_tls_clear(&header.tls);
    g_assert_cmpstr(source, ==, row->source);
    g_assert_cmpstr(destination, ==, row->destination);
}

static void
test_no_line_end_is_no_header(void)
{
    ProxyHeader header;
    size_t taken;
    g_autoptr(GString) text = g_string_new("PROXY UNKNOWN ");
    while (text->len < PROXY_V1_LIMIT - 1)
        g_string_append_c(text, 'x');
    g_assert_cmpint(parse(text->str, text->len, &header, &taken), ==,
                    PROXY_MORE);
    g_string_append_c(text, 'x');
    g_assert_cmpint(parse(text->str, text->len, &header, &taken), ==,
                    PROXY_INVALID);
}

static void
test_tlv(gconstpointer data)
{
    const TlvRow *row = data;
    ProxyHeader header = {0};
    size_t taken;
    size_t size = 12 + row->length;
    char sizes[] = {(char)(size >> 8), (char)size};
    g_autoptr(GString) bytes = g_string_new_len(BYTES(SIGNATURE "\x21\x11"));
    g_string_append_len(bytes, sizes, 2);
    g_string_append_len(bytes, BYTES(V4_ADDRESSES));
    g_string_append_len(bytes, row->bytes, (gssize)row->length);
    g_assert_cmpint(parse(bytes->str, bytes->len, &header, &taken), ==,
                    row->invalid ? PROXY_INVALID : PROXY_OK);
    g_assert_cmpint(header.tls.used, ==, row->used);
    g_assert_cmpint(header.tls.verified, ==, row->verified);
    g_assert_cmpstr(header.tls.version, ==, row->version);
    g_assert_cmpstr(header.tls.cipher, ==, row->cipher);
    g_assert_cmpstr(header.tls.subject, ==, row->subject);
    proxy_tls_clear(&header.tls);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/wire/proxy/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(tlv_rows); i++) {
        g_autofree char *path =
            g_strconcat("/wire/proxy/tlv/", tlv_rows[i].name, NULL);
        g_test_add_data_func(path, &tlv_rows[i], test_tlv);
    }
    g_test_add_func("/wire/proxy/v1-without-line-end-is-no-header",
                    test_no_line_end_is_no_header);
    return g_test_run();
}
