/* key.c: whose buckets it is about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/ratelimit/key.h"

#include <string.h>

#define MAPPED_BITS 96
#define HASH_DIGITS 32

/* ---- parts -------------------------------------------------------------- */

static void
append_network(GString *out, const Config *config, const FilterdIp *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool four = memcmp(ip->bytes, mapped, sizeof mapped) == 0;
    int64_t bits = four ? MAPPED_BITS + config->network_v4 : config->network_v6;

    for (int i = 0; i < (int)sizeof ip->bytes; i++) {
        int64_t left = CLAMP(bits - 8 * i, 0, 8);

        g_string_append_printf(out, "%02x",
                               ip->bytes[i] & (0xff00 >> left) & 0xff);
    }
}

static void
append_value(GString *out, const Config *config, const FilterdValue *value)
{
    if (value->type == FILTERD_IP) {
        append_network(out, config, &value->ip);
    } else if (value->type == FILTERD_BOOL) {
        g_string_append_c(out, value->boolean ? '1' : '0');
    } else if (value->type == FILTERD_INT || value->type == FILTERD_DURATION) {
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
    } else {
        g_autofree char *lower = g_ascii_strdown(value->text, -1);

        g_string_append(out, lower);
    }
    g_string_append_c(out, '\n');
}

/* ---- whole keys --------------------------------------------------------- */

/* The parts of a key; of the one that is a list, each item makes a key. */
typedef struct Parts {
    const FilterdValue **values;
    size_t length;
    size_t keys;
} Parts;

/* False: one is unknown. */
static bool
look_up(FilterdCall *call, Parts *parts)
{
    for (size_t i = 0; i < parts->length; i++) {
        const FilterdValue *value = call->host->lookup(call, (unsigned)i);

        if (value->type == FILTERD_UNKNOWN)
            return false;
        if (value->type == FILTERD_LIST)
            parts->keys = MIN(value->list.length, KEY_LIMIT);
        parts->values[i] = value;
    }
    return true;
}

static char *
make_one(const Config *config, const Parts *parts, char letter, size_t item)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (size_t i = 0; i < parts->length; i++) {
        const FilterdValue *value = parts->values[i];

        append_value(text, config,
                     value->type == FILTERD_LIST ? &value->list.items[item]
                                                 : value);
    }

    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, -1);

    return g_strdup_printf("%c%.*s", letter, HASH_DIGITS, hash);
}

GPtrArray *
key_make(FilterdCall *call, Kind kind)
{
    static const char letters[] = {[CONNECTIONS] = 'c',
                                   [MESSAGES] = 'm',
                                   [RECIPIENTS] = 'r',
                                   [OCTETS] = 'o'};
    const Config *config = call->config;
    g_autofree const FilterdValue **values =
        g_new0(const FilterdValue *, config->keys.length);
    Parts parts = {.values = values, .length = config->keys.length, .keys = 1};
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

    if (!look_up(call, &parts))
        return keys;
    for (size_t i = 0; i < parts.keys; i++) {
        g_autofree char *key = make_one(config, &parts, letters[kind], i);

        if (!g_ptr_array_find_with_equal_func(keys, key, g_str_equal, NULL))
            g_ptr_array_add(keys, g_steal_pointer(&key));
    }
    return keys;
}
