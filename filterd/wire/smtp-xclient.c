/* smtp-xclient.c: the XCLIENT command, as Postfix reads it
 * (postfix.org/XCLIENT_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-xclient.h"

#include "filterd/base/ip.h"

#include <string.h>

/* xtext (RFC 3461 4): printable ASCII but '+' and '='. */
static void
append_xtext(GString *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (g_ascii_isgraph(*p) && *p != '+' && *p != '=')
            g_string_append_c(out, *p);
        else
            g_string_append_printf(out, "+%02X", (guchar)*p);
}

/* Nobody has the unspecified address. */
static char *
format_ip(const FilterdIp *ip)
{
    static const FilterdIp nobody = {.prefix = 128};
    char text[IP_TEXT_SIZE];
    if (memcmp(ip->bytes, nobody.bytes, sizeof ip->bytes) == 0)
        return NULL;
    return g_strconcat(ip_is_v4(ip) ? "" : "IPV6:", ip_format(ip, text), NULL);
}

static char *
format_name(const SmtpIdentity *identity)
{
    return g_strdup(identity->name);
}

static char *
format_address(const SmtpIdentity *identity)
{
    return format_ip(&identity->ip);
}

static char *
format_port(const SmtpIdentity *identity)
{
    return g_strdup_printf("%u", identity->port);
}

static char *
format_protocol(const SmtpIdentity *identity)
{
    return g_strdup(identity->esmtp ? "ESMTP" : "SMTP");
}

static char *
format_helo(const SmtpIdentity *identity)
{
    return g_strdup(identity->helo);
}

static char *
format_local_address(const SmtpIdentity *identity)
{
    return format_ip(&identity->local_ip);
}

static char *
format_local_port(const SmtpIdentity *identity)
{
    return g_strdup_printf("%u", identity->local_port);
}

static char *
format_ident(const SmtpIdentity *identity)
{
    return g_strdup(identity->ident);
}

static char *
format_source(const SmtpIdentity *identity)
{
    return g_strdup(identity->local ? "LOCAL" : "REMOTE");
}

static char *
format_login(const SmtpIdentity *identity)
{
    return g_strdup(identity->login);
}

static const struct Attribute {
    const char *name;
    char *(*format)(const SmtpIdentity *identity);
} attributes[] = {
    {"NAME", format_name},           {"REVERSE_NAME", format_name},
    {"ADDR", format_address},        {"PORT", format_port},
    {"PROTO", format_protocol},      {"HELO", format_helo},
    {"DESTPORT", format_local_port}, {"DESTADDR", format_local_address},
    {"IDENT", format_ident},         {"SOURCE", format_source},
    {"SESSION", format_ident},       {"LOGIN", format_login},
};

/* Dovecot's. They count, say nothing of the client, and cannot be unavailable.
 */
static const char *const counters[] = {"TTL", "TIMEOUT", NULL};

/* Caller frees; NULL: nothing is known. */
static char *
format_attribute(const char *name, const SmtpIdentity *identity)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++)
        if (g_ascii_strcasecmp(attributes[i].name, name) == 0)
            return attributes[i].format(identity);
    return NULL;
}

void
smtp_attribute_append(GString *out, const char *name,
                      const SmtpIdentity *identity)
{
    g_autofree char *value = format_attribute(name, identity);
    g_string_append(out, name);
    g_string_append_c(out, '=');
    append_xtext(out,
                 value != NULL && *value != '\0' ? value : "[UNAVAILABLE]");
}

char *
smtp_xclient_format(const char *offered, const SmtpIdentity *identity)
{
    g_auto(GStrv) names = g_strsplit(offered, " ", 0);
    if (!g_strv_contains((const char *const *)names, "ADDR"))
        return NULL;
    GString *out = g_string_new("XCLIENT");
    for (unsigned i = 0; names[i] != NULL; i++)
        if (*names[i] != '\0' && !g_strv_contains(counters, names[i])) {
            g_string_append_c(out, ' ');
            smtp_attribute_append(out, names[i], identity);
        }
    return g_string_free(out, FALSE);
}
