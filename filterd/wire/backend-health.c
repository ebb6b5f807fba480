/* backend-health.c: which backends are up, for all workers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-health.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/base/shared.h"

#include <inttypes.h>
#include <string.h>

/* "unix:" and the longest path of a socket. */
#define NAME_SIZE 128
#define REASON_SIZE 192

/* Of one worker. */
typedef struct Part {
    unsigned users; /* 0: it knows nothing of this backend */
    int64_t open;
} Part;

struct BackendHealth {
    char name[NAME_SIZE];
    gboolean private;
    gboolean down;
    char reason[REASON_SIZE];
    unsigned failures; /* on end; what the pause grows with */
    unsigned claimant; /* the worker that tries it, from 1; 0: nobody */
    int64_t retry;     /* when it may be tried; monotonic, as all times here */
    int64_t eager;     /* the same where there is no other */
    int64_t since;     /* when it came back */
    unsigned epoch;
    int64_t credit; /* of the turns */
    int64_t faults, uses;
    Part parts[];
};

typedef struct Table {
    SharedTable shared;
    unsigned workers;
    uint64_t rows[];
} Table;

static Table *table;
static unsigned own;

/* ---- memory ------------------------------------------------------------- */

void
backend_health_init(unsigned workers)
{
    backend_health_clear();
    table = shared_table_new("the backends", sizeof(Table), HEALTH_LIMIT,
                             sizeof(BackendHealth) + workers * sizeof(Part));
    table->workers = workers;
    own = 0;
}

void
backend_health_clear(void)
{
    shared_table_free(table != NULL ? &table->shared : NULL);
    table = NULL;
}

static BackendHealth *
row_at(unsigned i)
{
    return (BackendHealth *)((char *)table->rows + i * table->shared.stride);
}

static void
lock(void)
{
    if (table != NULL)
        shared_table_lock(&table->shared);
}

static void
unlock(void)
{
    if (table != NULL)
        shared_table_unlock(&table->shared);
}

static Part *
own_part(BackendHealth *health)
{
    return &health->parts[health->private ? 0 : own];
}

static gboolean
in_use(const BackendHealth *health)
{
    for (unsigned i = 0; i < table->workers; i++)
        if (health->parts[i].users > 0)
            return TRUE;
    return FALSE;
}

void
backend_health_forget(unsigned worker)
{
    if (table == NULL)
        return;
    g_assert(worker < table->workers);
    lock();
    for (unsigned i = 0; i < HEALTH_LIMIT; i++) {
        BackendHealth *health = row_at(i);
        health->parts[worker] = (Part){0};
        if (health->claimant == worker + 1)
            health->claimant = 0;
    }
    unlock();
}

void
backend_health_use_row(unsigned worker)
{
    own = worker;
    backend_health_forget(worker);
}

/* The row of that name, else one that nobody uses; NULL. */
static BackendHealth *
find_row(const char *name)
{
    BackendHealth *vacant = NULL;
    for (unsigned i = 0; table != NULL && i < HEALTH_LIMIT; i++) {
        BackendHealth *health = row_at(i);
        gboolean used = in_use(health);
        if (used && strcmp(health->name, name) == 0)
            return health;
        if (!used && vacant == NULL)
            vacant = health;
    }
    if (vacant != NULL)
        memset(vacant, 0, table->shared.stride);
    return vacant;
}

BackendHealth *
backend_health_enter(const Endpoint *endpoint)
{
    g_autofree char *name = endpoint_format(endpoint);
    lock();
    BackendHealth *health = find_row(name);
    if (health == NULL) {
        health = g_malloc0(sizeof(BackendHealth) + sizeof(Part));
        health->private = TRUE;
    }
    g_strlcpy(health->name, name, sizeof health->name);
    own_part(health)->users++;
    unlock();
    return health;
}

void
backend_health_leave(BackendHealth *health)
{
    gboolean last;
    lock();
    last = --own_part(health)->users == 0;
    unlock();
    if (last && health->private)
        g_free(health);
}

/* ---- up and down -------------------------------------------------------- */

gboolean
backend_health_up(const BackendHealth *health)
{
    return !__atomic_load_n(&health->down, __ATOMIC_RELAXED);
}

int64_t
backend_health_since(const BackendHealth *health)
{
    return __atomic_load_n(&health->since, __ATOMIC_RELAXED);
}

unsigned
backend_health_epoch(const BackendHealth *health)
{
    return __atomic_load_n(&health->epoch, __ATOMIC_RELAXED);
}

char *
backend_health_reason(const BackendHealth *health)
{
    lock();
    char *reason =
        g_strdup_printf("backend %s is down: %s", health->name, health->reason);
    unlock();
    return reason;
}

gboolean
backend_health_claim(BackendHealth *health, gboolean eager)
{
    lock();
    int64_t due = eager ? MIN(health->eager, health->retry) : health->retry;
    gboolean mine =
        health->down && health->claimant == 0 && clock_monotonic() >= due;
    if (mine)
        health->claimant = own + 1;
    unlock();
    return mine;
}

void
backend_health_unclaim(BackendHealth *health, gboolean claimed)
{
    lock();
    if (claimed)
        health->claimant = 0;
    unlock();
}

void
backend_health_worked(BackendHealth *health, gboolean claimed)
{
    if (!claimed && backend_health_up(health))
        return;
    lock();
    gboolean back = health->down;
    if (claimed)
        health->claimant = 0;
    if (back) {
        health->down = FALSE;
        health->since = clock_monotonic();
        health->epoch++;
        health->credit = 0;
    }
    unlock();
    if (back)
        log_event(FILTERD_LOG_INFO, "backend", "%s is up again", health->name);
}

static int64_t
next_pause(const BackendHealth *health, int64_t longest)
{
    int64_t pause = HEALTH_FIRST_PAUSE;
    longest =
        longest > 0 ? MIN(longest, HEALTH_LONGEST_PAUSE) : HEALTH_LONGEST_PAUSE;
    for (unsigned i = 1; i < health->failures && pause < longest; i++)
        pause *= 2;
    pause = MIN(pause, longest * 5 / 6);
    return pause + g_random_int_range(0, (gint32)(pause / 5) + 1);
}

/* TRUE: it was up. Those who had begun before it was down, and those who try
 * before the pause has passed, say nothing new. */
static gboolean
note_failure(BackendHealth *health, const BackendFailure *failure)
{
    int64_t now = clock_monotonic();
    gboolean fell = !health->down;
    gboolean relapse =
        health->since != 0 && now - health->since < HEALTH_RELAPSE;
    if (failure->claimed)
        health->claimant = 0;
    if (fell || failure->claimed)
        health->eager = failure->took < HEALTH_QUICK
                            ? now
                            : now + failure->took * HEALTH_EAGER;
    if (!fell && !(failure->claimed && now >= health->retry))
        return FALSE;
    health->failures = fell && !relapse ? 1 : MIN(health->failures + 1, 32);
    health->retry = now + next_pause(health, failure->longest);
    health->down = TRUE;
    g_strlcpy(health->reason, failure->why, sizeof health->reason);
    return fell;
}

void
backend_health_failed(BackendHealth *health, const BackendFailure *failure)
{
    lock();
    health->faults++;
    gboolean fell = note_failure(health, failure);
    unlock();
    if (fell)
        log_event(FILTERD_LOG_WARNING, "backend", "%s is down: %s",
                  health->name, failure->why);
}

/* ---- counting ----------------------------------------------------------- */

void
backend_health_count_fault(BackendHealth *health)
{
    __atomic_fetch_add(&health->faults, 1, __ATOMIC_RELAXED);
}

void
backend_health_count_use(BackendHealth *health)
{
    __atomic_fetch_add(&health->uses, 1, __ATOMIC_RELAXED);
}

void
backend_health_count_open(BackendHealth *health, int change)
{
    __atomic_fetch_add(&own_part(health)->open, change, __ATOMIC_RELAXED);
}

/* ---- turns -------------------------------------------------------------- */

/* Each gets credit by its weight; who has most goes, and pays for all. */
unsigned
backend_health_pick(const BackendShare *shares, unsigned length)
{
    int64_t total = 0;
    unsigned best = 0;
    lock();
    for (unsigned i = 0; i < length; i++) {
        shares[i].health->credit += shares[i].weight;
        total += shares[i].weight;
        if (shares[i].health->credit > shares[best].health->credit)
            best = i;
    }
    shares[best].health->credit -= total;
    unlock();
    return best;
}

/* ---- metrics ------------------------------------------------------------ */

static int64_t
read_up(const BackendHealth *health)
{
    return backend_health_up(health) ? 1 : 0;
}

static int64_t
read_open(const BackendHealth *health)
{
    int64_t open = 0;
    for (unsigned i = 0; i < table->workers; i++)
        open += __atomic_load_n(&health->parts[i].open, __ATOMIC_RELAXED);
    return open;
}

static int64_t
read_uses(const BackendHealth *health)
{
    return __atomic_load_n(&health->uses, __ATOMIC_RELAXED);
}

static int64_t
read_faults(const BackendHealth *health)
{
    return __atomic_load_n(&health->faults, __ATOMIC_RELAXED);
}

static const struct Kind {
    const char *name, *type, *help;
    int64_t (*read)(const BackendHealth *health);
} kinds[] = {
    {"backend_up", "gauge", "Whether this backend is up.", read_up},
    {"backend_connections", "gauge", "Connections to this backend.", read_open},
    {"backend_uses_total", "counter",
     "Times that mail took a connection to this backend.", read_uses},
    {"backend_failures_total", "counter",
     "Times that this backend did not do as it should.", read_faults},
};

static void
format_kind(GString *out, const struct Kind *kind)
{
    g_string_append_printf(out, "# HELP filterd_%s %s\n# TYPE filterd_%s %s\n",
                           kind->name, kind->help, kind->name, kind->type);
    for (unsigned i = 0; i < HEALTH_LIMIT; i++) {
        const BackendHealth *health = row_at(i);
        if (!in_use(health))
            continue;
        g_autofree char *name = g_strescape(health->name, NULL);
        g_string_append_printf(out, "filterd_%s{backend=\"%s\"} %" PRId64 "\n",
                               kind->name, name, kind->read(health));
    }
}

char *
backend_health_format(void)
{
    GString *out = g_string_new(NULL);
    lock();
    for (unsigned i = 0; table != NULL && i < G_N_ELEMENTS(kinds); i++)
        format_kind(out, &kinds[i]);
    unlock();
    return g_string_free(out, FALSE);
}

/* ---- for people --------------------------------------------------------- */

static void
view_free(void *data)
{
    BackendView *view = data;
    g_free(view->name);
    g_free(view->reason);
    g_free(view);
}

/* Whoever wrote the texts may have been cut short. */
static BackendView *
view_new(const BackendHealth *health)
{
    BackendView *view = g_new(BackendView, 1);
    *view = (BackendView){
        .name = g_strndup(health->name, NAME_SIZE - 1),
        .reason =
            health->down ? g_strndup(health->reason, REASON_SIZE - 1) : NULL,
        .connections = read_open(health),
        .uses = read_uses(health),
        .failures = read_faults(health),
    };
    return view;
}

GPtrArray *
backend_health_views(void)
{
    GPtrArray *views = g_ptr_array_new_with_free_func(view_free);
    lock();
    for (unsigned i = 0; table != NULL && i < HEALTH_LIMIT; i++)
        if (in_use(row_at(i)))
            g_ptr_array_add(views, view_new(row_at(i)));
    unlock();
    return views;
}
