/* decision-log.c: the lines of decision logs, one after the other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/journal-file.h"
#include "filterd/tool/decision.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_LENGTH 24
#define PIECE 262144

typedef struct Reading {
    DecisionLog *log;
    const char *path;
    FILE *file;
    guint64 number;
    GString *line;
    gboolean (*func)(const DecisionLine *line, void *data);
    void *data;
} Reading;

void
decision_log_init(DecisionLog *log)
{
    *log = (DecisionLog){.reader = json_reader_new()};
}

void
decision_log_clear(DecisionLog *log)
{
    json_reader_free(log->reader);
    g_free(log->first_broken);
    g_free(log->first);
    g_free(log->last);
}

int64_t
decision_time(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    struct tm utc = {0};
    int part[7];

    if (text == NULL || strlen(text) != TIME_LENGTH)
        return -1;
    for (unsigned i = 0; i < TIME_LENGTH; i++)
        if (form[i] == '0' ? !g_ascii_isdigit(text[i]) : text[i] != form[i])
            return -1;
    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &part[0], &part[1], &part[2],
           &part[3], &part[4], &part[5], &part[6]);
    utc.tm_year = part[0] - 1900;
    utc.tm_mon = part[1] - 1;
    utc.tm_mday = part[2];
    utc.tm_hour = part[3];
    utc.tm_min = part[4];
    utc.tm_sec = part[5];
    return (int64_t)timegm(&utc) * 1000 + part[6];
}

int
decision_word(const char *const *words, const char *word, int otherwise)
{
    for (int i = 0; word != NULL && words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return otherwise;
}

/* ---- a line ------------------------------------------------------------- */

static void
note_broken(const Reading *reading, const char *why)
{
    DecisionLog *log = reading->log;

    log->broken++;
    if (log->first_broken == NULL)
        log->first_broken =
            g_strdup_printf("%s:%" G_GUINT64_FORMAT ": %s", reading->path,
                            reading->number, why);
}

static void
keep_time(char **kept, const char *time, int sign)
{
    if (*kept != NULL && sign * strcmp(time, *kept) <= 0)
        return;
    g_free(*kept);
    *kept = g_strdup(time);
}

/* NULL: it is whole. */
static const char *
find_fault(const JsonValue *json)
{
    if (json == NULL)
        return "is no JSON";
    if (json->type != JSON_OBJECT || json_integer(json, "v") == 0)
        return "is no decision";
    if (json_integer(json, "v") != 1)
        return "is of a version that this program does not know";
    if (decision_time(json_text(json, "time")) < 0)
        return "has no time";
    if (json_text(json, "session") == NULL || json_text(json, "event") == NULL
        || decision_word(policy_verdict_words, json_text(json, "verdict"), -1)
               < 0
        || decision_word(policy_stage_words, json_text(json, "reached"), -1) < 0
        || json_find(json, "facts", JSON_OBJECT) == NULL
        || json_find(json, "recipients", JSON_ARRAY) == NULL
        || json_find(json, "rules", JSON_ARRAY) == NULL)
        return "lacks what each decision has";
    return NULL;
}

static gboolean
take_line(Reading *reading)
{
    DecisionLog *log = reading->log;
    const GString *text = reading->line;

    log->lines++;
    if (log->needle != NULL && strstr(text->str, log->needle) == NULL
        && log->first != NULL)
        return TRUE;
    const JsonValue *json = json_read(log->reader, text->str, text->len);
    const char *fault = find_fault(json);
    if (fault != NULL) {
        note_broken(reading, fault);
        return TRUE;
    }
    const DecisionLine line = {reading->path, reading->number, text->str, json};
    keep_time(&log->first, json_text(json, "time"), -1);
    keep_time(&log->last, json_text(json, "time"), 1);
    return reading->func(&line, reading->data);
}

/* ---- a file ------------------------------------------------------------- */

/* The line at hand has its end. FALSE: enough. */
static gboolean
end_line(Reading *reading)
{
    gboolean more = TRUE;

    reading->number++;
    if (reading->line->len > DECISION_LINE_LIMIT)
        note_broken(reading, "is too long");
    else if (reading->line->len > 0)
        more = take_line(reading);
    g_string_truncate(reading->line, 0);
    return more;
}

/* Of a line that is too long nothing more is kept. */
static gboolean
take_piece(Reading *reading, const char *piece, gsize length)
{
    const char *at = piece, *limit = piece + length;

    while (at < limit) {
        const char *end = memchr(at, '\n', (gsize)(limit - at));
        const char *stop = end != NULL ? end : limit;

        if (reading->line->len <= DECISION_LINE_LIMIT)
            g_string_append_len(reading->line, at, stop - at);
        if (end != NULL && !end_line(reading))
            return FALSE;
        at = stop + 1;
    }
    return TRUE;
}

/* The last line may still be on its way into the file. */
static void
take_all(Reading *reading)
{
    g_autofree char *piece = g_malloc(PIECE);
    gsize length;

    while ((length = fread(piece, 1, PIECE, reading->file)) > 0)
        if (!take_piece(reading, piece, length))
            return;
    reading->number++;
    if (reading->line->len > 0)
        note_broken(reading, "has no end");
}

gboolean
decision_log_read(DecisionLog *log, const char *path,
                  gboolean (*func)(const DecisionLine *line, void *data),
                  void *data, GError **error)
{
    gboolean standard = strcmp(path, "-") == 0;
    Reading reading = {
        .log = log,
        .path = standard ? "standard input" : path,
        .file = standard ? stdin : fopen(path, "re"),
        .func = func,
        .data = data,
    };

    errno = reading.file == NULL ? errno : 0;
    if (reading.file != NULL) {
        reading.line = g_string_new(NULL);
        take_all(&reading);
        g_string_free(reading.line, TRUE);
    }
    gboolean ok = reading.file != NULL && !ferror(reading.file);
    if (!ok)
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "%s: %s", reading.path, g_strerror(errno));
    if (reading.file != NULL && !standard)
        fclose(reading.file);
    return ok;
}

/* ---- what was put aside ------------------------------------------------- */

static int
by_age(const void *a, const void *b)
{
    guint64 one = *(const guint64 *)a, other = *(const guint64 *)b;

    return (one < other) - (one > other);
}

/* The numbers behind its name. */
static GArray *
list_numbers(const char *path)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *head = g_strconcat(base, ".", NULL);
    g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
    const char *name;

    while (listing != NULL && (name = g_dir_read_name(listing)) != NULL) {
        guint64 number;

        if (g_str_has_prefix(name, head)
            && g_ascii_string_to_unsigned(name + strlen(head), 10, 1,
                                          G_MAXUINT32, &number, NULL))
            g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, by_age);
    return numbers;
}

GPtrArray *
decision_log_files(const char *path)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) numbers = list_numbers(path);

    for (guint i = 0; i < numbers->len; i++)
        g_ptr_array_add(
            files, journal_file_path(
                       path, (unsigned)g_array_index(numbers, guint64, i)));
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        g_ptr_array_add(files, g_strdup(path));
    return files;
}
