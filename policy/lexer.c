/* lexer.c: a file as tokens, with one of lookahead.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/lexer.h"

#include <string.h>

void
lexer_init(Lexer *lexer, const char *file, const char *text, gsize length)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (length >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        length -= 3;
    }
    *lexer = (Lexer){.file = file,
                     .at = text,
                     .end = text + length,
                     .line = 1,
                     .column = 1,
                     .fresh = TRUE};
}

static void
skip_octet(Lexer *lexer)
{
    char c = *lexer->at++;

    if (c == '\n') {
        lexer->line++;
        lexer->column = 1;
        lexer->fresh = TRUE;
    } else if (((unsigned char)c & 0xc0) != 0x80) {
        /* Octets that go on in a character of UTF-8 have no column. */
        lexer->column++;
    }
}

static void
skip_blank(Lexer *lexer)
{
    while (lexer->at < lexer->end) {
        if (*lexer->at == '#')
            while (lexer->at < lexer->end && *lexer->at != '\n')
                skip_octet(lexer);
        else if (strchr(" \t\r\n", *lexer->at) != NULL && *lexer->at != '\0')
            skip_octet(lexer);
        else
            break;
    }
}

static gboolean
is_bare(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f
           && strchr("{}()[],=<>!\"#", c) == NULL;
}

/* The length of [2001:db8::1]:25 where one stands, else 0. */
static gsize
bracketed_length(const Lexer *lexer)
{
    const char *c = lexer->at + 1;

    while (c < lexer->end && (g_ascii_isxdigit(*c) || *c == ':' || *c == '.'))
        c++;
    if (lexer->end - c < 3 || c[0] != ']' || (c[1] != ':' && c[1] != '@')
        || !g_ascii_isdigit(c[2]))
        return 0;
    for (c += 2; c < lexer->end && g_ascii_isdigit(*c);)
        c++;
    return (gsize)(c - lexer->at);
}

static void
take(Lexer *lexer, Token *token, TokenKind kind, gsize length)
{
    unsigned column = lexer->column;

    token->kind = kind;
    token->start = lexer->at;
    token->length = length;
    for (gsize i = 0; i < length; i++)
        skip_octet(lexer);
    token->place.length = lexer->column - column;
}

static void
take_bare(Lexer *lexer, Token *token)
{
    const char *c = lexer->at;

    while (c < lexer->end && is_bare(*c))
        c++;
    take(lexer, token, TOKEN_BARE, (gsize)(c - lexer->at));
}

/* text = '"' { any octet but '"', LF | '\' any } '"' . */
static void
take_text(Lexer *lexer, Token *token)
{
    const char *c = lexer->at + 1;
    TokenKind kind = TOKEN_TEXT;

    while (c < lexer->end && *c != '"' && *c != '\n' && *c != '\0') {
        if (*c == '\\' && lexer->end - c > 1 && c[1] != '\n' && c[1] != '\0')
            c++;
        c++;
    }
    if (c < lexer->end && *c == '"')
        c++;
    else
        kind = TOKEN_BROKEN;
    take(lexer, token, kind, (gsize)(c - lexer->at));
    if (kind == TOKEN_TEXT) {
        token->start++;
        token->length -= 2;
    }
}

static const struct {
    char text[3];
    TokenKind kind;
} signs[] = {
    {"{", TOKEN_OPEN},        {"}", TOKEN_CLOSE}, {"(", TOKEN_PAREN},
    {")", TOKEN_THESIS},      {"[", TOKEN_BRACK}, {"]", TOKEN_ET},
    {",", TOKEN_COMMA},       {"=", TOKEN_EQUAL}, {"!=", TOKEN_UNEQUAL},
    {"<=", TOKEN_LESS_EQUAL}, {"<", TOKEN_LESS},  {">=", TOKEN_MORE_EQUAL},
    {">", TOKEN_MORE},
};

static void
take_sign(Lexer *lexer, Token *token)
{
    gsize left = (gsize)(lexer->end - lexer->at);

    for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
        gsize length = strlen(signs[i].text);

        if (length <= left && memcmp(lexer->at, signs[i].text, length) == 0) {
            take(lexer, token, signs[i].kind, length);
            return;
        }
    }
    take(lexer, token, TOKEN_BROKEN, 1);
}

Token
lexer_next(Lexer *lexer)
{
    Token token = {.kind = TOKEN_END};

    skip_blank(lexer);
    token.place = (PolicyPlace){lexer->file, lexer->line, lexer->column, 1};
    token.start = lexer->at;
    token.leads = lexer->fresh;
    lexer->fresh = FALSE;
    if (lexer->at == lexer->end)
        return token;
    gsize bracketed = *lexer->at == '[' ? bracketed_length(lexer) : 0;
    if (bracketed > 0)
        take(lexer, &token, TOKEN_BARE, bracketed);
    else if (*lexer->at == '"')
        take_text(lexer, &token);
    else if (is_bare(*lexer->at))
        take_bare(lexer, &token);
    else
        take_sign(lexer, &token);
    return token;
}

gboolean
token_is(const Token *token, const char *word)
{
    return token->kind == TOKEN_BARE && strlen(word) == token->length
           && memcmp(word, token->start, token->length) == 0;
}
