/* host.h: the plugin instances of a worker: started, their needs resolved.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/base/timing.h"
#include "filterd/service/store.h"
#include "policy/config.h"

typedef struct Host Host;
typedef struct HostInstance HostInstance;

/* Where a fact comes from: a row of an instance's table, or of the core's where
 * `instance` is NULL. */
typedef struct HostFact {
    const HostInstance *instance;
    const FilterdFact *row; /* NULL: the plugin is not loaded */
    unsigned index;
} HostFact;

struct HostInstance {
    const PolicyUse *use;
    const FilterdPlugin *plugin;
    Host *host;
    unsigned index;
    void *state;      /* the plugin's, instance_size octets */
    gboolean spoiled; /* the plugin wrote beyond it: it is asked no more */
    Timing *timing;   /* of its hooks, or NULL */
    unsigned facts;
    unsigned *slots; /* of each fact: which it is of those of its stage */
    unsigned stage_facts[FILTERD_STAGES]; /* how many those are */
    unsigned need_count;
    HostFact *needs;
    GPtrArray *fibers; /* spawned: Fiber */
    GHashTable *turns; /* of turn.c; NULL: none yet */
    /* By the stage of a fact: the stages (bits) that ask for it whatever its
     * other facts say, so that the hook may run before anybody asks. */
    unsigned needed[FILTERD_STAGES];
    /* Its hook writes to the store, or rests on one that does. */
    gboolean effect[FILTERD_STAGES];
};

typedef struct HostStart {
    const FilterdFact *core_facts;
    Store *store;
    gboolean brief; /* for one message: what plugins spawn is not run */
    /* The tables of what stands here for a plugin that runs elsewhere; NULL: it
     * runs here. NULL itself: all do. */
    const FilterdPlugin *(*stand_in)(void *data, const PolicyUse *use);
    void *data;
} HostStart;

/* Starts an instance of each `use` (borrowed, as is the store). The error tells
 * whose start failed, or who waits for whom in a circle. */
Host *host_new(const PolicyConfig *config, const HostStart *start,
               GError **error);
/* Stops them. In a fiber if any plugin spawned one. */
void host_free(Host *host);

unsigned host_instances(const Host *host);
HostInstance *host_instance(const Host *host, unsigned index);
Store *host_store(const Host *host);
/* Streams that plugins have open, and who waits for one of them to close. */
typedef struct HostStreams {
    unsigned open;
    FiberQueue queue;
} HostStreams;

HostStreams *host_streams(Host *host);
gboolean host_is_brief(const Host *host);
int64_t host_dns_budget(const Host *host);
/* Stages (bits) that follow `passed` for certain: no rule of those before them
 * takes the client out of the policy, unless it refuses. */
unsigned host_ahead(const Host *host, FilterdStage passed);

/* What hooks that could ever run want of a message. */
typedef struct HostDemand {
    gboolean body;
    unsigned edits; /* what they may request: bits of 1 << FilterdEditKind */
} HostDemand;

HostDemand host_demand(const Host *host, const PolicyConfig *config);
/* Where PolicyFact is to be asked. */
HostFact host_fact(const Host *host, const PolicyFact *fact);
