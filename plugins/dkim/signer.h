/* signer.h: DKIM-Signature fields for a message as it goes out. (RFC 6376 5)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One pass over the message, however many keys sign it. Nothing here waits.
 */
#pragma once

#include "plugins/dkim/keyring.h"

/* Of one field name; more are left to stand unsigned above. */
#define SIGNED_FIELDS_LIMIT 16

/* Which fields are signed: one per instance. */
typedef struct SignedNames SignedNames;

/* From the options; From is always one of them, and the first. */
SignedNames *signed_names_new(const Config *config, GError **error);
void signed_names_free(SignedNames *names);

/* One per message. */
typedef struct Signer Signer;

/* Both are borrowed. */
Signer *signer_new(const SignedNames *names, const Config *config);
void signer_free(Signer *signer);
/* The message from the top; the body with CRLF line ends, in pieces. */
void signer_field(Signer *signer, const FilterdField *field);
void signer_body(Signer *signer, const char *bytes, size_t length);
/* The value of a DKIM-Signature field, LF where it is folded; `now` in seconds.
 * NULL: the library cannot. Caller frees. */
char *signer_sign(Signer *signer, const SigningKey *key, gint64 now);
