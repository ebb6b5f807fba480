/* host.c: the host of a link: a domain in A-labels, or an address (RFC 3986
 * 3.2.2, RFC 5891).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/host.h"

#include "plugins/dnsbl/name.h"

#include <string.h>

#define RAW_LIMIT 512 /* octets of a host before it is in A-labels */

/* %XX in place; no NUL comes of it. */
static void
percent_decode(char *text)
{
    char *out = text;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '%' && g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2])) {
            int octet =
                g_ascii_xdigit_value(at[1]) << 4 | g_ascii_xdigit_value(at[2]);

            *out++ = octet != 0 ? (char)octet : ' ';
            at += 2;
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
}

/* ---- addresses ---------------------------------------------------------- */

/* Decimal, 0octal, 0xhex, as inet_aton() has it. */
static bool
part_parse(const char **at, guint64 *part)
{
    char *end;

    if (!g_ascii_isdigit(**at))
        return false;
    *part = g_ascii_strtoull(*at, &end, 0);
    *at = end;
    return *end == '.' || *end == '\0';
}

/* The last part fills what is left: 127.1 is 127.0.0.1. */
static bool
address_parse(const char *text, FilterdIp *ip)
{
    guint64 part, address = 0;
    unsigned parts = 0;

    for (;; text++) {
        if (!part_parse(&text, &part) || ++parts > 4)
            return false;
        if (*text == '\0')
            break;
        if (part > 255)
            return false;
        address = address << 8 | part;
    }
    if (part >= G_GUINT64_CONSTANT(1) << 8 * (5 - parts))
        return false;
    address = address << 8 * (5 - parts) | part;
    *ip = (FilterdIp){.bytes = {[10] = 0xff, [11] = 0xff}, .prefix = 128};
    for (int i = 0; i < 4; i++)
        ip->bytes[12 + i] = (uint8_t)(address >> 8 * (3 - i));
    return true;
}

/* ---- domains ------------------------------------------------------------ */

static bool
is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((*text & 0x80) != 0)
            return false;
    return true;
}

static bool
domain_parse(const char *text, UrlHost *host)
{
    char domain[NAME_SIZE];
    g_autofree char *ascii = NULL;

    if (!is_ascii(text)) {
        if (!g_utf8_validate(text, -1, NULL))
            return false;
        ascii = g_hostname_to_ascii(text);
        if (ascii == NULL)
            return false;
    }
    if (!name_of_domain(ascii != NULL ? ascii : text, domain))
        return false;
    g_strlcpy(host->domain, domain, sizeof host->domain);
    return true;
}

bool
host_parse(const char *authority, size_t length, UrlHost *host)
{
    char text[RAW_LIMIT];
    const char *at = authority + length;

    while (at > authority && at[-1] != '@')
        at--;
    length -= (size_t)(at - authority);
    if (length == 0 || length >= sizeof text)
        return false;
    memcpy(text, at, length);
    text[length] = '\0';
    text[strcspn(text, ":")] = '\0';
    percent_decode(text);
    for (length = strlen(text); length > 0 && text[length - 1] == '.';)
        text[--length] = '\0';
    *host = (UrlHost){0};
    return address_parse(text, &host->ip) || domain_parse(text, host);
}
