/* explain-words.c: rows of a plugin's tables in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include "filterd/base/text.h"

#include <string.h>

/* A default that stands beside its option. */
#define ASIDE_LENGTH 32
/* Words that stand in the term of their option. */
#define TERM_WORDS 3

const char *const explain_type_words[] = {
    [FILTERD_UNKNOWN] = "unknown", [FILTERD_BOOL] = "bool",
    [FILTERD_INT] = "int",         [FILTERD_DURATION] = "duration",
    [FILTERD_TEXT] = "text",       [FILTERD_WORD] = "word",
    [FILTERD_DOMAIN] = "domain",   [FILTERD_ADDRESS] = "address",
    [FILTERD_IP] = "ip",           [FILTERD_LIST] = "list",
    [FILTERD_FILE] = "file",       [FILTERD_GROUP] = "group",
};

const char *const explain_stage_words[FILTERD_STAGES] = {
    "connect", "helo", "mail", "rcpt", "data", "message",
};

const char *
explain_summary(const FilterdPlugin *plugin)
{
    return plugin->summary != NULL ? plugin->summary : "a plugin of filterd";
}

/* ---- options ------------------------------------------------------------ */

static gboolean
has(const FilterdOption *option, FilterdOptionFlag flag)
{
    return (option->flags & flag) != 0;
}

static gboolean
words_fit(const FilterdOption *option)
{
    return option->type == FILTERD_WORD
           && g_strv_length((char **)option->words) <= TERM_WORDS;
}

static void
append_words(GString *out, const char *const *words, const char *glue,
             const char *last)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        const char *before = words[i + 1] != NULL ? glue : last;
        g_string_append_printf(out, "%s`%s`", i > 0 ? before : "", words[i]);
    }
}

static void
append_choice(GString *out, const char *const *words)
{
    g_string_append(out, " One of ");
    append_words(out, words, ", ", " or ");
    g_string_append_c(out, '.');
}

static void
append_value(GString *out, const FilterdOption *option)
{
    if (has(option, FILTERD_POSITION))
        g_string_append_printf(out, "<%s>", option->name);
    else if (words_fit(option))
        append_words(out, option->words, " | ", " | ");
    else
        g_string_append_printf(out, "<%s>", explain_type_words[option->type]);
    if (has(option, FILTERD_MANY) && option->type != FILTERD_GROUP)
        g_string_append(out, " ...");
}

/* In the term of its group; what its words are is said below. */
static void
append_row(GString *out, const FilterdOption *row)
{
    gboolean optional = !has(row, FILTERD_REQUIRED);
    g_string_append(out, optional ? " [ " : " ");
    if (has(row, FILTERD_POSITION))
        g_string_append_printf(out, "<%s>", row->name);
    else
        g_string_append_printf(out, "`%s` <%s>", row->name,
                               explain_type_words[row->type]);
    if (has(row, FILTERD_MANY))
        g_string_append(out, " ...");
    if (optional)
        g_string_append(out, " ]");
}

/* A row of a group that is told by its place has no word. */
char *
explain_option_term(const FilterdOption *option)
{
    GString *out = g_string_new(NULL);
    if (!has(option, FILTERD_POSITION))
        g_string_append_printf(out, "`%s`", option->name);
    if (option->type == FILTERD_GROUP) {
        for (const FilterdOption *row = option->group; row->name != NULL; row++)
            append_row(out, row);
        return g_string_free(out, FALSE);
    }
    if (out->len > 0)
        g_string_append_c(out, ' ');
    append_value(out, option);
    return g_string_free(out, FALSE);
}

/* In the unit of the default: 1G where that is 2M. */
static char *
format_bound(const FilterdOption *option, int64_t bound)
{
    static const char units[] = {'\0', 'k', 'M', 'G'};
    const char *fallback = option->fallback != NULL ? option->fallback : "";
    gboolean sizes =
        *fallback != '\0' && strchr("kMG", fallback[strlen(fallback) - 1]);
    unsigned unit = 0;
    if (option->type == FILTERD_DURATION)
        return text_format_duration(bound);
    for (; sizes && unit < 3 && bound > 0 && bound % 1024 == 0; unit++)
        bound /= 1024;
    return g_strdup_printf("%" G_GINT64_FORMAT "%.1s", bound, &units[unit]);
}

static void
append_bounds(GString *out, const FilterdOption *option)
{
    gboolean number =
        option->type == FILTERD_INT || option->type == FILTERD_DURATION;
    if (!number || (option->low == 0 && option->high == 0))
        return;
    g_autofree char *low = format_bound(option, option->low);
    g_autofree char *high = format_bound(option, option->high);
    g_string_append_printf(out, " From %s to %s.", low, high);
}

static gboolean
fallback_is_long(const FilterdOption *option)
{
    return option->fallback != NULL && strlen(option->fallback) > ASIDE_LENGTH;
}

char *
explain_option_text(const FilterdOption *option)
{
    GString *out = g_string_new(option->doc);
    append_bounds(out, option);
    if (option->type == FILTERD_WORD
        && (!words_fit(option) || has(option, FILTERD_POSITION)))
        append_choice(out, option->words);
    if (option->type == FILTERD_GROUP)
        g_string_append(out, " May be repeated.");
    if (fallback_is_long(option))
        g_string_append_printf(out, " Default: %s.", option->fallback);
    return g_strchug(g_string_free(out, FALSE));
}

char *
explain_option_aside(const FilterdOption *option)
{
    if (option->fallback != NULL && !fallback_is_long(option))
        return g_strdup(option->fallback);
    return g_strdup(has(option, FILTERD_REQUIRED) ? "required" : NULL);
}

/* ---- facts, actions, metrics -------------------------------------------- */

char *
explain_fact_name(const FilterdPlugin *plugin, const FilterdFact *fact)
{
    return plugin != NULL ? g_strdup_printf("%s.%s", plugin->name, fact->name)
                          : g_strdup(fact->name);
}

char *
explain_fact_type(const FilterdFact *fact)
{
    if (fact->type == FILTERD_LIST && fact->items != FILTERD_UNKNOWN)
        return g_strdup_printf("list of %s", explain_type_words[fact->items]);
    return g_strdup(explain_type_words[fact->type]);
}

char *
explain_fact_text(const FilterdFact *fact)
{
    GString *out = g_string_new(fact->doc);
    if (fact->words != NULL)
        append_choice(out, fact->words);
    if ((fact->flags & FILTERD_EFFECT) != 0)
        g_string_append(out, " To ask writes to the store.");
    return g_strchug(g_string_free(out, FALSE));
}

char *
explain_action_term(const FilterdPlugin *plugin, const FilterdAction *action)
{
    GString *out = g_string_new(NULL);
    g_string_printf(out, "`rewrite` `%s.%s(`", plugin->name, action->name);
    for (const FilterdType *type = action->arguments; *type != FILTERD_UNKNOWN;
         type++)
        g_string_append_printf(out, "%s<%s>",
                               type > action->arguments ? " , " : " ",
                               explain_type_words[*type]);
    g_string_append(out, " `)`");
    return g_string_free(out, FALSE);
}

char *
explain_metric_name(const FilterdPlugin *plugin, const FilterdMetric *metric)
{
    gboolean gauge = (metric->flags & FILTERD_GAUGE) != 0;
    if (g_str_has_prefix(metric->name, "filterd_"))
        return g_strdup(metric->name);
    return g_strdup_printf("filterd_%s_%s%s", plugin->name, metric->name,
                           gauge ? "" : "_total");
}
