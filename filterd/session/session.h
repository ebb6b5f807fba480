/* session.h: one connection and its transactions, judged: facts, stages,
 * verdicts, edits. It knows no protocol; smtp-server, milter and the rest call
 * it in the order of their dialogue.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every function that gives a decision may wait and must be called from one
 * fiber. Syntax, limits and the order of commands are the caller's.
 */
#pragma once

#include "filterd/mail/address.h"
#include "filterd/mail/message.h"
#include "filterd/mail/reply.h"
#include "filterd/service/quarantine-letter.h"
#include "filterd/session/engine.h"
#include "policy/judge.h"

typedef struct Session Session;

/* Who is there. Texts are copied; `name` (from XCLIENT) may be NULL: then the
 * reverse lookup is ours. */
typedef struct SessionPeer {
    FilterdIp ip;
    uint16_t port;
    FilterdIp local_ip;
    uint16_t local_port;
    const char *name;
    gboolean early_talker;
    /* Of its address, over the machine, when it came: sessions, this one
     * included, and errors of late. */
    int64_t sessions, errors, unknown_recipients;
    const char *wire;      /* "smtp", "lmtp", "milter", "policy", "try" */
    gboolean answers_each; /* recipient, at the end of data (RFC 2033 4.2) */
    /* An MTA has the message and asks us: Received is its to write, and what is
     * quarantined its to hold. Its name and that of its listener, or NULL. */
    gboolean advises;
    gboolean envelopes; /* only: it never shows us a message */
    const char *mta_name, *mta_daemon;
} SessionPeer;

typedef enum SessionVerdict {
    SESSION_CONTINUE,
    SESSION_REJECT,     /* the reply is 5xx */
    SESSION_TEMPFAIL,   /* the reply is 4xx */
    SESSION_DISCARD,    /* say yes, deliver nothing */
    SESSION_DISCONNECT, /* the reply, then close */
    SESSION_CANCELLED,  /* the fiber is being cancelled: return */
} SessionVerdict;

/* The reply is set unless CONTINUE or CANCELLED; valid until the next call. The
 * client is to wait `delay` milliseconds for it. */
typedef struct SessionDecision {
    SessionVerdict verdict;
    const MailReply *reply;
    int64_t delay;
    gboolean wordless; /* the rule has no words of its own for it */
} SessionDecision;

Session *session_new(Engine *engine, const SessionPeer *peer);
/* Ends the transaction and the connection. */
void session_free(Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

/* Unique over workers, restarts and machines: "7f3a91c2-2". At the end of each
 * refusal, as "[7f3a91c2-2]". */
const char *session_id(const Session *session);
/* The client's name if it has been looked up and leads back to the client; NULL
 * otherwise. Never waits; valid as long as the session. */
const char *session_client_name(const Session *session);

SessionDecision session_connect(Session *session);
/* `protocol` is "SMTP", "ESMTP", "ESMTPS", "LMTP" (RFC 3848): for Received.
 * Ends a transaction. */
SessionDecision session_helo(Session *session, const char *name,
                             const char *protocol);
/* What TLS was agreed on. Texts are copied; those of a client without a
 * certificate are NULL. */
typedef struct SessionTls {
    const char *version, *cipher;
    const char *fingerprint, *subject;
    gboolean verified;
} SessionTls;

/* After STARTTLS: forgets all but address facts and the connect verdict. Before
 * session_connect() where TLS comes first. */
void session_secured(Session *session, const SessionTls *tls);

/* The client has proved to be `user` (UTF-8 without control characters), until
 * the session ends or session_secured(). */
void session_authenticated(Session *session, const char *user);

/* Before or in a transaction: what the MTA that is advised calls it. Copied. */
void session_queued(Session *session, const char *id);

/* It went on where it had to wait for a reply (RFC 2920 3.1). */
void session_pipelined(Session *session);

/* `size` as declared, 0 if not. */
SessionDecision session_mail(Session *session, const MailAddress *path,
                             gsize size);
/* CONTINUE: ask the backend now, then tell session_rcpt_answered(). */
SessionDecision session_rcpt(Session *session, const MailAddress *path);
/* What became of the recipient that session_rcpt() let through. */
void session_rcpt_answered(Session *session, gboolean taken,
                           const MailReply *backend);
SessionDecision session_data(Session *session);

/* Before the message: whether its body is octets, without lines (RFC 3030). */
void session_binary(Session *session, gboolean binary);
/* The message, canonical: each field, then the body in pieces. FALSE: it could
 * not be kept (the disk is full): answer 452 4.3.1. */
void session_field(Session *session, const FilterdField *field);
void session_header_end(Session *session);
gboolean session_body(Session *session, const char *bytes, gsize length);
/* FALSE: nothing asks for the body any more, as the message is accepted. */
gboolean session_wants_body(const Session *session);
/* The rest of it does not come: its size is not known. */
void session_partial(Session *session);
/* After end of data, for the next group of recipients: those whom the rules
 * cannot tell apart. Where one reply answers all there is one group, else the
 * order is that of their first ones. */
SessionDecision session_message(Session *session);
/* Whether there is another. */
gboolean session_has_group(const Session *session);
/* Whether the last session_message() was about that recipient, of those that
 * were taken (0 is the first); before it: any. */
gboolean session_concerns(const Session *session, unsigned recipient);

/* ---- where only envelopes are shown -------------------------------------- */

/* Instead of the message, before session_message(): its octets. */
void session_told_size(Session *session, gsize size);
/* A field that rules so far want on top of the message, "Name: value" in one
 * line, and that this has not given before. NULL: there is none. May wait. */
char *session_next_field(Session *session);
/* An edit that a rule or a plugin wants cannot be done: tells the log why.
 * `name` and `value` may be NULL. */
void session_edit_dropped(const Session *session, const char *edit,
                          const char *name, const char *value, const char *why);
/* The rule by which the message is in quarantine; NULL. */
const char *session_quarantined(const Session *session);

/* ---- where quarantined mail is kept here --------------------------------- */

/* On top of what was released: when, and from what quarantine. No client's
 * goes on. */
#define SESSION_RELEASED_FIELD "X-Filterd-Released"

/* After session_message() said CONTINUE: whether the message stays here instead
 * of going to the backend (`set quarantine spool`). */
gboolean session_keeps(const Session *session);
/* What is known about it, but for parameters of ESMTP and the recipients. */
QuarantineLetter *session_letter(Session *session);

/* After session_message() said CONTINUE: what goes on, edits applied. Until the
 * next group, or the end of the transaction. */
MailMessage *session_outgoing(Session *session);
/* The envelope as edited: `path` and the elements are wire texts without <>.
 * TRUE if it differs from what was received. */
gboolean session_envelope(Session *session, const char **reverse_path,
                          const GPtrArray **recipients);
/* The backend's last word about the message, for the log and the counters; to
 * that recipient, or (NULL) to all that go on. NULL is an MTA that was advised
 * to take it. */
void session_delivered(Session *session, const char *recipient,
                       const MailReply *backend);
/* A refusal that the wire decided (limits, syntax, backend fault): logged as
 * `rule` "-limit-…" with its reply, and counted. */
void session_refused(Session *session, const char *rule,
                     const MailReply *reply);

/* RSET, or the end of a transaction. Where a message was judged the plugins
 * hear of its fate, and this waits for them. */
void session_reset(Session *session);
/* Whether there is a plugin to wait for, so that the client's reply had better
 * be on its way. */
gboolean session_has_outcome(const Session *session);

/* ---- for those who watch: `filterctl try`, tests ------------------------- */

/* Each may be NULL. `recipient` is a wire text, NULL outside of rcpt. */
typedef struct SessionObserver {
    void *data;
    /* A verdict, or (rule NULL) a stage that ended without one. */
    void (*decided)(void *data, FilterdStage stage, const PolicyRule *rule,
                    const char *recipient, const MailReply *reply);
    void (*would)(void *data, const PolicyRule *rule);
    void (*judged)(void *data, const PolicyRule *rule, PolicyTruth truth,
                   PolicyMode mode);
    /* A rule wanted to know that fact. */
    void (*asked)(void *data, const PolicyFact *fact,
                  const FilterdValue *value);
    void (*edited)(void *data, const FilterdEdit *edit);
    /* A message, by no rule of the file but "-loop" or "-sign". */
    void (*refused)(void *data, const char *rule, const MailReply *reply);
} SessionObserver;

void session_observe(Session *session, const SessionObserver *observer);
/* Of a copy whose texts are its own. */
void session_edit_free(void *edit);

/* From now on a refusal is told and ends nothing, so that every fact can be
 * found out. */
void session_insist(Session *session);

/* That fact, for policy_explain(): nobody is told that it was asked. */
const FilterdValue *session_fact(Session *session, const PolicyFact *fact,
                                 gboolean shadow);

/* Every fact of the core and all plugins, evaluated; calls back with each. */
void session_each_fact(Session *session,
                       void (*func)(const PolicyFact *fact,
                                    const FilterdValue *value, void *data),
                       void *data);
