/* xclient-parser.h: reads the attributes of an XCLIENT command
 * (postfix.org/XCLIENT_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/ip.h"

#include <glib.h>

/* As EHLO offers them. */
#define XCLIENT_ATTRIBUTES "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
/* A value, decoded. */
#define XCLIENT_VALUE_LIMIT 255

typedef struct XclientPeer {
    FilterdIp ip; /* "::" is nobody's: not known */
    uint16_t port;
    FilterdIp local_ip;
    uint16_t local_port;
    char name[XCLIENT_VALUE_LIMIT + 1]; /* "": not known */
} XclientPeer;

/* "ADDR=192.0.2.1 NAME=…": what is not named stays as it is in `peer`, but the
 * name and the port of another address go. PROTO, HELO and LOGIN are read and
 * forgotten, for the client greets anew. FALSE: not legal, `peer` untouched. */
gboolean xclient_parse(const char *attributes, XclientPeer *peer);
