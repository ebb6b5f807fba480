/* clock.c: the kernel's clocks, and a stopped one for tests. (RFC 5322 3.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"

#include <time.h>

/* While stopped, both are the time that stands; while running, what is added
 * to the kernel's. */
static gboolean stopped;
static int64_t monotonic_shift, real_shift;
static void (*listener)(void);

static int64_t
read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_monotonic(void)
{
    return stopped ? monotonic_shift
                   : read_clock(CLOCK_MONOTONIC) + monotonic_shift;
}

int64_t
clock_real(void)
{
    return stopped ? real_shift : read_clock(CLOCK_REALTIME) + real_shift;
}

int64_t
clock_after(int64_t milliseconds)
{
    int64_t deadline;

    if (milliseconds < 0
        || __builtin_add_overflow(clock_monotonic(), milliseconds, &deadline))
        return CLOCK_NEVER;
    return deadline;
}

char *
clock_format_mail(int64_t real)
{
    /* Not strftime(): its names follow the locale. */
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
                                   "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = real / 1000;
    struct tm utc;

    gmtime_r(&seconds, &utc);
    return g_strdup_printf("%s, %02d %s %04d %02d:%02d:%02d +0000",
                           days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
                           utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                           utc.tm_sec);
}

static void
tell_listener(void)
{
    if (listener != NULL)
        listener();
}

void
clock_stop(int64_t real)
{
    int64_t monotonic = clock_monotonic();

    real_shift = real != 0 ? real : clock_real();
    monotonic_shift = monotonic;
    stopped = TRUE;
    tell_listener();
}

void
clock_advance(int64_t milliseconds)
{
    g_assert(milliseconds >= 0);
    monotonic_shift += milliseconds;
    real_shift += milliseconds;
    tell_listener();
}

void
clock_start(void)
{
    if (!stopped)
        return;
    monotonic_shift -= read_clock(CLOCK_MONOTONIC);
    real_shift -= read_clock(CLOCK_REALTIME);
    stopped = FALSE;
    tell_listener();
}

gboolean
clock_stopped(void)
{
    return stopped;
}

void
clock_set_listener(void (*changed)(void))
{
    listener = changed;
}
