/* reply.c: a verdict in the words of the milter protocol.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/milter/state.h"

#include <string.h>

/* What a mail server waits for at every step (Postfix: 30 s), milliseconds. */
#define DELAY_LIMIT 20000
/* Lines that smfi_setmlreply() takes, and octets of each. */
#define REPLY_LINES 32
#define REPLY_LINE 980

static const sfsistat answers[] = {
    [SESSION_CONTINUE] = SMFIS_CONTINUE,   [SESSION_REJECT] = SMFIS_REJECT,
    [SESSION_TEMPFAIL] = SMFIS_TEMPFAIL,   [SESSION_DISCARD] = SMFIS_DISCARD,
    [SESSION_DISCONNECT] = SMFIS_TEMPFAIL, [SESSION_CANCELLED] = SMFIS_TEMPFAIL,
};

/* The library takes it for a format, and undoes this; of a longer line it takes
 * none. */
static char *
double_percents(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0' && out->len + strlen("%%") <= REPLY_LINE; text++) {
        g_string_append_c(out, *text);
        if (*text == '%')
            g_string_append_c(out, '%');
    }
    return g_string_free(out, FALSE);
}

/* Behind "550-5.7.1 ", which the library puts there. */
static const char *
bare_text(const char *line, const MailReply *reply)
{
    gsize prefix = strlen(reply->enhanced);
    line += strlen("250 ");
    if (prefix > 0)
        line += prefix + (line[prefix] == ' ' ? 1 : 0);
    return line;
}

/* The lines as a client of the proxy would get them; of too many the last one
 * stays, which has the session. */
static unsigned
split(const MailReply *reply, const char *suffix, char *lines[REPLY_LINES])
{
    g_autoptr(GString) out = g_string_new(NULL);
    unsigned length = 0;
    mail_reply_append(out, reply, suffix);
    g_auto(GStrv) whole = g_strsplit(out->str, "\r\n", 0);
    for (unsigned i = 0; whole[i] != NULL && *whole[i] != '\0'; i++) {
        length = MIN(length + 1, REPLY_LINES);
        g_free(lines[length - 1]);
        lines[length - 1] = double_percents(bare_text(whole[i], reply));
    }
    return length;
}

/* The function ends at the first NULL. */
static void
set_lines(SMFICTX *context, const MailReply *reply, char *line[REPLY_LINES])
{
    char code[8];
    char *enhanced = *reply->enhanced != '\0' ? (char *)reply->enhanced : NULL;
    g_snprintf(code, sizeof code, "%d", reply->code);
    (void)smfi_setmlreply(
        context, code, enhanced, line[0], line[1], line[2], line[3], line[4],
        line[5], line[6], line[7], line[8], line[9], line[10], line[11],
        line[12], line[13], line[14], line[15], line[16], line[17], line[18],
        line[19], line[20], line[21], line[22], line[23], line[24], line[25],
        line[26], line[27], line[28], line[29], line[30], line[31], NULL);
}

/* Without it the mail server finds words of its own. */
static void
set_reply(const MilterClient *client, const MailReply *reply)
{
    char *lines[REPLY_LINES] = {NULL};
    g_autofree char *suffix =
        g_strdup_printf("[%s]", session_id(client->session));
    unsigned length = split(reply, suffix, lines);
    set_lines(client->context, reply, lines);
    for (unsigned i = 0; i < length; i++)
        g_free(lines[i]);
}

sfsistat
milter_decide(MilterClient *client, SessionDecision decision)
{
    sfsistat answer = answers[decision.verdict];
    if (decision.delay > 0)
        fiber_sleep(MIN(decision.delay, DELAY_LIMIT));
    if (decision.reply != NULL && decision.verdict != SESSION_DISCARD)
        set_reply(client, decision.reply);
    if (decision.reply != NULL && answer == SMFIS_TEMPFAIL
        && decision.reply->code >= 500)
        return SMFIS_REJECT;
    return answer;
}

sfsistat
milter_refuse(MilterClient *client, const IntakeRefusal *refusal)
{
    MailReply reply = {0};
    mail_reply_set(&reply, refusal->code, refusal->enhanced, refusal->text);
    session_refused(client->session, refusal->rule, &reply);
    set_reply(client, &reply);
    mail_reply_clear(&reply);
    return refusal->code < 500 ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}
