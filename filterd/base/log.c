/* log.c: builds a line, escapes what is in it, writes it in one piece.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"

#include "filterd/base/clock.h"
#include "filterd/base/text.h"
#include "filterd/base/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What log_end() may still have to add. */
#define TAIL_ROOM 16

static LogForm log_form = LOG_TEXT;
static FilterdLogLevel log_least = FILTERD_LOG_INFO;
static void (*log_sink)(FilterdLogLevel level, const char *line);

void
log_setup(LogForm form, FilterdLogLevel least)
{
    log_form = form;
    log_least = least;
}

void
log_set_sink(void (*sink)(FilterdLogLevel level, const char *line))
{
    log_sink = sink;
}

/* Between quotes it stands for itself. */
static gboolean
is_printable(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static gboolean
is_plain(const char *text)
{
    if (*text == '\0')
        return FALSE;
    for (; *text != '\0'; text++)
        if (!is_printable(*text) || *text == ' ' || *text == '=')
            return FALSE;
    return TRUE;
}

/* Graphic characters as they are; white space, controls, directions and what is
 * not UTF-8 by octets. */
static const char *
append_odd_char(GString *out, const char *text)
{
    gunichar c = g_utf8_get_char_validated(text, -1);

    if (c == '"' || c == '\\') {
        g_string_append_c(out, '\\');
        g_string_append_c(out, (char)c);
        return text + 1;
    }
    if (c < (gunichar)-2 && g_unichar_isgraph(c) && !g_unichar_isspace(c)) {
        g_string_append_unichar(out, c);
        return g_utf8_next_char(text);
    }
    g_string_append_printf(out, "\\x%02x", (unsigned char)*text);
    return text + 1;
}

static void
append_text_value(GString *out, const char *text)
{
    if (is_plain(text)) {
        text_append(out, text);
        return;
    }
    g_string_append_c(out, '"');
    while (*text != '\0')
        if (is_printable(*text))
            g_string_append_c(out, *text++);
        else
            text = append_odd_char(out, text);
    g_string_append_c(out, '"');
}

static size_t
append_name(LogLine *line, const char *name)
{
    size_t start = line->text->len;

    text_append(line->text, log_form == LOG_JSON ? ",\"" : " ");
    text_append(line->text, name);
    text_append(line->text, log_form == LOG_JSON ? "\":" : "=");
    return start;
}

/* Takes back the field that began at `start`, if the line has become too long.
 */
static void
check_room(LogLine *line, size_t start)
{
    if (line->text->len <= LOG_LINE - TAIL_ROOM)
        return;
    g_string_truncate(line->text, start);
    line->cut = TRUE;
}

static void
append_text(GString *out, const char *text)
{
    g_autofree char *part = NULL;

    if (strlen(text) > LOG_VALUE)
        text = part = g_strndup(text, LOG_VALUE);
    if (log_form == LOG_JSON)
        value_append_json_text(out, text);
    else
        append_text_value(out, text);
}

void
log_begin(LogLine *line, FilterdLogLevel level, const char *event)
{
    *line = (LogLine){.level = level};
    if (level < log_least)
        return;
    line->text = g_string_sized_new(256);
    if (log_form == LOG_TEXT) {
        g_string_append(line->text, event);
        return;
    }
    g_string_append(line->text, "{\"event\":");
    append_text(line->text, event);
    g_string_append(line->text, ",\"time\":\"");
    clock_append(line->text, clock_real());
    g_string_append(line->text,
                    level == FILTERD_LOG_WARNING ? "\",\"level\":\"warning\""
                    : level == FILTERD_LOG_INFO  ? "\",\"level\":\"info\""
                                                 : "\",\"level\":\"debug\"");
}

void
log_text(LogLine *line, const char *name, const char *text)
{
    size_t start;

    if (line->text == NULL || text == NULL)
        return;
    start = append_name(line, name);
    append_text(line->text, text);
    check_room(line, start);
}

void
log_int(LogLine *line, const char *name, int64_t integer)
{
    FilterdValue value = filterd_int(integer);

    log_value(line, name, &value);
}

/* One that wants no quotes, in the form at hand. */
static void
log_bare(LogLine *line, const char *name, const FilterdValue *value)
{
    size_t start = append_name(line, name);

    if (log_form == LOG_JSON)
        value_append_json(line->text, value);
    else
        value_append(line->text, value);
    check_room(line, start);
}

static void
log_list(LogLine *line, const char *name, const FilterdValue *value)
{
    g_autoptr(GString) text = g_string_new(NULL);

    value_append(text, value);
    log_text(line, name, text->str);
}

void
log_value(LogLine *line, const char *name, const FilterdValue *value)
{
    if (line->text == NULL)
        return;
    if (log_form == LOG_TEXT && value_has_text(value))
        log_text(line, name, value->text);
    else if (log_form == LOG_TEXT && value->type == FILTERD_LIST)
        log_list(line, name, value);
    else
        log_bare(line, name, value);
}

static void
write_line(const GString *text)
{
    g_autoptr(GString) out = g_string_sized_new(text->len + 32);

    /* The journal adds the time itself. */
    if (log_form == LOG_TEXT && getenv("JOURNAL_STREAM") == NULL) {
        clock_append(out, clock_real());
        g_string_append_c(out, ' ');
    }
    g_string_append_len(out, text->str, (gssize)text->len);
    g_string_append_c(out, '\n');
    while (write(STDERR_FILENO, out->str, out->len) < 0 && errno == EINTR)
        continue;
}

void
log_end(LogLine *line)
{
    g_autoptr(GString) text = g_steal_pointer(&line->text);

    if (text == NULL)
        return;
    if (line->cut)
        g_string_append(text,
                        log_form == LOG_JSON ? ",\"cut\":true" : " cut=yes");
    if (log_form == LOG_JSON)
        g_string_append_c(text, '}');
    if (log_sink != NULL)
        log_sink(line->level, text->str);
    else
        write_line(text);
}

void
log_event(FilterdLogLevel level, const char *event, const char *format, ...)
{
    LogLine line;
    va_list arguments;
    g_autofree char *text = NULL;

    if (level < log_least)
        return;
    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    log_begin(&line, level, event);
    log_text(&line, "text", text);
    log_end(&line);
}

gboolean
log_allow(int64_t *last, int64_t milliseconds)
{
    int64_t now = clock_monotonic();

    if (*last != 0 && now - *last < milliseconds)
        return FALSE;
    *last = now;
    return TRUE;
}
