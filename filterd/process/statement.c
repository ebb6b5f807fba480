/* statement.c: where a word of the configuration stands.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/statement.h"

#include "filterd/host/fault.h"
#include "policy/lexer.h"

static gboolean
start(Lexer *lexer, const Bundle *bundle, const char *file)
{
    gsize length;
    GBytes *bytes = bundle_text(bundle, file);
    if (bytes == NULL)
        return FALSE;
    const char *text = g_bytes_get_data(bytes, &length);
    lexer_init(lexer, file, text != NULL ? text : "", length);
    return TRUE;
}

/* The first token at or behind that place. */
static Token
forward(Lexer *lexer, const PolicyPlace *place)
{
    Token token = lexer_next(lexer);
    while (token.kind != TOKEN_END
           && (token.place.line < place->line
               || (token.place.line == place->line
                   && token.place.column < place->column)))
        token = lexer_next(lexer);
    return token;
}

PolicyPlace
statement_option(const Bundle *bundle, const PolicyPlace *statement,
                 const char *word)
{
    Lexer lexer;
    if (!start(&lexer, bundle, statement->file))
        return *statement;
    Token token = forward(&lexer, statement);
    while (token.kind != TOKEN_END && token.kind != TOKEN_CLOSE) {
        if (token_is(&token, word))
            return token.place;
        token = lexer_next(&lexer);
    }
    return *statement;
}

static gboolean
find_in(const Bundle *bundle, const char *file, const char *head,
        const char *word, PolicyPlace *place)
{
    Lexer lexer;
    gboolean behind = FALSE;
    if (!start(&lexer, bundle, file))
        return FALSE;
    for (Token token = lexer_next(&lexer); token.kind != TOKEN_END;
         token = lexer_next(&lexer)) {
        if ((behind || head == NULL) && token_is(&token, word)) {
            *place = token.place;
            return TRUE;
        }
        behind = head != NULL && token_is(&token, head);
    }
    return FALSE;
}

PolicyPlace
statement_find(const Bundle *bundle, const char *path, const char *head,
               const char *word)
{
    PolicyPlace place = {.file = path, .line = 1, .column = 1, .length = 1};
    if (find_in(bundle, path, head, word, &place))
        return place;
    const char *const *files = bundle_paths(bundle);
    for (unsigned i = 0; files[i] != NULL; i++)
        if (find_in(bundle, files[i], head, word, &place))
            break;
    return place;
}

static char *
find_setting(const Bundle *bundle, const char *file, const char *word)
{
    Lexer lexer;
    unsigned known = 0;
    if (!start(&lexer, bundle, file))
        return NULL;
    for (Token token = lexer_next(&lexer); token.kind != TOKEN_END;
         token = lexer_next(&lexer)) {
        gboolean value = token.kind == TOKEN_BARE || token.kind == TOKEN_TEXT;
        if (known == 2 && value)
            return g_strndup(token.start, token.length);
        if (known == 1 && token_is(&token, word))
            known = 2;
        else
            known = token_is(&token, "set") ? 1 : 0;
    }
    return NULL;
}

char *
statement_setting(const Bundle *bundle, const char *word)
{
    const char *const *files = bundle_paths(bundle);
    char *value = NULL;
    for (unsigned i = 0; value == NULL && files[i] != NULL; i++)
        value = find_setting(bundle, files[i], word);
    return value;
}

static void
note(const Bundle *bundle, PolicyReport *report, PolicySeverity severity,
     const PolicyPlace *place, const char *message, const char *hint)
{
    g_autofree char *line = bundle_line(bundle, place);
    policy_report_add(report, severity, place, line, message, hint);
}

void
statement_refuse(const Bundle *bundle, PolicyReport *report,
                 const PolicyPlace *place, const char *hint, const char *format,
                 ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    note(bundle, report, POLICY_ERROR, place, message, hint);
}

gboolean
statement_refuse_start(const Bundle *bundle, PolicyReport *report,
                       const GError *error)
{
    const char *hint;
    const PolicyPlace *place = fault_place(error, &hint);
    if (place != NULL)
        note(bundle, report, POLICY_ERROR, place, error->message, hint);
    return place != NULL;
}

void
statement_warn(const Bundle *bundle, PolicyReport *report,
               const PolicyPlace *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    note(bundle, report, POLICY_WARNING, place, message, NULL);
}
