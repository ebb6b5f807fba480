/* explain-instance.c: the tables of what a file uses, under the names that it
 * gives: `dnsbl.score` is told as `bl.score` after `use dnsbl as bl`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include "policy/arena.h"
#include "policy/config.h"

#include <string.h>

typedef struct Naming {
    const PolicyConfig *config;
    Arena *arena;
} Naming;

/* ---- texts -------------------------------------------------------------- */

/* What the file calls that plugin; the plugin's name where it is used under
 * that too, or not at all. */
static const char *
find_name(const PolicyConfig *config, const char *plugin)
{
    const char *found = plugin;
    for (unsigned i = config->uses->len; i > 0; i--) {
        const PolicyUse *use = g_ptr_array_index(config->uses, i - 1);
        if (strcmp(use->name, plugin) == 0)
            return plugin;
        if (strcmp(use->plugin->name, plugin) == 0)
            found = use->name;
    }
    return found;
}

static gboolean
is_word(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
}

/* Whether the plugin has a fact or an action of the name at hand. */
static gboolean
has_row(const FilterdPlugin *plugin, const char *name)
{
    size_t length = strcspn(name, "`'\"(){}[]<>=!?,;: \n");
    while (length > 0 && name[length - 1] == '.')
        length--;
    for (const FilterdFact *row = plugin->facts; row != NULL && row->name;
         row++)
        if (strlen(row->name) == length && !strncmp(row->name, name, length))
            return TRUE;
    for (const FilterdAction *row = plugin->actions; row != NULL && row->name;
         row++)
        if (strlen(row->name) == length && !strncmp(row->name, name, length))
            return TRUE;
    return FALSE;
}

/* Appends what the word at hand is in this file; the octets that were read. */
static size_t
append_word(GString *out, const char *word, const PolicyUse *use,
            const char *name)
{
    const char *plugin = use->plugin->name;
    size_t length = strlen(plugin);
    if (strncmp(word, plugin, length) != 0)
        return 0;
    if (word[length] == '.' && has_row(use->plugin, word + length + 1))
        g_string_append(out, name);
    else if (g_str_has_suffix(out->str, "use ") && !is_word(word[length])
             && !g_str_has_prefix(word + length, " as "))
        g_string_append_printf(out, "%s as %s", plugin, name);
    else
        return 0;
    return length;
}

/* Each word that a plugin of the file has under another name; `own` is whose
 * text it is. */
static char *
rename_words(const Naming *naming, const PolicyUse *own, const char *text)
{
    GString *out = g_string_new(NULL);
    while (*text != '\0') {
        size_t read = 0;
        for (unsigned i = 0; i <= naming->config->uses->len && read == 0; i++) {
            const PolicyUse *use =
                i == 0 ? own : g_ptr_array_index(naming->config->uses, i - 1);
            const char *name =
                i == 0 ? own->name
                       : find_name(naming->config, use->plugin->name);
            if ((out->len == 0 || !is_word(out->str[out->len - 1]))
                && strcmp(name, use->plugin->name) != 0)
                read = append_word(out, text, use, name);
        }
        if (read == 0)
            g_string_append_c(out, *text++);
        text += read;
    }
    return g_string_free(out, FALSE);
}

static const char *
renamed(const Naming *naming, const PolicyUse *own, const char *text)
{
    if (text == NULL)
        return NULL;
    g_autofree char *words = rename_words(naming, own, text);
    return arena_copy(naming->arena, words, strlen(words) + 1);
}

/* ---- tables ------------------------------------------------------------- */

/* A copy of so many octets, and of the row that ends the table. */
static void *
copy_rows(const Naming *naming, const void *rows, gsize size)
{
    return rows != NULL ? (void *)arena_copy(naming->arena, rows, size) : NULL;
}

/* Of a table whose last row has no name. */
#define SIZE_OF(rows, member)                                  \
    ({                                                         \
        gsize count = 0;                                       \
        while ((rows) != NULL && (rows)[count].member != NULL) \
            count++;                                           \
        (count + 1) * sizeof *(rows);                          \
    })
#define COPY_ROWS(naming, rows, member) \
    copy_rows(naming, rows, SIZE_OF(rows, member))

static FilterdOption *
copy_options(const Naming *naming, const PolicyUse *use,
             const FilterdOption *rows)
{
    FilterdOption *copy = COPY_ROWS(naming, rows, name);
    for (FilterdOption *row = copy; row != NULL && row->name != NULL; row++) {
        row->doc = renamed(naming, use, row->doc);
        if (row->type == FILTERD_GROUP)
            row->group = copy_options(naming, use, row->group);
    }
    return copy;
}

static FilterdFact *
copy_facts(const Naming *naming, const PolicyUse *use)
{
    FilterdFact *copy = COPY_ROWS(naming, use->plugin->facts, name);
    for (FilterdFact *row = copy; row != NULL && row->name != NULL; row++)
        row->doc = renamed(naming, use, row->doc);
    return copy;
}

static FilterdAction *
copy_actions(const Naming *naming, const PolicyUse *use)
{
    FilterdAction *copy = COPY_ROWS(naming, use->plugin->actions, name);
    for (FilterdAction *row = copy; row != NULL && row->name != NULL; row++)
        row->doc = renamed(naming, use, row->doc);
    return copy;
}

static FilterdNeed *
copy_needs(const Naming *naming, const PolicyUse *use)
{
    FilterdNeed *copy = COPY_ROWS(naming, use->plugin->needs, fact);
    for (FilterdNeed *row = copy; row != NULL && row->fact != NULL; row++)
        row->fact = renamed(naming, use, row->fact);
    return copy;
}

/* Metrics have the plugin's name, whatever the instance is called. */
static FilterdMetric *
copy_metrics(const Naming *naming, const PolicyUse *use)
{
    FilterdMetric *copy = COPY_ROWS(naming, use->plugin->metrics, name);
    for (FilterdMetric *row = copy; row != NULL && row->name != NULL; row++) {
        g_autofree char *name = explain_metric_name(use->plugin, row);
        row->name = renamed(naming, use, name);
        row->doc = renamed(naming, use, row->doc);
    }
    return copy;
}

static FilterdPlugin *
copy_plugin(const Naming *naming, const PolicyUse *use)
{
    FilterdPlugin *copy = copy_rows(naming, use->plugin, sizeof *use->plugin);
    const char *plugin = use->plugin->name;
    copy->name = use->name;
    copy->options = copy_options(naming, use, use->plugin->options);
    copy->facts = copy_facts(naming, use);
    copy->actions = copy_actions(naming, use);
    copy->needs = copy_needs(naming, use);
    copy->metrics = copy_metrics(naming, use);
    copy->description = renamed(naming, use, use->plugin->description);
    copy->example = renamed(naming, use, use->plugin->example);
    if (strcmp(use->name, plugin) != 0) {
        g_autofree char *summary =
            g_strdup_printf("%s (%s)", use->plugin->summary, plugin);
        copy->summary = arena_copy(naming->arena, summary, strlen(summary) + 1);
    }
    return copy;
}

GPtrArray *
explain_instances(const PolicyConfig *config, Arena *arena)
{
    const Naming naming = {config, arena};
    GPtrArray *instances = g_ptr_array_new();
    for (unsigned i = 0; i < config->uses->len; i++)
        g_ptr_array_add(instances, copy_plugin(&naming, g_ptr_array_index(
                                                            config->uses, i)));
    return instances;
}

const char *
explain_instance_name(const PolicyConfig *config, const char *name)
{
    return find_name(config, name);
}
