/* smtp-verbs.c: the commands of SMTP and LMTP (RFC 5321 4.1, RFC 2033 4), each
 * a row; greetings and the small ones are here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

/* RFC 5321 4.5.3.1.2. */
#define HELO_LIMIT 255

/* Commands that deliver nothing are free only so often. */
static void
idle_reply(SmtpServer *server, int code, const char *enhanced, const char *text)
{
    if (++server->junk > SMTP_JUNK_LIMIT)
        smtp_error(server, code, enhanced, text);
    else
        smtp_reply(server, code, enhanced, text);
}

/* ---- greetings ---------------------------------------------------------- */

static gboolean
helo_legal(const char *name)
{
    gsize length = strlen(name);
    for (const char *p = name; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~')
            return FALSE;
    return length > 0 && length <= HELO_LIMIT;
}

/* RFC 3848. */
static const char *
protocol_of(const SmtpServer *server, gboolean extended)
{
    gboolean tls = smtp_is_secured(server);
    if (!extended)
        return "SMTP";
    if (smtp_is_local(server))
        return tls ? "LMTPS" : "LMTP";
    return tls ? "ESMTPS" : "ESMTP";
}

gboolean
smtp_hello(SmtpServer *server, const char *name, gboolean extended)
{
    g_clear_pointer(&server->told_helo, g_free);
    g_free(server->helo);
    server->helo = g_strdup(name);
    server->identity.helo = server->helo;
    server->identity.esmtp = extended;
    server->greeted = FALSE;
    server->greeted =
        smtp_follow(server, session_helo(server->session, server->helo,
                                         protocol_of(server, extended)));
    return server->greeted;
}

static void
hello(SmtpServer *server, const char *name, gboolean extended)
{
    if (!helo_legal(name)) {
        smtp_error(server, 501, "5.5.4", "tell the name of your host");
        return;
    }
    smtp_note_pipelining(server);
    smtp_transaction_end(server);
    smtp_backend_release(server);
    if (!smtp_hello(server, name, extended))
        return;
    server->promised = 0;
    g_autofree char *text =
        extended ? smtp_offer_format(server)
                 : g_strdup(engine_hostname(server->service->engine));
    idle_reply(server, 250, "", text);
}

static void
smtp_helo(SmtpServer *server, const char *arguments)
{
    hello(server, arguments, FALSE);
}

static void
smtp_ehlo(SmtpServer *server, const char *arguments)
{
    hello(server, arguments, TRUE);
}

/* ---- small verbs -------------------------------------------------------- */

static void
smtp_rset(SmtpServer *server, const char *arguments)
{
    (void)arguments;
    smtp_transaction_end(server);
    idle_reply(server, 250, "2.0.0", "ok");
}

static void
smtp_noop(SmtpServer *server, const char *arguments)
{
    (void)arguments;
    idle_reply(server, 250, "2.0.0", "ok");
}

/* RFC 5321 7.3: who asks is not told. */
static void
smtp_vrfy(SmtpServer *server, const char *arguments)
{
    if (*arguments == '\0')
        smtp_error(server, 501, "5.5.4", "it is VRFY address");
    else if (smtp_passes(server, POLICY_VRFY))
        smtp_pass(server, POLICY_VRFY, arguments);
    else
        idle_reply(server, 252, "2.5.2", "send some mail, and you will see");
}

/* What other servers do. */
static void
smtp_elsewhere(SmtpServer *server, const char *arguments)
{
    (void)arguments;
    smtp_error(server, 502, "5.5.1", "this is not done here");
}

static void
smtp_expn(SmtpServer *server, const char *arguments)
{
    if (smtp_passes(server, POLICY_EXPN))
        smtp_pass(server, POLICY_EXPN, arguments);
    else
        smtp_elsewhere(server, arguments);
}

static void
smtp_etrn(SmtpServer *server, const char *arguments)
{
    if (smtp_passes(server, POLICY_ETRN))
        smtp_pass(server, POLICY_ETRN, arguments);
    else
        smtp_elsewhere(server, arguments);
}

static void
smtp_help(SmtpServer *server, const char *arguments)
{
    if (server->greeted && smtp_passes(server, POLICY_HELP))
        smtp_pass(server, POLICY_HELP, arguments);
    else
        idle_reply(server, 214, "2.0.0", "see RFC 5321");
}

static void
smtp_quit(SmtpServer *server, const char *arguments)
{
    (void)arguments;
    server->closing = TRUE;
    smtp_reply(server, 221, "2.0.0", "goodbye");
}

/* ---- commands ----------------------------------------------------------- */

static const struct Verb {
    const char *word;
    void (*carry_out)(SmtpServer *server, const char *arguments);
    gboolean in_clear; /* where TLS is required, too (RFC 3207 4) */
    enum { EVERY_WIRE, SMTP_ONLY, LMTP_ONLY } wire; /* RFC 2033 4.1 */
} verbs[] = {
    {"EHLO", smtp_ehlo, TRUE, SMTP_ONLY},
    {"HELO", smtp_helo, TRUE, SMTP_ONLY},
    {"LHLO", smtp_ehlo, TRUE, LMTP_ONLY},
    {"STARTTLS", smtp_starttls, TRUE},
    {"MAIL", smtp_mail, FALSE},
    {"RCPT", smtp_rcpt, FALSE},
    {"DATA", smtp_data, FALSE},
    {"BDAT", smtp_bdat, TRUE},
    {"RSET", smtp_rset, TRUE},
    {"NOOP", smtp_noop, TRUE},
    {"VRFY", smtp_vrfy, FALSE},
    {"HELP", smtp_help, TRUE},
    {"QUIT", smtp_quit, TRUE},
    {"EXPN", smtp_expn, FALSE},
    {"ETRN", smtp_etrn, FALSE},
    {"TURN", smtp_elsewhere, FALSE},
    {"XCLIENT", smtp_xclient, FALSE},
    {"XFORWARD", smtp_xforward, FALSE},
    {"AUTH", smtp_auth, FALSE},
};

/* RFC 5322 2.2, white space before the colon borne. */
static gboolean
is_field(const char *line)
{
    gsize name = 0;
    while (g_ascii_isgraph(line[name]) && line[name] != ':')
        name++;
    return name > 0 && line[name + strspn(line + name, " \t")] == ':';
}

/* A message that comes as commands is not refused line by line. */
static void
unknown_verb(SmtpServer *server, const char *line)
{
    if (smtp_bdat_announced(line, strlen(line)))
        smtp_bdat_refuse(server, "it is BDAT octets [LAST]");
    else if (is_field(line))
        smtp_close_with(server, "-no-command", "4.7.0",
                        "this is no place for a message");
    else
        smtp_error(server, 500, "5.5.1", "unknown command");
}

static gboolean
is_spoken(const SmtpServer *server, const struct Verb *verb)
{
    return verb->wire == EVERY_WIRE
           || (verb->wire == LMTP_ONLY) == smtp_is_local(server);
}

void
smtp_carry_out(SmtpServer *server, char *line)
{
    gsize word = strcspn(g_strchomp(line), " ");
    const char *arguments = line + word + strspn(line + word, " ");
    for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (!text_equal_nocase(line, word, verbs[i].word)
            || !is_spoken(server, &verbs[i]))
            continue;
        if (server->shut && verbs[i].carry_out != smtp_quit
            && verbs[i].carry_out != smtp_bdat)
            smtp_error(server, 503, "5.5.1", "you were refused; say QUIT");
        else if (!verbs[i].in_clear && smtp_starttls_missing(server))
            smtp_error(server, 530, "5.7.0", "say STARTTLS first");
        else
            verbs[i].carry_out(server, arguments);
        return;
    }
    unknown_verb(server, line);
}
