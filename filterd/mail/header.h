/* header.h: the header section, field by field (RFC 5322 2.2, 3.4, 3.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/mailbox.h"

#include <filterd/plugin.h>

#define MAIL_HEADER_LIMIT 262144 /* octets of a header section */
#define MAIL_FIELD_LIMIT 1000    /* fields */

/* Takes one field off `bytes`, folded lines included, without its final CRLF.
 * Returns the octets taken with the CRLF; 0 at the empty line or the end. A
 * line that is no field gives name_length 0 (and is to be treated as the RFC
 * 5322 violation that it is, not as the start of the body). */
gsize mail_field_next(const char *bytes, gsize length, FilterdField *field);

/* Visible ASCII without a colon (RFC 5322 2.2), at least one octet. */
gboolean mail_field_name_valid(const char *name);

gboolean mail_field_is(const FilterdField *field, const char *name);
/* The same, but the name is all visible ASCII before the colon, whatever white
 * space, controls and 8-bit octets are strewn in: for what must not be missed.
 */
gboolean mail_field_resembles(const FilterdField *field, const char *name);
/* The value with folding removed and white space at both ends cut; controls
 * become spaces. Caller frees. */
char *mail_field_unfold(const FilterdField *field);

/* What can be wrong with From (RFC 9989 11.5): words of header.from.problem. */
typedef enum MailFromProblem {
    MAIL_FROM_OK,
    MAIL_FROM_MISSING,   /* no From field */
    MAIL_FROM_REPEATED,  /* more than one */
    MAIL_FROM_MULTIPLE,  /* one field, several addresses */
    MAIL_FROM_MALFORMED, /* breaks the grammar, or hides something */
} MailFromProblem;

extern const char *const mail_from_problem_words[]; /* "none", "missing", … */

/* Collects From while fields pass; zero bytes are an empty one. */
typedef struct MailFrom {
    MailFromProblem problem;
    unsigned seen;
    char *address; /* where there is exactly one */
    char *domain;  /* normalized; of several addresses: if all have it */
} MailFrom;

/* Give it every field; one named "From" after white space is cut away, however
 * disguised (` From:`, `From :`, `From<CRLF> :`, NUL in the name), counts, and
 * is MALFORMED, as is a header with a line that is no field. */
void mail_from_add(MailFrom *from, const FilterdField *field);
/* After the last field: nothing seen is MISSING. */
void mail_from_end(MailFrom *from);
void mail_from_clear(MailFrom *from);
