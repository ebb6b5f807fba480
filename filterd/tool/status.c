/* status.c: filterctl status: how the filterd is that runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"
#include "filterd/tool/control.h"
#include "filterd/tool/tool.h"

#include <inttypes.h>
#include <string.h>

/* Milliseconds. */
#define PATIENCE 10000
#define MEGABYTE 1048576

typedef struct Request {
    char *config;
    gboolean json;
    gboolean well;
} Request;

static gboolean
read_options(Request *request, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
         "The daemon's configuration (" CONTROL_CONFIG ")", "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &request->json,
         "One JSON object instead of text", NULL},
        {NULL},
    };
    return tool_options(entries, NULL, "status [-c FILE] [--json]", argc, argv);
}

/* ---- JSON --------------------------------------------------------------- */

static void append_json(GString *out, const JsonValue *value);

static void
append_all(GString *out, const JsonValue *value, const char *brackets)
{
    g_string_append_c(out, brackets[0]);
    for (const JsonValue *one = value->first; one != NULL; one = one->next) {
        if (one != value->first)
            g_string_append_c(out, ',');
        if (one->name != NULL) {
            json_append(out, one->name, strlen(one->name));
            g_string_append_c(out, ':');
        }
        append_json(out, one);
    }
    g_string_append_c(out, brackets[1]);
}

/* What the daemon said, and nothing that it did not. */
static void
append_json(GString *out, const JsonValue *value)
{
    if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
        append_all(out, value, value->type == JSON_ARRAY ? "[]" : "{}");
    else if (value->type == JSON_TEXT)
        json_append(out, value->text, strlen(value->text));
    else if (value->type == JSON_NUMBER)
        text_append_integer(out, value->integer);
    else if (value->type == JSON_BOOL)
        g_string_append(out, value->boolean ? "true" : "false");
    else
        g_string_append(out, "null");
}

/* ---- text --------------------------------------------------------------- */

static const char *
text_of(const JsonValue *object, const char *name)
{
    const char *text = json_text(object, name);
    return text != NULL ? text : "-";
}

/* Of an array. */
static const char *
word_of(const JsonValue *element)
{
    return element->type == JSON_TEXT ? element->text : "-";
}

static const JsonValue *
first_of(const JsonValue *object, const char *name)
{
    const JsonValue *array = json_find(object, name, JSON_ARRAY);
    return array != NULL ? array->first : NULL;
}

static void
head(GString *out, const char *name)
{
    g_string_append_printf(out, "%-15s", name);
}

static gboolean
has_changed(const char *path, const char *sum)
{
    g_autofree char *text = NULL;
    gsize length;
    if (sum == NULL || path == NULL
        || !g_file_get_contents(path, &text, &length, NULL))
        return FALSE;
    g_autofree char *now = g_compute_checksum_for_data(
        G_CHECKSUM_SHA256, (const guchar *)text, length);
    return strcmp(now, sum) != 0;
}

static void
show_configuration(GString *out, const JsonValue *line)
{
    const JsonValue *object = json_find(line, "configuration", JSON_OBJECT);
    const char *path = json_text(object, "file");
    const char *sum = json_text(object, "sha256");
    int64_t files = json_integer(object, "files");
    if (object == NULL)
        return;
    head(out, "configuration");
    g_string_append_printf(out, "%s, read %s, sha256 %.12s",
                           text_of(object, "file"), text_of(object, "read"),
                           sum != NULL ? sum : "-");
    if (files > 1)
        g_string_append_printf(out, ", and %" PRId64 " more", files - 1);
    g_string_append(
        out, has_changed(path, sum) ? "; the file has changed since\n" : "\n");
    head(out, "listens");
    g_string_append_printf(out, "%s\n", text_of(line, "listen"));
}

static void
show_process(GString *out, const JsonValue *process)
{
    const char *kind = text_of(process, "kind");
    gboolean worker = strcmp(kind, "worker") == 0;
    int64_t lost = json_integer(process, "lost");
    g_string_append_printf(out, "  %-8s %7" PRId64 "  %4" PRId64 " MB", kind,
                           json_integer(process, "pid"),
                           json_integer(process, "memory") / MEGABYTE);
    if (worker)
        g_string_append_printf(
            out, "  %" PRId64 " sessions, %" PRId64 " fibers",
            json_integer(process, "sessions"), json_integer(process, "fibers"));
    else if (json_text(process, "name") != NULL)
        g_string_append_printf(out, "  %s of worker %" PRId64,
                               json_text(process, "name"),
                               json_integer(process, "worker"));
    if (lost > 0)
        g_string_append_printf(out, ", lost %" PRId64 " times", lost);
    g_string_append(out,
                    json_boolean(process, "ready") ? "\n" : ", not there\n");
}

static void
show_generation(GString *out, const JsonValue *generation)
{
    g_autofree char *name = g_strdup_printf("generation %" PRId64,
                                            json_integer(generation, "number"));
    head(out, name);
    g_string_append_printf(
        out, "%s, since %s, %" PRId64 " sessions", text_of(generation, "state"),
        text_of(generation, "since"), json_integer(generation, "sessions"));
    if (json_find(generation, "seconds-left", JSON_NUMBER) != NULL)
        g_string_append_printf(out, ", %" PRId64 " s left",
                               json_integer(generation, "seconds-left"));
    g_string_append_c(out, '\n');
    for (const JsonValue *one = first_of(generation, "processes"); one != NULL;
         one = one->next)
        show_process(out, one);
}

/* Of the generation that serves. */
static void
show_plugins(GString *out, const JsonValue *generation)
{
    const JsonValue *one = first_of(generation, "plugins");
    if (one != NULL)
        head(out, "plugins");
    for (; one != NULL; one = one->next) {
        const char *name = text_of(one, "name"),
                   *plugin = text_of(one, "plugin");
        g_string_append(out, name);
        if (strcmp(name, plugin) != 0)
            g_string_append_printf(out, " (%s)", plugin);
        if (strcmp(text_of(one, "isolation"), "process") == 0)
            g_string_append(out, " in processes of its own");
        g_string_append(out, one->next != NULL ? ", " : "\n");
    }
}

static void
show_backends(GString *out, const JsonValue *line)
{
    for (const JsonValue *one = first_of(line, "backends"); one != NULL;
         one = one->next) {
        head(out, "backend");
        g_string_append_printf(
            out,
            "%s %s, %" PRId64 " connections, %" PRId64 " uses, %" PRId64
            " failures\n",
            text_of(one, "address"), json_boolean(one, "up") ? "up" : "down",
            json_integer(one, "connections"), json_integer(one, "uses"),
            json_integer(one, "failures"));
    }
}

static void
show_services(GString *out, const JsonValue *line)
{
    const JsonValue *store = json_find(line, "store", JSON_OBJECT);
    const JsonValue *dns = json_find(line, "dns", JSON_OBJECT);
    const char *where = json_text(store, "where");
    head(out, "store");
    g_string_append_printf(out, "%s%s%s, %" PRId64 " operations failed\n",
                           text_of(store, "kind"), where != NULL ? " " : "",
                           where != NULL ? where : "",
                           json_integer(store, "failed"));
    head(out, "dns");
    for (const JsonValue *one = first_of(dns, "resolver"); one != NULL;
         one = one->next)
        g_string_append_printf(out, "%s%s", word_of(one),
                               one->next != NULL ? " " : ": ");
    g_string_append_printf(out,
                           "%" PRId64 " questions, %" PRId64
                           " of them cached, %" PRId64 " failed\n",
                           json_integer(dns, "questions"),
                           json_integer(dns, "cached"),
                           json_integer(dns, "failed"));
}

static void
show_counts(GString *out, const JsonValue *line)
{
    const JsonValue *counts = json_find(line, "counts", JSON_OBJECT);
    const JsonValue *one = counts != NULL ? counts->first : NULL;
    if (one != NULL)
        head(out, "counted");
    for (; one != NULL; one = one->next)
        g_string_append_printf(out, "%s %" PRId64 "%s", one->name,
                               json_integer(counts, one->name),
                               one->next != NULL ? ", " : "\n");
}

static void
show_text(GString *out, const JsonValue *line)
{
    g_string_append_printf(out,
                           "filterd %s, pid %" PRId64 ", since %s, is %s\n",
                           text_of(line, "version"), json_integer(line, "pid"),
                           text_of(line, "since"),
                           json_boolean(line, "well") ? "well" : "not well:");
    for (const JsonValue *one = first_of(line, "problems"); one != NULL;
         one = one->next)
        g_string_append_printf(out, "  %s\n", word_of(one));
    show_configuration(out, line);
    for (const JsonValue *one = first_of(line, "generations"); one != NULL;
         one = one->next)
        show_generation(out, one);
    if (json_boolean(line, "reloading"))
        g_string_append(out, "reloading      a configuration is on its way\n");
    show_plugins(out, first_of(line, "generations"));
    show_backends(out, line);
    show_services(out, line);
    show_counts(out, line);
}

static void
hear(const JsonValue *line, void *data)
{
    Request *request = data;
    g_autoptr(GString) out = g_string_new(NULL);
    request->well = json_boolean(line, "well");
    if (request->json)
        append_json(out, line);
    else
        show_text(out, line);
    control_print(stdout, out->str);
}

int
tool_status(int argc, char **argv)
{
    Request request = {0};
    int status = TOOL_UNUSABLE;
    if (read_options(&request, argc, argv)) {
        const ControlQuestion question = {
            .command = "status",
            .config = request.config != NULL ? request.config : CONTROL_CONFIG,
            .word = "status",
            .patience = PATIENCE,
            .hear = hear,
            .data = &request,
        };
        status = control_ask(&question);
    }
    g_free(request.config);
    return status == TOOL_OK && !request.well ? TOOL_WRONG : status;
}
