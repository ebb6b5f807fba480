/* xclient-parser.c: reads the attributes of XCLIENT and XFORWARD
 * (postfix.org/XCLIENT_README.html, postfix.org/XFORWARD_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/xclient-parser.h"

#include "filterd/base/text.h"
#include "filterd/mail/domain.h"

#include <string.h>

/* Of a protocol's name. */
#define PROTOCOL_LIMIT 64

static gboolean
is_clean(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    return TRUE;
}

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
        if (octet == '\0' || length >= XCLIENT_VALUE_LIMIT)
            return FALSE;
        value[length++] = (char)octet;
    }
    value[length] = '\0';
    return length > 0 && is_clean(value);
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
    gboolean plain = value != NULL && g_ascii_strcasecmp(value, "SMTP") == 0;
    if (value != NULL && !plain && g_ascii_strcasecmp(value, "ESMTP") != 0)
        return FALSE;
    peer->protocol = value == NULL ? XCLIENT_NO_PROTOCOL
                     : plain       ? XCLIENT_SMTP
                                   : XCLIENT_ESMTP;
    return TRUE;
}

/* Whatever the mail came by before. */
static gboolean
set_any_protocol(XclientPeer *peer, const char *value)
{
    if (value != NULL && strlen(value) > PROTOCOL_LIMIT)
        return FALSE;
    return set_protocol(peer, value) || set_protocol(peer, NULL);
}

/* As a client may say it to us. */
static gboolean
set_helo(XclientPeer *peer, const char *value)
{
    for (const char *p = value; p != NULL && *p != '\0'; p++)
        if (!g_ascii_isgraph(*p))
            return FALSE;
    g_strlcpy(peer->helo, value != NULL ? value : "", sizeof peer->helo);
    return TRUE;
}

static gboolean
set_login(XclientPeer *peer, const char *value)
{
    g_strlcpy(peer->login, value != NULL ? value : "", sizeof peer->login);
    return TRUE;
}

static gboolean
set_source(XclientPeer *peer, const char *value)
{
    peer->local = value != NULL && g_ascii_strcasecmp(value, "LOCAL") == 0;
    return value == NULL || peer->local
           || g_ascii_strcasecmp(value, "REMOTE") == 0;
}

static gboolean
set_nothing(XclientPeer *peer, const char *value)
{
    (void)peer, (void)value;
    return TRUE;
}

typedef enum Command {
    XCLIENT = 1u << 0,
    XFORWARD = 1u << 1,
    BOTH = XCLIENT | XFORWARD,
} Command;

/* ADDR is the first. */
static const struct Attribute {
    const char *name;
    gboolean (*set)(XclientPeer *peer, const char *value);
    unsigned commands;   /* Command */
    gboolean of_address; /* goes with another one */
} attributes[] = {
    {"ADDR", set_address, BOTH, FALSE},
    {"NAME", set_name, BOTH, TRUE},
    {"PORT", set_port, BOTH, TRUE},
    {"HELO", set_helo, BOTH, TRUE},
    {"PROTO", set_protocol, XCLIENT, TRUE},
    {"PROTO", set_any_protocol, XFORWARD, TRUE},
    {"LOGIN", set_login, XCLIENT, TRUE},
    {"DESTADDR", set_local_address, XCLIENT, FALSE},
    {"DESTPORT", set_local_port, XCLIENT, FALSE},
    {"IDENT", set_nothing, XFORWARD, FALSE},
    {"SOURCE", set_source, XFORWARD, FALSE},
};

/* ---- all of them -------------------------------------------------------- */

typedef struct Reader {
    XclientPeer told;
    Command command;
    unsigned seen; /* a bit for each that was there */
} Reader;

static gboolean
is_named(const Reader *reader, unsigned i, const char *word, gsize length)
{
    return (attributes[i].commands & reader->command) != 0
           && text_equal_nocase(word, length, attributes[i].name);
}

static gboolean
set(Reader *reader, const char *word)
{
    char value[XCLIENT_VALUE_LIMIT + 1];
    const char *equals = strchr(word, '=');
    if (equals == NULL || !decode(equals + 1, value))
        return FALSE;
    gboolean unknown = g_ascii_strcasecmp(value, "[UNAVAILABLE]") == 0
                       || g_ascii_strcasecmp(value, "[TEMPUNAVAIL]") == 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (!is_named(reader, i, word, (gsize)(equals - word)))
            continue;
        gboolean twice = (reader->seen & 1u << i) != 0;
        reader->seen |= 1u << i;
        return !twice
               && attributes[i].set(&reader->told, unknown ? NULL : value);
    }
    return FALSE;
}

static gboolean
read_words(Reader *reader, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (!set(reader, words[i]))
            return FALSE;
    return words[0] != NULL;
}

gboolean
xclient_parse(const char *text, XclientPeer *peer)
{
    Reader reader = {.told = *peer, .command = XCLIENT};
    if (!read_words(&reader, text))
        return FALSE;
    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++)
        if ((reader.seen & 1u) != 0 && (reader.seen & 1u << i) == 0
            && attributes[i].of_address)
            attributes[i].set(&reader.told, NULL);
    *peer = reader.told;
    return TRUE;
}

gboolean
xforward_parse(const char *text, XclientPeer *peer)
{
    Reader reader = {.told = *peer, .command = XFORWARD};
    if (!read_words(&reader, text))
        return FALSE;
    *peer = reader.told;
    return TRUE;
}
