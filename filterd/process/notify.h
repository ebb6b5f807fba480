/* notify.h: tells the service manager how we are (sd_notify(3)).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

/* Lines of KEY=VALUE; nothing happens where nobody asked for them. */
void notify_send(const char *lines);
