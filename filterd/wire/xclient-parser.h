/* xclient-parser.h: reads the attributes of XCLIENT and XFORWARD
 * (postfix.org/XCLIENT_README.html, postfix.org/XFORWARD_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/ip.h"

#include <glib.h>

/* As EHLO offers them. */
#define XCLIENT_ATTRIBUTES "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
#define XFORWARD_ATTRIBUTES "NAME ADDR PORT PROTO HELO IDENT SOURCE"
/* A value, decoded. */
#define XCLIENT_VALUE_LIMIT 255

typedef struct XclientPeer {
    FilterdIp ip; /* "::" is nobody's: not known */
    uint16_t port;
    FilterdIp local_ip;
    uint16_t local_port;
    /* "": not known. */
    char name[XCLIENT_VALUE_LIMIT + 1], helo[XCLIENT_VALUE_LIMIT + 1],
        login[XCLIENT_VALUE_LIMIT + 1];
    enum { XCLIENT_NO_PROTOCOL, XCLIENT_SMTP, XCLIENT_ESMTP } protocol;
    gboolean local; /* the mail, by SOURCE; unless told it is not */
} XclientPeer;

/* "ADDR=192.0.2.1 NAME=…": what is not named stays as it is in `peer`, but with
 * another address all that was known of the old one's client goes. FALSE: not
 * legal, `peer` untouched. */
gboolean xclient_parse(const char *attributes, XclientPeer *peer);
/* The same, but all that is not named stays: an XFORWARD adds to those before
 * it. Zero bytes are nobody. IDENT is read and forgotten. */
gboolean xforward_parse(const char *attributes, XclientPeer *peer);
