/* smtp-forward.c: XFORWARD, from peers that tell whose mail comes next
 * (postfix.org/XFORWARD_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It holds for one transaction, which has a session of its own: judged from
 * connect on as that client's. The peer's own waits meanwhile.
 */
#include "filterd/wire/smtp-state.h"
#include "filterd/wire/xclient-parser.h"

struct SmtpForward {
    XclientPeer told;
    Session *session;      /* the peer's, while the other one is judged */
    SmtpIdentity identity; /* the peer's, too */
};

gboolean
smtp_forward_offered(const SmtpServer *server)
{
    return ip_within(&server->service->listen->xforward_from, &server->origin);
}

/* ---- the command -------------------------------------------------------- */

/* What is not told is not known; and neither is whoever is told wrongly: never
 * the peer itself. */
static void
take_attributes(SmtpServer *server, const char *attributes)
{
    if (server->forward == NULL) {
        server->forward = g_new0(SmtpForward, 1);
        ip_parse("::", &server->forward->told.ip);
    }
    if (xforward_parse(attributes, &server->forward->told))
        smtp_reply(server, 250, "2.0.0", "ok");
    else
        smtp_error(server, 501, "5.5.4", "bad XFORWARD attributes");
}

void
smtp_xforward(SmtpServer *server, const char *arguments)
{
    if (!smtp_forward_offered(server))
        smtp_error(server, 550, "5.7.0", "insufficient authorization");
    else if (server->in_mail)
        smtp_error(server, 503, "5.5.1", "not within a transaction");
    else
        take_attributes(server, arguments);
}

/* ---- its transaction ---------------------------------------------------- */

/* What a connection to the backend was told is another client's. */
static void
become(SmtpServer *server, SmtpForward *forward)
{
    const XclientPeer *told = &forward->told;
    const SmtpIdentity *own = &server->identity;
    const SessionPeer peer = {
        .ip = told->ip,
        .port = told->port,
        .local_ip = own->local_ip,
        .local_port = own->local_port,
        .name = *told->name != '\0' ? told->name : NULL,
        .wire = smtp_is_local(server) ? "lmtp" : "smtp",
        .answers_each = smtp_is_local(server),
    };
    smtp_backend_release(server);
    forward->session = server->session;
    forward->identity = *own;
    server->session = session_new(server->service->engine, &peer);
    server->identity.ip = told->ip;
    server->identity.port = told->port;
    server->identity.helo = *told->helo != '\0' ? told->helo : NULL;
    server->identity.esmtp = told->protocol != XCLIENT_SMTP;
    server->identity.local = told->local;
    server->identity.login = NULL;
}

static gboolean
judge(SmtpServer *server, const XclientPeer *told)
{
    const char *protocol = server->identity.esmtp ? "ESMTP" : "SMTP";
    return smtp_follow(server, session_connect(server->session))
           && (*told->helo == '\0'
               || smtp_follow(server, session_helo(server->session, told->helo,
                                                   protocol)));
}

gboolean
smtp_forward_begin(SmtpServer *server)
{
    if (server->forward == NULL)
        return TRUE;
    become(server, server->forward);
    if (judge(server, &server->forward->told))
        return TRUE;
    smtp_forward_end(server);
    return FALSE;
}

void
smtp_forward_end(SmtpServer *server)
{
    SmtpForward *forward = server->forward;
    if (forward == NULL || forward->session == NULL)
        return;
    smtp_backend_release(server);
    session_free(server->session);
    server->session = g_steal_pointer(&forward->session);
    server->identity = forward->identity;
}

void
smtp_forward_forget(SmtpServer *server)
{
    smtp_forward_end(server);
    g_clear_pointer(&server->forward, g_free);
}
