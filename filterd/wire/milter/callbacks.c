/* callbacks.c: what libmilter calls, on threads of its own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/milter/state.h"

#include <string.h>

/* A process serves one. */
static Milter *served;

static MilterClient *
client_of(SMFICTX *context)
{
    return smfi_getpriv(context);
}

static sfsistat
ask(SMFICTX *context, MilterCall call)
{
    MilterClient *client = client_of(context);
    return client != NULL ? milter_ask(client, &call) : SMFIS_TEMPFAIL;
}

/* Where it was agreed on that nobody waits for the answer. */
static sfsistat
reply(unsigned long unanswered, sfsistat answer)
{
    return (served->needs.steps & unanswered) != 0 ? SMFIS_NOREPLY : answer;
}

/* ---- the beginning ------------------------------------------------------ */

static const struct Macros {
    int step;
    const char *names;
} macros[] = {
    {SMFIM_CONNECT, "j {daemon_name} {client_connections} {client_resolve}"},
    {SMFIM_HELO, "{tls_version} {cipher} {cert_subject} {verify}"},
    {SMFIM_ENVFROM, "i {auth_authen}"},
    {SMFIM_ENVRCPT, "i {rcpt_mailer}"},
    {SMFIM_EOM, "i"},
};

static sfsistat
on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
             unsigned long more, unsigned long other,
             unsigned long *our_actions, unsigned long *our_steps,
             unsigned long *our_more, unsigned long *our_other)
{
    (void)more;
    (void)other;
    if (!milter_needs_met(&served->needs, actions, steps)) {
        milter_complain(served, actions, steps);
        return SMFIS_REJECT;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(macros); i++)
        smfi_setsymlist(context, macros[i].step, (char *)macros[i].names);
    *our_actions = served->needs.actions;
    *our_steps = served->needs.steps;
    *our_more = *our_other = 0;
    return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
    MilterClient *client = client_of(context);
    if (client == NULL) {
        client = milter_client_new(served, context);
        smfi_setpriv(context, client);
    }
    MilterCall call = {.step = MILTER_CONNECT,
                       .name = name,
                       .address = (const struct sockaddr *)address};
    return reply(SMFIP_NR_CONN, milter_ask(client, &call));
}

static sfsistat
on_helo(SMFICTX *context, char *name)
{
    const MilterCall call = {.step = MILTER_HELO, .name = name};
    return reply(SMFIP_NR_HELO, ask(context, call));
}

/* ---- a transaction ------------------------------------------------------ */

static void
forget_octets(MilterClient *client)
{
    g_string_truncate(client->octets, 0);
    client->in_body = FALSE;
}

static sfsistat
on_mail(SMFICTX *context, char **arguments)
{
    MilterClient *client = client_of(context);
    const MilterCall call = {.step = MILTER_MAIL, .arguments = arguments};
    if (client != NULL) {
        forget_octets(client);
        client->in_transaction = TRUE;
    }
    return ask(context, call);
}

static sfsistat
on_rcpt(SMFICTX *context, char **arguments)
{
    const MilterCall call = {.step = MILTER_RCPT, .arguments = arguments};
    return ask(context, call);
}

static sfsistat
on_data(SMFICTX *context)
{
    return ask(context, (MilterCall){.step = MILTER_DATA});
}

/* What has come so far, if that is a piece. */
static sfsistat
hand_over(SMFICTX *context, MilterClient *client)
{
    if (client->octets->len < MILTER_PIECE)
        return SMFIS_CONTINUE;
    sfsistat answer = ask(context, (MilterCall){.step = MILTER_OCTETS,
                                                .octets = client->octets,
                                                .in_body = client->in_body});
    g_string_truncate(client->octets, 0);
    return answer;
}

/* Lines of a folded field end with LF; what follows must not look like another
 * field. */
static void
append_value(GString *out, const char *value)
{
    for (;;) {
        gsize length = strcspn(value, "\n");
        g_string_append_len(out, value, (gssize)length);
        g_string_append(out, "\r\n");
        if (value[length] == '\0')
            break;
        value += length + 1;
        if (*value != ' ' && *value != '\t')
            g_string_append_c(out, ' ');
    }
}

static sfsistat
on_header(SMFICTX *context, char *name, char *value)
{
    MilterClient *client = client_of(context);
    if (client == NULL)
        return reply(SMFIP_NR_HDR, SMFIS_TEMPFAIL);
    g_string_append(client->octets, name);
    g_string_append_c(client->octets, ':');
    append_value(client->octets, value);
    return reply(SMFIP_NR_HDR, hand_over(context, client));
}

static sfsistat
on_header_end(SMFICTX *context)
{
    MilterClient *client = client_of(context);
    if (client == NULL)
        return reply(SMFIP_NR_EOH, SMFIS_TEMPFAIL);
    g_string_append(client->octets, "\r\n");
    client->in_body = TRUE;
    return reply(SMFIP_NR_EOH, SMFIS_CONTINUE);
}

static sfsistat
on_body(SMFICTX *context, unsigned char *bytes, size_t length)
{
    MilterClient *client = client_of(context);
    if (client == NULL)
        return SMFIS_TEMPFAIL;
    g_string_append_len(client->octets, (const char *)bytes, (gssize)length);
    return hand_over(context, client);
}

/* What it has to change is changed before anybody says that it was taken. */
static sfsistat
on_end(SMFICTX *context)
{
    MilterClient *client = client_of(context);
    if (client == NULL)
        return SMFIS_TEMPFAIL;
    sfsistat answer = ask(
        context, (MilterCall){.step = MILTER_END, .octets = client->octets});
    forget_octets(client);
    client->in_transaction = FALSE;
    if (answer != SMFIS_CONTINUE)
        return answer;
    if (!milter_edits_carry_out(client))
        return ask(context, (MilterCall){.step = MILTER_NOT_TAKEN});
    milter_tell(client, MILTER_TAKEN);
    return SMFIS_CONTINUE;
}

/* ---- the end ------------------------------------------------------------ */

/* Postfix says it behind each message, too. */
static sfsistat
on_abort(SMFICTX *context)
{
    MilterClient *client = client_of(context);
    if (client == NULL || !client->in_transaction)
        return SMFIS_CONTINUE;
    client->in_transaction = FALSE;
    return ask(context, (MilterCall){.step = MILTER_ABORT});
}

/* May be called with libmilter's lock held: waits for nobody. */
static sfsistat
on_close(SMFICTX *context)
{
    MilterClient *client = client_of(context);
    smfi_setpriv(context, NULL);
    if (client != NULL)
        milter_part(client);
    return SMFIS_CONTINUE;
}

gboolean
milter_register(Milter *milter)
{
    const struct smfiDesc callbacks = {
        .xxfi_name = "filterd",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = milter->needs.actions,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_header_end,
        .xxfi_body = on_body,
        .xxfi_eom = on_end,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };
    served = milter;
    return smfi_register(callbacks) == MI_SUCCESS;
}
