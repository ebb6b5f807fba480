/* bad-input.c: tests of what a client gets for what it should not have sent, a
 * row of bad-input.txt each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#include <string.h>

#define CODES 2

/* What is expected of each try of a row. */
typedef struct Row {
    char *name;
    char *code;            /* NULL: none comes */
    char *enhanced[CODES]; /* of MAIL, of RCPT; the same if there is one */
    gboolean closed;
    char *log;
    unsigned tries;
} Row;

typedef struct Reader {
    char *title;
    Row row;
    GatewayCase options; /* of the row so far */
    const char *state;
    char *after; /* what NOOP is answered */
    GString *dialogue;
} Reader;

/* What lives as long as the program. */
static GStringChunk *kept;

static char *
keep(const char *text)
{
    return g_string_chunk_insert(kept, text);
}

/* ---- text ---------------------------------------------------------------- */

static const struct State {
    const char *name;
    const char *dialogue;
} states[] = {
    {"open", ""},
    {"hello", "< 220\n> EHLO c.test\n< 250\n"},
    {"mail", "> MAIL FROM:<a@c.test>\n< 250\n"},
    {"rcpt", "> RCPT TO:<b@mx.test>\n< 250\n"},
    {"data", "> DATA\n< 354\n"},
};

static void
append_state(GString *out, const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        g_string_append(out, states[i].dialogue);
        if (strcmp(states[i].name, name) == 0)
            return;
    }
    g_error("no state: %s", name);
}

static void
append_times(GString *out, const char *text, gsize length, uint64_t times)
{
    while (times-- > 0)
        g_string_append_len(out, text, (gssize)length);
}

/* {3*ab} is ababab. */
static void
append_expanded(GString *out, const char *text)
{
    while (*text != '\0') {
        char *star = NULL;
        uint64_t times =
            *text == '{' ? g_ascii_strtoull(text + 1, &star, 10) : 0;
        const char *end = times > 0 && *star == '*' ? strchr(star, '}') : NULL;
        if (end == NULL) {
            g_string_append_c(out, *text++);
            continue;
        }
        append_times(out, star + 1, (gsize)(end - star - 1), times);
        text = end + 1;
    }
    g_string_append_c(out, '\n');
}

/* The name of a test has no other characters. */
static char *
make_name(const char *title, const char *what)
{
    g_autofree char *small_title = g_ascii_strdown(title, -1);
    g_autofree char *name =
        g_strdup_printf("/wire/bad-input/%s/%s", small_title, what);
    g_strcanon(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "/.:<>@", '-');
    return keep(name);
}

/* ---- tries --------------------------------------------------------------- */

/* What was said is answered so. */
static void
append_expectation(const Reader *reader, GString *out, unsigned kind)
{
    const Row *row = &reader->row;
    if (row->code != NULL)
        g_string_append_printf(out, "< %s%s%s\n", row->code,
                               row->enhanced[kind] != NULL ? " " : "",
                               row->enhanced[kind] != NULL ? row->enhanced[kind]
                                                           : "");
    if (!row->closed)
        g_string_append_printf(out, "> NOOP\n< %s\n", reader->after);
    else if (!g_str_has_suffix(out->str, "! quiet\n"))
        g_string_append(out, "$\n");
}

static void
add_try(Reader *reader, GString *dialogue)
{
    GatewayCase *play = g_memdup2(&reader->options, sizeof *play);
    g_autofree char *name =
        g_strdup_printf("%s/%u", reader->row.name, ++reader->row.tries);
    play->dialogue = keep(dialogue->str);
    play->log = reader->row.log;
    g_string_free(dialogue, TRUE);
    g_test_add_data_func_full(name, play, gateway_test, g_free);
}

static void
begin_try(Reader *reader)
{
    reader->state = "hello";
    reader->after = "250";
    reader->options.messages = 0;
    reader->dialogue = g_string_new(NULL);
}

static void
end_try(Reader *reader)
{
    GString *said = g_steal_pointer(&reader->dialogue);
    if (said->len == 0) {
        g_string_free(said, TRUE);
        return;
    }
    GString *whole = g_string_new(NULL);
    append_state(whole, reader->state);
    g_string_append_len(whole, said->str, (gssize)said->len);
    g_string_free(said, TRUE);
    append_expectation(reader, whole, 0);
    add_try(reader, whole);
}

static void
add_path(Reader *reader, const char *path)
{
    static const char *const verbs[CODES] = {"MAIL FROM:", "RCPT TO:"};
    static const char *const before[CODES] = {"hello", "mail"};
    for (unsigned i = 0; i < CODES; i++) {
        g_autofree char *line =
            g_strconcat("~ ", verbs[i], path, "\\r\\n", NULL);
        GString *whole = g_string_new(NULL);
        append_state(whole, before[i]);
        append_expanded(whole, line);
        append_expectation(reader, whole, i);
        add_try(reader, whole);
    }
}

/* ---- lines --------------------------------------------------------------- */

static void
take_or(Reader *reader, const char *text G_GNUC_UNUSED)
{
    end_try(reader);
    begin_try(reader);
}

static void
take_state(Reader *reader, const char *text)
{
    reader->state = text;
}

static void
take_listen(Reader *reader, const char *text)
{
    reader->options.listen = text;
}

static void
take_lmtp(Reader *reader, const char *text G_GNUC_UNUSED)
{
    reader->options.wire = "lmtp";
}

static void
take_policy(Reader *reader, const char *text G_GNUC_UNUSED)
{
    reader->options.wire = "policy";
    reader->state = "open";
}

static void
take_rules(Reader *reader, const char *text)
{
    reader->options.rules = text;
}

static void
take_offers(Reader *reader, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ", ", 0);
    g_autofree char *lines = g_strjoinv("\r\n250-", words);
    g_autofree char *reply =
        g_strconcat("250-b\r\n250-", lines, "\r\n250 HELP\r\n", NULL);
    reader->options.server.replies[BACKEND_EHLO] = keep(reply);
}

static void
take_clock(Reader *reader, const char *text G_GNUC_UNUSED)
{
    reader->options.clock_runs = TRUE;
}

static void
take_messages(Reader *reader, const char *text)
{
    reader->options.messages = (unsigned)g_ascii_strtoull(text, NULL, 10);
}

static void
take_after(Reader *reader, const char *text)
{
    reader->after = (char *)text;
}

static const struct Word {
    const char *word;
    void (*take)(Reader *reader, const char *text);
} words[] = {
    {"or", take_or},         {"at", take_state},
    {"listen", take_listen}, {"lmtp", take_lmtp},
    {"rules", take_rules},   {"path", add_path},
    {"offers", take_offers}, {"messages", take_messages},
    {"clock", take_clock},   {"then", take_after},
    {"policy", take_policy},
};

/* "5 x > NOOP|< 250" */
static void
take_times(Reader *reader, const char *text, uint64_t times)
{
    g_auto(GStrv) lines = g_strsplit(text, "|", 0);
    while (times-- > 0)
        for (unsigned i = 0; lines[i] != NULL; i++)
            append_expanded(reader->dialogue, lines[i]);
}

static void
take_step(Reader *reader, const char *line)
{
    char *end;
    gsize length = strcspn(line, " ");
    const char *text = line[length] == ' ' ? line + length + 1 : "";
    uint64_t times = g_ascii_strtoull(line, &end, 10);
    if (times > 0 && g_str_has_prefix(end, " x ")) {
        take_times(reader, end + 3, times);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i].word) == length
            && strncmp(line, words[i].word, length) == 0) {
            words[i].take(reader, text);
            return;
        }
    g_assert_cmpuint(length, ==, 1);
    append_expanded(reader->dialogue, line);
}

/* CODE ENHANCED ENHANCED closed -rule */
static void
take_reply(Row *row, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, " ", 0);
    unsigned enhanced = 0;
    for (unsigned i = 0; parts[i] != NULL; i++)
        if (strcmp(parts[i], "closed") == 0)
            row->closed = TRUE;
        else if (*parts[i] == '-')
            row->log = keep(parts[i]);
        else if (strchr(parts[i], '.') == NULL)
            row->code = keep(parts[i]);
        else
            row->enhanced[enhanced++] = keep(parts[i]);
    if (enhanced == 1)
        row->enhanced[1] = row->enhanced[0];
}

static void
take_row(Reader *reader, const char *line)
{
    const char *arrow = strstr(line, " => ");
    g_assert_nonnull(arrow);
    g_autofree char *what = g_strndup(line, (gsize)(arrow - line));
    reader->row = (Row){.name = make_name(reader->title, what)};
    reader->options = (GatewayCase){0};
    take_reply(&reader->row, arrow + 4);
}

static void
take_line(Reader *reader, const char *line)
{
    if (*line == ' ') {
        take_step(reader, line + 1);
        return;
    }
    if (*line == '#' || *line == '\0')
        return;
    end_try(reader);
    if (*line == '=')
        reader->title = (char *)line + 2;
    else
        take_row(reader, line);
    begin_try(reader);
}

static void
add_rows(void)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "bad-input.txt", NULL);
    Reader reader = {.title = NULL};
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    begin_try(&reader);
    for (unsigned i = 0; lines[i] != NULL; i++)
        take_line(&reader, keep(lines[i]));
    end_try(&reader);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    kept = g_string_chunk_new(4096);
    add_rows();
    int status = g_test_run();
    g_string_chunk_free(kept);
    return status;
}
