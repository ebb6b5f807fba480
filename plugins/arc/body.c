/* body.c: the body, as the signatures of a chain want it hashed. (RFC 6376
 * 3.4.3, 3.4.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/body.h"

#include <string.h>

void
body_begin(Body *body, Chain *chain)
{
    for (gint64 i = 1; i <= chain->length; i++) {
        const Signature *signature =
            chain_part(chain, i, KIND_MESSAGE)->signature;
        size_t kind = signature->relaxed ? 1 : 0;
        if (signature->result != RESULT_PENDING)
            continue;
        body->measured[kind] |= signature->length >= 0;
        if (body->hashes[kind] == NULL)
            body->hashes[kind] = body_hash_new(signature->relaxed, -1);
        body->lengths[kind].relaxed = signature->relaxed;
    }
}

void
body_add(Body *body, const char *bytes, size_t length)
{
    for (size_t i = 0; i < BODY_KINDS; i++) {
        if (body->hashes[i] != NULL)
            body_hash_add(body->hashes[i], bytes, length);
        if (body->measured[i])
            body_length_add(&body->lengths[i], bytes, length);
    }
}

static void
check(Part *part, const char *hash, gint64 length)
{
    Signature *signature = part->signature;
    if (signature->length > length)
        signature_settle(signature, RESULT_PERMERROR, "l= is beyond the body");
    else if (signature->length >= 0 && signature->length < length)
        signature_settle(signature, RESULT_POLICY,
                         "l= leaves a part of the body unsigned");
    else if (strcmp(part->body_hash, hash) != 0)
        signature_settle(signature, RESULT_FAIL, "the body has been changed");
}

void
body_end(Body *body, Chain *chain)
{
    const char *hashes[BODY_KINDS] = {NULL};
    for (size_t i = 0; i < BODY_KINDS; i++)
        if (body->hashes[i] != NULL)
            hashes[i] = body_hash_end(body->hashes[i]);
    for (gint64 i = 1; i <= chain->length; i++) {
        Part *part = chain_part(chain, i, KIND_MESSAGE);
        size_t kind = part->signature->relaxed ? 1 : 0;
        if (part->signature->result == RESULT_PENDING)
            check(part, hashes[kind], body_length_end(&body->lengths[kind]));
    }
}

void
body_clear(Body *body)
{
    for (size_t i = 0; i < BODY_KINDS; i++)
        g_clear_pointer(&body->hashes[i], body_hash_free);
}
