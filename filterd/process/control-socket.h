/* control-socket.h: the unix socket `control` in the state directory, at which
 * the master is asked and commanded.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whoever has it has the state directory locked (flock(2)): a socket that is
 * there nevertheless is a dead master's, and replaced.
 */
#pragma once

#include "filterd/process/privileges.h"

#define CONTROL_NAME "control"

#define CONTROL_ERROR control_error_quark()
GQuark control_error_quark(void);

typedef enum ControlError {
    CONTROL_ERROR_TAKEN,  /* another filterd has the state directory */
    CONTROL_ERROR_ABSENT, /* nobody answers */
    CONTROL_ERROR_SYSTEM, /* anything else */
} ControlError;

typedef struct ControlSocket ControlSocket;

/* Listens, mode 0600; everything is done as the user of `privileges`, whose the
 * directory is. NULL with a CONTROL_ERROR. */
ControlSocket *control_socket_new(const char *directory,
                                  const Privileges *privileges, GError **error);
/* Removes it. */
void control_socket_free(ControlSocket *control);

const char *control_socket_directory(const ControlSocket *control);
/* Does not block. */
int control_socket_fd(const ControlSocket *control);

/* Of who wants to ask: connected, does not block, never waits. -1 with a
 * CONTROL_ERROR. */
int control_socket_connect(const char *directory, GError **error);
