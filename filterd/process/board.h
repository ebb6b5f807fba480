/* board.h: what the processes show each other in shared memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A worker writes its own row; rows are also those of the metrics. The master
 * takes a row for each worker and gives it back when its generation ends.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

/* A worker whose row is older has a loop that hangs, milliseconds. */
#define BOARD_FRESH 10000
#define BOARD_TEXT 64
#define BOARD_PROBLEM 256

/* What it is doing; empty: not known, or nothing of a plugin's. It is not
 * always whole while that process runs. */
typedef struct BoardDoing {
    char plugin[BOARD_TEXT]; /* the instance */
    char hook[BOARD_TEXT];
    char session[BOARD_TEXT];
} BoardDoing;

typedef struct BoardRow {
    pid_t pid;      /* 0: nobody's */
    int64_t beat;   /* when its loop last turned; monotonic */
    uint64_t turns; /* of its loop */
    unsigned sessions, fibers;
    char problem[BOARD_PROBLEM]; /* of the store; empty: it works */
    BoardDoing doing;
    gboolean taken;
} BoardRow;

/* Before the first fork; makes the rows of metrics, visitors and backends, too.
 */
void board_init(unsigned rows);
void board_clear(void);

/* A row that nobody has, emptied; -1: there is none. */
int board_take(void);
/* Forgets what the process that had it counted as going on. */
void board_reset(int row);
void board_give(int row);
unsigned board_left(void);

BoardRow *board_row(int row);
/* Whether any worker's loop turns. */
gboolean board_alive(void);
