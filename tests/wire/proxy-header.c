/* proxy-header.c: tests of the PROXY header that we write.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/proxy-header.h"

#include "filterd/base/ip.h"
#include "filterd/wire/proxy-protocol.h"

#include <string.h>

typedef struct Row {
    const char *name, *source, *destination; /* source NULL: nobody */
    const char *v1, *v2;                     /* behind the signature, in hex */
} Row;

static const Row rows[] = {
    {"nobody", NULL, NULL, "PROXY UNKNOWN\r\n", "20000000"},
    {"v4", "192.0.2.1:1234", "198.51.100.2:25",
     "PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r\n",
     "2111000cc0000201c633640204d20019"},
    {"v6", "[2001:db8::1]:65535", "[2001:db8::2]:0",
     "PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n",
     "2121002420010db800000000000000000000000120010db8000000000000000000000002"
     "ffff0000"},
    {"v4-mapped-before-v6", "192.0.2.1:1", "[2001:db8::2]:25",
     "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 25\r\n",
     "2121002400000000000000000000ffffc000020120010db8000000000000000000000002"
     "00010019"},
    {"v6-before-v4-mapped", "[2001:db8::2]:25", "192.0.2.1:1",
     "PROXY TCP6 2001:db8::2 ::ffff:192.0.2.1 25 1\r\n",
     "2121002420010db800000000000000000000000200000000000000000000ffffc0000201"
     "00190001"},
    {"unknown-address-is-not-ours", "[::]:0", "192.0.2.1:25",
     "PROXY TCP6 :: ::ffff:192.0.2.1 0 25\r\n",
     "212100240000000000000000000000000000000000000000000000000000ffffc0000201"
     "00000019"},
};

static Endpoint
endpoint(const char *text)
{
    Endpoint parsed = {0};
    g_assert_true(text == NULL || endpoint_parse(text, ':', &parsed, NULL));
    return parsed;
}

static char *
hex(const GString *bytes, gsize from)
{
    GString *out = g_string_new(NULL);
    for (gsize i = from; i < bytes->len; i++)
        g_string_append_printf(out, "%02x", (guchar)bytes->str[i]);
    return g_string_free(out, FALSE);
}

/* What we write is what we read. */
static void
check_parsed(const Row *row, const GString *header)
{
    ProxyHeader parsed = {0};
    gsize taken = 0;
    ProxyStatus status = proxy_parse(header->str, header->len, &parsed, &taken);
    g_assert_cmpint(status, ==, row->source != NULL ? PROXY_OK : PROXY_LOCAL);
    g_assert_cmpuint(taken, ==, header->len);
    if (row->source == NULL)
        return;
    g_autofree char *source = endpoint_format(&parsed.source);
    g_autofree char *destination = endpoint_format(&parsed.destination);
    g_assert_cmpstr(source, ==, row->source);
    g_assert_cmpstr(destination, ==, row->destination);
}

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    Endpoint from = endpoint(row->source), to = endpoint(row->destination);
    const SmtpIdentity who = {.ip = from.ip,
                              .port = from.port,
                              .local_ip = to.ip,
                              .local_port = to.port};
    const SmtpIdentity *identity = row->source != NULL ? &who : NULL;
    GString *v1 = proxy_header_format(POLICY_IDENTITY_PROXY_V1, identity);
    GString *v2 = proxy_header_format(POLICY_IDENTITY_PROXY_V2, identity);
    g_assert_cmpstr(v1->str, ==, row->v1);
    check_parsed(row, v1);
    g_autofree char *octets = hex(v2, 12);
    g_assert_cmpmem(v2->str, 12, "\r\n\r\n\0\r\nQUIT\n", 12);
    g_assert_cmpstr(octets, ==, row->v2);
    check_parsed(row, v2);
    g_string_free(v1, TRUE);
    g_string_free(v2, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strconcat("/wire/proxy-header/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    return g_test_run();
}
