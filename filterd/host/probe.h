/* probe.h: reads memory that somebody else says is there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* Copies it; FALSE: not all of it can be read. */
gboolean probe_read(const void *from, void *to, gsize length);
/* Whether a text is there whose NUL comes within `limit` octets. */
gboolean probe_text(const char *text, gsize limit);
