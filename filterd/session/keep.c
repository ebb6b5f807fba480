/* keep.c: what is written down about a message that is kept here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"
#include "filterd/session/state.h"

gboolean
session_keeps(const Session *session)
{
    return !session->advises
           && session->engine->config->settings.quarantine != 0
           && session_quarantined(session) != NULL;
}

static void
append_fact(const char *name, const FilterdValue *value, void *data)
{
    GString *out = data;
    g_string_append_printf(out, "%s%s=", out->len > 0 ? " " : "", name);
    value_append(out, value);
}

static char *
format_facts(const Session *session)
{
    GString *out = g_string_new(NULL);
    session_each_shown(session, append_fact, out);
    if (out->len == 0)
        return g_string_free(out, TRUE);
    return g_string_free(out, FALSE);
}

/* Why: a rule of the file, or what a plugin says. */
static void
tell_why(const Session *session, QuarantineLetter *letter)
{
    const PolicyRule *rule = session_quarantine_rule(session);
    letter->rule = g_strdup(rule != NULL ? rule->name : SESSION_HELD_RULE);
    letter->stage = g_strdup(
        policy_stage_words[rule != NULL ? rule->stage : FILTERD_MESSAGE]);
    if (rule == NULL)
        letter->reason = g_strdup(session->hold_reason);
    letter->facts = format_facts(session);
}

/* An id of its own for each: a session may have several. */
QuarantineLetter *
session_letter(Session *session)
{
    char ip[IP_TEXT_SIZE];
    const char *reverse_path;
    const GPtrArray *recipients;
    QuarantineLetter *letter = quarantine_letter_new();
    session_envelope(session, &reverse_path, &recipients);
    letter->id = g_strdup_printf("%s-%x", session->id, ++session->kept);
    letter->time = clock_real();
    letter->session = g_strdup(session->id);
    letter->protocol = g_strdup(session->protocol);
    letter->client = g_strdup(ip_format(&session->ip, ip));
    letter->name = g_strdup(session_client_name(session));
    letter->helo = g_strdup(session->helo);
    letter->auth = g_strdup(session->auth_user);
    letter->reverse_path = g_strdup(reverse_path);
    tell_why(session, letter);
    return letter;
}
