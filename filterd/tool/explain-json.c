/* explain-json.c: the tables of a plugin as JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include "filterd/base/value.h"
#include "policy/judge.h"

#include <string.h>

/* ---- members ------------------------------------------------------------ */

/* The comma is due unless something has just been opened. */
static void
member(GString *out, const char *name)
{
    if (strchr("{[", out->str[out->len - 1]) == NULL)
        g_string_append_c(out, ',');
    if (name != NULL)
        g_string_append_printf(out, "\"%s\":", name);
}

static void
text_member(GString *out, const char *name, const char *text)
{
    member(out, name);
    if (text != NULL)
        value_append_json_text(out, text);
    else
        g_string_append(out, "null");
}

static void
bool_member(GString *out, const char *name, gboolean yes)
{
    member(out, name);
    g_string_append(out, yes ? "true" : "false");
}

static void
words_member(GString *out, const char *name, const char *const *words)
{
    member(out, name);
    g_string_append_c(out, '[');
    for (; *words != NULL; words++)
        text_member(out, NULL, *words);
    g_string_append_c(out, ']');
}

static void
begin(GString *out, const char *name, char bracket)
{
    member(out, name);
    g_string_append_c(out, bracket);
}

/* ---- rows --------------------------------------------------------------- */

static void append_options(GString *out, const char *name,
                           const FilterdOption *rows);

static void
append_bounds(GString *out, const FilterdOption *row)
{
    member(out, "low");
    g_string_append_printf(out, "%" G_GINT64_FORMAT, row->low);
    member(out, "high");
    g_string_append_printf(out, "%" G_GINT64_FORMAT, row->high);
}

static void
append_option(GString *out, const FilterdOption *row)
{
    begin(out, NULL, '{');
    text_member(out, "name", row->name);
    text_member(out, "type", explain_type_words[row->type]);
    text_member(out, "default", row->fallback);
    text_member(out, "doc", row->doc);
    bool_member(out, "many", (row->flags & FILTERD_MANY) != 0);
    bool_member(out, "required", (row->flags & FILTERD_REQUIRED) != 0);
    bool_member(out, "position", (row->flags & FILTERD_POSITION) != 0);
    if (row->words != NULL)
        words_member(out, "words", row->words);
    if (row->low != 0 || row->high != 0)
        append_bounds(out, row);
    if (row->group != NULL)
        append_options(out, "group", row->group);
    g_string_append_c(out, '}');
}

static void
append_options(GString *out, const char *name, const FilterdOption *rows)
{
    begin(out, name, '[');
    for (; rows != NULL && rows->name != NULL; rows++)
        append_option(out, rows);
    g_string_append_c(out, ']');
}

static void
append_fact(GString *out, const FilterdPlugin *plugin, const FilterdFact *row)
{
    g_autofree char *name = explain_fact_name(plugin, row);
    begin(out, NULL, '{');
    text_member(out, "name", name);
    text_member(out, "type", explain_type_words[row->type]);
    if (row->type == FILTERD_LIST)
        text_member(out, "items", explain_type_words[row->items]);
    text_member(out, "since", explain_stage_words[row->since]);
    if (row->words != NULL)
        words_member(out, "words", row->words);
    bool_member(out, "effect", (row->flags & FILTERD_EFFECT) != 0);
    text_member(out, "doc", row->doc);
    g_string_append_c(out, '}');
}

static void
append_facts(GString *out, const FilterdPlugin *plugin, const FilterdFact *rows)
{
    begin(out, "facts", '[');
    for (; rows != NULL && rows->name != NULL; rows++)
        append_fact(out, plugin, rows);
    g_string_append_c(out, ']');
}

static void
append_actions(GString *out, const FilterdAction *rows)
{
    begin(out, "actions", '[');
    for (; rows != NULL && rows->name != NULL; rows++) {
        begin(out, NULL, '{');
        text_member(out, "name", rows->name);
        begin(out, "arguments", '[');
        for (const FilterdType *t = rows->arguments; *t != FILTERD_UNKNOWN; t++)
            text_member(out, NULL, explain_type_words[*t]);
        g_string_append_c(out, ']');
        text_member(out, "doc", rows->doc);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

static void
append_metrics(GString *out, const FilterdPlugin *plugin)
{
    const FilterdMetric *row = plugin->metrics;
    begin(out, "metrics", '[');
    for (; row != NULL && row->name != NULL; row++) {
        g_autofree char *name = explain_metric_name(plugin, row);
        gboolean gauge = (row->flags & FILTERD_GAUGE) != 0;
        begin(out, NULL, '{');
        text_member(out, "name", name);
        text_member(out, "type", gauge ? "gauge" : "counter");
        text_member(out, "label", row->label);
        text_member(out, "doc", row->doc);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

static void
append_needs(GString *out, const FilterdNeed *row)
{
    begin(out, "needs", '[');
    for (; row != NULL && row->fact != NULL; row++) {
        size_t length = strlen(row->fact);
        gboolean optional = row->fact[length - 1] == '?';
        g_autofree char *fact = g_strndup(row->fact, length - optional);
        begin(out, NULL, '{');
        text_member(out, "fact", fact);
        text_member(out, "type", explain_type_words[row->type]);
        bool_member(out, "optional", optional);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

static void
append_methods(GString *out, const FilterdMethod *row)
{
    begin(out, "methods", '[');
    for (; row != NULL && row->method != NULL; row++)
        text_member(out, NULL, row->method);
    g_string_append_c(out, ']');
}

/* ---- objects ------------------------------------------------------------ */

static void
append_head(GString *out, const FilterdPlugin *plugin)
{
    text_member(out, "plugin", plugin->name);
    text_member(out, "version", plugin->version);
    text_member(out, "summary", plugin->summary);
}

char *
explain_plugin_json(const FilterdPlugin *plugin)
{
    GString *out = g_string_new("{");
    append_head(out, plugin);
    text_member(out, "description", plugin->description);
    text_member(out, "example", plugin->example);
    append_options(out, "options", plugin->options);
    append_facts(out, plugin, plugin->facts);
    append_actions(out, plugin->actions);
    append_methods(out, plugin->methods);
    append_metrics(out, plugin);
    append_needs(out, plugin->needs);
    g_string_append(out, "}\n");
    return g_string_free(out, FALSE);
}

char *
explain_fact_json(const FilterdPlugin *plugin, const FilterdFact *fact)
{
    GString *out = g_string_new("[");
    append_fact(out, plugin, fact);
    g_string_erase(out, 0, 1);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

char *
explain_core_json(const FilterdFact *facts)
{
    GString *out = g_string_new("{");
    append_facts(out, NULL, facts);
    g_string_append(out, "}\n");
    return g_string_free(out, FALSE);
}

/* By what rules those of one message are told apart. */
static void
append_recipients(GString *out, const PolicyConfig *config)
{
    g_autoptr(GPtrArray) divisions = policy_divisions(config);
    begin(out, "recipients", '[');
    for (unsigned i = 0; i < divisions->len; i++) {
        const PolicyDivision *division = g_ptr_array_index(divisions, i);
        const PolicyRule *rule = division->rule;
        begin(out, NULL, '{');
        text_member(out, "rule", rule->name);
        text_member(out, "stage", policy_stage_words[rule->stage]);
        text_member(out, "file", rule->place.file);
        member(out, "line");
        g_string_append_printf(out, "%u", rule->place.line);
        begin(out, "facts", '[');
        for (unsigned k = 0; k < division->facts->len; k++) {
            const PolicyFact *fact = g_ptr_array_index(division->facts, k);
            text_member(out, NULL, fact->name);
        }
        g_string_append(out, "]}");
    }
    g_string_append_c(out, ']');
}

char *
explain_overview_json(const GPtrArray *plugins, const PolicyConfig *config)
{
    GString *out = g_string_new("{");
    begin(out, "plugins", '[');
    for (unsigned i = 0; i < plugins->len; i++) {
        begin(out, NULL, '{');
        append_head(out, g_ptr_array_index(plugins, i));
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
    if (config != NULL)
        append_recipients(out, config);
    g_string_append(out, "}\n");
    return g_string_free(out, FALSE);
}
