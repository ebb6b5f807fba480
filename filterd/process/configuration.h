/* configuration.h: a configuration as the master has it, and as those have it
 * who may load plugins.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/bundle.h"
#include "filterd/process/privileges.h"
#include "policy/config.h"

/* The master's: no plugin was looked at. */
typedef struct Configuration {
    const char *path; /* borrowed */
    Bundle *bundle;
    PolicyConfig *skeleton; /* NULL: not even that is right */
    Privileges privileges;
    int64_t read;   /* when; milliseconds since 1970 */
    gboolean draft; /* it has errors; others may be found, with plugins */
} Configuration;

/* Reads the files; a draft with errors in the report. It has the privileges of
 * `before`, the configuration in force, or, where that is NULL, nobody's. */
Configuration *configuration_new(const char *path, const Configuration *before,
                                 PolicyReport *report);
void configuration_free(Configuration *configuration);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Configuration, configuration_free)

/* With plugins; files from `bundle` alone, or also from the disk. */
PolicyConfig *configuration_compile(Bundle *bundle, const char *path,
                                    gboolean from_disk, PolicyReport *report);
/* Whether there are those whom `set user` and `set group` name; FALSE: as the
 * master says it. */
gboolean configuration_user_exists(const PolicyConfig *config,
                                   const Bundle *bundle, const char *path,
                                   PolicyReport *report);
/* The value of an option of the instance, of the C type that its row has; NULL:
 * the plugin has no such option. */
const void *configuration_option(const PolicyUse *use, const char *name);
/* Whether the instance counts messages for `filterctl report`. */
gboolean configuration_counts_reports(const PolicyUse *use);
/* 0: one per CPU. */
unsigned configuration_workers(const PolicyConfig *config);
/* dns_init() as a `dns` block says; `silent`: nothing leaves the machine. */
gboolean configuration_start_dns(const PolicyDns *dns, gboolean silent,
                                 GError **error);
