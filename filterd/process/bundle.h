/* bundle.h: the bytes of every file that a configuration is made of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The master reads, with its privileges, and once; whoever compiles without
 * them finds the same bytes here.
 */
#pragma once

#include "policy/report.h"

/* Octets of one file. */
#define BUNDLE_FILE_LIMIT (256 * 1024 * 1024)

typedef struct Bundle Bundle;

Bundle *bundle_new(void);
void bundle_free(Bundle *bundle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bundle, bundle_free)

/* PolicyLoader.read, `bundle` being its data: from the disk what is not in the
 * bundle yet. A failure is kept as well. */
GBytes *bundle_read(void *bundle, const char *path, GError **error);
/* The same, never from the disk: what is not there is missed. */
GBytes *bundle_find(void *bundle, const char *path, GError **error);

/* Paths that bundle_find() has missed; ends with NULL. */
const char *const *bundle_missed(const Bundle *bundle);

/* The text of a file; NULL: not in the bundle. */
GBytes *bundle_text(const Bundle *bundle, const char *path);
/* A copy of the line of that place; NULL: not in the bundle. */
char *bundle_line(const Bundle *bundle, const PolicyPlace *place);
/* All paths, in the order they were read; ends with NULL. */
const char *const *bundle_paths(const Bundle *bundle);
