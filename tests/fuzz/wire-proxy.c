/* wire-proxy.c: fuzzes the PROXY header: more octets change nothing about what
 * is decided, and what is understood can be said again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/proxy-protocol.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static ProxyStatus
parse(const uint8_t *bytes, size_t length, ProxyHeader *header, size_t *taken)
{
    g_autofree char *exact = g_memdup2(bytes, length);
    return proxy_parse(exact, length, header, taken);
}

/* As version 1, where both are of one family. */
static void
check_again(const ProxyHeader *header)
{
    char source[IP_TEXT_SIZE], destination[IP_TEXT_SIZE];
    const Endpoint *from = &header->source, *to = &header->destination;
    ProxyHeader again;
    size_t taken = 0;
    if (ip_is_v4(&from->ip) != ip_is_v4(&to->ip))
        return;
    g_autofree char *line = g_strdup_printf(
        "PROXY TCP%c %s %s %u %u\r\n", ip_is_v4(&from->ip) ? '4' : '6',
        ip_format(&from->ip, source), ip_format(&to->ip, destination),
        from->port, to->port);
    g_assert_cmpint(parse((const uint8_t *)line, strlen(line), &again, &taken),
                    ==, PROXY_OK);
    g_assert_cmpuint(taken, ==, strlen(line));
    g_assert_true(ip_equal(&from->ip, &again.source.ip));
    g_assert_true(ip_equal(&to->ip, &again.destination.ip));
    g_assert_cmpuint(from->port, ==, again.source.port);
    g_assert_cmpuint(to->port, ==, again.destination.port);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    ProxyHeader header = {0}, before;
    size_t taken = 0;
    ProxyStatus status = parse(bytes, length, &header, &taken);
    gboolean understood = status == PROXY_OK || status == PROXY_LOCAL;
    g_assert_cmpuint(taken, <=, length);
    g_assert_true((taken > 0) == understood);
    if (status == PROXY_OK)
        check_again(&header);
    if (understood)
        g_assert_cmpint(parse(bytes, taken - 1, &before, &taken), ==,
                        PROXY_MORE);
    proxy_tls_clear(&header.tls);
    if (status == PROXY_MORE)
        g_assert_cmpuint(length, <, 16 + PROXY_V2_LIMIT);
    return 0;
}
