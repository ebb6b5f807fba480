/* test.c: filterctl test: runs a policy's own tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/test.h"

#include "filterd/tool/tool.h"

#include <stdio.h>

typedef struct Request {
    gboolean json, colour;
    char *only, *color;
    GRegex *pattern; /* NULL: all of them */
} Request;

static gboolean
wrong(const char *what, const char *value)
{
    fprintf(stderr, "filterctl test: %s: %s\n", what, value);
    return FALSE;
}

static gboolean
parse_options(Request *request, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"only", 0, 0, G_OPTION_ARG_STRING, &request->only,
         "Only tests whose name matches", "REGEX"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &request->json,
         "One JSON object instead of text", NULL},
        {"color", 0, 0, G_OPTION_ARG_STRING, &request->color,
         "auto, always or never", "WHEN"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("FILE");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error))
        return wrong("arguments", error->message);
    if (*argc != 2)
        return wrong("arguments", "one configuration");
    if (!view_colour(request->color, &request->colour))
        return wrong("--color", "is auto, always or never");
    if (request->only == NULL)
        return TRUE;
    request->pattern = g_regex_new(request->only, 0, 0, &error);
    return request->pattern != NULL || wrong("--only", error->message);
}

static void
free_test(void *test)
{
    policy_test_free(test);
}

static GPtrArray *
run_tests(const Request *request, const PolicyConfig *config)
{
    GPtrArray *tests = g_ptr_array_new_with_free_func(free_test);

    for (unsigned i = 0; i < policy_test_count(config); i++)
        if (request->pattern == NULL
            || g_regex_match(request->pattern, policy_test_name(config, i), 0,
                             NULL))
            g_ptr_array_add(tests, policy_test_run(config, i));
    return tests;
}

/* The tests go before the configuration, of which they speak. */
static int
run(const Request *request, const char *path)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config = tool_compile(bundle, path, FALSE);

    if (config == NULL)
        return TOOL_UNUSABLE;
    g_autoptr(GPtrArray) tests = run_tests(request, config);
    if (request->pattern != NULL && tests->len == 0) {
        wrong("--only", "no test has such a name");
        return TOOL_UNUSABLE;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    View view = {out, request->colour};
    if (request->json)
        test_result_json(out, tests);
    else
        test_result_text(&view, tests);
    fputs(out->str, stdout);
    return test_result_failed(tests) == 0 ? TOOL_OK : TOOL_WRONG;
}

int
tool_test(int argc, char **argv)
{
    Request request = {0};
    int status = parse_options(&request, &argc, &argv) ? run(&request, argv[1])
                                                       : TOOL_UNUSABLE;

    g_free(request.only);
    g_free(request.color);
    g_clear_pointer(&request.pattern, g_regex_unref);
    return status;
}
