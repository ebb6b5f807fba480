/* proxy-tlv.c: what a PROXY header of version 2 carries behind its addresses.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/proxy-tlv.h"

#include <string.h>

/* Type and length, before each value. */
#define TLV_HEADER 3
/* Of PP2_TYPE_SSL: client bits and the verifier's word, before its own TLVs. */
#define SSL_HEADER 5
/* A version, a cipher, a common name. */
#define TEXT_LIMIT 255

enum { TYPE_CRC32C = 0x03, TYPE_SSL = 0x20 };
enum { SSL_VERSION = 0x21, SSL_CN = 0x22, SSL_CIPHER = 0x23 };
enum { CLIENT_SSL = 1, CLIENT_CERTIFICATE = 2 | 4 };

typedef struct Tlv {
    guint8 type;
    const guint8 *value;
    gsize length;
} Tlv;

/* FALSE: there is none, or no whole one. */
static gboolean
take(const guint8 **at, const guint8 *end, Tlv *tlv)
{
    gsize left = (gsize)(end - *at);
    if (left < TLV_HEADER)
        return FALSE;
    tlv->type = (*at)[0];
    tlv->length = (gsize)((*at)[1] << 8 | (*at)[2]);
    tlv->value = *at + TLV_HEADER;
    if (left - TLV_HEADER < tlv->length)
        return FALSE;
    *at = tlv->value + tlv->length;
    return TRUE;
}

/* ---- the checksum ------------------------------------------------------- */

/* RFC 4960 Appendix B; the octets from `hole` on count as zero. */
static guint32
crc32c(const guint8 *bytes, gsize length, gsize hole)
{
    guint32 sum = 0xffffffff;
    for (gsize i = 0; i < length; i++) {
        sum ^= i >= hole && i < hole + 4 ? 0 : bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
    }
    return ~sum;
}

static gboolean
sum_right(const char *header, gsize length, const Tlv *tlv)
{
    const guint8 *bytes = (const guint8 *)header, *v = tlv->value;
    if (tlv->length != 4)
        return FALSE;
    guint32 told =
        (guint32)v[0] << 24 | (guint32)v[1] << 16 | (guint32)v[2] << 8 | v[3];
    return told == crc32c(bytes, length, (gsize)(v - bytes));
}

/* ---- TLS ---------------------------------------------------------------- */

static char *
copy_text(const Tlv *tlv)
{
    const char *text = (const char *)tlv->value;
    if (tlv->length == 0 || tlv->length > TEXT_LIMIT
        || !g_utf8_validate_len(text, tlv->length, NULL))
        return NULL;
    for (gsize i = 0; i < tlv->length; i++)
        if (g_ascii_iscntrl(text[i]))
            return NULL;
    return g_strndup(text, tlv->length);
}

/* Goes into a comment of Received. */
static char *
copy_word(const Tlv *tlv)
{
    g_autofree char *text = copy_text(tlv);
    for (const char *p = text; p != NULL && *p != '\0'; p++)
        if (!g_ascii_isalnum(*p) && strchr("._-", *p) == NULL)
            return NULL;
    return g_steal_pointer(&text);
}

/* RFC 2253 2.4. */
static char *
format_subject(const Tlv *tlv)
{
    g_autofree char *name = copy_text(tlv);
    if (name == NULL)
        return NULL;
    GString *subject = g_string_new("CN=");
    for (const char *p = name; *p != '\0'; p++) {
        if (strchr(",+\"\\<>;=#", *p) != NULL)
            g_string_append_c(subject, '\\');
        g_string_append_c(subject, *p);
    }
    return g_string_free(subject, FALSE);
}

static const struct Part {
    guint8 type;
    gsize offset; /* of the text */
    char *(*copy)(const Tlv *tlv);
} parts[] = {
    {SSL_VERSION, G_STRUCT_OFFSET(ProxyTls, version), copy_word},
    {SSL_CIPHER, G_STRUCT_OFFSET(ProxyTls, cipher), copy_word},
    {SSL_CN, G_STRUCT_OFFSET(ProxyTls, subject), format_subject},
};

/* The first of its kind. */
static void
take_part(ProxyTls *tls, const Tlv *tlv)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        char **text = G_STRUCT_MEMBER_P(tls, parts[i].offset);
        if (parts[i].type == tlv->type && *text == NULL)
            *text = parts[i].copy(tlv);
    }
}

static gboolean
parse_ssl(const Tlv *tlv, ProxyTls *tls)
{
    const guint8 *at = tlv->value + SSL_HEADER, *end = tlv->value + tlv->length;
    Tlv part;
    if (tlv->length < SSL_HEADER)
        return FALSE;
    guint8 client = tlv->value[0];
    tls->used = client & CLIENT_SSL;
    tls->verified = tls->used && client & CLIENT_CERTIFICATE
                    && memcmp(tlv->value + 1, "\0\0\0\0", 4) == 0;
    while (take(&at, end, &part))
        take_part(tls, &part);
    return at == end;
}

/* ---- all of them -------------------------------------------------------- */

void
proxy_tls_clear(ProxyTls *tls)
{
    g_free(tls->version);
    g_free(tls->cipher);
    g_free(tls->subject);
    *tls = (ProxyTls){0};
}

gboolean
proxy_tlvs_parse(const char *header, gsize length, gsize start, ProxyTls *tls)
{
    const guint8 *at = (const guint8 *)header + start;
    const guint8 *end = (const guint8 *)header + length;
    ProxyTls found = {0};
    gboolean right = TRUE;
    Tlv tlv;
    while (right && take(&at, end, &tlv)) {
        if (tlv.type == TYPE_CRC32C)
            right = sum_right(header, length, &tlv);
        else if (tlv.type == TYPE_SSL && !found.used)
            right = parse_ssl(&tlv, &found);
    }
    right = right && at == end;
    if (right)
        *tls = found;
    else
        proxy_tls_clear(&found);
    return right;
}
