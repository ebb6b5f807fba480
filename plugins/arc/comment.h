/* comment.h: comments and folding white space (RFC 5322 3.2.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

/* Behind the [CFWS] that begins at `at`, or at a comment that does not end. */
const char *comment_skip(const char *at, const char *end);
/* Writes spaces over what is in comments there; the folding stays. */
void comment_blank(char *at, const char *end);
