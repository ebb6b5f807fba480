/* authority.h: certificates of a test's own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>
#include <glib.h>

/* In PEM; owns the bytes. */
typedef struct Issued {
    FilterdFile chain, key;
} Issued;

/* By the one authority of this process, for hosts with blanks between, good
 * from so many days ago for so many days. */
Issued authority_issue(const char *hosts, int since, int days);
void issued_clear(Issued *issued);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Issued, issued_clear)

/* The authority's own certificate; and another's, which signed nothing. */
const FilterdFile *authority_root(void);
const FilterdFile *authority_stranger(void);
void authority_clear(void);
