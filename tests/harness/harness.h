/* harness.h: a plugin without a daemon: a host table with a zone, a store, a
 * clock that is advanced by hand, facts by name, and ears for everything else.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing waits: each hook runs to its end. A warning in the log that was not
 * announced, a hook's unannounced error and a fact of a wrong type fail the
 * test. Texts that functions return live until the next call for the harness.
 */
#pragma once

#include <filterd/plugin.h>

typedef struct Harness Harness;

/* What the clock shows at first: 2027-01-15 08:00:00 UTC. */
#define HARNESS_START INT64_C(1800000000000)

/* Starts an instance, with its config struct as it would have been filled;
 * the struct is copied, what it points to is not. What start spawns runs while
 * the clock is advanced (by 0: what is due now). */
Harness *harness_new(const FilterdPlugin *plugin, const void *config);
/* Why start refuses that config; NULL: it does not. In front of it "OPTION
 * INDEX: ", where start blames one. Caller frees. */
char *harness_start_error(const FilterdPlugin *plugin, const void *config);
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

/* A fact that the plugin needs, from text by the need's type; lists have
 * commas; NULL: unknown. */
void harness_set(Harness *harness, const char *fact, const char *value);

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

/* ---- the dialogue ------------------------------------------------------- */

/* Runs the hook of that stage (MESSAGE: eom). */
void harness_run(Harness *harness, FilterdStage stage);
/* Fields, body in pieces of `chunk` octets (0: one piece), eom. LF alone in
 * `text` is made CRLF. A line that is no field has a name_length of 0. */
void harness_message(Harness *harness, const char *text, size_t chunk);
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

/* The next warning, or hook error, holds this text; it must come. */
void harness_expect_warning(Harness *harness, const char *part);
