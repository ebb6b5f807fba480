/* verification.h: libopendkim behind a fence: it hashes the message and checks
 * signatures that our own parser has let through, with keys that it has too.
 * What it would misread is judged by ourselves.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing here waits. The library is never asked about time, DNS or policy.
 */
#pragma once

#include "plugins/dkim/header.h"
#include "plugins/dkim/signature.h"

/* One per instance. */
typedef struct Library Library;

Library *library_new(GError **error);
void library_free(Library *library);

/* One per message with signatures. */
typedef struct Verification Verification;

/* At the end of the header. Takes the pending ones of `signatures` (elements
 * are borrowed until it is freed). NULL where nothing is pending after that. */
Verification *verification_new(Library *library, const Header *header,
                               GPtrArray *signatures);
/* The body, CRLF line ends, in pieces of any size. */
void verification_body(Verification *verification, const char *bytes,
                       size_t length);
/* Settles what is still pending, with the keys that the signatures have. An
 * unsigned tail behind l= passes only with `partial`. */
void verification_end(Verification *verification, bool partial);
void verification_free(Verification *verification);
