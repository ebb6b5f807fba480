/* config.h: a compiled file: settings, listeners, backends, plugins, rules.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything in it is read-only and lives until policy_config_free(). The
 * structs are what the option tables of settings.c write into.
 */
#pragma once

#include "filterd/base/endpoint.h"
#include "policy/report.h"

#include <filterd/plugin.h>

typedef struct PolicySettings {
    const char *hostname;
    const char *authserv_id; /* the hostname unless set */
    const char *user, *group;
    int64_t workers; /* 0: one per CPU */
    const char *state_directory;
    int64_t max_message_size;
    int64_t drain_timeout;
    int64_t max_sessions; /* of the machine */
    int64_t max_recipients;
    int64_t max_errors; /* of one session, then 421 */
    /* Of one client, over all sessions; 0: as many as they like. */
    int64_t max_sessions_per_address, max_sessions_per_network;
    int64_t max_connections_per_minute; /* of an address, as those below */
    int64_t max_errors_per_address;     /* in ten minutes, as those below */
    int64_t max_unknown_recipients;
    int64_t min_data_rate;    /* octets a second of a message; 0: any */
    int log;                  /* 0 text, 1 json */
    const char *decision_log; /* "on", "off" or a file */
    int64_t decision_log_size, decision_log_files;
    bool authentication_results;
    int quarantine; /* 0 mark, 1 spool */
    int64_t quarantine_size, quarantine_lifetime;
    int line_endings;  /* 0 reject, 1 normalize */
    int mixed_replies; /* 0 split, 1 defer */
} PolicySettings;

typedef enum PolicyWire {
    POLICY_SMTP,
    POLICY_LMTP,
    POLICY_MILTER,
    POLICY_SERVICE,
    POLICY_HTTP,
} PolicyWire;

typedef enum PolicyTls {
    POLICY_TLS_OFF,
    POLICY_TLS_OPPORTUNISTIC,
    POLICY_TLS_REQUIRED,
    POLICY_TLS_IMPLICIT,                       /* listen */
    POLICY_TLS_VERIFIED = POLICY_TLS_IMPLICIT, /* backend */
} PolicyTls;

typedef enum PolicyAuth {
    POLICY_AUTH_OFF,
    POLICY_AUTH_ENCRYPTED,
    POLICY_AUTH_CLEAR,
} PolicyAuth;

/* Extensions that a listener may withhold, and that a backend may offer in
 * vain.
 */
typedef enum PolicyExtension {
    POLICY_8BITMIME,
    POLICY_SMTPUTF8,
    POLICY_DSN,
    POLICY_MT_PRIORITY,
    POLICY_DELIVERBY,
    POLICY_REQUIRETLS,
    POLICY_BINARYMIME,
    POLICY_CHUNKING, /* which is ours, as is the next */
    POLICY_PIPELINING,
} PolicyExtension;

typedef enum PolicyVerb {
    POLICY_VRFY,
    POLICY_EXPN,
    POLICY_ETRN,
    POLICY_HELP,
    POLICY_VERBS,
} PolicyVerb;

typedef struct PolicyListen {
    PolicyWire wire;
    Endpoint endpoint;
    PolicyPlace place;
    int tls;
    FilterdArray certificate, key; /* FilterdFile, as many of each */
    bool client_certificates;
    FilterdFile client_ca;
    FilterdArray proxy_from, xclient_from, xforward_from; /* FilterdIp */
    int auth;                                             /* PolicyAuth */
    FilterdArray without;      /* int, PolicyExtension */
    FilterdArray pass_through; /* int, PolicyVerb */
    int64_t greeting_delay, command_timeout, data_timeout;
    int64_t max_sessions;
    /* Of a unix socket; NULL: not given. */
    const char *mode, *owner, *group;
    unsigned permissions; /* what `mode` says; 0: not given */
} PolicyListen;

typedef enum PolicyIdentity {
    POLICY_IDENTITY_NONE,
    POLICY_IDENTITY_XCLIENT,
    POLICY_IDENTITY_XFORWARD,
    POLICY_IDENTITY_PROXY_V1,
    POLICY_IDENTITY_PROXY_V2,
} PolicyIdentity;

typedef struct PolicyBackend {
    PolicyWire wire; /* SMTP or LMTP */
    Endpoint endpoint;
    PolicyPlace place;
    int identity;
    int tls;
    FilterdFile ca;
    const char *name; /* of its certificate; NULL: its address */
    int64_t priority, weight, max_connections;
    int64_t connect_timeout, command_timeout, data_timeout;
    int64_t health_interval; /* 0: only mail finds out that it is back */
    int64_t slow_start;
    FilterdArray without; /* int, PolicyExtension */
    const char *source;   /* "own", "client" or an address: as said below */
    bool source_client;   /* connections come from the client's address */
    FilterdIp source_own; /* or from this one, if `source` is one */
    bool source_given;
} PolicyBackend;

typedef struct PolicyDns {
    FilterdArray
        resolver; /* const char *: "system", "recursive", "ADDR@PORT" */
    FilterdArray zone, trust_anchor; /* FilterdFile */
    int64_t timeout, budget;
} PolicyDns;

typedef enum PolicyStoreKind {
    POLICY_STORE_MEMORY,
    POLICY_STORE_SQLITE,
    POLICY_STORE_REDIS,
} PolicyStoreKind;

typedef enum PolicyRedisTls {
    POLICY_REDIS_CLEAR,
    POLICY_REDIS_REQUIRED,
    POLICY_REDIS_VERIFIED,
} PolicyRedisTls;

/* Octets. */
#define POLICY_PASSWORD_LIMIT 512
#define POLICY_PREFIX_LIMIT 64

typedef struct PolicyStore {
    PolicyStoreKind kind;
    const char *where;   /* a path, an ADDRESS, or NULL */
    int64_t max_entries; /* of one plugin instance */
    PolicyPlace place;
    /* Of Redis. */
    FilterdArray node; /* const char *: more of ADDRESS */
    const char *user;
    FilterdFile password;
    int64_t database, timeout;
    const char *prefix;
    int tls;
    FilterdFile ca;
    const char *name; /* of its certificate; NULL: its address */
} PolicyStore;

/* Where a plugin's hooks run. */
typedef enum PolicyIsolation {
    POLICY_ISOLATION_NONE,    /* in the worker */
    POLICY_ISOLATION_PROCESS, /* in a process of their own */
} PolicyIsolation;

/* What becomes of mail while that process is not there. */
typedef enum PolicyIsolationLost {
    POLICY_LOST_TEMPFAIL, /* it comes again */
    POLICY_LOST_UNKNOWN,  /* as the rules say of facts that are unknown */
} PolicyIsolationLost;

/* What filterd offers in each block of `use`. */
typedef struct PolicyUseOptions {
    int isolation;
    int isolation_lost;
    int64_t isolation_memory; /* octets */
} PolicyUseOptions;

/* One `use`. */
typedef struct PolicyUse {
    const FilterdPlugin *plugin; /* its own tables, if describe() made some */
    const char *name;            /* behind `as`, else the plugin's */
    const void *config;
    PolicyUseOptions own;
    PolicyPlace place;
    FilterdArray options; /* PolicyOption, in the order of the file */
    /* Facts of others, by their whole names, that describe() asked for; ends
     * with a NULL name. NULL: it asked for none. */
    const FilterdFact *asked;
} PolicyUse;

/* A plugin with a process of its own; a skeleton knows them, too. */
typedef struct PolicyIsolated {
    const char *plugin, *name;
    const PolicyUse *use; /* NULL: of a skeleton */
    int64_t memory;
} PolicyIsolated;

/* What there is of a plugin, by its name and the plugin's. */
typedef struct PolicyNamed {
    const char *plugin, *name;
} PolicyNamed;

/* Where a word of a plugin's block stands. */
typedef struct PolicyOption {
    const char *name;
    size_t first; /* of its values, the index of the first behind the word */
    PolicyPlace place;
} PolicyOption;

/* A fact that the language knows. `use` is NULL for the core's, whose rows have
 * full names. */
typedef struct PolicyFact {
    const char *name; /* "spf.result" */
    const FilterdFact *row;
    const PolicyUse *use;
    unsigned index; /* of the row in its table */
} PolicyFact;

typedef struct PolicyRules PolicyRules;

typedef struct PolicyConfig {
    PolicySettings settings;
    PolicyDns dns;
    PolicyStore store;
    GPtrArray *listens;  /* PolicyListen */
    GPtrArray *backends; /* PolicyBackend */
    GPtrArray *uses;     /* PolicyUse */
    GPtrArray *isolated; /* PolicyIsolated, in the order of the file */
    GPtrArray *named;    /* PolicyNamed: each use; of a skeleton, too */
    GPtrArray *facts;    /* PolicyFact: the core's, then of each use */
    PolicyRules *rules;
    GStringChunk *texts;
} PolicyConfig;

/* What the compiler asks the outside for. */
typedef struct PolicyLoader {
    void *data;
    /* A file's bytes; the paths are absolute or relative to the process. */
    GBytes *(*read)(void *data, const char *path, GError **error);
    /* A plugin's tables, alive as long as the process. NULL: a skeleton is
     * compiled: blocks of `use` and of `at` are skipped by their braces, only
     * settings, listeners, backends, dns and store are filled. */
    const FilterdPlugin *(*plugin)(void *data, const char *name,
                                   GError **error);
    /* Whether tables that a plugin made for one instance are in order. */
    gboolean (*check)(const FilterdPlugin *plugin, GError **error);
    const FilterdFact *core_facts;     /* ends with a NULL name */
    const FilterdAction *core_actions; /* run is NULL; without instance */
    /* The names of all plugins, then NULL, for suggestions; NULL: nobody knows.
     * Caller frees. */
    GPtrArray *(*plugins)(void *data);
} PolicyLoader;

/* NULL with errors in the report; warnings come with a configuration too. */
PolicyConfig *policy_compile(const char *path, const PolicyLoader *loader,
                             PolicyReport *report);
/* Text that has no file, called `name` in messages. */
PolicyConfig *policy_compile_text(const char *name, const char *text,
                                  const PolicyLoader *loader,
                                  PolicyReport *report);
void policy_config_free(PolicyConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolicyConfig, policy_config_free)

/* Where that value of the option was given; NULL: it was not. */
const PolicyPlace *policy_option_place(const PolicyUse *use, const char *name,
                                       size_t index);
/* The fact of that name; NULL. */
const PolicyFact *policy_fact_find(const PolicyConfig *config,
                                   const char *name);
