/* header.h: the header section as it came, kept until its signatures are
 * known, and what DKIM wants to know of it (RFC 6376 5.3, 6.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

#include "plugins/dkim/tags.h"

#define HEADER_LIMIT 1048576 /* octets */

typedef struct HeaderField {
    size_t offset, length;
    size_t name_length;
    size_t value; /* offset of what stands behind the colon */
} HeaderField;

/* Fields that a message has once (RFC 5322 3.6, RFC 2045), lower case; who adds
 * another may choose what readers see (RFC 6376 8.15). From has rules of its
 * own. */
#define HEADER_SINGLES 10
extern const char *const header_singles[HEADER_SINGLES];

/* Zero bytes are an empty one. */
typedef struct Header {
    GByteArray *bytes;
    GArray *fields;      /* of HeaderField */
    const char *problem; /* why no signature can be trusted over it */
    size_t authors;      /* From fields */
    size_t singles[HEADER_SINGLES]; /* fields of each of those names */
    GPtrArray *origins; /* what stands behind an @ in them, as domains are */
} Header;

/* True: it is a DKIM-Signature, with that value. */
bool header_add(Header *header, const FilterdField *field, Span *value);
void header_clear(Header *header);
/* Whether the domain seems to be that of From: it, above, below or beside it.
 * A guess that ranks signatures; evidence it is not. */
bool header_is_origin(const Header *header, const char *domain);
