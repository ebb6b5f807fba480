/* complain.c: errors and warnings, with their line and what would be right.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/compile.h"

#include <string.h>

/* Words that a hint still lists. */
#define JOIN_LIMIT 24

static const Source *
find_source(const Compile *compile, const char *file)
{
    for (guint i = 0; i < compile->sources->len; i++) {
        const Source *source = g_ptr_array_index(compile->sources, i);

        if (source->name == file)
            return source;
    }
    return NULL;
}

/* A copy of that line; NULL where there is none. */
static char *
copy_line(const Source *source, unsigned line)
{
    const char *at = source->text;
    const char *end = source->text + source->length;

    for (unsigned i = 1; i < line; i++) {
        at = memchr(at, '\n', (gsize)(end - at));
        if (at == NULL)
            return NULL;
        at++;
    }
    const char *stop = memchr(at, '\n', (gsize)(end - at));
    return g_strndup(at, (gsize)((stop != NULL ? stop : end) - at));
}

static gboolean
is_word(char c)
{
    return g_ascii_isalnum(c) || (guchar)c >= 0x80
           || (c != '\0' && strchr("-_.", c) != NULL);
}

/* As it can stand in that place without becoming part of a word beside it. */
static char *
fit(const char *line, const PolicyPlace *place, const char *right)
{
    gsize length = strlen(right);

    if (g_utf8_strlen(line, -1) + 1
        < (glong)place->column + (glong)place->length)
        return g_strdup(right);
    const char *begin = g_utf8_offset_to_pointer(line, place->column - 1);
    const char *end = g_utf8_offset_to_pointer(begin, place->length);
    gboolean before = begin > line && is_word(begin[-1]);
    gboolean behind = is_word(*end);
    if (length == 0)
        return g_strdup(before && behind ? " " : "");
    return g_strconcat(before && is_word(*right) ? " " : "", right,
                       behind && is_word(right[length - 1]) ? " " : "", NULL);
}

static void
suggest(Compile *compile, const PolicyPlace *place, const char *right)
{
    const Source *source = find_source(compile, place->file);
    g_autofree char *line =
        source != NULL ? copy_line(source, place->line) : NULL;
    g_autofree char *fitted =
        right != NULL && line != NULL ? fit(line, place, right) : NULL;

    policy_report_suggest(compile->report, fitted != NULL ? fitted : right);
}

static void
complain(Compile *compile, PolicySeverity severity, const PolicyPlace *place,
         const char *hint, const char *message)
{
    const Source *source = find_source(compile, place->file);
    g_autofree char *line = NULL;

    if (source != NULL)
        line = copy_line(source, place->line);
    policy_report_add(compile->report, severity, place, line, message, hint);
}

static void
give_up(Compile *compile, const PolicyPlace *place)
{
    compile->gave_up = TRUE;
    compile->token.kind = TOKEN_END;
    policy_report_add(compile->report, POLICY_ERROR, place, NULL,
                      "too many errors", NULL);
}

static void
add_error(Compile *compile, const PolicyPlace *place,
          const Complaint *complaint, const char *message)
{
    const char *right =
        complaint->near != NULL ? complaint->near : complaint->right;

    complain(compile, POLICY_ERROR, place, complaint->hint, message);
    suggest(compile, place, right);
    if (compile->report->errors >= COMPILE_ERRORS)
        give_up(compile, place);
}

/* Whether the text there has been complained of: nothing else is wrong with
 * it. */
static gboolean
is_torn(const Compile *compile, const PolicyPlace *place)
{
    for (guint i = 0; i < compile->torn->len; i++) {
        const PolicyPlace *torn = &g_array_index(compile->torn, PolicyPlace, i);

        if (torn->file == place->file && torn->line == place->line
            && torn->column == place->column)
            return TRUE;
    }
    return FALSE;
}

static void add_formatted(Compile *compile, const PolicyPlace *place,
                          const Complaint *complaint, const char *format,
                          va_list arguments) G_GNUC_PRINTF(4, 0);

static void
add_formatted(Compile *compile, const PolicyPlace *place,
              const Complaint *complaint, const char *format, va_list arguments)
{
    if (compile->gave_up || is_torn(compile, place))
        return;
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    if (complaint->near == NULL) {
        add_error(compile, place, complaint, message);
        return;
    }
    g_autofree char *whole =
        g_strdup_printf("%s; did you mean `%s`?", message, complaint->near);
    add_error(compile, place, complaint, whole);
}

void
compile_complain(Compile *compile, const PolicyPlace *place,
                 const Complaint *complaint, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_formatted(compile, place, complaint, format, arguments);
    va_end(arguments);
}

void
compile_error(Compile *compile, const PolicyPlace *place, const char *hint,
              const char *format, ...)
{
    const Complaint complaint = {.hint = hint};
    va_list arguments;

    va_start(arguments, format);
    add_formatted(compile, place, &complaint, format, arguments);
    va_end(arguments);
}

void
compile_warn(Compile *compile, const PolicyPlace *place,
             const Complaint *complaint, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    complain(compile, POLICY_WARNING, place, complaint->hint, message);
    policy_report_suggest(compile->report, complaint->right);
}

void
compile_warning(Compile *compile, const PolicyPlace *place, const char *hint,
                const char *format, ...)
{
    const Complaint complaint = {.hint = hint};
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    compile_warn(compile, place, &complaint, "%s", message);
}

char *
compile_line(const PolicyPlace *place, const PolicyPlace *here)
{
    return strcmp(place->file, here->file) == 0
               ? g_strdup_printf("line %u", place->line)
               : g_strdup_printf("line %u of `%s`", place->line, place->file);
}

char *
compile_join(const char *const *words)
{
    gsize count = g_strv_length((char **)words);
    GString *joined = g_string_new(NULL);

    if (count == 0 || count > JOIN_LIMIT)
        return g_string_free(joined, TRUE);
    for (gsize i = 0; i < count; i++) {
        if (i > 0)
            g_string_append(joined, i + 1 < count ? ", " : " or ");
        g_string_append(joined, words[i]);
    }
    return g_string_free(joined, FALSE);
}

void
compile_no_such(Compile *compile, const PolicyPlace *place, const char *what,
                const char *word, const char *const *words)
{
    const Complaint near = {.near = compile_guess(word, words)};
    g_autofree char *joined = compile_join(words);
    g_autofree char *hint = NULL;

    if (near.near != NULL) {
        compile_complain(compile, place, &near, "%s `%s`", what, word);
        return;
    }
    if (joined != NULL)
        hint = g_strdup_printf("there is %s", joined);
    compile_error(compile, place, hint, "%s `%s`", what, word);
}
