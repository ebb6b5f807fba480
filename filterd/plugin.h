/* plugin.h: all that a filterd plugin includes: its tables, its hooks, and the
 * host that it talks to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A plugin observes and reports; it never decides. It exports one symbol, the
 * constant FilterdPlugin that FILTERD_PLUGIN defines, and has no undefined
 * daemon symbol: whatever it wants is a function of call->host. From the tables
 * alone, without running code of the plugin, filterd checks a policy and prints
 * the manual.
 *
 * Hooks are straight code in a fiber: a host function marked "waits" suspends
 * the fiber, not the worker. Hooks of one instance for one connection never
 * overlap; hooks of different instances interleave where they wait. Whatever
 * the host hands out lives until the hook returns; whatever a plugin passes in
 * is copied.
 *
 * Times are milliseconds, sizes octets, text is NUL-terminated and free of CR,
 * LF and NUL; domains are lower case, in A-labels, without a final dot.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

#define FILTERD_ABI 1

/* ---- values ------------------------------------------------------------- */

/* An address or a network. IPv4 is kept mapped (::ffff:0:0/96), `prefix`
 * counts in 128 bits whatever the family, 128 for a single address. */
typedef struct FilterdIp {
    uint8_t bytes[16];
    uint8_t prefix;
} FilterdIp;

typedef enum FilterdType {
    FILTERD_UNKNOWN,  /* could not be found out; equal to nothing */
    FILTERD_BOOL,     /* .boolean */
    FILTERD_INT,      /* .integer; in options also with k, M or G behind it */
    FILTERD_DURATION, /* .integer, milliseconds */
    FILTERD_TEXT,     /* .text */
    FILTERD_WORD,     /* .text, one of the row's words */
    FILTERD_DOMAIN,   /* .text */
    FILTERD_ADDRESS,  /* .text, local@domain; "" is the null reverse-path */
    FILTERD_IP,       /* .ip, an address or a network */
    FILTERD_LIST,     /* .list, of one type */
    FILTERD_FILE,     /* options only: a file that is read before start */
    FILTERD_GROUP,    /* options only: values and sub-words of their own */
} FilterdType;

typedef struct FilterdValue FilterdValue;

typedef struct FilterdList {
    const FilterdValue *items;
    size_t length;
} FilterdList;

struct FilterdValue {
    FilterdType type;
    union {
        bool boolean;
        int64_t integer;
        const char *text;
        FilterdIp ip;
        FilterdList list;
    };
};

static inline FilterdValue
filterd_unknown(void)
{
    return (FilterdValue){.type = FILTERD_UNKNOWN};
}

static inline FilterdValue
filterd_bool(bool boolean)
{
    return (FilterdValue){.type = FILTERD_BOOL, .boolean = boolean};
}

static inline FilterdValue
filterd_int(int64_t integer)
{
    return (FilterdValue){.type = FILTERD_INT, .integer = integer};
}

static inline FilterdValue
filterd_duration(int64_t milliseconds)
{
    return (FilterdValue){.type = FILTERD_DURATION, .integer = milliseconds};
}

/* `type` is one of TEXT, WORD, DOMAIN, ADDRESS; NULL makes it unknown. */
static inline FilterdValue
filterd_string(FilterdType type, const char *text)
{
    if (text == NULL)
        return filterd_unknown();
    return (FilterdValue){.type = type, .text = text};
}

static inline FilterdValue
filterd_text(const char *text)
{
    return filterd_string(FILTERD_TEXT, text);
}

static inline FilterdValue
filterd_word(const char *word)
{
    return filterd_string(FILTERD_WORD, word);
}

static inline FilterdValue
filterd_ip(FilterdIp ip)
{
    return (FilterdValue){.type = FILTERD_IP, .ip = ip};
}

static inline FilterdValue
filterd_list(const FilterdValue *items, size_t length)
{
    return (FilterdValue){.type = FILTERD_LIST,
                          .list = {.items = items, .length = length}};
}

/* ---- stages ------------------------------------------------------------- */

typedef enum FilterdStage {
    FILTERD_CONNECT,
    FILTERD_HELO,
    FILTERD_MAIL,
    FILTERD_RCPT,
    FILTERD_DATA,
    FILTERD_MESSAGE,
} FilterdStage;

#define FILTERD_STAGES 6

/* ---- tables ------------------------------------------------------------- */

/* An option of the block behind `use`. Its value is written at `offset` of the
 * instance's config struct, as the C type that belongs to `type`:
 *
 *   BOOL bool   INT, DURATION int64_t   TEXT, DOMAIN, ADDRESS const char *
 *   WORD int, the index in `words`      IP FilterdIp
 *   FILE FilterdFile                    GROUP only with FILTERD_MANY
 *
 * With FILTERD_MANY it is a FilterdArray of that C type instead, values of the
 * same option line and of repeated lines one behind the other. The items of a
 * GROUP are structs of `size` octets, described by the rows of `group`: first
 * the values that stand behind the option's word, in order (rows with
 * FILTERD_POSITION), then words of the group with their own values:
 *
 *   zone bl.example.net 127.0.0.2 127.0.0.3 weight 5
 *
 * `fallback` is what holds without the option, in the language of the file;
 * NULL leaves zero bytes. A row whose name is NULL ends a table. */
typedef enum FilterdOptionFlag {
    FILTERD_MANY = 1 << 0,     /* may have several values */
    FILTERD_REQUIRED = 1 << 1, /* an error where it is missing */
    FILTERD_POSITION = 1 << 2, /* in a group: told by its place, not its word */
} FilterdOptionFlag;

typedef struct FilterdOption FilterdOption;

struct FilterdOption {
    const char *name;
    FilterdType type;
    unsigned flags;
    size_t offset;
    const char *fallback;
    const char *doc;
    const char *const *words; /* WORD: NULL-terminated */
    const FilterdOption *group;
    size_t size;       /* GROUP: of one item */
    int64_t low, high; /* INT, DURATION: inclusive, unless both are 0 */
};

typedef struct FilterdArray {
    const void *items;
    size_t length;
} FilterdArray;

typedef struct FilterdFile {
    const char *path;
    const char *bytes; /* followed by a NUL that does not count */
    size_t length;
} FilterdFile;

/* A fact. It is published by the hook of the stage `since` (FILTERD_MESSAGE:
 * eom), which the host runs when somebody first asks for one of its facts; what
 * the hook leaves unpublished is unknown. The stage is the scope too: connect
 * and helo facts belong to the connection (helo facts until the next greeting),
 * rcpt facts to one recipient, the others to the transaction. */
typedef enum FilterdFactFlag {
    FILTERD_EFFECT = 1 << 0, /* its hook writes to the store: never early, never
                              * for a `would` rule alone */
} FilterdFactFlag;

typedef struct FilterdFact {
    const char *name; /* without the instance: "result" of spf.result */
    FilterdType type;
    FilterdStage since;
    const char *doc;
    const char *const *words; /* WORD: NULL-terminated */
    FilterdType items;        /* LIST: of what */
    unsigned flags;
} FilterdFact;

/* A fact of the core or of another plugin that hooks look up. A `?` at the
 * end: unknown where that plugin is not loaded; without it that is an error. */
typedef struct FilterdNeed {
    const char *fact; /* "client.ip", "spf.result?" */
    FilterdType type; /* FILTERD_UNKNOWN: whatever it is */
} FilterdNeed;

/* A method of Authentication-Results (RFC 8601 2.7). The host asks for `fact`
 * before it writes the header field, so that the hook has called authres();
 * where it did not, the field says METHOD=none. With FILTERD_UNASKED nothing is
 * asked for: the field has what hooks said that ran anyway, and may lack it. */
#define FILTERD_UNASKED G_MAXUINT

typedef struct FilterdMethod {
    const char *method;
    unsigned fact; /* index in the plugin's facts, or FILTERD_UNASKED */
} FilterdMethod;

/* Told by /metrics as filterd_PLUGIN_NAME{instance="…",LABEL="…"}, the sum over
 * the workers, once something was counted. */
typedef enum FilterdMetricFlag {
    FILTERD_GAUGE = 1 << 0, /* goes down too, and is 0 in a new worker; else it
                             * only grows, and `_total` stands behind its name
                             */
} FilterdMetricFlag;

typedef struct FilterdMetric {
    const char *name; /* letters, digits and _ */
    const char *doc;
    const char *label; /* what tells its values apart; NULL: it has one */
    unsigned flags;
} FilterdMetric;

typedef struct FilterdCall FilterdCall;
typedef struct FilterdField FilterdField;

/* A rewrite that a rule may ask for: `rewrite INSTANCE.NAME(…)`. Runs after
 * the last rule; what it does is a request, see FilterdHost.edit. Rows of one
 * name differ in how many arguments they take. An error is logged, and the
 * message goes on without it; with FILTERD_SIGNS the message does not. */
typedef enum FilterdActionFlag {
    FILTERD_SIGNS = 1 << 0, /* it only takes note of what to sign: once all
                             * edits are done, the sign_ hooks run */
} FilterdActionFlag;

typedef struct FilterdAction {
    const char *name;
    const char *doc;
    const FilterdType *arguments; /* ends with FILTERD_UNKNOWN */
    bool (*run)(FilterdCall *call, const FilterdValue *arguments,
                GError **error);
    unsigned flags;
} FilterdAction;

/* ---- DNS ---------------------------------------------------------------- */

typedef enum FilterdDnsType {
    FILTERD_DNS_A = 1,
    FILTERD_DNS_PTR = 12,
    FILTERD_DNS_MX = 15,
    FILTERD_DNS_TXT = 16,
    FILTERD_DNS_AAAA = 28,
} FilterdDnsType;

typedef enum FilterdDnsStatus {
    FILTERD_DNS_ANSWER,    /* at least one record */
    FILTERD_DNS_NODATA,    /* the name exists, the type does not */
    FILTERD_DNS_NXDOMAIN,  /* no such name */
    FILTERD_DNS_SERVFAIL,  /* the servers failed */
    FILTERD_DNS_TIMEOUT,   /* no answer in time, or the budget is spent */
    FILTERD_DNS_BOGUS,     /* DNSSEC says it is forged */
    FILTERD_DNS_BADNAME,   /* empty label, label over 63 or name over 253 */
    FILTERD_DNS_CANCELLED, /* the session is ending: return at once */
} FilterdDnsStatus;

typedef struct FilterdDnsRecord {
    FilterdIp ip;        /* A, AAAA */
    const char *name;    /* PTR, MX: as a name asked for, no final dot */
    const char *bytes;   /* TXT: strings joined, any octet; NUL behind it */
    size_t length;       /* of bytes */
    uint16_t preference; /* MX */
} FilterdDnsRecord;

typedef struct FilterdDnsAnswer {
    FilterdDnsStatus status;
    bool secure;  /* validated by DNSSEC */
    uint32_t ttl; /* seconds, what is left of it */
    size_t length;
    const FilterdDnsRecord *records;
} FilterdDnsAnswer;

static inline bool
filterd_dns_failed(const FilterdDnsAnswer *answer)
{
    return answer->status >= FILTERD_DNS_SERVFAIL
           && answer->status != FILTERD_DNS_BADNAME;
}

/* ---- streams ------------------------------------------------------------ */

/* A conversation with a server on a socket. One that a plugin leaves open is
 * closed at the end of the transaction in which it was opened; before MAIL, of
 * the connection; in what was spawned, of that. */
typedef struct FilterdStream FilterdStream;

/* The code of an error of a stream; its text names the server. */
typedef enum FilterdStreamError {
    FILTERD_STREAM_SERVER,    /* no address of a server */
    FILTERD_STREAM_LOST,      /* refused, unreachable, reset … */
    FILTERD_STREAM_CLOSED,    /* the server ended it in good order */
    FILTERD_STREAM_TIMEOUT,   /* the patience is at its end */
    FILTERD_STREAM_CANCELLED, /* the session is ending: return at once */
    FILTERD_STREAM_LIMIT,     /* a line too long; too many streams */
} FilterdStreamError;

#define FILTERD_STREAM_LINE 8192 /* octets of a line, without its end */

/* ---- the host ----------------------------------------------------------- */

typedef enum FilterdStoreStatus {
    FILTERD_STORE_OK,
    FILTERD_STORE_ABSENT,
    FILTERD_STORE_FAILED, /* dead, full or cancelled: publish nothing */
} FilterdStoreStatus;

typedef enum FilterdLogLevel {
    FILTERD_LOG_DEBUG,
    FILTERD_LOG_INFO,
    FILTERD_LOG_WARNING,
} FilterdLogLevel;

/* RFC 8601 2.2: ptype.property=value; the host quotes what needs it. */
typedef struct FilterdProperty {
    const char *ptype;
    const char *property;
    const char *value;
} FilterdProperty;

typedef enum FilterdEditKind {
    FILTERD_ADD_HEADER,    /* name, value: on top */
    FILTERD_CHANGE_HEADER, /* name, value: the first of that name, else added */
    FILTERD_REMOVE_HEADER, /* name: every field of that name */
    FILTERD_SET_SENDER,    /* value: an address, "" the null reverse-path */
    FILTERD_ADD_RECIPIENT, /* value: an address */
    FILTERD_REMOVE_RECIPIENT, /* value: an address */
    FILTERD_REPLACE_BODY,     /* value: text with LF or CRLF line ends */
    FILTERD_QUARANTINE,       /* value: the reason */
} FilterdEditKind;

/* A request; carried out after the last rule, in the order of the requests.
 * In `value` of a header field a LF (the one exception from "text") folds. */
typedef struct FilterdEdit {
    FilterdEditKind kind;
    const char *name;
    const char *value;
} FilterdEdit;

typedef struct FilterdHost {
    size_t size; /* of this struct: it grows at its end */

    /* Makes the fact with that index of the plugin's own table known. Once a
     * hook run; of a type other than the row's: a warning, and unknown. */
    void (*publish)(FilterdCall *call, unsigned fact, FilterdValue value);

    /* The value of needs[need]; waits while its hook runs. Never NULL. */
    const FilterdValue *(*lookup)(FilterdCall *call, unsigned need);

    void (*log)(FilterdCall *call, FilterdLogLevel level, const char *format,
                ...) G_GNUC_PRINTF(3, 4);

    /* Waits. `name` is raw: dots part labels, every other octet is itself.
     * Never NULL. Asked twice in a transaction, the answer is the same. */
    const FilterdDnsAnswer *(*dns)(FilterdCall *call, const char *name,
                                   FilterdDnsType type);

    /* Asks ahead, does not wait: dns() will find it asked or answered. */
    void (*prefetch)(FilterdCall *call, const char *name, FilterdDnsType type);

    /* The store, private to the instance. All wait. Keys are text of at most
     * 512 octets. A lifetime of 0 keeps what it was, else never ends. get:
     * `value` until the hook returns. add: an integer, 0 where absent; `sum`
     * may be NULL. */
    FilterdStoreStatus (*store_get)(FilterdCall *call, const char *key,
                                    const char **value, size_t *length);
    FilterdStoreStatus (*store_put)(FilterdCall *call, const char *key,
                                    const char *value, size_t length,
                                    int64_t lifetime);
    FilterdStoreStatus (*store_add)(FilterdCall *call, const char *key,
                                    int64_t delta, int64_t lifetime,
                                    int64_t *sum);

    /* One result of Authentication-Results; `comment` may be NULL. Repeated
     * for methods that have several results (one per DKIM signature). Results
     * of a hook run that is repeated replace the earlier ones. */
    void (*authres)(FilterdCall *call, const char *method, const char *result,
                    const char *comment, const FilterdProperty *properties,
                    size_t length);

    void (*edit)(FilterdCall *call, const FilterdEdit *edit);

    /* Milliseconds since 1970. */
    int64_t (*now)(FilterdCall *call);

    /* Waits; false when cancelled. */
    bool (*sleep)(FilterdCall *call, int64_t milliseconds);

    /* Waits while work(data) runs in a thread; false when cancelled before it
     * began. Once begun it is waited for, so `data` may be on the stack. */
    bool (*offload)(FilterdCall *call, void (*work)(void *data), void *data);

    /* Runs run(call, data) in a fiber of its own with a call of the instance
     * (no session, no message), until it returns or the instance stops. Only
     * from start. There, what the host hands out lives until the next sleep.
     * A tool that judges one message does not run it. */
    void (*spawn)(FilterdCall *call, void (*run)(FilterdCall *call, void *data),
                  void *data);

    /* Octets of scratch memory, zeroed, until the hook returns. */
    void *(*allocate)(FilterdCall *call, size_t size);

    /* Adds to the metric with that index of the plugin's own table. `label` is
     * one of few, and of the configuration's or the plugin's own choice, never
     * of a client's; NULL where the row has none. */
    void (*count)(FilterdCall *call, unsigned metric, const char *label,
                  int64_t delta);

    /* The error that start is about to return is about this option of the
     * plugin's own table; of several values the one with that index. People
     * are shown its place in the file, else that of `use`. */
    void (*blame)(FilterdCall *call, const char *option, size_t index);

    /* Whether that is a server: "192.0.2.1:25", "[2001:db8::1]:25",
     * "unix:/path". For start: does not wait. */
    bool (*stream_check)(FilterdCall *call, const char *server, GError **error);

    /* Streams. These wait, close apart. What they wait for one stream is
     * together at most its patience, in milliseconds: it runs only while they
     * do, and is not set back by octets that come one by one. A worker has 256
     * open: who comes later waits for a turn; a call has 4. NULL and false: an
     * error; nothing is to be expected of that stream then, but what the server
     * has said before it went. */
    FilterdStream *(*stream_open)(FilterdCall *call, const char *server,
                                  int64_t patience, GError **error);
    /* Its patience from now on. */
    void (*stream_patience)(FilterdCall *call, FilterdStream *stream,
                            int64_t patience);
    /* Gathers; sent when it is much, and before a read. */
    bool (*stream_write)(FilterdCall *call, FilterdStream *stream,
                         const void *bytes, size_t length, GError **error);
    /* What there is, at least one octet; a length of 0: the server closed. */
    bool (*stream_read)(FilterdCall *call, FilterdStream *stream, void *bytes,
                        size_t size, size_t *length, GError **error);
    /* The next line, without the LF or CRLF at its end, and a NUL behind it.
     * Until the next read. */
    const char *(*stream_line)(FilterdCall *call, FilterdStream *stream,
                               size_t *length, GError **error);
    /* What was not sent is lost. */
    void (*stream_close)(FilterdCall *call, FilterdStream *stream);

    /* From eom on: the message as received once more, from its start, for
     * functions like the hooks of that name; NULL: none. Waits if they do.
     * What is handed out in them lives until the hook returns. */
    bool (*hear)(FilterdCall *call,
                 bool (*header)(FilterdCall *call, const FilterdField *field,
                                GError **error),
                 bool (*body)(FilterdCall *call, const char *bytes,
                              size_t length, GError **error),
                 GError **error);

    /* Between the two there are at most `limit` hooks of this instance in this
     * worker; the others wait in a row. Waits; false: cancelled, or so many
     * milliseconds have passed. A hook that returns leaves, one that was
     * spawned when it sleeps. Not twice by one. */
    bool (*enter)(FilterdCall *call, const char *name, unsigned limit,
                  int64_t patience);
    void (*leave)(FilterdCall *call, const char *name);
} FilterdHost;

struct FilterdCall {
    const FilterdHost *host;
    const void *config; /* options of the instance */
    void *instance;     /* instance_size zeroed octets, from start to stop */
    void *session;      /* session_size, one connection */
    void *message;      /* message_size, one transaction; NULL before MAIL */
    const FilterdAction *action; /* that runs or is checked; else NULL */
};

/* ---- the plugin --------------------------------------------------------- */

/* One header field as received, without the CRLF at its end; folding CRLFs are
 * in it. The name ends before the colon and white space in front of it. */
struct FilterdField {
    const char *bytes;
    size_t length;
    size_t name_length;
    size_t value; /* offset of what stands behind the colon */
};

/* What became of a message; of recipients that fared differently, the first of
 * these that one of them met. */
typedef enum FilterdFate {
    FILTERD_ACCEPTED,
    FILTERD_QUARANTINED,
    FILTERD_DISCARDED,
    FILTERD_TEMPFAILED, /* the client is to come again */
    FILTERD_REJECTED,
} FilterdFate;

typedef struct FilterdOutcome {
    size_t size; /* of this struct: it grows at its end */
    FilterdFate fate;
    FilterdStage stage; /* of the rule */
    const char *rule;   /* that decided; NULL: none did. With a hyphen in front
                         * it is no rule of the file: "-backend" */
    bool asked;         /* the rule asks for a fact of this instance */
} FilterdOutcome;

/* What describe() may ask for. */
typedef struct FilterdDescribe FilterdDescribe;

struct FilterdDescribe {
    size_t size;          /* of this struct: it grows at its end */
    const char *instance; /* its name, behind `as` */
    void *config; /* options of the instance; what is written there is found in
                   * call->config */

    /* Octets, zeroed, that live as long as the options: for what the tables
     * point to. */
    void *(*allocate)(FilterdDescribe *describe, size_t size);

    /* What the text means as a value of that type, the way an option takes it:
     * not LIST, FILE or GROUP. Its texts live as long as the options. */
    bool (*parse)(FilterdDescribe *describe, FilterdType type, const char *text,
                  FilterdValue *value, GError **error);

    /* As FilterdHost.blame. */
    void (*blame)(FilterdDescribe *describe, const char *option, size_t index);

    /* A fact of the core, or of an instance whose `use` stands above, by its
     * name: "dkim.domains"; its type, since and items, until describe returns.
     * NULL: there is none. To look it up, it has to be a need, too. */
    const FilterdFact *(*fact)(FilterdDescribe *describe, const char *name);
};

/* An error of a hook is logged; its facts stay unknown. */
typedef bool FilterdHook(FilterdCall *call, GError **error);

typedef struct FilterdPlugin {
    uint32_t abi; /* FILTERD_ABI, by the macro */
    uint32_t size;
    const char *name;
    const char *version;
    const char *summary; /* one line */

    const FilterdOption *options;
    size_t config_size;
    const FilterdFact *facts; /* ends with a NULL name, as all tables */
    const FilterdNeed *needs;
    const FilterdMethod *methods;
    const FilterdAction *actions;

    size_t instance_size, session_size, message_size;

    /* start checks the configuration (a GError stops the reload) and must not
     * wait; what waits is spawned. */
    FilterdHook *start;
    void (*stop)(FilterdCall *call);

    FilterdHook *connect, *helo, *mail, *rcpt, *data;
    /* The message in order: each field, then the body in pieces of any size,
     * CRLF line ends, then eom. */
    bool (*header)(FilterdCall *call, const FilterdField *field,
                   GError **error);
    bool (*body)(FilterdCall *call, const char *bytes, size_t length,
                 GError **error);
    FilterdHook *eom;
    /* The transaction ended before its eom; the connection ends. */
    void (*abort)(FilterdCall *call);
    void (*close)(FilterdCall *call);

    /* Free what session and message state point to. */
    void (*clear_message)(FilterdCall *call);
    void (*clear_session)(FilterdCall *call);

    /* Of an instance whose action with FILTERD_SIGNS ran: the message exactly
     * as it goes out (RFC 6376 5.3), after all edits and below our Received and
     * Authentication-Results: each field from the top, the body in pieces of
     * any size with CRLF line ends, the last one included, without dots for
     * DATA; then sign_end, which alone requests, and only
     * FILTERD_ADD_HEADER: those fields are put on top at once, so that the
     * next instance finds them there. May be repeated in one transaction, for
     * recipients whose message differs, each time after the actions. None of
     * them may wait. An error, or a fact that the action lacked, refuses the
     * message for now (451): what was to be signed never goes unsigned. */
    bool (*sign_header)(FilterdCall *call, const FilterdField *field,
                        GError **error);
    bool (*sign_body)(FilterdCall *call, const char *bytes, size_t length,
                      GError **error);
    FilterdHook *sign_end;

    const FilterdMetric *metrics;

    /* Once for each message that was heard to its end and judged, whatever the
     * hooks did, after the client has its reply. May wait; the client's next
     * command waits too. lookup() tells what is known by now and runs nothing;
     * there is nothing more to publish or to edit. */
    void (*done)(FilterdCall *call, const FilterdOutcome *outcome);

    /* After start, once for each rule that asks for an action of the instance:
     * whether it can be carried out. Arguments that rest on facts are unknown.
     * A GError stops the reload, at the rule's place; what stands behind a LF
     * in its text tells what would be right. Must not wait. */
    bool (*check_action)(FilterdCall *call, const FilterdAction *action,
                         const FilterdValue *arguments, GError **error);

    /* For the manual. `description`: paragraphs with an empty line between
     * them; one that begins with a blank stands as it is. `example`: lines of
     * a file that `filterctl check` finds right. In a description,
     * as in each `doc`, words of the file stand in backquotes. */
    const char *description;
    const char *example;

    /* What its hooks and actions may request, bits of 1 << FilterdEditKind: a
     * mail server that asks for advice is told beforehand. Other requests are
     * refused, with a warning. */
    unsigned edits;

    /* For a plugin whose tables rest on its options (a script, a list of
     * names): once for each `use`, when these are read and before any rule is
     * looked at; wherever a file is compiled, so without a host, and it must
     * not wait. `table` is a copy of the plugin's own, for this instance alone:
     * facts, needs, methods, actions, metrics, summary, description and edits
     * may be others, and a hook that has nothing to do may be NULL. The rest
     * stays. A GError stops the reload; what stands behind a LF in its text
     * tells what would be right. */
    bool (*describe)(FilterdDescribe *describe, struct FilterdPlugin *table,
                     GError **error);
} FilterdPlugin;

/* FILTERD_PLUGIN(.name = "spf", …) */
#define FILTERD_PLUGIN(...)                                \
    G_MODULE_EXPORT const FilterdPlugin filterd_plugin = { \
        .abi = FILTERD_ABI, .size = sizeof(FilterdPlugin), __VA_ARGS__}

/* In a hook: G_MODULE_EXPORT without gmodule.h. */
#ifndef G_MODULE_EXPORT
#define G_MODULE_EXPORT __attribute__((visibility("default")))
#endif

extern const FilterdPlugin filterd_plugin;

G_END_DECLS
