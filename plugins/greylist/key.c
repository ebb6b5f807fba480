/* key.c: client, sender and recipient as keys of the store. (RFC 6647 2.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/key.h"

#include <string.h>

#define V4_OCTETS 3 /* of a client's address that count */
#define V6_OCTETS 8

static char *
network_format(const FilterdIp *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool four = memcmp(ip->bytes, mapped, sizeof mapped) == 0;
    const uint8_t *bytes = ip->bytes + (four ? sizeof mapped : 0);
    GString *out = g_string_new("n:");

    for (int i = 0; i < (four ? V4_OCTETS : V6_OCTETS); i++)
        g_string_append_printf(out, "%02x", bytes[i]);
    return g_string_free(out, FALSE);
}

static char *
client_format(const KeyAttempt *attempt)
{
    if (attempt->domain != NULL)
        return g_strconcat("d:", attempt->domain, NULL);
    return attempt->client ? network_format(attempt->client) : NULL;
}

static char *
hash(const char *kind, const char *text)
{
    g_autofree char *sum =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    return g_strconcat(kind, sum, NULL);
}

char *
key_client(const KeyAttempt *attempt)
{
    g_autofree char *client = client_format(attempt);

    return client ? hash("client:", client) : NULL;
}

char *
key_triplet(const KeyAttempt *attempt)
{
    g_autofree char *client = client_format(attempt);

    if (client == NULL || attempt->sender == NULL || attempt->recipient == NULL)
        return NULL;

    g_autofree char *all =
        g_strjoin("\n", client, attempt->sender, attempt->recipient, NULL);
    g_autofree char *lower = g_ascii_strdown(all, -1);

    return hash("triplet:", lower);
}
