/* parse-use.c: plugins and their facts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/describe.h"
#include "policy/options.h"
#include "policy/parse.h"
#include "policy/setting-tables.h"

#include <string.h>

static void
add_fact(Compile *compile, const FilterdFact *row, const PolicyUse *use,
         unsigned index)
{
    PolicyFact *fact = arena_alloc(&compile->rules->arena, sizeof(*fact));
    g_autofree char *name = use != NULL
                                ? g_strdup_printf("%s.%s", use->name, row->name)
                                : g_strdup(row->name);

    fact->name = compile_keep(compile, name, -1);
    fact->row = row;
    fact->use = use;
    fact->index = index;
    g_ptr_array_add(compile->config->facts, fact);
    g_hash_table_insert(compile->rules->facts, (gpointer)fact->name, fact);
}

static void
add_facts(Compile *compile, const FilterdFact *rows, const PolicyUse *use)
{
    for (unsigned i = 0; rows != NULL && rows[i].name != NULL; i++)
        add_fact(compile, &rows[i], use, i);
}

void
parse_core_facts(Compile *compile)
{
    add_facts(compile, compile->loader->core_facts, NULL);
}

/* The part of a core fact's name before its dot is taken. */
static gboolean
is_core_name(const Compile *compile, const char *name)
{
    const FilterdFact *rows = compile->loader->core_facts;
    gsize length = strlen(name);

    for (unsigned i = 0; rows != NULL && rows[i].name != NULL; i++)
        if (strncmp(rows[i].name, name, length) == 0
            && (rows[i].name[length] == '.' || rows[i].name[length] == '\0'))
            return TRUE;
    return FALSE;
}

static gboolean
check_instance(Compile *compile, const PolicyPlace *place, const char *name)
{
    const GPtrArray *uses = compile->config->uses;

    if (is_core_name(compile, name)) {
        compile_error(compile, place, "give it another name with `as`",
                      "`%s` is a name of filterd's own facts", name);
        return FALSE;
    }
    for (guint i = 0; i < uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(uses, i);

        if (strcmp(use->name, name) != 0)
            continue;
        g_autofree char *line = compile_line(&use->place, place);
        g_autofree char *hint =
            g_strdup_printf("it is used in %s already; give this one a name of "
                            "its own with `as`",
                            line);
        compile_error(compile, place, hint, "`%s` is used twice", name);
        return FALSE;
    }
    return TRUE;
}

/* Their names, then NULL. */
static GPtrArray *
all_plugins(Compile *compile)
{
    const PolicyLoader *loader = compile->loader;

    if (loader->plugins != NULL)
        return loader->plugins(loader->data);
    GPtrArray *none = g_ptr_array_new();
    g_ptr_array_add(none, NULL);
    return none;
}

gboolean
compile_is_plugin(Compile *compile, const char *name)
{
    g_autoptr(GPtrArray) names = all_plugins(compile);

    return g_strv_contains((const char *const *)names->pdata, name);
}

static const FilterdPlugin *
load(Compile *compile, const PolicyPlace *place, const char *name)
{
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin =
        compile->loader->plugin(compile->loader->data, name, &error);

    if (plugin != NULL)
        return plugin;
    g_autoptr(GPtrArray) names = all_plugins(compile);
    const char *const *words = (const char *const *)names->pdata;
    const Complaint near = {.near = compile_guess(name, words)};
    if (near.near != NULL && !g_strv_contains(words, name))
        compile_complain(compile, place, &near, "no plugin `%s`", name);
    else
        compile_error(compile, place, NULL, "cannot load the plugin `%s`: %s",
                      name, error != NULL ? error->message : "not found");
    return NULL;
}

/* ---- options ------------------------------------------------------------ */

/* The plugin's rows, then ours, whose struct lies behind the plugin's. */
static FilterdOption *
join_tables(const FilterdOption *rows, gsize ours)
{
    GArray *table = g_array_new(TRUE, TRUE, sizeof(FilterdOption));
    for (; rows != NULL && rows->name != NULL; rows++)
        g_array_append_val(table, *rows);
    for (rows = setting_use; rows->name != NULL; rows++) {
        FilterdOption own = *rows;
        own.offset += ours;
        g_array_append_val(table, own);
    }
    return (FilterdOption *)(void *)g_array_free(table, FALSE);
}

static void
note_isolated(Compile *compile, const PolicyIsolated *isolated)
{
    gpointer kept =
        arena_copy(&compile->rules->arena, isolated, sizeof *isolated);
    g_ptr_array_add(compile->config->isolated, kept);
}

static void
take_own_options(Compile *compile, PolicyUse *use, const char *name,
                 const PolicyUseOptions *own)
{
    const PolicyIsolated isolated = {.plugin = name,
                                     .name = use->name,
                                     .use = use->plugin != NULL ? use : NULL,
                                     .memory = own->isolation_memory};
    const PolicyNamed named = {name, use->name};
    use->own = *own;
    g_ptr_array_add(compile->config->named,
                    arena_copy(&compile->rules->arena, &named, sizeof named));
    if (own->isolation == POLICY_ISOLATION_PROCESS)
        note_isolated(compile, &isolated);
}

static gboolean
parse_use_options(Compile *compile, PolicyUse *use)
{
    g_autofree char *owner = g_strdup_printf("`%s`", use->plugin->name);
    gsize ours = (use->plugin->config_size + 15) & ~(gsize)15;
    g_autofree FilterdOption *table = join_tables(use->plugin->options, ours);
    char *config =
        arena_alloc(&compile->rules->arena, ours + sizeof(PolicyUseOptions));
    gboolean ok = TRUE;
    Options options;

    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof(PolicyOption));
    options_init(&options, owner, table, config);
    options.place = use->place;
    options.given = given;
    unsigned before = compile->report->errors;
    if (compile->token.kind == TOKEN_OPEN)
        ok = options_parse_block(compile, &options);
    options_finish(compile, &options);
    options_clear(&options);
    use->options.items = arena_copy(&compile->rules->arena, given->data,
                                    given->len * sizeof(PolicyOption));
    use->options.length = given->len;
    use->config = config;
    if (use->plugin->describe != NULL
        && (compile->report->errors > before
            || !describe_use(compile, use, config)))
        g_hash_table_add(compile->lost, (gpointer)use->name);
    take_own_options(compile, use, use->plugin->name,
                     (const PolicyUseOptions *)(const void *)(config + ours));
    return ok;
}

/* ---- without the plugin ------------------------------------------------- */

static gboolean
is_own_option(const Compile *compile)
{
    for (unsigned i = 0; setting_use[i].name != NULL; i++)
        if (compile_at(compile, setting_use[i].name))
            return TRUE;
    return FALSE;
}

/* What is behind a bare word of ours is ours, wherever it stands. */
static gboolean
skim_block(Compile *compile, Options *options)
{
    PolicyPlace open = compile->token.place;

    compile_advance(compile);
    while (compile->token.kind != TOKEN_CLOSE
           && compile->token.kind != TOKEN_END) {
        if (is_own_option(compile)) {
            if (!options_parse_one(compile, options, TRUE))
                return FALSE;
        } else if (compile->token.kind == TOKEN_OPEN) {
            compile_skip_block(compile);
        } else {
            compile_advance(compile);
        }
    }
    return compile_close(compile, &open);
}

static gboolean
skim_use(Compile *compile, const char *name)
{
    PolicyUse use = {.name = name};
    PolicyUseOptions own = {0};
    gboolean ok = TRUE;
    Options options;

    options_init(&options, "`use`", setting_use, &own);
    if (compile->token.kind == TOKEN_OPEN)
        ok = skim_block(compile, &options);
    options_finish(compile, &options);
    options_clear(&options);
    take_own_options(compile, &use, compile->plugin, &own);
    return ok;
}

static gboolean
skip_use(Compile *compile, const char *name)
{
    g_hash_table_add(compile->lost, (gpointer)name);
    if (compile->skeleton)
        return skim_use(compile, name);
    return compile->token.kind != TOKEN_OPEN || compile_skip_block(compile);
}

/* `use dnsbl bl` */
static void
check_as(Compile *compile, const char *plugin)
{
    const Token *token = &compile->token;

    if (token->leads || token->kind != TOKEN_BARE || parse_is_statement(token))
        return;
    g_autofree char *name = g_strndup(token->start, token->length);
    g_autofree char *right = g_strdup_printf("as %s", name);
    const Complaint complaint = {.right = right};
    compile_complain(compile, &token->place, &complaint,
                     "`use %s` goes on with `as` or `{`, not with `%s`", plugin,
                     name);
    g_hash_table_add(compile->lost, (gpointer)compile_keep(compile, name, -1));
    compile_advance(compile);
}

/* What begins with a digit is a value where the facts are named. */
static gboolean
check_letter(Compile *compile, const PolicyPlace *place, const char *name)
{
    if (!g_ascii_isdigit(*name))
        return TRUE;
    compile_error(compile, place, "a plugin's name begins with a letter",
                  "`%s` cannot be the name of a plugin", name);
    g_hash_table_add(compile->lost, (gpointer)name);
    return FALSE;
}

gboolean
parse_use(Compile *compile, G_GNUC_UNUSED const PolicyPlace *statement)
{
    PolicyPlace place = compile->token.place;
    PolicyPlace name_place = place;
    const char *plugin_name = compile_value(compile, "a plugin's name");
    const char *name = plugin_name;

    if (plugin_name == NULL)
        return FALSE;
    compile->plugin = plugin_name;
    if (compile_at(compile, "as")) {
        compile_advance(compile);
        name_place = compile->token.place;
        name = parse_name(compile, "a name");
        if (name == NULL || !check_letter(compile, &name_place, name))
            return FALSE;
    }
    if (compile->skeleton)
        return skip_use(compile, name);
    check_as(compile, plugin_name);
    const FilterdPlugin *plugin = load(compile, &place, plugin_name);
    if (plugin == NULL || !check_instance(compile, &name_place, name))
        return skip_use(compile, name);
    PolicyUse *use = arena_alloc(&compile->rules->arena, sizeof(*use));
    *use = (PolicyUse){.plugin = plugin, .name = name, .place = place};
    g_ptr_array_add(compile->config->uses, use);
    gboolean ok = parse_use_options(compile, use);
    add_facts(compile, use->plugin->facts, use);
    return ok;
}
