/* smtp-offer.c: what EHLO offers: ours, as far as the backend can honour it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"
#include "filterd/wire/smtp-mechanism.h"
#include "filterd/wire/smtp-state.h"
#include "filterd/wire/xclient-parser.h"

gboolean
smtp_withholds(const SmtpServer *server, PolicyExtension extension)
{
    return smtp_extension_withheld(&server->service->listen->without,
                                   extension);
}

SmtpExtensions
smtp_offer(const SmtpServer *server, const SmtpExtensions *backend)
{
    SmtpExtensions ours = *backend;
    if (!smtp_auth_allowed(server)) {
        ours.passed &= ~(unsigned)SMTP_AUTH;
        ours.auth = 0;
    }
    if (!smtp_is_secured(server))
        ours.passed &= ~(unsigned)SMTP_REQUIRETLS;
    smtp_extensions_withhold(&ours, &server->service->listen->without);
    for (PolicyVerb verb = 0; verb < POLICY_VERBS; verb++)
        if (!smtp_passes(server, verb))
            ours.passed &= ~((unsigned)SMTP_VRFY << verb);
    return ours;
}

SmtpExtensions
smtp_offer_now(const SmtpServer *server)
{
    SmtpExtensions offered =
        smtp_offer(server, backend_pool_known(server->service->pool));
    offered.passed |= server->promised;
    return offered;
}

/* RFC 9422. */
static int64_t
recipient_limit(const SmtpServer *server, const SmtpExtensions *offered)
{
    int64_t own = smtp_single(server) ? 1 : server->settings->max_recipients;
    return offered->max_recipients != 0 ? MIN(own, offered->max_recipients)
                                        : own;
}

static void
append_auth(GString *text, unsigned mechanisms)
{
    if (mechanisms == 0)
        return;
    g_string_append(text, "\nAUTH");
    for (unsigned i = 0; i < SMTP_MECHANISMS; i++)
        if (mechanisms & 1u << i)
            g_string_append_printf(text, " %s", smtp_mechanism_names[i]);
}

char *
smtp_offer_format(SmtpServer *server)
{
    SmtpExtensions offered =
        smtp_offer(server, backend_pool_extensions(server->service->pool));
    server->promised = offered.passed;
    GString *text = g_string_new(engine_hostname(server->service->engine));
    g_string_append(text, "\nPIPELINING\nSIZE ");
    text_append_integer(text, (int64_t)smtp_size_limit(server));
    g_string_append(text, "\nLIMITS RCPTMAX=");
    text_append_integer(text, recipient_limit(server, &offered));
    for (unsigned i = 0; smtp_extension_names[i] != NULL; i++)
        if (offered.passed & 1u << i)
            text_append_all(text, "\n", smtp_extension_names[i], NULL);
    append_auth(text, offered.auth);
    if (smtp_starttls_offered(server))
        g_string_append(text, "\nSTARTTLS");
    if (smtp_xclient_offered(server))
        g_string_append(text, "\nXCLIENT " XCLIENT_ATTRIBUTES);
    if (smtp_forward_offered(server))
        g_string_append(text, "\nXFORWARD " XFORWARD_ATTRIBUTES);
    if (!smtp_withholds(server, POLICY_CHUNKING))
        g_string_append(text, "\nCHUNKING");
    g_string_append(text, "\nENHANCEDSTATUSCODES");
    return g_string_free(text, FALSE);
}
