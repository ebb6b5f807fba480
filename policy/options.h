/* options.h: blocks of options, from a table into a struct.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Where options go. */
typedef struct Options {
    const char *owner; /* "`listen`", for messages */
    const FilterdOption *table;
    void *config;      /* zero bytes at first */
    PolicyPlace place; /* of what a missing option is missed at */
    PolicyPlace *seen; /* per row; line 0: not given. From options_init() */
    GByteArray **many; /* per row: items so far */
    GArray *given;     /* PolicyOption; NULL: nobody wants to know */
    unsigned rows;
    gboolean nested; /* a group: of one line of a block */
} Options;

void options_init(Options *options, const char *owner,
                  const FilterdOption *table, void *config);
void options_clear(Options *options);

/* block = "{" { WORD { value } } "}" . The token at hand is the `{`. */
gboolean options_parse_block(Compile *compile, Options *options);
/* WORD { value } with the word at hand; values end at the next option if
 * `block`, else one is taken. */
gboolean options_parse_one(Compile *compile, Options *options, gboolean block);
/* Fallbacks, complaints about what is required, arrays. */
void options_finish(Compile *compile, Options *options);

/* "`word` is an option of `dns` or `use dnsbl`", of all blocks and plugins that
 * there are; NULL: of none. Caller frees. */
char *options_owners(Compile *compile, const char *word);

/* Where that option was given; NULL: it was not. */
const PolicyPlace *options_place(const Options *options, const char *name);
