/* smtp-tls.c: STARTTLS, and TLS from the first octet on (RFC 3207, RFC 8314).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/wire/smtp-state.h"

/* Of the whole handshake. */
#define TLS_TIMEOUT 30000

TlsContext *
smtp_tls_new(const PolicyListen *listen, GError **error)
{
    g_autofree char *name = endpoint_format(&listen->endpoint);
    const TlsServer options = {
        .name = name,
        .chains = listen->certificate.items,
        .keys = listen->key.items,
        .length = listen->certificate.length,
        .ask = listen->client_certificates,
        .authority = listen->client_ca,
    };
    return tls_server_new(&options, error);
}

gboolean
smtp_is_secured(const SmtpServer *server)
{
    return stream_peer(server->stream) != NULL || server->proxy_tls.used;
}

gboolean
smtp_starttls_offered(const SmtpServer *server)
{
    return server->service->listen->tls != POLICY_TLS_OFF
           && server->service->tls != NULL && !smtp_is_secured(server);
}

gboolean
smtp_starttls_missing(const SmtpServer *server)
{
    return server->service->listen->tls == POLICY_TLS_REQUIRED
           && !smtp_is_secured(server);
}

/* Most of those who fail are no mail servers. */
static void
log_failure(const SmtpServer *server, const char *problem)
{
    char ip[IP_TEXT_SIZE];
    LogLine line;
    log_begin(&line, FILTERD_LOG_INFO, "tls");
    if (server->session != NULL)
        log_text(&line, "session", session_id(server->session));
    log_text(&line, "client", ip_format(&server->connection->peer.ip, ip));
    log_text(&line, "problem", problem);
    log_end(&line);
}

gboolean
smtp_handshake(SmtpServer *server)
{
    g_autoptr(GError) error = NULL;
    stream_set_deadline(server->stream, clock_after(TLS_TIMEOUT));
    StreamStatus status =
        stream_secure(server->stream, server->service->tls, &error);
    if (status == STREAM_OK)
        return TRUE;
    server->closing = TRUE;
    if (status != STREAM_CANCELLED)
        log_failure(server, error->message);
    return FALSE;
}

void
smtp_tell_secured(SmtpServer *server)
{
    const TlsPeer *peer = stream_peer(server->stream);
    const ProxyTls *told = &server->proxy_tls;
    SessionTls tls = {
        .version = told->version,
        .cipher = told->cipher,
        .subject = told->subject,
        .verified = told->verified,
    };
    if (peer != NULL)
        tls = (SessionTls){
            .version = peer->version,
            .cipher = peer->cipher,
            .fingerprint = peer->fingerprint,
            .subject = peer->subject,
            .verified = peer->verified,
        };
    session_secured(server->session, &tls);
}

/* Whatever was said in clear, somebody else may have said. */
static void
switch_over(SmtpServer *server)
{
    smtp_transaction_end(server);
    smtp_backend_release(server);
    smtp_reply(server, 220, "2.0.0", "go on with TLS");
    smtp_flush(server);
    stream_discard(server->stream);
    if (server->closing || !smtp_handshake(server))
        return;
    smtp_auth_forget(server);
    g_clear_pointer(&server->helo, g_free);
    g_clear_pointer(&server->told_helo, g_free);
    server->identity.helo = NULL;
    server->greeted = FALSE;
    smtp_tell_secured(server);
}

void
smtp_starttls(SmtpServer *server, const char *arguments)
{
    if (*arguments != '\0')
        smtp_error(server, 501, "5.5.4", "STARTTLS has no arguments");
    else if (smtp_is_secured(server))
        smtp_error(server, 503, "5.5.1", "this is TLS already");
    else if (server->bound)
        smtp_error(server, 503, "5.5.1", "not after AUTH");
    else if (server->service->listen->tls == POLICY_TLS_OFF)
        smtp_error(server, 502, "5.5.1", "TLS is not spoken here");
    else if (server->service->tls == NULL)
        smtp_error(server, 454, "4.7.0", "TLS is not available now");
    else
        switch_over(server);
}
