/* fixture.c: instances of scripts, for tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/lua/fixture.h"

#include <string.h>

static GPtrArray *kept;

static void *
keep(void *memory)
{
    if (kept == NULL)
        kept = g_ptr_array_new();
    g_ptr_array_add(kept, memory);
    return memory;
}

static FilterdArray
parse_given(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
    Given *given = keep(g_new0(Given, g_strv_length(lines) + 1));
    size_t length = 0;

    for (char **line = lines; *line != NULL; line++) {
        if (**line == '\0')
            continue;
        char **words = keep(g_strsplit(*line, " ", -1));
        for (char **word = words; *word != NULL; word++)
            keep(g_strdelimit(*word, "_", ' '));
        given[length++] =
            (Given){words[0], {words + 1, g_strv_length(words) - 1}};
    }
    return (FilterdArray){given, length};
}

static Config *
new_config(const char *path, const char *text, const char *given)
{
    Config *config = keep(g_new0(Config, 1));

    *config = (Config){
        .script = {.path = keep(g_strdup(path)),
                   .bytes = keep(g_strdup(text)),
                   .length = strlen(text)},
        .given = parse_given(given),
        .memory = FIXTURE_MEMORY,
        .work = FIXTURE_WORK,
    };
    return config;
}

const Config *
fixture_config(const char *script, const char *given)
{
    return new_config("t.lua", script, given);
}

static char *
read_script(const char *name, char **path)
{
    char *text;

    *path = keep(g_strconcat(SCRIPTS, "/", name, ".lua", NULL));
    g_assert_true(g_file_get_contents(*path, &text, NULL, NULL));
    return keep(text);
}

const Config *
fixture_shipped(const char *name, const char *given)
{
    char *path, *module_path;
    const char *text = read_script(name, &path);
    const char *module = read_script("mime", &module_path);
    Config *config = new_config(path, text, given);
    FilterdFile *file = keep(g_new0(FilterdFile, 1));

    *file = (FilterdFile){module_path, module, strlen(module)};
    config->work = FIXTURE_SHIPPED_WORK;
    config->modules = (FilterdArray){file, 1};
    return config;
}

Harness *
fixture_new(const char *script)
{
    return harness_new(&filterd_plugin, fixture_config(script, NULL));
}
