/* state.h: what filterd keeps on disk, and in memory like on disk.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/configuration.h"

/* Makes the state directory where there is none, and with `quarantine spool`
 * one for kept mail in it; they belong to whom workers run as. */
gboolean state_prepare(const Configuration *configuration, GError **error);

/* A directory on tmpfs for `store memory`, in which workers may write; the path
 * of the file to come. NULL with an error. */
char *state_memory_new(const Privileges *privileges, GError **error);
/* Removes file and directory, and frees. */
void state_memory_free(char *path);
