/* link.h: a worker's side of the process that a plugin runs in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whatever the process says is checked: what it cannot mean ends it. When it
 * ends, hooks that run fail, and others fail until the next one has started.
 */
#pragma once

#include "filterd/host/call.h"
#include "filterd/host/isolation/protocol.h"

/* Milliseconds: that a hook is waited for; until the first start is over. */
#define LINK_HOOK_TIME 60000
#define LINK_START_TIME 30000
/* What a hook may say before the worker has come to it: octets. */
#define LINK_CHANNEL_LIMIT (4 * 1024 * 1024)

typedef struct Link Link;
typedef struct Channel Channel;

/* Calls `useless(data)` when the process has lied and has to be ended. */
Link *link_new(const PolicyUse *use, void (*useless)(void *data), void *data);
/* After link_stop(), if it was started. */
void link_free(Link *link);
const PolicyUse *link_use(const Link *link);

/* A socket to a new process, which is taken. On the loop's own stack. */
void link_attach(Link *link, int fd);

/* Waits for the first process and the plugin's start in it. */
gboolean link_start(Link *link, FilterdCall *call, GError **error);
void link_stop(Link *link);

/* How many processes there were; a state that lived in one before is gone. */
unsigned link_epoch(const Link *link);

/* A frame whose hook's arguments the caller adds. NULL: no process is there. */
GByteArray *link_begin(Link *link, ProtocolHook hook, Channel **channel,
                       GError **error);
/* Sends it, and does what the hook asks for in this fiber, until it returns. */
gboolean link_run(Channel *channel, FilterdCall *call, GByteArray *frame,
                  GError **error);
/* Instead: nothing was sent. */
void channel_drop(Channel *channel);
/* To nobody's channel, which has no end. */
void link_tell(Link *link, GByteArray *frame);

/* ---- for who carries out what the process asks for ---------------------- */

Link *channel_link(const Channel *channel);
void channel_send(Channel *channel, GByteArray *frame);
guint32 channel_number(const Channel *channel);
/* Does what is asked for until RETURN comes. */
gboolean channel_serve(Channel *channel, FilterdCall *call, GError **error);
/* Of something that the process spawned: NULL if that number is taken. */
Channel *channel_adopt(Link *link, guint32 number);
/* Nobody serves it any more. */
void channel_finish(Channel *channel);

/* A server that the plugin checked at its start. FALSE: that is over. */
gboolean link_allow(Link *link, const char *server);
gboolean link_allows(const Link *link, const char *server);
