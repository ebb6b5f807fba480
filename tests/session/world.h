/* world.h: an engine with a policy text and a plugin made for tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/session.h"

/* What the plugin `probe` did, and is to do. Its facts: probe.connect,
 * probe.helo, probe.mail (bool), probe.rcpt (int, with an effect: how often its
 * hook has run), probe.octets (int, of the body), probe.fields (int),
 * probe.earlier (bool: whether its mail hook knew the recipient). */
typedef struct Probe {
    unsigned connect, helo, mail, rcpt, eom, abort, clear_message;
    unsigned closes;    /* of the plugin `other` */
    gboolean fails;     /* hooks return an error */
    gboolean mistyped;  /* mail publishes a text, and more */
    gboolean holds;     /* eom wants the message in quarantine */
    gboolean edits;     /* hooks but header and body add "X-Probe: HOOK" */
    int64_t slow;       /* milliseconds in each of them */
    int64_t sleeps;     /* milliseconds in mail, before anything else */
    unsigned cancelled; /* how often such a sleep was cut short */
    char outcomes[512]; /* "FATE STAGE RULE ASKED OCTETS;" for each that the
                         * plugin `other` heard of; of octets what it could
                         * look up */
    unsigned signs;     /* how often sign_end ran */
    gboolean sign_fails;
    gboolean records;     /* decisions, where the policy says */
    gboolean oversteps;   /* as `edits`, with what its table leaves out */
    GString *signed_text; /* what the sign_ hooks saw, CRLF behind each field */
} Probe;

extern Probe probe;
extern const FilterdPlugin probe_plugin, other_plugin;

typedef struct World {
    PolicyConfig *config;
    Engine *engine;
    Session *session;
    GString *log; /* lines */
} World;

/* Compiles `policy` (behind `use probe`), starts all that is needed and calls
 * func in a fiber, with a session whose connect has not been judged. */
void world_run(const char *policy, void (*func)(World *world));

/* The dialogue up to a stage, with texts; the verdict of the last. */
SessionVerdict world_hello(World *world);
SessionVerdict world_mail(World *world, const char *from);
SessionVerdict world_rcpt(World *world, const char *to);
/* A message's text, with LF line ends. */
void world_feed(World *world, const char *text);
/* DATA, the text, and its end. */
SessionVerdict world_message(World *world, const char *text);
/* The backend took it; then the transaction ends. */
void world_deliver(World *world);
/* What would go to the backend. Caller frees. */
char *world_outgoing(World *world);
/* How often `part` stands in the text. */
unsigned world_count(const char *text, const char *part);
/* A session of its own, which the caller frees. */
Session *world_session(World *world);
/* From connect to the end with one recipient b@example.com. */
SessionVerdict world_all(World *world, const char *text);
