/* smtp-through.c: verbs that the backend answers, where `pass-through` names
 * them (RFC 5321 3.5, RFC 1985).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-state.h"

#include <string.h>

/* What is said where the backend cannot be asked. */
static const struct Row {
    const char *verb;
    int code;
    const char *enhanced, *text;
    gboolean alone; /* not within a transaction */
} rows[] = {
    [POLICY_VRFY] = {"VRFY", 252, "2.5.2", "send some mail, and you will see",
                     FALSE},
    [POLICY_EXPN] = {"EXPN", 252, "2.5.2", "send some mail, and you will see",
                     FALSE},
    [POLICY_ETRN] = {"ETRN", 458, "4.3.0", "not now; try again later", TRUE},
    [POLICY_HELP] = {"HELP", 214, "2.0.0", "see RFC 5321", FALSE},
};

gboolean
smtp_passes(const SmtpServer *server, PolicyVerb verb)
{
    const FilterdArray *verbs = &server->service->listen->pass_through;
    const int *items = verbs->items;
    for (size_t i = 0; i < verbs->length; i++)
        if (items[i] == (int)verb)
            return TRUE;
    return FALSE;
}

static gboolean
is_clean(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((guchar)*p < ' ' || *p == '\x7f')
            return FALSE;
    return g_utf8_validate(text, -1, NULL);
}

/* Whoever guesses names is counted as with RCPT. */
static void
count(SmtpServer *server, const MailReply *reply)
{
    gboolean unknown = reply->code == 550 || reply->code == 551;
    if (reply->code < 500 && ++server->junk <= SMTP_JUNK_LIMIT)
        return;
    server->errors++;
    visitors_note(server->address_seat,
                  unknown ? VISITOR_UNKNOWN : VISITOR_ERROR);
}

static void
ask(SmtpServer *server, const struct Row *row, const char *arguments)
{
    MailReply reply = {0};
    g_autofree char *command =
        g_strjoin(*arguments != '\0' ? " " : "", row->verb, arguments, NULL);
    gboolean answered = smtp_backend_ask(server, command, &reply);
    if (!answered && !server->closing)
        mail_reply_set(&reply, row->code, row->enhanced, row->text);
    count(server, &reply);
    smtp_relay(server, &reply);
    mail_reply_clear(&reply);
}

void
smtp_pass(SmtpServer *server, PolicyVerb verb, const char *arguments)
{
    const struct Row *row = &rows[verb];
    if (!server->greeted)
        smtp_error(server, 503, "5.5.1",
                   smtp_is_local(server) ? "say LHLO first"
                                         : "say EHLO or HELO first");
    else if (row->alone && server->in_mail)
        smtp_error(server, 503, "5.5.1", "not within a transaction");
    else if (!is_clean(arguments))
        smtp_error(server, 501, "5.5.4", "a command is one line of text");
    else
        ask(server, row, arguments);
}
