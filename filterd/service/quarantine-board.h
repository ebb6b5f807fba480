/* quarantine-board.h: how much is kept, in memory that the processes share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* What a look into the directory found. */
typedef struct QuarantineCount {
    int64_t messages, octets;
    int64_t oldest;            /* milliseconds since 1970; 0: there is none */
    int64_t released, expired; /* ever */
} QuarantineCount;

/* Before the first fork; without it a process counts for itself. */
void quarantine_board_init(void);
void quarantine_board_clear(void);

void quarantine_board_set(const QuarantineCount *count);
/* FALSE: there would be more than `limit`; nothing is reserved then. */
gboolean quarantine_board_reserve(int64_t octets, int64_t limit);
void quarantine_board_give_back(int64_t octets);
void quarantine_board_kept(int64_t now);
/* TRUE once in `milliseconds`, to whoever asks first. */
gboolean quarantine_board_due(int64_t milliseconds);

/* The Prometheus text. Caller frees. */
char *quarantine_board_format(void);
