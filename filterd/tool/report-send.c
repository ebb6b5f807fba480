/* report-send.c: gives reports to a backend, as any client would.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/report.h"
#include "filterd/wire/smtp-client.h"

#include <gio/gio.h>

struct ReportSender {
    const PolicyConfig *config;
    const char *hostname;
    SmtpClient *client; /* NULL: none answers */
};

static SmtpClient *
open_backend(const ReportSender *sender, const PolicyBackend *backend,
             GError **error)
{
    TlsContext *tls = NULL;
    if (backend->tls != POLICY_TLS_OFF
        && (tls = smtp_client_tls_new(backend, error)) == NULL)
        return NULL;
    SmtpClient *client =
        smtp_client_open(backend, tls, sender->hostname, NULL, error);
    g_clear_pointer(&tls, tls_context_free);
    return client;
}

/* A backend that delivers only here cannot pass a report on. */
static SmtpClient *
find_backend(const ReportSender *sender, GError **error)
{
    const GPtrArray *backends = sender->config->backends;
    for (unsigned i = 0; i < backends->len; i++) {
        const PolicyBackend *backend = g_ptr_array_index(backends, i);
        if (backend->wire != POLICY_SMTP)
            continue;
        g_clear_error(error);
        SmtpClient *client = open_backend(sender, backend, error);
        if (client != NULL)
            return client;
    }
    if (*error == NULL)
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                            "there is no `backend smtp`");
    return NULL;
}

ReportSender *
report_sender_new(const PolicyConfig *config, const char *hostname)
{
    ReportSender *sender = g_new0(ReportSender, 1);
    sender->config = config;
    sender->hostname = hostname;
    return sender;
}

void
report_sender_free(ReportSender *sender)
{
    if (sender->client != NULL)
        smtp_client_quit(sender->client);
    g_free(sender);
}

/* What is refused for good is PERMISSION_DENIED, if it is the report that is
 * refused and not us. */
static void
set_refusal(GError **error, const char *command, const MailReply *reply)
{
    g_autofree char *text = mail_reply_format(reply);
    gboolean ever =
        reply->code / 100 == 5 && g_str_has_prefix(command, "RCPT TO:");
    g_set_error(error, G_IO_ERROR,
                ever ? G_IO_ERROR_PERMISSION_DENIED : G_IO_ERROR_FAILED,
                "%s: %s", command, text);
}

/* One command that has to be answered so. */
static gboolean
say(ReportSender *sender, const char *command, int code, GError **error)
{
    MailReply reply = {0};
    gboolean heard =
        smtp_client_command(sender->client, command, &reply, error);
    gboolean ok = heard && reply.code / 100 == code;
    if (heard && !ok)
        set_refusal(error, command, &reply);
    mail_reply_clear(&reply);
    return ok;
}

static gboolean
give(ReportSender *sender, MailMessage *message, GError **error)
{
    MailReply reply = {0};
    gboolean heard =
        smtp_client_send(sender->client, message, &reply, 1, error);
    gboolean ok = heard && reply.code / 100 == 2;
    if (heard && !ok)
        set_refusal(error, "the report", &reply);
    mail_reply_clear(&reply);
    return ok;
}

/* After a failure the next report gets a connection of its own. */
gboolean
report_send(ReportSender *sender, const char *reverse_path, const char *address,
            MailMessage *message, GError **error)
{
    g_autofree char *from = g_strdup_printf(
        "MAIL FROM:<%s>", reverse_path != NULL ? reverse_path : "");
    g_autofree char *to = g_strdup_printf("RCPT TO:<%s>", address);
    GError *why = NULL;
    if (sender->client == NULL)
        sender->client = find_backend(sender, &why);
    gboolean ok = sender->client != NULL && say(sender, from, 2, &why)
                  && say(sender, to, 2, &why) && say(sender, "DATA", 3, &why)
                  && give(sender, message, &why);
    if (!ok) {
        g_clear_pointer(&sender->client, smtp_client_free);
        g_propagate_error(error, why);
    }
    return ok;
}
