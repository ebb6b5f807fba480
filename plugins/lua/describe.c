/* describe.c: the tables of an instance, as its script declares them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/describe.h"

#include "plugins/lua/script.h"

#include <string.h>

static const void *
keep_rows(FilterdDescribe *describe, const GArray *rows)
{
    gsize size = g_array_get_element_size((GArray *)rows);
    void *kept = describe->allocate(describe, (rows->len + 1) * size);

    if (rows->len > 0)
        memcpy(kept, rows->data, rows->len * size);
    return kept;
}

static void
declarations_init(Declarations *declared)
{
    *declared = (Declarations){
        .facts = g_array_new(FALSE, FALSE, sizeof(FilterdFact)),
        .places = g_array_new(FALSE, FALSE, sizeof(const char *)),
        .needs = g_array_new(FALSE, FALSE, sizeof(FilterdNeed)),
        .actions = g_array_new(FALSE, FALSE, sizeof(FilterdAction)),
        .edits = g_array_new(FALSE, FALSE, sizeof(unsigned)),
        .options = g_array_new(FALSE, FALSE, sizeof(ScriptOption)),
    };
}

static void
declarations_clear(Declarations *declared)
{
    g_array_unref(declared->facts);
    g_array_unref(declared->places);
    g_array_unref(declared->needs);
    g_array_unref(declared->actions);
    g_array_unref(declared->edits);
    g_array_unref(declared->options);
}

/* ---- what the block gives ----------------------------------------------- */

static char *
join_options(const GArray *options)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < options->len; i++)
        g_string_append_printf(names, "%s`%s`", i > 0 ? ", " : "",
                               g_array_index(options, ScriptOption, i).name);
    return g_string_free(names, FALSE);
}

/* Each `set` is of an option that the script declares. */
static bool
check_given(FilterdDescribe *describe, const Declarations *declared,
            GError **error)
{
    const Config *config = describe->config;
    const Given *given = config->given.items;

    for (size_t i = 0; i < config->given.length; i++) {
        bool known = false;
        for (guint j = 0; j < declared->options->len; j++)
            known |=
                strcmp(g_array_index(declared->options, ScriptOption, j).name,
                       given[i].name)
                == 0;
        if (known)
            continue;
        g_autofree char *names = join_options(declared->options);
        describe->blame(describe, "set", i);
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "the script has no option `%s`\nit has %s", given[i].name,
                    *names != '\0' ? names : "none");
        return false;
    }
    return true;
}

/* ---- the tables --------------------------------------------------------- */

static void
drop_hooks(FilterdPlugin *table, unsigned hooks)
{
    FilterdHook **const stages[] = {&table->connect, &table->helo, &table->mail,
                                    &table->rcpt,    &table->data, &table->eom};

    for (unsigned i = 0; i < G_N_ELEMENTS(stages); i++)
        if ((hooks & 1U << i) == 0)
            *stages[i] = NULL;
    if ((hooks & 1U << SCRIPT_HEADER) == 0)
        table->header = NULL;
    if ((hooks & 1U << SCRIPT_BODY) == 0)
        table->body = NULL;
    if ((hooks & 1U << SCRIPT_DONE) == 0)
        table->done = NULL;
}

/* What the script says of itself, and of its options. */
static const char *
describe_words(FilterdDescribe *describe, const Declarations *declared)
{
    GString *text = g_string_new(declared->description);

    for (guint i = 0; i < declared->options->len; i++)
        g_string_append_printf(
            text, "%s%s", text->len > 0 ? "\n\n" : "",
            g_array_index(declared->options, ScriptOption, i).doc);
    char *kept = describe->allocate(describe, text->len + 1);
    memcpy(kept, text->str, text->len);
    bool empty = text->len == 0;
    g_string_free(text, TRUE);
    return empty ? NULL : kept;
}

static void
fill_table(FilterdDescribe *describe, const Declarations *declared,
           FilterdPlugin *table)
{
    Config *config = describe->config;
    Declared *known = describe->allocate(describe, sizeof *known);

    *known = (Declared){
        .facts = keep_rows(describe, declared->facts),
        .needs = keep_rows(describe, declared->needs),
        .actions = keep_rows(describe, declared->actions),
        .edits = keep_rows(describe, declared->edits),
        .options = keep_rows(describe, declared->options),
        .n_options = declared->options->len,
    };
    config->declared = known;
    table->facts = known->facts;
    table->needs = known->needs;
    table->actions = known->actions;
    table->edits = 0;
    for (guint i = 0; i < declared->edits->len; i++)
        table->edits |= known->edits[i];
    if (declared->summary != NULL)
        table->summary = declared->summary;
    table->description = describe_words(describe, declared);
    table->example = NULL;
}

bool
describe_script(FilterdDescribe *describe, FilterdPlugin *table, GError **error)
{
    Declarations declared;
    Script script = {.declared = &declared};

    declarations_init(&declared);
    describe->blame(describe, "script", 0);
    bool ok = script_open(&script, describe->config, describe, error);
    if (ok) {
        ok = check_given(describe, &declared, error);
        drop_hooks(table, script.hooks);
        script_close(&script);
    }
    if (ok)
        fill_table(describe, &declared, table);
    declarations_clear(&declared);
    return ok;
}
