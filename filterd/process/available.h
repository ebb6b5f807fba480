/* available.h: what the language has and this version cannot do yet.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/bundle.h"
#include "policy/config.h"

/* FALSE: the report says what, and where in the bundle's files; `path` is the
 * file that was compiled. */
gboolean available_check(const PolicyConfig *config, const Bundle *bundle,
                         const char *path, PolicyReport *report);
/* Whether this process may use the addresses that backends shall see; not
 * `needed`: only a warning. */
gboolean available_sources(const PolicyConfig *config, const Bundle *bundle,
                           gboolean needed, PolicyReport *report);
/* Warns of reports that are counted in a store that nobody can list. */
void available_reports(const PolicyConfig *config, const Bundle *bundle,
                       PolicyReport *report);
/* Warns of a quarantine that keeps nothing, or not everything. */
void available_quarantine(const PolicyConfig *config, const Bundle *bundle,
                          const char *path, PolicyReport *report);
/* Whether there is something to serve, and somebody to pass mail to; which
 * checking a file does not ask for. */
gboolean available_to_serve(const PolicyConfig *config, const Bundle *bundle,
                            const char *path, PolicyReport *report);
