/* proxy-tlv.h: what a PROXY header of version 2 carries behind its addresses
 * (the PROXY protocol, 2.2.1 to 2.2.8).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* TLS that the peer has spoken with its client. Texts are owned; NULL: not
 * told. Zero bytes are none. */
typedef struct ProxyTls {
    gboolean used;
    gboolean verified; /* its certificate was, by the peer */
    char *version, *cipher;
    char *subject; /* "CN=…", as RFC 2253 has it */
} ProxyTls;

void proxy_tls_clear(ProxyTls *tls);

/* Of a whole header, whose TLVs begin at `start`. FALSE: their lengths do not
 * add up, or its checksum is wrong; then nothing is set. */
gboolean proxy_tlvs_parse(const char *header, gsize length, gsize start,
                          ProxyTls *tls);
