/* reload.h: a configuration on its way into force: read by the master, checked
 * by a child, as often as files turn up that only a plugin knows of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/configuration.h"

/* Checks until every file that plugins ask for is in the bundle. */
#define RELOAD_ROUNDS 3

typedef struct Reload Reload;

typedef enum ReloadStatus {
    RELOAD_BUSY,
    RELOAD_GOOD,
    RELOAD_BAD,
} ReloadStatus;

/* Begins; see reload_status(). Both are borrowed; `before` is the configuration
 * in force, or NULL. */
Reload *reload_new(const char *path, const Configuration *before);
void reload_free(Reload *reload);

/* To be polled for reading while it is busy. */
int reload_fd(const Reload *reload);
/* Goes on where something has come, or time has passed. */
void reload_step(Reload *reload);
ReloadStatus reload_status(const Reload *reload);
/* Errors and warnings, as people read them. */
const char *reload_report(const Reload *reload);
/* When it is good: what is different from before, see check_changes(). */
const char *reload_changes(const Reload *reload);
/* When it is good: the caller's from now on. */
Configuration *reload_take(Reload *reload);
