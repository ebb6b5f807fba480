/* remark.h: what is legal in a list or map and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A list may have a million entries: of each kind the first is remembered, and
 * how many there are.
 */
#pragma once

#include "policy/compile.h"

/* An entry of a list or a key of a map, as written, that has been taken. */
void remark_key(Compile *compile, Declaration *declaration,
                const PolicyPlace *place, const char *text);
/* An entry that was there already. */
void remark_twice(Compile *compile, Declaration *declaration,
                  const PolicyPlace *place, const char *text);
/* In a file of its own: a key or value of texts that stands in quotes. */
void remark_quoted(Compile *compile, Declaration *declaration,
                   const PolicyPlace *place, const char *text);
/* A pattern of a list. */
void remark_pattern(Compile *compile, Declaration *list,
                    const PolicyPlace *place, const char *text);

/* Tells of all. */
void remark_tell(Compile *compile);
