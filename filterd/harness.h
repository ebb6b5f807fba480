/* harness.h: a plugin without a daemon: a host table with a zone, a store, a
 * clock that is advanced by hand, facts by name, and ears for everything else.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For test programs of GLib's g_test. Nothing waits: each hook runs to its end,
 * and so does each function below. A warning in the log that was not announced,
 * a hook's unannounced error and a fact of a wrong type fail the test; a test
 * that asks for what is not there (a fact, an action, a need) is ended. Texts
 * that functions return as `const` live until the next call for the harness.
 * Times are milliseconds.
 */
#pragma once

#include <filterd/plugin.h>

G_BEGIN_DECLS

typedef struct Harness Harness;

/* What the clock shows at first: 2027-01-15 08:00:00 UTC. */
#define HARNESS_START INT64_C(1800000000000)

/* Starts an instance and begins a connection. `config` is the plugin's config
 * struct as it would have been filled; it is copied, what it points to is not;
 * NULL: zero octets. What start spawns runs while the clock is advanced (by 0:
 * what is due now). */
Harness *harness_new(const FilterdPlugin *plugin, const void *config);
/* Why describe or start refuses that config; NULL: it does not. In front of it
 * "OPTION INDEX: ", where one is blamed. Caller frees. */
char *harness_start_error(const FilterdPlugin *plugin, const void *config);
/* Ends the transaction, the connection and the instance. */
void harness_free(Harness *harness);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Harness, harness_free)

/* ---- the world ---------------------------------------------------------- */

/* More records, a line each: NAME TTL TYPE DATA, as "example.org 300 MX 10
 * mx.example.org", "example.org 60 TXT \"v=spf1 \" \"-all\"". A name that is
 * not there (nor has names below it) is NXDOMAIN. CNAME is followed, `*` as the
 * first label matches (RFC 4592), \" and \DDD are escapes, `;` begins a
 * comment; of other types only the name counts. NULL empties the zone. */
void harness_zone(Harness *harness, const char *records);
/* That question gets this status; type 0: any type of that name. */
void harness_dns_status(Harness *harness, const char *name, FilterdDnsType type,
                        FilterdDnsStatus status);
/* "TXT example.org" lines, in the order of asking, and how many. Of this
 * connection and transaction; what is asked again counts once. */
const char *harness_questions(Harness *harness);
unsigned harness_question_count(Harness *harness);
/* How many of them dns() had to ask, because nobody had asked ahead. */
unsigned harness_waits(Harness *harness);

/* A fact that the plugin needs, from text by the need's type (a text where that
 * is open); lists have commas; NULL: unknown. */
void harness_set(Harness *harness, const char *fact, const char *value);

/* The facts of others that describe finds, by their whole names, of each
 * harness from now on; borrowed. NULL, as at first: there are none. */
void harness_set_facts(const FilterdFact *rows);

/* Less than 0: somebody set the clock back. */
void harness_advance(Harness *harness, int64_t milliseconds);
/* All store functions fail from now on, or work again. */
void harness_store_fails(Harness *harness, bool fails);
unsigned harness_store_entries(Harness *harness);
/* How often the store was asked, or told, since the last call. */
unsigned harness_store_reads(Harness *harness);
unsigned harness_store_writes(Harness *harness);
/* "KEY = VALUE" lines, in the order of keys. */
const char *harness_store(Harness *harness);
/* Every entry now holds that text. */
void harness_store_spoil(Harness *harness, const char *text);

/* ---- servers ------------------------------------------------------------ */

/* A server at that address, and its script for one connection; the next call
 * with that address is for the next connection, and who comes when there is
 * none left is refused. A line each, blanks in front of it do not count:
 *
 *   hears OCTETS  nothing else has to come, else the test fails
 *   until OCTETS  whatever comes, until these do
 *   says OCTETS   what one read gives
 *   waits N       milliseconds, of whoever waits for an answer
 *   stalls        hears, and never answers
 *   deaf          does not even hear
 *   cuts          the connection is lost
 *
 * At the end of the script it closes. Escapes: \r \n \t \0 \\ \xHH. A
 * script that nobody came for, unless waits are counted (harness_inject()), and
 * one left while it hears, fail the test. */
void harness_peer(Harness *harness, const char *server, const char *script);
/* Scripts that nobody has come for yet. */
unsigned harness_peers_left(Harness *harness);

/* ---- faults ------------------------------------------------------------- */

typedef enum HarnessFault {
    HARNESS_NO_FAULT,
    HARNESS_CANCELLED, /* any: the session ends. This wait and each later one
                        * says so, and of hooks only abort, close and clear_
                        * run until harness_reconnect() */
    HARNESS_UNKNOWN,   /* lookup: unknown */
    HARNESS_TIMEOUT,   /* dns: that question, whoever asks it; stream,
                        * enter: the patience is at its end */
    HARNESS_SERVFAIL,
    HARNESS_BOGUS,
    HARNESS_SPENT,      /* dns: that question and each new one time out */
    HARNESS_STORE_ONCE, /* store: FILTERD_STORE_FAILED, this time */
    HARNESS_STORE_DEAD, /* store: and from now on */
    HARNESS_REFUSED,    /* offload: false, and nothing has run */
    HARNESS_LOST,       /* stream: refused, or lost from here on */
    HARNESS_CLOSED,     /* stream: the server says nothing more, and closes */
    HARNESS_GARBAGE,    /* stream: it says some nonsense instead, and closes */
} HarnessFault;

/* Of the places where the plugin waits from now on, the one with that number
 * (from 0) meets that fault. A wait is a call of lookup, of dns with a question
 * that is not answered yet, of a store function, sleep, offload, enter,
 * stream_open, stream_write, and of stream_read or stream_line where nothing is
 * left to read of what the server said before. */
void harness_inject(Harness *harness, unsigned wait, HarnessFault fault);
/* Where the plugin waited since then, "dns TXT example.org", "lookup
 * client.ip", "store_get KEY", "sleep 500", "offload", "stream_open
 * unix:/run/server": a line each. */
const char *harness_waited(Harness *harness);

/* ---- the dialogue ------------------------------------------------------- */

/* Runs the hook of that stage (MESSAGE: eom). */
void harness_run(Harness *harness, FilterdStage stage);
/* Fields, body in pieces of `chunk` octets (0: one piece), eom. LF alone in
 * `text` is made CRLF. A line that is no field has a name_length of 0. */
void harness_message(Harness *harness, const char *text, size_t chunk);
/* The same by hand: one field without the CRLF at its end, one piece of the
 * body as it is. harness_run(harness, FILTERD_MESSAGE) is its end. */
void harness_field(Harness *harness, const char *field);
void harness_body(Harness *harness, const char *bytes, size_t length);
/* The next transaction; the next connection. */
void harness_reset(Harness *harness);
void harness_reconnect(Harness *harness);
/* Tells what became of the message. */
void harness_done(Harness *harness, const FilterdOutcome *outcome);
/* Runs an action; the arguments end with FILTERD_UNKNOWN. False: it failed,
 * which was expected. */
bool harness_act(Harness *harness, const char *action,
                 const FilterdValue *arguments);

/* Arguments of one action. */
#define HARNESS_ARGUMENTS 8
/* Why the plugin refuses a rule with these arguments, of which those are not
 * known; NULL: it does not. Caller frees. */
char *harness_check_action(Harness *harness, const char *action,
                           const FilterdValue *arguments,
                           const unsigned *unknown);

/* The message as it goes out, to the sign_ hooks; all is as above. False: a
 * hook failed, which was expected. */
bool harness_sign(Harness *harness, const char *text, size_t chunk);

/* ---- what came of it ---------------------------------------------------- */

/* The fact as text, "-" for unknown, lists with commas. */
const char *harness_fact(Harness *harness, const char *name);
/* Results as Authentication-Results would have them, a line each. */
const char *harness_authres(Harness *harness);
/* What was counted, "NAME" or "NAME LABEL"; 0: nothing. */
int64_t harness_metric(Harness *harness, const char *name);
/* Requests: "add-header NAME: VALUE" and so on, a line each. */
const char *harness_edits(Harness *harness);
/* What was logged, "warning TEXT", "info TEXT", "debug TEXT", a line each. */
const char *harness_log(Harness *harness);

/* The next warning, or hook error, holds this text; it must come. */
void harness_expect_warning(Harness *harness, const char *part);

/* ---- every fault, everywhere -------------------------------------------- */

/* What went wrong in one run. */
typedef struct HarnessTrial {
    HarnessFault fault; /* HARNESS_NO_FAULT: nothing, it is the first run */
    unsigned wait;      /* its number, from 0 */
    const char *at;     /* as a line of harness_waited(); NULL: nothing */
} HarnessTrial;

typedef struct HarnessScene {
    /* Prepares the world: zone, facts of others, store. NULL: nothing to. */
    void (*prepare)(Harness *harness, void *data);
    /* One dialogue that always goes the same way. It must not compare what came
     * of it, nor announce warnings. */
    void (*play)(Harness *harness, void *data);
    /* Judges what came of each run, the first included. May be NULL. */
    void (*judge)(Harness *harness, const HarnessTrial *trial, void *data);
    /* Whether `now` is no lie, where `whole` would have been found out without
     * the fault. Of facts by name, "Authentication-Results" and "edits" by
     * line; `whole` of a line that came anew is "-". NULL: nothing is. */
    bool (*allows)(const HarnessTrial *trial, const char *what,
                   const char *whole, const char *now);
    void *data;
    /* So many runs there must be: else the scene no longer comes to what it
     * was written for. 0: two. */
    unsigned least;
} HarnessScene;

/* Plays the scene once, then once for each place where the plugin waited with
 * each fault that can happen there, each time with a new instance. Fails the
 * test, and says at which wait, where the plugin
 *
 *   goes on waiting after it was cancelled, or comes to no end,
 *   breaks the contract in what it publishes, requests or returns,
 *   tells something else than without the fault: each fact must be what it was
 *   then, unknown, or the word temperror; a result of Authentication-Results
 *   likewise, or none; an edit must be one of those, or be missing; or the
 *   scene allows it,
 *   leaks memory (where the test is built with a leak sanitizer).
 *
 * A hook may fail and log what it likes. With --verbose each run is named
 * before it is played. Returns how many runs there were; the first that fails
 * is the last. */
unsigned harness_explore(const FilterdPlugin *plugin, const void *config,
                         const HarnessScene *scene);

G_END_DECLS
