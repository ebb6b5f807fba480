/* signature.c: one DKIM-Signature field and what became of it (RFC 6376 3.5,
 * 6.1.1; RFC 8301; RFC 8463).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/signature.h"

#include <string.h>

#include "plugins/dkim/name.h"

#define KEY_INFIX "._domainkey."
#define TIME_LIMIT G_GINT64_CONSTANT(999999999999) /* t=, x=: 1*12DIGIT */
#define LENGTH_LIMIT (G_MAXINT64 / 2)
#define SHA1_LENGTH 20
#define SHA256_LENGTH 32

const char *const result_words[] = {
    "none", "permerror", "fail", "neutral", "policy", "temperror", "pass", NULL,
};

const char *const algorithm_words[] = {
    "-", "rsa-sha1", "rsa-sha256", "ed25519-sha256", NULL,
};

static const char *
read_version(Signature *signature, Span value)
{
    (void)signature;
    return span_is(value, "1") ? NULL : "unknown version v=";
}

static const char *
read_algorithm(Signature *signature, Span value)
{
    for (Algorithm i = ALGORITHM_RSA_SHA1; algorithm_words[i] != NULL; i++)
        if (span_is(value, algorithm_words[i]))
            signature->algorithm = i;
    return signature->algorithm == ALGORITHM_UNKNOWN ? "unknown algorithm a="
                                                     : NULL;
}

static const char *
read_domain(Signature *signature, Span value)
{
    g_autofree char *domain = name_normalize(value);
    if (domain == NULL || strchr(domain, '.') == NULL)
        return "d= is no domain name";
    signature->domain = g_steal_pointer(&domain);
    return NULL;
}

/* After d=, as the rows below have it. */
static const char *
read_selector(Signature *signature, Span value)
{
    g_autofree char *selector = name_normalize(value);
    if (selector == NULL
        || strlen(selector) + strlen(KEY_INFIX) + strlen(signature->domain)
               > NAME_LIMIT)
        return "s= is no selector";
    signature->selector = g_steal_pointer(&selector);
    return NULL;
}

static const char *
read_bytes(Signature *signature, Span value)
{
    signature->bytes = span_base64(value);
    return signature->bytes != NULL ? NULL : "b= is no base64";
}

static const char *
read_body_hash(Signature *signature, Span value)
{
    bool old = signature->algorithm == ALGORITHM_RSA_SHA1;
    size_t length = 0;
    g_autofree guint8 *decoded = span_decode(value, &length);
    if (decoded == NULL || length != (old ? SHA1_LENGTH : SHA256_LENGTH))
        return "bh= is no hash in base64";
    signature->body_hash = g_base64_encode(decoded, length);
    return NULL;
}

static bool
is_field_name(Span name)
{
    for (size_t i = 0; i < name.length; i++)
        if (name.bytes[i] < '!' || name.bytes[i] > '~')
            return false;
    return name.length > 0;
}

static const char *
read_names(Signature *signature, Span value)
{
    size_t total = 0;
    while (value.bytes != NULL) {
        Span name = span_next(&value);
        if (!is_field_name(name))
            return "h= is no list of field names";
        total += name.length + 1;
        if (total > SIGNATURE_NAMES_LIMIT)
            return "h= is too long";
        g_ptr_array_add(signature->names,
                        g_ascii_strdown(name.bytes, (gssize)name.length));
    }
    if (signature_covers(signature, "from") == 0)
        return "h= does not cover From";
    return NULL;
}

static const char *
read_canonicalization(Signature *signature, Span value)
{
    static const char *const words[] = {
        "simple",         "relaxed",        "simple/simple",
        "simple/relaxed", "relaxed/simple", "relaxed/relaxed",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (span_is(value, words[i])) {
            signature->relaxed = g_str_has_suffix(words[i], "/relaxed");
            signature->relaxes_header = g_str_has_prefix(words[i], "relaxed");
            return NULL;
        }
    return "unknown canonicalization c=";
}

/* Only a quoted string has an "@" in it. */
static bool
is_local_part(Span local)
{
    return memchr(local.bytes, '@', local.length) == NULL
           || (local.length > 1 && local.bytes[0] == '"'
               && local.bytes[local.length - 1] == '"');
}

/* i= = [ Local-part ] "@" domain-name, which is d= or below it. */
static const char *
read_identity(Signature *signature, Span value)
{
    const char *at = memrchr(value.bytes, '@', value.length);
    if (at == NULL
        || !is_local_part((Span){value.bytes, (size_t)(at - value.bytes)}))
        return "i= is no address";
    Span domain = {at + 1, (size_t)(value.bytes + value.length - at - 1)};
    signature->identity = name_normalize(domain);
    if (signature->identity == NULL)
        return "i= is no address";

    g_autofree char *suffix = g_strconcat(".", signature->domain, NULL);
    if (strcmp(signature->identity, signature->domain) != 0
        && !g_str_has_suffix(signature->identity, suffix))
        return "i= is not below d=";
    return NULL;
}

static const char *
read_length(Signature *signature, Span value)
{
    return span_number(value, LENGTH_LIMIT, &signature->length)
               ? NULL
               : "l= is no sane number";
}

static const char *
read_methods(Signature *signature, Span value)
{
    (void)signature;
    return span_lists(value, "dns/txt") ? NULL : "unknown query method q=";
}

static const char *
read_time(Signature *signature, Span value)
{
    return span_number(value, TIME_LIMIT, &signature->time)
               ? NULL
               : "t= is no sane number";
}

/* After t=. */
static const char *
read_expiry(Signature *signature, Span value)
{
    if (!span_number(value, TIME_LIMIT, &signature->expiry))
        return "x= is no sane number";
    return signature->expiry > signature->time ? NULL : "x= is not after t=";
}

/* d= and s= first, so that reports can name them whatever else is wrong. */
static const struct {
    const char *name;
    const char *missing; /* NULL: may be */
    const char *(*read)(Signature *signature, Span value);
} rows[] = {
    {"d", "d= is missing", read_domain},
    {"s", "s= is missing", read_selector},
    {"b", "b= is missing", read_bytes},
    {"v", "v= is missing", read_version},
    {"a", "a= is missing", read_algorithm},
    {"bh", "bh= is missing", read_body_hash},
    {"h", "h= is missing", read_names},
    {"c", NULL, read_canonicalization},
    {"i", NULL, read_identity},
    {"l", NULL, read_length},
    {"q", NULL, read_methods},
    {"t", NULL, read_time},
    {"x", NULL, read_expiry},
};

static const char *
read_tags(Signature *signature, const Tags *tags)
{
    const char *first = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Span *value = tags_find(tags, rows[i].name);
        const char *problem =
            value == NULL ? rows[i].missing : rows[i].read(signature, *value);
        if (first == NULL)
            first = problem;
        if (signature->domain == NULL)
            break;
    }
    return first;
}

/* All between "b=" and the next semicolon, which its own hash leaves out. */
static void
find_hole(Signature *signature, Span value, const Tags *tags)
{
    const Span *bytes = tags_find(tags, "b");
    if (bytes == NULL)
        return;
    const char *start = bytes->bytes, *end = start + bytes->length;
    while (start[-1] != '=')
        start--;
    while (end < value.bytes + value.length && *end != ';')
        end++;
    signature->hole = (size_t)(start - value.bytes);
    signature->hole_end = (size_t)(end - value.bytes);
}

/* The library finds the b= to leave out only without white space in it. */
static bool
has_odd_bytes(const Signature *signature, Span value)
{
    return signature->hole > 1
           && !g_ascii_isalpha(value.bytes[signature->hole - strlen("b=")]);
}

/* It decodes i=, and takes what follows the first "@" for the domain. */
static bool
has_odd_identity(const Tags *tags)
{
    const Span *value = tags_find(tags, "i");
    if (value == NULL || value->length == 0)
        return false;
    const char *at = memchr(value->bytes, '@', value->length);
    return at != memrchr(value->bytes, '@', value->length)
           || memchr(value->bytes, '=', value->length) != NULL;
}

static const char *
read_value(Signature *signature, Span value)
{
    if (value.length > SIGNATURE_FIELD_LIMIT)
        return "DKIM-Signature is too long";
    Tags tags;
    bool ascii = span_is_ascii(value);
    const char *problem =
        ascii ? tags_parse(&tags, value) : tags_parse_utf8(&tags, value);
    if (problem != NULL)
        return problem;
    find_hole(signature, value, &tags);
    signature->odd =
        !ascii || has_odd_bytes(signature, value) || has_odd_identity(&tags);
    return read_tags(signature, &tags);
}

Signature *
signature_new(Span value)
{
    Signature *signature = g_new0(Signature, 1);
    signature->result = RESULT_PENDING;
    signature->length = signature->time = signature->expiry = -1;
    signature->names = g_ptr_array_new_with_free_func(g_free);

    const char *problem = read_value(signature, value);
    signature->malformed = problem != NULL;
    if (problem != NULL)
        signature_settle(signature, RESULT_PERMERROR, problem);
    if (signature->algorithm == ALGORITHM_RSA_SHA1)
        signature_settle(signature, RESULT_PERMERROR,
                         "rsa-sha1 is not acceptable (RFC 8301)");
    return signature;
}

void
signature_free(Signature *signature)
{
    g_free(signature->domain);
    g_free(signature->selector);
    g_free(signature->identity);
    g_free(signature->bytes);
    g_free(signature->body_hash);
    g_ptr_array_unref(signature->names);
    g_free(signature->key);
    g_free(signature);
}

void
signature_settle(Signature *signature, Result result, const char *problem)
{
    if (signature->result != RESULT_PENDING)
        return;
    signature->result = result;
    signature->problem = problem;
}

void
signature_check_time(Signature *signature, gint64 now, gint64 drift)
{
    if (signature->expiry >= 0 && signature->expiry + drift < now)
        signature_settle(signature, RESULT_PERMERROR,
                         "the signature has expired");
    if (signature->time > now + drift)
        signature_settle(signature, RESULT_PERMERROR,
                         "the signature is from the future");
}

size_t
signature_covers(const Signature *signature, const char *name)
{
    size_t count = 0;
    for (guint i = 0; i < signature->names->len; i++)
        if (strcmp(signature->names->pdata[i], name) == 0)
            count++;
    return count;
}

char *
signature_key_name(const Signature *signature)
{
    return g_strconcat(signature->selector, KEY_INFIX, signature->domain, NULL);
}
