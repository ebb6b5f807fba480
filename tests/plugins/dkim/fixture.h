/* fixture.h: the signed messages, and a harness with the keys in its zone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/config.h"
#include <filterd/harness.h>

/* The options' defaults. */
extern const Config fixture_config;

/* What is signed, and what nobody may add to, in tests of signing. */
extern const char *const fixture_names[], *const fixture_oversigned[];
/* Makes a `key` option of keys/NAME, for example.org; what it points to is
 * never freed. */
KeyOption fixture_key(const char *selector, const char *name);
/* The defaults, and these keys. */
Config fixture_signing(const KeyOption *keys, size_t length);
/* That text with CRLF line ends, and the requested fields on top of it. Caller
 * frees. */
char *fixture_signed(Harness *harness, const char *text, size_t chunk);

/* messages/NAME.eml; caller frees. */
char *fixture_message(const char *name);
/* The records of all keys; caller frees. */
char *fixture_zone(void);
Harness *fixture_harness(const Config *config);
/* All of it: that message in pieces of `chunk` octets. */
Harness *fixture_judge(const char *name, const Config *config, size_t chunk);
