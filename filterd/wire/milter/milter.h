/* milter.h: mail servers that ask for a verdict by the milter protocol, version
 * 6, through libmilter.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libmilter has one socket a process, threads of its own, and no way to begin
 * twice. Its threads carry each step of a dialogue to a fiber of the loop, and
 * the verdict back.
 */
#pragma once

#include "filterd/session/engine.h"

typedef struct Milter Milter;

/* Serves connections to the socket, which it borrows and which must not block.
 * Once in the life of a process. */
Milter *milter_new(Engine *engine, const PolicyListen *listen, int fd,
                   GError **error);
/* No session may be left. */
void milter_free(Milter *milter);

/* Takes no more connections; those that are there go on. */
void milter_drain(Milter *milter);
/* Every session ends where it stands: whatever its mail server asks from now on
 * is answered with 451. */
void milter_cancel(Milter *milter);
unsigned milter_sessions(const Milter *milter);
