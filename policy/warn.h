/* warn.h: what is legal and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

void warn_all(Compile *compile);

/* Codes that stand in the text of its reply, too. */
void warn_reply(Compile *compile, const Rule *rule);
/* Parts of conditions that exclude each other, or one of which always holds. */
void warn_pairs(Compile *compile);
/* A passing fault of the DNS that is answered 5xx. */
void warn_temperror(Compile *compile, const Rule *rule);
/* A `would` rule that rests on facts nobody asks for. */
void warn_effect(Compile *compile, const Rule *rule);
/* Comparisons of the score that its rules settle. */
void warn_score(Compile *compile);
/* Whoever may send to others by way of the backend. */
void warn_relay(Compile *compile);
/* Listeners without a backend, that overlap or believe everybody; backends that
 * are such a listener. */
void warn_wires(Compile *compile);
