/* smtp-xclient-server.c: XCLIENT, from peers that speak for others.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-state.h"
#include "filterd/wire/xclient-parser.h"

/* Who it was when it came, whoever it has spoken for since. */
gboolean
smtp_xclient_offered(const SmtpServer *server)
{
    return ip_within(&server->service->listen->xclient_from, &server->origin);
}

/* Who has said AUTH is somebody else than who is spoken for. */
static void
remember(const SmtpServer *server, XclientPeer *peer)
{
    const SmtpIdentity *now = &server->identity;
    const char *name = session_client_name(server->session);
    *peer = (XclientPeer){.ip = now->ip,
                          .port = now->port,
                          .local_ip = now->local_ip,
                          .local_port = now->local_port};
    if (name != NULL)
        g_strlcpy(peer->name, name, sizeof peer->name);
    if (server->login != NULL && !server->bound)
        g_strlcpy(peer->login, server->login, sizeof peer->login);
    if (server->told_helo != NULL)
        g_strlcpy(peer->helo, server->told_helo, sizeof peer->helo);
    if (server->told_helo != NULL && !server->told_esmtp)
        peer->protocol = XCLIENT_SMTP;
}

/* After the new greeting. */
static void
take_over(SmtpServer *server, const XclientPeer *peer)
{
    server->told_esmtp = peer->protocol != XCLIENT_SMTP;
    if (*peer->helo != '\0')
        server->told_helo = g_strdup(peer->helo);
    if (*peer->login == '\0')
        return;
    session_authenticated(server->session, peer->login);
    server->login = g_strdup(peer->login);
    server->identity.login = server->login;
}

static void
speak_for(SmtpServer *server, const char *attributes)
{
    XclientPeer peer;
    remember(server, &peer);
    if (!xclient_parse(attributes, &peer)) {
        smtp_error(server, 501, "5.5.4", "bad XCLIENT attributes");
        return;
    }
    const SessionPeer who = {.ip = peer.ip,
                             .port = peer.port,
                             .local_ip = peer.local_ip,
                             .local_port = peer.local_port,
                             .name = *peer.name != '\0' ? peer.name : NULL};
    smtp_begin_again(server, &who);
    if (!server->closing)
        take_over(server, &peer);
}

gboolean
smtp_xclient_hello(SmtpServer *server)
{
    g_autofree char *name = g_steal_pointer(&server->told_helo);
    if (name != NULL)
        return smtp_hello(server, name, server->told_esmtp);
    smtp_error(server, 503, "5.5.1",
               smtp_is_local(server) ? "say LHLO first"
                                     : "say EHLO or HELO first");
    return FALSE;
}

void
smtp_xclient(SmtpServer *server, const char *arguments)
{
    if (!smtp_xclient_offered(server))
        smtp_error(server, 550, "5.7.0", "insufficient authorization");
    else if (server->in_mail)
        smtp_error(server, 503, "5.5.1", "not within a transaction");
    else
        speak_for(server, arguments);
}
