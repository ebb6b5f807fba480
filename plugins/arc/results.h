/* results.h: what a sealer says that it found: the ARC-Authentication-Results
 * field. (RFC 8617 4.1.1, RFC 8601 2.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/tags.h"

extern const char *const dmarc_words[];
extern const char *const spf_words[];

/* Words of the tables, or NULL: it does not say, says something else, or says
 * different things. */
typedef struct Results {
    const char *dmarc;
    const char *spf;  /* of the reverse-path; SPF of HELO does not count */
    const char *dkim; /* the best of all signatures */
} Results;

/* False: it does not begin with an instance, "i=1;". Whatever stands behind
 * that does not make a chain invalid (3.4); where it is malformed, it says
 * nothing. */
bool results_read(Results *results, Span value, gint64 *instance);
