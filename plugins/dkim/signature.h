/* signature.h: one DKIM-Signature field and what became of it (RFC 6376 3.5,
 * 6.1.1; RFC 8301; RFC 8463).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/tags.h"

#define SIGNATURE_FIELD_LIMIT 32768 /* octets of a field */
#define SIGNATURE_NAMES_LIMIT 4095  /* octets of h=, white space not counted */

/* RFC 8601 2.7.1, the best last. */
typedef enum Result {
    RESULT_NONE,
    RESULT_PERMERROR,
    RESULT_FAIL,
    RESULT_NEUTRAL,
    RESULT_POLICY,
    RESULT_TEMPERROR,
    RESULT_PASS,
    RESULT_PENDING, /* not known yet */
} Result;

extern const char *const result_words[];

typedef enum Algorithm {
    ALGORITHM_UNKNOWN,
    ALGORITHM_RSA_SHA1,
    ALGORITHM_RSA_SHA256,
    ALGORITHM_ED25519_SHA256,
} Algorithm;

extern const char *const algorithm_words[];

typedef struct Signature {
    Result result;
    const char *problem; /* why not pass, for people; never freed */
    Algorithm algorithm;
    char *domain;     /* d= and s= in lower case and A-labels, */
    char *selector;   /* NULL where they are not to be trusted */
    char *identity;   /* the domain of i=, likewise, or NULL */
    char *bytes;      /* b= without white space, or NULL */
    size_t hole;      /* where that stands in the field's value, */
    size_t hole_end;  /* with the white space around it */
    GPtrArray *names; /* of h=, lower case, as often as there */
    char *body_hash;  /* bh=, or NULL */
    bool relaxed;     /* body canonicalization */
    bool relaxes_header;
    gint64 length;     /* l=, or -1 */
    gint64 time;       /* t=, seconds, or -1 */
    gint64 expiry;     /* x=, or -1 */
    size_t field;      /* which field of the header it is */
    bool malformed;    /* the library must not see it */
    bool odd;          /* fine, but the library would misread it */
    char *key;         /* clean key record for the library */
    bool testing;      /* t=y in the key record */
    const char *loose; /* a field that is there more often than signed */
} Signature;

/* Judges the value of a DKIM-Signature field as far as that needs no more than
 * itself: then `result` is no longer pending. */
Signature *signature_new(Span value);
void signature_free(Signature *signature);
/* Keeps the first verdict. */
void signature_settle(Signature *signature, Result result, const char *problem);
/* `now` and `drift` in seconds. */
void signature_check_time(Signature *signature, gint64 now, gint64 drift);
/* How often h= has that name (lower case). */
size_t signature_covers(const Signature *signature, const char *name);
/* The name of its key record; caller frees. */
char *signature_key_name(const Signature *signature);
