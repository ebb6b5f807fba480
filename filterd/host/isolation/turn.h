/* turn.h: in the process of a plugin: hooks that run, and the states that they
 * find. Private to the isolation.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/host/isolation/peer.h"
#include "filterd/host/isolation/protocol.h"

typedef struct Server Server;
typedef struct Turn Turn;

/* One connection. */
typedef struct Seat {
    guint32 number;
    char *session; /* its id */
    void *state, *message;
    GQueue waiting; /* Turn: hooks of a seat run one after the other */
    Turn *now;
    GPtrArray *streams; /* FilterdStream */
    gboolean lost;      /* a state is spoiled */
} Seat;

/* A hook, or what was spawned. */
struct Turn {
    FilterdCall call; /* first */
    Server *server;
    Seat *seat; /* NULL: of the instance by itself */
    guint32 channel;
    ProtocolHook hook;
    unsigned flags;
    FilterdStage stage;
    GBytes *frame; /* what it was given */
    FrameReader reader;
    Fiber *fiber;
    FiberDoing doing;
    GQueue coming; /* GBytes: frames that answer it */
    FiberQueue news;
    GPtrArray *kept; /* until the hook returns */
    gboolean cancelled;
    void (*run)(FilterdCall *call, void *data); /* spawned */
    void *data;
    GPtrArray *streams; /* likewise */
};

struct Server {
    const FilterdPlugin *plugin;
    Peer *peer;
    char *name; /* the instance's */
    const void *config;
    GPtrArray *memory; /* of the config */
    void *instance;
    gboolean lost;     /* its state is spoiled */
    GHashTable *seats; /* number: Seat */
    GHashTable *turns; /* channel: Turn */
    guint32 spawned;
    gboolean starting;
    gboolean (*seal)(GError **error);
};

/* ---- for the table of the host ------------------------------------------ */

/* Sends it; NULL: cancelled, or nobody would answer. The answer is kept, and
 * its reader, until the hook returns. */
FrameReader *turn_call(Turn *turn, GByteArray *frame);
void turn_cast(Turn *turn, GByteArray *frame);
/* The next frame; NULL: cancelled. Caller unrefs. */
GBytes *turn_take(Turn *turn);
/* Freed when the hook returns. */
void *turn_keep(Turn *turn, void *memory, GDestroyNotify destroy);
void turn_forget(Turn *turn);
Turn *turn_spawn(Turn *turn, void (*run)(FilterdCall *call, void *data),
                 void *data);

/* All functions of the host; one that has no way to the worker ends the
 * process, in words. */
const FilterdHost *remote_host(void);

/* Those opened in a transaction, or all. */
void remote_free_streams(GPtrArray *streams, gboolean all);
