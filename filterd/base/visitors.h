/* visitors.h: clients that are here, or were a while ago, counted by address
 * and by network for the whole machine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One table of a fixed size in shared memory, made by the master before it
 * forks. Its hash is keyed: nobody can choose whose bucket to share. Whoever
 * has no session makes room for others, longest unseen first; where everybody
 * in a bucket has one, a newcomer is not counted. Without a table nobody is.
 */
#pragma once

#include <filterd/plugin.h>

/* Of the table, and of each of its buckets. */
#define VISITORS_LIMIT 65536
#define VISITORS_BUCKET 8

/* What happens to a visitor. Connections are remembered for a minute, the
 * others for ten. */
typedef enum VisitorEvent {
    VISITOR_CONNECTION,
    VISITOR_ERROR,   /* of the protocol */
    VISITOR_UNKNOWN, /* a recipient that is not there */
    VISITOR_EVENTS,
} VisitorEvent;

typedef struct VisitorCounts {
    int64_t sessions; /* now */
    int64_t recent[VISITOR_EVENTS];
} VisitorCounts;

/* For so many workers; before the first fork. This process is the first. */
void visitors_init(unsigned workers);
void visitors_clear(void);
/* The worker that this process is from now on; it has no sessions. */
void visitors_use_row(unsigned worker);
/* That worker is gone, and its sessions with it. */
void visitors_forget(unsigned worker);

/* A session of an address or network begins: its seat, until it ends. 0 where
 * it is not counted, which the others understand. */
unsigned visitors_enter(const FilterdIp *ip);
void visitors_leave(unsigned seat);
void visitors_note(unsigned seat, VisitorEvent event);
void visitors_count(unsigned seat, VisitorCounts *counts);
/* FALSE, but TRUE once in `milliseconds`, whichever worker asks; at 0 TRUE. */
gboolean visitors_tell(unsigned seat, int64_t milliseconds);

/* Entries that have been used. */
unsigned visitors_known(void);
