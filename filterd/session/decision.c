/* decision.c: a line in the log for each decision.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/session/state.h"

void
session_each_shown(const Session *session,
                   void (*func)(const char *name, const FilterdValue *value,
                                void *data),
                   void *data)
{
    Host *host = session->engine->host;
    for (unsigned i = 0; i < host_instances(host); i++) {
        const HostInstance *instance = host_instance(host, i);
        if (instance->facts == 0)
            continue;
        HostFact fact = {instance, &instance->plugin->facts[0], 0};
        const FilterdValue *value = visit_peek(session->visit, fact);
        if (value->type != FILTERD_UNKNOWN)
            func(instance->use->name, value, data);
    }
}

static void
log_fact(const char *name, const FilterdValue *value, void *data)
{
    log_value(data, name, value);
}

/* Those that go on; where none does, those that do not. */
static char *
join_recipients(const Session *session)
{
    GString *text = g_string_new(NULL);
    gboolean none_goes = session_face(session) == NULL;
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (!none_goes && !session_recipient_goes(session, recipient))
            continue;
        if (text->len > 0)
            g_string_append_c(text, ',');
        g_string_append(text, recipient->address.text);
    }
    return g_string_free(text, FALSE);
}

static void
log_envelope(LogLine *line, const Session *session, const char *recipient)
{
    char ip[IP_TEXT_SIZE];
    log_text(line, "session", session->id);
    log_text(line, "wire", session->advises ? session->wire : NULL);
    log_text(line, "client", ip_format(&session->ip, ip));
    log_text(line, "name", session->reverse.name);
    log_text(line, "helo", session->helo);
    log_text(line, "auth", session->auth_user);
    if (!session->in_transaction)
        return;
    log_text(line, "from", session->reverse_path.text);
    g_autofree char *all = recipient == NULL ? join_recipients(session) : NULL;
    if (recipient != NULL || *all != '\0')
        log_text(line, "to", recipient != NULL ? recipient : all);
}

static void
log_message(LogLine *line, const Session *session)
{
    log_text(line, "queue", session->queue_id);
    if (session->message == NULL)
        return;
    log_text(line, "message-id", session->message_id);
    if (!session->partial)
        log_int(line, "size", (int64_t)mail_message_size(session->message));
}

/* As the client reads it; NULL: it reads nothing. Caller frees. */
static char *
format_reply(const Session *session, const SessionEntry *entry)
{
    if (entry->reply == NULL)
        return NULL;
    g_autofree char *text = mail_reply_format(entry->reply);
    return entry->ours ? g_strdup_printf("%s [%s]", text, session->id)
                       : g_steal_pointer(&text);
}

void
session_log(Session *session, const SessionEntry *entry)
{
    LogLine line;
    g_autofree char *reply = format_reply(session, entry);
    log_begin(&line, FILTERD_LOG_INFO, entry->event);
    log_envelope(&line, session, entry->recipient);
    log_text(&line, "rule", entry->rule);
    log_text(&line, "stage", entry->stage);
    log_text(&line, "mode", entry->mode);
    log_text(&line, "reply", reply);
    session_each_shown(session, log_fact, &line);
    log_message(&line, session);
    log_int(&line, "ms", clock_monotonic() - session->began);
    log_int(&line, "dns", visit_questions(session->visit));
    log_end(&line);
    if (session->engine->recorder != NULL)
        session_record(session, entry, reply);
}
