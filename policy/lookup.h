/* lookup.h: a set of values, or a map from them, that may be large.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key that is a network stands for all its addresses, one that is
 * `.example.com` (of a domain lookup) for all its subdomains; the most specific
 * key is found. Texts, addresses and domains compare without ASCII case.
 */
#pragma once

#include <filterd/plugin.h>

typedef struct Lookup Lookup;

/* `type` is IP, DOMAIN, ADDRESS, TEXT, WORD, INT or DURATION. */
Lookup *lookup_new(FilterdType type);
/* Of texts that are the same in the same letters only. */
Lookup *lookup_new_exact(void);
void lookup_free(Lookup *lookup);

/* FALSE: the key is there already (and stays). Both are copied, but their texts
 * have to live as long as the lookup. */
gboolean lookup_add(Lookup *lookup, const FilterdValue *key,
                    const FilterdValue *value);

/* NULL: not there. A set has an unknown value for each. */
const FilterdValue *lookup_find(const Lookup *lookup, const FilterdValue *key);

unsigned lookup_size(const Lookup *lookup);
/* How many keys of a set change nothing, as a wider one has what they have: a
 * network, `.example.com`; one such pair, as text, for the caller to free. */
unsigned lookup_covered(const Lookup *lookup, char **narrow, char **wide);
/* How many keys of the other it lacks, and for how many that both have it gives
 * another value. Both are of one type. */
unsigned lookup_lacks(const Lookup *lookup, const Lookup *other);
unsigned lookup_differs(const Lookup *lookup, const Lookup *other);
/* The keys of a text, word, domain or address lookup, in no order. */
void lookup_each_text(const Lookup *lookup,
                      void (*func)(const char *key, void *data), void *data);
