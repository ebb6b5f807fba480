/* part.c: one ARC-Message-Signature or ARC-Seal field: a DKIM signature but
 * for a few tags. (RFC 8617 4.1.2, 4.1.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/part.h"

#include <string.h>

#include "plugins/arc/comment.h"
#include "plugins/dkim/name.h"

#define POSITION_DIGITS 2

/* What a DKIM-Signature has and a seal has not. */
#define NOT_IN_SEALS "v=1; h=from; bh="
#define ANY_SHA1 "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ANY_SHA256 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const char *const seal_tags[] = {"a", "b", "d", "s", "t"};

/* The parser of DKIM signatures judges all that is common; it sees the tags
 * that mean the same. */
static void
put_tag(GString *text, const char *name, const Span *value)
{
    if (value == NULL)
        return;
    g_string_append_printf(text, "; %s=", name);
    g_string_append_len(text, value->bytes, (gssize)value->length);
}

static Signature *
read_common(GString *text)
{
    return signature_new((Span){text->str, text->len});
}

static Signature *
read_seal_tags(const Tags *tags)
{
    g_autoptr(GString) text = g_string_new(NOT_IN_SEALS);
    const Span *algorithm = tags_find(tags, "a");
    bool old = algorithm != NULL && span_is(*algorithm, "rsa-sha1");
    g_string_append(text, old ? ANY_SHA1 : ANY_SHA256);
    for (size_t i = 0; i < G_N_ELEMENTS(seal_tags); i++)
        put_tag(text, seal_tags[i], tags_find(tags, seal_tags[i]));
    return read_common(text);
}

/* v= is ignored, and i= is not that of DKIM. */
static Signature *
read_message_tags(const Tags *tags)
{
    g_autoptr(GString) text = g_string_new("v=1");
    for (size_t i = 0; i < tags->length; i++) {
        const Tag *tag = &tags->items[i];
        g_autofree char *name = g_strndup(tag->name.bytes, tag->name.length);
        if (strcmp(name, "v") != 0 && strcmp(name, "i") != 0)
            put_tag(text, name, &tag->value);
    }
    return read_common(text);
}

/* What signers take as empty: from the equals sign to the semicolon.
 * (RFC 6376 3.7) */
static void
find_cut(Part *part, Span value, const Span *bytes)
{
    if (bytes == NULL)
        return;
    const char *start = bytes->bytes, *end = value.bytes + value.length;
    const char *stop = memchr(start, ';', (size_t)(end - start));
    while (start[-1] != '=')
        start--;
    part->cut = (size_t)(start - value.bytes);
    part->cut_length = (size_t)((stop != NULL ? stop : end) - start);
}

static const char *
read_instance(const Tags *tags, gint64 *instance)
{
    const Span *value = tags_find(tags, "i");
    if (value == NULL || value->length > POSITION_DIGITS
        || !span_number(*value, G_MAXINT64, instance))
        return "i= is missing or no instance";
    return NULL;
}

/* Where `name` [CFWS] "=" [CFWS] word [CFWS] ends; NULL: there is something
 * else. (RFC 8617 3.9) */
static const char *
find_end(const char *at, const char *end, const char *name)
{
    at = comment_skip(at, end);
    if (!g_str_has_prefix(at, name))
        return NULL;
    at = comment_skip(at + strlen(name), end);
    if (at == end || *at != '=')
        return NULL;
    at = comment_skip(at + 1, end);
    while (at < end && g_ascii_isalnum(*at))
        at++;
    at = comment_skip(at, end);
    return at == end || *at == ';' ? at : NULL;
}

/* The instance in front, and in a seal cv=, may hold comments, which a tag-list
 * may not: spaces in their place leave one. Caller frees. */
static char *
copy_without_comments(Span value, bool seal)
{
    char *copy = g_strndup(value.bytes, value.length);
    char *end = copy + value.length, *at = copy;
    const char *name = "i";
    while (at != NULL && name != NULL) {
        const char *stop = find_end(at, end, name);
        if (stop != NULL)
            comment_blank(at, stop);
        at = memchr(at, ';', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
        name = seal ? "cv" : NULL;
    }
    return copy;
}

static const char *
read_tags(Part *part, Tags *tags, Span value, gint64 *instance)
{
    const char *problem = span_is_ascii(value) ? tags_parse(tags, value)
                                               : tags_parse_utf8(tags, value);
    if (problem == NULL)
        problem = read_instance(tags, instance);
    if (problem == NULL)
        find_cut(part, value, tags_find(tags, "b"));
    return problem;
}

static void
read_body_hash(Part *part, const Span *value)
{
    size_t length;
    g_autofree guint8 *bytes =
        value != NULL ? span_decode(*value, &length) : NULL;
    if (bytes != NULL)
        part->body_hash = g_base64_encode(bytes, length);
}

/* Those that come and go with the chain. Authentication-Results must not be
 * signed either, but does no harm. */
static bool
covers_arc(const Signature *signature)
{
    return signature_covers(signature, "arc-seal") > 0
           || signature_covers(signature, "arc-message-signature") > 0
           || signature_covers(signature, "arc-authentication-results") > 0;
}

const char *
part_read_message(Part *part, Span value, gint64 *instance)
{
    Tags tags;
    g_autofree char *text = copy_without_comments(value, false);
    const char *problem =
        read_tags(part, &tags, (Span){text, value.length}, instance);
    if (problem != NULL)
        return problem;
    part->signature = read_message_tags(&tags);
    const Span *canon = tags_find(&tags, "c");
    part->relaxed = canon != NULL && canon->length >= strlen("relaxed")
                    && strncmp(canon->bytes, "relaxed", strlen("relaxed")) == 0;
    read_body_hash(part, tags_find(&tags, "bh"));
    if (covers_arc(part->signature))
        signature_settle(part->signature, RESULT_PERMERROR,
                         "h= covers a field of ARC");
    return NULL;
}

static Status
read_status(const Span *value)
{
    static const char *const words[] = {
        [STATUS_NONE] = "none",
        [STATUS_FAIL] = "fail",
        [STATUS_PASS] = "pass",
    };
    for (Status i = STATUS_NONE; value != NULL && i <= STATUS_PASS; i++)
        if (value->length == strlen(words[i])
            && g_ascii_strncasecmp(value->bytes, words[i], value->length) == 0)
            return i;
    return STATUS_MALFORMED;
}

const char *
part_read_seal(Part *part, Span value, gint64 *instance)
{
    Tags tags;
    g_autofree char *text = copy_without_comments(value, true);
    const char *problem =
        read_tags(part, &tags, (Span){text, value.length}, instance);
    if (problem != NULL)
        return problem;
    if (tags_find(&tags, "h") != NULL)
        return "h= is not allowed";
    part->signature = read_seal_tags(&tags);
    part->relaxed = true;
    part->status = read_status(tags_find(&tags, "cv"));
    return NULL;
}

void
part_clear(Part *part)
{
    g_clear_pointer(&part->signature, signature_free);
    g_clear_pointer(&part->body_hash, g_free);
}

void
part_verify(Part *part)
{
    if (part->signature->result != RESULT_PENDING)
        return;
    if (verify_digest(part->signature, part->digest))
        signature_settle(part->signature, RESULT_PASS, NULL);
    else
        signature_settle(part->signature, RESULT_FAIL,
                         "it does not match what was signed");
}
