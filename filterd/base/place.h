/* place.h: where the files are that come with the programs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* The first of these that there is: in a build tree that the running program
 * lies in (BUILD/filterd/filterd), BUILD/`built`; where it was moved with all
 * that is installed (PREFIX/sbin/filterd), PREFIX/`below`; else `installed`,
 * there or not. Caller frees. */
char *place_find(const char *built, const char *below, const char *installed);
