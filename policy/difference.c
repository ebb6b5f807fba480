/* difference.c: what two compiled files do not have in common: settings, ways
 * in and out, plugins and their options.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/difference.h"

#include "filterd/base/value.h"
#include "policy/option-value.h"
#include "policy/setting-tables.h"

#include <string.h>

void
difference_add(GPtrArray *phrases, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(phrases, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* ---- options ------------------------------------------------------------ */

static void append_option(GString *out, const FilterdOption *row,
                          const void *slot);

static void
append_file(GString *out, const FilterdFile *file)
{
    if (file->path == NULL)
        return;
    g_autofree char *sum = g_compute_checksum_for_data(
        G_CHECKSUM_SHA256, (const guchar *)file->bytes, file->length);
    g_string_append_printf(out, "%s (%.12s)", file->path, sum);
}

static void
append_group(GString *out, const FilterdOption *row, const void *slot)
{
    const char *comma = "";

    for (const FilterdOption *one = row->group; one->name != NULL; one++) {
        g_string_append_printf(out, "%s%s ", comma, one->name);
        append_option(out, one, slot);
        comma = " ";
    }
}

static void
append_integer(GString *out, const FilterdOption *row, int64_t integer)
{
    const FilterdValue value = row->type == FILTERD_DURATION
                                   ? filterd_duration(integer)
                                   : filterd_int(integer);

    value_append(out, &value);
}

static void
append_one(GString *out, const FilterdOption *row, const void *slot)
{
    if (row->type == FILTERD_BOOL) {
        g_string_append(out, *(const bool *)slot ? "on" : "off");
    } else if (row->type == FILTERD_INT || row->type == FILTERD_DURATION) {
        append_integer(out, row, *(const int64_t *)slot);
    } else if (row->type == FILTERD_WORD) {
        g_string_append(out, row->words[*(const int *)slot]);
    } else if (row->type == FILTERD_IP) {
        const FilterdValue value = filterd_ip(*(const FilterdIp *)slot);
        value_append(out, &value);
    } else if (row->type == FILTERD_FILE) {
        append_file(out, slot);
    } else if (row->type == FILTERD_GROUP) {
        append_group(out, row, slot);
    } else {
        const char *text = *(const char *const *)slot;
        g_string_append(out, text != NULL ? text : "");
    }
}

static void
append_option(GString *out, const FilterdOption *row, const void *config)
{
    const char *slot = (const char *)config + row->offset;

    if ((row->flags & FILTERD_MANY) == 0) {
        append_one(out, row, slot);
        return;
    }
    const FilterdArray *array = (const FilterdArray *)(const void *)slot;
    for (size_t i = 0; i < array->length; i++) {
        g_string_append(out, i > 0 ? ", " : "");
        append_one(out, row,
                   (const char *)array->items + i * option_value_size(row));
    }
}

/* What may be told in a log. */
static gboolean
is_open(const FilterdOption *row, gboolean ours)
{
    return ours || row->type == FILTERD_BOOL || row->type == FILTERD_INT
           || row->type == FILTERD_DURATION || row->type == FILTERD_WORD
           || row->type == FILTERD_IP || row->type == FILTERD_FILE;
}

/* "WORD a -> b, WORD changed"; empty: they are the same. */
static void
append_options(GString *out, const FilterdOption *table, const void *old,
               const void *new, gboolean ours)
{
    for (const FilterdOption *row = table; row != NULL && row->name != NULL;
         row++) {
        g_autoptr(GString) before = g_string_new(NULL);
        g_autoptr(GString) behind = g_string_new(NULL);

        append_option(before, row, old);
        append_option(behind, row, new);
        if (g_string_equal(before, behind))
            continue;
        g_string_append_printf(out, "%s%s ", out->len > 0 ? ", " : "",
                               row->name);
        if (is_open(row, ours) && before->len <= DIFFERENCE_VALUE_LIMIT
            && behind->len <= DIFFERENCE_VALUE_LIMIT)
            g_string_append_printf(out, "%s -> %s",
                                   before->len > 0 ? before->str : "nothing",
                                   behind->len > 0 ? behind->str : "nothing");
        else
            g_string_append(out, "changed");
    }
}

static void
add_options(GPtrArray *phrases, const char *whose, const FilterdOption *table,
            const void *old, const void *new)
{
    g_autoptr(GString) words = g_string_new(NULL);

    append_options(words, table, old, new, TRUE);
    if (words->len > 0)
        difference_add(phrases, "%s %s", whose, words->str);
}

/* ---- elements with a name ----------------------------------------------- */

/* What is told of elements of one kind. */
typedef struct Kind {
    char *(*name)(const void *element); /* that both files know it by */
    void (*append)(GString *out, const void *old, const void *new);
} Kind;

/* The n-th by that name; NULL. */
static const void *
find_element(const Kind *kind, const GPtrArray *elements, const char *name,
             unsigned n)
{
    for (guint i = 0; i < elements->len; i++) {
        g_autofree char *other = kind->name(elements->pdata[i]);

        if (strcmp(other, name) == 0 && n-- == 0)
            return elements->pdata[i];
    }
    return NULL;
}

/* How many before it have the same name. */
static unsigned
count_before(const Kind *kind, const GPtrArray *elements, guint index,
             const char *name)
{
    unsigned count = 0;

    for (guint i = 0; i < index; i++) {
        g_autofree char *other = kind->name(elements->pdata[i]);

        count += strcmp(other, name) == 0 ? 1 : 0;
    }
    return count;
}

/* Of those of `from` what the others say; with `changes` also what differs. */
static void
compare_to(GPtrArray *phrases, const Kind *kind, const GPtrArray *from,
           const GPtrArray *others, const char *missing)
{
    for (guint i = 0; i < from->len; i++) {
        g_autofree char *name = kind->name(from->pdata[i]);
        unsigned n = count_before(kind, from, i, name);
        const void *other = find_element(kind, others, name, n);

        if (other == NULL) {
            difference_add(phrases, "%s %s", name, missing);
        } else if (strcmp(missing, "removed") == 0) {
            g_autoptr(GString) words = g_string_new(NULL);

            kind->append(words, from->pdata[i], other);
            if (words->len > 0)
                difference_add(phrases, "%s: %s", name, words->str);
        }
    }
}

static void
compare(GPtrArray *phrases, const Kind *kind, const GPtrArray *old,
        const GPtrArray *new)
{
    compare_to(phrases, kind, old, new, "removed");
    compare_to(phrases, kind, new, old, "added");
}

/* ---- listen, backend, use ----------------------------------------------- */

static const char *const wires[] = {
    [POLICY_SMTP] = "smtp",     [POLICY_LMTP] = "lmtp",
    [POLICY_MILTER] = "milter", [POLICY_SERVICE] = "policy",
    [POLICY_HTTP] = "http",
};

static char *
listen_name(const void *element)
{
    const PolicyListen *listen = element;
    g_autofree char *address = endpoint_format(&listen->endpoint);

    return g_strdup_printf("listen %s %s", wires[listen->wire], address);
}

static void
append_listen(GString *out, const void *old, const void *new)
{
    append_options(out, setting_listen, old, new, TRUE);
}

static char *
backend_name(const void *element)
{
    const PolicyBackend *backend = element;
    g_autofree char *address = endpoint_format(&backend->endpoint);

    return g_strdup_printf("backend %s %s", wires[backend->wire], address);
}

static void
append_backend(GString *out, const void *old, const void *new)
{
    append_options(out, setting_backend, old, new, TRUE);
}

static char *
use_name(const void *element)
{
    const PolicyUse *use = element;

    return g_strdup_printf("use %s", use->name);
}

static void
append_use(GString *out, const void *old, const void *new)
{
    const PolicyUse *one = old, *other = new;

    if (strcmp(one->plugin->name, other->plugin->name) != 0)
        g_string_append_printf(out, "%s -> %s", one->plugin->name,
                               other->plugin->name);
    else
        append_options(out, other->plugin->options, one->config, other->config,
                       FALSE);
}

static const Kind listens = {listen_name, append_listen};
static const Kind backends = {backend_name, append_backend};
static const Kind uses = {use_name, append_use};

/* ---- the whole ---------------------------------------------------------- */

static void
add_store(GPtrArray *phrases, const PolicyStore *old, const PolicyStore *new)
{
    static const char *const kinds[] = {
        [POLICY_STORE_MEMORY] = "memory",
        [POLICY_STORE_SQLITE] = "sqlite",
        [POLICY_STORE_REDIS] = "redis",
    };

    if (old->kind != new->kind)
        difference_add(phrases, "store %s -> %s", kinds[old->kind],
                       kinds[new->kind]);
    else if (g_strcmp0(old->where, new->where) != 0)
        difference_add(phrases, "store %s -> %s", old->where, new->where);
    gboolean redis = new->kind == POLICY_STORE_REDIS;
    if (redis == (old->kind == POLICY_STORE_REDIS))
        add_options(phrases, "store", redis ? setting_redis : setting_store,
                    old, new);
}

GPtrArray *
policy_difference(const PolicyConfig *old, const PolicyConfig *new)
{
    GPtrArray *phrases = g_ptr_array_new_with_free_func(g_free);

    difference_rules(phrases, old, new);
    difference_declarations(phrases, old, new);
    compare(phrases, &uses, old->uses, new->uses);
    add_options(phrases, "set", setting_set, &old->settings, &new->settings);
    compare(phrases, &listens, old->listens, new->listens);
    compare(phrases, &backends, old->backends, new->backends);
    add_options(phrases, "dns", setting_dns, &old->dns, &new->dns);
    add_store(phrases, &old->store, &new->store);
    return phrases;
}
