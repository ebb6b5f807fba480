/* explain-page.c: the pages of a plugin, a fact, the core, and of all plugins.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include "policy/judge.h"

#include "filterd/session/engine.h"

#include <string.h>

static void
page_init(ExplainPage *page, const ExplainStyle *style)
{
    *page = (ExplainPage){.style = style, .out = g_string_new(NULL)};
}

/* What a plugin does not say is left out. */
static void
say(ExplainPage *page, const char *text)
{
    if (text != NULL && *text != '\0')
        page->style->text(page, text);
}

/* ---- options ------------------------------------------------------------ */

static void
options(ExplainPage *page, const FilterdOption *rows)
{
    page->style->begin(page);
    for (const FilterdOption *row = rows; row->name != NULL; row++) {
        g_autofree char *term = explain_option_term(row);
        g_autofree char *aside = explain_option_aside(row);
        g_autofree char *text = explain_option_text(row);
        page->style->item(page, term, aside);
        say(page, text);
        if (row->type == FILTERD_GROUP)
            options(page, row->group);
    }
    page->style->end(page);
}

/* ---- facts -------------------------------------------------------------- */

static void
fact_item(ExplainPage *page, const FilterdPlugin *plugin,
          const FilterdFact *fact)
{
    g_autofree char *name = explain_fact_name(plugin, fact);
    g_autofree char *type = explain_fact_type(fact);
    g_autofree char *text = explain_fact_text(fact);
    page->style->item(page, name, type);
    say(page, text);
}

static gboolean
has_stage(const FilterdFact *rows, unsigned stage)
{
    for (const FilterdFact *row = rows; row->name != NULL; row++)
        if (row->since == stage)
            return TRUE;
    return FALSE;
}

static void
stage_facts(ExplainPage *page, const FilterdPlugin *plugin,
            const FilterdFact *rows, unsigned stage)
{
    g_autofree char *title =
        g_strdup_printf("From %s on", explain_stage_words[stage]);
    page->style->group(page, title);
    page->style->begin(page);
    for (const FilterdFact *row = rows; row->name != NULL; row++)
        if (row->since == stage)
            fact_item(page, plugin, row);
    page->style->end(page);
}

static unsigned
longest_name(const FilterdPlugin *plugin, const FilterdFact *rows)
{
    size_t longest = 0;
    for (const FilterdFact *row = rows; row->name != NULL; row++)
        longest = MAX(longest, strlen(row->name));
    if (plugin != NULL)
        longest += strlen(plugin->name) + 1;
    return (unsigned)longest;
}

static void
facts(ExplainPage *page, const FilterdPlugin *plugin, const FilterdFact *rows)
{
    page->style->section(page, "FACTS");
    page->column = longest_name(plugin, rows) + 2;
    for (unsigned stage = 0; stage < FILTERD_STAGES; stage++)
        if (has_stage(rows, stage))
            stage_facts(page, plugin, rows, stage);
    page->column = 0;
}

/* ---- the rest of a plugin ----------------------------------------------- */

static void
description(ExplainPage *page, const char *text)
{
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);
    for (char **p = paragraphs; *p != NULL; p++) {
        if (**p == ' ')
            page->style->literal(page, *p);
        else
            say(page, *p);
    }
}

static void
actions(ExplainPage *page, const FilterdPlugin *plugin)
{
    page->style->section(page, "ACTIONS");
    page->style->begin(page);
    for (const FilterdAction *row = plugin->actions; row->name != NULL; row++) {
        g_autofree char *term = explain_action_term(plugin, row);
        page->style->item(page, term, NULL);
        say(page, row->doc);
    }
    page->style->end(page);
}

static char *
method_text(const FilterdPlugin *plugin, const FilterdMethod *method)
{
    if (method->fact == FILTERD_UNASKED)
        return g_strdup_printf("The method is `%s`, where a rule asked.",
                               method->method);
    g_autofree char *fact =
        explain_fact_name(plugin, &plugin->facts[method->fact]);
    return g_strdup_printf("The method is `%s`; for it `%s` is asked for, "
                           "unless the message was accepted before.",
                           method->method, fact);
}

static void
methods(ExplainPage *page, const FilterdPlugin *plugin)
{
    page->style->section(page, "AUTHENTICATION RESULTS");
    for (const FilterdMethod *row = plugin->methods; row->method != NULL;
         row++) {
        g_autofree char *text = method_text(plugin, row);
        say(page, text);
    }
}

static void
metrics(ExplainPage *page, const FilterdPlugin *plugin)
{
    page->style->section(page, "METRICS");
    page->style->text(page, "Told by `/metrics` for each instance, once "
                            "something was counted.");
    page->style->begin(page);
    for (const FilterdMetric *row = plugin->metrics; row->name != NULL; row++) {
        g_autofree char *name = explain_metric_name(plugin, row);
        g_autofree char *aside =
            row->label != NULL ? g_strdup_printf("by %s", row->label) : NULL;
        page->style->item(page, name, aside);
        say(page, row->doc);
    }
    page->style->end(page);
}

static gboolean
is_core(const char *name, size_t length)
{
    for (const FilterdFact *row = engine_core_facts; row->name != NULL; row++)
        if (strncmp(row->name, name, length) == 0 && row->name[length] == '\0')
            return TRUE;
    return FALSE;
}

/* Those that are always there, or those that need not be. Caller frees. */
static char *
join_needs(const FilterdNeed *rows, gboolean optional)
{
    GString *out = g_string_new(NULL);
    for (const FilterdNeed *row = rows; row->fact != NULL; row++) {
        size_t length = strlen(row->fact);
        gboolean may_miss = row->fact[length - 1] == '?';
        length -= (size_t)may_miss;
        may_miss = may_miss && !is_core(row->fact, length);
        if (may_miss == optional)
            g_string_append_printf(out, "%s`%.*s`", out->len > 0 ? ", " : "",
                                   (int)length, row->fact);
    }
    return g_string_free(out, FALSE);
}

static void
needs(ExplainPage *page, const FilterdPlugin *plugin)
{
    static const char *const formats[] = {
        "It looks up %s.",
        "Where the plugin is used, too: %s.",
    };
    page->style->section(page, "NEEDS");
    for (unsigned optional = 0; optional < 2; optional++) {
        g_autofree char *names = join_needs(plugin->needs, optional != 0);
        g_autoptr(GString) text = g_string_new(formats[optional]);
        g_string_replace(text, "%s", names, 1);
        if (*names != '\0')
            page->style->text(page, text->str);
    }
}

/* ---- pages -------------------------------------------------------------- */

/* A section for each table that has rows. */
static void
tables(ExplainPage *page, const FilterdPlugin *plugin)
{
    if (plugin->options != NULL && plugin->options->name != NULL) {
        page->style->section(page, "OPTIONS");
        options(page, plugin->options);
    }
    if (plugin->facts != NULL && plugin->facts->name != NULL)
        facts(page, plugin, plugin->facts);
    if (plugin->actions != NULL && plugin->actions->name != NULL)
        actions(page, plugin);
    if (plugin->methods != NULL && plugin->methods->method != NULL)
        methods(page, plugin);
    if (plugin->metrics != NULL && plugin->metrics->name != NULL)
        metrics(page, plugin);
    if (plugin->needs != NULL && plugin->needs->fact != NULL)
        needs(page, plugin);
}

char *
explain_plugin(const ExplainStyle *style, const FilterdPlugin *plugin)
{
    ExplainPage page;
    page_init(&page, style);
    style->title(&page, plugin);
    if (plugin->description != NULL) {
        style->section(&page, "DESCRIPTION");
        description(&page, plugin->description);
    }
    tables(&page, plugin);
    style->finish(&page, plugin);
    return g_string_free(page.out, FALSE);
}

char *
explain_fact(const ExplainStyle *style, const FilterdPlugin *plugin,
             const FilterdFact *fact)
{
    ExplainPage page;
    g_autofree char *name = explain_fact_name(plugin, fact);
    g_autofree char *type = explain_fact_type(fact);
    g_autofree char *text = explain_fact_text(fact);
    g_autofree char *aside = g_strdup_printf("%s, from %s on", type,
                                             explain_stage_words[fact->since]);
    page_init(&page, style);
    style->begin(&page);
    style->item(&page, name, aside);
    say(&page, text);
    style->end(&page);
    return g_string_free(page.out, FALSE);
}

char *
explain_core(const ExplainStyle *style, const FilterdFact *rows)
{
    ExplainPage page;
    page_init(&page, style);
    facts(&page, NULL, rows);
    return g_string_free(page.out, FALSE);
}

static void
more(ExplainPage *page)
{
    static const char *const rows[][2] = {
        {"filterctl explain <plugin>", "options, facts, actions, metrics"},
        {"filterctl explain <plugin.fact>", "one fact, such as spf.result"},
        {"filterctl explain core", "the facts that need no plugin"},
    };
    page->style->section(page, "MORE");
    page->style->begin(page);
    page->column = (unsigned)strlen(rows[1][0]);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        page->style->item(page, rows[i][0], rows[i][1]);
    page->style->end(page);
}

static void
division_item(ExplainPage *page, const PolicyDivision *division)
{
    g_autoptr(GString) facts = g_string_new(NULL);
    g_autofree char *term =
        g_strdup_printf("`%s` at `%s`", division->rule->name,
                        policy_stage_words[division->rule->stage]);
    for (unsigned i = 0; i < division->facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(division->facts, i);
        g_string_append_printf(facts, "%s%s", i > 0 ? ", " : "", fact->name);
    }
    page->style->item(page, term, facts->str);
}

/* Nothing, where all of a message are judged alike. */
static void
recipients(ExplainPage *page, const PolicyConfig *config)
{
    g_autoptr(GPtrArray) divisions = policy_divisions(config);
    if (divisions->len == 0)
        return;
    page->style->section(page, "RECIPIENTS");
    page->column = 0;
    page->style->text(
        page, "These rules rest on facts of the recipient. Where an SMTP "
              "client, or a mail server that asks filterd, names one of whom "
              "such a rule may say something else than of the first, that "
              "one is told 452 4.5.3, and sent to in a transaction of its "
              "own.");
    page->style->begin(page);
    for (unsigned i = 0; i < divisions->len; i++)
        division_item(page, g_ptr_array_index(divisions, i));
    page->style->end(page);
}

char *
explain_overview(const ExplainStyle *style, const GPtrArray *plugins,
                 const PolicyConfig *config)
{
    ExplainPage page;
    page_init(&page, style);
    style->section(&page, "PLUGINS");
    style->begin(&page);
    for (unsigned i = 0; i < plugins->len; i++) {
        const FilterdPlugin *plugin = g_ptr_array_index(plugins, i);
        page.column = MAX(page.column, (unsigned)strlen(plugin->name) + 2);
    }
    for (unsigned i = 0; i < plugins->len; i++) {
        const FilterdPlugin *plugin = g_ptr_array_index(plugins, i);
        style->item(&page, plugin->name, explain_summary(plugin));
    }
    style->end(&page);
    if (config != NULL)
        recipients(&page, config);
    more(&page);
    return g_string_free(page.out, FALSE);
}
