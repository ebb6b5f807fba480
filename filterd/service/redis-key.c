/* redis-key.c: escapes, bounds and CRC16.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-key.h"

#include <stdint.h>
#include <string.h>

/* CRC16 as XMODEM has it: x^16 + x^12 + x^5 + 1, from the highest bit. */
#define POLYNOMIAL 0x1021

/* '#' begins a sum, ':' ends a space, '{' and '}' are for slots. */
static void
append_escaped(GString *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || strchr("%#:{}", *c) != NULL)
            g_string_append_printf(out, "%%%02X", *c);
        else
            g_string_append_c(out, (char)*c);
}

static void
append_bounded(GString *out, const char *text)
{
    gsize start = out->len;
    append_escaped(out, text);
    if (out->len - start <= REDIS_KEY_LIMIT)
        return;
    g_autofree char *sum =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    g_string_truncate(out, start);
    g_string_append_printf(out, "#%s", sum);
}

char *
redis_key_format(const char *prefix, const char *space, const char *key)
{
    GString *out = g_string_new(prefix);
    append_bounded(out, space);
    g_string_append_c(out, ':');
    append_bounded(out, key);
    return g_string_free(out, FALSE);
}

static unsigned
crc16(const char *bytes, gsize length)
{
    uint16_t sum = 0;
    for (gsize i = 0; i < length; i++) {
        sum = (uint16_t)(sum ^ (uint8_t)bytes[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            sum = (uint16_t)(sum << 1 ^ (sum & 0x8000 ? POLYNOMIAL : 0));
    }
    return sum;
}

unsigned
redis_key_slot(const char *key, gsize length)
{
    const char *open = memchr(key, '{', length);
    const char *close =
        open != NULL ? memchr(open, '}', length - (gsize)(open - key)) : NULL;
    if (close != NULL && close > open + 1)
        return crc16(open + 1, (gsize)(close - open - 1)) % REDIS_SLOTS;
    return crc16(key, length) % REDIS_SLOTS;
}
