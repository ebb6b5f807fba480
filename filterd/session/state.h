/* state.h: what a session and an engine are made of. Private to the session.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/host/visit.h"
#include "filterd/session/rules.h"
#include "filterd/session/session.h"

#define SESSION_ID_SIZE 40
/* Facts of the core: rows, and facts of a row. */
#define SESSION_CORE_ROWS 9
#define SESSION_CORE_ROW 4

typedef struct Recorder Recorder;

struct Engine {
    const PolicyConfig *config;
    Store *store;
    StoreRedisConfig redis; /* the store's, where it is one */
    const char **redis_nodes;
    Host *host;
    RuleCounts *counts; /* NULL: nobody reads them */
    char *hostname;
    char *authserv_id;
    const char *spool;  /* a directory, or NULL */
    Recorder *recorder; /* of decisions; NULL: nobody keeps them */
    char prefix[12];    /* of session ids */
    uint64_t sessions;  /* so far */
    int64_t store_told; /* when its failure was last logged */
    gboolean store_bad; /* as far as the log knows */
};

/* A recipient that was taken. */
typedef struct SessionRecipient {
    MailAddress address;
    const PolicyRule *rule; /* accept, discard or quarantine at rcpt, or NULL */
    gboolean discarded;
    int64_t score; /* of the rules at rcpt */
    char *group;   /* the same text: the rules say the same */
    unsigned turn; /* at which the message is judged for it; 0: none yet */
    GArray *looks; /* SessionLook: its rules at rcpt; NULL: nobody asks */
} SessionRecipient;

/* A rule that was judged: its index, its mode, and in the lowest two bits the
 * truth. */
typedef guint32 SessionLook;
#define SESSION_LOOK(index, mode, truth) \
    ((index) << 4 | (guint32)(mode) << 2 | (guint32)(truth))
#define SESSION_LOOK_RULE(look) ((look) >> 4)
#define SESSION_LOOK_MODE(look) ((PolicyMode)((look) >> 2 & 3))
#define SESSION_LOOK_TRUTH(look) ((PolicyTruth)((look)&3))

/* A rewrite that fired, with its arguments as they were then. */
typedef struct SessionRewrite {
    const PolicyRule *rule;
    FilterdValue *arguments;
    unsigned length;
} SessionRewrite;

/* What a verdict, a score or a rewrite holds for. */
typedef enum SessionScope {
    SESSION_OF_CONNECTION,
    SESSION_OF_HELO,
    SESSION_OF_MESSAGE,
    SESSION_OF_RECIPIENT, /* the one at hand */
    SESSION_SCOPES,
} SessionScope;

/* What rules and hooks left behind for a scope; it ends with that. Zero bytes
 * are nothing; a list that has had nothing yet is NULL. */
typedef struct SessionHold {
    const PolicyRule *settled;    /* accept or discard, or NULL */
    const PolicyRule *quarantine; /* or NULL */
    int64_t score;
    GPtrArray *rewrites; /* SessionRewrite */
    GPtrArray *edits;    /* FilterdEdit, requests */
    GArray *looks;       /* SessionLook */
} SessionHold;

/* What held for the message before a group of its recipients was judged. */
typedef struct SessionMark {
    const PolicyRule *settled, *quarantine;
    int64_t score;
    unsigned rewrites, looks;
} SessionMark;

/* The mildest that was decided about the message. */
typedef struct SessionOutcome {
    gboolean known;
    FilterdFate fate;
    const PolicyRule *rule; /* of the file, or NULL */
    const char *name;       /* of the rule, also one that is none; NULL */
} SessionOutcome;

/* The reverse lookup, done once. */
typedef struct SessionReverse {
    gboolean busy, done, asked; /* asked: by us, no trusted peer told it */
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
    gboolean early_talker, pipelined, secured, answers_each, advises;
    gboolean envelopes;
    char *mta_name, *mta_daemon;
    SessionTls tls;  /* its texts are ours */
    char *auth_user; /* NULL: nobody authenticated */
    int64_t client_sessions, client_errors, client_unknown;
    SessionReverse reverse;
    int64_t began; /* of the connection, then of the transaction; monotonic */
    unsigned transaction; /* so far */
    FilterdStage reached; /* the last stage that was judged, or passed over */

    char *helo;
    const char *protocol;

    SessionHold holds[SESSION_SCOPES];

    gboolean in_transaction, binary, partial, judged, divided, insists;
    MailAddress reverse_path;
    gsize declared_size, told_size;
    MailAddress recipient;   /* the one that is judged */
    const PolicyRule *final; /* what decided about the message */
    GPtrArray *recipients;   /* SessionRecipient */
    char *group;             /* of the recipient at hand; NULL: not yet found */
    unsigned turn;           /* groups that were judged; the last is at hand */
    unsigned kept;           /* letters, of the whole session */
    SessionMark mark;        /* set at the first */
    SessionOutcome outcome;

    MailMessage *message;
    MailFrom from;
    char *message_id;
    unsigned hops;
    char *sender_edit;   /* instead of the reverse-path */
    GPtrArray *envelope; /* recipients as edited, texts */
    char *hold_reason;   /* for the MTA that is advised, or for us */
    char *queue_id;      /* its */
    GPtrArray *fields;   /* texts, given to one that shows envelopes only */

    /* What core_fact() last gave, in rows that are made when one of it is. */
    FilterdValue *core[SESSION_CORE_ROWS];
    MailReply reply; /* of the last decision */
};

/* ---- core.c ------------------------------------------------------------- */

const FilterdValue *session_core_fact(Session *session, unsigned index);
/* The same, never waiting; NULL: it has not been found out. */
const FilterdValue *session_core_peek(Session *session, unsigned index);
/* Why it is unknown, in a word; NULL: there is no such thing. */
const char *session_core_reason(const Session *session, unsigned index);

/* ---- hold.c ------------------------------------------------------------- */

/* Of a list of a hold. */
unsigned session_length(const GPtrArray *list);
void session_hold_clear(SessionHold *hold);
/* The scope ended: nothing is held any more. */
void session_hold_forget(SessionHold *hold);
SessionScope session_scope(FilterdStage stage);

/* A rewrite fired. May wait for the facts in its arguments. */
void session_rewrite_add(Session *session, const PolicyRule *rule);
/* A request made at that stage; one that could do harm is refused, and that
 * is logged. */
void session_edit_add(Session *session, FilterdStage stage,
                      const FilterdEdit *edit);
const char *session_edit_word(const FilterdEdit *edit);
/* A rule was judged. */
void session_look_add(Session *session, FilterdStage stage, SessionLook look);
/* Never NULL. */
GArray *session_looks_copy(const SessionHold *hold);
/* What held for the message, to come back to before each group. */
void session_hold_mark(Session *session);
void session_hold_return(Session *session);
/* What was held for the recipient now holds for the message; the same again
 * for several recipients is done once. */
void session_hold_recipient(Session *session);

/* ---- edits.c ------------------------------------------------------------ */

/* Whether a rewrite fired that a plugin carries out. */
gboolean session_has_actions(const Session *session);
/* After the last rule: rewrites, requests, trace and results fields. FALSE:
 * what was to be signed cannot be; why is in the log. */
gboolean session_edits_apply(Session *session, const PolicyRule *quarantine);
/* What that scope's rewrites want is requested; FALSE: of a signature that
 * failed. */
gboolean session_request_all(Session *session, SessionScope scope);
/* It is in quarantine: an MTA has a place for it, and so have we with
 * `quarantine spool`; elsewhere it goes on with a mark. */
void session_hold_back(Session *session, const char *reason);
/* What a rewrite of the core requests. */
FilterdEditKind session_rewrite_kind(const PolicyRule *rule);
/* The instance behind the rule's action. */
const HostInstance *session_edits_instance(const Session *session,
                                           const PolicyRule *rule);
/* Tells the log, and the error is gone. */
void session_edits_failed(Session *session, const PolicyRule *rule,
                          GError **error);

/* ---- unseen.c ----------------------------------------------------------- */

/* The recipient at hand was let through, or discarded. */
void session_log_recipient(Session *session, gboolean discarded);

/* ---- signing.c ---------------------------------------------------------- */

/* After all edits: what rules want signed. FALSE: it cannot be. */
gboolean session_sign(Session *session);

/* ---- trace.c ------------------------------------------------------------ */

#define SESSION_QUARANTINE_FIELD "X-Filterd-Quarantine"
/* In the place of a rule where a plugin wants the quarantine. */
#define SESSION_HELD_RULE "-quarantine"

/* Takes away fields that only we may have written. */
void session_trace_remove(Session *session);
/* Received, and Authentication-Results above it. */
void session_trace_add(Session *session);

/* ---- decision.c --------------------------------------------------------- */

/* "rejected", "accepted" …; the others may be NULL. */
typedef struct SessionEntry {
    const char *event;
    PolicyVerdict verdict;
    PolicyMode how;
    const char *rule, *stage;
    const char *mode;      /* of a rule that would */
    const char *recipient; /* NULL: all whom it concerns */
    const MailReply *reply;
    gboolean ours; /* the reply goes out with the session's id */
} SessionEntry;

/* The first fact of each instance, if it is known, under the instance's name.
 */
void session_each_shown(const Session *session,
                        void (*func)(const char *name,
                                     const FilterdValue *value, void *data),
                        void *data);
/* One line in the log, and one in the decision log. */
void session_log(Session *session, const SessionEntry *entry);

/* ---- recorder.c --------------------------------------------------------- */

/* What becomes of the decisions of an engine. Borrows the configuration and the
 * host; NULL: it wants no decision log. In a fiber, as recorder_free(). */
Recorder *recorder_new(const PolicyConfig *config, const Host *host);
void recorder_free(Recorder *recorder);
/* Where a line goes; NULL: nowhere. */
GString *recorder_begin(Recorder *recorder);
void recorder_end(Recorder *recorder);
/* The beginning of what is said about that rule, up to its mode. */
const char *recorder_rule(const Recorder *recorder, unsigned index);

/* A fact of the file, and what is known of it. */
typedef struct RecorderFact {
    HostFact source;
    gboolean counts; /* rcpt.count, which means another thing behind rcpt */
    char *head;      /* what its value stands behind */
    /* For the line at hand: */
    const FilterdValue *value; /* NULL: nobody knows yet */
    const char *reason;        /* why the value is unknown, or NULL */
} RecorderFact;

/* Each of the configuration. */
RecorderFact *recorder_facts(Recorder *recorder, unsigned *length);

/* ---- record.c ----------------------------------------------------------- */

/* Octets of a line in the decision log, its end included, and of one text in
 * it before escaping. What does not fit is left out, and "cut" says so. */
#define RECORD_LINE_LIMIT 32768
#define RECORD_TEXT_LIMIT 2048
/* Octets of the answer to one question to the DNS. */
#define RECORD_ANSWER_LIMIT 512

/* The session has a recorder. `reply`: as the client reads it; NULL: it reads
 * nothing. */
void session_record(Session *session, const SessionEntry *entry,
                    const char *reply);

/* ---- group.c ------------------------------------------------------------ */

/* The verdict about the recipient at hand; NULL. */
const PolicyRule *session_recipient_rule(const Session *session);
/* Of the recipient at hand, whom the rules at rcpt let through. May wait. */
void session_group_find(Session *session);
/* Whether it can be one of this transaction; if not: what it is told. */
gboolean session_group_joined(const Session *session);
SessionDecision session_split(Session *session);
/* Whether a recipient may be discarded, or kept, beside the others: all of them
 * are one message's where an MTA only hears what becomes of that. */
gboolean session_alone(const Session *session, gboolean discarded);

/* The next group is at hand. */
void session_group_next(Session *session);
/* Whether those that go are of several groups. */
gboolean session_divided(const Session *session);
/* Whether that recipient is of the group at hand, and on its way to the
 * backend. */
gboolean session_recipient_goes(const Session *session,
                                const SessionRecipient *recipient);

/* ---- outcome.c ---------------------------------------------------------- */

/* A rule of the file decided about the message, or (NULL) none did. */
void session_outcome_rule(Session *session, const PolicyRule *rule);
/* So did somebody else; `name` begins with a hyphen and is a constant. */
void session_outcome_other(Session *session, const char *name,
                           FilterdFate fate);
/* Tells the plugins, if there is something to tell. May wait. */
void session_outcome_tell(Session *session);

/* ---- judge.c ------------------------------------------------------------ */

SessionDecision session_judge(Session *session, FilterdStage stage);
/* The stage let the client through: early work may start. */
void session_go_on(Session *session, FilterdStage stage,
                   SessionDecision decision);

const PolicyClient *session_policy_client(Session *session,
                                          PolicyClient *client);
/* The first that goes, which stands for all: the rules say the same about the
 * others. NULL: none goes. */
const SessionRecipient *session_face(const Session *session);
/* From now on recipient facts are those of the face. */
const SessionRecipient *session_turn_to_face(Session *session);
/* The rule by which the message is in quarantine; NULL: by none. */
const PolicyRule *session_quarantine_rule(const Session *session);
/* The accept or discard of an earlier stage, which leaves the policy; NULL. */
const PolicyRule *session_settled(const Session *session);
/* Whether an accept before the message stage holds for all that goes on. */
gboolean session_accepted(const Session *session);
