/* internal.h: what the files of the harness know of each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/harness.h>

/* ---- zone.c ------------------------------------------------------------- */

typedef struct HarnessZone HarnessZone;

HarnessZone *harness_zone_new(void);
void harness_zone_free(HarnessZone *zone);
void harness_zone_add(HarnessZone *zone, const char *records);
/* FILTERD_DNS_ANSWER takes the status back. */
void harness_zone_set_status(HarnessZone *zone, const char *name,
                             FilterdDnsType type, FilterdDnsStatus status);
/* What the answer points to belongs to `arena`. */
const FilterdDnsAnswer *harness_zone_ask(HarnessZone *zone, GPtrArray *arena,
                                         const char *name, FilterdDnsType type);
const char *harness_zone_type_name(FilterdDnsType type);

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
    gboolean cancelled;
    unsigned late; /* waits since then */

    void (*run)(FilterdCall *call, void *data);
    void *data;
    GThread *thread;
    int64_t due;
    gboolean ended;
};

struct Harness {
    FilterdPlugin *plugin; /* widened */
    HarnessCall session;
    GPtrArray *spawned; /* HarnessCall */
    void *config;
    void *instance;
    GPtrArray *described; /* memory of its tables */

    HarnessZone *zone;
    GPtrArray *questions;
    GHashTable *answered; /* of those, the ones that were waited for */
    unsigned waits;
    GHashTable *store; /* key: Entry of store.c */
    gboolean store_fails;
    unsigned store_reads, store_writes;
    int64_t clock;

    GHashTable *turns;  /* names that a hook has entered */
    GPtrArray *peers;   /* of peer.c, whom nobody has met yet */
    GPtrArray *streams; /* FilterdStream */
    GPtrArray *fields;  /* GBytes, of the message as it was fed */
    GString *body;

    FilterdValue *facts; /* as the plugin's table */
    FilterdValue *needs;
    GPtrArray *authres; /* HarnessLine */
    GPtrArray *edits;
    GHashTable *metrics; /* "NAME LABEL": int64_t */
    GPtrArray *log;
    GQueue expected;
    GString *text; /* what was returned last */

    GPtrArray *waited;
    GArray *points;    /* HarnessPoint, of the same waits */
    gboolean counting; /* waits */
    unsigned fault_wait;
    HarnessFault fault;
    gboolean dns_spent;
    gboolean exploring; /* hooks may fail, and log warnings */

    char *blamed;    /* "OPTION INDEX: ", or NULL */
    gboolean broken; /* a header or body hook failed: no eom */
    gboolean fed;    /* the message has had its eom */
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

HarnessCall *harness_call_get(FilterdCall *call);
/* The contract is broken: fails the test unless it was expected. */
void harness_complaint(Harness *harness, const char *text);
/* The same, but for the warnings that a fault may cause. */
void harness_warning(Harness *harness, const char *text);
/* Takes what a hook returned; FALSE: it failed. */
gboolean harness_hook_check(Harness *harness, gboolean ok, GError *error);
gboolean harness_hook_run(Harness *harness, FilterdStage stage,
                          FilterdHook *hook);
void harness_message_begin(Harness *harness);

/* Notes what an error is about. */
void harness_blame(Harness *harness, const char *option, size_t index);

/* ---- describe.c --------------------------------------------------------- */

/* Lets the plugin make tables of its own for this config. */
gboolean harness_describe(Harness *harness, GError **error);

/* ---- explore.c ---------------------------------------------------------- */

/* What a host function waits for. */
typedef enum HarnessPoint {
    HARNESS_AT_LOOKUP,
    HARNESS_AT_DNS,
    HARNESS_AT_STORE,
    HARNESS_AT_SLEEP,
    HARNESS_AT_OFFLOAD,
    HARNESS_AT_STREAM,
    HARNESS_AT_TURN,
    HARNESS_POINTS,
} HarnessPoint;

/* Each host function that waits comes by here, once for each wait. Returns what
 * goes wrong this time; HARNESS_NO_FAULT: nothing. */
HarnessFault harness_pass(HarnessCall *self, HarnessPoint point,
                          const char *format, ...) G_GNUC_PRINTF(3, 4);

/* ---- store.c ------------------------------------------------------------ */

GHashTable *harness_store_new(void);
FilterdStoreStatus harness_host_store_get(FilterdCall *call, const char *key,
                                          const char **value, size_t *length);
FilterdStoreStatus harness_host_store_put(FilterdCall *call, const char *key,
                                          const char *value, size_t length,
                                          int64_t lifetime);
FilterdStoreStatus harness_host_store_add(FilterdCall *call, const char *key,
                                          int64_t delta, int64_t lifetime,
                                          int64_t *sum);

/* ---- peer.c ------------------------------------------------------------- */

GPtrArray *harness_peers_new(void);
GPtrArray *harness_streams_new(void);
/* What the call has left open: since MAIL, or `all`. */
void harness_streams_close(HarnessCall *self, gboolean all);
bool harness_host_stream_check(FilterdCall *call, const char *server,
                               GError **error);
FilterdStream *harness_host_stream_open(FilterdCall *call, const char *server,
                                        int64_t patience, GError **error);
void harness_host_stream_patience(FilterdCall *call, FilterdStream *stream,
                                  int64_t patience);
bool harness_host_stream_write(FilterdCall *call, FilterdStream *stream,
                               const void *bytes, size_t length,
                               GError **error);
bool harness_host_stream_read(FilterdCall *call, FilterdStream *stream,
                              void *bytes, size_t size, size_t *length,
                              GError **error);
const char *harness_host_stream_line(FilterdCall *call, FilterdStream *stream,
                                     size_t *length, GError **error);
void harness_host_stream_close(FilterdCall *call, FilterdStream *stream);

/* ---- message.c ---------------------------------------------------------- */

GPtrArray *harness_fields_new(void);
bool harness_host_hear(FilterdCall *call,
                       bool (*header)(FilterdCall *call,
                                      const FilterdField *field,
                                      GError **error),
                       bool (*body)(FilterdCall *call, const char *bytes,
                                    size_t length, GError **error),
                       GError **error);

/* ---- spawned.c ---------------------------------------------------------- */

bool harness_host_sleep(FilterdCall *call, int64_t milliseconds);
void harness_host_spawn(FilterdCall *call,
                        void (*run)(FilterdCall *call, void *data), void *data);
/* Lets those that sleep run until the clock shows `until`. */
void harness_run_spawned(Harness *harness, int64_t until);
void harness_stop_spawned(Harness *harness);
