/* member.h: a process of a generation, and what becomes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/child.h"
#include "filterd/process/worker.h"

typedef struct Member {
    pid_t pid;   /* 0: none is there */
    int control; /* -1: likewise */
    int row;     /* of the board; -1: not a worker */
    unsigned index;
    gboolean ready;
    int64_t started; /* monotonic */
    int64_t restart; /* when to start it again */
    unsigned losses; /* in a row, each of them young */
    uint64_t turns;  /* last seen */
    unsigned still;  /* looks since they moved */
} Member;

void member_start(Member *member, const ChildStart *start);
/* Whether it has something to tell: it does not serve yet. */
gboolean member_waits(const Member *member);
void member_hear(Member *member);
/* TRUE: process `pid` ended just now, with this wait status. */
gboolean member_reap(Member *member, pid_t *pid, int *status);
/* It was not told to end: says so, and when it comes again. */
void member_lost(Member *member, pid_t pid, int status);
/* Whether its loop turns; ends it if not. */
void member_watch(Member *member);
void member_tell(const Member *member, WorkerCommand command);
void member_kill(const Member *member);
