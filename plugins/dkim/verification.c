/* verification.c: libopendkim behind a fence: it hashes the header and checks
 * signatures that our own parser has let through, with keys that it has too.
 *
 * What it says of a signature covers bh=, so the body may be hashed by us,
 * which is several times as fast. Where l= is given it gets the body all the
 * same: it wants to see that there is as much of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/verification.h"

#include <dkim.h>
#include <openssl/err.h>
#include <string.h>

#include "plugins/dkim/bodies.h"
#include "plugins/dkim/context.h"
#include "plugins/dkim/length.h"
#include "plugins/dkim/own.h"

/* Seconds, so much that the library's own clock does not decide. */
#define ENDLESS_DRIFT (UINT64_C(30) * 365 * 86400)

struct Library {
    DKIM_LIB *handle;
    Context *context;
};

/* A library handle and the signatures that it judges, in its order. */
typedef struct Pass {
    DKIM_LIB *library;
    DKIM *handle;
    GPtrArray *signatures;
    DKIM_SIGINFO **infos;
    bool hears_body;
} Pass;

struct Verification {
    Library *library;
    Pass *pass;            /* NULL: it judges none */
    Own *own;              /* what the library does not judge, or NULL */
    Bodies *bodies;        /* where the library does not hear the body */
    BodyLength lengths[2]; /* simple, relaxed */
    bool measures[2];
    char last;
};

/* ---- the library -------------------------------------------------------- */

static DKIM_CBSTAT
give_key(DKIM *handle, DKIM_SIGINFO *info, u_char *buffer, size_t size)
{
    const Pass *pass = dkim_get_user_context(handle);
    for (guint i = 0; i < pass->signatures->len; i++) {
        const Signature *signature = pass->signatures->pdata[i];
        if (pass->infos[i] == info && signature->key != NULL
            && g_strlcpy((char *)buffer, signature->key, size) < size)
            return DKIM_CBSTAT_CONTINUE;
    }
    return DKIM_CBSTAT_NOTFOUND;
}

static DKIM_LIB *
start_library(void)
{
    DKIM_LIB *handle = dkim_init(NULL, NULL);
    if (handle == NULL)
        return NULL;
    /* Bad signatures need handles lest they spoil the good ones; keys are only
     * known at the end of the message. */
    unsigned flags = DKIM_LIBFLAGS_BADSIGHANDLES | DKIM_LIBFLAGS_DELAYSIGPROC;
    dkim_options(handle, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags,
                 sizeof(flags));
    dkim_set_key_lookup(handle, give_key);
    return handle;
}

Library *
library_new(GError **error)
{
    DKIM_LIB *handle = start_library();
    if (handle == NULL) {
        g_set_error_literal(error, g_quark_from_static_string("dkim"), 0,
                            "libopendkim does not start");
        return NULL;
    }
    Context *context = context_new(error);
    if (context == NULL) {
        dkim_close(handle);
        return NULL;
    }
    Library *library = g_new(Library, 1);
    *library = (Library){handle, context};
    return library;
}

void
library_free(Library *library)
{
    dkim_close(library->handle);
    context_free(library->context);
    g_free(library);
}

/* ---- the header --------------------------------------------------------- */

static void
pass_settle(Pass *pass, Result result, const char *problem)
{
    for (guint i = 0; i < pass->signatures->len; i++)
        signature_settle(pass->signatures->pdata[i], result, problem);
}

static void
pass_free(Pass *pass)
{
    if (pass->handle != NULL)
        dkim_free(pass->handle);
    g_ptr_array_unref(pass->signatures);
    g_free(pass);
}

static Pass *
pass_new(Library *library)
{
    DKIM_STAT status;
    Pass *pass = g_new0(Pass, 1);
    pass->library = library->handle;
    pass->signatures = g_ptr_array_new();
    pass->handle =
        dkim_verify(library->handle, (const u_char *)"", NULL, &status);
    if (pass->handle != NULL)
        dkim_set_user_context(pass->handle, pass);
    return pass;
}

static bool
feed(Pass *pass, const Header *header, size_t index)
{
    const HeaderField *field =
        &g_array_index(header->fields, HeaderField, index);
    return dkim_header(pass->handle, header->bytes->data + field->offset,
                       field->length)
           == DKIM_STAT_OK;
}

/* The names that the pass's signatures cover. */
static GHashTable *
covered_names(const Pass *pass)
{
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < pass->signatures->len; i++) {
        const Signature *signature = pass->signatures->pdata[i];
        for (guint j = 0; j < signature->names->len; j++)
            g_hash_table_add(names, signature->names->pdata[j]);
    }
    return names;
}

static bool
feed_covered(Pass *pass, const Header *header)
{
    g_autoptr(GHashTable) names = covered_names(pass);
    bool fine = true;
    for (guint i = 0; i < header->fields->len && fine; i++) {
        const HeaderField *field =
            &g_array_index(header->fields, HeaderField, i);
        g_autofree char *name =
            g_ascii_strdown((const char *)header->bytes->data + field->offset,
                            (gssize)field->name_length);
        if (g_hash_table_contains(names, name))
            fine = feed(pass, header, i);
    }
    return fine;
}

static bool
feed_signatures(Pass *pass, const Header *header)
{
    bool fine = true;
    for (guint i = 0; i < pass->signatures->len && fine; i++) {
        const Signature *signature = pass->signatures->pdata[i];
        fine = feed(pass, header, signature->field);
    }
    return fine;
}

/* We have looked at t= and x=. The library takes the drift off t= unsigned, so
 * that one greater than t= puts the signature into the future. */
static void
stop_clock(const Pass *pass)
{
    uint64_t drift = ENDLESS_DRIFT;
    for (guint i = 0; i < pass->signatures->len; i++) {
        const Signature *signature = pass->signatures->pdata[i];
        if (signature->time >= 0)
            drift = MIN(drift, (uint64_t)signature->time);
    }
    dkim_options(pass->library, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift,
                 sizeof(drift));
}

/* Ends the header; after it the library's signatures are in the order in which
 * they were fed. */
static bool
start(Pass *pass)
{
    int count;
    stop_clock(pass);
    ERR_clear_error();
    return dkim_eoh(pass->handle) == DKIM_STAT_OK
           && dkim_getsiglist(pass->handle, &pass->infos, &count)
                  == DKIM_STAT_OK
           && count == (int)pass->signatures->len;
}

static void
begin(Verification *verification, Pass *pass, bool fine)
{
    if (pass->handle == NULL || !fine || !start(pass)) {
        pass_settle(pass, RESULT_NEUTRAL, "libopendkim refuses the header");
        pass_free(pass);
    } else {
        verification->pass = pass;
    }
}

/* ---- who shares a handle ------------------------------------------------ */

/* Where h= covers DKIM-Signature, the library takes the signature itself for
 * one of those that are meant (RFC 6376 3.5). */
static bool
is_own(const Signature *signature)
{
    return signature->odd || signature_covers(signature, "dkim-signature") > 0;
}

/* All that the library judges share a handle, and so their hashes. */
static void
begin_shared(Verification *verification, Library *library, const Header *header,
             GPtrArray *all)
{
    Pass *pass = pass_new(library);
    for (guint i = 0; i < all->len; i++) {
        Signature *signature = all->pdata[i];
        if (signature->result != RESULT_PENDING || is_own(signature))
            continue;
        g_ptr_array_add(pass->signatures, signature);
        pass->hears_body |= signature->length >= 0;
    }
    if (pass->signatures->len == 0)
        pass_free(pass);
    else
        begin(verification, pass,
              pass->handle != NULL && feed_covered(pass, header)
                  && feed_signatures(pass, header));
}

static void
begin_own(Verification *verification, const Header *header,
          Signature *signature)
{
    if (verification->own == NULL)
        verification->own = own_new();
    own_add(verification->own, header, signature);
    bodies_want(verification->bodies, signature);
}

static void
want_bodies(Verification *verification)
{
    const Pass *pass = verification->pass;
    if (pass != NULL && !pass->hears_body)
        for (guint i = 0; i < pass->signatures->len; i++)
            bodies_want(verification->bodies, pass->signatures->pdata[i]);
}

static void
measure(Verification *verification, const Signature *signature)
{
    if (signature->result == RESULT_PENDING && signature->length >= 0)
        verification->measures[signature->relaxed] = true;
}

Verification *
verification_new(Library *library, const Header *header, GPtrArray *all)
{
    Verification *verification = g_new0(Verification, 1);
    verification->library = library;
    verification->lengths[true].relaxed = true;
    verification->bodies = bodies_new();

    begin_shared(verification, library, header, all);
    want_bodies(verification);
    for (guint i = 0; i < all->len; i++) {
        Signature *signature = all->pdata[i];
        measure(verification, signature);
        if (signature->result == RESULT_PENDING && is_own(signature))
            begin_own(verification, header, signature);
    }
    if (verification->pass == NULL && verification->own == NULL)
        g_clear_pointer(&verification, verification_free);
    return verification;
}

void
verification_free(Verification *verification)
{
    g_clear_pointer(&verification->pass, pass_free);
    g_clear_pointer(&verification->own, own_free);
    bodies_free(verification->bodies);
    g_free(verification);
}

/* ---- the body ----------------------------------------------------------- */

void
verification_body(Verification *verification, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    verification->last = bytes[length - 1];
    for (int i = 0; i < 2; i++)
        if (verification->measures[i])
            body_length_add(&verification->lengths[i], bytes, length);
    bodies_add(verification->bodies, bytes, length);
    Pass *pass = verification->pass;
    if (pass != NULL && pass->hears_body
        && dkim_body(pass->handle, (u_char *)bytes, length) != DKIM_STAT_OK)
        pass_settle(pass, RESULT_NEUTRAL, "libopendkim refuses the body");
}

/* ---- the end ------------------------------------------------------------ */

/* What the library finds beyond what we have looked at before it. */
static const struct {
    int error;
    Result result;
    const char *problem;
} errors[] = {
    {DKIM_SIGERROR_TOOLARGE_L, RESULT_PERMERROR, "l= is beyond the body"},
    {DKIM_SIGERROR_KEYTOOSMALL, RESULT_POLICY, "the RSA key is too short"},
    {DKIM_SIGERROR_KEYDECODE, RESULT_PERMERROR, "the key cannot be used"},
    {DKIM_SIGERROR_UNKNOWN, RESULT_NEUTRAL, "libopendkim gives no answer"},
};

static void
settle_error(Signature *signature, int error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(errors); i++)
        if (errors[i].error == error)
            signature_settle(signature, errors[i].result, errors[i].problem);
    const char *text = dkim_sig_geterrorstr(error);
    signature_settle(signature, RESULT_PERMERROR,
                     text != NULL ? text : "libopendkim gives an odd answer");
}

/* RFC 6376 3.6.1: a key under test makes no difference to no signature. */
static void
settle_mismatch(Signature *signature, bool header)
{
    signature_settle(
        signature, signature->testing ? RESULT_NEUTRAL : RESULT_FAIL,
        header ? "the body has been changed" : "the signature does not match");
}

static void
settle_match(const Verification *verification, Signature *signature,
             bool partial)
{
    gint64 length = body_length_end(&verification->lengths[signature->relaxed]);
    if (signature->length >= 0 && length > signature->length && !partial)
        signature_settle(signature, RESULT_POLICY,
                         "l= leaves a part of the body unsigned");
    else
        signature_settle(signature, RESULT_PASS, NULL);
}

/* Once the header is what was signed, and with it bh=. */
static void
settle_body(const Verification *verification, Signature *signature, bool same,
            bool partial)
{
    if (same)
        settle_match(verification, signature, partial);
    else
        settle_mismatch(signature, true);
}

static bool
is_same_body(const Verification *verification, const Signature *signature,
             DKIM_SIGINFO *info)
{
    return verification->pass->hears_body
               ? dkim_sig_getbh(info) == DKIM_SIGBH_MATCH
               : bodies_match(verification->bodies, signature);
}

/* BADSIG is also what a body is called that the library has not heard. */
static void
settle(const Verification *verification, Signature *signature,
       DKIM_SIGINFO *info, bool partial)
{
    int error = dkim_sig_geterror(info);
    bool match = (dkim_sig_getflags(info) & DKIM_SIGFLAG_PASSED) != 0;
    if (match && (error == DKIM_SIGERROR_OK || error == DKIM_SIGERROR_BADSIG))
        settle_body(verification, signature,
                    is_same_body(verification, signature, info), partial);
    else if (error == DKIM_SIGERROR_BADSIG)
        settle_mismatch(signature, false);
    else
        settle_error(signature, error);
}

static bool
is_pending(const Pass *pass)
{
    bool pending = false;
    for (guint i = 0; i < pass->signatures->len; i++) {
        const Signature *signature = pass->signatures->pdata[i];
        if (signature->result == RESULT_PENDING)
            pending = true;
        else
            dkim_sig_ignore(pass->infos[i]);
    }
    return pending;
}

static void
end(const Verification *verification, Pass *pass, bool partial)
{
    if (!is_pending(pass))
        return;
    ERR_clear_error();
    (void)dkim_eom(pass->handle, NULL);
    ERR_clear_error();
    for (guint i = 0; i < pass->signatures->len; i++)
        settle(verification, pass->signatures->pdata[i], pass->infos[i],
               partial);
}

/* What the library would say of it. */
static void
settle_own(const Verification *verification, unsigned index, bool partial)
{
    Signature *signature = own_signature(verification->own, index);
    gint64 length = body_length_end(&verification->lengths[signature->relaxed]);
    if (signature->result != RESULT_PENDING)
        return;
    if (signature->length > length) {
        settle_error(signature, DKIM_SIGERROR_TOOLARGE_L);
        return;
    }
    if (own_check(verification->own, index))
        settle_body(verification, signature,
                    bodies_match(verification->bodies, signature), partial);
    else
        settle_mismatch(signature, false);
}

void
verification_end(Verification *verification, bool partial)
{
    if (verification->last != '\0' && verification->last != '\n')
        verification_body(verification, "\r\n", 2);
    context_enter(verification->library->context);
    if (verification->pass != NULL)
        end(verification, verification->pass, partial);
    for (unsigned i = 0; verification->own != NULL
                         && own_signature(verification->own, i) != NULL;
         i++)
        settle_own(verification, i, partial);
    context_leave(verification->library->context);
}
