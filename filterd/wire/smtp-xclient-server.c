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
    const FilterdArray *from = &server->service->listen->xclient_from;
    const FilterdIp *networks = from->items;
    for (size_t i = 0; i < from->length; i++)
        if (ip_contains(&networks[i], &server->origin))
            return TRUE;
    return FALSE;
}

static void
speak_for(SmtpServer *server, const char *attributes)
{
    const SmtpIdentity *now = &server->identity;
    XclientPeer peer = {.ip = now->ip,
                        .port = now->port,
                        .local_ip = now->local_ip,
                        .local_port = now->local_port};
    const char *name = session_client_name(server->session);
    if (name != NULL)
        g_strlcpy(peer.name, name, sizeof peer.name);
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
