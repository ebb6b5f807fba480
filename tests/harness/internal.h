/* internal.h: what the files of the harness know of each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "tests/harness/harness.h"

/* ---- zone.c ------------------------------------------------------------- */

typedef struct HarnessZone HarnessZone;

HarnessZone *zone_new(void);
void zone_free(HarnessZone *zone);
void zone_add(HarnessZone *zone, const char *records);
/* FILTERD_DNS_ANSWER takes the status back. */
void zone_set_status(HarnessZone *zone, const char *name, FilterdDnsType type,
                     FilterdDnsStatus status);
/* What the answer points to belongs to `arena`. */
const FilterdDnsAnswer *zone_ask(HarnessZone *zone, GPtrArray *arena,
                                 const char *name, FilterdDnsType type);
const char *zone_type_name(FilterdDnsType type);

/* ---- value.c ------------------------------------------------------------ */

FilterdValue harness_value_copy(const FilterdValue *value);
void harness_value_free(FilterdValue *value);
/* FALSE: not of that type. The copy is the caller's. */
gboolean harness_value_parse(FilterdType type, const char *text,
                             FilterdValue *value);
void harness_value_append(GString *out, const FilterdValue *value);
/* Why the value does not fit its row; NULL: it does. */
const char *harness_value_problem(const FilterdValue *value,
                                  const FilterdFact *row);
gboolean harness_ip_parse(const char *text, FilterdIp *ip);

/* ---- harness.c, host.c -------------------------------------------------- */

typedef struct HarnessCall HarnessCall;

/* One per fiber that a daemon would have: one for the session, one for each
 * that was spawned. */
struct HarnessCall {
    FilterdCall call;
    Harness *harness;
    GPtrArray *arena;   /* what was handed out, until the hook returns */
    FilterdStage stage; /* of the hook that runs */
    gboolean acting;    /* it is an action */

    void (*run)(FilterdCall *call, void *data);
    void *data;
    GThread *thread;
    int64_t due;
    gboolean ended;
};

struct Harness {
    const FilterdPlugin *plugin;
    HarnessCall session;
    GPtrArray *spawned; /* HarnessCall */
    void *config;
    void *instance;

    HarnessZone *zone;
    GPtrArray *questions;
    unsigned waits;
    GHashTable *store; /* key: Entry of host.c */
    gboolean store_fails;
    unsigned store_reads, store_writes;
    int64_t clock;

    FilterdValue *facts; /* as the plugin's table */
    FilterdValue *needs;
    GPtrArray *authres; /* HarnessLine */
    GPtrArray *edits;
    GHashTable *metrics; /* "NAME LABEL": int64_t */
    GQueue expected;
    GString *text; /* what was returned last */

    char *blamed; /* "OPTION INDEX: ", or NULL */
    gboolean fed; /* the message has had its eom */
    gboolean stopping;
    GMutex mutex;
    GCond turn;
    HarnessCall *running; /* of the spawned ones; NULL: the test itself */
};

typedef struct HarnessLine {
    FilterdStage stage;
    char *text;
} HarnessLine;

extern const FilterdHost harness_host;

GHashTable *harness_store_new(void);
/* Fails the test unless it was expected. */
void harness_warning(Harness *harness, const char *text);
/* Takes what a hook returned; FALSE: it failed. */
gboolean harness_hook_check(Harness *harness, gboolean ok, GError *error);
gboolean harness_hook_run(Harness *harness, FilterdStage stage,
                          FilterdHook *hook);
void harness_message_begin(Harness *harness);
/* Lets those that sleep run until the clock shows `until`. */
void harness_run_spawned(Harness *harness, int64_t until);
void harness_stop_spawned(Harness *harness);
