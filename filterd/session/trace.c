/* trace.c: the fields that are ours: Received (RFC 5321 4.4) and
 * Authentication-Results (RFC 8601).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"
#include "filterd/session/state.h"

#include <string.h>

/* Octets of a name in Received. */
#define NAME_LIMIT 255
/* Octets that most of them need. */
#define RECEIVED_ROOM 384

void
session_trace_remove(Session *session)
{
    MailMessage *message = session->message;
    const char *id = session->engine->authserv_id;
    for (guint i = mail_message_fields(message); i > 0; i--) {
        const FilterdField *field = mail_message_field(message, i - 1);
        if (mail_authres_forged(field, id)
            || mail_field_resembles(field, SESSION_QUARANTINE_FIELD)
            || mail_field_resembles(field, SESSION_RELEASED_FIELD))
            mail_message_remove_field(message, i - 1);
    }
}

/* A domain or an address literal; what a client put in besides is no part of
 * our grammar. */
static void
append_name(GString *out, const char *name)
{
    if (name == NULL || *name == '\0')
        name = "unknown";
    for (unsigned i = 0; name[i] != '\0' && i < NAME_LIMIT; i++)
        g_string_append_c(out, g_ascii_isalnum(name[i])
                                       || strchr("-._:[]", name[i]) != NULL
                                   ? name[i]
                                   : '?');
}

static gboolean
is_ascii(const char *text)
{
    while (*text != '\0' && g_ascii_isprint(*text))
        text++;
    return *text == '\0';
}

/* It would tell the others, so only where there is one. */
static void
append_for(const Session *session, GString *out)
{
    const GPtrArray *to = session->envelope;
    if (to->len == 1 && is_ascii(g_ptr_array_index(to, 0)))
        text_append_all(out, "\n for <", g_ptr_array_index(to, 0), ">", NULL);
}

/* In a comment, as others have it. */
static void
append_tls(const Session *session, GString *out)
{
    const SessionTls *tls = &session->tls;
    if (tls->version != NULL && tls->cipher != NULL)
        text_append_all(out, "\n (using ", tls->version, " with cipher ",
                        tls->cipher, ")", NULL);
}

/* RFC 3848: ESMTPA, ESMTPSA, LMTPA, LMTPSA. */
static const char *
authenticated_mark(const Session *session)
{
    gboolean extended = strcmp(session->protocol, "SMTP") != 0;
    return session->auth_user != NULL && extended ? "A" : "";
}

static void
add_received(Session *session)
{
    char ip[IP_TEXT_SIZE];
    const char *literal = ip_is_v4(&session->ip) ? "" : "IPv6:";
    g_autoptr(GString) text = g_string_sized_new(RECEIVED_ROOM);
    text_append(text, "from ");
    append_name(text, session->helo);
    text_append(text, " (");
    append_name(text, session_client_name(session));
    text_append_all(text, " [", literal, ip_format(&session->ip, ip), "])",
                    NULL);
    append_tls(session, text);
    text_append_all(text, "\n by ", session->engine->hostname,
                    " (filterd) with ", session->protocol,
                    authenticated_mark(session), " id ", session->id, NULL);
    append_for(session, text);
    text_append(text, ";\n ");
    clock_append_mail(text, clock_real());
    mail_message_add_header(session->message, "Received", text->str);
}

/* Of those who authenticated, by their name (RFC 8601 2.7.4). */
static void
add_auth(const Session *session, MailAuthres *authres)
{
    const FilterdProperty user = {"smtp", "auth", session->auth_user};
    if (session->auth_user != NULL)
        mail_authres_add(authres, "auth", "pass", NULL, &user, 1);
}

/* No name at all is "permerror" (RFC 8601 2.7.3). */
static const char *
iprev_result(const SessionReverse *reverse)
{
    if (reverse->confirmed.type != FILTERD_BOOL)
        return "temperror";
    if (reverse->confirmed.boolean)
        return "pass";
    return reverse->name != NULL ? "fail" : "permerror";
}

/* Costs no query: it is told where something asked for the name. */
static void
add_iprev(const Session *session, MailAuthres *authres)
{
    char ip[IP_TEXT_SIZE];
    if (!session->reverse.asked)
        return;
    const FilterdProperty address = {"policy", "iprev",
                                     ip_format(&session->ip, ip)};
    mail_authres_add(authres, "iprev", iprev_result(&session->reverse),
                     session->reverse.name, &address, 1);
}

static void
add_results(Session *session)
{
    if (!session->engine->config->settings.authentication_results)
        return;
    MailAuthres authres;
    mail_authres_init(&authres, session->engine->authserv_id);
    visit_authres(session->visit, &authres, !session_accepted(session));
    add_auth(session, &authres);
    add_iprev(session, &authres);
    g_autofree char *value = mail_authres_end(&authres);
    mail_message_add_header(session->message, "Authentication-Results", value);
}

void
session_trace_add(Session *session)
{
    if (!session->advises)
        add_received(session);
    add_results(session);
}
