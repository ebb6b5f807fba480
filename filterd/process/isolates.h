/* isolates.h: in a worker, the plugins that run in processes of their own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/config.h"

typedef struct Isolates Isolates;

/* Sockets to new processes come by `post`, with the plugin's index among the
 * isolated; that index goes back where one has to be ended. */
Isolates *isolates_new(const PolicyConfig *config, int post);
/* The engine is gone. */
void isolates_free(Isolates *isolates);

/* For EngineOptions. `data` is an Isolates. */
const FilterdPlugin *isolates_stand_in(void *data, const PolicyUse *use);
