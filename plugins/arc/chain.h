/* chain.h: the ARC fields of a message as sets, and whether these are a chain.
 * (RFC 8617 4.2, 5.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/arc/part.h"
#include "plugins/arc/results.h"
#include "plugins/dkim/header.h"

#define INSTANCE_LIMIT 50 /* RFC 8617 4.2.1 */

typedef enum Kind {
    KIND_RESULTS, /* ARC-Authentication-Results */
    KIND_MESSAGE, /* ARC-Message-Signature */
    KIND_SEAL,    /* ARC-Seal */
    KINDS,
} Kind;

typedef struct Set {
    Part parts[KINDS];
    bool has[KINDS];
    Results results;
} Set;

typedef struct Chain {
    Set sets[INSTANCE_LIMIT]; /* the oldest first */
    gint64 length;            /* the highest instance */
    const char *problem;      /* why it fails, for people; NULL: it does not */
    gint64 instance;          /* where; 0: in no single place */
    Kind kind;
    bool temporary; /* only because a key cannot be looked up */
} Chain;

/* Adds what may be a field of ARC, number `index` of the header; makes the
 * chain with the first. */
void chain_add(Chain **chain, const FilterdField *field, size_t index);
void chain_free(Chain *chain);
/* Keeps the first problem that is not a temporary one. */
void chain_fail(Chain *chain, gint64 instance, Kind kind, const char *problem);
/* Steps 1 to 3, for no more than `limit` sets. */
void chain_check_structure(Chain *chain, gint64 limit);
/* Of that instance, 1 to `length`. */
static inline Part *
chain_part(Chain *chain, gint64 instance, Kind kind)
{
    return &chain->sets[instance - 1].parts[kind];
}
/* "ARC-Seal" and so on. */
const char *chain_kind_name(Kind kind);
/* Hashes what each part signs. (5.1.1, RFC 6376 3.7) For the signatures of
 * messages no more than `work` octets in all: older ones that need more are
 * settled as not looked at. */
void chain_digest(Chain *chain, const Header *header, size_t work);
