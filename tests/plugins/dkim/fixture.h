/* fixture.h: the signed messages, and a harness with the keys in its zone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/config.h"
#include "tests/harness/harness.h"

/* The options' defaults. */
extern const Config fixture_config;

/* messages/NAME.eml; caller frees. */
char *fixture_message(const char *name);
Harness *fixture_harness(const Config *config);
/* All of it: that message in pieces of `chunk` octets. */
Harness *fixture_judge(const char *name, const Config *config, size_t chunk);
