/* settings.h: `set`, `listen`, `backend`, `dns` and `store`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

void settings_start(Compile *compile);
void settings_stop(Compile *compile);

/* The statements; the token at hand is behind their word, whose place is
 * `place`. FALSE with a complaint. */
gboolean settings_parse_set(Compile *compile, const PolicyPlace *place);
gboolean settings_parse_listen(Compile *compile, const PolicyPlace *place);
gboolean settings_parse_backend(Compile *compile, const PolicyPlace *place);
gboolean settings_parse_dns(Compile *compile, const PolicyPlace *place);
gboolean settings_parse_store(Compile *compile, const PolicyPlace *place);

/* What holds where nothing was said. */
void settings_finish(Compile *compile);
