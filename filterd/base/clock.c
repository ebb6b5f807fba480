/* clock.c: the kernel's clocks, and a stopped one for tests. (RFC 3339, RFC
 * 5322 3.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"

#include "filterd/base/text.h"

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
clock_coarse(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
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

static struct tm
split(int64_t real)
{
    time_t seconds = real / 1000;
    struct tm utc;

    gmtime_r(&seconds, &utc);
    return utc;
}

static void
append_time_of_day(GString *out, const struct tm *utc)
{
    text_append_padded(out, (unsigned)utc->tm_hour, 2);
    g_string_append_c(out, ':');
    text_append_padded(out, (unsigned)utc->tm_min, 2);
    g_string_append_c(out, ':');
    text_append_padded(out, (unsigned)utc->tm_sec, 2);
}

void
clock_append(GString *out, int64_t real)
{
    struct tm utc = split(real);

    text_append_padded(out, (unsigned)utc.tm_year + 1900, 4);
    g_string_append_c(out, '-');
    text_append_padded(out, (unsigned)utc.tm_mon + 1, 2);
    g_string_append_c(out, '-');
    text_append_padded(out, (unsigned)utc.tm_mday, 2);
    g_string_append_c(out, 'T');
    append_time_of_day(out, &utc);
    g_string_append_c(out, '.');
    text_append_padded(out, (unsigned)(real % 1000), 3);
    g_string_append_c(out, 'Z');
}

void
clock_append_mail(GString *out, int64_t real)
{
    /* Not strftime(): its names follow the locale. */
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
                                   "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm utc = split(real);

    text_append_all(out, days[utc.tm_wday], ", ", NULL);
    text_append_padded(out, (unsigned)utc.tm_mday, 2);
    text_append_all(out, " ", months[utc.tm_mon], " ", NULL);
    text_append_padded(out, (unsigned)utc.tm_year + 1900, 4);
    g_string_append_c(out, ' ');
    append_time_of_day(out, &utc);
    text_append(out, " +0000");
}

char *
clock_format_mail(int64_t real)
{
    GString *out = g_string_sized_new(sizeof "Sun, 22 Nov 2026 10:00:00 +0000");

    clock_append_mail(out, real);
    return g_string_free(out, FALSE);
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
