/* canon.c: header fields and bodies in canonical form. (RFC 6376 3.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/canon.h"

#include <openssl/evp.h>
#include <string.h>

#define BUFFER_SIZE 8192
#define BLOCK ((size_t)32) /* octets */

static inline bool
is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* Whether an octet means the same whatever comes after it; most are above the
 * space. */
static inline bool
is_plain(char octet)
{
    return (guint8)octet > ' '
           || (octet != '\r' && octet != '\n' && !is_blank(octet));
}

/* ---- fields (RFC 6376 3.4.1, 3.4.2) ------------------------------------- */

static void
append_relaxed(GString *out, const char *bytes, size_t length)
{
    bool space = false;
    gsize start = out->len;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\n')
            continue;
        if (is_blank(bytes[i])) {
            space = true;
            continue;
        }
        if (space && out->len > start)
            g_string_append_c(out, ' ');
        g_string_append_c(out, bytes[i]);
        space = false;
    }
}

void
canon_field(GString *out, const FilterdField *field, bool relaxed)
{
    if (relaxed && field->name_length > 0) {
        for (size_t i = 0; i < field->name_length; i++)
            g_string_append_c(out, g_ascii_tolower(field->bytes[i]));
        g_string_append_c(out, ':');
        append_relaxed(out, field->bytes + field->value,
                       field->length - field->value);
    } else {
        g_string_append_len(out, field->bytes, (gssize)field->length);
    }
    g_string_append(out, "\r\n");
}

/* ---- the body (RFC 6376 3.4.3, 3.4.4) ----------------------------------- */

struct BodyHash {
    EVP_MD_CTX *digest;
    bool relaxed;
    bool space;    /* white space that counts once something follows it */
    gint64 lines;  /* line ends that count likewise */
    gint64 room;   /* octets that still count */
    bool begun;    /* something has counted */
    bool waits;    /* any of those, or nothing has begun */
    char *encoded; /* at the end */
    size_t used;
    guint8 buffer[BUFFER_SIZE];
};

BodyHash *
body_hash_new(bool relaxed, gint64 limit)
{
    BodyHash *hash = g_new(BodyHash, 1);
    hash->relaxed = relaxed;
    hash->space = hash->begun = false;
    hash->waits = true;
    hash->lines = 0;
    hash->room = limit >= 0 ? limit : G_MAXINT64;
    hash->encoded = NULL;
    hash->used = 0;
    hash->digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(hash->digest, EVP_sha256(), NULL);
    return hash;
}

void
body_hash_free(BodyHash *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->digest);
    g_free(hash->encoded);
    g_free(hash);
}

static void
drain(BodyHash *hash)
{
    size_t counted = (size_t)MIN((gint64)hash->used, hash->room);
    EVP_DigestUpdate(hash->digest, hash->buffer, counted);
    hash->room -= (gint64)counted;
    hash->used = 0;
}

static inline void
put(BodyHash *hash, char octet)
{
    if (hash->used == BUFFER_SIZE)
        drain(hash);
    hash->buffer[hash->used++] = (guint8)octet;
}

static void
put_lines(BodyHash *hash)
{
    for (; hash->lines > 0; hash->lines--) {
        put(hash, '\r');
        put(hash, '\n');
    }
}

/* Before an octet that is neither white space nor of a line end. */
static void
catch_up(BodyHash *hash)
{
    put_lines(hash);
    if (hash->space)
        put(hash, ' ');
    hash->space = hash->waits = false;
    hash->begun = true;
}

static void
put_octets(BodyHash *hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char octet = bytes[i];
        if (is_plain(octet) || (is_blank(octet) && !hash->relaxed)) {
            if (hash->waits)
                catch_up(hash);
            put(hash, octet);
        } else if (octet == '\n') {
            hash->lines++;
            hash->space = false;
            hash->waits = true;
        } else if (octet != '\r') {
            hash->space = hash->waits = true;
        }
    }
}

/* ---- most of a body stays as it is -------------------------------------- */

/* Whether what is found octet by octet in a block and the one behind it is no
 * reason to change anything. Without branches: compilers make vectors of it. */
static bool
is_calm(const char *bytes, bool relaxed)
{
    unsigned bare = 0, loose = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        char octet = bytes[i], next = bytes[i + 1];
        bare |= (octet == '\r') ^ (next == '\n');
        loose |= (octet == '\t')
                 | ((octet == ' ')
                    & ((next == ' ') | (next == '\t') | (next == '\r')));
    }
    return bare == 0 && (!relaxed || loose == 0);
}

/* How many octets from a plain one to another need not be changed. */
static size_t
calm_run(const char *bytes, size_t length, bool relaxed)
{
    size_t run = 0;
    while (length - run > BLOCK && is_calm(bytes + run, relaxed))
        run += BLOCK;
    while (run > 0 && !is_plain(bytes[run - 1]))
        run--;
    return run;
}

static void
put_run(BodyHash *hash, const char *bytes, size_t length)
{
    catch_up(hash);
    while (length > 0) {
        if (hash->used == BUFFER_SIZE)
            drain(hash);
        size_t fits = MIN(length, BUFFER_SIZE - hash->used);
        memcpy(hash->buffer + hash->used, bytes, fits);
        hash->used += fits;
        bytes += fits;
        length -= fits;
    }
}

void
body_hash_add(BodyHash *hash, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t step =
            is_plain(*bytes) ? calm_run(bytes, length, hash->relaxed) : 0;
        if (step > 0) {
            put_run(hash, bytes, step);
        } else {
            step = MIN(length, BLOCK);
            put_octets(hash, bytes, step);
        }
        bytes += step;
        length -= step;
    }
}

const char *
body_hash_end(BodyHash *hash)
{
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    hash->lines = hash->begun || !hash->relaxed ? 1 : 0;
    put_lines(hash);
    drain(hash);
    EVP_DigestFinal_ex(hash->digest, digest, &length);
    hash->encoded = g_base64_encode(digest, length);
    return hash->encoded;
}
