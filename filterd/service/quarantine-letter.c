/* quarantine-letter.c: what is known about a message that is kept, as lines of
 * text: a word, a blank, a value.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/quarantine-letter.h"

#include <string.h>

#define FIRST_LINE "filterd-quarantine 1"
#define ID_LIMIT 64
/* Of a recipient: the mark that a backend took it is one octet, which can be
 * written in its place. */
#define OPEN '-'
#define TAKEN '+'

/* In the order of the lines. */
static const struct Row {
    const char *word;
    gsize offset;
} rows[] = {
#define ROW(word, field)                        \
    {                                           \
        word, offsetof(QuarantineLetter, field) \
    }
    ROW("id", id),
    ROW("rule", rule),
    ROW("stage", stage),
    ROW("reason", reason),
    ROW("facts", facts),
    ROW("session", session),
    ROW("protocol", protocol),
    ROW("client", client),
    ROW("name", name),
    ROW("helo", helo),
    ROW("auth", auth),
    ROW("from", reverse_path),
    ROW("from-parameters", parameters),
#undef ROW
};

static char **
text_at(const QuarantineLetter *letter, const struct Row *row)
{
    return (char **)((char *)letter + row->offset);
}

static void
recipient_free(void *data)
{
    QuarantineRecipient *recipient = data;
    g_free(recipient->address);
    g_free(recipient->parameters);
    g_free(recipient);
}

QuarantineLetter *
quarantine_letter_new(void)
{
    QuarantineLetter *letter = g_new0(QuarantineLetter, 1);
    letter->recipients = g_ptr_array_new_with_free_func(recipient_free);
    return letter;
}

void
quarantine_letter_free(QuarantineLetter *letter)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_free(*text_at(letter, &rows[i]));
    g_ptr_array_unref(letter->recipients);
    g_free(letter);
}

static QuarantineRecipient *
add_recipient(QuarantineLetter *letter, char *address)
{
    QuarantineRecipient *recipient = g_new0(QuarantineRecipient, 1);
    recipient->address = address;
    g_ptr_array_add(letter->recipients, recipient);
    return recipient;
}

void
quarantine_letter_add(QuarantineLetter *letter, const char *address,
                      const char *parameters)
{
    add_recipient(letter, g_strdup(address))->parameters = g_strdup(parameters);
}

gboolean
quarantine_id_valid(const char *text)
{
    gsize length = strlen(text);
    return length > 0 && length <= ID_LIMIT && *text != '-'
           && strspn(text, "0123456789abcdef-") == length;
}

/* ---- writing ------------------------------------------------------------ */

static void
append_escaped(GString *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (g_ascii_iscntrl(*text) || *text == '\\')
            g_string_append_printf(out, "\\x%02x", (guchar)*text);
        else
            g_string_append_c(out, *text);
}

static void
append_line(GString *out, const char *word, const char *text)
{
    if (text == NULL)
        return;
    g_string_append_printf(out, "%s ", word);
    append_escaped(out, text);
    g_string_append_c(out, '\n');
}

static void
append_recipient(GString *out, const QuarantineRecipient *recipient)
{
    g_string_append_printf(out, "to %c ", recipient->taken ? TAKEN : OPEN);
    append_escaped(out, recipient->address);
    g_string_append_c(out, '\n');
    append_line(out, "to-parameters", recipient->parameters);
}

void
quarantine_letter_format(const QuarantineLetter *letter, GString *out)
{
    g_string_append_printf(out, FIRST_LINE "\ntime %" G_GINT64_FORMAT "\n",
                           letter->time);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        append_line(out, rows[i].word, *text_at(letter, &rows[i]));
    for (unsigned i = 0; i < letter->recipients->len; i++)
        append_recipient(out, g_ptr_array_index(letter->recipients, i));
    g_string_append_c(out, '\n');
}

/* ---- reading ------------------------------------------------------------ */

typedef struct Line {
    const char *word, *value; /* the value up to `end` */
    gsize word_length;
    const char *end;
} Line;

static char *
unescape(const char *text, const char *end)
{
    GString *out = g_string_sized_new((gsize)(end - text));
    for (; text < end; text++) {
        gboolean escaped = end - text >= 4 && text[0] == '\\' && text[1] == 'x'
                           && g_ascii_isxdigit(text[2])
                           && g_ascii_isxdigit(text[3]);
        char octet = *text;
        if (escaped) {
            octet = (char)(g_ascii_xdigit_value(text[2]) * 16
                           + g_ascii_xdigit_value(text[3]));
            text += 3;
        }
        if (octet != '\0')
            g_string_append_c(out, octet);
    }
    return g_string_free(out, FALSE);
}

/* FALSE: there is no whole line. */
static gboolean
next_line(const char **at, const char *end, Line *line)
{
    const char *stop = memchr(*at, '\n', (gsize)(end - *at));
    if (stop == NULL)
        return FALSE;
    const char *blank = memchr(*at, ' ', (gsize)(stop - *at));
    *line = (Line){.word = *at,
                   .word_length = (gsize)((blank != NULL ? blank : stop) - *at),
                   .value = blank != NULL ? blank + 1 : stop,
                   .end = stop};
    *at = stop + 1;
    return TRUE;
}

static gboolean
line_is(const Line *line, const char *word)
{
    return strlen(word) == line->word_length
           && memcmp(line->word, word, line->word_length) == 0;
}

static void
read_recipient(QuarantineLetter *letter, const char *bytes, const Line *line)
{
    if (line->end - line->value < 2 || line->value[1] != ' ')
        return;
    QuarantineRecipient *recipient =
        add_recipient(letter, unescape(line->value + 2, line->end));
    recipient->taken = *line->value == TAKEN;
    recipient->mark = (gsize)(line->value - bytes);
}

static void
read_recipient_parameters(QuarantineLetter *letter, const Line *line)
{
    if (letter->recipients->len == 0)
        return;
    QuarantineRecipient *last =
        g_ptr_array_index(letter->recipients, letter->recipients->len - 1);
    g_free(last->parameters);
    last->parameters = unescape(line->value, line->end);
}

static void
read_line(QuarantineLetter *letter, const char *bytes, const Line *line)
{
    if (line_is(line, "to")) {
        read_recipient(letter, bytes, line);
    } else if (line_is(line, "to-parameters")) {
        read_recipient_parameters(letter, line);
    } else if (line_is(line, "time")) {
        g_autofree char *digits = unescape(line->value, line->end);
        letter->time = g_ascii_strtoll(digits, NULL, 10);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char **text = text_at(letter, &rows[i]);
        if (!line_is(line, rows[i].word))
            continue;
        g_free(*text);
        *text = unescape(line->value, line->end);
    }
}

static gboolean
is_line(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if (g_ascii_iscntrl(*text))
            return FALSE;
    return TRUE;
}

/* What will be said in commands has to be one line. */
static gboolean
can_be_said(const QuarantineLetter *letter)
{
    gboolean lines =
        is_line(letter->reverse_path) && is_line(letter->parameters);
    for (unsigned i = 0; lines && i < letter->recipients->len; i++) {
        const QuarantineRecipient *recipient =
            g_ptr_array_index(letter->recipients, i);
        lines = is_line(recipient->address) && is_line(recipient->parameters);
    }
    return lines;
}

static gboolean
whole(const QuarantineLetter *letter)
{
    return letter->id != NULL && quarantine_id_valid(letter->id)
           && letter->reverse_path != NULL && can_be_said(letter);
}

/* What a later version writes besides is passed over. */
QuarantineLetter *
quarantine_letter_parse(const char *bytes, gsize length, gsize *taken)
{
    Line line;
    const char *at = bytes, *end = bytes + length;
    gsize first = strlen(FIRST_LINE "\n");
    if (length < first || memcmp(bytes, FIRST_LINE "\n", first) != 0)
        return NULL;
    at += first;
    g_autoptr(QuarantineLetter) letter = quarantine_letter_new();
    while (next_line(&at, end, &line)) {
        if (line.end == line.word) {
            *taken = (gsize)(at - bytes);
            return whole(letter) ? g_steal_pointer(&letter) : NULL;
        }
        read_line(letter, bytes, &line);
    }
    return NULL;
}
