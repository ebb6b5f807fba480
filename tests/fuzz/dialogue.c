/* dialogue.c: what an SMTP client said, read along with the replies to it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/fuzz/dialogue.h"

#include "tests/fuzz/reader.h"

#include <string.h>

#define REPLY_LINE 512

typedef struct Dialogue {
    const DialogueWords *words;
    const char *at, *end;
    char **replies; /* lines that are left */
    GString *chunks;
    unsigned recipients;
    gboolean closed;
    GPtrArray *letters;
} Dialogue;

void
letter_free(Letter *letter)
{
    g_string_free(letter->content, TRUE);
    g_free(letter);
}

/* ---- replies ------------------------------------------------------------ */

static void
check_line(const char *line)
{
    gsize length = strlen(line);
    g_assert_cmpuint(length, >=, 4);
    g_assert_cmpuint(length, <=, REPLY_LINE - 2);
    g_assert_true(*line >= '2' && *line <= '5');
    g_assert_true(g_ascii_isdigit(line[1]) && g_ascii_isdigit(line[2]));
    g_assert_true(line[3] == ' ' || line[3] == '-');
    g_assert_null(strpbrk(line, "\r\n"));
}

/* Its last line; NULL: none is left. */
static const char *
next_reply(Dialogue *dialogue)
{
    const char *line;
    do {
        line = *dialogue->replies;
        /* Behind the last CRLF there is nothing. */
        if (line == NULL || *line == '\0')
            return NULL;
        check_line(line);
        dialogue->replies++;
    } while (line[3] == '-');
    dialogue->closed |=
        strncmp(line, "221", 3) == 0 || strncmp(line, "421", 3) == 0;
    return line;
}

/* ---- what was said ------------------------------------------------------ */

static void
forget(Dialogue *dialogue)
{
    g_string_truncate(dialogue->chunks, 0);
    dialogue->recipients = 0;
}

static void
end_message(Dialogue *dialogue, const char *bytes, gsize length, gboolean dots)
{
    Letter *letter = g_new0(Letter, 1);
    letter->content = g_string_new(NULL);
    letter->recipients = dialogue->recipients;
    reader_content(letter->content, bytes, length, dots);
    reader_part(letter->content);
    g_ptr_array_add(dialogue->letters, letter);
}

static void
read_data(Dialogue *dialogue, const char *line, const char *reply)
{
    (void)line;
    if (strncmp(reply, "354", 3) != 0)
        return;
    gsize left = (gsize)(dialogue->end - dialogue->at);
    gsize size = reader_end(dialogue->at, left);
    const char *verdict = next_reply(dialogue);
    g_assert_true((size > 0) == (verdict != NULL));
    if (size > 0 && strcmp(verdict, dialogue->words->queued) == 0)
        end_message(dialogue, dialogue->at, size - 3, TRUE);
    dialogue->at += size > 0 ? size : left;
    forget(dialogue);
}

/* What cannot be measured ends it. */
static void
read_chunk(Dialogue *dialogue, const char *line, const char *reply)
{
    gsize left = (gsize)(dialogue->end - dialogue->at);
    gsize size = g_ascii_strtoull(line + 4 + strspn(line + 4, " "), NULL, 10);
    if (strncmp(reply, "500", 3) == 0 || strncmp(reply, "501", 3) == 0) {
        dialogue->closed = TRUE;
        return;
    }
    if (dialogue->closed)
        return;
    g_assert_cmpuint(size, <=, left);
    g_string_append_len(dialogue->chunks, dialogue->at, (gssize)size);
    dialogue->at += size;
    if (strcmp(reply, dialogue->words->queued) == 0)
        end_message(dialogue, dialogue->chunks->str, dialogue->chunks->len,
                    FALSE);
    if (!g_str_has_suffix(reply, " octets"))
        forget(dialogue);
}

static void
read_rcpt(Dialogue *dialogue, const char *line, const char *reply)
{
    (void)line;
    if (strcmp(reply, dialogue->words->rcpt) == 0)
        dialogue->recipients++;
}

static void
read_reset(Dialogue *dialogue, const char *line, const char *reply)
{
    (void)line;
    if (*reply == '2')
        forget(dialogue);
}

static const struct Verb {
    const char *word;
    void (*read)(Dialogue *dialogue, const char *line, const char *reply);
} verbs[] = {
    {"DATA", read_data},  {"BDAT", read_chunk}, {"RCPT", read_rcpt},
    {"EHLO", read_reset}, {"HELO", read_reset}, {"RSET", read_reset},
};

static gboolean
read_line(Dialogue *dialogue)
{
    gsize left = (gsize)(dialogue->end - dialogue->at);
    const char *lf = left > 0 ? memchr(dialogue->at, '\n', left) : NULL;
    const char *reply = lf != NULL ? next_reply(dialogue) : NULL;
    if (reply == NULL)
        return FALSE;
    g_autofree char *line = g_strndup(dialogue->at, (gsize)(lf - dialogue->at));
    dialogue->at = lf + 1;
    for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_ascii_strncasecmp(line, verbs[i].word, 4) == 0)
            verbs[i].read(dialogue, line, reply);
    return !dialogue->closed;
}

/* A line without an answer is one that was not finished, or a chunk's. */
static gboolean
may_be_unanswered(const Dialogue *dialogue)
{
    gsize left = (gsize)(dialogue->end - dialogue->at);
    return dialogue->closed || left == 0
           || memchr(dialogue->at, '\n', left) == NULL
           || (left >= 4 && g_ascii_strncasecmp(dialogue->at, "BDAT", 4) == 0);
}

GPtrArray *
dialogue_read(const DialogueWords *words, const char *said, gsize length,
              const GString *replies)
{
    g_auto(GStrv) lines = g_strsplit(replies->str, "\r\n", 0);
    Dialogue dialogue = {
        .words = words,
        .at = said,
        .end = said + length,
        .replies = lines,
        .chunks = g_string_new(NULL),
        .letters = g_ptr_array_new_with_free_func((GDestroyNotify)letter_free),
    };
    g_assert_cmpuint(strlen(replies->str), ==, replies->len);
    g_assert_true(replies->len == 0 || g_str_has_suffix(replies->str, "\r\n"));
    if (next_reply(&dialogue) != NULL)
        while (read_line(&dialogue))
            continue;
    g_assert_null(next_reply(&dialogue));
    g_assert_true(may_be_unanswered(&dialogue));
    g_string_free(dialogue.chunks, TRUE);
    return dialogue.letters;
}

/* ---- what was heard ----------------------------------------------------- */

typedef enum Heard { IDLE = 1, IN_MAIL = 2, IN_RCPT = 4, IN_DATA = 8 } Heard;

static const struct Place {
    const char *prefix;
    unsigned where; /* of Heard */
    Heard then;
} places[] = {
    {"EHLO mx.test", IDLE, IDLE},
    {"MAIL FROM:<", IDLE, IN_MAIL},
    {"RCPT TO:<", IN_MAIL | IN_RCPT, IN_RCPT},
    {"DATA", IN_RCPT, IN_DATA},
    {"message", IN_DATA, IDLE},
    {"RSET", IN_MAIL | IN_RCPT, IDLE},
    {"QUIT", IDLE, IDLE},
};

static Heard
step(Heard heard, const char *line)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++)
        if (g_str_has_prefix(line, places[i].prefix)) {
            if (!(heard & places[i].where))
                g_error("out of place: %s", line);
            return places[i].then;
        }
    g_error("no command: %s", line);
}

void
dialogue_check_heard(const char *heard)
{
    g_auto(GStrv) lines = g_strsplit(heard, "\n", 0);
    Heard state = IDLE;
    for (unsigned i = 0; lines[i] != NULL; i++)
        if (*lines[i] != '\0')
            state = step(state, lines[i]);
}
