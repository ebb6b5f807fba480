/* ip.c: addresses and networks. (RFC 4291, RFC 4632)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/ip.h"

#include "filterd/base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define MAPPED_BITS 96

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

FilterdIp
ip_from_v4(struct in_addr address)
{
    FilterdIp ip = {.prefix = 128};

    memcpy(ip.bytes, mapped, sizeof(mapped));
    memcpy(ip.bytes + sizeof(mapped), &address, sizeof(address));
    return ip;
}

FilterdIp
ip_from_v6(const struct in6_addr *address)
{
    FilterdIp ip = {.prefix = 128};

    memcpy(ip.bytes, address, sizeof(ip.bytes));
    return ip;
}

gboolean
ip_parse(const char *text, FilterdIp *ip)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, text, &v4) == 1)
        *ip = ip_from_v4(v4);
    else if (inet_pton(AF_INET6, text, &v6) == 1)
        *ip = ip_from_v6(&v6);
    else
        return FALSE;
    return TRUE;
}

/* Of 128 bits. */
static FilterdIp
keep_bits(const FilterdIp *ip, unsigned bits)
{
    FilterdIp network = {.prefix = (uint8_t)bits};
    unsigned whole = bits / 8;

    memcpy(network.bytes, ip->bytes, whole);
    if (bits % 8 != 0)
        network.bytes[whole] = ip->bytes[whole] & (0xff00 >> bits % 8);
    return network;
}

/* The address before a slash. */
static gboolean
parse_before(const char *text, const char *slash, FilterdIp *ip)
{
    char address[IP_TEXT_SIZE];

    if ((size_t)(slash - text) >= sizeof(address))
        return FALSE;
    g_strlcpy(address, text, (size_t)(slash - text) + 1);
    return ip_parse(address, ip);
}

gboolean
ip_parse_network(const char *text, FilterdIp *ip)
{
    const char *slash = strchr(text, '/');
    FilterdIp parsed;
    int64_t bits;

    if (slash == NULL)
        return ip_parse(text, ip);
    gboolean dotted = memchr(text, ':', (size_t)(slash - text)) == NULL;
    if (!parse_before(text, slash, &parsed)
        || !text_parse_int(slash + 1, 0, dotted ? 32 : 128, &bits))
        return FALSE;
    *ip = keep_bits(&parsed, (unsigned)bits + (dotted ? MAPPED_BITS : 0));
    return TRUE;
}

gboolean
ip_has_host_bits(const char *text)
{
    const char *slash = strchr(text, '/');
    FilterdIp whole, network;

    return slash != NULL && parse_before(text, slash, &whole)
           && ip_parse_network(text, &network)
           && memcmp(whole.bytes, network.bytes, sizeof(whole.bytes)) != 0;
}

gboolean
ip_is_v4(const FilterdIp *ip)
{
    return ip->prefix >= MAPPED_BITS
           && memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

static char *
put_octet(char *at, unsigned octet)
{
    if (octet >= 100)
        *at++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *at++ = (char)('0' + octet / 10 % 10);
    *at++ = (char)('0' + octet % 10);
    return at;
}

/* Not inet_ntop(), which is a printf: every line about a client has one. */
static void
format_v4(const uint8_t octets[4], char *text)
{
    for (unsigned i = 0; i < 4; i++) {
        text = put_octet(text, octets[i]);
        *text++ = i < 3 ? '.' : '\0';
    }
}

const char *
ip_format(const FilterdIp *ip, char *text)
{
    unsigned prefix = ip->prefix;

    if (ip_is_v4(ip)) {
        format_v4(ip->bytes + sizeof(mapped), text);
        prefix -= MAPPED_BITS;
    } else {
        inet_ntop(AF_INET6, ip->bytes, text, IP_TEXT_SIZE);
    }
    if (ip->prefix != 128) {
        size_t length = strlen(text);

        g_snprintf(text + length, IP_TEXT_SIZE - length, "/%u", prefix);
    }
    return text;
}

int
ip_compare(const FilterdIp *a, const FilterdIp *b)
{
    int order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));

    return order != 0 ? order : (int)a->prefix - (int)b->prefix;
}

gboolean
ip_equal(const FilterdIp *a, const FilterdIp *b)
{
    return ip_compare(a, b) == 0;
}

gboolean
ip_contains(const FilterdIp *network, const FilterdIp *ip)
{
    FilterdIp kept;

    if (ip->prefix < network->prefix || ip_is_v4(ip) != ip_is_v4(network))
        return FALSE;
    kept = keep_bits(ip, network->prefix);
    return ip_equal(&kept, network);
}

gboolean
ip_within(const FilterdArray *networks, const FilterdIp *ip)
{
    const FilterdIp *items = networks->items;
    for (size_t i = 0; i < networks->length; i++)
        if (ip_contains(&items[i], ip))
            return TRUE;
    return FALSE;
}

FilterdIp
ip_mask(const FilterdIp *ip, unsigned bits)
{
    if (ip_is_v4(ip))
        bits += MAPPED_BITS;
    return keep_bits(ip, MIN(bits, ip->prefix));
}

char *
ip_reverse_name(const FilterdIp *ip, const char *suffix)
{
    g_autoptr(GString) name = g_string_new(NULL);
    size_t first = ip_is_v4(ip) ? sizeof(mapped) : 0;

    for (size_t i = sizeof(ip->bytes); i-- > first;) {
        if (first > 0)
            g_string_append_printf(name, "%u.", ip->bytes[i]);
        else
            g_string_append_printf(name, "%x.%x.", ip->bytes[i] & 15,
                                   ip->bytes[i] >> 4);
    }
    if (suffix != NULL)
        g_string_append(name, suffix);
    else
        g_string_truncate(name, name->len - 1);
    return g_string_free(g_steal_pointer(&name), FALSE);
}

char *
ip_ptr_name(const FilterdIp *ip)
{
    return ip_reverse_name(ip, ip_is_v4(ip) ? "in-addr.arpa" : "ip6.arpa");
}
