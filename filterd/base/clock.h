/* clock.h: the time, in milliseconds, which a test may stop and advance.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Since some start, never backwards: for deadlines. */
int64_t clock_monotonic(void);
/* Since 1970: for what outlives the process. */
int64_t clock_real(void);

/* The kernel's, also while time stands, and to within a tick of it (some
 * milliseconds): what costs a sixth, for what is asked at every step. */
int64_t clock_coarse(void);

/* A deadline so many milliseconds from now; CLOCK_NEVER for a negative one. */
int64_t clock_after(int64_t milliseconds);

/* RFC 3339, as in "2026-11-22T10:00:00.000Z". */
void clock_append(GString *out, int64_t real);
/* RFC 5322 3.3, as in "Sun, 22 Nov 2026 10:00:00 +0000"; the caller frees a
 * text of its own. */
void clock_append_mail(GString *out, int64_t real);
char *clock_format_mail(int64_t real);

/* For tests: from here on time stands, at `real` (0: where it is), until
 * clock_advance(); the deadlines that fibers wait for stand with it, and those
 * that an advance reaches are seen at the loop's next turn. A libevent timer
 * made elsewhere goes by the kernel's clock whatever is done here. */
void clock_stop(int64_t real);
void clock_advance(int64_t milliseconds);
/* Time runs again, from where it stood. */
void clock_start(void);
gboolean clock_stopped(void);

/* Called after each of these three: whoever has armed timers looks again. */
void clock_set_listener(void (*changed)(void));
