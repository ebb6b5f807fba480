/* mailbox.h: the address lists of header fields (RFC 5322 3.4, RFC 6532).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

#define MAIL_MAILBOX_LIMIT 1000     /* addresses of one list */
#define MAIL_COMMENT_DEPTH_LIMIT 32 /* comments within comments */

/* RFC 5322 3.4 mailbox-list without group and obsolete forms, but for dots in
 * display names. Adds each address as local@domain, the local part quoted where
 * it must be, the domain normalized, to `addresses` (elements are g_free'd).
 * FALSE: not that grammar; then nothing is added. */
gboolean mail_mailbox_list_parse(const char *value, gsize length,
                                 GPtrArray *addresses);
