/* tags.h: the tag=value lists of DKIM-Signature fields and key records
 * (RFC 6376 3.2), strictly.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define TAGS_LIMIT 48  /* tags of one list */
#define NAME_LIMIT 253 /* octets of a domain name */

/* Octets of somebody else's text: not NUL-terminated. */
typedef struct Span {
    const char *bytes;
    size_t length;
} Span;

typedef struct Tag {
    Span name;
    Span value; /* folding and white space only inside */
} Tag;

typedef struct Tags {
    Tag items[TAGS_LIMIT];
    size_t length;
} Tags;

/* The spans point into `text`. Returns NULL, or what is wrong with it: any
 * break of the grammar, a tag twice, an octet that is not printable ASCII. */
const char *tags_parse(Tags *tags, Span text);
/* As tags_parse(), but values may hold UTF-8 (RFC 8616 5). */
const char *tags_parse_utf8(Tags *tags, Span text);
/* NULL where there is no such tag; names differ by case. */
const Span *tags_find(const Tags *tags, const char *name);

bool span_is(Span span, const char *text);
/* The next item of a list with colons, white space around it cut; `rest` is
 * NULL bytes when it was the last. */
Span span_next(Span *rest);
/* Whether a list with colons holds that item. */
bool span_lists(Span list, const char *item);
/* Base64 without white space; NULL where it is none, or is of no octet. Caller
 * frees. */
char *span_base64(Span span);
/* What that stands for, or NULL. Caller frees. */
guint8 *span_decode(Span span, size_t *length);
/* Digits only; false over `high`. */
bool span_number(Span span, gint64 high, gint64 *number);
/* Labels of letters, digits, hyphens and (they live in the wild) underscores,
 * 1 to 63 octets each, neither first nor last a hyphen. (RFC 5321 4.1.2) */
bool span_is_name(Span span);
