/* top.c: filterctl top: what the filterd that runs is doing, second by second.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/top.h"

#include "filterd/tool/control.h"
#include "filterd/tool/tool.h"

#include <sys/ioctl.h>
#include <unistd.h>

/* Milliseconds for an answer; seconds between two, and that are looked back. */
#define PATIENCE 10000
#define PAUSE 1
#define WINDOW 10
/* Rules that are shown where there is no screen, and at least. */
#define RULES_MOST 50
#define RULES_LEAST 5

typedef struct Request {
    char *config;
    gboolean once;
    GQueue samples; /* TopSample, the oldest first */
} Request;

static gboolean
read_options(Request *request, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
         "The daemon's configuration (" CONTROL_CONFIG ")", "FILE"},
        {"batch", '1', 0, G_OPTION_ARG_NONE, &request->once,
         "Show once what there was since filterd started", NULL},
        {NULL},
    };
    return tool_options(entries, NULL, "top [-c FILE] [--batch]", argc, argv);
}

/* As many as the screen has lines left. */
static unsigned
rules_for(const TopSample *sample)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return RULES_MOST;
    unsigned above = sample->counts->len + sample->timings->len + 9;
    return size.ws_row > above + RULES_LEAST ? size.ws_row - above
                                             : RULES_LEAST;
}

static void
show(Request *request)
{
    const TopSample *now = g_queue_peek_tail(&request->samples);
    const TopSample *before = request->samples.length > 1
                                  ? g_queue_peek_head(&request->samples)
                                  : NULL;
    g_autofree char *text = top_format(now, before, rules_for(now));
    if (!request->once && isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
    control_print(stdout, text);
    fflush(stdout);
}

static void
forget(Request *request, unsigned most)
{
    while (request->samples.length > most)
        top_sample_free(g_queue_pop_head(&request->samples));
}

/* Another filterd may be there by now, which has counted less. */
static void
hear(const JsonValue *line, void *data)
{
    Request *request = data;
    TopSample *sample = top_sample_new(line);
    const TopSample *last = g_queue_peek_tail(&request->samples);
    if (last != NULL && sample->ms <= last->ms)
        forget(request, 0);
    g_queue_push_tail(&request->samples, sample);
    forget(request, WINDOW + 1);
    show(request);
}

static int
watch(Request *request)
{
    const ControlQuestion question = {
        .command = "top",
        .config = request->config != NULL ? request->config : CONTROL_CONFIG,
        .word = "rates",
        .patience = PATIENCE,
        .hear = hear,
        .data = request,
    };
    int status = control_ask(&question);
    while (status == TOOL_OK && !request->once && !ferror(stdout)) {
        sleep(PAUSE);
        status = control_ask(&question);
    }
    return status;
}

int
tool_top(int argc, char **argv)
{
    Request request = {.samples = G_QUEUE_INIT};
    int status =
        read_options(&request, argc, argv) ? watch(&request) : TOOL_UNUSABLE;
    forget(&request, 0);
    g_free(request.config);
    return status;
}
