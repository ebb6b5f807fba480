/* check.h: has a configuration compiled and its plugins started, in a child
 * without privileges, to hear what is wrong with it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/configuration.h"

/* Milliseconds that a check may take. */
#define CHECK_TIME 60000
/* Octets of what it says. */
#define CHECK_OUTPUT_LIMIT (1024 * 1024)

typedef struct Check Check;

/* Octets of what is said to be different. */
#define CHECK_CHANGES_LIMIT 2000

/* Borrows the configurations; `before` is the one in force, or NULL. */
Check *check_start(const Configuration *configuration,
                   const Configuration *before, GError **error);
/* Ends it, if need be. */
void check_free(Check *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Check, check_free)

/* To be polled for reading. */
int check_fd(const Check *check);
/* Takes what has come; TRUE: it is over. */
gboolean check_step(Check *check);

/* When it is over. */
gboolean check_ok(const Check *check);
/* FALSE: it ended before it could say what it saw. */
gboolean check_whole(const Check *check);
/* Errors and warnings, as people read them. */
const char *check_report(const Check *check);
/* What is different from before, phrases with semicolons between; "": there was
 * none before. */
const char *check_changes(const Check *check);
/* Files that the bundle lacks; ends with NULL. */
const char *const *check_missed(const Check *check);
