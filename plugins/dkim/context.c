/* context.c: an OpenSSL context that knows the keys of DKIM and no others. (RFC
 * 6376 3.3, RFC 8463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/context.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <string.h>

#define PROVIDER "filterd-dkim"
#define ROWS 8 /* of one operation at most, and the last one */

struct Context {
    OSSL_LIB_CTX *context, *outside;
    OSSL_PROVIDER *provider, *whole;
};

/* By the first of an algorithm's names. */
static const struct {
    int operation;
    const char *name;
    const char *property; /* NULL: any */
} shown[] = {
    {OSSL_OP_DIGEST, "SHA2-256", NULL},
    {OSSL_OP_DIGEST, "SHA2-512", NULL},
    {OSSL_OP_KEYMGMT, "RSA", NULL},
    {OSSL_OP_KEYMGMT, "ED25519", NULL},
    {OSSL_OP_SIGNATURE, "RSA", NULL},
    {OSSL_OP_SIGNATURE, "ED25519", NULL},
    {OSSL_OP_DECODER, "RSA", "structure=SubjectPublicKeyInfo"},
};

/* The provider's functions are handed what `default` made for itself, so what
 * is ours can only be here: once in a process, never to be changed. */
static OSSL_ALGORITHM tables[OSSL_OP__HIGHEST + 1][ROWS];

static bool
is_shown(int operation, const OSSL_ALGORITHM *row)
{
    size_t length = strcspn(row->algorithm_names, ":");
    for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
        if (shown[i].operation == operation && strlen(shown[i].name) == length
            && memcmp(shown[i].name, row->algorithm_names, length) == 0
            && (shown[i].property == NULL
                || strstr(row->property_definition, shown[i].property) != NULL))
            return true;
    return false;
}

static void
fill(OSSL_PROVIDER *whole)
{
    for (int operation = 1; operation <= OSSL_OP__HIGHEST; operation++) {
        int no_store = 0;
        size_t rows = 0;
        const OSSL_ALGORITHM *row =
            OSSL_PROVIDER_query_operation(whole, operation, &no_store);
        for (; row != NULL && row->algorithm_names != NULL; row++)
            if (is_shown(operation, row) && rows < ROWS - 1)
                tables[operation][rows++] = *row;
    }
}

static const OSSL_ALGORITHM *
query(void *provider G_GNUC_UNUSED, int operation, int *no_store)
{
    *no_store = 0;
    return operation >= 1 && operation <= OSSL_OP__HIGHEST ? tables[operation]
                                                           : NULL;
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
    {0, NULL},
};

static OSSL_PROVIDER *default_provider;

static int
start(const OSSL_CORE_HANDLE *handle G_GNUC_UNUSED,
      const OSSL_DISPATCH *core G_GNUC_UNUSED, const OSSL_DISPATCH **out,
      void **provider)
{
    *out = functions;
    *provider = OSSL_PROVIDER_get0_provider_ctx(default_provider);
    return 1;
}

Context *
context_new(GError **error)
{
    Context *context = g_new0(Context, 1);
    context->whole = default_provider =
        OSSL_PROVIDER_try_load(NULL, "default", 1);
    context->context = OSSL_LIB_CTX_new();
    if (context->whole != NULL && context->context != NULL) {
        fill(context->whole);
        if (OSSL_PROVIDER_add_builtin(context->context, PROVIDER, start) == 1)
            context->provider = OSSL_PROVIDER_load(context->context, PROVIDER);
    }
    if (context->provider != NULL)
        return context;
    g_set_error_literal(error, g_quark_from_static_string("dkim"), 0,
                        "OpenSSL has no provider `default`");
    context_free(context);
    return NULL;
}

void
context_free(Context *context)
{
    if (context->provider != NULL)
        OSSL_PROVIDER_unload(context->provider);
    OSSL_LIB_CTX_free(context->context);
    if (context->whole != NULL)
        OSSL_PROVIDER_unload(context->whole);
    g_free(context);
}

void
context_enter(Context *context)
{
    context->outside = OSSL_LIB_CTX_set0_default(context->context);
}

void
context_leave(Context *context)
{
    OSSL_LIB_CTX_set0_default(context->outside);
}
