/* report.h: what is wrong with a file, and where, for people and editors.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* A place in a file; `file` and `line_text` live as long as the report's or
 * configuration's text. Columns count characters from 1. */
typedef struct PolicyPlace {
    const char *file;
    unsigned line;
    unsigned column;
    unsigned length; /* of what the caret underlines */
} PolicyPlace;

typedef enum PolicySeverity {
    POLICY_ERROR,
    POLICY_WARNING,
} PolicySeverity;

typedef struct PolicyNote {
    PolicySeverity severity;
    char *file;
    unsigned line, column, length;
    char *source; /* the line, without its end */
    char *message;
    char *hint;    /* what would be right; or NULL */
    char *right;   /* in place of what is underlined; or NULL */
    unsigned rank; /* of its file, for sorting */
} PolicyNote;

typedef struct PolicyReport {
    GPtrArray *notes; /* of PolicyNote, see policy_report_sort() */
    unsigned errors;
} PolicyReport;

void policy_report_init(PolicyReport *report);
void policy_report_clear(PolicyReport *report);

/* `source` is the line, up to its end or the text's; it is copied as the texts
 * are. `source` and `hint` may be NULL. */
void policy_report_add(PolicyReport *report, PolicySeverity severity,
                       const PolicyPlace *place, const char *source,
                       const char *message, const char *hint);

/* What the last note's place should hold; NULL: that is not known. */
void policy_report_suggest(PolicyReport *report, const char *right);

/* By line within a file, files in the order of their first notes. Compiling
 * ends with it. */
void policy_report_sort(PolicyReport *report);

/* FILE:LINE:COLUMN: error: MESSAGE
 *     source line
 *          ^~~~
 *     hint
 * for each note. Caller frees. */
char *policy_report_format(const PolicyReport *report);
