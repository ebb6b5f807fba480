/* check.c: filterctl check: whether a configuration file is right.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"
#include "filterd/process/configuration.h"
#include "filterd/process/statement.h"
#include "filterd/tool/run.h"
#include "filterd/tool/tool.h"
#include "filterd/tool/view.h"
#include "policy/difference.h"

#include <stdio.h>

typedef struct Request {
    gboolean json;
    char *against; /* NULL: nothing */
    const char *path;
} Request;

static gboolean
read_options(Request *request, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &request->json,
         "One JSON object instead of text", NULL},
        {"against", 0, 0, G_OPTION_ARG_FILENAME, &request->against,
         "Tell what is different from that file", "FILE"},
        {NULL},
    };
    if (!tool_options(entries, "FILE", "check [--json] [--against FILE] FILE",
                      argc, argv))
        return FALSE;
    request->path = argv[1];
    return TRUE;
}

/* ---- what there is to say ----------------------------------------------- */

static void
append_note(GString *out, const void *element)
{
    const PolicyNote *note = element;
    g_string_append_c(out, '{');
    view_json_text(out, "file", note->file);
    g_string_append_printf(out, ",\"line\":%u,\"column\":%u,\"end\":%u,",
                           note->line, note->column,
                           note->column + MAX(note->length, 1));
    view_json_text(out, "severity",
                   note->severity == POLICY_ERROR ? "error" : "warning");
    g_string_append_c(out, ',');
    view_json_text(out, "message", note->message);
    g_string_append_c(out, ',');
    view_json_text(out, "suggestion", note->right);
    g_string_append_c(out, ',');
    view_json_text(out, "hint", note->hint);
    g_string_append_c(out, '}');
}

static void
append_phrase(GString *out, const void *element)
{
    value_append_json_text(out, element);
}

/* `phrases`: what is different from the other file; NULL: nobody asked. */
static void
show_json(const PolicyReport *report, gboolean right, const GPtrArray *phrases)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_append_printf(out, "{\"right\":%s,\"notes\":[",
                           right ? "true" : "false");
    view_json_each(out, report->notes, append_note);
    if (phrases != NULL) {
        g_string_append(out, "],\"differences\":[");
        view_json_each(out, phrases, append_phrase);
    }
    g_string_append(out, "]}\n");
    fputs(out->str, stdout);
}

static void
show_text(const Request *request, const PolicyReport *report, gboolean right,
          const GPtrArray *phrases)
{
    g_autofree char *text = policy_report_format(report);
    fputs(text, stderr);
    if (right)
        printf("%s is right\n", request->path);
    for (guint i = 0; phrases != NULL && i < phrases->len; i++)
        puts(g_ptr_array_index(phrases, i));
    if (phrases != NULL && phrases->len == 0)
        printf("nothing is different from %s\n", request->against);
}

/* ---- whether it is right ------------------------------------------------ */

static void
nothing(Engine *engine, void *data)
{
    (void)engine;
    (void)data;
}

/* Plugins look at their options when they start. */
static gboolean
plugins_start(const PolicyConfig *config, const Bundle *bundle,
              const char *path, PolicyReport *report)
{
    g_autoptr(GError) error = NULL;
    const ToolRun run = {config, &config->dns, TRUE};
    const PolicyPlace nowhere = {.file = path, .line = 1, .column = 1};
    if (tool_run(&run, nothing, NULL, &error))
        return TRUE;
    if (!statement_refuse_start(bundle, report, error))
        policy_report_add(report, POLICY_ERROR, &nowhere, NULL, error->message,
                          NULL);
    return FALSE;
}

/* NULL: the other file is not right, which it says itself. */
static GPtrArray *
find_differences(const PolicyConfig *config, const char *path)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) old = tool_compile(bundle, path, FALSE);
    return old != NULL ? policy_difference(old, config) : NULL;
}

static gboolean
check(const Request *request, PolicyReport *report)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config =
        tool_compile_report(bundle, request->path, TRUE, report);
    g_autoptr(GPtrArray) phrases = NULL;
    gboolean right =
        config != NULL
        && configuration_user_exists(config, bundle, request->path, report)
        && plugins_start(config, bundle, request->path, report);
    if (right && request->against != NULL)
        phrases = find_differences(config, request->against);
    policy_report_sort(report);
    if (request->json)
        show_json(report, right, phrases);
    else
        show_text(request, report, right, phrases);
    return right && (request->against == NULL || phrases != NULL);
}

int
tool_check(int argc, char **argv)
{
    Request request = {0};
    PolicyReport report;
    int status = TOOL_UNUSABLE;
    if (read_options(&request, argc, argv)) {
        policy_report_init(&report);
        status = check(&request, &report) ? TOOL_OK : TOOL_WRONG;
        policy_report_clear(&report);
    }
    g_free(request.against);
    return status;
}
