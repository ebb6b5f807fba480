/* group.c: which recipients of a transaction are judged together.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where one reply answers all of them, those of another group than the first
 * are sent away at rcpt; where each gets its own (LMTP) each group has its turn
 * at the end of the message.
 */
#include "filterd/session/state.h"

#include <string.h>

/* ---- at rcpt ------------------------------------------------------------ */

const PolicyRule *
session_recipient_rule(const Session *session)
{
    const SessionHold *hold = &session->holds[SESSION_OF_RECIPIENT];
    return hold->settled != NULL ? hold->settled : hold->quarantine;
}

/* What of the score its rules at rcpt made counts for the message, too. */
static void
append_score(Session *session, GString *group)
{
    const PolicyConfig *config = session->engine->config;
    int64_t score = session->holds[SESSION_OF_RECIPIENT].score;
    if (policy_mentions(config, policy_fact_find(config, "score")))
        g_string_append_printf(group, "%" G_GINT64_FORMAT "\n", score);
}

/* Names of rules hold no space. */
static void
append_group(Session *session, GString *group)
{
    PolicyClient client;
    const PolicyRule *rule = session_recipient_rule(session);
    gboolean accepted = rule != NULL && rule->kind == POLICY_ACCEPT;
    if (accepted)
        g_string_append(group, "an accepted one");
    else if (rule != NULL)
        g_string_append(group, rule->name);
    g_string_append_c(group, '\n');
    if (accepted || session_settled(session) != NULL)
        return;
    append_score(session, group);
    policy_group(session->engine->config,
                 session_policy_client(session, &client), group);
}

void
session_group_find(Session *session)
{
    g_autoptr(GString) group = g_string_new(NULL);
    append_group(session, group);
    g_free(session->group);
    session->group = g_strdup(group->str);
}

gboolean
session_group_joined(const Session *session)
{
    const SessionRecipient *face = session_face(session);
    return session->answers_each || face == NULL
           || strcmp(face->group, session->group) == 0;
}

gboolean
session_alone(const Session *session, gboolean discarded)
{
    for (unsigned i = 0; session->envelopes && i < session->recipients->len;
         i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (recipient->discarded != discarded)
            return FALSE;
    }
    return TRUE;
}

SessionDecision
session_split(Session *session)
{
    mail_reply_set(&session->reply, 452, "4.5.3",
                   "this recipient is treated differently; send to it in a "
                   "transaction of its own");
    const SessionEntry entry = {.event = "split",
                                .verdict = POLICY_TEMPFAIL,
                                .rule = "-group",
                                .stage = "rcpt",
                                .recipient = session->recipient.text,
                                .reply = &session->reply,
                                .ours = TRUE};
    session_log(session, &entry);
    return (SessionDecision){SESSION_TEMPFAIL, &session->reply, 0};
}

/* ---- at the end of the message ------------------------------------------ */

static SessionRecipient *
get_recipient(const Session *session, unsigned index)
{
    return g_ptr_array_index(session->recipients, index);
}

/* Of those whose turn has not come. */
static SessionRecipient *
find_next(const Session *session)
{
    for (unsigned i = 0; i < session->recipients->len; i++)
        if (get_recipient(session, i)->turn == 0)
            return get_recipient(session, i);
    return NULL;
}

/* One reply is for all. */
static gboolean
together(const Session *session, const SessionRecipient *one,
         const SessionRecipient *other)
{
    return !session->answers_each
           || (one->discarded == other->discarded
               && strcmp(one->group, other->group) == 0);
}

gboolean
session_has_group(const Session *session)
{
    return find_next(session) != NULL;
}

gboolean
session_divided(const Session *session)
{
    const SessionRecipient *face = session_face(session);
    for (unsigned i = 0; face != NULL && i < session->recipients->len; i++)
        if (!together(session, face, get_recipient(session, i)))
            return TRUE;
    return FALSE;
}

gboolean
session_concerns(const Session *session, unsigned recipient)
{
    return get_recipient(session, recipient)->turn == session->turn;
}

gboolean
session_recipient_goes(const Session *session,
                       const SessionRecipient *recipient)
{
    return !recipient->discarded && recipient->turn == session->turn;
}

/* What the group before it was told, and had done to its message, is gone. */
static void
start_again(Session *session)
{
    session->final = NULL;
    g_clear_pointer(&session->sender_edit, g_free);
    g_clear_pointer(&session->hold_reason, g_free);
    g_ptr_array_set_size(session->envelope, 0);
    mail_message_forget_edits(session->message);
    session_hold_return(session);
}

void
session_group_next(Session *session)
{
    const SessionRecipient *first = find_next(session);
    if (session->turn++ == 0)
        session_hold_mark(session);
    else
        start_again(session);
    for (unsigned i = 0; first != NULL && i < session->recipients->len; i++) {
        SessionRecipient *recipient = get_recipient(session, i);
        if (recipient->turn == 0 && together(session, first, recipient))
            recipient->turn = session->turn;
    }
}
