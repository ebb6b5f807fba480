/* hold.c: what rules and hooks leave behind, by scope: verdicts, scores,
 * rewrites, requests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/base/value.h"
#include "filterd/session/state.h"

#include <string.h>

/* A plugin or a policy may not grow a message without end; of a scope. */
#define EDIT_LIMIT 1000

static void
rewrite_free(void *data)
{
    SessionRewrite *rewrite = data;
    for (unsigned i = 0; i < rewrite->length; i++)
        value_clear(&rewrite->arguments[i]);
    g_free(rewrite->arguments);
    g_free(rewrite);
}

void
session_edit_free(void *data)
{
    FilterdEdit *edit = data;
    g_free((char *)edit->name);
    g_free((char *)edit->value);
    g_free(edit);
}

unsigned
session_length(const GPtrArray *list)
{
    return list != NULL ? list->len : 0;
}

static void
add(GPtrArray **list, void *element, GDestroyNotify element_free)
{
    if (*list == NULL)
        *list = g_ptr_array_new_with_free_func(element_free);
    g_ptr_array_add(*list, element);
}

/* To the first `length`. */
static void
cut(SessionHold *hold, unsigned rewrites, unsigned looks)
{
    if (hold->rewrites != NULL)
        g_ptr_array_set_size(hold->rewrites, (int)rewrites);
    if (hold->looks != NULL)
        g_array_set_size(hold->looks, looks);
}

GArray *
session_looks_copy(const SessionHold *hold)
{
    return hold->looks != NULL ? g_array_copy(hold->looks)
                               : g_array_new(FALSE, FALSE, sizeof(SessionLook));
}

void
session_look_add(Session *session, FilterdStage stage, SessionLook look)
{
    SessionHold *hold = &session->holds[session_scope(stage)];
    if (hold->looks == NULL)
        hold->looks = g_array_new(FALSE, FALSE, sizeof(SessionLook));
    g_array_append_val(hold->looks, look);
}

void
session_hold_clear(SessionHold *hold)
{
    g_clear_pointer(&hold->rewrites, g_ptr_array_unref);
    g_clear_pointer(&hold->edits, g_ptr_array_unref);
    g_clear_pointer(&hold->looks, g_array_unref);
}

void
session_hold_forget(SessionHold *hold)
{
    hold->settled = hold->quarantine = NULL;
    hold->score = 0;
    g_clear_pointer(&hold->edits, g_ptr_array_unref);
    cut(hold, 0, 0);
}

void
session_hold_mark(Session *session)
{
    const SessionHold *hold = &session->holds[SESSION_OF_MESSAGE];
    session->mark = (SessionMark){
        hold->settled,
        hold->quarantine,
        hold->score,
        session_length(hold->rewrites),
        hold->looks != NULL ? hold->looks->len : 0,
    };
}

/* What hooks requested stays: they run once. */
void
session_hold_return(Session *session)
{
    SessionHold *hold = &session->holds[SESSION_OF_MESSAGE];
    hold->settled = session->mark.settled;
    hold->quarantine = session->mark.quarantine;
    hold->score = session->mark.score;
    cut(hold, session->mark.rewrites, session->mark.looks);
}

SessionScope
session_scope(FilterdStage stage)
{
    static const SessionScope scopes[FILTERD_STAGES] = {
        [FILTERD_CONNECT] = SESSION_OF_CONNECTION,
        [FILTERD_HELO] = SESSION_OF_HELO,
        [FILTERD_MAIL] = SESSION_OF_MESSAGE,
        [FILTERD_RCPT] = SESSION_OF_RECIPIENT,
        [FILTERD_DATA] = SESSION_OF_MESSAGE,
        [FILTERD_MESSAGE] = SESSION_OF_MESSAGE,
    };
    return scopes[stage];
}

/* ---- rewrites ----------------------------------------------------------- */

static unsigned
argument_count(const FilterdAction *action)
{
    unsigned length = 0;
    while (action->arguments[length] != FILTERD_UNKNOWN)
        length++;
    return length;
}

static gboolean
rewrite_equal(const void *a, const void *b)
{
    const SessionRewrite *one = a, *other = b;
    if (one->rule != other->rule)
        return FALSE;
    for (unsigned i = 0; i < one->length; i++) {
        g_autoptr(GString) left = g_string_new(NULL);
        g_autoptr(GString) right = g_string_new(NULL);
        value_append(left, &one->arguments[i]);
        value_append(right, &other->arguments[i]);
        if (!g_string_equal(left, right))
            return FALSE;
    }
    return TRUE;
}

void
session_rewrite_add(Session *session, const PolicyRule *rule)
{
    PolicyClient client;
    GPtrArray **list = &session->holds[session_scope(rule->stage)].rewrites;
    if (session_length(*list) >= EDIT_LIMIT)
        return;
    GStringChunk *memory = g_string_chunk_new(256);
    const FilterdValue *arguments = policy_rule_arguments(
        rule, session_policy_client(session, &client), memory);
    SessionRewrite *rewrite = g_new0(SessionRewrite, 1);
    rewrite->rule = rule;
    rewrite->length = argument_count(rule->action);
    rewrite->arguments = g_new0(FilterdValue, rewrite->length + 1);
    for (unsigned i = 0; i < rewrite->length; i++)
        rewrite->arguments[i] = value_copy(&arguments[i]);
    g_string_chunk_free(memory);
    add(list, rewrite, rewrite_free);
}

/* ---- requests ----------------------------------------------------------- */

static char *
keep_text(const char *value)
{
    return g_strdup(value != NULL ? value : "");
}

static char *
keep_nothing(const char *value)
{
    (void)value;
    return NULL;
}

/* As it would be said in MAIL or RCPT; NULL: no address of the kind that may
 * be said there. */
static char *
keep_address(const char *value, MailPath kind)
{
    MailAddress address = {0};
    if (value == NULL || !mail_address_parse_bare(value, kind, &address, NULL))
        return NULL;
    char *text = address.eightbit ? NULL : g_strdup(address.text);
    mail_address_clear(&address);
    return text;
}

static char *
keep_sender(const char *value)
{
    if (value != NULL && *value == '\0')
        return g_strdup("");
    return keep_address(value, MAIL_REVERSE_PATH);
}

static char *
keep_recipient(const char *value)
{
    return keep_address(value, MAIL_FORWARD_PATH);
}

/* What kind of name and value a request must have. */
static const struct EditForm {
    const char *word;
    gboolean named, valued;
    char *(*keep)(const char *value);
} edit_forms[] = {
    [FILTERD_ADD_HEADER] = {"add-header", TRUE, TRUE, keep_text},
    [FILTERD_CHANGE_HEADER] = {"change-header", TRUE, TRUE, keep_text},
    [FILTERD_REMOVE_HEADER] = {"remove-header", TRUE, FALSE, keep_nothing},
    [FILTERD_SET_SENDER] = {"set-sender", FALSE, TRUE, keep_sender},
    [FILTERD_ADD_RECIPIENT] = {"add-recipient", FALSE, TRUE, keep_recipient},
    [FILTERD_REMOVE_RECIPIENT] = {"remove-recipient", FALSE, TRUE,
                                  keep_recipient},
    [FILTERD_REPLACE_BODY] = {"replace-body", FALSE, TRUE, keep_text},
    [FILTERD_QUARANTINE] = {"quarantine", FALSE, TRUE, keep_text},
};

void
session_edit_dropped(const Session *session, const char *edit, const char *name,
                     const char *value, const char *why)
{
    LogLine line;
    log_begin(&line, FILTERD_LOG_WARNING, "rewrite");
    log_text(&line, "session", session->id);
    log_text(&line, "edit", edit);
    log_text(&line, "name", name);
    log_text(&line, "value", value);
    log_text(&line, "text", why);
    log_end(&line);
}

const char *
session_edit_word(const FilterdEdit *edit)
{
    return edit_forms[edit->kind].word;
}

void
session_edit_add(Session *session, FilterdStage stage, const FilterdEdit *edit)
{
    GPtrArray **list = &session->holds[session_scope(stage)].edits;
    g_return_if_fail(edit->kind < G_N_ELEMENTS(edit_forms));
    const struct EditForm *form = &edit_forms[edit->kind];
    if (session_length(*list) >= EDIT_LIMIT)
        return;
    g_autofree char *value = form->keep(edit->value);
    if ((form->named
         && (edit->name == NULL || !mail_field_name_valid(edit->name)))
        || (form->valued && value == NULL)) {
        session_edit_dropped(session, form->word, edit->name, edit->value,
                             "not done: no such field or address can be");
        return;
    }
    FilterdEdit *copy = g_new(FilterdEdit, 1);
    *copy = (FilterdEdit){edit->kind, form->named ? g_strdup(edit->name) : NULL,
                          g_steal_pointer(&value)};
    add(list, copy, session_edit_free);
}

static gboolean
edit_equal(const void *a, const void *b)
{
    const FilterdEdit *one = a, *other = b;
    return one->kind == other->kind && g_strcmp0(one->name, other->name) == 0
           && g_strcmp0(one->value, other->value) == 0;
}

/* ---- recipients --------------------------------------------------------- */

static gboolean
has_room_for(GPtrArray *list, const void *element, GEqualFunc equal)
{
    return list == NULL
           || (list->len < EDIT_LIMIT
               && !g_ptr_array_find_with_equal_func(list, element, equal,
                                                    NULL));
}

static void
move_new(GPtrArray **from, GPtrArray **to, GEqualFunc equal,
         GDestroyNotify element_free)
{
    unsigned i = 0;
    while (i < session_length(*from))
        if (has_room_for(*to, g_ptr_array_index(*from, i), equal))
            add(to, g_ptr_array_steal_index(*from, i), element_free);
        else
            i++;
    g_clear_pointer(from, g_ptr_array_unref);
}

void
session_hold_recipient(Session *session)
{
    SessionHold *from = &session->holds[SESSION_OF_RECIPIENT];
    SessionHold *to = &session->holds[SESSION_OF_MESSAGE];
    move_new(&from->rewrites, &to->rewrites, rewrite_equal, rewrite_free);
    move_new(&from->edits, &to->edits, edit_equal, session_edit_free);
}
