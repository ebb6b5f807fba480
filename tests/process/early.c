/* early.c: a plugin that crashes when it is loaded.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>
#include <signal.h>

static void __attribute__((constructor)) crash(void)
{
    raise(SIGSEGV);
}

FILTERD_PLUGIN(.name = "early", .version = "1", .summary = "Never there.");
