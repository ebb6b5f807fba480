/* fixture.h: instances of scripts, for tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/lua/config.h"

#include <filterd/harness.h>

#define FIXTURE_WORK 3000000
#define FIXTURE_SHIPPED_WORK 10000000 /* the default */
#define FIXTURE_MEMORY (32 * 1024 * 1024)

/* A config for that text; "NAME VALUE …" lines of `given` are what the block
 * sets, with _ for a blank in a value; NULL: nothing. Lives as long as the
 * process. */
const Config *fixture_config(const char *script, const char *given);
/* The same of a script that comes along, with its module. */
const Config *fixture_shipped(const char *name, const char *given);
/* An instance of that text. */
Harness *fixture_new(const char *script);
