/* reload.c: filterctl reload: has the filterd that runs read its configuration
 * again, and tells what came of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"
#include "filterd/tool/control.h"
#include "filterd/tool/tool.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PATIENCE "10m"

typedef struct Request {
    char *config, *timeout;
    int64_t patience;
} Request;

static gboolean
read_options(Request *request, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
         "The daemon's configuration (" CONTROL_CONFIG ")", "FILE"},
        {"timeout", 't', 0, G_OPTION_ARG_STRING, &request->timeout,
         "How long to wait for the outcome (" DEFAULT_PATIENCE ")", "DURATION"},
        {NULL},
    };
    if (!tool_options(entries, NULL, "reload [-c FILE] [-t DURATION]", argc,
                      argv))
        return FALSE;
    if (request->timeout == NULL)
        request->timeout = g_strdup(DEFAULT_PATIENCE);
    if (text_parse_duration(request->timeout, &request->patience))
        return TRUE;
    fprintf(stderr, "--timeout %s: a duration, such as 30s or 10m\n",
            request->timeout);
    return FALSE;
}

static void
show_ok(const JsonValue *line)
{
    const char *changes = json_text(line, "changes");
    g_autofree char *text = g_strdup_printf(
        "generation %" G_GINT64_FORMAT " serves: %s",
        json_integer(line, "generation"), changes != NULL ? changes : "");
    control_print(stdout, text);
}

static void
show_refused(const JsonValue *line)
{
    printf("refused: generation %" G_GINT64_FORMAT " goes on\n",
           json_integer(line, "generation"));
}

/* `data` is the exit status. */
static void
hear(const JsonValue *line, void *data)
{
    int *status = data;
    const char *result = json_text(line, "result");
    const char *report = json_text(line, "report");
    const char *note = json_text(line, "note");
    if (note != NULL)
        control_print(stderr, note);
    if (report != NULL && *report != '\0')
        control_print(stderr, report);
    if (result == NULL)
        return;
    *status = strcmp(result, "ok") == 0 ? TOOL_OK : TOOL_WRONG;
    if (*status == TOOL_OK)
        show_ok(line);
    else
        show_refused(line);
}

int
tool_reload(int argc, char **argv)
{
    Request request = {0};
    int outcome = TOOL_UNUSABLE, status = TOOL_UNUSABLE;
    if (read_options(&request, argc, argv)) {
        const ControlQuestion question = {
            .command = "reload",
            .config = request.config != NULL ? request.config : CONTROL_CONFIG,
            .word = "reload",
            .patience = request.patience,
            .hear = hear,
            .data = &outcome,
        };
        status = control_ask(&question);
    }
    g_free(request.config);
    g_free(request.timeout);
    return status == TOOL_OK ? outcome : status;
}
