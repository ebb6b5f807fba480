/* address.c: addresses and networks as text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/address.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_BITS 96

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool
is_v4(const FilterdIp *ip)
{
    return memcmp(ip->bytes, mapped, sizeof mapped) == 0
           && ip->prefix >= V4_BITS;
}

static bool
bit(const FilterdIp *ip, unsigned index)
{
    return (ip->bytes[index / 8] >> (7 - index % 8) & 1) != 0;
}

bool
address_within(const FilterdIp *ip, const FilterdIp *network)
{
    if (ip->prefix < network->prefix)
        return false;
    for (unsigned i = 0; i < network->prefix; i++)
        if (bit(ip, i) != bit(network, i))
            return false;
    return true;
}

static bool
parse_prefix(const char *text, unsigned most, FilterdIp *ip)
{
    guint64 prefix;

    if (!g_ascii_string_to_unsigned(text, 10, 0, most, &prefix, NULL))
        return false;
    ip->prefix = (uint8_t)(128 - most + prefix);
    for (unsigned i = ip->prefix; i < 128; i++)
        if (bit(ip, i))
            return false;
    return true;
}

bool
address_parse(const char *text, FilterdIp *ip)
{
    char host[ADDRESS_TEXT];
    size_t length = strcspn(text, "/");

    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    *ip = (FilterdIp){.prefix = 128};
    unsigned most = strchr(host, ':') != NULL ? 128 : 32;
    memcpy(ip->bytes, mapped, sizeof mapped);
    if (inet_pton(most == 32 ? AF_INET : AF_INET6, host,
                  most == 32 ? ip->bytes + sizeof mapped : ip->bytes)
        != 1)
        return false;
    return text[length] == '\0' || parse_prefix(text + length + 1, most, ip);
}

void
address_format(const FilterdIp *ip, char text[ADDRESS_TEXT])
{
    bool v4 = is_v4(ip);

    inet_ntop(v4 ? AF_INET : AF_INET6,
              v4 ? ip->bytes + sizeof mapped : ip->bytes, text, ADDRESS_TEXT);
    if (ip->prefix < 128)
        g_snprintf(text + strlen(text), ADDRESS_TEXT - strlen(text), "/%u",
                   (unsigned)ip->prefix - (v4 ? V4_BITS : 0));
}
