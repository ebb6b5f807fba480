/* verify.h: whether a key has signed a digest. (RFC 8017 8.2.2, RFC 8463 3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/signature.h"

#define DIGEST_LENGTH 32 /* SHA-256 */

/* Of a signature that has its key, and nothing malformed. */
bool verify_digest(const Signature *signature, const guint8 *digest);
