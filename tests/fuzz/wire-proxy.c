/* wire-proxy.c: fuzzes the PROXY header: more octets change nothing about what
 * is decided, and what is understood can be said again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/proxy-protocol.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static ProxyStatus
parse(const uint8_t *bytes, size_t length, Endpoint *from, Endpoint *to,
      size_t *taken)
{
    g_autofree char *exact = g_memdup2(bytes, length);
    return proxy_parse(exact, length, from, to, taken);
}

/* As version 1, where both are of one family. */
static void
check_again(const Endpoint *from, const Endpoint *to)
{
    char source[IP_TEXT_SIZE], destination[IP_TEXT_SIZE];
    Endpoint again_from, again_to;
    size_t taken = 0;
    if (ip_is_v4(&from->ip) != ip_is_v4(&to->ip))
        return;
    g_autofree char *line = g_strdup_printf(
        "PROXY TCP%c %s %s %u %u\r\n", ip_is_v4(&from->ip) ? '4' : '6',
        ip_format(&from->ip, source), ip_format(&to->ip, destination),
        from->port, to->port);
    g_assert_cmpint(parse((const uint8_t *)line, strlen(line), &again_from,
                          &again_to, &taken),
                    ==, PROXY_OK);
    g_assert_cmpuint(taken, ==, strlen(line));
    g_assert_true(ip_equal(&from->ip, &again_from.ip));
    g_assert_true(ip_equal(&to->ip, &again_to.ip));
    g_assert_cmpuint(from->port, ==, again_from.port);
    g_assert_cmpuint(to->port, ==, again_to.port);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    Endpoint from = {0}, to = {0}, before;
    size_t taken = 0;
    ProxyStatus status = parse(bytes, length, &from, &to, &taken);
    gboolean understood = status == PROXY_OK || status == PROXY_LOCAL;
    g_assert_cmpuint(taken, <=, length);
    g_assert_true((taken > 0) == understood);
    if (status == PROXY_OK)
        check_again(&from, &to);
    if (understood)
        g_assert_cmpint(parse(bytes, taken - 1, &before, &before, &taken), ==,
                        PROXY_MORE);
    if (status == PROXY_MORE)
        g_assert_cmpuint(length, <, 16 + PROXY_V2_LIMIT);
    return 0;
}
