/* proxy-header.c: writes the PROXY header that tells a backend who the client
 * is, versions 1 and 2.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/proxy-header.h"

#include "filterd/base/ip.h"

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

#define VERSION_2_LOCAL 0x20
#define VERSION_2_PROXY 0x21
#define TCP_OVER_IPV4 0x11
#define TCP_OVER_IPV6 0x21

/* Both ends are of one family; otherwise IPv4 goes mapped. */
static gboolean
both_v4(const SmtpIdentity *identity)
{
    return ip_is_v4(&identity->ip) && ip_is_v4(&identity->local_ip);
}

/* ---- version 1 ---------------------------------------------------------- */

static void
append_ip(GString *out, const FilterdIp *ip, gboolean v4)
{
    char text[IP_TEXT_SIZE];
    g_string_append_printf(out, " %s%s", !v4 && ip_is_v4(ip) ? "::ffff:" : "",
                           ip_format(ip, text));
}

static void
append_v1(GString *out, const SmtpIdentity *identity)
{
    gboolean v4 = both_v4(identity);
    g_string_append(out, v4 ? "PROXY TCP4" : "PROXY TCP6");
    append_ip(out, &identity->ip, v4);
    append_ip(out, &identity->local_ip, v4);
    g_string_append_printf(out, " %u %u\r\n", identity->port,
                           identity->local_port);
}

/* ---- version 2 ---------------------------------------------------------- */

static void
append_u16(GString *out, unsigned number)
{
    g_string_append_c(out, (char)(number >> 8));
    g_string_append_c(out, (char)(number & 255));
}

static void
append_octets(GString *out, const FilterdIp *ip, gboolean v4)
{
    gsize skipped = v4 ? sizeof ip->bytes - 4 : 0;
    g_string_append_len(out, (const char *)ip->bytes + skipped,
                        (gssize)(sizeof ip->bytes - skipped));
}

static void
append_v2(GString *out, const SmtpIdentity *identity)
{
    gboolean v4 = both_v4(identity);
    g_string_append_len(out, signature, sizeof signature - 1);
    g_string_append_c(out, VERSION_2_PROXY);
    g_string_append_c(out, v4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6);
    append_u16(out, v4 ? 12 : 36);
    append_octets(out, &identity->ip, v4);
    append_octets(out, &identity->local_ip, v4);
    append_u16(out, identity->port);
    append_u16(out, identity->local_port);
}

static void
append_v2_local(GString *out)
{
    g_string_append_len(out, signature, sizeof signature - 1);
    g_string_append_c(out, VERSION_2_LOCAL);
    g_string_append_c(out, 0);
    append_u16(out, 0);
}

/* ---- either ------------------------------------------------------------- */

GString *
proxy_header_format(PolicyIdentity kind, const SmtpIdentity *identity)
{
    GString *out = g_string_new(NULL);
    if (kind == POLICY_IDENTITY_PROXY_V1 && identity != NULL)
        append_v1(out, identity);
    else if (kind == POLICY_IDENTITY_PROXY_V1)
        g_string_append(out, "PROXY UNKNOWN\r\n");
    else if (identity != NULL)
        append_v2(out, identity);
    else
        append_v2_local(out);
    return out;
}
