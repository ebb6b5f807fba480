/* conversation.c: asks a mail server about a recipient, without sending mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lookup/conversation.h"

#include <string.h>

#define LINES_LIMIT 64
#define TEXT_LIMIT 200
#define SAY_LIMIT 600      /* octets of a command */
#define QUIT_PATIENCE 1000 /* milliseconds for a good-bye */

typedef struct Talk {
    FilterdCall *call;
    FilterdStream *stream;
    int code;      /* of the last reply */
    GString *text; /* its last line, printable */
    bool utf8;     /* it offers SMTPUTF8 (RFC 6531) */
} Talk;

/* ---- words -------------------------------------------------------------- */

static bool
fail(const Talk *talk, const char *what, GError **error)
{
    const Config *config = talk->call->config;

    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s “%d %s”",
                config->server, what, talk->code, talk->text->str);
    return false;
}

static void
keep_text(Talk *talk, const ReplyLine *line)
{
    g_string_truncate(talk->text, 0);
    g_string_append_len(talk->text, line->text,
                        (gssize)MIN(line->length, TEXT_LIMIT));
    for (gsize i = 0; i < talk->text->len; i++)
        if (!g_ascii_isprint(talk->text->str[i]))
            talk->text->str[i] = '?';
}

/* To the end of a reply, however many lines it has. */
static bool
read_reply(Talk *talk, GError **error)
{
    const Config *config = talk->call->config;
    ReplyLine line = {.more = TRUE};

    for (int i = 0; i < LINES_LIMIT && line.more; i++) {
        size_t length;
        const char *bytes = talk->call->host->stream_line(
            talk->call, talk->stream, &length, error);

        if (bytes == NULL)
            return false;
        if (!reply_parse_line(bytes, length, &line)
            || (i > 0 && line.code != talk->code))
            break;
        talk->code = line.code;
        keep_text(talk, &line);
        talk->utf8 =
            talk->utf8 || g_ascii_strcasecmp(talk->text->str, "SMTPUTF8") == 0;
        if (!line.more)
            return true;
    }
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "%s: what it says is no reply", config->server);
    return false;
}

static bool say(Talk *talk, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* One command and its reply. */
static bool
say(Talk *talk, GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return talk->call->host->stream_write(talk->call, talk->stream, line,
                                          strlen(line), error)
           && read_reply(talk, error);
}

/* ---- the dialogue ------------------------------------------------------- */

static bool
greet(Talk *talk, GError **error)
{
    const Config *config = talk->call->config;

    if (!read_reply(talk, error))
        return false;
    if (talk->code != 220)
        return fail(talk, "it does not greet:", error);
    talk->utf8 = false;
    if (!say(talk, error, "%s %s\r\n", config->protocol == 1 ? "LHLO" : "EHLO",
             config->hello))
        return false;
    return talk->code == 250 || fail(talk, "it refuses EHLO:", error);
}

static bool
open_envelope(Talk *talk, const char *address, GError **error)
{
    const Config *config = talk->call->config;
    bool ascii = g_str_is_ascii(address);

    if (!ascii && !talk->utf8) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
                    "%s: it has no SMTPUTF8", config->server);
        return false;
    }
    if (!say(talk, error, "MAIL FROM:<>%s\r\n", ascii ? "" : " SMTPUTF8"))
        return false;
    return talk->code / 100 == 2
           || fail(talk, "it refuses the null reverse-path:", error);
}

static bool
ask(Talk *talk, const char *address, GError **error)
{
    if (!say(talk, error, "RCPT TO:<%s>\r\n", address))
        return false;
    return talk->code != 421 || fail(talk, "it ends:", error);
}

/* A recipient whom nobody can have made. Whatever becomes of that, what is
 * known stays so. */
static void
ask_for_nobody(Talk *talk, const char *address, Finding *finding)
{
    g_autofree char *nobody =
        g_strdup_printf("nobody-%08x%08x%s", g_random_int(), g_random_int(),
                        strrchr(address, '@'));

    if (!ask(talk, nobody, NULL))
        return;
    finding->picky = talk->code / 100 == 5;
    if (talk->code / 100 == 2)
        finding->standing = CATCH_ALL;
}

static bool
converse(Talk *talk, const char *address, bool probe, Finding *finding,
         GError **error)
{
    if (!greet(talk, error) || !open_envelope(talk, address, error)
        || !ask(talk, address, error))
        return false;
    finding->standing = reply_standing(talk->code, talk->text->str);
    g_string_printf(finding->reply, "%d %s", talk->code, talk->text->str);
    if (probe && finding->standing == EXISTS)
        ask_for_nobody(talk, address, finding);
    return true;
}

bool
conversation_hold(FilterdCall *call, const char *address, bool probe,
                  Finding *finding, GError **error)
{
    const Config *config = call->config;
    const FilterdHost *host = call->host;
    g_autoptr(GString) text = g_string_new(NULL);
    Talk talk = {.call = call, .text = text};

    *finding = (Finding){UNSAID, finding->reply, false};
    if (strlen(address) > SAY_LIMIT) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG,
                    "the address is too long");
        return false;
    }
    talk.stream =
        host->stream_open(call, config->server, config->timeout, error);
    if (talk.stream == NULL)
        return false;

    bool ok = converse(&talk, address, probe, finding, error);

    if (ok) {
        host->stream_patience(call, talk.stream, QUIT_PATIENCE);
        say(&talk, NULL, "QUIT\r\n");
    }
    host->stream_close(call, talk.stream);
    return ok;
}
