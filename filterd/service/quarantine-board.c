/* quarantine-board.c: how much is kept, in memory that the processes share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Workers add to it as they go; each look into the directory, where others
 * release and remove, puts it right.
 */
#include "filterd/service/quarantine-board.h"

#include "filterd/base/clock.h"
#include "filterd/base/shared.h"

typedef struct Board {
    int64_t kept, looked;
    QuarantineCount count;
} Board;

static Board own;
static Board *board = &own;

void
quarantine_board_init(void)
{
    quarantine_board_clear();
    board = shared_map("the quarantine", sizeof(Board));
}

void
quarantine_board_clear(void)
{
    if (board != &own)
        shared_unmap(board, sizeof(Board));
    board = &own;
    own = (Board){0};
}

static void
add(int64_t *number, int64_t delta)
{
    __atomic_add_fetch(number, delta, __ATOMIC_RELAXED);
}

static void
set(int64_t *number, int64_t value)
{
    __atomic_store_n(number, value, __ATOMIC_RELAXED);
}

static int64_t
get(const int64_t *number)
{
    return __atomic_load_n(number, __ATOMIC_RELAXED);
}

void
quarantine_board_set(const QuarantineCount *count)
{
    set(&board->count.messages, count->messages);
    set(&board->count.octets, count->octets);
    set(&board->count.oldest, count->oldest);
    set(&board->count.released, count->released);
    set(&board->count.expired, count->expired);
}

gboolean
quarantine_board_reserve(int64_t octets, int64_t limit)
{
    add(&board->count.octets, octets);
    if (get(&board->count.octets) <= limit)
        return TRUE;
    quarantine_board_give_back(octets);
    return FALSE;
}

void
quarantine_board_give_back(int64_t octets)
{
    add(&board->count.octets, -octets);
}

void
quarantine_board_kept(int64_t now)
{
    int64_t none = 0;
    add(&board->kept, 1);
    add(&board->count.messages, 1);
    __atomic_compare_exchange_n(&board->count.oldest, &none, now, FALSE,
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

gboolean
quarantine_board_due(int64_t milliseconds)
{
    int64_t now = clock_monotonic(), last = get(&board->looked);
    return (last == 0 || now - last >= milliseconds)
           && __atomic_compare_exchange_n(&board->looked, &last, MAX(now, 1),
                                          FALSE, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED);
}

static void
append(GString *out, const char *name, const char *help, int64_t value)
{
    g_string_append_printf(
        out,
        "# HELP filterd_quarantine_%s %s\n# TYPE filterd_quarantine_%s %s\n"
        "filterd_quarantine_%s %" G_GINT64_FORMAT "\n",
        name, help, name,
        g_str_has_suffix(name, "_total") ? "counter" : "gauge", name, value);
}

char *
quarantine_board_format(void)
{
    GString *out = g_string_new(NULL);
    int64_t oldest = get(&board->count.oldest);
    append(out, "kept_total", "Messages kept since the start.",
           get(&board->kept));
    append(out, "released_total", "Messages that a backend took, ever.",
           get(&board->count.released));
    append(out, "expired_total", "Messages removed for their age, ever.",
           get(&board->count.expired));
    append(out, "messages", "Messages that are kept now.",
           get(&board->count.messages));
    append(out, "bytes", "Octets of them.", MAX(get(&board->count.octets), 0));
    append(out, "oldest_seconds", "How long the oldest has been there.",
           oldest != 0 ? MAX(clock_real() - oldest, 0) / 1000 : 0);
    return g_string_free(out, FALSE);
}
