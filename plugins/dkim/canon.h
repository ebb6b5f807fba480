/* canon.h: header fields and bodies in canonical form. (RFC 6376 3.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* With CRLF. */
void canon_field(GString *out, const FilterdField *field, bool relaxed);

/* The hash of a body that comes in pieces. */
typedef struct BodyHash BodyHash;

/* At most `limit` octets of it; -1: all. */
BodyHash *body_hash_new(bool relaxed, gint64 limit);
void body_hash_free(BodyHash *hash);
/* CRLF line ends, in pieces of any size. */
void body_hash_add(BodyHash *hash, const char *bytes, size_t length);
/* After the last piece, once; in base64, until it is freed. */
const char *body_hash_end(BodyHash *hash);
