/* tls.c: TLS below a stream, by OpenSSL. (RFC 8446, RFC 5246)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * OpenSSL's queue of errors belongs to the thread, which is every fiber's: it
 * is emptied before each call, and read before anything else can run.
 */
#include "filterd/base/tls.h"

#include "filterd/base/ip.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

/* Forward secrecy and, but for old peers, authenticated encryption. */
#define CIPHERS                          \
    "ECDHE+AESGCM:ECDHE+CHACHA20:"       \
    "DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:" \
    "!aNULL:!eNULL:!PSK:!SRP:!aDSS:!AESCCM8"
#define OPTIONS                                      \
    (SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION \
     | SSL_OP_CIPHER_SERVER_PREFERENCE)
/* Without SSL_MODE_AUTO_RETRY: records that carry no octets of ours, such as
 * new keys, come one call at a time, lest they hold the loop. */
#define MODE                                                  \
    (SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS \
     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
/* Of such records that a look passes over. */
#define LOOK_LIMIT 16
/* Octets of a peer's chain, and of its subject as text. */
#define PEER_CHAIN_LIMIT 65536
#define PEER_SUBJECT_LIMIT 256

struct TlsContext {
    SSL_CTX *ssl;
    GPtrArray *certificates; /* TlsCertificate; a server's */
    gboolean verifies;
    char *host; /* NULL: a server, or nobody in particular */
    gboolean host_is_ip;
};

struct TlsLink {
    const TlsContext *context;
    SSL *ssl;
    int fd;
    GByteArray *head;  /* to be read before the socket; NULL: nothing */
    int error;         /* errno of the socket */
    gboolean starved;  /* the socket had nothing, in the last call */
    gboolean cut;      /* the socket ended */
    gboolean broken;   /* nothing can be said any more */
    gboolean doubtful; /* the peer's certificate leads nowhere */
    TlsPeer peer;
};

/* ---- the socket below ---------------------------------------------------
 * OpenSSL's own would raise SIGPIPE. */

static int
socket_result(BIO *bio, ssize_t length, int retry)
{
    TlsLink *link = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (length >= 0)
        return (int)length;
    if (errno == EAGAIN)
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    else
        link->error = errno;
    link->starved |= errno == EAGAIN;
    return -1;
}

static int
read_head(TlsLink *link, char *bytes, int size)
{
    guint length = MIN(link->head->len, (guint)size);
    memcpy(bytes, link->head->data, length);
    g_byte_array_remove_range(link->head, 0, length);
    if (link->head->len == 0)
        g_clear_pointer(&link->head, g_byte_array_unref);
    return (int)length;
}

static int
socket_read(BIO *bio, char *bytes, int size)
{
    TlsLink *link = BIO_get_data(bio);
    if (link->head != NULL)
        return read_head(link, bytes, size);
    ssize_t length = TEMP_FAILURE_RETRY(recv(link->fd, bytes, (size_t)size, 0));
    link->cut |= length == 0;
    return socket_result(bio, length, BIO_FLAGS_READ);
}

static int
socket_write(BIO *bio, const char *bytes, int size)
{
    TlsLink *link = BIO_get_data(bio);
    ssize_t length =
        TEMP_FAILURE_RETRY(send(link->fd, bytes, (size_t)size, MSG_NOSIGNAL));
    return socket_result(bio, length, BIO_FLAGS_WRITE);
}

/* An end is not told to OpenSSL, which would take it for an attack and say
 * nothing more: `cut` tells us. */
static long
socket_control(BIO *bio G_GNUC_UNUSED, int command, long number G_GNUC_UNUSED,
               void *pointer G_GNUC_UNUSED)
{
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
socket_method(void)
{
    static BIO_METHOD *method;
    if (method != NULL)
        return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    BIO_meth_set_read(method, socket_read);
    BIO_meth_set_write(method, socket_write);
    BIO_meth_set_ctrl(method, socket_control);
    return method;
}

static BIO *
socket_new(TlsLink *link)
{
    BIO *bio = BIO_new(socket_method());
    BIO_set_data(bio, link);
    BIO_set_init(bio, 1);
    return bio;
}

/* ---- contexts ----------------------------------------------------------- */

static TlsContext *
context_new(const SSL_METHOD *method, GError **error)
{
    g_autoptr(TlsContext) context = g_new0(TlsContext, 1);
    ERR_clear_error();
    context->certificates =
        g_ptr_array_new_with_free_func((GDestroyNotify)tls_certificate_free);
    context->ssl = SSL_CTX_new(method);
    if (context->ssl == NULL
        || SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION) != 1
        || SSL_CTX_set_cipher_list(context->ssl, CIPHERS) != 1) {
        tls_set_error(error, TLS_ERROR_SETUP, "TLS cannot be set up");
        return NULL;
    }
    SSL_CTX_set_options(context->ssl, OPTIONS);
    SSL_CTX_clear_mode(context->ssl, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context->ssl, MODE);
    SSL_CTX_set_read_ahead(context->ssl, 1);
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context->ssl, PEER_CHAIN_LIMIT);
    return g_steal_pointer(&context);
}

void
tls_context_free(TlsContext *context)
{
    SSL_CTX_free(context->ssl);
    g_ptr_array_unref(context->certificates);
    g_free(context->host);
    g_free(context);
}

static gboolean
add_certificates(TlsContext *context, const TlsServer *server, GError **error)
{
    for (size_t i = 0; i < server->length; i++) {
        TlsCertificate *one =
            tls_certificate_new(&server->chains[i], &server->keys[i], error);
        if (one == NULL)
            return FALSE;
        g_ptr_array_add(context->certificates, one);
    }
    if (server->length > 0
        && tls_certificate_show(g_ptr_array_index(context->certificates, 0),
                                context->ssl))
        return TRUE;
    tls_set_error(error, TLS_ERROR_CERTIFICATE,
                  "the first certificate cannot be used");
    return FALSE;
}

/* Of several certificates for a name the client's algorithms choose. */
static int
choose_certificate(SSL *ssl, void *data)
{
    const TlsContext *context = data;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    gboolean found = FALSE;
    for (unsigned i = 0; host != NULL && i < context->certificates->len; i++) {
        const TlsCertificate *one = g_ptr_array_index(context->certificates, i);
        if (!tls_certificate_names(one, host))
            continue;
        if (!found)
            SSL_certs_clear(ssl);
        found = TRUE;
        tls_certificate_show_once(one, ssl);
    }
    return 1;
}

/* Whatever certificate a client has, it is a fact and no reason to end. */
static int
note_doubt(int good, X509_STORE_CTX *store)
{
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    TlsLink *link = SSL_get_app_data(ssl);
    if (!good)
        link->doubtful = TRUE;
    return 1;
}

/* A session that is taken up again brings no certificate. */
static gboolean
ask_clients(TlsContext *context, const TlsServer *server, GError **error)
{
    if (!server->ask)
        return TRUE;
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, note_doubt);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context->ssl, 0);
    context->verifies = server->authority.path != NULL;
    return !context->verifies
           || tls_authority_trust(SSL_CTX_get_cert_store(context->ssl),
                                  &server->authority, error);
}

TlsContext *
tls_server_new(const TlsServer *server, GError **error)
{
    g_autoptr(TlsContext) context = context_new(TLS_server_method(), error);
    if (context == NULL || !add_certificates(context, server, error)
        || !ask_clients(context, server, error))
        return NULL;
    g_autoptr(GChecksum) name = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 id[32];
    gsize size = sizeof id;
    g_checksum_update(name, (const guchar *)server->name, -1);
    g_checksum_get_digest(name, id, &size);
    SSL_CTX_set_session_id_context(context->ssl, id, (unsigned)size);
    SSL_CTX_set_dh_auto(context->ssl, 1);
    SSL_CTX_set_cert_cb(context->ssl, choose_certificate, context);
    return g_steal_pointer(&context);
}

static gboolean
trust(TlsContext *context, const FilterdFile *authority, GError **error)
{
    if (authority->path != NULL)
        return tls_authority_trust(SSL_CTX_get_cert_store(context->ssl),
                                   authority, error);
    if (SSL_CTX_set_default_verify_paths(context->ssl) == 1)
        return TRUE;
    tls_set_error(error, TLS_ERROR_SETUP,
                  "the system's certificates cannot be read");
    return FALSE;
}

TlsContext *
tls_client_new(const TlsClient *client, GError **error)
{
    FilterdIp ip;
    g_autoptr(TlsContext) context = context_new(TLS_client_method(), error);
    if (context == NULL)
        return NULL;
    context->host = g_strdup(client->host);
    context->host_is_ip = client->host != NULL && ip_parse(client->host, &ip);
    context->verifies = client->verify;
    if (!client->verify)
        return g_steal_pointer(&context);
    g_assert(client->host != NULL);
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    if (!trust(context, &client->authority, error))
        return NULL;
    return g_steal_pointer(&context);
}

/* ---- links -------------------------------------------------------------- */

/* RFC 6066 3: no address as server name. */
static void
expect_host(TlsLink *link)
{
    const TlsContext *context = link->context;
    X509_VERIFY_PARAM *parameters = SSL_get0_param(link->ssl);
    if (context->host_is_ip) {
        X509_VERIFY_PARAM_set1_ip_asc(parameters, context->host);
        return;
    }
    SSL_set_tlsext_host_name(link->ssl, context->host);
    X509_VERIFY_PARAM_set_hostflags(parameters,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(parameters, context->host, 0);
}

TlsLink *
tls_link_new(const TlsContext *context, int fd, const void *head, size_t length)
{
    TlsLink *link = g_new0(TlsLink, 1);
    if (length > 0)
        link->head =
            g_byte_array_append(g_byte_array_new(), head, (guint)length);
    ERR_clear_error();
    link->context = context;
    link->fd = fd;
    link->ssl = SSL_new(context->ssl);
    if (link->ssl == NULL)
        g_error("TLS: out of memory");
    BIO *bio = socket_new(link);
    SSL_set_bio(link->ssl, bio, bio);
    SSL_set_app_data(link->ssl, link);
    if (context->certificates->len > 0)
        SSL_set_accept_state(link->ssl);
    else
        SSL_set_connect_state(link->ssl);
    if (context->host != NULL)
        expect_host(link);
    return link;
}

void
tls_link_free(TlsLink *link)
{
    ERR_clear_error();
    if (!link->broken && SSL_is_init_finished(link->ssl))
        SSL_shutdown(link->ssl);
    SSL_free(link->ssl);
    g_clear_pointer(&link->head, g_byte_array_unref);
    g_free(link->peer.fingerprint);
    g_free(link->peer.subject);
    g_free(link);
    ERR_clear_error();
}

static void
begin(TlsLink *link)
{
    ERR_clear_error();
    link->starved = FALSE;
}

/* `result` is what the call has just given. */
static Transport
outcome(TlsLink *link, int result)
{
    int reason = SSL_get_error(link->ssl, result);
    if (reason == SSL_ERROR_NONE)
        return TRANSPORT_DONE;
    if (reason == SSL_ERROR_WANT_READ)
        return link->starved ? TRANSPORT_WANTS_READ : TRANSPORT_AGAIN;
    if (reason == SSL_ERROR_WANT_WRITE)
        return TRANSPORT_WANTS_WRITE;
    if (reason == SSL_ERROR_ZERO_RETURN)
        return TRANSPORT_EOF;
    link->broken |= reason == SSL_ERROR_SSL || !link->cut;
    errno = reason == SSL_ERROR_SSL ? EPROTO
            : link->error != 0      ? link->error
                                    : ECONNRESET;
    return TRANSPORT_FAILED;
}

Transport
tls_link_read(TlsLink *link, void *bytes, size_t size, size_t *length)
{
    begin(link);
    return outcome(link, SSL_read_ex(link->ssl, bytes, size, length));
}

Transport
tls_link_write(TlsLink *link, const void *bytes, size_t size, size_t *length)
{
    begin(link);
    return outcome(link, SSL_write_ex(link->ssl, bytes, size, length));
}

Transport
tls_link_look(TlsLink *link)
{
    char octet;
    size_t length;
    Transport result = TRANSPORT_AGAIN;
    for (int i = 0; i < LOOK_LIMIT && result == TRANSPORT_AGAIN; i++) {
        begin(link);
        result = outcome(link, SSL_peek_ex(link->ssl, &octet, 1, &length));
    }
    return result;
}

/* ---- the handshake ------------------------------------------------------ */

static char *
format_fingerprint(const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    GString *text = g_string_new(NULL);
    X509_digest(certificate, EVP_sha256(), digest, &length);
    for (unsigned i = 0; i < length; i++)
        g_string_append_printf(text, "%02x", digest[i]);
    return g_string_free(text, FALSE);
}

/* Escaped: printable ASCII. */
static char *
format_subject(const X509 *certificate)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes;
    X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0,
                       XN_FLAG_RFC2253);
    long length = BIO_get_mem_data(memory, &bytes);
    char *text = g_strndup(bytes, (gsize)CLAMP(length, 0, PEER_SUBJECT_LIMIT));
    BIO_free(memory);
    return text;
}

static void
meet(TlsLink *link)
{
    TlsPeer *peer = &link->peer;
    const X509 *certificate = SSL_get0_peer_certificate(link->ssl);
    peer->version = SSL_get_version(link->ssl);
    peer->cipher = SSL_get_cipher_name(link->ssl);
    if (certificate == NULL)
        return;
    peer->fingerprint = format_fingerprint(certificate);
    peer->subject = format_subject(certificate);
    peer->verified = link->context->verifies && !link->doubtful
                     && SSL_get_verify_result(link->ssl) == X509_V_OK;
}

/* A certificate that is not believed is the most telling reason. */
static void
explain(TlsLink *link, GError **error)
{
    long doubt = SSL_get_verify_result(link->ssl);
    int number = errno;
    if (doubt != X509_V_OK)
        g_set_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE,
                    "TLS handshake: the certificate is not good: %s",
                    X509_verify_cert_error_string(doubt));
    else if (number == EPROTO)
        tls_set_error(error, TLS_ERROR_HANDSHAKE, "TLS handshake");
    else
        g_set_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE, "TLS handshake: %s",
                    link->cut ? "connection closed" : g_strerror(number));
    ERR_clear_error();
}

Transport
tls_link_handshake(TlsLink *link, GError **error)
{
    begin(link);
    Transport result = outcome(link, SSL_do_handshake(link->ssl));
    if (result == TRANSPORT_DONE)
        meet(link);
    if (result == TRANSPORT_EOF) {
        errno = ECONNRESET;
        result = TRANSPORT_FAILED;
    }
    if (result == TRANSPORT_FAILED) {
        link->broken = TRUE;
        explain(link, error);
    }
    return result;
}

const TlsPeer *
tls_link_peer(const TlsLink *link)
{
    return &link->peer;
}
