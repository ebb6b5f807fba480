/* listeners.h: the sockets of a generation, shared with the one before where
 * the address stays.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/bundle.h"
#include "policy/config.h"

typedef struct Listeners Listeners;

/* Those that systemd opened for us (LISTEN_FDS of sd_listen_fds(3)). */
Listeners *listeners_inherit(void);
/* A socket for each `listen`, in order. NULL: the report says which cannot be
 * had. */
Listeners *listeners_new(const PolicyConfig *config, const Listeners *before,
                         const Bundle *bundle, PolicyReport *report);
/* Paths that no `successor` (or NULL) has are removed. */
void listeners_free(Listeners *listeners, const Listeners *successor);

/* In the order of the `listen` statements. */
const int *listeners_fds(const Listeners *listeners, unsigned *length);
/* "127.0.0.1:25,[::1]:25", with the ports that the kernel chose. */
char *listeners_format(const Listeners *listeners);
