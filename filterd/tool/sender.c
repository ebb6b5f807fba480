/* sender.c: gives mail to a backend, as any client would.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/sender.h"

#include "filterd/wire/smtp-client.h"
#include "filterd/wire/smtp-parameters.h"

#include <gio/gio.h>
#include <string.h>

struct Sender {
    const PolicyConfig *config;
    const char *hostname;
    gboolean local;
    SmtpClient *client; /* NULL: none answers */
};

Sender *
sender_new(const PolicyConfig *config, const char *hostname, gboolean local)
{
    Sender *sender = g_new0(Sender, 1);
    sender->config = config;
    sender->hostname = hostname;
    sender->local = local;
    return sender;
}

void
sender_free(Sender *sender)
{
    if (sender->client != NULL)
        smtp_client_quit(sender->client);
    g_free(sender);
}

/* ---- the connection ----------------------------------------------------- */

static SmtpClient *
open_backend(const Sender *sender, const PolicyBackend *backend, GError **error)
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

static SmtpClient *
find_backend(const Sender *sender, GError **error)
{
    const GPtrArray *backends = sender->config->backends;
    for (unsigned i = 0; i < backends->len; i++) {
        const PolicyBackend *backend = g_ptr_array_index(backends, i);
        if (backend->wire != POLICY_SMTP && !sender->local)
            continue;
        g_clear_error(error);
        SmtpClient *client = open_backend(sender, backend, error);
        if (client != NULL)
            return client;
    }
    if (*error == NULL)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "there is no `backend%s`", sender->local ? "" : " smtp");
    return NULL;
}

/* ---- commands ----------------------------------------------------------- */

static gboolean
refused(GError **error, const char *what, const MailReply *reply)
{
    g_autofree char *text = mail_reply_format(reply);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", what, text);
    return FALSE;
}

/* One command that has to be answered so. */
static gboolean
say(Sender *sender, const char *command, int code, GError **error)
{
    MailReply reply = {0};
    gboolean heard =
        smtp_client_command(sender->client, command, &reply, error);
    gboolean ok = heard && reply.code / 100 == code;
    if (heard && !ok)
        refused(error, command, &reply);
    mail_reply_clear(&reply);
    return ok;
}

/* What was of that moment: the octets, who vouched for it, the time it had. */
static char *
lasting_parameters(const char *parameters)
{
    static const char *const gone[] = {"SIZE=", "AUTH=", "BY="};
    GString *out = g_string_new(NULL);
    g_auto(GStrv) words =
        g_strsplit(parameters != NULL ? parameters : "", " ", 0);
    for (unsigned i = 0; words[i] != NULL; i++) {
        gboolean lasts = *words[i] != '\0';
        for (unsigned j = 0; lasts && j < G_N_ELEMENTS(gone); j++)
            lasts =
                g_ascii_strncasecmp(words[i], gone[j], strlen(gone[j])) != 0;
        if (lasts)
            g_string_append_printf(out, " %s", words[i]);
    }
    return g_string_free(out, FALSE);
}

/* The backend must still offer what the mail came with. */
static gboolean
say_mail(Sender *sender, const SenderLetter *letter, gboolean *binary,
         GError **error)
{
    SmtpParameters parameters = {.authenticated = TRUE};
    MailReply reply = {0};
    g_autofree char *text = lasting_parameters(letter->parameters);
    g_autofree char *plain =
        g_strdup_printf("MAIL FROM:<%s>", letter->reverse_path);
    gboolean ok = smtp_mail_parameters(
        text, smtp_client_extensions(sender->client), &parameters, &reply);
    if (!ok)
        refused(error, "the backend cannot take it", &reply);
    g_autofree char *command =
        g_strconcat(plain, ok ? parameters.text : "", NULL);
    *binary = ok && (parameters.needs & SMTP_BINARYMIME) != 0;
    smtp_parameters_clear(&parameters);
    mail_reply_clear(&reply);
    return ok && say(sender, command, 2, error);
}

/* Those that the backend would take lose their reply. */
static gboolean
say_rcpt(Sender *sender, const SenderLetter *letter, unsigned *taken,
         GError **error)
{
    *taken = 0;
    for (unsigned i = 0; i < letter->length; i++) {
        SenderRecipient *recipient = &letter->recipients[i];
        const char *parameters = recipient->parameters;
        g_autofree char *command =
            g_strdup_printf("RCPT TO:<%s>%s", recipient->address,
                            parameters != NULL ? parameters : "");
        if (!smtp_client_command(sender->client, command, &recipient->reply,
                                 error))
            return FALSE;
        if (recipient->reply.code / 100 != 2)
            continue;
        mail_reply_clear(&recipient->reply);
        ++*taken;
    }
    return TRUE;
}

/* ---- the message -------------------------------------------------------- */

/* To those without a reply of their own, in their order; a single one is for
 * all of them. Behind one that is no answer nobody can tell whose the next ones
 * are. */
static void
deal_out(const SenderLetter *letter, const MailReply *replies, unsigned length)
{
    unsigned next = 0;
    for (unsigned i = 0; i < letter->length; i++) {
        SenderRecipient *recipient = &letter->recipients[i];
        if (recipient->reply.code != 0)
            continue;
        const MailReply *reply = &replies[length > 1 ? next++ : 0];
        if (reply->code / 100 != 2 && reply->code < 400)
            return;
        mail_reply_copy(&recipient->reply, reply);
    }
}

static gboolean
give(Sender *sender, const SenderLetter *letter, unsigned taken,
     gboolean binary, GError **error)
{
    gboolean each = smtp_client_backend(sender->client)->wire == POLICY_LMTP;
    unsigned length = each ? taken : 1;
    g_autofree MailReply *replies = g_new0(MailReply, length);
    gboolean heard = (binary ? smtp_client_send_chunk : smtp_client_send)(
        sender->client, letter->message, replies, length, error);
    gboolean ok = heard && (each || replies[0].code / 100 == 2);
    if (heard && !ok)
        refused(error, "the message", &replies[0]);
    else if (ok || each)
        deal_out(letter, replies, length);
    for (unsigned i = 0; i < length; i++)
        mail_reply_clear(&replies[i]);
    return ok;
}

static gboolean
send_letter(Sender *sender, const SenderLetter *letter, unsigned *taken,
            GError **error)
{
    gboolean binary;
    return say_mail(sender, letter, &binary, error)
           && say_rcpt(sender, letter, taken, error)
           && (*taken == 0
               || ((binary || say(sender, "DATA", 3, error))
                   && give(sender, letter, *taken, binary, error)));
}

/* Where anything was refused the next letter gets a connection of its own. */
gboolean
sender_send(Sender *sender, const SenderLetter *letter, GError **error)
{
    GError *why = NULL;
    unsigned taken = 0;
    if (sender->client == NULL)
        sender->client = find_backend(sender, &why);
    gboolean ok =
        sender->client != NULL && send_letter(sender, letter, &taken, &why);
    if (!ok || taken < letter->length)
        g_clear_pointer(&sender->client, smtp_client_free);
    if (!ok)
        g_propagate_error(error, why);
    return ok;
}
