/* facts.c: what a request of Postfix says, as the session has it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/delegation/facts.h"

#include "filterd/base/text.h"

#include <string.h>

/* Hexadecimal digits of SHA-256. */
#define FINGERPRINT_DIGITS 64

/* "AB:CD:…" as "abcd…"; NULL: of another digest, or there is none. */
static char *
fingerprint(const char *text)
{
    GString *digits = g_string_new(NULL);
    for (; *text != '\0'; text++)
        if (*text != ':')
            g_string_append_c(digits, g_ascii_tolower(*text));
    gboolean good =
        digits->len == FINGERPRINT_DIGITS
        && strspn(digits->str, "0123456789abcdef") == FINGERPRINT_DIGITS;
    return g_string_free(digits, !good);
}

/* A name in xtext (RFC 3461 4), as RFC 2253 writes a subject. */
static char *
subject(const char *text)
{
    GString *name = g_string_new("CN=");
    for (; *text != '\0'; text++) {
        char octet = *text;
        if (octet == '+' && g_ascii_isxdigit(text[1])
            && g_ascii_isxdigit(text[2])) {
            octet = (char)(g_ascii_xdigit_value(text[1]) * 16
                           + g_ascii_xdigit_value(text[2]));
            text += 2;
        }
        if (strchr(",+\"\\<>;", octet) != NULL)
            g_string_append_c(name, '\\');
        g_string_append_c(name, g_ascii_iscntrl(octet) ? '?' : octet);
    }
    return g_string_free(name, FALSE);
}

void
delegation_tell_tls(Session *session, const DelegationRequest *request)
{
    const char *const *values = request->values;
    const char *name = values[DELEGATION_CERTIFICATE_NAME];
    const char *cipher = values[DELEGATION_CIPHER];
    g_autofree char *digest = fingerprint(values[DELEGATION_CERTIFICATE]);
    g_autofree char *who = *name != '\0' ? subject(name) : NULL;
    const SessionTls tls = {
        .version = values[DELEGATION_TLS],
        .cipher = *cipher != '\0' ? cipher : NULL,
        .fingerprint = digest,
        .subject = who,
        .verified = who != NULL,
    };
    session_secured(session, &tls);
}

void
delegation_tell_user(Session *session, const DelegationRequest *request)
{
    const char *user = request->values[DELEGATION_USER];
    if (*user != '\0' && text_is_plain(user, strlen(user)))
        session_authenticated(session, user);
}

gsize
delegation_size(const DelegationRequest *request)
{
    int64_t size = 0;
    text_parse_int(request->values[DELEGATION_SIZE], 0, G_MAXINT64, &size);
    return (gsize)size;
}
