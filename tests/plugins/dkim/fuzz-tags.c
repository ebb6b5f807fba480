/* fuzz-tags.c: any octets as a DKIM-Signature and as a key record, which their
 * first octet tells apart.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "plugins/dkim/key.h"
#include "tests/fuzz/fuzz.h"

#define MINIMUM_BITS 1024

/* Whatever the library or a report may see must be clean. */
static void
check_signature(const Signature *signature)
{
    if (signature->domain != NULL)
        g_assert_true(
            span_is_name((Span){signature->domain, strlen(signature->domain)}));
    if (signature->selector != NULL)
        g_assert_true(span_is_name(
            (Span){signature->selector, strlen(signature->selector)}));
    if (signature->result != RESULT_PENDING) {
        g_assert_nonnull(signature->problem);
        return;
    }
    g_autofree char *name = signature_key_name(signature);
    g_assert_cmpuint(strlen(name), <=, NAME_LIMIT);
    g_assert_cmpuint(signature_covers(signature, "from"), >, 0);
    g_assert_nonnull(signature->bytes);
}

static void
run_signature(Span text)
{
    Signature *signature = signature_new(text);
    check_signature(signature);
    signature_free(signature);
}

static void
run_key(Span text, const char *algorithm)
{
    g_autofree char *field = g_strdup_printf(
        "v=1; a=%s; d=example.org; s=a; h=From; b=AAAA; i=@a.example.org; "
        "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        algorithm);
    Signature *signature = signature_new((Span){field, strlen(field)});
    g_assert_true(signature->result == RESULT_PENDING);
    key_read(signature, text, MINIMUM_BITS);
    if (signature->result == RESULT_PENDING)
        g_assert_cmpuint(strlen(signature->key), <=, KEY_CLEAN_LIMIT);
    signature_free(signature);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    Span text = {(const char *)bytes + 1, length - 1};
    if (bytes[0] == 's')
        run_signature(text);
    else
        run_key(text, bytes[0] == 'r' ? "rsa-sha256" : "ed25519-sha256");
    return 0;
}
