/* message.h: one message: its header in memory, its body in memory or, past a
 * limit, in an unlinked spool file; and the edits to be made to it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is put in is canonical: CRLF line ends, dots unstuffed, nothing bare.
 */
#pragma once

#include "filterd/mail/header.h"

typedef struct MailMessage MailMessage;

/* Bodies over `memory` octets go to a file in `directory` (unlinked at once;
 * memory only if NULL). */
MailMessage *mail_message_new(gsize memory, const char *directory);
void mail_message_free(MailMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailMessage, mail_message_free)

/* Its body is octets, which need not end with CRLF (RFC 3030 3). */
void mail_message_set_binary(MailMessage *message, gboolean binary);

/* Whole lines of the header section, one field at a time, in order. */
void mail_message_add_field(MailMessage *message, const FilterdField *field);
/* After the header. FALSE: the disk is full or broken. */
gboolean mail_message_add_body(MailMessage *message, const char *bytes,
                               gsize length, GError **error);
/* Header, empty line and body as received. */
gsize mail_message_size(const MailMessage *message);

guint mail_message_fields(const MailMessage *message);
/* Valid until the next field is added. */
const FilterdField *mail_message_field(const MailMessage *message, guint index);

/* Calls for each piece of the body as received, until it returns FALSE. FALSE
 * then, or when the spool cannot be read. */
typedef gboolean MailMessageFunc(const char *bytes, gsize length, void *data,
                                 GError **error);
gboolean mail_message_each_body(MailMessage *message, MailMessageFunc *func,
                                void *data, GError **error);

/* ---- edits: seen by mail_message_write() only --------------------------- */

/* `value` may have LF for folding; it is folded no further, and nothing in it
 * ends the field. On top of what was put on top before. */
void mail_message_add_header(MailMessage *message, const char *name,
                             const char *value);
/* The first field of that name as received, else added on top. */
void mail_message_change_header(MailMessage *message, const char *name,
                                const char *value);
void mail_message_remove_header(MailMessage *message, const char *name);
/* The field with that index as received. */
void mail_message_remove_field(MailMessage *message, guint index);
/* Line ends become CRLF. */
void mail_message_replace_body(MailMessage *message, const char *body);

void mail_message_forget_edits(MailMessage *message);

/* For those who carry edits out themselves: what becomes of the field with that
 * index as received. CHANGED: `field` stands in its place, as long as the
 * message is not edited again. */
typedef enum MailFieldFate {
    MAIL_FIELD_KEPT,
    MAIL_FIELD_CHANGED,
    MAIL_FIELD_REMOVED,
} MailFieldFate;

MailFieldFate mail_message_fate(const MailMessage *message, guint index,
                                FilterdField *field);
/* How many were put on top; 0 is the lowest of them. */
guint mail_message_added(const MailMessage *message);
void mail_message_added_field(const MailMessage *message, guint index,
                              FilterdField *field);
/* The body that stands for the one received; NULL: that stands. */
const GString *mail_message_replaced(const MailMessage *message);

/* Put before a first line that would continue what was added on top of it. */
#define MAIL_MESSAGE_UNNAMED "X-Filterd-Unnamed"

/* Octets of the message with its edits. */
gsize mail_message_edited_size(const MailMessage *message);
/* The message with its edits, in pieces, not dot-stuffed; ends with CRLF unless
 * it is binary. */
gboolean mail_message_write(MailMessage *message, MailMessageFunc *func,
                            void *data, GError **error);
/* The same octets by fields, from the top, and pieces of the body; CRLF behind
 * a field and the empty line are left out. */
typedef gboolean MailMessageFieldFunc(const FilterdField *field, void *data,
                                      GError **error);
gboolean mail_message_write_parts(MailMessage *message,
                                  MailMessageFieldFunc *field,
                                  MailMessageFunc *body, void *data,
                                  GError **error);
