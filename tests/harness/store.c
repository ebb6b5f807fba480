/* store.c: the store of one instance.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

#define KEY_LIMIT 512
#define VALUE_LIMIT 65536

typedef struct Entry {
    char *bytes;
    size_t length;
    int64_t expires; /* 0: never */
} Entry;

static void
entry_free(gpointer pointer)
{
    Entry *entry = pointer;

    g_free(entry->bytes);
    g_free(entry);
}

GHashTable *
harness_store_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
}

static Entry *
entry_find(Harness *harness, const char *key)
{
    Entry *entry = g_hash_table_lookup(harness->store, key);

    if (strlen(key) == 0 || strlen(key) > KEY_LIMIT)
        g_test_fail_printf("a store key of %zu octets", strlen(key));
    if (entry == NULL || entry->expires == 0 || entry->expires > harness->clock)
        return entry;
    g_hash_table_remove(harness->store, key);
    return NULL;
}

static void
entry_write(Harness *harness, const char *key, const char *value, size_t length,
            int64_t lifetime)
{
    Entry *entry = entry_find(harness, key);

    if (length > VALUE_LIMIT)
        g_test_fail_printf("a store value of %zu octets", length);
    if (entry == NULL) {
        entry = g_new0(Entry, 1);
        g_hash_table_insert(harness->store, g_strdup(key), entry);
    }
    g_free(entry->bytes);
    entry->bytes = g_memdup2(value, length);
    entry->length = length;
    if (lifetime > 0)
        entry->expires = harness->clock + lifetime;
}

void
harness_store_spoil(Harness *harness, const char *text)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, harness->store);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Entry *entry = value;

        g_free(entry->bytes);
        entry->bytes = g_strdup(text);
        entry->length = strlen(text);
    }
}

const char *
harness_store(Harness *harness)
{
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(harness->store),
                                        (GCompareFunc)strcmp);

    g_string_truncate(harness->text, 0);
    for (const GList *at = keys; at != NULL; at = at->next) {
        const Entry *entry = g_hash_table_lookup(harness->store, at->data);

        g_string_append_printf(harness->text, "%s%s = %.*s",
                               at == keys ? "" : "\n", (char *)at->data,
                               (int)entry->length, entry->bytes);
    }
    return harness->text->str;
}

/* Only hooks whose facts say so may write. */
static void
effect_check(const HarnessCall *self)
{
    const FilterdFact *facts = self->harness->plugin->facts;

    if (self->thread != NULL || self->acting)
        return;
    for (gsize i = 0; facts != NULL && facts[i].name != NULL; i++)
        if (facts[i].since == self->stage
            && (facts[i].flags & FILTERD_EFFECT) != 0)
            return;
    g_test_fail_printf("writes to the store in a hook without FILTERD_EFFECT");
}

/* Whether that call fails, by fault or by decree. */
static gboolean
call_fails(HarnessCall *self, const char *function, const char *key)
{
    HarnessFault fault =
        harness_pass(self, HARNESS_AT_STORE, "%s %s", function, key);

    if (fault == HARNESS_STORE_DEAD)
        self->harness->store_fails = TRUE;
    return fault != HARNESS_NO_FAULT || self->harness->store_fails;
}

FilterdStoreStatus
harness_host_store_get(FilterdCall *call, const char *key, const char **value,
                       size_t *length)
{
    HarnessCall *self = harness_call_get(call);

    self->harness->store_reads++;
    if (call_fails(self, "store_get", key))
        return FILTERD_STORE_FAILED;

    const Entry *entry = entry_find(self->harness, key);

    if (entry == NULL)
        return FILTERD_STORE_ABSENT;

    char *copy = g_malloc0(entry->length + 1);

    memcpy(copy, entry->bytes ? entry->bytes : "", entry->length);
    g_ptr_array_add(self->arena, copy);
    *value = copy;
    *length = entry->length;
    return FILTERD_STORE_OK;
}

FilterdStoreStatus
harness_host_store_put(FilterdCall *call, const char *key, const char *value,
                       size_t length, int64_t lifetime)
{
    HarnessCall *self = harness_call_get(call);

    effect_check(self);
    self->harness->store_writes++;
    if (call_fails(self, "store_put", key))
        return FILTERD_STORE_FAILED;
    entry_write(self->harness, key, value, length, lifetime);
    return FILTERD_STORE_OK;
}

FilterdStoreStatus
harness_host_store_add(FilterdCall *call, const char *key, int64_t delta,
                       int64_t lifetime, int64_t *sum)
{
    HarnessCall *self = harness_call_get(call);

    effect_check(self);
    self->harness->store_writes++;
    if (call_fails(self, "store_add", key))
        return FILTERD_STORE_FAILED;

    const Entry *entry = entry_find(self->harness, key);
    g_autofree char *old =
        entry ? g_strndup(entry->bytes, entry->length) : NULL;
    int64_t total = (old ? g_ascii_strtoll(old, NULL, 10) : 0) + delta;
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, total);

    entry_write(self->harness, key, text, strlen(text), lifetime);
    if (sum != NULL)
        *sum = total;
    return FILTERD_STORE_OK;
}
