/* address.h: the paths of an envelope (RFC 5321 4.1.2, RFC 6531 3.3).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

#define MAIL_LOCAL_LIMIT 64
#define MAIL_PATH_LIMIT 256 /* with its <> */

#define MAIL_ERROR mail_error_quark()
GQuark mail_error_quark(void);

typedef enum MailError {
    MAIL_ERROR_SYNTAX,   /* 501 5.1.3, 5.1.7 */
    MAIL_ERROR_EIGHTBIT, /* legal only with SMTPUTF8: 553 5.6.7 */
} MailError;

/* Plain values; `text` owns, the others point into it or are NULL. */
typedef struct MailAddress {
    char *text;   /* for the wire: no <>, no source route; "" null */
    char *local;  /* unquoted: what the quotes mean */
    char *domain; /* lower case, A-labels, or "[192.0.2.1]"; "" without one */
    gboolean eightbit; /* has octets over 126: needs SMTPUTF8 */
} MailAddress;

typedef enum MailPath {
    MAIL_REVERSE_PATH, /* "<>" is legal */
    MAIL_FORWARD_PATH, /* "<postmaster>" is legal, in any case */
} MailPath;

/* `text` begins at "<"; `end` is set behind ">". A source route is accepted and
 * dropped. The error is a MAIL_ERROR, its text what a client may be told.
 * `address` is overwritten, only on success. */
gboolean mail_address_parse(const char *text, MailPath path, gboolean utf8,
                            MailAddress *address, const char **end,
                            GError **error);
/* "a@example.org" or "<a@example.org>" of a command line or configuration. */
gboolean mail_address_parse_bare(const char *text, MailPath path,
                                 MailAddress *address, GError **error);
/* What is no legal path, for tools: what stands on both sides of the last @,
 * the domain in lower case. FALSE: it has control characters. */
gboolean mail_address_split(const char *text, MailAddress *address);
/* What others let through, with or without <>: a legal path as the others, else
 * taken apart as it stands. FALSE: it has control characters. */
gboolean mail_address_take(const char *text, MailPath path,
                           MailAddress *address);
void mail_address_clear(MailAddress *address);
/* What was in `to` is cleared: it is zero bytes or an address. */
void mail_address_copy(MailAddress *to, const MailAddress *from);

/* RFC 5322 3.2.3, and the octets of UTF-8 beyond ASCII. */
gboolean mail_is_atext(char octet);
/* A local part as it must be written: quoted only where it has to be. */
void mail_local_append(GString *out, const char *local);
