/* digest.c: what the signatures of a chain sign. (RFC 8617 5.1.1, RFC 6376
 * 3.4, 3.7, 5.4.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/chain.h"

#include <openssl/evp.h>
#include <string.h>

#include "plugins/dkim/canon.h"

#define CRLF_LENGTH 2

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

static FilterdField
field_at(const Header *header, size_t index)
{
    const HeaderField *kept =
        &g_array_index(header->fields, HeaderField, index);
    const char *bytes = (const char *)header->bytes->data + kept->offset;
    const char *colon = memchr(bytes + kept->name_length, ':',
                               kept->length - kept->name_length);
    return (FilterdField){.bytes = bytes,
                          .length = kept->length,
                          .name_length = kept->name_length,
                          .value = (size_t)(colon + 1 - bytes)};
}

static size_t
hash_field(EVP_MD_CTX *hash, const FilterdField *field, bool relaxed)
{
    g_autoptr(GString) text = g_string_sized_new(field->length + CRLF_LENGTH);
    canon_field(text, field, relaxed);
    EVP_DigestUpdate(hash, text->str, text->len);
    return field->length;
}

/* The last one: without the value of b=, nor a CRLF. */
static void
hash_itself(EVP_MD_CTX *hash, const Header *header, Part *part)
{
    FilterdField field = field_at(header, part->field);
    size_t cut = field.value + part->cut;
    g_autoptr(GString) open = g_string_new_len(field.bytes, (gssize)cut);
    g_autoptr(GString) text = g_string_sized_new(field.length);
    g_string_append_len(open, field.bytes + cut + part->cut_length,
                        (gssize)(field.length - cut - part->cut_length));
    field.bytes = open->str;
    field.length = open->len;
    canon_field(text, &field, part->relaxed);
    EVP_DigestUpdate(hash, text->str, text->len - CRLF_LENGTH);
    EVP_DigestFinal_ex(hash, part->digest, NULL);
}

/* Each seal signs all sets up to its own: what they have in common is hashed
 * once. */
static void
digest_seals(Chain *chain, const Header *header)
{
    g_autoptr(EVP_MD_CTX) common = EVP_MD_CTX_new();
    g_autoptr(EVP_MD_CTX) own = EVP_MD_CTX_new();
    EVP_DigestInit_ex(common, EVP_sha256(), NULL);
    for (gint64 i = 1; i <= chain->length; i++) {
        for (Kind kind = KIND_RESULTS; kind < KINDS; kind++) {
            Part *part = chain_part(chain, i, kind);
            FilterdField field = field_at(header, part->field);
            if (kind == KIND_SEAL) {
                EVP_MD_CTX_copy_ex(own, common);
                hash_itself(own, header, part);
            }
            hash_field(common, &field, true);
        }
    }
}

/* Lower-case names that some h= has: GArray of size_t, their fields from the
 * top. */
static GHashTable *
index_new(Chain *chain)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify)g_array_unref);
    for (gint64 i = 1; i <= chain->length; i++) {
        const GPtrArray *covered =
            chain_part(chain, i, KIND_MESSAGE)->signature->names;
        for (guint k = 0; k < covered->len; k++)
            if (!g_hash_table_contains(names, covered->pdata[k]))
                g_hash_table_insert(names, covered->pdata[k],
                                    g_array_new(FALSE, FALSE, sizeof(size_t)));
    }
    return names;
}

static void
index_add(GHashTable *names, const Header *header, size_t place)
{
    char name[SIGNATURE_NAMES_LIMIT + 1];
    FilterdField field = field_at(header, place);
    if (field.name_length >= sizeof(name))
        return;
    for (size_t i = 0; i < field.name_length; i++)
        name[i] = g_ascii_tolower(field.bytes[i]);
    name[field.name_length] = '\0';
    GArray *places = g_hash_table_lookup(names, name);
    if (places != NULL)
        g_array_append_val(places, place);
}

/* The fields of h=, those of one name from the bottom up. Returns how many
 * octets that were. */
static size_t
hash_covered(EVP_MD_CTX *hash, const Part *part, const Header *header,
             GHashTable *names)
{
    g_autoptr(GHashTable) used = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *covered = part->signature->names;
    size_t work = 0;
    for (guint i = 0; i < covered->len; i++) {
        char *name = covered->pdata[i];
        const GArray *places = g_hash_table_lookup(names, name);
        size_t count = GPOINTER_TO_SIZE(g_hash_table_lookup(used, name));
        if (places == NULL || count >= places->len)
            continue;
        FilterdField field = field_at(
            header, g_array_index(places, size_t, places->len - 1 - count));
        work += hash_field(hash, &field, part->relaxed);
        g_hash_table_insert(used, name, GSIZE_TO_POINTER(count + 1));
    }
    return work;
}

static void
digest_messages(Chain *chain, const Header *header, size_t limit)
{
    g_autoptr(GHashTable) names = index_new(chain);
    g_autoptr(EVP_MD_CTX) hash = EVP_MD_CTX_new();
    size_t work = 0;
    for (size_t i = 0; i < header->fields->len; i++)
        index_add(names, header, i);
    for (gint64 i = chain->length; i >= 1; i--) {
        Part *part = chain_part(chain, i, KIND_MESSAGE);
        if (work > limit)
            signature_settle(part->signature, RESULT_POLICY,
                             "the chain is too much work");
        if (part->signature->result != RESULT_PENDING)
            continue;
        EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
        work += hash_covered(hash, part, header, names);
        hash_itself(hash, header, part);
    }
}

void
chain_digest(Chain *chain, const Header *header, size_t work)
{
    digest_seals(chain, header);
    digest_messages(chain, header, work);
}
