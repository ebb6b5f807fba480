/* statement.h: where a word of the configuration stands, for complaints that
 * come after the compiler's.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/bundle.h"

/* Of `word` in the block of the statement that begins at `statement`, which is
 * given back where the word is not found. */
PolicyPlace statement_option(const Bundle *bundle, const PolicyPlace *statement,
                             const char *word);
/* Of `word` right behind the word `head` (NULL: wherever), in that file first;
 * the file's beginning where it is not found. Lives as long as the bundle and
 * `path`. */
PolicyPlace statement_find(const Bundle *bundle, const char *path,
                           const char *head, const char *word);
/* What the first `set word` says, as it is written, also in a file that has
 * errors; NULL: there is none. Caller frees. */
char *statement_setting(const Bundle *bundle, const char *word);

/* An error at that place, with its line. `hint` may be NULL. */
void statement_refuse(const Bundle *bundle, PolicyReport *report,
                      const PolicyPlace *place, const char *hint,
                      const char *format, ...) G_GNUC_PRINTF(5, 6);
/* What kept an engine from starting; FALSE: it tells no place. */
gboolean statement_refuse_start(const Bundle *bundle, PolicyReport *report,
                                const GError *error);
/* A warning. */
void statement_warn(const Bundle *bundle, PolicyReport *report,
                    const PolicyPlace *place, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
