/* request.c: what stands in front of a message that is sent to spamd or rspamd.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spamd/request.h"

#include <string.h>

/* Of what a client chose: nothing that means something in a field. */
static void
append_word(GString *out, const char *word)
{
    for (; *word != '\0'; word++)
        g_string_append_c(out, g_ascii_isalnum(*word)
                                       || strchr(".-_:@+=", *word) != NULL
                                       || (*word & 0x80) != 0
                                   ? *word
                                   : '?');
}

/* As sendmail writes it, which SpamAssassin reads. */
static char *
trace_fields(const Envelope *envelope)
{
    g_autoptr(GDateTime) time =
        g_date_time_new_from_unix_utc(envelope->now / 1000);
    g_autofree char *date =
        g_date_time_format(time, "%a, %d %b %Y %H:%M:%S +0000");
    GString *out = g_string_new(NULL);

    if (envelope->from != NULL) {
        g_string_append(out, "Return-Path: <");
        append_word(out, envelope->from);
        g_string_append(out, ">\r\n");
    }
    if (envelope->ip == NULL)
        return g_string_free(out, FALSE);
    g_string_append(out, "Received: from ");
    append_word(out, envelope->helo != NULL ? envelope->helo : "unknown");
    g_string_append(out, " (");
    append_word(out, envelope->name != NULL ? envelope->name : "unknown");
    g_string_append_printf(
        out, " [%s%s])\r\n\tby localhost with %s;\r\n\t%s\r\n",
        strchr(envelope->ip, ':') != NULL ? "IPv6:" : "", envelope->ip,
        envelope->user != NULL ? "ESMTPA" : "ESMTP", date);
    return g_string_free(out, FALSE);
}

static char *
spamd_head(const Config *config, const Envelope *envelope)
{
    g_autofree char *trace = trace_fields(envelope);
    GString *out = g_string_new("SYMBOLS SPAMC/1.5\r\n");

    if (config->user != NULL)
        g_string_append_printf(out, "User: %s\r\n", config->user);
    g_string_append_printf(out,
                           "Content-length: %" G_GINT64_FORMAT "\r\n\r\n%s",
                           envelope->size + (int64_t)strlen(trace), trace);
    return g_string_free(out, FALSE);
}

static void
append_field(GString *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_string_append_printf(out, "%s: ", name);
    append_word(out, value);
    g_string_append(out, "\r\n");
}

static char *
rspamd_head(const Config *config, const Envelope *envelope)
{
    GString *out = g_string_new("POST /checkv2 HTTP/1.0\r\n");

    append_field(out, "IP", envelope->ip);
    append_field(out, "Helo", envelope->helo);
    append_field(out, "Hostname", envelope->name);
    append_field(out, "From", envelope->from);
    append_field(out, "Rcpt", envelope->to);
    append_field(out, "User", envelope->user);
    append_field(out, "Deliver-To", config->user);
    g_string_append_printf(out, "Content-Length: %" G_GINT64_FORMAT "\r\n\r\n",
                           envelope->size);
    return g_string_free(out, FALSE);
}

char *
request_head(const Config *config, const Envelope *envelope)
{
    return config->protocol == RSPAMD ? rspamd_head(config, envelope)
                                      : spamd_head(config, envelope);
}
