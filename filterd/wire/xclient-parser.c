/* xclient-parser.c: reads the attributes of an XCLIENT command
 * (postfix.org/XCLIENT_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/xclient-parser.h"

#include "filterd/base/text.h"
#include "filterd/mail/domain.h"

#include <string.h>

/* RFC 3461 4; no control characters, whatever they stand for. */
static gboolean
decode(const char *xtext, char *value)
{
    gsize length = 0;
    for (const char *p = xtext; *p != '\0'; p++) {
        int octet = (guchar)*p;
        if (*p == '+') {
            if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2])
                || g_ascii_islower(p[1]) || g_ascii_islower(p[2]))
                return FALSE;
            octet =
                g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]);
            p += 2;
        }
        if (octet < ' ' || octet == '\x7f' || length >= XCLIENT_VALUE_LIMIT)
            return FALSE;
        value[length++] = (char)octet;
    }
    value[length] = '\0';
    return length > 0 && g_utf8_validate(value, -1, NULL);
}

/* ---- a function an attribute; `value` NULL: not known ------------------- */

static gboolean
set_name(XclientPeer *peer, const char *value)
{
    if (value != NULL && !mail_domain_valid(value))
        return FALSE;
    g_strlcpy(peer->name, value != NULL ? value : "", sizeof peer->name);
    return TRUE;
}

/* Whoever is not known is nobody, and never here. */
static gboolean
parse_ip(const char *value, FilterdIp *ip)
{
    static const char prefix[] = "IPV6:";
    if (value == NULL)
        return ip_parse("::", ip);
    gboolean v6 = g_ascii_strncasecmp(value, prefix, strlen(prefix)) == 0;
    const char *text = v6 ? value + strlen(prefix) : value;
    return v6 == (strchr(text, ':') != NULL) && ip_parse(text, ip);
}

static gboolean
set_address(XclientPeer *peer, const char *value)
{
    return parse_ip(value, &peer->ip);
}

static gboolean
set_local_address(XclientPeer *peer, const char *value)
{
    return parse_ip(value, &peer->local_ip);
}

static gboolean
parse_port(const char *value, uint16_t *port)
{
    int64_t number = 0;
    if (value != NULL && !text_parse_int(value, 0, 65535, &number))
        return FALSE;
    *port = (uint16_t)number;
    return TRUE;
}

static gboolean
set_port(XclientPeer *peer, const char *value)
{
    return parse_port(value, &peer->port);
}

static gboolean
set_local_port(XclientPeer *peer, const char *value)
{
    return parse_port(value, &peer->local_port);
}

static gboolean
set_protocol(XclientPeer *peer, const char *value)
{
    (void)peer;
    return value == NULL || g_ascii_strcasecmp(value, "SMTP") == 0
           || g_ascii_strcasecmp(value, "ESMTP") == 0;
}

static gboolean
set_nothing(XclientPeer *peer, const char *value)
{
    (void)peer, (void)value;
    return TRUE;
}

static const struct Attribute {
    const char *name;
    gboolean (*set)(XclientPeer *peer, const char *value);
} attributes[] = {
    {"ADDR", set_address},   {"NAME", set_name},
    {"PORT", set_port},      {"DESTADDR", set_local_address},
    {"PROTO", set_protocol}, {"DESTPORT", set_local_port},
    {"HELO", set_nothing},   {"LOGIN", set_nothing},
};

/* ---- all of them -------------------------------------------------------- */

/* `seen` has a bit for each that was there. */
static gboolean
set(XclientPeer *peer, const char *word, unsigned *seen)
{
    char value[XCLIENT_VALUE_LIMIT + 1];
    const char *equals = strchr(word, '=');
    if (equals == NULL || !decode(equals + 1, value))
        return FALSE;
    gboolean unknown = g_ascii_strcasecmp(value, "[UNAVAILABLE]") == 0
                       || g_ascii_strcasecmp(value, "[TEMPUNAVAIL]") == 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (!text_equal_nocase(word, (gsize)(equals - word),
                               attributes[i].name))
            continue;
        gboolean twice = (*seen & 1u << i) != 0;
        *seen |= 1u << i;
        return !twice && attributes[i].set(peer, unknown ? NULL : value);
    }
    return FALSE;
}

gboolean
xclient_parse(const char *text, XclientPeer *peer)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    XclientPeer told = {.local_ip = peer->local_ip,
                        .local_port = peer->local_port};
    unsigned seen = 0;
    if (words[0] == NULL)
        return FALSE;
    for (unsigned i = 0; words[i] != NULL; i++)
        if (!set(&told, words[i], &seen))
            return FALSE;
    gboolean same = (seen & 1u << 0) == 0;
    if (same)
        told.ip = peer->ip;
    if (same && (seen & 1u << 1) == 0)
        set_name(&told, *peer->name != '\0' ? peer->name : NULL);
    if (same && (seen & 1u << 2) == 0)
        told.port = peer->port;
    *peer = told;
    return TRUE;
}
