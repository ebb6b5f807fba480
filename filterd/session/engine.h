/* engine.h: what all sessions of a worker share: the compiled file, the plugin
 * instances, the store, the limits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/service/store.h"
#include "policy/config.h"

typedef struct Engine Engine;

/* The core's facts and rewrites, for PolicyLoader. */
extern const FilterdFact engine_core_facts[];
extern const FilterdAction engine_core_actions[];

typedef struct EngineOptions {
    /* The file behind `store memory`, on tmpfs; NULL: a private one. */
    const char *memory_store;
    /* An empty store of its own, whatever the configuration says. */
    gboolean private_store;
    /* For one message: what plugins do by themselves is not done. */
    gboolean brief;
    /* For HostStart. */
    const FilterdPlugin *(*stand_in)(void *data, const PolicyUse *use);
    void *data;
    /* Its rules are counted, in metrics. */
    gboolean counted;
    /* Decisions go into the decision log, if the configuration wants one. */
    gboolean records;
} EngineOptions;

/* Borrows the configuration. dns_init() and offload_init() come before. Starts
 * every plugin instance; an error of one of them is the error. */
Engine *engine_new(const PolicyConfig *config, const EngineOptions *options,
                   GError **error);
/* No session may be left. Call in a fiber. */
void engine_free(Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Engine, engine_free)

/* Whether anything asks for a message's body, its size included. */
gboolean engine_needs_body(const Engine *engine);
/* What rules and plugins may have done to a message: bits of 1 <<
 * FilterdEditKind. */
unsigned engine_edits(const Engine *engine);

/* The path of the decision log; NULL: it is off. Caller frees. */
char *engine_decision_log(const PolicyConfig *config);

const PolicyConfig *engine_config(const Engine *engine);
/* What is announced in greetings and Received. */
const char *engine_hostname(const Engine *engine);
Store *engine_store(const Engine *engine);
