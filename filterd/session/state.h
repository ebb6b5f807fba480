/* state.h: what a session and an engine are made of. Private to the session.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/host/visit.h"
#include "filterd/session/session.h"

#define SESSION_ID_SIZE 40

struct Engine {
    const PolicyConfig *config;
    Store *store;
    Host *host;
    char *hostname;
    char *authserv_id;
    const char *spool;  /* a directory, or NULL */
    char prefix[12];    /* of session ids */
    uint64_t sessions;  /* so far */
    uint64_t *rules;    /* how often each fired */
    int64_t store_told; /* when its failure was last logged */
};

/* A recipient that was taken. */
typedef struct SessionRecipient {
    MailAddress address;
    const PolicyRule *rule; /* accept or quarantine at rcpt, or NULL */
    gboolean discarded;
} SessionRecipient;

/* A rewrite that fired, with its arguments as they were then. */
typedef struct SessionRewrite {
    const PolicyRule *rule;
    FilterdValue *arguments;
    unsigned length;
} SessionRewrite;

/* What a verdict or a rewrite holds for. */
typedef enum SessionScope {
    SESSION_OF_CONNECTION,
    SESSION_OF_HELO,
    SESSION_OF_MESSAGE,
    SESSION_SCOPES,
} SessionScope;

/* The reverse lookup, done once. */
typedef struct SessionReverse {
    gboolean busy, done;
    FiberQueue waiters;
    char *name;
    FilterdValue confirmed;
} SessionReverse;

struct Session {
    Engine *engine;
    Visit *visit;
    SessionObserver observer;
    char id[SESSION_ID_SIZE];
    FilterdIp ip, local_ip;
    uint16_t port, local_port;
    const char *wire;
    gboolean early_talker, secured;
    SessionReverse reverse;
    int64_t began; /* of the connection, then of the transaction; monotonic */

    char *helo;
    const char *protocol;

    /* The accept, discard or quarantine that holds, by scope; NULL. */
    const PolicyRule *standing[SESSION_SCOPES];
    int64_t score[SESSION_SCOPES];
    GPtrArray *rewrites[SESSION_SCOPES]; /* SessionRewrite */

    gboolean in_transaction, judged, insists;
    MailAddress reverse_path;
    gsize declared_size;
    MailAddress recipient; /* the one that is judged */
    const PolicyRule *recipient_rule;
    const PolicyRule *final; /* what decided about the message */
    GPtrArray *recipients;   /* SessionRecipient */
    GString *group;          /* of the recipients so far */

    MailMessage *message;
    MailFrom from;
    char *message_id;
    unsigned hops;
    GPtrArray *edits;    /* FilterdEdit, requests */
    char *sender_edit;   /* instead of the reverse-path */
    GPtrArray *envelope; /* recipients as edited, texts */

    FilterdValue core[32]; /* what core_fact() last gave */
    MailReply reply;       /* of the last decision */
};

/* ---- core.c ------------------------------------------------------------- */

const FilterdValue *session_core_fact(Session *session, unsigned index);

/* ---- edits.c ------------------------------------------------------------ */

void session_rewrite_free(void *rewrite);
void session_edit_free(void *edit);
void session_rewrite_add(Session *session, const PolicyRule *rule);
void session_edit_add(Session *session, const FilterdEdit *edit);
/* After the last rule: rewrites, requests, trace and results fields. */
void session_edits_apply(Session *session, const PolicyRule *quarantine);

/* ---- decision.c --------------------------------------------------------- */

/* One line in the log; `event` is "rejected", "accepted" …; `rule` and the
 * others may be NULL. */
void session_log(const Session *session, const char *event, const char *rule,
                 const char *stage, const char *recipient,
                 const MailReply *reply);

/* ---- judge.c ------------------------------------------------------------ */

SessionDecision session_judge(Session *session, FilterdStage stage);
/* The stage let the client through: early work may start. */
void session_go_on(Session *session, FilterdStage stage,
                   SessionDecision decision);

const PolicyClient *session_policy_client(Session *session,
                                          PolicyClient *client);
/* Whether that recipient is still on its way to the backend. */
gboolean session_recipient_goes(const SessionRecipient *recipient);
/* Whether an accept before the message stage holds for all that goes on. */
gboolean session_accepted(const Session *session);
