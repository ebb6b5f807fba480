/* spool.h: the octets of a body: in memory, and past a limit in an unlinked
 * file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef struct MailSpool MailSpool;

/* Over `memory` octets go to a file in `directory`; memory only if NULL. */
MailSpool *mail_spool_new(gsize memory, const char *directory);
void mail_spool_free(MailSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailSpool, mail_spool_free)

/* FALSE: the disk is full or broken, and the spool is of no more use. */
gboolean mail_spool_add(MailSpool *spool, const char *bytes, gsize length,
                        GError **error);
gsize mail_spool_size(const MailSpool *spool);
/* Whether all that was added ends with CRLF; of nothing: yes. */
gboolean mail_spool_ends_line(const MailSpool *spool);

typedef gboolean MailSpoolFunc(const char *bytes, gsize length, void *data,
                               GError **error);
/* Calls for each piece, until it returns FALSE. FALSE then, or when the file
 * cannot be read. */
gboolean mail_spool_each(const MailSpool *spool, MailSpoolFunc *func,
                         void *data, GError **error);
