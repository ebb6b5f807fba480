/* name.c: what stands in front of a list's name. (RFC 5782 2.1, 2.4, 3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/name.h"

#include <stdio.h>
#include <string.h>

#define LABEL_LIMIT 63

#define V4(a, b, c, d, bits)                                     \
    {                                                            \
        .bytes = {[10] = 0xff, [11] = 0xff, (a), (b), (c), (d)}, \
        .prefix = 96 + (bits),                                   \
    }

static const FilterdIp mapped = V4(0, 0, 0, 0, 0);
static const FilterdIp global = {.bytes = {0x20}, .prefix = 3};

/* RFC 6890, without what is for documentation and benchmarks. */
static const FilterdIp special[] = {
    V4(0, 0, 0, 0, 8),      /* this network */
    V4(10, 0, 0, 0, 8),     /* private */
    V4(100, 64, 0, 0, 10),  /* shared, carrier-grade NAT */
    V4(127, 0, 0, 0, 8),    /* loopback */
    V4(169, 254, 0, 0, 16), /* link-local */
    V4(172, 16, 0, 0, 12),  /* private */
    V4(192, 0, 0, 0, 24),   /* protocol assignments */
    V4(192, 168, 0, 0, 16), /* private */
    V4(224, 0, 0, 0, 3),    /* multicast, reserved, broadcast */
};

/* ---- addresses ---------------------------------------------------------- */

static bool
contains(const FilterdIp *network, const FilterdIp *address)
{
    size_t whole = network->prefix / 8;
    int rest = 8 - network->prefix % 8;

    if (address->prefix < network->prefix
        || memcmp(network->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 8
           || network->bytes[whole] >> rest == address->bytes[whole] >> rest;
}

bool
name_is_v4(const FilterdIp *address)
{
    return contains(&mapped, address);
}

bool
name_is_public(const FilterdIp *address)
{
    if (!name_is_v4(address))
        return contains(&global, address);
    for (gsize i = 0; i < G_N_ELEMENTS(special); i++)
        if (contains(&special[i], address))
            return false;
    return true;
}

void
name_of_address(const FilterdIp *address, char prefix[NAME_PREFIX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = address->bytes;
    char *out = prefix;

    if (name_is_v4(address)) {
        snprintf(prefix, NAME_PREFIX_SIZE, "%u.%u.%u.%u", bytes[15], bytes[14],
                 bytes[13], bytes[12]);
        return;
    }
    for (int i = 15; i >= 0; i--) {
        *out++ = digits[bytes[i] & 15];
        *out++ = '.';
        *out++ = digits[bytes[i] >> 4];
        *out++ = i > 0 ? '.' : '\0';
    }
}

/* ---- domains ------------------------------------------------------------ */

static bool
is_label_octet(char octet)
{
    return g_ascii_isalnum(octet) || octet == '-' || octet == '_';
}

bool
name_valid(const char *name)
{
    size_t label = 0, i = 0;

    for (; name[i] != '\0' && i <= NAME_LIMIT; i++) {
        if (name[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!is_label_octet(name[i]) || ++label > LABEL_LIMIT) {
            return false;
        }
    }
    return label > 0 && i <= NAME_LIMIT;
}

/* No top level domain is a number: what ends with one is an address. */
static bool
ends_with_number(const char *dot)
{
    return strspn(dot + 1, "0123456789") == strlen(dot + 1);
}

bool
name_of_domain(const char *text, char domain[NAME_SIZE])
{
    size_t length = strlen(text);

    if (length > 0 && text[length - 1] == '.')
        length--;
    if (length > NAME_LIMIT)
        return false;
    for (size_t i = 0; i < length; i++)
        domain[i] = g_ascii_tolower(text[i]);
    domain[length] = '\0';

    const char *dot = strrchr(domain, '.');

    return dot != NULL && name_valid(domain) && !ends_with_number(dot);
}

psl_ctx_t *
name_suffixes_new(void)
{
    psl_ctx_t *latest = psl_latest(NULL);

    return latest != NULL ? latest : (psl_ctx_t *)psl_builtin();
}

const char *
name_registered(const psl_ctx_t *psl, const char *domain)
{
    const char *registered =
        psl != NULL ? psl_registrable_domain(psl, domain) : NULL;

    return registered != NULL ? registered : domain;
}
