/* pattern-needs.h: what a text has to have in it for a pattern to match.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * So that of thousands of patterns only few are tried. Whoever is told of
 * nothing has to try; what is told is certain, of patterns that compile.
 */
#pragma once

#include <glib.h>

/* Runs of octets, in small letters, each with a `\n` behind it, that stand in
 * every text that the pattern matches, in whatever letters; "": none is known.
 * Caller frees. */
char *pattern_needs(const char *pattern);
