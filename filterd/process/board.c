/* board.c: what the processes show each other in shared memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/board.h"

#include "filterd/base/clock.h"
#include "filterd/base/metrics.h"
#include "filterd/base/shared.h"
#include "filterd/base/timing.h"
#include "filterd/base/visitors.h"
#include "filterd/service/quarantine-board.h"
#include "filterd/wire/backend-health.h"

static BoardRow *rows;
static unsigned row_count;

void
board_init(unsigned count)
{
    rows = shared_map("the board", count * sizeof(BoardRow));
    row_count = count;
    metrics_init(count);
    timings_init(count);
    visitors_init(count);
    backend_health_init(count);
    quarantine_board_init();
}

void
board_clear(void)
{
    quarantine_board_clear();
    backend_health_clear();
    visitors_clear();
    timings_clear();
    shared_unmap(rows, row_count * sizeof(BoardRow));
    rows = NULL;
}

int
board_take(void)
{
    for (unsigned i = 0; i < row_count; i++)
        if (!rows[i].taken) {
            rows[i] = (BoardRow){.taken = TRUE};
            return (int)i;
        }
    return -1;
}

/* The master's own row is behind all others. */
void
board_reset(int row)
{
    rows[row] = (BoardRow){.taken = TRUE};
    visitors_forget((unsigned)row);
    backend_health_forget((unsigned)row);
    metrics_use_row((unsigned)row);
    metrics_use_row(row_count);
}

void
board_give(int row)
{
    board_reset(row);
    rows[row].taken = FALSE;
}

unsigned
board_left(void)
{
    unsigned left = 0;
    for (unsigned i = 0; i < row_count; i++)
        left += rows[i].taken ? 0 : 1;
    return left;
}

BoardRow *
board_row(int row)
{
    return &rows[row];
}

gboolean
board_alive(void)
{
    int64_t oldest = clock_monotonic() - BOARD_FRESH;
    for (unsigned i = 0; i < row_count; i++)
        if (rows[i].pid != 0 && rows[i].beat >= oldest)
            return TRUE;
    return FALSE;
}
