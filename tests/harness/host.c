/* host.c: the host's function table, without a host.
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

static HarnessCall *
call_get(FilterdCall *call)
{
    return (HarnessCall *)((char *)call - offsetof(HarnessCall, call));
}

/* ---- facts -------------------------------------------------------------- */

static void
host_publish(FilterdCall *call, unsigned fact, FilterdValue value)
{
    HarnessCall *self = call_get(call);
    Harness *harness = self->harness;
    const FilterdFact *row = &harness->plugin->facts[fact];
    const char *problem = harness_value_problem(&value, row);

    if (self->thread != NULL || self->acting || row->since != self->stage)
        problem = "a hook of another stage";
    else if (harness->facts[fact].type != FILTERD_UNKNOWN)
        problem = "it was published before";
    harness_value_free(&harness->facts[fact]);
    if (problem == NULL) {
        harness->facts[fact] = harness_value_copy(&value);
        return;
    }

    g_autofree char *text =
        g_strdup_printf("publish %s: %s", row->name, problem);

    harness_warning(harness, text);
}

static const FilterdValue *
host_lookup(FilterdCall *call, unsigned need)
{
    return &call_get(call)->harness->needs[need];
}

static void host_log(FilterdCall *call, FilterdLogLevel level,
                     const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
host_log(FilterdCall *call, FilterdLogLevel level, const char *format, ...)
{
    va_list arguments;
    g_autofree char *text = NULL;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (level == FILTERD_LOG_WARNING)
        harness_warning(call_get(call)->harness, text);
    else
        g_test_message("%s", text);
}

/* ---- DNS ---------------------------------------------------------------- */

/* FALSE: it was asked before. */
static gboolean
question_note(Harness *harness, const char *name, FilterdDnsType type)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    g_autofree char *line = g_strconcat(zone_type_name(type), " ", lower, NULL);

    if (g_ptr_array_find_with_equal_func(harness->questions, line, g_str_equal,
                                         NULL))
        return FALSE;
    g_ptr_array_add(harness->questions, g_steal_pointer(&line));
    return TRUE;
}

static const FilterdDnsAnswer *
host_dns(FilterdCall *call, const char *name, FilterdDnsType type)
{
    static const FilterdDnsAnswer cancelled = {.status = FILTERD_DNS_CANCELLED};
    HarnessCall *self = call_get(call);

    if (self->harness->stopping)
        return &cancelled;

    const FilterdDnsAnswer *answer =
        zone_ask(self->harness->zone, self->arena, name, type);

    if (answer->status != FILTERD_DNS_BADNAME
        && question_note(self->harness, name, type))
        self->harness->waits++;
    return answer;
}

static void
host_prefetch(FilterdCall *call, const char *name, FilterdDnsType type)
{
    HarnessCall *self = call_get(call);

    if (zone_ask(self->harness->zone, self->arena, name, type)->status
        != FILTERD_DNS_BADNAME)
        question_note(self->harness, name, type);
}

/* ---- store -------------------------------------------------------------- */

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
    for (gsize i = 0; facts[i].name != NULL; i++)
        if (facts[i].since == self->stage
            && (facts[i].flags & FILTERD_EFFECT) != 0)
            return;
    g_test_fail_printf("writes to the store in a hook without FILTERD_EFFECT");
}

static FilterdStoreStatus
host_store_get(FilterdCall *call, const char *key, const char **value,
               size_t *length)
{
    HarnessCall *self = call_get(call);

    self->harness->store_reads++;
    if (self->harness->store_fails)
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

static FilterdStoreStatus
host_store_put(FilterdCall *call, const char *key, const char *value,
               size_t length, int64_t lifetime)
{
    HarnessCall *self = call_get(call);

    effect_check(self);
    self->harness->store_writes++;
    if (self->harness->store_fails)
        return FILTERD_STORE_FAILED;
    entry_write(self->harness, key, value, length, lifetime);
    return FILTERD_STORE_OK;
}

static FilterdStoreStatus
host_store_add(FilterdCall *call, const char *key, int64_t delta,
               int64_t lifetime, int64_t *sum)
{
    HarnessCall *self = call_get(call);

    effect_check(self);
    self->harness->store_writes++;
    if (self->harness->store_fails)
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

/* ---- results and requests ----------------------------------------------- */

static void
method_check(const FilterdPlugin *plugin, const char *method)
{
    for (const FilterdMethod *row = plugin->methods;
         row != NULL && row->method != NULL; row++)
        if (strcmp(row->method, method) == 0)
            return;
    g_test_fail_printf("authres of a method without a row: %s", method);
}

static void
host_authres(FilterdCall *call, const char *method, const char *result,
             const char *comment, const FilterdProperty *properties,
             size_t length)
{
    HarnessCall *self = call_get(call);
    GString *text = g_string_new(NULL);
    HarnessLine *line = g_new0(HarnessLine, 1);

    method_check(self->harness->plugin, method);
    g_string_append_printf(text, "%s=%s", method, result);
    if (comment != NULL)
        g_string_append_printf(text, " (%s)", comment);
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(text, " %s.%s=%s", properties[i].ptype,
                               properties[i].property, properties[i].value);
    if (strpbrk(text->str, "\r\n") != NULL)
        g_test_fail_printf("CR or LF in authres: %s", text->str);
    line->stage = self->stage;
    line->text = g_string_free(text, FALSE);
    g_ptr_array_add(self->harness->authres, line);
}

static const struct {
    const char *verb;
    gboolean named;
    gboolean valued;
} edit_kinds[] = {
    [FILTERD_ADD_HEADER] = {"add-header", TRUE, TRUE},
    [FILTERD_CHANGE_HEADER] = {"change-header", TRUE, TRUE},
    [FILTERD_REMOVE_HEADER] = {"remove-header", TRUE, FALSE},
    [FILTERD_SET_SENDER] = {"set-sender", FALSE, TRUE},
    [FILTERD_ADD_RECIPIENT] = {"add-recipient", FALSE, TRUE},
    [FILTERD_REMOVE_RECIPIENT] = {"remove-recipient", FALSE, TRUE},
    [FILTERD_REPLACE_BODY] = {"replace-body", FALSE, TRUE},
    [FILTERD_QUARANTINE] = {"quarantine", FALSE, TRUE},
};

static void
host_edit(FilterdCall *call, const FilterdEdit *edit)
{
    GString *line = g_string_new(edit_kinds[edit->kind].verb);

    if ((call_get(call)->harness->plugin->edits & 1U << edit->kind) == 0)
        g_error("`edits` of the plugin's table leaves out: %s", line->str);

    if (edit_kinds[edit->kind].named)
        g_string_append_printf(line, " %s", edit->name);
    if (edit_kinds[edit->kind].valued)
        g_string_append_printf(line, "%s %s",
                               edit_kinds[edit->kind].named ? ":" : "",
                               edit->value);
    g_string_replace(line, "\r", "\\r", 0);
    g_string_replace(line, "\n", "\\n", 0);
    g_ptr_array_add(call_get(call)->harness->edits, g_string_free(line, FALSE));
}

static void
host_count(FilterdCall *call, unsigned metric, const char *label, int64_t delta)
{
    Harness *harness = call_get(call)->harness;
    const FilterdMetric *row = &harness->plugin->metrics[metric];
    g_autofree char *name =
        g_strconcat(row->name, label ? " " : "", label, NULL);
    int64_t *sum = g_hash_table_lookup(harness->metrics, name);

    if ((row->label == NULL) != (label == NULL))
        g_test_fail_printf("count %s: a label where there is none, or none",
                           row->name);
    if (delta < 0 && (row->flags & FILTERD_GAUGE) == 0)
        g_test_fail_printf("count %s: a counter goes down", row->name);
    if (sum == NULL) {
        sum = g_new0(int64_t, 1);
        g_hash_table_insert(harness->metrics, g_steal_pointer(&name), sum);
    }
    *sum += delta;
}

static void
host_blame(FilterdCall *call, const char *option, size_t index)
{
    Harness *harness = call_get(call)->harness;
    const FilterdOption *row = harness->plugin->options;

    while (row != NULL && row->name != NULL && strcmp(row->name, option) != 0)
        row++;
    if (row == NULL || row->name == NULL)
        g_test_fail_printf("blame: no option %s", option);
    g_free(harness->blamed);
    harness->blamed = g_strdup_printf("%s %zu: ", option, index);
}

/* ---- time and memory ---------------------------------------------------- */

static int64_t
host_now(FilterdCall *call)
{
    return call_get(call)->harness->clock;
}

static bool
host_offload(FilterdCall *call, void (*work)(void *data), void *data)
{
    (void)call;
    work(data);
    return true;
}

static void *
host_allocate(FilterdCall *call, size_t size)
{
    void *memory = g_malloc0(MAX(size, 1));

    g_ptr_array_add(call_get(call)->arena, memory);
    return memory;
}

/* ---- spawned ------------------------------------------------------------
 * Each has a thread, of which never more than one runs, nor while the test
 * does: fibers, as far as a plugin can tell. */

#define SPAWNED_LIMIT                                       \
    100000 /* times that one wakes while the clock advances \
            */

static void
turn_give(Harness *harness, HarnessCall *next)
{
    harness->running = next;
    g_cond_broadcast(&harness->turn);
}

static void
turn_wait(Harness *harness, const HarnessCall *self)
{
    while (harness->running != self)
        g_cond_wait(&harness->turn, &harness->mutex);
}

static bool
host_sleep(FilterdCall *call, int64_t milliseconds)
{
    HarnessCall *self = call_get(call);
    Harness *harness = self->harness;

    if (self->thread == NULL) {
        harness->clock += milliseconds;
        return true;
    }
    g_ptr_array_set_size(self->arena, 0);
    self->due = harness->clock + milliseconds;
    g_mutex_lock(&harness->mutex);
    turn_give(harness, NULL);
    turn_wait(harness, self);
    g_mutex_unlock(&harness->mutex);
    return !harness->stopping;
}

static gpointer
spawned_main(gpointer pointer)
{
    HarnessCall *self = pointer;
    Harness *harness = self->harness;

    g_mutex_lock(&harness->mutex);
    turn_wait(harness, self);
    g_mutex_unlock(&harness->mutex);
    self->run(&self->call, self->data);
    g_ptr_array_set_size(self->arena, 0);
    g_mutex_lock(&harness->mutex);
    self->ended = TRUE;
    turn_give(harness, NULL);
    g_mutex_unlock(&harness->mutex);
    return NULL;
}

static void
spawned_resume(Harness *harness, HarnessCall *spawned)
{
    if (spawned->thread == NULL)
        spawned->thread = g_thread_new("spawned", spawned_main, spawned);
    g_mutex_lock(&harness->mutex);
    turn_give(harness, spawned);
    turn_wait(harness, NULL);
    g_mutex_unlock(&harness->mutex);
}

static HarnessCall *
spawned_next(Harness *harness, int64_t until)
{
    HarnessCall *next = NULL;

    for (guint i = 0; i < harness->spawned->len; i++) {
        HarnessCall *spawned = harness->spawned->pdata[i];

        if (!spawned->ended && spawned->due <= until
            && (next == NULL || spawned->due < next->due))
            next = spawned;
    }
    return next;
}

void
harness_run_spawned(Harness *harness, int64_t until)
{
    int rounds = 0;

    for (HarnessCall *next; (next = spawned_next(harness, until)) != NULL;) {
        harness->clock = MAX(harness->clock, next->due);
        spawned_resume(harness, next);
        if (++rounds > SPAWNED_LIMIT)
            g_error("a spawned function does not sleep");
    }
}

void
harness_stop_spawned(Harness *harness)
{
    harness->stopping = TRUE;
    for (guint i = 0; i < harness->spawned->len; i++) {
        HarnessCall *spawned = harness->spawned->pdata[i];

        if (spawned->thread == NULL)
            continue;
        if (!spawned->ended)
            spawned_resume(harness, spawned);
        if (!spawned->ended)
            g_error("a spawned function goes on when cancelled");
        g_thread_join(spawned->thread);
    }
}

static void
host_spawn(FilterdCall *call, void (*run)(FilterdCall *call, void *data),
           void *data)
{
    const HarnessCall *self = call_get(call);
    HarnessCall *spawned = g_new0(HarnessCall, 1);

    spawned->call = self->call;
    spawned->call.session = NULL;
    spawned->call.message = NULL;
    spawned->harness = self->harness;
    spawned->arena = g_ptr_array_new_with_free_func(g_free);
    spawned->run = run;
    spawned->data = data;
    g_ptr_array_add(self->harness->spawned, spawned);
}

const FilterdHost harness_host = {
    .size = sizeof(FilterdHost),
    .publish = host_publish,
    .lookup = host_lookup,
    .log = host_log,
    .dns = host_dns,
    .prefetch = host_prefetch,
    .store_get = host_store_get,
    .store_put = host_store_put,
    .store_add = host_store_add,
    .authres = host_authres,
    .edit = host_edit,
    .now = host_now,
    .sleep = host_sleep,
    .offload = host_offload,
    .spawn = host_spawn,
    .allocate = host_allocate,
    .count = host_count,
    .blame = host_blame,
};
