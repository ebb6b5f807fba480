/* own.h: signatures that libopendkim refuses or misreads: their headers judged
 * by ourselves. (RFC 8616 5, RFC 6376 6.1.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing here waits.
 */
#pragma once

#include "plugins/dkim/header.h"
#include "plugins/dkim/signature.h"

/* Those of one message. */
typedef struct Own Own;

Own *own_new(void);
void own_free(Own *own);
/* At the end of the header; the signature is borrowed until the end. */
void own_add(Own *own, const Header *header, Signature *signature);
/* NULL beyond the last. */
Signature *own_signature(const Own *own, unsigned index);
/* Of one that has its key: whether that has signed the header. */
bool own_check(const Own *own, unsigned index);
