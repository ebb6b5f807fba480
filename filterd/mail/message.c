/* message.c: one message: its header in memory, its body in a spool; and the
 * edits to be made to it. (RFC 5322 2.1)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/message.h"

#include "filterd/base/text.h"
#include "filterd/mail/spool.h"

#include <string.h>

/* For as much as most headers have: octets, and fields. */
#define FIELDS_ROOM 16
/* For what separates the name, value and lines of a field of ours. */
#define FORMAT_ROOM 32

/* The header moves when it grows: offsets stay, `view` is made when asked. */
typedef struct Field {
    gsize offset;
    FilterdField view;
    gboolean removed;
    char *changed; /* the field that stands in its place, with CRLF */
} Field;

struct MailMessage {
    GString *header; /* as received, each field with its CRLF */
    GArray *fields;
    MailSpool *body;
    GPtrArray *added;  /* fields with CRLF, the topmost last */
    GString *replaced; /* the body that stands for the one received */
    gboolean binary;
};

static void
clear_field(gpointer data)
{
    Field *field = data;
    g_free(field->changed);
}

MailMessage *
mail_message_new(gsize memory, const char *directory)
{
    MailMessage *message = g_new0(MailMessage, 1);
    message->header = g_string_new(NULL);
    message->fields =
        g_array_sized_new(FALSE, FALSE, sizeof(Field), FIELDS_ROOM);
    g_array_set_clear_func(message->fields, clear_field);
    message->body = mail_spool_new(memory, directory);
    message->added = g_ptr_array_new_with_free_func(g_free);
    return message;
}

void
mail_message_set_binary(MailMessage *message, gboolean binary)
{
    message->binary = binary;
}

void
mail_message_free(MailMessage *message)
{
    if (message == NULL)
        return;
    g_string_free(message->header, TRUE);
    g_array_unref(message->fields);
    mail_spool_free(message->body);
    g_ptr_array_unref(message->added);
    if (message->replaced != NULL)
        g_string_free(message->replaced, TRUE);
    g_free(message);
}

void
mail_message_add_field(MailMessage *message, const FilterdField *field)
{
    Field kept = {.offset = message->header->len, .view = *field};
    text_append_len(message->header, field->bytes, field->length);
    text_append(message->header, "\r\n");
    g_array_append_val(message->fields, kept);
}

gboolean
mail_message_add_body(MailMessage *message, const char *bytes, gsize length,
                      GError **error)
{
    return mail_spool_add(message->body, bytes, length, error);
}

gsize
mail_message_size(const MailMessage *message)
{
    return message->header->len + strlen("\r\n")
           + mail_spool_size(message->body);
}

guint
mail_message_fields(const MailMessage *message)
{
    return message->fields->len;
}

static Field *
get_field(const MailMessage *message, guint index)
{
    g_assert(index < message->fields->len);
    Field *field = &g_array_index(message->fields, Field, index);
    field->view.bytes = message->header->str + field->offset;
    return field;
}

const FilterdField *
mail_message_field(const MailMessage *message, guint index)
{
    return &get_field(message, index)->view;
}

gboolean
mail_message_each_body(MailMessage *message, MailMessageFunc *func, void *data,
                       GError **error)
{
    return mail_spool_each(message->body, func, data, error);
}

/* A control in it would be a second reading of the message. */
static void
append_value_line(GString *out, const char *line, gsize length)
{
    const char *end = line + length;
    while (line < end) {
        const char *run = line;
        while (line < end && (*line == '\t' || !g_ascii_iscntrl(*line)))
            line++;
        text_append_len(out, run, (gsize)(line - run));
        if (line < end && *line++ != '\r')
            g_string_append_c(out, ' ');
    }
}

static gboolean
is_blank(const char *line, gsize length)
{
    return strspn(line, " \t\r") >= length;
}

/* A field with CRLF. Each LF folds: behind it stands white space and then
 * something, or it would end the field or the header. */
static char *
format_field(const char *name, const char *value)
{
    GString *out =
        g_string_sized_new(strlen(name) + strlen(value) + FORMAT_ROOM);
    gsize length = strcspn(value, "\n");
    text_append_all(out, name, ": ", NULL);
    append_value_line(out, value, length);
    while (value[length] == '\n') {
        value += length + 1;
        length = strcspn(value, "\n");
        if (is_blank(value, length))
            continue;
        text_append(out, "\r\n");
        if (value[0] != ' ' && value[0] != '\t')
            g_string_append_c(out, ' ');
        append_value_line(out, value, length);
    }
    text_append(out, "\r\n");
    return g_string_free(out, FALSE);
}

void
mail_message_add_header(MailMessage *message, const char *name,
                        const char *value)
{
    g_return_if_fail(mail_field_name_valid(name));
    g_ptr_array_add(message->added, format_field(name, value));
}

void
mail_message_change_header(MailMessage *message, const char *name,
                           const char *value)
{
    g_return_if_fail(mail_field_name_valid(name));
    for (guint i = 0; i < message->fields->len; i++) {
        Field *field = get_field(message, i);
        if (field->removed || !mail_field_is(&field->view, name))
            continue;
        g_free(field->changed);
        field->changed = format_field(name, value);
        return;
    }
    mail_message_add_header(message, name, value);
}

void
mail_message_remove_header(MailMessage *message, const char *name)
{
    for (guint i = 0; i < message->fields->len; i++) {
        Field *field = get_field(message, i);
        if (mail_field_is(&field->view, name))
            field->removed = TRUE;
    }
}

void
mail_message_remove_field(MailMessage *message, guint index)
{
    get_field(message, index)->removed = TRUE;
}

void
mail_message_replace_body(MailMessage *message, const char *body)
{
    if (message->replaced == NULL)
        message->replaced = g_string_new(NULL);
    g_string_truncate(message->replaced, 0);
    while (*body != '\0') {
        gsize length = strcspn(body, "\r\n");
        g_string_append_len(message->replaced, body, length);
        g_string_append(message->replaced, "\r\n");
        body += length;
        if (*body != '\0')
            body += g_str_has_prefix(body, "\r\n") ? 2 : 1;
    }
}

void
mail_message_forget_edits(MailMessage *message)
{
    for (guint i = 0; i < message->fields->len; i++) {
        Field *field = &g_array_index(message->fields, Field, i);
        field->removed = FALSE;
        g_clear_pointer(&field->changed, g_free);
    }
    g_ptr_array_set_size(message->added, 0);
    if (message->replaced != NULL)
        g_string_free(message->replaced, TRUE);
    message->replaced = NULL;
}

MailFieldFate
mail_message_fate(const MailMessage *message, guint index, FilterdField *field)
{
    const Field *kept = get_field(message, index);
    if (kept->removed)
        return MAIL_FIELD_REMOVED;
    if (kept->changed == NULL)
        return MAIL_FIELD_KEPT;
    mail_field_next(kept->changed, strlen(kept->changed), field);
    return MAIL_FIELD_CHANGED;
}

guint
mail_message_added(const MailMessage *message)
{
    return message->added->len;
}

void
mail_message_added_field(const MailMessage *message, guint index,
                         FilterdField *field)
{
    const char *text = g_ptr_array_index(message->added, index);
    mail_field_next(text, strlen(text), field);
}

const GString *
mail_message_replaced(const MailMessage *message)
{
    return message->replaced;
}

/* A first line that begins with white space would continue, and so change, what
 * is put on top of it. */
static gboolean
continues(const FilterdField *field, guint index)
{
    return index == 0 && field->length > 0
           && (*field->bytes == ' ' || *field->bytes == '\t');
}

/* With the empty line. */
static GString *
edited_header(const MailMessage *message)
{
    GString *header = g_string_sized_new(message->header->len + 1024);
    for (guint i = message->added->len; i > 0; i--)
        text_append(header, message->added->pdata[i - 1]);
    for (guint i = 0; i < message->fields->len; i++) {
        const Field *field = get_field(message, i);
        if (field->removed)
            continue;
        if (message->added->len > 0 && continues(&field->view, i))
            text_append(header, MAIL_MESSAGE_UNNAMED ":");
        if (field->changed != NULL)
            text_append(header, field->changed);
        else
            text_append_len(header, field->view.bytes,
                            field->view.length + strlen("\r\n"));
    }
    return g_string_append(header, "\r\n");
}

static gboolean
write_body(MailMessage *message, MailMessageFunc *func, void *data,
           GError **error)
{
    const GString *replaced = message->replaced;
    if (replaced != NULL)
        return replaced->len == 0
               || func(replaced->str, replaced->len, data, error);
    if (!mail_spool_each(message->body, func, data, error))
        return FALSE;
    return message->binary || mail_spool_ends_line(message->body)
           || func("\r\n", 2, data, error);
}

/* What write_body() gives. */
static gsize
edited_body_size(const MailMessage *message)
{
    if (message->replaced != NULL)
        return message->replaced->len;
    gboolean ends = message->binary || mail_spool_ends_line(message->body);
    return mail_spool_size(message->body) + (ends ? 0 : strlen("\r\n"));
}

gsize
mail_message_edited_size(const MailMessage *message)
{
    g_autoptr(GString) header = edited_header(message);
    return header->len + edited_body_size(message);
}

gboolean
mail_message_write(MailMessage *message, MailMessageFunc *func, void *data,
                   GError **error)
{
    g_autoptr(GString) header = edited_header(message);
    return func(header->str, header->len, data, error)
           && write_body(message, func, data, error);
}

/* ---- the same by parts -------------------------------------------------- */

gboolean
mail_message_write_parts(MailMessage *message, MailMessageFieldFunc *func,
                         MailMessageFunc *body, void *data, GError **error)
{
    g_autoptr(GString) header = edited_header(message);
    FilterdField field;
    gsize at = 0, taken;
    while ((taken = mail_field_next(header->str + at, header->len - at, &field))
           > 0) {
        if (!func(&field, data, error))
            return FALSE;
        at += taken;
    }
    return write_body(message, body, data, error);
}
