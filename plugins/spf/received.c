/* received.c: the Received-SPF header field (RFC 7208 section 9.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/received.h"

#include <string.h>

/* Of a value: a line of a header field is 998 octets at most. */
#define VALUE_LIMIT 512

static const char *const comments[] = {
    [SPF_OUTCOME_NONE] = "no record, nothing to judge by",
    [SPF_OUTCOME_NEUTRAL] = "client is neither permitted nor denied",
    [SPF_OUTCOME_PASS] = "client is permitted to send for the domain",
    [SPF_OUTCOME_FAIL] = "client may not send for the domain",
    [SPF_OUTCOME_SOFTFAIL] = "client is probably not permitted to send",
    [SPF_OUTCOME_TEMPERROR] = "the DNS did not answer",
    [SPF_OUTCOME_PERMERROR] = "the record cannot be used",
};

/* dot-atom of RFC 5322 3.2.3. */
static bool
is_dot_atom(const char *text)
{
    bool dot = true;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '.' ? dot
                      : !g_ascii_isalnum(*p)
                            && strchr("!#$%&'*+-/=?^_`{|}~", *p) == NULL)
            return false;
        dot = *p == '.';
    }
    return !dot;
}

/* key "=" ( dot-atom / quoted-string ) */
static void
append_pair(GString *out, const char *key, const char *text)
{
    bool atom = is_dot_atom(text);
    gsize length = MIN(strlen(text), VALUE_LIMIT);
    g_string_append_printf(out, "\n    %s=%s", key, atom ? "" : "\"");
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, g_ascii_isprint(text[i]) ? text[i] : '?');
    }
    g_string_append(out, atom ? ";" : "\";");
}

char *
spf_received_format(const SpfCheck *check, const char *result)
{
    GString *out = g_string_new(result);
    g_autoptr(GString) address = g_string_new(NULL);
    g_autofree char *sender =
        g_strconcat(check->local, "@", check->sender_domain, NULL);
    spf_check_append_client(address, check);
    g_string_append_printf(out, " (%s)", comments[check->result]);
    append_pair(out, "client-ip", address->str);
    append_pair(out, "envelope-from", sender);
    append_pair(out, "helo", check->helo);
    append_pair(out, "receiver", check->config->receiver);
    append_pair(out, "identity", "mailfrom");
    if (check->mechanism != NULL)
        append_pair(out, "mechanism", check->mechanism);
    else if (check->problem != NULL)
        append_pair(out, "problem", check->problem);
    return g_string_free(out, FALSE);
}
