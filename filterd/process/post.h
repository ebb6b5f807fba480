/* post.h: descriptors from the master to a worker, each with a number.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* Both ends; FALSE: errno says why. */
gboolean post_open(int ends[2]);
/* `fd` -1: the number alone. Not taken. Never waits. */
gboolean post_send(int post, guint32 number, int fd);
/* FALSE: nothing is there. */
gboolean post_take(int post, guint32 *number, int *fd);
