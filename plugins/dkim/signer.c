/* signer.c: DKIM-Signature fields for a message as it goes out. (RFC 6376 5)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/signer.h"

#include <openssl/evp.h>
#include <string.h>

#include "plugins/dkim/canon.h"
#include "plugins/dkim/signature.h"

#define LINE_LENGTH 72
#define FIELD_NAME "DKIM-Signature"

/* ---- names -------------------------------------------------------------- */

typedef struct SignedName {
    const char *name;
    bool oversigned;
    bool supplied; /* servers do so where it is missing (RFC 6409 8.2, 8.3) */
} SignedName;

/* h= has it whatever the message has (RFC 6376 5.4). */
#define FROM 0

struct SignedNames {
    GArray *items;     /* SignedName, in the order of h= */
    GHashTable *index; /* lower case: index in items */
};

static bool
is_field_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (*c < '!' || *c > '~' || *c == ':' || *c == ';')
            return false;
    return *name != '\0' && g_ascii_strcasecmp(name, FIELD_NAME) != 0;
}

static bool
find_name(const SignedNames *names, const char *name, size_t length,
          guint *index)
{
    void *value;
    g_autofree char *lower = g_ascii_strdown(name, (gssize)length);
    if (!g_hash_table_lookup_extended(names->index, lower, NULL, &value))
        return false;
    *index = GPOINTER_TO_UINT(value);
    return true;
}

static bool
is_supplied(const char *name)
{
    return g_ascii_strcasecmp(name, "Date") == 0
           || g_ascii_strcasecmp(name, "Message-ID") == 0;
}

static void
add_name(SignedNames *names, const char *name, bool oversigned)
{
    guint index;
    if (!find_name(names, name, strlen(name), &index)) {
        const SignedName item = {name, false, is_supplied(name)};
        index = names->items->len;
        g_array_append_val(names->items, item);
        g_hash_table_insert(names->index, g_ascii_strdown(name, -1),
                            GUINT_TO_POINTER(index));
    }
    if (oversigned)
        g_array_index(names->items, SignedName, index).oversigned = true;
}

static bool
add_names(SignedNames *names, const FilterdArray *texts, bool oversigned,
          GError **error)
{
    const char *const *items = texts->items;
    for (size_t i = 0; i < texts->length; i++) {
        if (!is_field_name(items[i])) {
            g_set_error(error, g_quark_from_static_string("dkim"), 0,
                        "%s: \"%s\" is no field that can be signed",
                        oversigned ? "oversign" : "sign-headers", items[i]);
            return false;
        }
        add_name(names, items[i], oversigned);
    }
    return true;
}

SignedNames *
signed_names_new(const Config *config, GError **error)
{
    SignedNames *names = g_new0(SignedNames, 1);
    names->items = g_array_new(FALSE, FALSE, sizeof(SignedName));
    names->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    add_name(names, "From", false);
    if (!add_names(names, &config->sign_headers, false, error)
        || !add_names(names, &config->oversign, true, error))
        g_clear_pointer(&names, signed_names_free);
    return names;
}

void
signed_names_free(SignedNames *names)
{
    g_array_unref(names->items);
    g_hash_table_unref(names->index);
    g_free(names);
}

/* ---- the message -------------------------------------------------------- */

struct Signer {
    const SignedNames *names;
    const Config *config;
    GPtrArray **fields; /* by name: canonical texts (GString), or NULL */
    BodyHash *body;
    const char *body_hash; /* once the body is over; then: */
    GString *list;         /* h= */
    EVP_MD_CTX *header;    /* the fields of h= are in it */
};

static void
text_free(void *data)
{
    g_string_free(data, TRUE);
}

Signer *
signer_new(const SignedNames *names, const Config *config)
{
    Signer *signer = g_new0(Signer, 1);
    signer->names = names;
    signer->config = config;
    signer->fields = g_new0(GPtrArray *, names->items->len);
    signer->body =
        body_hash_new((config->canonicalization & CANON_BODY_RELAXED) != 0, -1);
    return signer;
}

void
signer_free(Signer *signer)
{
    for (guint i = 0; i < signer->names->items->len; i++)
        g_clear_pointer(&signer->fields[i], g_ptr_array_unref);
    g_free(signer->fields);
    body_hash_free(signer->body);
    EVP_MD_CTX_free(signer->header);
    if (signer->list != NULL)
        g_string_free(signer->list, TRUE);
    g_free(signer);
}

static bool
relaxes_header(const Signer *signer)
{
    return (signer->config->canonicalization & CANON_HEADER_RELAXED) != 0;
}

void
signer_field(Signer *signer, const FilterdField *field)
{
    guint index;
    if (field->name_length == 0
        || !find_name(signer->names, field->bytes, field->name_length, &index))
        return;
    GPtrArray **all = &signer->fields[index];
    if (*all == NULL)
        *all = g_ptr_array_new_with_free_func(text_free);
    if ((*all)->len == SIGNED_FIELDS_LIMIT)
        g_ptr_array_remove_index(*all, 0);
    GString *text = g_string_sized_new(field->length + 2);
    canon_field(text, field, relaxes_header(signer));
    g_ptr_array_add(*all, text);
}

void
signer_body(Signer *signer, const char *bytes, size_t length)
{
    body_hash_add(signer->body, bytes, length);
}

/* ---- the signature ------------------------------------------------------ */

static void
append_name(GString *list, const char *name)
{
    const char *line = strrchr(list->str, '\n');
    if (list->len > 0)
        g_string_append_c(list, ':');
    if (strlen(line != NULL ? line : list->str) + strlen(name) > LINE_LENGTH)
        g_string_append(list, "\n\t ");
    g_string_append(list, name);
}

/* From the lowest up (RFC 6376 5.4.2); a name that finds no more field stands
 * for all that somebody might add. */
static void
cover(Signer *signer, guint index)
{
    const SignedName *name =
        &g_array_index(signer->names->items, SignedName, index);
    const GPtrArray *all = signer->fields[index];
    guint count = all != NULL ? all->len : 0;
    for (guint i = count; i > 0; i--) {
        const GString *text = all->pdata[i - 1];
        EVP_DigestUpdate(signer->header, text->str, text->len);
        append_name(signer->list, name->name);
    }
    bool absent = count == 0;
    if ((name->oversigned && count < SIGNED_FIELDS_LIMIT
         && !(absent && name->supplied))
        || (absent && index == FROM))
        append_name(signer->list, name->name);
}

static void
finish_message(Signer *signer)
{
    if (signer->body_hash != NULL)
        return;
    signer->body_hash = body_hash_end(signer->body);
    signer->list = g_string_new(NULL);
    signer->header = EVP_MD_CTX_new();
    EVP_DigestInit_ex(signer->header, EVP_sha256(), NULL);
    for (guint i = 0; i < signer->names->items->len; i++)
        cover(signer, i);
}

static GString *
format_tags(const Signer *signer, const SigningKey *key, gint64 now)
{
    const KeyOption *option = signing_key_option(key);
    gint64 lifetime = signer->config->signature_lifetime / 1000;
    GString *value = g_string_new("v=1; ");
    g_string_append_printf(
        value, "a=%s; c=%s; t=%" G_GINT64_FORMAT ";",
        signing_key_algorithm(key),
        canonicalization_words[signer->config->canonicalization], now);
    if (lifetime > 0)
        g_string_append_printf(value, " x=%" G_GINT64_FORMAT ";",
                               now + lifetime);
    g_string_append_printf(value, "\n\td=%s; s=%s;", option->domain,
                           option->selector);
    if (option->identity != NULL)
        g_string_append_printf(value, "\n\ti=%s;", option->identity);
    g_string_append_printf(value,
                           "\n\th=%s;\n\tbh=%s;\n\tb=", signer->list->str,
                           signer->body_hash);
    return value;
}

/* As it will stand in the header. */
static GString *
canon_own(const Signer *signer, const GString *value)
{
    g_autoptr(GString) line = g_string_new(FIELD_NAME ": ");
    GString *canonical = g_string_new(NULL);
    g_string_append_len(line, value->str, (gssize)value->len);
    g_string_replace(line, "\n", "\r\n", 0);
    const FilterdField field = {.bytes = line->str,
                                .length = line->len,
                                .name_length = strlen(FIELD_NAME),
                                .value = strlen(FIELD_NAME ":")};
    canon_field(canonical, &field, relaxes_header(signer));
    return g_string_truncate(canonical, canonical->len - strlen("\r\n"));
}

static char *
sign_header(const Signer *signer, const SigningKey *key, const GString *value)
{
    guint8 hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    g_autoptr(GString) own = canon_own(signer, value);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_MD_CTX_copy_ex(digest, signer->header);
    EVP_DigestUpdate(digest, own->str, own->len);
    EVP_DigestFinal_ex(digest, hash, &length);
    EVP_MD_CTX_free(digest);
    return signing_key_sign(key, hash, length);
}

char *
signer_sign(Signer *signer, const SigningKey *key, gint64 now)
{
    finish_message(signer);
    GString *value = format_tags(signer, key, now);
    g_autofree char *bytes = sign_header(signer, key, value);
    for (size_t at = 0; bytes != NULL && bytes[at] != '\0';) {
        size_t length = MIN(strlen(bytes + at), LINE_LENGTH);
        g_string_append_len(value, bytes + at, (gssize)length);
        at += length;
        if (bytes[at] != '\0')
            g_string_append(value, "\n\t ");
    }
    return g_string_free(value, bytes == NULL);
}
