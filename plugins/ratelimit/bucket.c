/* bucket.c: a bucket that leaks, kept in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/ratelimit/bucket.h"

#include <string.h>

/* Nanoseconds: an octet of a gigabyte an hour is 3600. */
#define MILLISECOND INT64_C(1000000)
#define SECOND (1000 * MILLISECOND)
#define YEAR (366 * 86400 * SECOND)

/* Milliseconds: clocks of gateways differ; for a turn at a bucket. */
#define MARGIN 1000
#define PATIENCE 5000

typedef __int128 Wide;

/* ---- time and amounts --------------------------------------------------- */

static int64_t
time_of(const BucketSize *size, int64_t amount)
{
    return (int64_t)((Wide)amount * size->period * MILLISECOND / size->count);
}

static int64_t
amount_of(const BucketSize *size, int64_t time)
{
    Wide whole = (Wide)size->period * MILLISECOND;

    return (int64_t)(((Wide)time * size->count + whole - 1) / whole);
}

static int64_t
milliseconds(int64_t time)
{
    return (time + MILLISECOND - 1) / MILLISECOND;
}

int64_t
bucket_time(const BucketSize *size)
{
    Wide full = (Wide)size->burst * size->period * MILLISECOND / size->count;

    if (full > YEAR || time_of(size, 1) == 0)
        return -1;
    return milliseconds((int64_t)full);
}

/* ---- the store ---------------------------------------------------------- */

/* When it is empty; 0: it is. A clock that was set back leaves times that no
 * bucket has. False: the store failed. */
static bool
end_read(FilterdCall *call, const char *key, int64_t latest, int64_t *end)
{
    const char *value;
    size_t length;
    FilterdStoreStatus status =
        call->host->store_get(call, key, &value, &length);

    if (status != FILTERD_STORE_OK
        || !g_ascii_string_to_signed(value, 10, 0, latest, end, NULL))
        *end = 0;
    return status != FILTERD_STORE_FAILED;
}

static bool
end_write(FilterdCall *call, const char *key, int64_t end, int64_t lifetime)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, end);

    return call->host->store_put(call, key, text, strlen(text), lifetime)
           == FILTERD_STORE_OK;
}

/* ---- pouring ------------------------------------------------------------ */

typedef struct Pouring {
    FilterdCall *call;
    const char *key;
    int64_t now, full, cost, lifetime;
    int64_t end; /* when it is empty */
    bool exceeded;
} Pouring;

/* Into one that was not empty a moment ago. Whoever meanwhile filled it was
 * first, and what does not fit is taken back. */
static bool
pour_more(Pouring *pouring)
{
    const FilterdHost *host = pouring->call->host;

    if (host->store_add(pouring->call, pouring->key, pouring->cost,
                        pouring->lifetime, &pouring->end)
        != FILTERD_STORE_OK)
        return false;
    if (pouring->end <= pouring->now) {
        pouring->end = pouring->now + pouring->cost;
        return end_write(pouring->call, pouring->key, pouring->end,
                         pouring->lifetime);
    }
    if (pouring->end <= pouring->now + pouring->full)
        return true;
    pouring->exceeded = true;
    return host->store_add(pouring->call, pouring->key, -pouring->cost,
                           pouring->lifetime, &pouring->end)
           == FILTERD_STORE_OK;
}

static bool
pour(Pouring *pouring)
{
    int64_t latest = pouring->now + 2 * pouring->full + SECOND;

    if (!end_read(pouring->call, pouring->key, latest, &pouring->end))
        return false;

    bool empty = pouring->end <= pouring->now;

    pouring->end = MAX(pouring->end, pouring->now);
    pouring->exceeded =
        pouring->end + pouring->cost > pouring->now + pouring->full;
    if (pouring->exceeded)
        return true;
    if (!empty)
        return pour_more(pouring);
    pouring->end += pouring->cost;
    return end_write(pouring->call, pouring->key, pouring->end,
                     pouring->lifetime);
}

bool
bucket_pour(FilterdCall *call, const char *key, const BucketSize *size,
            int64_t amount, BucketLevel *level)
{
    int64_t poured = MIN(amount, size->burst);
    Pouring pouring = {
        .call = call,
        .key = key,
        .now = call->host->now(call) * MILLISECOND,
        .full = time_of(size, size->burst),
        .cost = time_of(size, poured),
        .lifetime = bucket_time(size) + MARGIN,
    };

    if (!call->host->enter(call, key, 1, PATIENCE))
        return false;

    bool ok = pour(&pouring);

    call->host->leave(call, key);
    if (!ok)
        return false;

    int64_t filled = MIN(pouring.end - pouring.now, pouring.full);
    int64_t next = pouring.exceeded ? pouring.cost : time_of(size, 1);

    *level = (BucketLevel){
        .exceeded = pouring.exceeded,
        .level = amount_of(size, MAX(filled, INT64_C(0))),
        .wait = milliseconds(MAX(filled + next - pouring.full, INT64_C(0))),
    };
    return true;
}
