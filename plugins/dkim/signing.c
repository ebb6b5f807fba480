/* signing.c: the plugin's actions, and the message as it goes out to them.
 * (RFC 6376 5)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/signing.h"

#define SECOND 1000

/* ---- life --------------------------------------------------------------- */

static void
warn_of_short_keys(const Signing *signing, FilterdCall *call)
{
    const SigningKey *key = NULL;
    while ((key = keyring_next_short(signing->keyring, key)) != NULL)
        call->host->log(call, FILTERD_LOG_WARNING,
                        "the RSA key of %s %s has less than %d bits (RFC 8301)",
                        signing_key_option(key)->domain,
                        signing_key_option(key)->selector, SIGNING_BITS_GOOD);
}

bool
signing_start(Signing *signing, FilterdCall *call, GError **error)
{
    signing->names = signed_names_new(call->config, error);
    if (signing->names == NULL)
        return false;
    size_t broken;
    signing->keyring = keyring_new(call->config, &broken, error);
    if (signing->keyring == NULL) {
        call->host->blame(call, "key", broken);
        signing_stop(signing);
        return false;
    }
    warn_of_short_keys(signing, call);
    return true;
}

void
signing_stop(Signing *signing)
{
    g_clear_pointer(&signing->keyring, keyring_free);
    g_clear_pointer(&signing->names, signed_names_free);
}

void
outgoing_clear(Outgoing *outgoing)
{
    g_clear_pointer(&outgoing->signer, signer_free);
    g_clear_pointer(&outgoing->keys, g_ptr_array_unref);
}

/* ---- what is to be signed ----------------------------------------------- */

static GQuark
domain_of_errors(void)
{
    return g_quark_from_static_string("dkim");
}

static unsigned
take_keys(SigningCall at, const char *domain, const char *selector)
{
    Outgoing *outgoing = at.outgoing;
    if (outgoing->keys == NULL)
        outgoing->keys = g_ptr_array_new();
    return keyring_find(at.signing->keyring, domain, selector, outgoing->keys);
}

/* RFC 6376 has no word for mail of others that one passes on. */
bool
signing_by_author(FilterdCall *call, SigningCall at, GError **error)
{
    const Config *config = call->config;
    const FilterdValue *author = call->host->lookup(call, at.author);
    const char *domain = author->type == FILTERD_DOMAIN ? author->text : NULL;
    if (domain != NULL && take_keys(at, domain, NULL) > 0)
        return true;
    g_autofree char *problem =
        domain != NULL
            ? g_strdup_printf("there is no key for %s", domain)
            : g_strdup("From has no domain that there could be a key for");
    if (config->no_key == NO_KEY_TEMPFAIL) {
        outgoing_clear(at.outgoing);
        g_set_error_literal(error, domain_of_errors(), 0, problem);
        return false;
    }
    call->host->log(call, FILTERD_LOG_INFO, "goes unsigned: %s", problem);
    return true;
}

static const char *
text_of(const FilterdValue *value)
{
    return value->type >= FILTERD_TEXT && value->type <= FILTERD_ADDRESS
               ? value->text
               : NULL;
}

bool
signing_by_name(FilterdCall *call, SigningCall at,
                const FilterdValue *arguments, GError **error)
{
    (void)call;
    const char *domain = text_of(&arguments[0]);
    const char *selector = text_of(&arguments[1]);
    if (domain == NULL || selector == NULL) {
        outgoing_clear(at.outgoing);
        g_set_error(error, domain_of_errors(), 0,
                    "whose key is to sign is not known");
        return false;
    }
    if (take_keys(at, domain, selector) > 0)
        return true;
    outgoing_clear(at.outgoing);
    g_set_error(error, domain_of_errors(), 0, "there is no key %s %s", domain,
                selector);
    return false;
}

/* A rule that can never find a key is a mistake, and not the sender's. */
bool
signing_check(SigningCall at, const FilterdAction *action,
              const FilterdValue *arguments, GError **error)
{
    bool named = action->arguments[0] != FILTERD_UNKNOWN;
    const char *domain = named ? text_of(&arguments[0]) : NULL;
    const char *selector = named ? text_of(&arguments[1]) : NULL;
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    const Keyring *keyring = at.signing->keyring;
    if (keyring_find(keyring, domain, selector, found) > 0)
        return true;
    g_autofree char *hint =
        keyring_find(keyring, NULL, NULL, found) > 0
            ? keyring_describe(keyring)
            : g_strdup("key example.org s2026 \"/etc/filterd/s2026.pem\"");
    g_set_error(error, domain_of_errors(), 0, "there is no key%s%s%s%s\n%s",
                domain != NULL ? " of " : "", domain != NULL ? domain : "",
                selector != NULL ? " by the selector " : "",
                selector != NULL ? selector : "", hint);
    return false;
}

/* ---- the message as it goes out ----------------------------------------- */

/* NULL: nobody wants it signed. */
static Signer *
signer_of(const FilterdCall *call, SigningCall at)
{
    Outgoing *outgoing = at.outgoing;
    if (outgoing->keys == NULL || outgoing->keys->len == 0)
        return NULL;
    if (outgoing->signer == NULL)
        outgoing->signer = signer_new(at.signing->names, call->config);
    return outgoing->signer;
}

void
signing_field(FilterdCall *call, SigningCall at, const FilterdField *field)
{
    Signer *signer = signer_of(call, at);
    if (signer != NULL)
        signer_field(signer, field);
}

void
signing_body(FilterdCall *call, SigningCall at, const char *bytes,
             size_t length)
{
    Signer *signer = signer_of(call, at);
    if (signer != NULL)
        signer_body(signer, bytes, length);
}

static bool
add_signature(FilterdCall *call, Signer *signer, const SigningKey *key,
              GError **error)
{
    g_autofree char *value =
        signer_sign(signer, key, call->host->now(call) / SECOND);
    if (value == NULL) {
        g_set_error(error, domain_of_errors(), 0, "the key %s %s does not sign",
                    signing_key_option(key)->domain,
                    signing_key_option(key)->selector);
        return false;
    }
    const FilterdEdit edit = {FILTERD_ADD_HEADER, "DKIM-Signature", value};
    call->host->edit(call, &edit);
    return true;
}

/* The first key's on top. */
bool
signing_end(FilterdCall *call, SigningCall at, GError **error)
{
    bool fine = true;
    Signer *signer = signer_of(call, at);
    const GPtrArray *keys = at.outgoing->keys;
    for (guint i = keys != NULL ? keys->len : 0; i > 0 && fine; i--)
        fine = add_signature(call, signer, keys->pdata[i - 1], error);
    outgoing_clear(at.outgoing);
    return fine;
}
