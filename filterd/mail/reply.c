/* reply.c: SMTP replies (RFC 5321 4.2, RFC 2034, RFC 3463).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/reply.h"

#include "filterd/base/text.h"

#include <string.h>

#define CODE_LOW 200
#define CODE_HIGH 599
/* "550-" in front, CRLF behind. */
#define FRAME 6

/* Octets of an enhanced status code (RFC 3463 2) of that class at the start of
 * `text`, white space or the end behind it; 0 without one. */
static gsize
enhanced_span(const char *text, gsize length, int class)
{
    static const gsize digits[] = {1, 3, 3};
    gsize at = 0;
    for (gsize part = 0; part < G_N_ELEMENTS(digits); part++) {
        gsize start = at;
        while (at < length && g_ascii_isdigit(text[at]))
            at++;
        if (at == start || at - start > digits[part])
            return 0;
        if (part + 1 < G_N_ELEMENTS(digits)
            && (at == length || text[at++] != '.'))
            return 0;
    }
    if (at < length && text[at] != ' ')
        return 0;
    return text[0] - '0' == class && class != 3 ? at : 0;
}

static void
clean_lines(GString *out, const char *text)
{
    for (gsize limit = MAIL_REPLY_LINES; limit > 0; limit--) {
        gsize length = strcspn(text, "\n");
        gboolean last = text[length] == '\0';
        gsize cut = length > 0 && text[length - 1] == '\r' ? 1 : 0;
        text_append_clean(out, text, MIN(length - cut, MAIL_REPLY_PARSE_LINE));
        if (last || limit == 1)
            return;
        g_string_append_c(out, '\n');
        text += length + 1;
    }
}

void
mail_reply_set(MailReply *reply, int code, const char *enhanced,
               const char *text)
{
    g_return_if_fail(code >= CODE_LOW && code <= CODE_HIGH);
    GString *clean = g_string_new(NULL);
    clean_lines(clean, text != NULL ? text : "");
    gsize span = enhanced == NULL ? 0 : strlen(enhanced);
    MailReply fresh = {.code = code, .text = g_string_free(clean, FALSE)};
    if (span > 0 && enhanced_span(enhanced, span, code / 100) == span)
        g_strlcpy(fresh.enhanced, enhanced, sizeof fresh.enhanced);
    mail_reply_clear(reply);
    *reply = fresh;
}

void
mail_reply_clear(MailReply *reply)
{
    g_free(reply->text);
    *reply = (MailReply){0};
}

void
mail_reply_copy(MailReply *to, const MailReply *from)
{
    MailReply copy = *from;
    copy.text = g_strdup(from->text);
    mail_reply_clear(to);
    *to = copy;
}

/* How much of the line goes into `width` octets, broken at a space if there is
 * one. */
static gsize
wrap(const char *line, gsize length, gsize width)
{
    if (length <= width)
        return length;
    gsize cut = width;
    while (cut > 0 && line[cut] != ' ')
        cut--;
    return cut > 0 ? cut : width;
}

typedef struct Line {
    const char *text;
    gsize length;
} Line;

/* The next one, of at most `width`; `rest` is left behind it, or NULL where it
 * is the last. */
static Line
take_line(const char **rest, gsize width)
{
    const char *text = *rest;
    const Line line = {text, wrap(text, strcspn(text, "\n"), width)};
    text += line.length;
    *rest = *text == '\0' ? NULL : text + (*text == '\n' || *text == ' ');
    return line;
}

/* Of three digits. */
static void
append_code(GString *out, int code)
{
    const char digits[] = {(char)('0' + code / 100 % 10),
                           (char)('0' + code / 10 % 10),
                           (char)('0' + code % 10)};
    text_append_len(out, digits, sizeof digits);
}

typedef struct Wire {
    GString *out;
    const MailReply *reply;
} Wire;

/* What is not empty stands apart from what is before it in the line. */
static void
append_apart(GString *out, gsize start, Line part)
{
    if (part.length > 0 && out->len > start)
        g_string_append_c(out, ' ');
    text_append_len(out, part.text, part.length);
}

static void
append_line(const Wire *wire, char mark, Line line, Line suffix)
{
    GString *out = wire->out;
    append_code(out, wire->reply->code);
    g_string_append_c(out, mark);
    gsize start = out->len;
    text_append(out, wire->reply->enhanced);
    append_apart(out, start, line);
    append_apart(out, start, suffix);
    text_append(out, "\r\n");
}

/* The suffix goes on the last line if there is room, else on one more, else in
 * place of the last line's end. */
static void
append_lines(const Wire *wire, const char *rest, Line suffix)
{
    const Line none = {"", 0};
    gsize prefix = strlen(wire->reply->enhanced);
    gsize width = MAIL_REPLY_LINE - FRAME - (prefix > 0 ? prefix + 1 : 0);
    gsize room = width - (suffix.length > 0 ? suffix.length + 1 : 0);
    unsigned lines = 1;
    Line line = take_line(&rest, width);
    for (; rest != NULL && lines < MAIL_REPLY_LINES; lines++) {
        append_line(wire, '-', line, none);
        line = take_line(&rest, width);
    }
    if (line.length > room && lines < MAIL_REPLY_LINES) {
        append_line(wire, '-', line, none);
        line = none;
    }
    line.length = MIN(line.length, room);
    append_line(wire, ' ', line, suffix);
}

void
mail_reply_append(GString *out, const MailReply *reply, const char *suffix)
{
    const Wire wire = {out, reply};
    const char *text = reply->text != NULL ? reply->text : "";
    const char *tail = suffix != NULL ? suffix : "";
    g_return_if_fail(strlen(tail) <= MAIL_REPLY_SUFFIX);
    append_lines(&wire, text, (Line){tail, strlen(tail)});
}

char *
mail_reply_format(const MailReply *reply)
{
    const char *const parts[] = {reply->enhanced, reply->text};
    GString *out = g_string_new(NULL);
    append_code(out, reply->code);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i] != NULL && *parts[i] != '\0') {
            g_string_append_c(out, ' ');
            g_string_append(out, parts[i]);
        }
    return g_strdelimit(g_string_free(out, FALSE), "\n", ' ');
}

/* The code of a line that has the form of a reply; 0 of others. */
static int
line_code(const char *line, gsize length)
{
    if (length < 3 || length > MAIL_REPLY_PARSE_LINE)
        return 0;
    if (length > 3 && line[3] != ' ' && line[3] != '-')
        return 0;
    int code = 0;
    for (gsize i = 0; i < 3; i++) {
        if (!g_ascii_isdigit(line[i]))
            return 0;
        code = 10 * code + line[i] - '0';
    }
    return code >= CODE_LOW && code <= CODE_HIGH ? code : 0;
}

static void
add_line(MailReply *reply, const char *text, gsize length)
{
    gsize start = reply->text != NULL ? strlen(reply->text) + 1 : 0;
    reply->text = g_realloc(reply->text, start + length + 1);
    if (start > 0)
        reply->text[start - 1] = '\n';
    memcpy(reply->text + start, text, length);
    text_clean(reply->text + start, length);
    reply->text[start + length] = '\0';
}

/* The text without the code; without the enhanced code, too, if that is the one
 * of the first line. */
static void
keep_text(MailReplyParser *parser, const char *text, gsize length)
{
    MailReply *reply = &parser->reply;
    gsize span = enhanced_span(text, length, reply->code / 100);
    if (span > 0 && parser->lines == 1)
        memcpy(reply->enhanced, text, span);
    if (span > 0 && strlen(reply->enhanced) == span
        && memcmp(reply->enhanced, text, span) == 0) {
        gsize skip = MIN(span + 1, length);
        text += skip;
        length -= skip;
    }
    add_line(reply, text, length);
}

MailReplyState
mail_reply_parse_line(MailReplyParser *parser, const char *line, gsize length)
{
    int code = line_code(line, length);
    if (parser->lines == 0)
        mail_reply_clear(&parser->reply);
    if (code == 0 || parser->lines == MAIL_REPLY_LINES
        || (parser->lines > 0 && code != parser->reply.code))
        return MAIL_REPLY_BROKEN;
    parser->lines++;
    parser->reply.code = code;
    keep_text(parser, line + MIN(length, 4), length - MIN(length, 4));
    if (length > 3 && line[3] == '-')
        return MAIL_REPLY_MORE;
    parser->lines = 0;
    return MAIL_REPLY_DONE;
}

void
mail_reply_parser_clear(MailReplyParser *parser)
{
    mail_reply_clear(&parser->reply);
    parser->lines = 0;
}
