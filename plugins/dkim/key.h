/* key.h: key records (RFC 6376 3.6.1, RFC 8301, RFC 8463).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/signature.h"

#define KEY_RECORD_LIMIT 16384 /* octets of a record, as published */
#define KEY_CLEAN_LIMIT 1024   /* octets of what the library can take */

/* Judges the record for that signature: it is settled, or gets `key` and
 * `testing`. RSA keys need `minimum` bits. */
void key_read(Signature *signature, Span record, gint64 minimum);
