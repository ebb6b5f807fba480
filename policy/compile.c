/* compile.c: from a file to a configuration.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/compile.h"

#include "policy/check.h"
#include "policy/group.h"
#include "policy/parse.h"
#include "policy/runs.h"
#include "policy/settings.h"
#include "policy/warn.h"

#include <string.h>

static void
source_free(gpointer data)
{
    Source *source = data;

    g_bytes_unref(source->bytes);
    g_free(source);
}

static void
clear_listen(gpointer data)
{
    endpoint_clear(&((PolicyListen *)data)->endpoint);
}

static void
clear_backend(gpointer data)
{
    endpoint_clear(&((PolicyBackend *)data)->endpoint);
}

static PolicyConfig *
config_new(void)
{
    PolicyConfig *config = g_new0(PolicyConfig, 1);

    config->listens = g_ptr_array_new_with_free_func(clear_listen);
    config->backends = g_ptr_array_new_with_free_func(clear_backend);
    config->uses = g_ptr_array_new();
    config->isolated = g_ptr_array_new();
    config->named = g_ptr_array_new();
    config->facts = g_ptr_array_new();
    config->texts = g_string_chunk_new(4096);
    config->rules = policy_rules_new();
    return config;
}

void
policy_config_free(PolicyConfig *config)
{
    g_ptr_array_unref(config->listens);
    g_ptr_array_unref(config->backends);
    g_ptr_array_unref(config->uses);
    g_ptr_array_unref(config->isolated);
    g_ptr_array_unref(config->named);
    g_ptr_array_unref(config->facts);
    policy_rules_free(config->rules);
    g_string_chunk_free(config->texts);
    g_free(config);
}

static void
compile_init(Compile *compile, const PolicyLoader *loader, PolicyReport *report)
{
    *compile = (Compile){.loader = loader, .report = report};
    compile->config = config_new();
    compile->rules = compile->config->rules;
    compile->skeleton = loader->plugin == NULL;
    compile->sources = g_ptr_array_new_with_free_func(source_free);
    compile->open = g_ptr_array_new();
    compile->names = g_hash_table_new(g_str_hash, g_str_equal);
    compile->steps = g_array_new(FALSE, FALSE, sizeof(Step));
    compile->lost = g_hash_table_new(g_str_hash, g_str_equal);
    compile->torn = g_array_new(FALSE, FALSE, sizeof(PolicyPlace));
    settings_start(compile);
}

static void
compile_clear(Compile *compile)
{
    g_clear_pointer(&compile->config, policy_config_free);
    g_ptr_array_unref(compile->sources);
    g_ptr_array_unref(compile->open);
    g_hash_table_unref(compile->names);
    g_array_unref(compile->steps);
    g_hash_table_unref(compile->lost);
    g_array_unref(compile->torn);
    settings_stop(compile);
}

gboolean
compile_is_lost(const Compile *compile, const char *name)
{
    return compile->incomplete || g_hash_table_contains(compile->lost, name);
}

static PolicyConfig *
compile_source(Compile *compile, const Source *source)
{
    unsigned before = compile->report->errors;

    parse_core_facts(compile);
    if (compile_check_text(compile, source))
        parse_file(compile, source);
    settings_finish(compile);
    if (!compile->skeleton)
        check_all(compile);
    if (!compile->skeleton && compile->report->errors == before)
        warn_all(compile);
    policy_report_sort(compile->report);
    if (compile->report->errors > before)
        return NULL;
    group_prepare(compile->rules);
    for (int stage = 0; stage < FILTERD_STAGES; stage++)
        compile->rules->alike[stage] = runs_new(compile->rules->stages[stage]);
    return g_steal_pointer(&compile->config);
}

PolicyConfig *
policy_compile(const char *path, const PolicyLoader *loader,
               PolicyReport *report)
{
    Compile compile;
    PolicyConfig *config = NULL;
    PolicyPlace nowhere = {.file = path, .line = 1, .column = 1};

    compile_init(&compile, loader, report);
    const Source *source = compile_read(&compile, &nowhere, path);
    if (source != NULL)
        config = compile_source(&compile, source);
    compile_clear(&compile);
    return config;
}

PolicyConfig *
policy_compile_text(const char *name, const char *text,
                    const PolicyLoader *loader, PolicyReport *report)
{
    Compile compile;

    compile_init(&compile, loader, report);
    const Source *source =
        compile_add_source(&compile, name, g_bytes_new(text, strlen(text)));
    PolicyConfig *config = compile_source(&compile, source);
    compile_clear(&compile);
    return config;
}

const PolicyPlace *
policy_option_place(const PolicyUse *use, const char *name, size_t index)
{
    const PolicyOption *options = use->options.items;
    const PolicyPlace *place = NULL;

    for (size_t i = 0; i < use->options.length; i++)
        if (strcmp(options[i].name, name) == 0 && options[i].first <= index)
            place = &options[i].place;
    return place;
}

const PolicyFact *
policy_fact_find(const PolicyConfig *config, const char *name)
{
    return g_hash_table_lookup(config->rules->facts, name);
}
