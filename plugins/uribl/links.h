/* links.h: the domains that a message's links lead to: each once, a bounded
 * number, none that is to be skipped.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/list.h"
#include "plugins/dnsbl/name.h"
#include "plugins/uribl/html.h"
#include "plugins/uribl/mime.h"

#define LINKS_LIMIT LIST_SUBJECTS_LIMIT

typedef struct Link {
    char host[NAME_SIZE];
    const char *registered;        /* part of it; NULL: it is an address */
    char prefix[NAME_PREFIX_SIZE]; /* of an address */
} Link;

typedef struct LinksConfig {
    const psl_ctx_t *psl;
    GHashTable *skip; /* domains, with all below them */
    size_t most;      /* at most LINKS_LIMIT */
    int64_t scan;     /* octets of text that are looked at */
} LinksConfig;

/* On the heap: it is some 30 KiB. */
typedef struct Links {
    LinksConfig config;
    Mime mime;
    Html html;
    int64_t scanned;
    bool many; /* there were more of either */
    size_t length;
    Link links[LINKS_LIMIT];
} Links;

Links *links_new(const LinksConfig *config);
void links_free(Links *links);

void links_field(Links *links, const FilterdField *field);
void links_body(Links *links, const char *bytes, size_t length);
/* No more of it comes. */
void links_end(Links *links);
/* What was not looked at; NULL: nothing. */
const char *links_problem(const Links *links);

/* A domain a line, `#` begins a comment; what is none is the error. */
GHashTable *links_skip_parse(const FilterdFile *file, GError **error);
