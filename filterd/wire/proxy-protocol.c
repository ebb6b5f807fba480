/* proxy-protocol.c: the PROXY header of a load balancer, versions 1 and 2.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/proxy-protocol.h"

#include "filterd/base/text.h"

#include <string.h>

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
#define SIGNATURE_LENGTH 12
#define V2_HEADER 16

/* ---- version 1 ---------------------------------------------------------- */

static gboolean
parse_port(const char *text, uint16_t *port)
{
    int64_t number;
    if (!text_parse_int(text, 0, 65535, &number))
        return FALSE;
    *port = (uint16_t)number;
    return TRUE;
}

/* An IPv4 address may come mapped, as one of TCP6. */
static gboolean
parse_ip(const char *text, gboolean v4, FilterdIp *ip)
{
    return (strchr(text, ':') == NULL) == v4 && ip_parse(text, ip);
}

/* "PROXY TCP4 SOURCE DESTINATION PORT PORT" */
static ProxyStatus
parse_v1_words(char **words, ProxyHeader *header)
{
    unsigned length = g_strv_length(words);
    if (length >= 2 && strcmp(words[1], "UNKNOWN") == 0)
        return PROXY_LOCAL;
    if (length != 6)
        return PROXY_INVALID;
    gboolean v4 = strcmp(words[1], "TCP4") == 0;
    Endpoint from = {0}, to = {0};
    if ((!v4 && strcmp(words[1], "TCP6") != 0)
        || !parse_ip(words[2], v4, &from.ip) || !parse_ip(words[3], v4, &to.ip)
        || !parse_port(words[4], &from.port) || !parse_port(words[5], &to.port))
        return PROXY_INVALID;
    *header = (ProxyHeader){.source = from, .destination = to};
    return PROXY_OK;
}

static ProxyStatus
parse_v1(const char *bytes, size_t length, ProxyHeader *header, size_t *taken)
{
    size_t limit = MIN(length, PROXY_V1_LIMIT);
    const char *end = memchr(bytes, '\n', limit);
    if (end == NULL)
        return length < PROXY_V1_LIMIT ? PROXY_MORE : PROXY_INVALID;
    if (end == bytes || end[-1] != '\r'
        || memchr(bytes, '\0', (size_t)(end - bytes)) != NULL)
        return PROXY_INVALID;
    g_autofree char *line = g_strndup(bytes, (size_t)(end - 1 - bytes));
    g_auto(GStrv) words = g_strsplit(line, " ", 0);
    ProxyStatus status = parse_v1_words(words, header);
    if (status != PROXY_INVALID)
        *taken = (size_t)(end + 1 - bytes);
    return status;
}

/* ---- version 2 ---------------------------------------------------------- */

static uint16_t
read_u16(const char *bytes)
{
    const uint8_t *octets = (const uint8_t *)bytes;
    return (uint16_t)(octets[0] << 8 | octets[1]);
}

static void
parse_v4_addresses(const char *bytes, ProxyHeader *header)
{
    struct in_addr from, to;
    memcpy(&from, bytes, 4);
    memcpy(&to, bytes + 4, 4);
    header->source =
        (Endpoint){.ip = ip_from_v4(from), .port = read_u16(bytes + 8)};
    header->destination =
        (Endpoint){.ip = ip_from_v4(to), .port = read_u16(bytes + 10)};
}

static void
parse_v6_addresses(const char *bytes, ProxyHeader *header)
{
    struct in6_addr from, to;
    memcpy(&from, bytes, 16);
    memcpy(&to, bytes + 16, 16);
    header->source =
        (Endpoint){.ip = ip_from_v6(&from), .port = read_u16(bytes + 32)};
    header->destination =
        (Endpoint){.ip = ip_from_v6(&to), .port = read_u16(bytes + 34)};
}

/* By family and protocol: TCP over IPv4, over IPv6. */
static const struct Family {
    uint8_t code;
    size_t size;
    void (*parse)(const char *bytes, ProxyHeader *header);
} families[] = {
    {0x11, 12, parse_v4_addresses},
    {0x21, 36, parse_v6_addresses},
};

/* The header, whole. */
static ProxyStatus
parse_v2_content(const char *bytes, size_t length, ProxyHeader *header)
{
    uint8_t command = bytes[12] & 15, code = (uint8_t)bytes[13];
    ProxyHeader found = {0};
    if (command == 0 || code == 0)
        return PROXY_LOCAL;
    for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
        const struct Family *family = &families[i];
        size_t tlvs = V2_HEADER + family->size;
        if (family->code != code || length < tlvs
            || !proxy_tlvs_parse(bytes, length, tlvs, &found.tls))
            continue;
        family->parse(bytes + V2_HEADER, &found);
        *header = found;
        return PROXY_OK;
    }
    return PROXY_INVALID;
}

static ProxyStatus
parse_v2(const char *bytes, size_t length, ProxyHeader *header, size_t *taken)
{
    if (length < V2_HEADER)
        return PROXY_MORE;
    uint8_t version = (uint8_t)bytes[12];
    size_t size = read_u16(bytes + 14);
    if (version >> 4 != 2 || (version & 15) > 1 || size > PROXY_V2_LIMIT)
        return PROXY_INVALID;
    if (length < V2_HEADER + size)
        return PROXY_MORE;
    ProxyStatus status = parse_v2_content(bytes, V2_HEADER + size, header);
    if (status != PROXY_INVALID)
        *taken = V2_HEADER + size;
    return status;
}

/* ---- either ------------------------------------------------------------- */

static gboolean
begins(const char *bytes, size_t length, const char *with, size_t size)
{
    return memcmp(bytes, with, MIN(length, size)) == 0;
}

ProxyStatus
proxy_parse(const char *bytes, size_t length, ProxyHeader *header,
            size_t *taken)
{
    if (length == 0)
        return PROXY_MORE;
    if (begins(bytes, length, signature, SIGNATURE_LENGTH))
        return parse_v2(bytes, length, header, taken);
    if (begins(bytes, length, "PROXY ", 6))
        return parse_v1(bytes, length, header, taken);
    return PROXY_INVALID;
}

ProxyStatus
proxy_read(Stream *stream, ProxyHeader *header)
{
    for (;;) {
        size_t length, taken = 0;
        const char *bytes = stream_peek(stream, &length);
        ProxyStatus status = proxy_parse(bytes, length, header, &taken);
        if (status == PROXY_OK || status == PROXY_LOCAL)
            stream_consume(stream, taken);
        if (status != PROXY_MORE)
            return status;
        if (stream_fill(stream) != STREAM_OK)
            return PROXY_MORE;
    }
}
