/* address.h: the paths of an envelope (RFC 5321 4.1.2, RFC 6531 3.3).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

#define MAIL_LOCAL_LIMIT 64
#define MAIL_PATH_LIMIT 256

/* Plain values; `text` owns, the others point into it or are NULL. */
typedef struct MailAddress {
    char *
        text; /* as it goes on the wire, without <> and source route; "" null */
    char *local;  /* unquoted: what the quotes mean */
    char *domain; /* lower case, A-labels, or "[192.0.2.1]"; "" without one */
    gboolean eightbit; /* has octets over 126: needs SMTPUTF8 */
} MailAddress;

typedef enum MailPath {
    MAIL_REVERSE_PATH, /* "<>" is legal */
    MAIL_FORWARD_PATH, /* "<postmaster>" is legal, in any case */
} MailPath;

/* `text` begins at "<"; `end` is set behind ">". A source route is accepted and
 * dropped. The error's text is what a client may be told. */
gboolean mail_address_parse(const char *text, MailPath path, gboolean utf8,
                            MailAddress *address, const char **end,
                            GError **error);
/* "a@example.org" or "<a@example.org>" of a command line or configuration. */
gboolean mail_address_parse_bare(const char *text, MailPath path,
                                 MailAddress *address, GError **error);
void mail_address_clear(MailAddress *address);
void mail_address_copy(MailAddress *to, const MailAddress *from);
