/* outcome.h: what came of a reload, for those who asked for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef struct Outcome {
    gboolean ok;
    unsigned generation; /* that serves from now on, or goes on */
    const char *changes; /* of one that is ok, see check_changes() */
    const char *report;  /* errors or warnings, as people read them */
} Outcome;

/* A line of JSON, without its end. Caller frees. */
char *outcome_format(const Outcome *outcome);
