/* url.h: the hosts that links lead to, as a reader's program would read them
 * (RFC 3986, and what browsers make of what is not).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

#define URL_LIMIT 4096 /* octets of a link */
#define URL_HOST 254

typedef struct UrlHost {
    char domain[URL_HOST]; /* lower case, A-labels, no final dot; or "" */
    FilterdIp ip;          /* where domain is "": an IPv4 address */
} UrlHost;

typedef void UrlFound(void *data, const UrlHost *host);

/* Each link in a text: SCHEME://…, www.…, mailto:…; several in a row, and those
 * within others. */
void url_scan(const char *text, size_t length, UrlFound *found, void *data);
/* A link that is the whole text, as in href: also //HOST, \\HOST, http:/HOST,
 * with blanks and line ends anywhere. `text` is changed. */
void url_whole(char *text, size_t length, UrlFound *found, void *data);
