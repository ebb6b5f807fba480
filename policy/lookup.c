/* lookup.c: a set of values, or a map from them, that may be large.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One hash table. An address is looked up once for each prefix length that
 * occurs, longest first; a domain once for itself and once for each ancestor.
 */
#include "policy/lookup.h"

#include "filterd/base/ip.h"
#include "filterd/base/value.h"
#include "policy/arena.h"

#include <stdlib.h>
#include <string.h>

#define PREFIXES 129
#define PREFIX_V4 96

struct Lookup {
    FilterdType type;
    GHashTable *entries;
    Arena arena;
    unsigned char prefixes[PREFIXES]; /* that occur, longest first */
    unsigned prefix_count;
    gboolean below; /* a key is `.example.com` */
};

static const FilterdValue present = {.type = FILTERD_UNKNOWN};

static guint
text_hash(gconstpointer key)
{
    guint hash = 5381;

    for (const char *c = key; *c != '\0'; c++)
        hash = hash * 33 + (guchar)g_ascii_tolower(*c);
    return hash;
}

static gboolean
text_equal(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(a, b) == 0;
}

static guint
ip_hash(gconstpointer key)
{
    const FilterdIp *ip = key;
    guint hash = 2166136261u;

    for (gsize i = 0; i < sizeof(ip->bytes); i++)
        hash = (hash ^ ip->bytes[i]) * 16777619u;
    return (hash ^ ip->prefix) * 16777619u;
}

static gboolean
ip_same(gconstpointer a, gconstpointer b)
{
    const FilterdIp *one = a, *other = b;

    return one->prefix == other->prefix
           && memcmp(one->bytes, other->bytes, sizeof(one->bytes)) == 0;
}

static Lookup *
new_with(FilterdType type, GHashFunc hash, GEqualFunc equal)
{
    Lookup *lookup = g_new0(Lookup, 1);

    lookup->type = type;
    lookup->entries = g_hash_table_new(hash, equal);
    arena_init(&lookup->arena);
    return lookup;
}

Lookup *
lookup_new(FilterdType type)
{
    if (type == FILTERD_IP)
        return new_with(type, ip_hash, ip_same);
    if (type == FILTERD_INT || type == FILTERD_DURATION)
        return new_with(type, g_int64_hash, g_int64_equal);
    return new_with(type, text_hash, text_equal);
}

Lookup *
lookup_new_exact(void)
{
    return new_with(FILTERD_TEXT, g_str_hash, g_str_equal);
}

void
lookup_free(Lookup *lookup)
{
    g_hash_table_unref(lookup->entries);
    arena_clear(&lookup->arena);
    g_free(lookup);
}

static void
note_prefix(Lookup *lookup, unsigned char prefix)
{
    unsigned i = 0;

    while (i < lookup->prefix_count && lookup->prefixes[i] > prefix)
        i++;
    if (i < lookup->prefix_count && lookup->prefixes[i] == prefix)
        return;
    memmove(lookup->prefixes + i + 1, lookup->prefixes + i,
            lookup->prefix_count - i);
    lookup->prefixes[i] = prefix;
    lookup->prefix_count++;
}

static gconstpointer
key_of(const Lookup *lookup, const FilterdValue *key)
{
    if (lookup->type == FILTERD_IP)
        return &key->ip;
    if (lookup->type == FILTERD_INT || lookup->type == FILTERD_DURATION)
        return &key->integer;
    return key->text;
}

static gpointer
copy_key(Lookup *lookup, const FilterdValue *key)
{
    if (lookup->type == FILTERD_IP)
        return arena_copy(&lookup->arena, &key->ip, sizeof(key->ip));
    if (lookup->type == FILTERD_INT || lookup->type == FILTERD_DURATION)
        return arena_copy(&lookup->arena, &key->integer, sizeof(key->integer));
    return (gpointer)key->text;
}

gboolean
lookup_add(Lookup *lookup, const FilterdValue *key, const FilterdValue *value)
{
    gpointer kept = (gpointer)&present;

    if (g_hash_table_contains(lookup->entries, key_of(lookup, key)))
        return FALSE;
    if (value != NULL)
        kept = arena_copy(&lookup->arena, value, sizeof(*value));
    g_hash_table_insert(lookup->entries, copy_key(lookup, key), kept);
    if (lookup->type == FILTERD_IP)
        note_prefix(lookup, key->ip.prefix);
    else if (lookup->type == FILTERD_DOMAIN && *key->text == '.')
        lookup->below = TRUE;
    return TRUE;
}

static FilterdIp
mask(const FilterdIp *ip, unsigned bits)
{
    FilterdIp network = {.prefix = (uint8_t)bits};

    memcpy(network.bytes, ip->bytes, bits / 8);
    if (bits % 8 != 0)
        network.bytes[bits / 8] =
            ip->bytes[bits / 8] & (uint8_t)(0xff00 >> (bits % 8));
    return network;
}

/* 0.0.0.0/0 holds every IPv4 address, ::/0 none of them. */
static const FilterdValue *
find_ip(const Lookup *lookup, const FilterdIp *ip)
{
    unsigned least = ip_is_v4(ip) ? PREFIX_V4 : 0;

    for (unsigned i = 0; i < lookup->prefix_count; i++) {
        unsigned bits = lookup->prefixes[i];

        if (bits > ip->prefix)
            continue;
        if (bits < least)
            break;
        FilterdIp network = mask(ip, bits);
        const FilterdValue *found =
            g_hash_table_lookup(lookup->entries, &network);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const FilterdValue *
find_domain(const Lookup *lookup, const char *domain)
{
    const FilterdValue *found = g_hash_table_lookup(lookup->entries, domain);
    const char *dot = *domain != '\0' ? strchr(domain + 1, '.') : NULL;

    while (found == NULL && dot != NULL) {
        found = g_hash_table_lookup(lookup->entries, dot);
        dot = strchr(dot + 1, '.');
    }
    return found;
}

const FilterdValue *
lookup_find(const Lookup *lookup, const FilterdValue *key)
{
    if (lookup->type == FILTERD_IP)
        return find_ip(lookup, &key->ip);
    if (lookup->type == FILTERD_DOMAIN)
        return find_domain(lookup, key->text);
    return g_hash_table_lookup(lookup->entries, key_of(lookup, key));
}

unsigned
lookup_size(const Lookup *lookup)
{
    return g_hash_table_size(lookup->entries);
}

/* ---- what changes nothing ----------------------------------------------- */

static void
keep_pair(const char *inner, const char *outer, char **narrow, char **wide)
{
    if (*narrow != NULL)
        return;
    *narrow = g_strdup(inner);
    *wide = g_strdup(outer);
}

static unsigned
covered_domains(const Lookup *lookup, char **narrow, char **wide)
{
    GHashTableIter iter;
    gpointer key, found;
    unsigned count = 0;

    g_hash_table_iter_init(&iter, lookup->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const char *dot =
            *(char *)key != '\0' ? strchr((char *)key + 1, '.') : NULL;

        while (dot != NULL
               && !g_hash_table_lookup_extended(lookup->entries, dot, &found,
                                                NULL))
            dot = strchr(dot + 1, '.');
        if (dot == NULL)
            continue;
        keep_pair(key, found, narrow, wide);
        count++;
    }
    return count;
}

static int
compare_ips(gconstpointer a, gconstpointer b)
{
    return ip_compare(a, b);
}

/* In order a network stands right before what is in it. */
static unsigned
covered_ips(const Lookup *lookup, char **narrow, char **wide)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(FilterdIp));
    GHashTableIter iter;
    gpointer key;
    guint outer = 0;
    unsigned count = 0;

    g_hash_table_iter_init(&iter, lookup->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_array_append_vals(all, key, 1);
    qsort(all->data, all->len, sizeof(FilterdIp), compare_ips);
    for (guint i = 1; i < all->len; i++) {
        const FilterdIp *net = &g_array_index(all, FilterdIp, outer);
        const FilterdIp *ip = &g_array_index(all, FilterdIp, i);
        char inner_text[IP_TEXT_SIZE], outer_text[IP_TEXT_SIZE];

        if (!ip_contains(net, ip)) {
            outer = i;
            continue;
        }
        if (count++ == 0)
            keep_pair(ip_format(ip, inner_text), ip_format(net, outer_text),
                      narrow, wide);
    }
    return count;
}

unsigned
lookup_covered(const Lookup *lookup, char **narrow, char **wide)
{
    if (lookup->type == FILTERD_IP && lookup->prefix_count > 1)
        return covered_ips(lookup, narrow, wide);
    if (lookup->type == FILTERD_DOMAIN && lookup->below)
        return covered_domains(lookup, narrow, wide);
    return 0;
}

unsigned
lookup_lacks(const Lookup *lookup, const Lookup *other)
{
    GHashTableIter iter;
    gpointer key;
    unsigned count = 0;

    g_hash_table_iter_init(&iter, other->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        count += g_hash_table_contains(lookup->entries, key) ? 0 : 1;
    return count;
}

static gboolean
values_equal(const FilterdValue *one, const FilterdValue *other)
{
    g_autoptr(GString) left = g_string_new(NULL);
    g_autoptr(GString) right = g_string_new(NULL);

    value_append(left, one);
    value_append(right, other);
    return g_string_equal(left, right);
}

unsigned
lookup_differs(const Lookup *lookup, const Lookup *other)
{
    GHashTableIter iter;
    gpointer key, value;
    unsigned count = 0;

    g_hash_table_iter_init(&iter, other->entries);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const FilterdValue *ours = g_hash_table_lookup(lookup->entries, key);

        if (ours != NULL && ours != value && !values_equal(ours, value))
            count++;
    }
    return count;
}

void
lookup_each_text(const Lookup *lookup,
                 void (*func)(const char *key, void *data), void *data)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, lookup->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        func(key, data);
}
