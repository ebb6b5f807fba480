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

static Store *
open_store(const PolicyConfig *config, const EngineOptions *options)
{
    if (options->private_store)
        return store_new_sqlite(NULL, STORE_ENTRIES);
    if (config->store.kind == POLICY_STORE_SQLITE)
        return store_new_sqlite(config->store.where, config->store.max_entries);
    return store_new_sqlite(options->memory_store, config->store.max_entries);
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
    engine->store = open_store(config, options);
    engine->host = host_new(config,
                            &(HostStart){.core_facts = engine_core_facts,
                                         .store = engine->store,
                                         .brief = options->brief},
                            error);
    if (engine->host == NULL)
        g_clear_pointer(&engine, engine_free);
    return engine;
}

void
engine_free(Engine *engine)
{
    if (engine->host != NULL)
        host_free(engine->host);
    store_free(engine->store);
    g_free(engine->hostname);
    g_free(engine->authserv_id);
    g_free(engine);
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
