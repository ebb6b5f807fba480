/* support.h: a loop and fibers for tests of what waits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"

#include <filterd/plugin.h>

/* Runs the functions in a fiber each, until all have ended. */
void support_run(FiberRun run, void *data);
void support_run_many(FiberRun run, void *const *data, unsigned count);

/* "answer 192.0.2.1", "answer 10 mx.example", "answer 'text'", "no data" …
 * Caller frees. */
char *support_answer_format(const FilterdDnsAnswer *answer);

/* A new directory below the temporary one; removes it with its files. */
char *support_directory_new(void);
void support_directory_free(char *directory);
