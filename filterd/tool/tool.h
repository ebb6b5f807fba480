/* tool.h: the commands of filterctl, a file each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/bundle.h"
#include "policy/config.h"

#define TOOL_OK 0
#define TOOL_WRONG 1    /* what was looked at is not right */
#define TOOL_UNUSABLE 2 /* the arguments, or a file that cannot be read */
#define TOOL_ABSENT 3   /* no filterd runs that could be asked */

/* Each gets its own name in argv[0] and returns an exit status. */
int tool_check(int argc, char **argv);
int tool_explain(int argc, char **argv);
int tool_new_plugin(int argc, char **argv);
int tool_test(int argc, char **argv);
int tool_try(int argc, char **argv);
int tool_replay(int argc, char **argv);
int tool_report(int argc, char **argv);
int tool_quarantine(int argc, char **argv);
int tool_reload(int argc, char **argv);
int tool_status(int argc, char **argv);
int tool_top(int argc, char **argv);

/* Reads options; the operand, if there is one by that name (or NULL), is
 * argv[1] then. FALSE: what is wrong, and the usage, has been said on standard
 * error. */
gboolean tool_options(const GOptionEntry *entries, const char *operand,
                      const char *usage, int argc, char **argv);

/* Compiles with plugins; the bundle has the files from then on, and outlives
 * the configuration. With `available`, what this version cannot do is an error.
 * Diagnostics go to standard error. NULL: there were errors. */
PolicyConfig *tool_compile(Bundle *bundle, const char *path,
                           gboolean available);
/* The same, with what there is to say in the report. */
PolicyConfig *tool_compile_report(Bundle *bundle, const char *path,
                                  gboolean available, PolicyReport *report);
