/* own.h: signatures that libopendkim refuses or misreads: judged by
 * ourselves. (RFC 8616 5, RFC 6376 6.1.3)
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

typedef enum OwnMatch {
    OWN_MATCH,
    OWN_OTHER_HEADER,
    OWN_OTHER_BODY,
} OwnMatch;

Own *own_new(void);
void own_free(Own *own);
/* At the end of the header; the signature is borrowed until the end. */
void own_add(Own *own, const Header *header, Signature *signature);
/* NULL beyond the last. */
Signature *own_signature(const Own *own, unsigned index);
/* The body, CRLF line ends, in pieces of any size. */
void own_body(Own *own, const char *bytes, size_t length);
/* After the body, of a signature that has its key. */
OwnMatch own_check(Own *own, unsigned index);
