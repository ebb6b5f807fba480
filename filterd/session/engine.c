/* engine.c: what all sessions of a worker share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/session/engine.h"

#include "filterd/session/state.h"

#include <unistd.h>

static const FilterdType two_texts[] = {FILTERD_TEXT, FILTERD_TEXT,
                                        FILTERD_UNKNOWN};
static const FilterdType one_text[] = {FILTERD_TEXT, FILTERD_UNKNOWN};
static const FilterdType one_address[] = {FILTERD_ADDRESS, FILTERD_UNKNOWN};

const FilterdAction engine_core_actions[] = {
    {"add-header", "Puts a header field on top: name, value.", two_texts},
    {"change-header",
     "Changes the first field of that name, or adds it: name, value.",
     two_texts},
    {"remove-header", "Removes every field of that name.", one_text},
    {"set-sender", "Replaces the reverse-path; \"\" is the null one.",
     one_address},
    {"add-recipient", "Adds a recipient.", one_address},
    {"remove-recipient", "Removes a recipient.", one_address},
    {NULL},
};

/* The address, then those of `node`. */
static const char **
list_nodes(const PolicyStore *store)
{
    const char **nodes = g_new0(const char *, store->node.length + 2);
    const char *const *more = store->node.items;
    nodes[0] = store->where;
    for (gsize i = 0; i < store->node.length; i++)
        nodes[i + 1] = more[i];
    return nodes;
}

static Store *
open_redis(Engine *engine, const PolicyStore *store)
{
    engine->redis_nodes = list_nodes(store);
    engine->redis = (StoreRedisConfig){
        .cluster = {.nodes = engine->redis_nodes,
                    .login = {.user = store->user,
                              .password = store->password.bytes,
                              .database = store->database,
                              .timeout = store->timeout},
                    .tls = {.use = store->tls != POLICY_REDIS_CLEAR,
                            .verify = store->tls == POLICY_REDIS_VERIFIED,
                            .authority = store->ca,
                            .name = store->name}},
        .prefix = store->prefix,
    };
    return store_new_redis(&engine->redis);
}

static Store *
open_store(Engine *engine, const EngineOptions *options)
{
    const PolicyStore *store = &engine->config->store;
    if (options->private_store)
        return store_new_sqlite(NULL, STORE_ENTRIES);
    if (store->kind == POLICY_STORE_SQLITE)
        return store_new_sqlite(store->where, store->max_entries);
    if (store->kind == POLICY_STORE_REDIS)
        return open_redis(engine, store);
    return store_new_sqlite(options->memory_store, store->max_entries);
}

static char *
own_name(void)
{
    char name[256] = "localhost";
    gethostname(name, sizeof name - 1);
    return g_strdup(name);
}

/* Bodies that do not fit into memory go where the state is. */
static const char *
spool_directory(const PolicyConfig *config)
{
    const char *state = config->settings.state_directory;
    if (state != NULL && access(state, W_OK | X_OK) == 0)
        return state;
    return g_get_tmp_dir();
}

/* From the kernel: a generator of our own would have been forked, and give
 * every worker the same. */
static void
name_engine(Engine *engine)
{
    uint8_t random[5];
    g_assert_cmpint(getentropy(random, sizeof random), ==, 0);
    for (unsigned i = 0; i < sizeof random; i++)
        g_snprintf(engine->prefix + 2 * i, 3, "%02x", random[i]);
}

Engine *
engine_new(const PolicyConfig *config, const EngineOptions *options,
           GError **error)
{
    Engine *engine = g_new0(Engine, 1);
    const PolicySettings *settings = &config->settings;
    engine->config = config;
    engine->hostname =
        settings->hostname != NULL ? g_strdup(settings->hostname) : own_name();
    engine->authserv_id =
        g_strdup(settings->authserv_id != NULL ? settings->authserv_id
                                               : engine->hostname);
    engine->spool = spool_directory(config);
    name_engine(engine);
    engine->store = open_store(engine, options);
    engine->host = host_new(config,
                            &(HostStart){.core_facts = engine_core_facts,
                                         .store = engine->store,
                                         .brief = options->brief,
                                         .stand_in = options->stand_in,
                                         .data = options->data},
                            error);
    if (engine->host == NULL) {
        engine_free(engine);
        return NULL;
    }
    if (options->records)
        engine->recorder = recorder_new(config, engine->host);
    if (options->counted)
        engine->counts = rules_counts_new(config);
    return engine;
}

void
engine_free(Engine *engine)
{
    if (engine->host != NULL)
        host_free(engine->host);
    g_clear_pointer(&engine->recorder, recorder_free);
    store_free(engine->store);
    g_clear_pointer(&engine->counts, rules_counts_free);
    g_free(engine->redis_nodes);
    g_free(engine->hostname);
    g_free(engine->authserv_id);
    g_free(engine);
}

gboolean
engine_needs_body(const Engine *engine)
{
    const PolicyFact *size = policy_fact_find(engine->config, "message.size");
    return host_demand(engine->host, engine->config).body
           || policy_mentions(engine->config, size);
}

unsigned
engine_edits(const Engine *engine)
{
    unsigned edits = host_demand(engine->host, engine->config).edits;
    const GPtrArray *rules = policy_rules(engine->config);
    for (unsigned i = 0; i < rules->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(rules, i);
        if (rule->kind == POLICY_REWRITE && rule->use == NULL)
            edits |= 1U << session_rewrite_kind(rule);
    }
    return edits;
}

const PolicyConfig *
engine_config(const Engine *engine)
{
    return engine->config;
}

const char *
engine_hostname(const Engine *engine)
{
    return engine->hostname;
}

Store *
engine_store(const Engine *engine)
{
    return engine->store;
}
