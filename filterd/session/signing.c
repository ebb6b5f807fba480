/* signing.c: the last word about a message: signatures over what goes out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/session/state.h"

static void
put_on_top(Session *session, const GPtrArray *edits)
{
    for (unsigned i = 0; i < edits->len; i++) {
        const FilterdEdit *edit = g_ptr_array_index(edits, i);
        if (edit->kind != FILTERD_ADD_HEADER)
            continue;
        mail_message_add_header(session->message, edit->name, edit->value);
        if (session->observer.edited != NULL)
            session->observer.edited(session->observer.data, edit);
    }
}

/* Its requests are not among those of the rules: they must not be lost to the
 * limit of those, nor stand for another message. */
static gboolean
sign(Session *session, const PolicyRule *rule)
{
    GError *error = NULL;
    SessionHold *hold = &session->holds[SESSION_OF_MESSAGE];
    GPtrArray *others = hold->edits;
    hold->edits = g_ptr_array_new_with_free_func(session_edit_free);
    gboolean done =
        visit_sign(session->visit, session_edits_instance(session, rule),
                   session->message, &error);
    put_on_top(session, hold->edits);
    g_ptr_array_unref(hold->edits);
    hold->edits = others;
    session_edits_failed(session, rule, &error);
    return done;
}

/* However many rules an instance has been asked by, it signs once. */
static gboolean
take_turn(GPtrArray *done, const PolicyRule *rule)
{
    if (rule->use == NULL || (rule->action->flags & FILTERD_SIGNS) == 0
        || g_ptr_array_find(done, rule->use, NULL))
        return FALSE;
    g_ptr_array_add(done, (void *)rule->use);
    return TRUE;
}

gboolean
session_sign(Session *session)
{
    gboolean fine = TRUE;
    g_autoptr(GPtrArray) done = g_ptr_array_new();
    for (unsigned scope = 0; scope <= SESSION_OF_MESSAGE && fine; scope++) {
        const GPtrArray *rewrites = session->holds[scope].rewrites;
        for (unsigned i = 0; i < session_length(rewrites) && fine; i++) {
            const SessionRewrite *rewrite = g_ptr_array_index(rewrites, i);
            if (take_turn(done, rewrite->rule))
                fine = sign(session, rewrite->rule);
        }
    }
    return fine;
}
