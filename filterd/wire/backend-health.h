/* backend-health.h: which backends are up, for all workers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One table of a fixed size in shared memory, made by the master before it
 * forks, with a row for each address; without it, or where it is full, a
 * process keeps such rows for itself. A backend that failed is down, and tried
 * again when a pause has passed, by one of those who want to: the pause grows
 * with each failure. A change of its state is a line of the log.
 */
#pragma once

#include "filterd/base/endpoint.h"

/* Rows of the table, over all generations. */
#define HEALTH_LIMIT 256
/* What a backend is down for after its first failure, and up to a fifth more,
 * lest all be tried at once; what that grows to, by doubling, at most;
 * milliseconds. */
#define HEALTH_FIRST_PAUSE 1000
#define HEALTH_LONGEST_PAUSE 30000
/* Where no other is up, mail tries a backend sooner: at once if its last
 * failure took less than this, milliseconds, else when so many times of what it
 * took have passed. Who refuses costs nothing, who is silent holds somebody up.
 */
#define HEALTH_QUICK 250
#define HEALTH_EAGER 10
/* A backend that fails again so soon after it came back has not been well. */
#define HEALTH_RELAPSE 60000

/* Of one backend: no worker's own. */
typedef struct BackendHealth BackendHealth;

/* For so many workers; before the first fork. This process is the first. */
void backend_health_init(unsigned workers);
void backend_health_clear(void);
/* The worker that this process is from now on. */
void backend_health_use_row(unsigned worker);
/* That worker is gone, with its connections and what it was trying. */
void backend_health_forget(unsigned worker);

/* The row of an address, the same for everybody; until left. */
BackendHealth *backend_health_enter(const Endpoint *endpoint);
void backend_health_leave(BackendHealth *health);

gboolean backend_health_up(const BackendHealth *health);
/* When it last came back; monotonic. 0: it never was away. */
int64_t backend_health_since(const BackendHealth *health);
/* How often it came back. */
unsigned backend_health_epoch(const BackendHealth *health);
/* Why it is down. Caller frees. */
char *backend_health_reason(const BackendHealth *health);

/* Of one that is down: TRUE for one asker when its pause has passed. It tries,
 * and says what came of it by one of the three below, with `claimed`. `eager`:
 * there is no other. */
gboolean backend_health_claim(BackendHealth *health, gboolean eager);
void backend_health_worked(BackendHealth *health, gboolean claimed);

typedef struct BackendFailure {
    gboolean claimed;
    int64_t longest; /* what its pause may grow to; 0: HEALTH_LONGEST_PAUSE */
    int64_t took;    /* to find out, milliseconds */
    const char *why;
} BackendFailure;
void backend_health_failed(BackendHealth *health,
                           const BackendFailure *failure);
/* It was not found out. */
void backend_health_unclaim(BackendHealth *health, gboolean claimed);

/* Something went wrong with it; for the metrics. */
void backend_health_count_fault(BackendHealth *health);
/* Mail was given to it; for the metrics. */
void backend_health_count_use(BackendHealth *health);
/* Connections of this worker. */
void backend_health_count_open(BackendHealth *health, int change);

/* Who is next: by turns over all workers, each by its share of the weights
 * (smooth weighted round robin). Weights are over 0; an index. */
typedef struct BackendShare {
    BackendHealth *health;
    int64_t weight;
} BackendShare;
unsigned backend_health_pick(const BackendShare *shares, unsigned length);

/* What is known of one, by its address; a copy. */
typedef struct BackendView {
    char *name;
    char *reason; /* NULL: it is up */
    int64_t connections, uses, failures;
} BackendView;

/* Of all that workers use. Caller frees. */
GPtrArray *backend_health_views(void);

/* The Prometheus text: a line of each kind for each address. Caller frees. */
char *backend_health_format(void);
