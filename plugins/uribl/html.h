/* html.h: what a text or a page says and where it links to, as it comes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/uribl/url.h"

#define HTML_NAME 16
#define HTML_ENTITY 16

typedef struct Html Html;
typedef void HtmlState(Html *html, char c);

/* Both: with `state` NULL nothing is markup. */
struct Html {
    UrlFound *found;
    void *data;
    HtmlState *state;
    bool cut;             /* a word or an attribute was over URL_LIMIT */
    char word[URL_LIMIT]; /* of the text, or an attribute's value */
    size_t length;
    char name[HTML_NAME]; /* of the attribute */
    size_t name_length;
    char entity[HTML_ENTITY]; /* from the `&` on */
    size_t entity_length;
    char quote;      /* round the value; 0: none */
    unsigned dashes; /* of a comment, seen so far */
};

void html_begin(Html *html, bool markup);
void html_feed(Html *html, const char *bytes, size_t length);
void html_end(Html *html);
