/* dns-name.c: names that are asked for, as octets with dots between labels.
 * (RFC 1035 2.3.4, 3.1)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-name.h"

#include <string.h>
#include <sys/random.h>

static gboolean
name_is_valid(const char *name, gsize length)
{
    if (length == 0 || length > DNS_NAME_LIMIT)
        return FALSE;
    gsize label = 0;
    for (gsize i = 0; i <= length; i++) {
        if (i < length && name[i] != '.') {
            label++;
            continue;
        }
        if (label == 0 || label > DNS_LABEL_LIMIT)
            return FALSE;
        label = 0;
    }
    return TRUE;
}

/* Of ASCII; a name has too many octets for a call each. */
static char
lower(char octet)
{
    return g_ascii_isupper(octet) ? (char)(octet - 'A' + 'a') : octet;
}

gboolean
dns_key_init(char key[DNS_KEY_SIZE], const char *name, FilterdDnsType type)
{
    gsize length = strnlen(name, DNS_NAME_LIMIT + 2);
    if (length > 0 && name[length - 1] == '.')
        length--;
    if (!name_is_valid(name, length))
        return FALSE;
    key[0] = (char)type;
    for (gsize i = 0; i < length; i++)
        key[1 + i] = lower(name[i]);
    key[1 + length] = '\0';
    return TRUE;
}

FilterdDnsType
dns_key_type(const char *key)
{
    return (FilterdDnsType)(uint8_t)key[0];
}

const char *
dns_key_name(const char *key)
{
    return key + 1;
}

char *
dns_name_format(const char *name)
{
    GString *text = g_string_new(NULL);
    for (const char *c = name; *c != '\0'; c++) {
        if (g_ascii_isalnum(*c) || strchr("-_.", *c) != NULL)
            g_string_append_c(text, *c);
        else
            g_string_append_printf(text, "\\%03u", (uint8_t)*c);
    }
    g_string_append_c(text, '.');
    return g_string_free(text, FALSE);
}

const char *
dns_name_parent(const char *name)
{
    if (*name == '\0')
        return NULL;
    const char *dot = strchr(name, '.');
    return dot != NULL ? dot + 1 : name + strlen(name);
}

/* SipHash-1-3 (Aumasson, Bernstein): without the seed nobody can choose names
 * that fall into one slot. */
typedef struct Sip {
    uint64_t v[4];
} Sip;

static uint64_t
rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void
sip_round(Sip *sip)
{
    uint64_t *v = sip->v;
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void
sip_init(Sip *sip)
{
    static uint64_t seed[2];
    while (seed[0] == 0)
        if (getrandom(seed, sizeof seed, 0) != sizeof seed)
            seed[0] = 0;
    sip->v[0] = seed[0] ^ 0x736f6d6570736575;
    sip->v[1] = seed[1] ^ 0x646f72616e646f6d;
    sip->v[2] = seed[0] ^ 0x6c7967656e657261;
    sip->v[3] = seed[1] ^ 0x7465646279746573;
}

static void
sip_word(Sip *sip, uint64_t word)
{
    sip->v[3] ^= word;
    sip_round(sip);
    sip->v[0] ^= word;
}

unsigned
dns_key_hash(gconstpointer key)
{
    Sip sip;
    sip_init(&sip);
    const char *text = key;
    gsize length = strlen(text);
    gsize at = 0;
    for (uint64_t word; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        sip_word(&sip, word);
    }
    uint64_t last = (uint64_t)length << 56;
    for (unsigned i = 0; at + i < length; i++)
        last |= (uint64_t)(uint8_t)text[at + i] << (8 * i);
    sip_word(&sip, last);
    sip.v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(&sip);
    uint64_t hash = sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
    return (unsigned)(hash ^ hash >> 32);
}
