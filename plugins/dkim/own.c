/* own.c: signatures that libopendkim refuses or misreads: their headers judged
 * by ourselves. (RFC 8616 5, RFC 6376 6.1.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/own.h"

#include <openssl/evp.h>
#include <string.h>

#include "plugins/dkim/canon.h"
#include "plugins/dkim/verify.h"

typedef struct Item {
    Signature *signature;
    guint8 header[DIGEST_LENGTH];
} Item;

struct Own {
    GArray *items; /* Item */
};

Own *
own_new(void)
{
    Own *own = g_new0(Own, 1);
    own->items = g_array_new(FALSE, FALSE, sizeof(Item));
    return own;
}

void
own_free(Own *own)
{
    g_array_unref(own->items);
    g_free(own);
}

Signature *
own_signature(const Own *own, unsigned index)
{
    return index < own->items->len
               ? g_array_index(own->items, Item, index).signature
               : NULL;
}

/* ---- the header (RFC 6376 3.7, 5.4.2) ----------------------------------- */

/* By each name of h= the fields of that name, but the signature itself. */
static GHashTable *
index_fields(const Header *header, const Signature *signature)
{
    GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify)g_array_unref);
    for (guint i = 0; i < signature->names->len; i++)
        if (!g_hash_table_contains(index, signature->names->pdata[i]))
            g_hash_table_insert(index, signature->names->pdata[i],
                                g_array_new(FALSE, FALSE, sizeof(guint)));
    for (guint i = 0; i < header->fields->len; i++) {
        const HeaderField *field =
            &g_array_index(header->fields, HeaderField, i);
        g_autofree char *name =
            g_ascii_strdown((const char *)header->bytes->data + field->offset,
                            (gssize)field->name_length);
        GArray *found = g_hash_table_lookup(index, name);
        if (found != NULL && i != signature->field)
            g_array_append_val(found, i);
    }
    return index;
}

static FilterdField
get_field(const Header *header, guint index)
{
    const HeaderField *field =
        &g_array_index(header->fields, HeaderField, index);
    return (FilterdField){(const char *)header->bytes->data + field->offset,
                          field->length, field->name_length, field->value};
}

/* The fields of h=, of each name the lowest first. */
static void
hash_fields(EVP_MD_CTX *digest, const Header *header,
            const Signature *signature)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GHashTable) index = index_fields(header, signature);
    for (guint i = 0; i < signature->names->len; i++) {
        GArray *left = g_hash_table_lookup(index, signature->names->pdata[i]);
        if (left->len == 0)
            continue;
        const FilterdField field =
            get_field(header, g_array_index(left, guint, left->len - 1));
        g_array_set_size(left, left->len - 1);
        g_string_truncate(text, 0);
        canon_field(text, &field, signature->relaxes_header);
        EVP_DigestUpdate(digest, text->str, text->len);
    }
}

/* Without what b= holds, and without the CRLF at its end. */
static void
hash_itself(EVP_MD_CTX *digest, const Header *header,
            const Signature *signature)
{
    FilterdField field = get_field(header, (guint)signature->field);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) bare =
        g_string_new_len(field.bytes, (gssize)field.length);
    g_string_erase(bare, (gssize)(field.value + signature->hole),
                   (gssize)(signature->hole_end - signature->hole));
    field.bytes = bare->str;
    field.length = bare->len;
    canon_field(text, &field, signature->relaxes_header);
    EVP_DigestUpdate(digest, text->str, text->len - strlen("\r\n"));
}

void
own_add(Own *own, const Header *header, Signature *signature)
{
    Item item = {.signature = signature};
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    hash_fields(digest, header, signature);
    hash_itself(digest, header, signature);
    EVP_DigestFinal_ex(digest, item.header, NULL);
    EVP_MD_CTX_free(digest);
    g_array_append_val(own->items, item);
}

bool
own_check(const Own *own, unsigned index)
{
    const Item *item = &g_array_index(own->items, Item, index);
    return verify_digest(item->signature, item->header);
}
