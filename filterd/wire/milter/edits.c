/* edits.c: what was done to message and envelope, said to the mail server edit
 * by edit: from the lowest field up, so that no index moves under the next one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/milter/state.h"

#include <string.h>

void
milter_edit_free(void *data)
{
    MilterEdit *edit = data;
    g_free(edit->name);
    g_free(edit->value);
    g_free(edit);
}

/* Takes the texts. */
static MilterEdit *
add(MilterClient *client, MilterEditKind kind, char *name, char *value)
{
    MilterEdit *edit = g_new0(MilterEdit, 1);
    edit->kind = kind;
    edit->name = name;
    edit->value = value;
    g_ptr_array_add(client->edits, edit);
    return edit;
}

/* ---- header fields ------------------------------------------------------ */

static char *
field_name(const FilterdField *field)
{
    return g_strndup(field->bytes, field->name_length);
}

/* With what stands behind the colon; lines of a folded one end with LF. */
static char *
field_value(const FilterdField *field)
{
    GString *value = g_string_new_len(field->bytes + field->value,
                                      (gssize)(field->length - field->value));
    g_string_replace(value, "\r\n", "\n", 0);
    return g_string_free(value, FALSE);
}

/* Counted from 1 among the fields of its name, as received. */
static int
index_of(const MailMessage *message, guint field)
{
    int index = 1;
    g_autofree char *name = field_name(mail_message_field(message, field));
    for (guint i = 0; i < field; i++)
        index += mail_field_is(mail_message_field(message, i), name) ? 1 : 0;
    return index;
}

static void
collect_changes(MilterClient *client, const MailMessage *message)
{
    FilterdField changed;
    for (guint i = mail_message_fields(message); i > 0; i--) {
        MailFieldFate fate = mail_message_fate(message, i - 1, &changed);
        if (fate == MAIL_FIELD_KEPT)
            continue;
        MilterEdit *edit =
            add(client, MILTER_CHANGE_FIELD,
                field_name(mail_message_field(message, i - 1)),
                fate == MAIL_FIELD_CHANGED ? field_value(&changed) : NULL);
        edit->index = index_of(message, i - 1);
    }
}

static void
collect_added(MilterClient *client, const MailMessage *message)
{
    FilterdField field;
    for (guint i = 0; i < mail_message_added(message); i++) {
        mail_message_added_field(message, i, &field);
        add(client, MILTER_INSERT_FIELD, field_name(&field),
            field_value(&field));
    }
}

/* ---- the rest ----------------------------------------------------------- */

static void
collect_body(MilterClient *client, const MailMessage *message)
{
    const GString *body = mail_message_replaced(message);
    if (body == NULL)
        return;
    MilterEdit *edit =
        add(client, MILTER_REPLACE_BODY, NULL, g_strndup(body->str, body->len));
    edit->length = body->len;
}

static gboolean
has(const GPtrArray *texts, const char *text)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)texts, text,
                                            g_str_equal, NULL);
}

static gboolean
was_recipient(const void *recipient, const void *address)
{
    return strcmp(((const MilterRecipient *)recipient)->address, address) == 0;
}

static void
collect_recipients(MilterClient *client, const GPtrArray *going)
{
    for (unsigned i = 0; i < client->recipients->len; i++) {
        const MilterRecipient *recipient =
            g_ptr_array_index(client->recipients, i);
        if (!has(going, recipient->address))
            add(client, MILTER_REMOVE_RECIPIENT, NULL,
                g_strdup(recipient->told));
    }
    for (unsigned i = 0; i < going->len; i++) {
        const char *address = g_ptr_array_index(going, i);
        if (!g_ptr_array_find_with_equal_func(client->recipients, address,
                                              was_recipient, NULL))
            add(client, MILTER_ADD_RECIPIENT, NULL,
                g_strdup_printf("<%s>", address));
    }
}

static void
collect_envelope(MilterClient *client)
{
    const char *sender;
    const GPtrArray *going;
    session_envelope(client->session, &sender, &going);
    if (strcmp(sender, client->sender) != 0)
        add(client, MILTER_SENDER, g_strdup(client->sender_arguments),
            g_strdup_printf("<%s>", sender));
    collect_recipients(client, going);
}

void
milter_edits_collect(MilterClient *client)
{
    const MailMessage *message = session_outgoing(client->session);
    const char *reason = session_quarantined(client->session);
    g_ptr_array_set_size(client->edits, 0);
    collect_changes(client, message);
    collect_added(client, message);
    collect_body(client, message);
    collect_envelope(client);
    if (reason != NULL)
        add(client, MILTER_HOLD, NULL, g_strdup(reason));
}

/* ---- on the thread ------------------------------------------------------ */

static int
insert_field(SMFICTX *context, const MilterEdit *edit)
{
    return smfi_insheader(context, 0, edit->name, edit->value);
}

static int
change_field(SMFICTX *context, const MilterEdit *edit)
{
    return smfi_chgheader(context, edit->name, edit->index, edit->value);
}

static int
change_sender(SMFICTX *context, const MilterEdit *edit)
{
    return smfi_chgfrom(context, edit->value, edit->name);
}

static int
add_recipient(SMFICTX *context, const MilterEdit *edit)
{
    return smfi_addrcpt(context, edit->value);
}

static int
remove_recipient(SMFICTX *context, const MilterEdit *edit)
{
    return smfi_delrcpt(context, edit->value);
}

static int
replace_body(SMFICTX *context, const MilterEdit *edit)
{
    return smfi_replacebody(context, (unsigned char *)edit->value,
                            (int)edit->length);
}

static int
hold(SMFICTX *context, const MilterEdit *edit)
{
    return smfi_quarantine(context, edit->value);
}

static int (*const carriers[])(SMFICTX *context, const MilterEdit *edit) = {
    [MILTER_INSERT_FIELD] = insert_field,
    [MILTER_CHANGE_FIELD] = change_field,
    [MILTER_SENDER] = change_sender,
    [MILTER_ADD_RECIPIENT] = add_recipient,
    [MILTER_REMOVE_RECIPIENT] = remove_recipient,
    [MILTER_REPLACE_BODY] = replace_body,
    [MILTER_HOLD] = hold,
};

gboolean
milter_edits_carry_out(const MilterClient *client)
{
    for (unsigned i = 0; i < client->edits->len; i++) {
        const MilterEdit *edit = g_ptr_array_index(client->edits, i);
        if (carriers[edit->kind](client->context, edit) != MI_SUCCESS)
            return FALSE;
    }
    return TRUE;
}
