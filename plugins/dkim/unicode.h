/* unicode.h: signatures whose fields hold UTF-8, which libopendkim refuses:
 * judged by ourselves. (RFC 8616 5, RFC 6376 6.1.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing here waits.
 */
#pragma once

#include "plugins/dkim/header.h"
#include "plugins/dkim/signature.h"

/* Those of one message. */
typedef struct Unicode Unicode;

typedef enum UnicodeMatch {
    UNICODE_MATCH,
    UNICODE_OTHER_HEADER,
    UNICODE_OTHER_BODY,
} UnicodeMatch;

Unicode *unicode_new(void);
void unicode_free(Unicode *unicode);
/* At the end of the header; the signature is borrowed until the end. */
void unicode_add(Unicode *unicode, const Header *header, Signature *signature);
/* NULL beyond the last. */
Signature *unicode_signature(const Unicode *unicode, unsigned index);
/* The body, CRLF line ends, in pieces of any size. */
void unicode_body(Unicode *unicode, const char *bytes, size_t length);
/* After the body, of a signature that has its key. */
UnicodeMatch unicode_check(Unicode *unicode, unsigned index);
