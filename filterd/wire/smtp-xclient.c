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

/* What is no text of the identity is written into `scratch`. */
#define SCRATCH_SIZE (sizeof "IPV6:" + IP_TEXT_SIZE)

/* Nobody has the unspecified address. */
static const char *
ip_value(const FilterdIp *ip, char *scratch)
{
    static const FilterdIp nobody = {.prefix = 128};
    if (memcmp(ip->bytes, nobody.bytes, sizeof ip->bytes) == 0)
        return NULL;
    g_strlcpy(scratch, ip_is_v4(ip) ? "" : "IPV6:", SCRATCH_SIZE);
    ip_format(ip, scratch + strlen(scratch));
    return scratch;
}

static const char *
port_value(unsigned port, char *scratch)
{
    g_snprintf(scratch, SCRATCH_SIZE, "%u", port);
    return scratch;
}

static const char *
name_value(const SmtpIdentity *identity, char *scratch)
{
    (void)scratch;
    return identity->name;
}

static const char *
address_value(const SmtpIdentity *identity, char *scratch)
{
    return ip_value(&identity->ip, scratch);
}

static const char *
client_port_value(const SmtpIdentity *identity, char *scratch)
{
    return port_value(identity->port, scratch);
}

static const char *
protocol_value(const SmtpIdentity *identity, char *scratch)
{
    (void)scratch;
    return identity->esmtp ? "ESMTP" : "SMTP";
}

static const char *
helo_value(const SmtpIdentity *identity, char *scratch)
{
    (void)scratch;
    return identity->helo;
}

static const char *
local_address_value(const SmtpIdentity *identity, char *scratch)
{
    return ip_value(&identity->local_ip, scratch);
}

static const char *
local_port_value(const SmtpIdentity *identity, char *scratch)
{
    return port_value(identity->local_port, scratch);
}

static const char *
ident_value(const SmtpIdentity *identity, char *scratch)
{
    (void)scratch;
    return identity->ident;
}

static const char *
source_value(const SmtpIdentity *identity, char *scratch)
{
    (void)scratch;
    return identity->local ? "LOCAL" : "REMOTE";
}

static const char *
login_value(const SmtpIdentity *identity, char *scratch)
{
    (void)scratch;
    return identity->login;
}

/* NULL or "": it is not known. */
static const struct Attribute {
    const char *name;
    const char *(*value)(const SmtpIdentity *identity, char *scratch);
} attributes[] = {
    {"NAME", name_value},           {"REVERSE_NAME", name_value},
    {"ADDR", address_value},        {"PORT", client_port_value},
    {"PROTO", protocol_value},      {"HELO", helo_value},
    {"DESTPORT", local_port_value}, {"DESTADDR", local_address_value},
    {"IDENT", ident_value},         {"SOURCE", source_value},
    {"SESSION", ident_value},       {"LOGIN", login_value},
};

/* Dovecot's. They count, say nothing of the client, and cannot be unavailable.
 */
static const char *const counters[] = {"TTL", "TIMEOUT", NULL};

static const char *
find_value(const char *name, const SmtpIdentity *identity, char *scratch)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++)
        if (g_ascii_strcasecmp(attributes[i].name, name) == 0)
            return attributes[i].value(identity, scratch);
    return NULL;
}

void
smtp_attribute_append(GString *out, const char *name,
                      const SmtpIdentity *identity)
{
    char scratch[SCRATCH_SIZE];
    const char *value = find_value(name, identity, scratch);
    g_string_append(out, name);
    g_string_append_c(out, '=');
    append_xtext(out,
                 value != NULL && *value != '\0' ? value : "[UNAVAILABLE]");
}

char *
smtp_xclient_format(const char *offered, const SmtpIdentity *identity)
{
    g_autofree char *names = g_strdup(offered);
    char *rest = names, *name;
    gboolean has_address = FALSE;
    GString *out = g_string_new("XCLIENT");
    while ((name = strsep(&rest, " ")) != NULL) {
        if (*name == '\0' || g_strv_contains(counters, name))
            continue;
        has_address = has_address || strcmp(name, "ADDR") == 0;
        g_string_append_c(out, ' ');
        smtp_attribute_append(out, name, identity);
    }
    return g_string_free(out, !has_address);
}
