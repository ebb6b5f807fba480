/* log.h: lines of key=value or JSON on standard error.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A line is an event, then typed fields, whose names are fact names. Escaping
 * is here and nowhere else. Layers below session log nothing above debug.
 */
#pragma once

#include <filterd/plugin.h>

typedef enum LogForm {
    LOG_TEXT,
    LOG_JSON,
} LogForm;

typedef struct LogLine {
    GString *text;
    FilterdLogLevel level;
    gboolean cut;
} LogLine;

/* Octets of a line; fields that do not fit are left out and cut=yes says so. */
#define LOG_LINE 8192
/* Octets of one value, before escaping. */
#define LOG_VALUE 2048

/* Lines below `least` are not built. */
void log_setup(LogForm form, FilterdLogLevel least);
/* Where lines go instead, with their level, without the time that begins a line
 * of text on standard error outside the journal; NULL: standard error. */
void log_set_sink(void (*sink)(FilterdLogLevel level, const char *line));

/* log_begin(&line, FILTERD_LOG_INFO, "rejected"); log_text(&line, "client", …);
 * log_end(&line); — a NULL text is left out. One write(2) a line. */
void log_begin(LogLine *line, FilterdLogLevel level, const char *event);
void log_text(LogLine *line, const char *name, const char *text);
void log_int(LogLine *line, const char *name, int64_t integer);
void log_value(LogLine *line, const char *name, const FilterdValue *value);
void log_end(LogLine *line);

/* An event with one `text` field. */
void log_event(FilterdLogLevel level, const char *event, const char *format,
               ...) G_GNUC_PRINTF(3, 4);

/* FALSE, but once in `milliseconds` TRUE: for what would be said with every
 * message. `last` starts as 0. */
gboolean log_allow(int64_t *last, int64_t milliseconds);
