/* smtp-client.h: a connection to a backend, from its greeting to QUIT
 * (RFC 5321, RFC 2033, RFC 2920; XCLIENT as Postfix has it).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Functions wait. FALSE means that the backend failed (silence, nonsense, a
 * closed connection): the error says how, the connection is of no more use. A
 * refusal is a reply like any other.
 */
#pragma once

#include "filterd/base/stream.h"
#include "filterd/mail/message.h"
#include "filterd/wire/smtp-extensions.h"
#include "policy/config.h"

/* Whose mail it is that goes over the connection. */
typedef struct SmtpIdentity {
    FilterdIp ip;
    uint16_t port;
    FilterdIp local_ip;
    uint16_t local_port;
    const char *name; /* NULL: unknown */
    const char *helo;
    const char *ident; /* of the session, for logs; NULL */
    const char *login; /* who has authenticated, to us; NULL */
    gboolean local;    /* the mail, as XFORWARD told */
    gboolean esmtp;
} SmtpIdentity;

typedef struct SmtpClient SmtpClient;

/* For the backend's `tls`; NULL with an error. */
TlsContext *smtp_client_tls_new(const PolicyBackend *backend, GError **error);
/* Connects, reads the greeting, says EHLO (HELO where that is refused; LHLO
 * where it speaks LMTP), and STARTTLS as the backend's `tls` wants it. `tls`
 * NULL: none is spoken. A handshake that failed is TLS_ERROR_HANDSHAKE.
 * `identity` is for a PROXY header and for `source client`; NULL: the
 * connection is for nobody. What is wrong on our side is an ENDPOINT_ERROR. */
SmtpClient *smtp_client_open(const PolicyBackend *backend,
                             const TlsContext *tls, const char *helo,
                             const SmtpIdentity *identity, GError **error);
/* The same in clear, on a stream that is connected, which it takes. */
SmtpClient *smtp_client_greet(const PolicyBackend *backend, Stream *stream,
                              const char *helo, GError **error);
void smtp_client_free(SmtpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmtpClient, smtp_client_free)

const PolicyBackend *smtp_client_backend(const SmtpClient *client);
const SmtpExtensions *smtp_client_extensions(const SmtpClient *client);
/* Whether the backend has said something unasked, or closed. */
gboolean smtp_client_stale(SmtpClient *client);

/* Until the next command it costs little. */
void smtp_client_rest(SmtpClient *client);
/* Whether it ever lay idle: what breaks then need not be a fault. */
gboolean smtp_client_rested(const SmtpClient *client);

/* From now on it is one client's, who authenticates on it. */
void smtp_client_bind(SmtpClient *client);
gboolean smtp_client_bound(const SmtpClient *client);
/* stream_wipe(). */
void smtp_client_wipe(SmtpClient *client);

/* Tells whose mail follows, as the backend's `identity` wants it. */
gboolean smtp_client_identify(SmtpClient *client, const SmtpIdentity *identity,
                              GError **error);
/* What has to be told before each MAIL, because its transaction's end is the
 * end of it, too (XFORWARD). */
gboolean smtp_client_introduce(SmtpClient *client, const SmtpIdentity *identity,
                               GError **error);

/* One command without its CRLF, and its reply. */
gboolean smtp_client_command(SmtpClient *client, const char *command,
                             MailReply *reply, GError **error);
/* Two commands in one packet where the backend can (PIPELINING); the second is
 * not said if the first was refused and it cannot: its reply has code 0. */
gboolean smtp_client_commands(SmtpClient *client, const char *first,
                              const char *second, MailReply *first_reply,
                              MailReply *second_reply, GError **error);

/* After 354: the message, dot-stuffed, the final dot, and so many replies to
 * it: with LMTP one for each recipient. What has been answered before a failure
 * stands; the others have code 0. */
gboolean smtp_client_send(SmtpClient *client, MailMessage *message,
                          MailReply *replies, unsigned count, GError **error);

/* The same by BDAT, octet for octet, without a command before it. */
gboolean smtp_client_send_chunk(SmtpClient *client, MailMessage *message,
                                MailReply *replies, unsigned count,
                                GError **error);

/* Says QUIT without waiting for the answer, and frees. */
void smtp_client_quit(SmtpClient *client);
