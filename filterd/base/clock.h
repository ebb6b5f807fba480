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

/* A deadline so many milliseconds from now; CLOCK_NEVER for a negative one. */
int64_t clock_after(int64_t milliseconds);

/* RFC 5322 3.3, as in "Sun, 22 Nov 2026 10:00:00 +0000". Caller frees. */
char *clock_format_mail(int64_t real);
