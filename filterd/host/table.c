/* table.c: looks at a plugin's tables without believing a word of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each row is copied by probe_read() before it is looked at: a table without
 * its end, or a pointer to nowhere, is an error and not a crash.
 */
#include "filterd/host/table.h"

#include "filterd/host/probe.h"
#include "policy/option-value.h"

#include <string.h>

typedef struct Look {
    const FilterdPlugin *plugin;
    GError **error;
} Look;

typedef gboolean (*RowCheck)(const Look *look, const void *row);

/* Rows of whatever table begin with their name. */
typedef struct Kind {
    const char *word; /* what a row is called */
    gsize size;
    const char *letters; /* of a name */
    RowCheck check;
} Kind;

#define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_LETTERS LETTERS "-."

static gboolean
fail(const Look *look, const char *what, const char *word, const char *name)
{
    g_set_error(look->error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "plugin “%s” is broken: %s%s%s “%s”", look->plugin->name, what,
                word != NULL ? " for " : "", word != NULL ? word : "", name);
    return FALSE;
}

static gboolean
text_is_there(const char *text)
{
    return text == NULL || probe_text(text, TABLE_TEXT_LIMIT);
}

/* ---- any table ---------------------------------------------------------- */

static const char *
name_of(const void *row)
{
    const char *name;
    memcpy(&name, row, sizeof name);
    return name;
}

static gboolean
endless(const Look *look, const Kind *kind)
{
    g_set_error(look->error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "plugin “%s” is broken: its table of %ss has no row that ends "
                "it, or a name of more than %d octets",
                look->plugin->name, kind->word, TABLE_NAME_LIMIT);
    return FALSE;
}

static gboolean
check_name(const Look *look, const Kind *kind, const char *name)
{
    if (!probe_text(name, TABLE_NAME_LIMIT + 1))
        return endless(look, kind);
    if (*name != '\0' && strspn(name, kind->letters) == strlen(name))
        return TRUE;
    g_set_error(look->error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "plugin “%s” is broken: “%s” in its table of %ss is no name: "
                "one is made of a-z, 0-9 and %s",
                look->plugin->name, name, kind->word,
                kind->letters + strlen(LETTERS));
    return FALSE;
}

/* Of the rows so far. */
static gboolean
is_taken(const GArray *names, const char *name)
{
    for (unsigned i = 0; i < names->len; i++)
        if (strcmp(g_array_index(names, const char *, i), name) == 0)
            return TRUE;
    return FALSE;
}

static gboolean
check_row(const Look *look, const Kind *kind, const void *row, GArray *names)
{
    const char *name = name_of(row);
    if (!check_name(look, kind, name))
        return FALSE;
    if (names != NULL && is_taken(names, name))
        return fail(look, "two rows", kind->word, name);
    if (names != NULL)
        g_array_append_val(names, name);
    return kind->check(look, row);
}

static gboolean
check_rows(const Look *look, const Kind *kind, const void *table,
           gboolean unique)
{
    g_autofree void *row = g_malloc0(kind->size);
    g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(char *));
    for (unsigned i = 0; table != NULL; i++) {
        if (i > TABLE_ROWS_LIMIT
            || !probe_read((const char *)table + i * kind->size, row,
                           kind->size))
            return endless(look, kind);
        if (name_of(row) == NULL)
            return TRUE;
        if (!check_row(look, kind, row, unique ? names : NULL))
            return FALSE;
    }
    return TRUE;
}

/* ---- words -------------------------------------------------------------- */

static gboolean
words_are_there(const char *const *words)
{
    const char *word;
    for (unsigned i = 0; i <= TABLE_ROWS_LIMIT; i++) {
        if (!probe_read(&words[i], &word, sizeof word))
            return FALSE;
        if (word == NULL)
            return i > 0;
        if (!probe_text(word, TABLE_NAME_LIMIT + 1))
            return FALSE;
    }
    return FALSE;
}

/* ---- facts, needs, methods ---------------------------------------------- */

static gboolean
is_fact_type(FilterdType type)
{
    return type > FILTERD_UNKNOWN && type < FILTERD_FILE;
}

static gboolean
check_fact(const Look *look, const void *row)
{
    const FilterdFact *f = row;
    if (!is_fact_type(f->type))
        return fail(look, "no such type", "fact", f->name);
    if (f->type == FILTERD_WORD && !words_are_there(f->words))
        return fail(look, "no words", "fact", f->name);
    if (f->type == FILTERD_LIST
        && (!is_fact_type(f->items) || f->items == FILTERD_LIST))
        return fail(look, "no such type of items", "fact", f->name);
    if (f->since > FILTERD_MESSAGE)
        return fail(look, "no such stage", "fact", f->name);
    return text_is_there(f->doc)
           || fail(look, "a doc without end", "fact", f->name);
}

FilterdHook *
table_hook(const FilterdPlugin *plugin, FilterdStage stage)
{
    FilterdHook *const hooks[FILTERD_STAGES] = {
        [FILTERD_CONNECT] = plugin->connect, [FILTERD_HELO] = plugin->helo,
        [FILTERD_MAIL] = plugin->mail,       [FILTERD_RCPT] = plugin->rcpt,
        [FILTERD_DATA] = plugin->data,       [FILTERD_MESSAGE] = plugin->eom,
    };
    return hooks[stage];
}

/* Of rows that are in order. */
static gboolean
check_publishers(const Look *look)
{
    const FilterdFact *row = look->plugin->facts;
    for (; row != NULL && row->name != NULL; row++)
        if (table_hook(look->plugin, row->since) == NULL)
            return fail(look, "no hook of its stage", "fact", row->name);
    return TRUE;
}

static gboolean
check_need(const Look *look, const void *row)
{
    const FilterdNeed *need = row;
    return need->type == FILTERD_UNKNOWN || is_fact_type(need->type)
           || fail(look, "no such type", "need", need->fact);
}

static unsigned
count_facts(const FilterdPlugin *plugin)
{
    unsigned length = 0;
    while (plugin->facts != NULL && plugin->facts[length].name != NULL)
        length++;
    return length;
}

static gboolean
check_method(const Look *look, const void *row)
{
    const FilterdMethod *method = row;
    return method->fact == FILTERD_UNASKED
           || method->fact < count_facts(look->plugin)
           || fail(look, "no such fact", "method", method->method);
}

/* ---- options ------------------------------------------------------------ */

static gboolean
is_option_type(FilterdType type)
{
    return type > FILTERD_UNKNOWN && type <= FILTERD_GROUP
           && type != FILTERD_LIST;
}

static gsize
slot_size(const FilterdOption *row)
{
    return (row->flags & FILTERD_MANY) != 0 ? sizeof(FilterdArray)
                                            : option_value_size(row);
}

static gboolean
check_slot(const Look *look, const FilterdOption *o, gsize room)
{
    if (!is_option_type(o->type))
        return fail(look, "no such type", "option", o->name);
    if (o->offset > room || slot_size(o) > room - o->offset)
        return fail(look, "offset outside the config", "option", o->name);
    if (o->type == FILTERD_WORD && !words_are_there(o->words))
        return fail(look, "no words", "option", o->name);
    if (!text_is_there(o->doc) || !text_is_there(o->fallback))
        return fail(look, "a doc or fallback without end", "option", o->name);
    return TRUE;
}

/* Its items lie in `size` octets; the innermost group that is looked at. */
typedef struct Group {
    Look look; /* first */
    gsize size;
} Group;

static gboolean
check_item(const Look *look, const void *row)
{
    const FilterdOption *o = row;
    return o->type != FILTERD_GROUP
               ? check_slot(look, o, ((const Group *)look)->size)
               : fail(look, "a group within a group", "option", o->name);
}

static const Kind items = {"option", sizeof(FilterdOption), NAME_LETTERS,
                           check_item};

static gboolean
check_option(const Look *look, const void *row)
{
    const FilterdOption *o = row;
    const Group group = {*look, o->size};
    if (g_str_has_prefix(o->name, "isolation"))
        return fail(look, "a name of filterd's own", "option", o->name);
    if (!check_slot(look, o, look->plugin->config_size))
        return FALSE;
    if (o->type != FILTERD_GROUP)
        return TRUE;
    if (o->group == NULL || (o->flags & FILTERD_MANY) == 0 || o->size == 0
        || o->size > TABLE_STATE_LIMIT)
        return fail(look, "no group", "option", o->name);
    return check_rows(&group.look, &items, o->group, TRUE);
}

/* ---- actions, metrics --------------------------------------------------- */

static gboolean
arguments_are_there(const FilterdType *arguments)
{
    FilterdType type;
    for (unsigned i = 0; i <= TABLE_ROWS_LIMIT; i++) {
        if (!probe_read(&arguments[i], &type, sizeof type))
            return FALSE;
        if (type == FILTERD_UNKNOWN)
            return TRUE;
        if (!is_fact_type(type))
            return FALSE;
    }
    return FALSE;
}

static gboolean
check_action(const Look *look, const void *row)
{
    const FilterdAction *a = row;
    if (a->run == NULL || !arguments_are_there(a->arguments)
        || ((a->flags & FILTERD_SIGNS) != 0 && look->plugin->sign_end == NULL))
        return fail(look, "nothing behind action", NULL, a->name);
    return text_is_there(a->doc)
           || fail(look, "a doc without end", "action", a->name);
}

static gboolean
check_metric(const Look *look, const void *row)
{
    const FilterdMetric *m = row;
    if (!probe_text(m->doc, TABLE_TEXT_LIMIT) || !text_is_there(m->label))
        return fail(look, "no doc", "metric", m->name);
    return TRUE;
}

/* ---- the plugin --------------------------------------------------------- */

static gboolean
check_texts(const Look *look)
{
    const FilterdPlugin *plugin = look->plugin;
    if (!probe_text(plugin->name, TABLE_NAME_LIMIT + 1)
        || !probe_text(plugin->version, TABLE_TEXT_LIMIT)) {
        g_set_error_literal(look->error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "its table has no name or version");
        return FALSE;
    }
    return (text_is_there(plugin->summary) && text_is_there(plugin->description)
            && text_is_there(plugin->example))
           || fail(look, "a text without end", NULL, "description");
}

static gboolean
check_sizes(const Look *look)
{
    const FilterdPlugin *plugin = look->plugin;
    const struct {
        const char *name;
        gsize size;
    } sizes[] = {
        {"config_size", plugin->config_size},
        {"instance_size", plugin->instance_size},
        {"session_size", plugin->session_size},
        {"message_size", plugin->message_size},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (sizes[i].size > TABLE_STATE_LIMIT)
            return fail(look, "more than 1 MiB", NULL, sizes[i].name);
    return TRUE;
}

gboolean
table_check(const FilterdPlugin *plugin, GError **error)
{
    static const Kind
        facts = {"fact", sizeof(FilterdFact), NAME_LETTERS, check_fact},
        needs = {"need", sizeof(FilterdNeed), NAME_LETTERS "?", check_need},
        methods = {"method", sizeof(FilterdMethod), NAME_LETTERS, check_method},
        options = {"option", sizeof(FilterdOption), NAME_LETTERS, check_option},
        actions = {"action", sizeof(FilterdAction), NAME_LETTERS, check_action},
        metrics = {"metric", sizeof(FilterdMetric), NAME_LETTERS "_",
                   check_metric};
    const Look look = {plugin, error};
    return check_texts(&look) && check_sizes(&look)
           && check_rows(&look, &facts, plugin->facts, TRUE)
           && check_publishers(&look)
           && check_rows(&look, &needs, plugin->needs, TRUE)
           && check_rows(&look, &methods, plugin->methods, TRUE)
           && check_rows(&look, &options, plugin->options, TRUE)
           && check_rows(&look, &actions, plugin->actions, FALSE)
           && check_rows(&look, &metrics, plugin->metrics, TRUE);
}
