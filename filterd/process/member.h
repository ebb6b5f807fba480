/* member.h: a process of a generation, and what becomes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/board.h"
#include "filterd/process/child.h"
#include "filterd/process/worker.h"

typedef enum MemberKind {
    MEMBER_WORKER,
    MEMBER_PLUGIN, /* of a worker */
    MEMBER_OBSERVER,
} MemberKind;

typedef struct Member {
    MemberKind kind;
    pid_t pid;      /* 0: none is there */
    int control;    /* -1: likewise */
    int row;        /* of the board; -1: not a worker */
    int post;       /* of a worker, to its links; -1: it has none */
    unsigned index; /* of a worker; of a plugin its worker's */
    unsigned place; /* of a plugin, among the isolated */
    const PolicyIsolated *isolated;
    int64_t base;       /* octets in memory when it began to serve */
    uint64_t beats;     /* of a plugin's loop */
    BoardDoing doing;   /* likewise, when it crashed */
    const char *reason; /* why it was ended; NULL: it was not */
    gboolean orphan;    /* a plugin whose worker is gone: it ends */
    gboolean ready;
    gboolean told;   /* to take no more connections, or to end */
    gboolean drains; /* a worker: it has said that it does */
    int64_t started; /* monotonic */
    int64_t restart; /* when to start it again */
    unsigned losses; /* in a row, each of them young */
    unsigned lost;   /* ever */
    uint64_t turns;  /* last seen */
    unsigned still;  /* looks since they moved */
} Member;

gboolean member_start(Member *member, const ChildStart *start);
/* Whether it has something to tell: it does not serve yet, or has not yet said
 * that it drains. */
gboolean member_waits(const Member *member);
void member_hear(Member *member);
/* TRUE: process `pid` ended just now, with this wait status. */
gboolean member_reap(Member *member, pid_t *pid, int *status);
/* When it comes again; who came and went just now waits. */
void member_plan(Member *member);
/* It was not told to end: says so, and when it comes again. */
void member_lost(Member *member, pid_t pid, int status);
/* Whether its loop turns, and it keeps to its memory; ends it if not. */
void member_watch(Member *member);
void member_tell(Member *member, WorkerCommand command);
/* Octets that it has in memory; 0: that is not known. */
int64_t member_memory(const Member *member);
void member_kill(const Member *member);
/* The same; the log will say why. */
void member_end(Member *member, const char *reason);
