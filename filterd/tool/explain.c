/* explain.c: filterctl explain: what plugins take and find out, from their
 * tables alone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include "filterd/base/text.h"
#include "filterd/host/loader.h"
#include "filterd/session/engine.h"
#include "filterd/tool/tool.h"

#include <stdio.h>
#include <string.h>

typedef struct Request {
    gboolean json, manual;
    const char *what; /* NULL: an overview */
    char *config, *session, *log;
    const PolicyConfig *of; /* of --config */
    GPtrArray *instances; /* of that file, by their own names; NULL: plugins */
} Request;

static gboolean
unusable(const char *why)
{
    fprintf(stderr, "filterctl explain: %s\n", why);
    return FALSE;
}

static gboolean
read_options(Request *request, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &request->json, "For tools", NULL},
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
         "Instances of that file instead of plugins", "FILE"},
        {"manual", 0, 0, G_OPTION_ARG_NONE, &request->manual,
         "The manual page of a plugin, in mdoc", NULL},
        {"session", 0, 0, G_OPTION_ARG_STRING, &request->session,
         "Why the mail of that session got its verdict", "ID"},
        {"log", 0, 0, G_OPTION_ARG_FILENAME, &request->log,
         "The decision log, for --session", "FILE"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context =
        g_option_context_new("[PLUGIN|FILE.so|FACT|core]");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return unusable(error->message);
    if (argc > 2)
        return unusable("one thing at a time");
    if (request->json && request->manual)
        return unusable("one of --json and --manual");
    if (request->config != NULL && request->manual)
        return unusable("--manual is of a plugin");
    if (request->session != NULL && (argc > 1 || request->manual))
        return unusable("--session, or a plugin or fact");
    if (request->session == NULL && request->log != NULL)
        return unusable("--log is for --session");
    request->what = argc > 1 ? argv[1] : NULL;
    return TRUE;
}

/* ---- what there is ------------------------------------------------------ */

static const FilterdFact *
find_fact(const FilterdFact *rows, const char *name)
{
    for (; rows != NULL && rows->name != NULL; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

/* Those that can be loaded; the others are complained of. */
static GPtrArray *
load_all(const Request *request)
{
    if (request->instances != NULL)
        return g_ptr_array_ref(request->instances);
    GPtrArray *plugins = g_ptr_array_new();
    g_autoptr(GPtrArray) names = loader_names();
    for (unsigned i = 0; i + 1 < names->len; i++) {
        g_autoptr(GError) error = NULL;
        const FilterdPlugin *plugin =
            loader_open(g_ptr_array_index(names, i), &error);
        if (plugin != NULL)
            g_ptr_array_add(plugins, (gpointer)plugin);
        else
            unusable(error->message);
    }
    return plugins;
}

static void
add_names(GPtrArray *words, const FilterdPlugin *plugin,
          const FilterdFact *rows)
{
    for (; rows != NULL && rows->name != NULL; rows++)
        g_ptr_array_add(words, explain_fact_name(plugin, rows));
}

/* All names that this command takes, then NULL. */
static GPtrArray *
all_words(const Request *request)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) plugins = load_all(request);
    g_ptr_array_add(words, g_strdup("core"));
    add_names(words, NULL, engine_core_facts);
    for (unsigned i = 0; i < plugins->len; i++) {
        const FilterdPlugin *plugin = g_ptr_array_index(plugins, i);
        g_ptr_array_add(words, g_strdup(plugin->name));
        add_names(words, plugin, plugin->facts);
    }
    g_ptr_array_add(words, NULL);
    return words;
}

static int
nothing_such(const Request *request)
{
    const char *what = request->what;
    g_autoptr(GPtrArray) words = all_words(request);
    const char *near = text_suggest(what, (const char *const *)words->pdata);
    if (near != NULL)
        fprintf(stderr,
                "filterctl explain: no plugin or fact `%s`; did you mean "
                "`%s`?\n",
                what, near);
    else
        fprintf(stderr,
                "filterctl explain: no plugin or fact `%s`; `filterctl "
                "explain` lists what there is\n",
                what);
    return TOOL_WRONG;
}

/* ---- what is asked for -------------------------------------------------- */

/* Frees the page. */
static int
show(char *page)
{
    fputs(page, stdout);
    g_free(page);
    return TOOL_OK;
}

static int
show_overview(const Request *request)
{
    g_autoptr(GPtrArray) plugins = load_all(request);
    return show(request->json
                    ? explain_overview_json(plugins, request->of)
                    : explain_overview(&explain_text, plugins, request->of));
}

static int
show_core(const Request *request)
{
    return show(request->json ? explain_core_json(engine_core_facts)
                              : explain_core(&explain_text, engine_core_facts));
}

static int
show_fact(const Request *request, const FilterdPlugin *plugin,
          const FilterdFact *fact)
{
    return show(request->json ? explain_fact_json(plugin, fact)
                              : explain_fact(&explain_text, plugin, fact));
}

static int
show_plugin(const Request *request, const FilterdPlugin *plugin)
{
    return show(request->json ? explain_plugin_json(plugin)
                              : explain_plugin(&explain_text, plugin));
}

static gboolean
is_file(const char *what)
{
    return strchr(what, '/') != NULL || g_str_has_suffix(what, ".so");
}

/* Also by the plugin's name, where the file gives it another. */
static const FilterdPlugin *
find_instance(const Request *request, const char *name)
{
    const char *own = explain_instance_name(request->of, name);
    for (unsigned i = 0; i < request->instances->len; i++) {
        const FilterdPlugin *instance = request->instances->pdata[i];
        if (strcmp(instance->name, own) == 0)
            return instance;
    }
    return NULL;
}

/* "spf", or "spf.result"; NULL with an error that says what is wrong with a
 * plugin that is there. */
static const FilterdPlugin *
open_plugin(const Request *request, GError **error)
{
    if (request->instances == NULL && is_file(request->what))
        return loader_open_file(request->what, error);
    g_autofree char *name =
        g_strndup(request->what, strcspn(request->what, "."));
    if (request->instances != NULL)
        return find_instance(request, name);
    const FilterdPlugin *plugin = loader_open(name, error);
    if (plugin == NULL
        && g_error_matches(*error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        g_clear_error(error);
    return plugin;
}

static int
show_named(const Request *request)
{
    const char *dot =
        is_file(request->what) ? NULL : strchr(request->what, '.');
    const FilterdFact *fact = find_fact(engine_core_facts, request->what);
    if (fact != NULL)
        return show_fact(request, NULL, fact);
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin = open_plugin(request, &error);
    if (error != NULL) {
        unusable(error->message);
        return TOOL_WRONG;
    }
    if (plugin != NULL && dot == NULL)
        return show_plugin(request, plugin);
    fact = plugin != NULL ? find_fact(plugin->facts, dot + 1) : NULL;
    return fact != NULL ? show_fact(request, plugin, fact)
                        : nothing_such(request);
}

static int
show_manual(const Request *request)
{
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin = is_file(request->what)
                                      ? loader_open_file(request->what, &error)
                                      : loader_open(request->what, &error);
    if (plugin != NULL)
        return show(explain_plugin(&explain_manual, plugin));
    unusable(error->message);
    return TOOL_WRONG;
}

static int
answer(const Request *request)
{
    if (request->manual)
        return show_manual(request);
    if (request->what == NULL)
        return show_overview(request);
    if (strcmp(request->what, "core") == 0)
        return show_core(request);
    return show_named(request);
}

static int
answer_of_file(Request *request)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config =
        tool_compile(bundle, request->config, FALSE);
    if (config == NULL)
        return TOOL_WRONG;
    Arena arena;
    arena_init(&arena);
    request->of = config;
    request->instances = explain_instances(config, &arena);
    int status = answer(request);
    g_ptr_array_unref(request->instances);
    arena_clear(&arena);
    return status;
}

static int
run(Request *request)
{
    if (request->session != NULL)
        return explain_session(&(ExplainSession){
            request->session, request->config, request->log, request->json});
    if (request->manual && request->what == NULL) {
        unusable("--manual of which plugin?");
        return TOOL_UNUSABLE;
    }
    return request->config != NULL ? answer_of_file(request) : answer(request);
}

int
tool_explain(int argc, char **argv)
{
    Request request = {0};
    int status =
        read_options(&request, argc, argv) ? run(&request) : TOOL_UNUSABLE;
    g_free(request.config);
    g_free(request.session);
    g_free(request.log);
    return status;
}
