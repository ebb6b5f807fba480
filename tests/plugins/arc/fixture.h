/* fixture.h: the sealed messages, and a harness with the keys in its zone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/arc/config.h"
#include <filterd/harness.h>

extern const Config fixture_config; /* the defaults */

/* Caller frees. */
char *fixture_message(const char *name);
/* The records of all keys; caller frees. */
char *fixture_zone(void);
/* An instance, and the zone beside it. The client is 192.0.2.1. */
Harness *fixture_harness(const Config *config);
/* What it makes of that message, with the first `from` of it as `to` (NULL: as
 * it is). */
Harness *fixture_judge(const char *name, const char *from, const char *to);
