/* tokens.c: going through the tokens of a file, and the files.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/compile.h"

#include <string.h>

#define FOUND_LIMIT 40

static gboolean
is_torn(const Token *token)
{
    return token->kind == TOKEN_TEXT
           && memchr(token->start, '\n', token->length) != NULL;
}

/* Nothing that means anything stands in its place. */
static void
tell_nothing(Compile *compile, const Token *token)
{
    compile_error(compile, &token->place,
                  is_torn(token) ? "a text ends on the line where it begins; "
                                   "in a reply `\\n` begins a line"
                                 : NULL,
                  "%s", token->mistake->message);
    if (is_torn(token))
        g_array_append_val(compile->torn, token->place);
}

/* As it would be right. */
static void
tell_mistake(Compile *compile, const Token *token)
{
    const LexerMistake *mistake = token->mistake;
    const char *right = mistake->means;
    g_autofree char *quoted = NULL;

    if (mistake->once && compile->lexer->told == mistake)
        return;
    if (mistake->once)
        compile->lexer->told = mistake;
    if (right == NULL && (token->kind == TOKEN_NOTHING || is_torn(token))) {
        tell_nothing(compile, token);
        return;
    }
    if (right == NULL)
        right = quoted =
            g_strdup_printf("\"%.*s\"", (int)token->length, token->start);
    const Complaint complaint = {.right = right, .hint = quoted};
    if (compile->among_entries && token->kind != TOKEN_TEXT
        && token->kind != TOKEN_NOTHING)
        compile_error(compile, &token->place,
                      *mistake->written == '!'
                          ? "what is excepted needs a list of its own: "
                            "… in NAME and … not in OTHER"
                          : "leave it out",
                      "`%s` has no meaning among entries", mistake->written);
    else
        compile_complain(compile, &token->place, &complaint, "%s",
                         mistake->message);
}

void
compile_advance(Compile *compile)
{
    if (compile->gave_up)
        return;
    do {
        compile->token = lexer_next(compile->lexer);
        if (compile->token.mistake != NULL)
            tell_mistake(compile, &compile->token);
    } while (compile->token.kind == TOKEN_NOTHING && !compile->gave_up);
    if (compile->token.kind != TOKEN_BROKEN)
        return;
    const PolicyPlace *place = &compile->token.place;
    if (*compile->token.start == '"')
        compile_error(compile, place, "a text ends with `\"` on its line",
                      "this text has no end");
    else
        compile_error(compile, place, NULL, "this character has no place here");
}

gboolean
compile_at(const Compile *compile, const char *word)
{
    return token_is(&compile->token, word);
}

void
compile_wanted(Compile *compile, const char *hint, const char *what)
{
    const Token *token = &compile->token;

    if (token->kind == TOKEN_BROKEN || token->mistake != NULL)
        return;
    if (token->kind == TOKEN_END)
        compile_error(compile, &token->place, hint,
                      "expected %s, but the file ends here", what);
    else if (token->kind == TOKEN_TEXT)
        compile_error(compile, &token->place, hint, "expected %s, found a text",
                      what);
    else
        compile_error(compile, &token->place, hint, "expected %s, found `%.*s`",
                      what, (int)MIN(token->length, FOUND_LIMIT), token->start);
}

void
compile_expected(Compile *compile, const char *what)
{
    compile_wanted(compile, NULL, what);
}

gboolean
compile_expect(Compile *compile, TokenKind kind, const char *what)
{
    if (compile->token.kind != kind) {
        compile_expected(compile, what);
        return FALSE;
    }
    compile_advance(compile);
    return TRUE;
}

gboolean
compile_close(Compile *compile, const PolicyPlace *open)
{
    if (compile->token.kind == TOKEN_END
        || (compile->token.leads && compile->token.kind == TOKEN_BARE)) {
        compile_error(compile, &compile->token.place, "a `}` is missing",
                      "the block opened in line %u is not closed", open->line);
        return TRUE;
    }
    return compile_expect(compile, TOKEN_CLOSE, "`}`");
}

const char *
compile_keep(Compile *compile, const char *text, gssize length)
{
    return g_string_chunk_insert_len(compile->config->texts, text, length);
}

const char *
compile_text(Compile *compile, const Token *token)
{
    g_autoptr(GString) text = g_string_sized_new(token->length);
    PolicyPlace place = token->place;

    for (gsize i = 0; i < token->length; i++) {
        if (token->start[i] == '\\' && token->kind == TOKEN_TEXT) {
            i++;
            if (strchr("\"\\", token->start[i]) == NULL) {
                place.column +=
                    1 + (unsigned)g_utf8_strlen(token->start, (gssize)i - 1);
                place.length = 2;
                compile_error(compile, &place,
                              "a text knows \\\" and \\\\ only",
                              "no escape `\\%c`", token->start[i]);
                return NULL;
            }
        }
        g_string_append_c(text, token->start[i]);
    }
    return compile_keep(compile, text->str, (gssize)text->len);
}

const char *
compile_word(Compile *compile, const char *what)
{
    if (compile->token.kind != TOKEN_BARE) {
        compile_expected(compile, what);
        return NULL;
    }
    const char *word = compile_text(compile, &compile->token);
    compile_advance(compile);
    return word;
}

const char *
compile_value(Compile *compile, const char *what)
{
    if (compile->token.kind != TOKEN_TEXT)
        return compile_word(compile, what);
    const char *text = compile_text(compile, &compile->token);
    compile_advance(compile);
    return text;
}

gboolean
compile_skip_block(Compile *compile)
{
    PolicyPlace open = compile->token.place;
    unsigned depth = 0;

    do {
        if (compile->token.kind == TOKEN_OPEN)
            depth++;
        else if (compile->token.kind == TOKEN_CLOSE)
            depth--;
        else if (compile->token.kind == TOKEN_END)
            return compile_close(compile, &open);
        compile_advance(compile);
    } while (depth > 0);
    return TRUE;
}
