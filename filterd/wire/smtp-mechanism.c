/* smtp-mechanism.c: the SASL mechanisms that can be relayed, and whom a
 * client's first response names.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Strict: what a server behind could read as another name is refused.
 */
#include "filterd/wire/smtp-mechanism.h"

#include "filterd/base/text.h"

#include <string.h>

/* Hexadecimal digits behind CRAM-MD5's name. */
#define DIGEST_LENGTH 32

/* Octets, NULs included. */
typedef struct Text {
    const char *bytes;
    gsize length;
} Text;

/* ---- pieces ------------------------------------------------------------- */

static char *
take_name(Text text)
{
    if (text.length == 0 || text.length > SMTP_USER_LIMIT
        || !text_is_plain(text.bytes, text.length))
        return NULL;
    return g_strndup(text.bytes, text.length);
}

static Text
behind(Text text, gsize length)
{
    return (Text){text.bytes + length, text.length - length};
}

/* What stands before the next `mark`, which goes; FALSE: there is none. */
static gboolean
cut(Text *rest, char mark, Text *part)
{
    const char *end = memchr(rest->bytes, mark, rest->length);
    if (end == NULL)
        return FALSE;
    *part = (Text){rest->bytes, (gsize)(end - rest->bytes)};
    *rest = behind(*rest, part->length + 1);
    return TRUE;
}

static gboolean
skip(Text *text, const char *prefix)
{
    gsize length = strlen(prefix);
    if (text->length < length || memcmp(text->bytes, prefix, length) != 0)
        return FALSE;
    *text = behind(*text, length);
    return TRUE;
}

static gboolean
equals(Text text, const char *other)
{
    return text.length == strlen(other)
           && memcmp(text.bytes, other, text.length) == 0;
}

/* RFC 5802 5.1: "=2C" is a comma, "=3D" the other. */
static char *
take_saslname(Text text)
{
    g_autoptr(GString) name = g_string_new(NULL);
    while (text.length > 0) {
        char octet = *text.bytes;
        if (skip(&text, "=2C"))
            octet = ',';
        else if (!skip(&text, "=3D") && octet == '=')
            return NULL;
        else if (octet != '=')
            text = behind(text, 1);
        g_string_append_c(name, octet);
    }
    return take_name((Text){name->str, name->len});
}

/* RFC 5801 4: no channel binding, whom the client wants to be. */
static gboolean
cut_gs2_header(Text *rest, Text *wanted)
{
    Text flag;
    return cut(rest, ',', &flag) && (equals(flag, "n") || equals(flag, "y"))
           && cut(rest, ',', wanted)
           && (wanted->length == 0 || skip(wanted, "a="));
}

/* ---- a function a mechanism --------------------------------------------- */

static char *
user_of_plain(Text rest)
{
    Text wanted, user;
    if (!cut(&rest, '\0', &wanted) || !cut(&rest, '\0', &user)
        || rest.length == 0 || memchr(rest.bytes, '\0', rest.length) != NULL)
        return NULL;
    return take_name(user);
}

static char *
user_of_login(Text text)
{
    return take_name(text);
}

static char *
user_of_cram(Text text)
{
    if (text.length <= DIGEST_LENGTH + 1)
        return NULL;
    gsize name = text.length - DIGEST_LENGTH - 1;
    if (text.bytes[name] != ' ')
        return NULL;
    for (gsize i = name + 1; i < text.length; i++)
        if (!g_ascii_isxdigit(text.bytes[i]))
            return NULL;
    return take_name((Text){text.bytes, name});
}

static char *
user_of_scram(Text rest)
{
    Text wanted, user;
    if (!cut_gs2_header(&rest, &wanted) || !cut(&rest, ',', &user)
        || !skip(&user, "n=") || !skip(&rest, "r="))
        return NULL;
    return take_saslname(user);
}

/* "user=NAME^Aauth=Bearer TOKEN^A^A". */
static char *
user_of_xoauth2(Text rest)
{
    Text user, token;
    if (!skip(&rest, "user=") || !cut(&rest, '\1', &user)
        || !skip(&rest, "auth=Bearer ") || !cut(&rest, '\1', &token)
        || !equals(rest, "\1"))
        return NULL;
    return take_name(user);
}

/* RFC 7628 3.1; a second name among its pairs is one too many. */
static char *
user_of_oauthbearer(Text rest)
{
    static const char other[] = "\1user=";
    Text user;
    if (!cut_gs2_header(&rest, &user) || rest.length < 2 || *rest.bytes != '\1'
        || memmem(rest.bytes, rest.length, other, strlen(other)) != NULL)
        return NULL;
    return take_saslname(user);
}

static const struct Mechanism {
    gboolean begins;
    char *(*user)(Text response);
} mechanisms[SMTP_MECHANISMS] = {
    {TRUE, user_of_scram},   {TRUE, user_of_scram}, {FALSE, user_of_cram},
    {TRUE, user_of_plain},   {TRUE, user_of_login}, {TRUE, user_of_oauthbearer},
    {TRUE, user_of_xoauth2},
};

const char *const smtp_mechanism_names[SMTP_MECHANISMS] = {
    "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN",
    "LOGIN",         "OAUTHBEARER", "XOAUTH2",
};

int
smtp_mechanism_find(const char *name, gsize length)
{
    for (int i = 0; i < SMTP_MECHANISMS; i++)
        if (text_equal_nocase(name, length, smtp_mechanism_names[i]))
            return i;
    return -1;
}

gboolean
smtp_mechanism_begins(unsigned mechanism)
{
    return mechanisms[mechanism].begins;
}

char *
smtp_mechanism_user(unsigned mechanism, const char *response, gsize length)
{
    return length > 0 ? mechanisms[mechanism].user((Text){response, length})
                      : NULL;
}
