/* visitors.c: clients that are here, or were a while ago, counted by address
 * and by network for the whole machine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/visitors.h"

#include "filterd/base/clock.h"
#include "filterd/base/shared.h"
#include "filterd/base/siphash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define MINUTE 60000
#define BUCKETS (VISITORS_LIMIT / VISITORS_BUCKET)

static const int64_t spans[VISITOR_EVENTS] = {
    [VISITOR_CONNECTION] = MINUTE,
    [VISITOR_ERROR] = 10 * (int64_t)MINUTE,
    [VISITOR_UNKNOWN] = 10 * (int64_t)MINUTE,
};

/* Two spans side by side stand for one that slides. */
typedef struct Window {
    int64_t began; /* the present one */
    uint32_t now, before;
} Window;

typedef struct Entry {
    FilterdIp ip;
    gboolean used;
    int64_t seen; /* monotonic, as all times here */
    int64_t told;
    Window windows[VISITOR_EVENTS];
    uint32_t sessions[]; /* of each worker */
} Entry;

typedef struct Table {
    SharedTable shared;
    SiphashKey key;
    unsigned workers, used;
    gboolean touched[BUCKETS]; /* whether a bucket has entries */
    uint64_t entries[];
} Table;

static Table *table;
static unsigned own;

/* ---- memory ------------------------------------------------------------- */

/* Buckets that nobody was counted in are never looked into, and cost nothing.
 */
void
visitors_init(unsigned workers)
{
    visitors_clear();
    table = shared_table_new("the visitors", sizeof(Table), VISITORS_LIMIT,
                             sizeof(Entry) + workers * sizeof(uint32_t));
    table->workers = workers;
    own = 0;
    if (getrandom(&table->key, sizeof table->key, 0) != sizeof table->key)
        g_error("no random key: %s", g_strerror(errno));
}

void
visitors_clear(void)
{
    shared_table_free(table != NULL ? &table->shared : NULL);
    table = NULL;
}

/* Every change is one of numbers that make sense by themselves, so what a dead
 * worker leaves behind is sound. */
static void
lock(void)
{
    shared_table_lock(&table->shared);
}

static void
unlock(void)
{
    shared_table_unlock(&table->shared);
}

/* Seats count from 1. */
static Entry *
entry_at(unsigned seat)
{
    return (Entry *)((char *)table->entries
                     + (seat - 1) * table->shared.stride);
}

void
visitors_forget(unsigned worker)
{
    if (table == NULL)
        return;
    g_assert(worker < table->workers);
    lock();
    for (unsigned i = 0; i < VISITORS_LIMIT; i++)
        if (table->touched[i / VISITORS_BUCKET])
            entry_at(i + 1)->sessions[worker] = 0;
    unlock();
}

void
visitors_use_row(unsigned worker)
{
    own = worker;
    visitors_forget(worker);
}

/* ---- windows ------------------------------------------------------------ */

static void
window_slide(Window *window, int64_t span, int64_t now)
{
    int64_t age = now - window->began;
    if (age < span)
        return;
    window->before = age < 2 * span ? window->now : 0;
    window->began = age < 2 * span ? window->began + span : now;
    window->now = 0;
}

static int64_t
window_count(Window *window, int64_t span, int64_t now)
{
    window_slide(window, span, now);
    int64_t left = span - (now - window->began);
    return window->now + window->before * left / span;
}

/* ---- entries ------------------------------------------------------------ */

static int64_t
count_sessions(const Entry *entry)
{
    int64_t sessions = 0;
    for (unsigned i = 0; i < table->workers; i++)
        sessions += entry->sessions[i];
    return sessions;
}

static unsigned
bucket_of(const FilterdIp *ip)
{
    uint8_t bytes[sizeof ip->bytes + 1];
    memcpy(bytes, ip->bytes, sizeof ip->bytes);
    bytes[sizeof ip->bytes] = ip->prefix;
    uint64_t hash = siphash(&table->key, bytes, sizeof bytes);
    return (unsigned)(hash % BUCKETS);
}

/* Whether `entry` is rather to be given away than `other`. */
static gboolean
gives_way(const Entry *entry, const Entry *other)
{
    if (entry->used && count_sessions(entry) > 0)
        return FALSE;
    return other == NULL || (other->used && !entry->used)
           || (other->used == entry->used && entry->seen < other->seen);
}

static void
entry_begin(Entry *entry, const FilterdIp *ip)
{
    table->used += entry->used ? 0 : 1;
    memset(entry, 0, table->shared.stride);
    entry->ip = *ip;
    entry->used = TRUE;
}

/* 0: the bucket is full of visitors with sessions. */
static unsigned
find_seat(const FilterdIp *ip)
{
    unsigned bucket = bucket_of(ip), seat = 0;
    table->touched[bucket] = TRUE;
    for (unsigned n = 1; n <= VISITORS_BUCKET; n++) {
        unsigned i = bucket * VISITORS_BUCKET + n;
        const Entry *entry = entry_at(i);
        if (entry->used && entry->ip.prefix == ip->prefix
            && memcmp(entry->ip.bytes, ip->bytes, sizeof ip->bytes) == 0)
            return i;
        if (gives_way(entry, seat != 0 ? entry_at(seat) : NULL))
            seat = i;
    }
    if (seat != 0)
        entry_begin(entry_at(seat), ip);
    return seat;
}

unsigned
visitors_enter(const FilterdIp *ip)
{
    if (table == NULL)
        return 0;
    lock();
    unsigned seat = find_seat(ip);
    if (seat != 0) {
        Entry *entry = entry_at(seat);
        entry->seen = clock_monotonic();
        entry->sessions[own]++;
    }
    unlock();
    return seat;
}

void
visitors_leave(unsigned seat)
{
    if (seat == 0)
        return;
    lock();
    Entry *entry = entry_at(seat);
    entry->seen = clock_monotonic();
    if (entry->sessions[own] > 0)
        entry->sessions[own]--;
    unlock();
}

void
visitors_note(unsigned seat, VisitorEvent event)
{
    if (seat == 0)
        return;
    lock();
    Window *window = &entry_at(seat)->windows[event];
    window_slide(window, spans[event], clock_monotonic());
    window->now++;
    unlock();
}

void
visitors_count(unsigned seat, VisitorCounts *counts)
{
    *counts = (VisitorCounts){0};
    if (seat == 0)
        return;
    int64_t now = clock_monotonic();
    lock();
    Entry *entry = entry_at(seat);
    counts->sessions = count_sessions(entry);
    for (unsigned i = 0; i < VISITOR_EVENTS; i++)
        counts->recent[i] = window_count(&entry->windows[i], spans[i], now);
    unlock();
}

gboolean
visitors_tell(unsigned seat, int64_t milliseconds)
{
    if (seat == 0)
        return TRUE;
    lock();
    Entry *entry = entry_at(seat);
    gboolean tell =
        entry->told == 0 || clock_monotonic() - entry->told >= milliseconds;
    if (tell)
        entry->told = clock_monotonic();
    unlock();
    return tell;
}

unsigned
visitors_known(void)
{
    return table != NULL ? table->used : 0;
}
