/* backend-watch.c: looks at a backend that is down, and asks what it offers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-watch.h"

#include "filterd/base/clock.h"

struct BackendWatch {
    BackendLink *link;
    FiberQueue *curious;
    Fiber *fiber;
    gboolean asked; /* somebody waits for the answer */
};

/* The connection is of use to whoever asked: mail comes soon. */
static void
ask(BackendWatch *watch, gboolean claimed)
{
    SmtpClient *client = backend_link_ask(watch->link, claimed, NULL);
    if (client != NULL && watch->asked)
        backend_link_give(watch->link, client);
    else if (client != NULL)
        backend_link_close(watch->link, client);
}

/* One that is up is looked at when mail has met with something odd. */
static void
look(BackendWatch *watch)
{
    BackendHealth *health = backend_link_health(watch->link);
    gboolean checks = backend_link_config(watch->link)->health_interval > 0;
    gboolean doubted = backend_link_take_doubt(watch->link);
    if (!backend_health_up(health)) {
        if ((checks || watch->asked)
            && backend_health_claim(health, watch->asked))
            ask(watch, TRUE);
    } else if (watch->asked || (checks && doubted)) {
        ask(watch, FALSE);
    }
}

static int64_t
pause_of(const BackendWatch *watch)
{
    int64_t interval = backend_link_config(watch->link)->health_interval;
    return interval > 0
               ? CLAMP(interval, BACKEND_WATCH_LEAST, BACKEND_WATCH_PAUSE)
               : BACKEND_WATCH_PAUSE;
}

static void
run(void *data)
{
    BackendWatch *watch = data;
    int64_t pause = pause_of(watch);
    while (fiber_wait(clock_after(pause)) != FIBER_CANCELLED) {
        look(watch);
        watch->asked = FALSE;
        fiber_queue_wake_all(watch->curious);
    }
}

BackendWatch *
backend_watch_new(BackendLink *link, FiberQueue *curious)
{
    BackendWatch *watch = g_new0(BackendWatch, 1);
    watch->link = link;
    watch->curious = curious;
    watch->fiber = fiber_start("backend watch", run, watch);
    return watch;
}

void
backend_watch_free(BackendWatch *watch)
{
    fiber_cancel(watch->fiber);
    fiber_join(watch->fiber);
    g_free(watch);
}

void
backend_watch_ask(BackendWatch *watch)
{
    watch->asked = TRUE;
    fiber_wake(watch->fiber);
}

gboolean
backend_watch_asks(const BackendWatch *watch)
{
    return watch->asked;
}
