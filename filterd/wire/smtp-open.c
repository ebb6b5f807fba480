/* smtp-open.c: how a connection to a backend begins: PROXY, the greeting, EHLO,
 * STARTTLS (RFC 3207), XCLIENT; and XFORWARD, before each transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/wire/proxy-header.h"
#include "filterd/wire/smtp-client-state.h"
#include "filterd/wire/smtp-xclient.h"
#include "filterd/wire/smtp-xforward.h"

/* ---- greetings ---------------------------------------------------------- */

static gboolean
by_proxy(const PolicyBackend *backend)
{
    return backend->identity == POLICY_IDENTITY_PROXY_V1
           || backend->identity == POLICY_IDENTITY_PROXY_V2;
}

/* A refusal may be meant for a PROXY header before it: then nothing more is
 * said. */
static gboolean
say_hello(SmtpClient *client, const char *name, GError **error)
{
    MailReply reply = {0};
    gboolean local = client->backend->wire == POLICY_LMTP;
    g_autofree char *ehlo = g_strconcat(local ? "LHLO " : "EHLO ", name, NULL);
    g_autofree char *helo = g_strconcat("HELO ", name, NULL);
    smtp_extensions_clear(&client->extensions);
    gboolean ok = smtp_client_command(client, ehlo, &reply, error);
    if (ok && reply.code == 250)
        smtp_extensions_learn(&client->extensions, &reply,
                              &client->backend->without);
    else if (ok && reply.code >= 500 && !local && !by_proxy(client->backend))
        ok = smtp_client_command(client, helo, &reply, error);
    if (ok && reply.code != 250)
        ok = smtp_client_broken(client, "it refuses our greeting", error);
    client->extensions.known = ok;
    if (stream_peer(client->stream) == NULL)
        client->extensions.passed &= ~(unsigned)SMTP_REQUIRETLS;
    mail_reply_clear(&reply);
    return ok;
}

static gboolean
read_greeting(SmtpClient *client, GError **error)
{
    MailReply reply = {0};
    gboolean ok = smtp_client_read(client, client->backend->command_timeout,
                                   &reply, error);
    if (ok && reply.code != 220)
        ok = smtp_client_broken(client, "it greets with a refusal", error);
    mail_reply_clear(&reply);
    return ok;
}

/* What was asked for and cannot be done is no reason to do less. */
static gboolean
can_serve(const PolicyBackend *backend, const TlsContext *tls, GError **error)
{
    if (backend->tls < POLICY_TLS_REQUIRED || tls != NULL)
        return TRUE;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
                        "backend: TLS is not available");
    return FALSE;
}

/* ---- TLS ---------------------------------------------------------------- */

TlsContext *
smtp_client_tls_new(const PolicyBackend *backend, GError **error)
{
    char ip[IP_TEXT_SIZE];
    gboolean has_ip = backend->endpoint.path == NULL;
    const TlsClient options = {
        .host = backend->name != NULL ? backend->name
                : has_ip              ? ip_format(&backend->endpoint.ip, ip)
                                      : NULL,
        .verify = backend->tls == POLICY_TLS_VERIFIED,
        .authority = backend->ca,
    };
    return tls_client_new(&options, error);
}

/* What came behind the 220 in clear would be taken for the answer to something
 * that was said in TLS. */
static gboolean
handshake(SmtpClient *client, const TlsContext *tls, GError **error)
{
    if (!smtp_client_in_step(client, error))
        return FALSE;
    stream_set_deadline(client->stream,
                        clock_after(client->backend->command_timeout));
    if (stream_secure(client->stream, tls, error) == STREAM_OK)
        return TRUE;
    g_autofree char *where = endpoint_format(&client->backend->endpoint);
    g_prefix_error(error, "backend %s: ", where);
    return FALSE;
}

/* Everything that was heard in clear is forgotten. */
static gboolean
go_on_with_tls(SmtpClient *client, const TlsContext *tls, const char *helo,
               GError **error)
{
    gboolean needed = client->backend->tls != POLICY_TLS_OPPORTUNISTIC;
    MailReply reply = {0};
    if (!client->extensions.starttls)
        return !needed
               || smtp_client_broken(client, "it does not offer STARTTLS",
                                     error);
    if (!smtp_client_command(client, "STARTTLS", &reply, error))
        return FALSE;
    int code = reply.code;
    mail_reply_clear(&reply);
    if (code != 220)
        return !needed
               || smtp_client_broken(client, "it refuses STARTTLS", error);
    return handshake(client, tls, error) && say_hello(client, helo, error);
}

/* ---- the connection ----------------------------------------------------- */

SmtpClient *
smtp_client_greet(const PolicyBackend *backend, Stream *stream,
                  const char *helo, GError **error)
{
    g_autoptr(SmtpClient) client = g_new0(SmtpClient, 1);
    client->backend = backend;
    client->stream = stream;
    if (!read_greeting(client, error) || !say_hello(client, helo, error))
        return NULL;
    return g_steal_pointer(&client);
}

/* Postfix takes no PROXY UNKNOWN: then it is us who are the client. */
static const SmtpIdentity *
own_identity(const Stream *stream, SmtpIdentity *own)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    Endpoint here = {0}, there = {0};
    if (getsockname(stream_fd(stream), (struct sockaddr *)&address, &size) == 0)
        endpoint_from_sockaddr((struct sockaddr *)&address, size, &here);
    size = sizeof address;
    if (getpeername(stream_fd(stream), (struct sockaddr *)&address, &size) == 0)
        endpoint_from_sockaddr((struct sockaddr *)&address, size, &there);
    gboolean known = here.port != 0 && there.port != 0;
    *own = (SmtpIdentity){.ip = here.ip,
                          .port = here.port,
                          .local_ip = there.ip,
                          .local_port = there.port};
    endpoint_clear(&here);
    endpoint_clear(&there);
    return known ? own : NULL;
}

/* It goes out before the greeting is waited for. */
static void
write_proxy_header(const PolicyBackend *backend, Stream *stream,
                   const SmtpIdentity *identity)
{
    SmtpIdentity own;
    if (!by_proxy(backend))
        return;
    if (identity == NULL && backend->identity == POLICY_IDENTITY_PROXY_V1)
        identity = own_identity(stream, &own);
    GString *header =
        proxy_header_format((PolicyIdentity)backend->identity, identity);
    stream_write(stream, header->str, header->len);
    g_string_free(header, TRUE);
}

/* FALSE: there is none that the connection could have. */
static gboolean
find_source(const PolicyBackend *backend, const SmtpIdentity *identity,
            StreamSource *source, GError **error)
{
    const Endpoint *endpoint = &backend->endpoint;
    gboolean client = backend->source_client && identity != NULL;
    *source = (StreamSource){.ip = client ? identity->ip : backend->source_own,
                             .foreign = client};
    if (!client
        || (endpoint->path == NULL
            && ip_is_v4(&endpoint->ip) == ip_is_v4(&identity->ip)))
        return TRUE;
    g_autofree char *where = endpoint_format(endpoint);
    g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                "backend %s: the client's address is of another family", where);
    return FALSE;
}

static Stream *
connect_stream(const PolicyBackend *backend, const SmtpIdentity *identity,
               GError **error)
{
    StreamSource source;
    if (!find_source(backend, identity, &source, error))
        return NULL;
    gboolean bound = source.foreign || backend->source_given;
    Stream *stream =
        stream_connect(&backend->endpoint, bound ? &source : NULL,
                       clock_after(backend->connect_timeout), error);
    if (stream == NULL)
        g_prefix_error(error, "backend: ");
    return stream;
}

SmtpClient *
smtp_client_open(const PolicyBackend *backend, const TlsContext *tls,
                 const char *helo, const SmtpIdentity *identity, GError **error)
{
    if (!can_serve(backend, tls, error))
        return NULL;
    Stream *stream = connect_stream(backend, identity, error);
    if (stream == NULL)
        return NULL;
    write_proxy_header(backend, stream, identity);
    g_autoptr(SmtpClient) client =
        smtp_client_greet(backend, stream, helo, error);
    if (client == NULL
        || (tls != NULL && !go_on_with_tls(client, tls, helo, error)))
        return NULL;
    return g_steal_pointer(&client);
}

/* ---- identity ----------------------------------------------------------- */

/* The backend greets anew, and must be greeted anew: by the client's name, for
 * Postfix forgets the HELO attribute at our EHLO. */
static gboolean
say_xclient(SmtpClient *client, const SmtpIdentity *identity, GError **error)
{
    g_autofree char *command = NULL;
    if (client->extensions.xclient != NULL)
        command = smtp_xclient_format(client->extensions.xclient, identity);
    if (command == NULL)
        return smtp_client_broken(client, "it does not offer XCLIENT to us",
                                  error);
    MailReply reply = {0};
    gboolean ok = smtp_client_command(client, command, &reply, error);
    if (ok && reply.code != 220)
        ok = smtp_client_broken(client, "it refuses XCLIENT", error);
    mail_reply_clear(&reply);
    const char *helo = identity->helo != NULL ? identity->helo : "unknown";
    return ok && say_hello(client, helo, error);
}

gboolean
smtp_client_identify(SmtpClient *client, const SmtpIdentity *identity,
                     GError **error)
{
    if (client->backend->identity == POLICY_IDENTITY_XCLIENT)
        return say_xclient(client, identity, error);
    return TRUE;
}

/* It may be pipelined. Its reply is read before that of what is said next. */
static gboolean
say_xforward(SmtpClient *client, const char *command, GError **error)
{
    if (!smtp_client_write(client, command, error))
        return FALSE;
    client->introducing++;
    return client->extensions.pipelining
           || smtp_client_flush(client, client->backend->command_timeout,
                                error);
}

gboolean
smtp_client_introduce(SmtpClient *client, const SmtpIdentity *identity,
                      GError **error)
{
    if (client->backend->identity != POLICY_IDENTITY_XFORWARD)
        return TRUE;
    g_auto(GStrv) commands = NULL;
    if (client->extensions.xforward != NULL)
        commands = smtp_xforward_format(client->extensions.xforward, identity);
    if (commands == NULL)
        return smtp_client_broken(client, "it does not offer XFORWARD to us",
                                  error);
    for (unsigned i = 0; commands[i] != NULL; i++)
        if (!say_xforward(client, commands[i], error))
            return FALSE;
    return TRUE;
}
