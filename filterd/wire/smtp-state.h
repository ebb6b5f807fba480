/* smtp-state.h: a connection's state between the files that serve it. Private
 * to the SMTP server.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/stream.h"
#include "filterd/base/visitors.h"
#include "filterd/session/session.h"
#include "filterd/wire/intake.h"
#include "filterd/wire/proxy-tlv.h"
#include "filterd/wire/smtp-server.h"

/* RFC 5321 4.5.3.1.4 has 512; parameters need more. CRLF included. */
#define SMTP_LINE_LIMIT 2048
/* Commands that lead nowhere (NOOP, RSET, VRFY …) before each is an error. Both
 * are counted from the last message that was delivered. */
#define SMTP_JUNK_LIMIT 100

/* A line while somebody authenticates, and AUTH itself (RFC 4954 4). */
#define SMTP_AUTH_LIMIT 12288

/* How fast a message comes. */
typedef struct SmtpPace {
    int64_t deadline; /* of all of it */
    int64_t waited;   /* for the client, so far */
    gsize octets;     /* that came */
} SmtpPace;

typedef struct SmtpForward SmtpForward;

typedef struct SmtpServer {
    SmtpConnection *connection;
    const SmtpService *service;
    const PolicySettings *settings;
    Stream *stream;
    Session *session;
    SmtpIdentity identity; /* for the backend */
    FilterdIp origin;      /* who it was before any XCLIENT */
    ProxyTls proxy_tls;    /* what its load balancer spoke with it */
    char *helo;
    gboolean greeted; /* with HELO or EHLO */
    gboolean shut;    /* refused at connect: QUIT only */
    gboolean closing;
    unsigned errors, junk;
    int64_t began; /* the command, monotonic */

    unsigned address_seat, network_seat; /* among the visitors */
    VisitorCounts visitor;               /* its address when it came */

    gboolean in_mail, utf8;
    unsigned promised;        /* by the last EHLO: SmtpExtension */
    unsigned needs;           /* of the backend: the same */
    char *mail_command;       /* for the backend */
    char *mail_parameters;    /* of it, behind the path */
    GPtrArray *rcpt_commands; /* that the backend took */
    unsigned discarded;       /* recipients that go nowhere */
    GPtrArray *answers;       /* with LMTP, to the message; NULL: not now */
    unsigned recipients;      /* all that were judged */

    Intake *intake; /* while a message comes */
    SmtpPace pace;  /* of it */

    SmtpClient *client;      /* the backend, while it is ours */
    gboolean client_in_mail; /* it has heard MAIL */
    /* It is this client's for good, or while it authenticates: where it is
     * lost there is no other. */
    gboolean bound;
    char *login; /* who has authenticated; NULL */

    char *told_helo; /* by XCLIENT, until the client greets; NULL */
    gboolean told_esmtp;
    SmtpForward *forward; /* whose mail comes next; NULL */
} SmtpServer;

/* ---- smtp-server.c ------------------------------------------------------ */

/* The connection is over, or the client was silent. */
void smtp_ended(SmtpServer *server, StreamStatus status);
/* The client is another one, from its greeting on. */
void smtp_begin_again(SmtpServer *server, const SessionPeer *peer);

/* ---- smtp-verbs.c ------------------------------------------------------- */

/* A command's line, without its CRLF. */
void smtp_carry_out(SmtpServer *server, char *line);
/* The client's EHLO (HELO), judged; FALSE: it was refused. */
gboolean smtp_hello(SmtpServer *server, const char *name, gboolean extended);

/* ---- smtp-reply.c ------------------------------------------------------- */

void smtp_reply(SmtpServer *server, int code, const char *enhanced,
                const char *text);
/* A protocol error: counted; behind the last one that is borne comes 421. */
void smtp_error(SmtpServer *server, int code, const char *enhanced,
                const char *text);
/* A decision of ours, which names the session. */
void smtp_refuse(SmtpServer *server, const MailReply *reply);
/* The same, decided here: logged under `rule`. */
void smtp_limit(SmtpServer *server, const char *rule, int code,
                const char *enhanced, const char *text);
/* The same, and last words of the connection. */
void smtp_close_with(SmtpServer *server, const char *rule, const char *enhanced,
                     const char *text);
/* The backend's words. */
void smtp_relay(SmtpServer *server, const MailReply *reply);
/* Carries out what a decision asks for; TRUE: go on. */
gboolean smtp_follow(SmtpServer *server, SessionDecision decision);
/* Of a command that has to be the last in its group: whether it is not
 * (RFC 2920 3.1). */
void smtp_note_pipelining(SmtpServer *server);
/* What has been said so far goes out, however long it took to find it. */
void smtp_flush(SmtpServer *server);

/* ---- smtp-limits.c ------------------------------------------------------ */

/* A client of that address begins, before anything is asked about it; FALSE: it
 * is over a limit and has been told so. */
gboolean smtp_admit(SmtpServer *server, const FilterdIp *ip);
void smtp_part(SmtpServer *server);
/* Of the command that has begun. */
int64_t smtp_deadline(const SmtpServer *server);
/* stream_fill() up to there; leaves the stream with that deadline. */
StreamStatus smtp_fill(SmtpServer *server);
/* The same within the time for a message. */
StreamStatus smtp_fill_message(SmtpServer *server, SmtpPace *pace);
/* Waits before a reply, unless there are too many sessions for that, or this
 * worker goes. */
void smtp_delay(SmtpServer *server, int64_t delay);

/* ---- smtp-mail.c: MAIL, RCPT, RSET -------------------------------------- */

/* Whether clients are answered recipient by recipient (RFC 2033). */
gboolean smtp_is_local(const SmtpServer *server);
/* Whether the message is BINARYMIME: chunks on either side (RFC 3030 3). */
gboolean smtp_is_binary(const SmtpServer *server);
/* Whether a transaction has one recipient: a backend answers each, and the
 * client gets one reply. */
gboolean smtp_single(const SmtpServer *server);
void smtp_mail(SmtpServer *server, const char *arguments);
void smtp_rcpt(SmtpServer *server, const char *arguments);
/* Forgets the transaction, here and at the backend. */
void smtp_transaction_end(SmtpServer *server);
gsize smtp_size_limit(SmtpServer *server);

/* ---- smtp-tls.c: STARTTLS ----------------------------------------------- */

/* Whether the client speaks TLS, with us or with its load balancer. */
gboolean smtp_is_secured(const SmtpServer *server);
void smtp_starttls(SmtpServer *server, const char *arguments);
/* Whether EHLO offers it. */
gboolean smtp_starttls_offered(const SmtpServer *server);
/* Whether the client has to say it before it does anything else. */
gboolean smtp_starttls_missing(const SmtpServer *server);
/* The handshake; FALSE: the connection is of no more use. */
gboolean smtp_handshake(SmtpServer *server);
/* From now on the session knows. */
void smtp_tell_secured(SmtpServer *server);

/* ---- smtp-offer.c: what EHLO offers ------------------------------------- */

/* Of what the backend can, what this client may use, now. Borrows texts. */
gboolean smtp_withholds(const SmtpServer *server, PolicyExtension extension);
SmtpExtensions smtp_offer(const SmtpServer *server,
                          const SmtpExtensions *backend);
/* Of the backends, as far as it is known now, and what the last EHLO was told:
 * whoever cannot keep that is a fault. */
SmtpExtensions smtp_offer_now(const SmtpServer *server);
/* The lines of EHLO's reply. Caller frees. */
char *smtp_offer_format(SmtpServer *server);

/* ---- smtp-auth.c: AUTH -------------------------------------------------- */

void smtp_auth(SmtpServer *server, const char *arguments);
/* Whether the client may say it where it is, if the backend can do it. */
gboolean smtp_auth_allowed(const SmtpServer *server);
/* Whether that line may have a secret in it. */
gboolean smtp_auth_announced(const char *line, gsize length);
/* The client is nobody any more. */
void smtp_auth_forget(SmtpServer *server);

/* ---- smtp-xclient-server.c: XCLIENT ------------------------------------- */

void smtp_xclient(SmtpServer *server, const char *arguments);
gboolean smtp_xclient_offered(const SmtpServer *server);
/* Before any EHLO: the client has greeted as XCLIENT told. FALSE: it has not,
 * or was refused, and has been told so. */
gboolean smtp_xclient_hello(SmtpServer *server);

/* ---- smtp-answer.c: what becomes of a message ---------------------------- */

/* All of it has come: it is judged, passed on and answered, and the transaction
 * ends. */
void smtp_end_message(SmtpServer *server);
/* A reply while each recipient gets one: kept for those it is about. */
void smtp_keep_answer(SmtpServer *server, const GString *text);

/* ---- smtp-keep.c: what stays here ---------------------------------------- */

/* The judged message, and the client's reply, which is 250 when it is on the
 * disk. */
void smtp_keep(SmtpServer *server);

/* ---- smtp-forward.c: XFORWARD ------------------------------------------- */

void smtp_xforward(SmtpServer *server, const char *arguments);
gboolean smtp_forward_offered(const SmtpServer *server);
/* At MAIL: the session is another one, of the client whose mail it is, judged
 * up to here. FALSE: it was refused, and the peer has been told. */
gboolean smtp_forward_begin(SmtpServer *server);
/* The session is the peer's again. */
void smtp_forward_end(SmtpServer *server);
/* And what comes next is its own. */
void smtp_forward_forget(SmtpServer *server);

/* ---- smtp-through.c: what the backend answers ---------------------------- */

gboolean smtp_passes(const SmtpServer *server, PolicyVerb verb);
void smtp_pass(SmtpServer *server, PolicyVerb verb, const char *arguments);

/* ---- smtp-data.c: DATA -------------------------------------------------- */

void smtp_data(SmtpServer *server, const char *arguments);
gboolean smtp_has_recipients(const SmtpServer *server);
/* `flags` are of DataFlags. */
void smtp_begin_message(SmtpServer *server, unsigned flags);
/* The connection broke, or was too slow, before that. */
void smtp_give_up(SmtpServer *server, StreamStatus status);

/* ---- smtp-bdat.c: BDAT -------------------------------------------------- */

void smtp_bdat(SmtpServer *server, const char *arguments);
/* Whether octets follow that line that are no command, however wrong it is. */
gboolean smtp_bdat_announced(const char *line, gsize length);
/* Then nobody can tell how many: the connection ends. */
void smtp_bdat_refuse(SmtpServer *server, const char *problem);

/* ---- smtp-relay.c: the backend's side ----------------------------------- */

/* One recipient: MAIL before it if need be. The backend's reply to it, or 451
 * where the backend failed. */
void smtp_backend_rcpt(SmtpServer *server, const char *rcpt_command,
                       MailReply *reply);
/* The judged message, to those that session_envelope() names. The replies to
 * it: one, or of an LMTP backend one for each of them. */
typedef struct SmtpReplies {
    MailReply *items;
    unsigned length;
    gboolean fault; /* it failed */
} SmtpReplies;

void smtp_backend_message(SmtpServer *server, SmtpReplies *replies);
/* What the client gave behind that recipient's path, if it named it; else "".
 */
const char *smtp_recipient_parameters(const SmtpServer *server,
                                      const char *recipient);
void smtp_replies_clear(SmtpReplies *replies);
/* One command outside of what mail needs, and the backend's reply. FALSE: it
 * has none; the reply is 421 where the client has to go. */
gboolean smtp_backend_ask(SmtpServer *server, const char *command,
                          MailReply *reply);
/* A connection of this client's alone; FALSE with an error. */
gboolean smtp_backend_bind(SmtpServer *server, GError **error);
/* It failed: it is closed, and the log says why. */
void smtp_backend_lost(SmtpServer *server, const GError *error);
/* Ends its transaction. A connection that nobody else could use stays ours. */
void smtp_backend_end(SmtpServer *server);
/* Gives the connection to others while the client is slow; what it has heard
 * it hears again. */
void smtp_backend_lend(SmtpServer *server);
/* Gives the connection back. */
void smtp_backend_release(SmtpServer *server);
