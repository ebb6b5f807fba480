/* ctl.c: filterctl: a word, then a command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"
#include "filterd/process/check.h"
#include "filterd/tool/tool.h"
#include "filterd/tool/witness.h"

#include <stdio.h>
#include <string.h>

/* Seconds: as long as filterd itself waits for a check. */
#define PATIENCE (CHECK_TIME / 1000)

static const struct Command {
    const char *word;
    const char *synopsis;
    int (*run)(int argc, char **argv);
    gboolean plugins; /* those of a file are run */
    unsigned seconds; /* that it may take; 0: any */
} commands[] = {
    {"check", "check [--json] FILE        whether a configuration is right",
     tool_check, TRUE, PATIENCE},
    {"explain", "explain [PLUGIN|FACT|core] what a plugin takes and finds out",
     tool_explain, TRUE},
    {"new-plugin",
     "new-plugin NAME [DIRECTORY] a plugin of your own, to begin with",
     tool_new_plugin, FALSE},
    {"quarantine", "quarantine COMMAND -c FILE … mail that is kept here",
     tool_quarantine, TRUE},
    {"reload", "reload [-c FILE]           has filterd read its configuration",
     tool_reload, FALSE},
    {"replay", "replay --policy FILE LOG … what another policy would decide",
     tool_replay, TRUE},
    {"report", "report -c FILE …           aggregate reports of a day",
     tool_report, TRUE},
    {"status", "status [-c FILE] [--json]  how the filterd is that runs",
     tool_status, FALSE},
    {"test", "test FILE                  runs a policy's own tests", tool_test,
     TRUE},
    {"top", "top [-c FILE] [--batch]    what it is doing, second by second",
     tool_top, FALSE},
    {"try", "try … FILE < MESSAGE       judge one message, offline", tool_try,
     TRUE},
};

static void
usage(FILE *file)
{
    fputs("usage: filterctl COMMAND …\n\n", file);
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(file, "  %s\n", commands[i].synopsis);
}

static void
no_such_command(const char *word)
{
    const char *words[G_N_ELEMENTS(commands) + 1] = {NULL};
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        words[i] = commands[i].word;
    const char *near = text_suggest(word, words);
    if (near != NULL)
        fprintf(stderr,
                "filterctl: there is no command `%s`; did you mean `%s`?\n\n",
                word, near);
    else
        fprintf(stderr, "filterctl: there is no command `%s`\n\n", word);
}

static int
run(const struct Command *command, int argc, char **argv)
{
    const WitnessTask task = {command->run, command->seconds, PATIENCE};
    return command->plugins ? witness_run(&task, argc, argv)
                            : command->run(argc, argv);
}

/* filterctl help [COMMAND] */
static int
help(const char *word)
{
    for (unsigned i = 0; word != NULL && i < G_N_ELEMENTS(commands); i++)
        if (strcmp(word, commands[i].word) == 0) {
            printf("usage: filterctl %s\n\nIts options are in filterctl(1).\n",
                   commands[i].synopsis);
            return TOOL_OK;
        }
    if (word != NULL)
        no_such_command(word);
    usage(word == NULL ? stdout : stderr);
    return word == NULL ? TOOL_OK : TOOL_UNUSABLE;
}

int
main(int argc, char **argv)
{
    for (unsigned i = 0; argc > 1 && i < G_N_ELEMENTS(commands); i++)
        if (strcmp(argv[1], commands[i].word) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return help(NULL);
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    gboolean version = argc > 1 && strcmp(argv[1], "--version") == 0;
    if (argc > 1 && !version)
        no_such_command(argv[1]);
    if (version)
        puts("filterctl " FILTERD_VERSION);
    else
        usage(stderr);
    return version ? TOOL_OK : TOOL_UNUSABLE;
}
