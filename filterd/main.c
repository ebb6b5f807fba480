/* main.c: what filterd was called with.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/isolated.h"
#include "filterd/process/master.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/filterd/filterd.conf"

static char *path;
static gboolean show_version;

static const GOptionEntry entries[] = {
    {"config", 'c', 0, G_OPTION_ARG_FILENAME, &path,
     "The configuration (" DEFAULT_CONFIG ")", "FILE"},
    {"version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Say which this is",
     NULL},
    {NULL},
};

static gboolean
parse_arguments(int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_summary(
        context, "Stands before a mail server and decides about each message "
                 "by a policy.\nRuns in the foreground; SIGHUP reads the "
                 "configuration again, SIGTERM ends it.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        fprintf(stderr, "filterd: %s; see filterd --help\n", error->message);
        return FALSE;
    }
    if (*argc > 1)
        fprintf(stderr, "filterd: “%s” is too much; see filterd --help\n",
                (*argv)[1]);
    return *argc == 1;
}

/* What is opened later must not become standard error. */
static gboolean
have_standard_files(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ISOLATED_WORD) == 0)
        return isolated_run(argv + 2);
    if (!have_standard_files() || !parse_arguments(&argc, &argv))
        return EXIT_FAILURE;
    if (show_version) {
        puts("filterd " FILTERD_VERSION);
        return EXIT_SUCCESS;
    }
    umask(077);
    int status = master_run(path != NULL ? path : DEFAULT_CONFIG);
    g_free(path);
    return status;
}
