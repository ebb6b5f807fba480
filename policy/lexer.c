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

static gboolean
begins(const Lexer *lexer, const char *at, const char *text)
{
    gsize length = strlen(text);

    return (gsize)(lexer->end - at) >= length && memcmp(at, text, length) == 0;
}

/* A `;` with nothing of a word behind it. */
static gboolean
is_semicolon(const Lexer *lexer, const char *at)
{
    return *at == ';'
           && (at + 1 == lexer->end || strchr(" \t\r\n{};#", at[1]) != NULL);
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

/* ---- as others write it ------------------------------------------------- */

#define WHITE(octets, name)                                                   \
    {                                                                         \
        octets, TOKEN_NOTHING, " ", "this looks like a space and is a " name, \
            FALSE,                                                            \
    }

/* The longest first, of those that begin alike. */
static const LexerMistake mistakes[] = {
    {";", TOKEN_NOTHING, "", "no line ends with `;` here: leave out every one",
     TRUE},
    {"//", TOKEN_NOTHING, "#", "a comment begins with `#`, not with `//`",
     FALSE},
    {"/*", TOKEN_NOTHING, "#",
     "a comment begins with `#` and ends with the line", FALSE},
    {"&&", TOKEN_BARE, "and", "`&&` is written `and`", FALSE},
    {"||", TOKEN_BARE, "or", "`||` is written `or`", FALSE},
    {"===", TOKEN_EQUAL, "=", "`===` is written `=`", FALSE},
    {"==", TOKEN_EQUAL, "=", "`==` is written `=`", FALSE},
    {"=~", TOKEN_BARE, "matches", "`=~` is written `matches`", FALSE},
    {"=>", TOKEN_MORE_EQUAL, ">=", "`=>` is written `>=`", FALSE},
    {"=<", TOKEN_LESS_EQUAL, "<=", "`=<` is written `<=`", FALSE},
    {"!~", TOKEN_BARE, "matches",
     "`!~` is written `not`, before the fact, and `matches`", FALSE},
    {"!==", TOKEN_UNEQUAL, "!=", "`!==` is written `!=`", FALSE},
    {"!", TOKEN_BARE, "not", "`!` is written `not`", FALSE},
    {"<>", TOKEN_UNEQUAL, "!=", "`<>` is written `!=`", FALSE},
    {":=", TOKEN_EQUAL, "=", "`:=` is written `=`", FALSE},
    {"\xe2\x89\xa5", TOKEN_MORE_EQUAL, ">=", "`≥` is written `>=`", FALSE},
    {"\xe2\x89\xa4", TOKEN_LESS_EQUAL, "<=", "`≤` is written `<=`", FALSE},
    {"\xe2\x89\xa0", TOKEN_UNEQUAL, "!=", "`≠` is written `!=`", FALSE},
    WHITE("\xc2\xa0", "no-break space"),
    WHITE("\xe2\x80\x8b", "zero width space"),
    WHITE("\xe2\x80\xaf", "narrow no-break space"),
    WHITE("\xe3\x80\x80", "wide space"),
    WHITE("\xef\xbb\xbf", "byte order mark"),
};

/* Before anything else of its line. */
static const LexerMistake comment = {
    ";", TOKEN_NOTHING, "#", "a comment begins with `#`, not with `;`", FALSE};

static const LexerMistake conflict = {"<<<<<<<", TOKEN_NOTHING, NULL,
                                      "a merge conflict is left here", TRUE};

/* After `=` it is an address. */
static const LexerMistake null_path = {
    "<>", TOKEN_TEXT, "\"\"", "the null reverse-path is written `\"\"`", FALSE};

/* One that begins there; `within` a bare word those that end it. */
static const LexerMistake *
mistake_find(const Lexer *lexer, const char *at, gboolean within)
{
    if (*at == '\0'
        || (strchr(";/&|=!<:", *at) == NULL && (unsigned char)*at < 0xc2))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        const LexerMistake *mistake = &mistakes[i];
        char first = *mistake->written;

        if (*at != first || !begins(lexer, at, mistake->written))
            continue;
        if (first == ';' ? !is_semicolon(lexer, at)
                         : first == '!' && begins(lexer, at, "!=")
                               && !begins(lexer, at, "!=="))
            continue;
        if (within && (first == '/' || first == ':'))
            continue;
        if (*at == '<'
            && (lexer->last == TOKEN_EQUAL || lexer->last == TOKEN_UNEQUAL))
            return &null_path;
        return mistake;
    }
    return NULL;
}

/* Quotes of other kinds, and what may close them. */
static const struct Quote {
    const char *open, *close;
    LexerMistake mistake;
} quotes[] = {
#define QUOTE(open, close, name)                                           \
    {                                                                      \
        open, close,                                                       \
        {                                                                  \
            open, TOKEN_TEXT, NULL, "a text stands in `\"`, not in " name, \
                FALSE                                                      \
        }                                                                  \
    }
    QUOTE("'", "'", "single quotes"),
    QUOTE("`", "`", "backquotes"),
    QUOTE("\xe2\x80\x9c", "\xe2\x80\x9d", "typographic quotes"),
    QUOTE("\xe2\x80\x9d", "\xe2\x80\x9d", "typographic quotes"),
    QUOTE("\xe2\x80\x9e", "\xe2\x80\x9c", "typographic quotes"),
    QUOTE("\xe2\x80\x98", "\xe2\x80\x99", "typographic quotes"),
    QUOTE("\xc2\xab", "\xc2\xbb", "typographic quotes"),
};

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

    while (c < lexer->end && is_bare(*c)
           && (c == lexer->at || mistake_find(lexer, c, TRUE) == NULL))
        c++;
    take(lexer, token, TOKEN_BARE, (gsize)(c - lexer->at));
}

/* To the next quote, or the end of the line. */
static const char *
find_quote(const Lexer *lexer, const char *c)
{
    while (c < lexer->end && *c != '"' && *c != '\n' && *c != '\0') {
        if (*c == '\\' && lexer->end - c > 1 && c[1] != '\n' && c[1] != '\0')
            c++;
        c++;
    }
    return c;
}

static gboolean
at_quote(const Lexer *lexer, const char *c)
{
    return c < lexer->end && *c == '"';
}

/* Lines that a text may be thought to run over. */
#define LINES_LIMIT 20

static const LexerMistake lines = {
    "\"", TOKEN_TEXT, NULL, "this text runs over the end of its line", FALSE};

/* The quote that ends a text on a later line, the first there that is not one
 * that begins a text: what is behind it is no word, and the other quotes of its
 * line are pairs. NULL: none does, the text's end was forgotten. */
static const char *
find_later_quote(const Lexer *lexer, const char *c)
{
    for (unsigned i = 0; i < LINES_LIMIT && c < lexer->end && *c == '\n'; i++) {
        const char *quote = c = find_quote(lexer, c + 1);
        unsigned others = 0;

        if (!at_quote(lexer, quote))
            continue;
        for (c++; at_quote(lexer, c = find_quote(lexer, c)); c++)
            others++;
        gboolean ends = quote + 1 == lexer->end
                        || strchr(" \t\r\n{}()[],#", quote[1]) != NULL;
        return ends && others % 2 == 0 ? quote : NULL;
    }
    return NULL;
}

/* text = '"' { any octet but '"', LF | '\' any } '"' . */
static void
take_text(Lexer *lexer, Token *token)
{
    const char *line = find_quote(lexer, lexer->at + 1);
    const char *end = line;
    unsigned shown = (unsigned)g_utf8_strlen(lexer->at, line - lexer->at);

    if (!at_quote(lexer, line))
        end = find_later_quote(lexer, line);
    if (end == NULL) {
        take(lexer, token, TOKEN_BROKEN, (gsize)(line - lexer->at));
        return;
    }
    take(lexer, token, TOKEN_TEXT, (gsize)(end + 1 - lexer->at));
    token->start++;
    token->length -= 2;
    if (end == line)
        return;
    lexer->fresh = FALSE;
    token->place.length = shown;
    token->mistake = &lines;
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

/* From one quote to the other, of one line. FALSE: there are no two. */
static gboolean
take_quoted(Lexer *lexer, Token *token)
{
    for (gsize i = 0; i < G_N_ELEMENTS(quotes); i++) {
        const struct Quote *quote = &quotes[i];
        const char *c = lexer->at + strlen(quote->open);

        if (!begins(lexer, lexer->at, quote->open))
            continue;
        while (c < lexer->end && *c != '\n' && !begins(lexer, c, quote->close)
               && !(quote->open[1] != '\0' && *c == '"'))
            c++;
        if (c >= lexer->end || *c == '\n')
            continue;
        gsize close = *c == '"' ? 1 : strlen(quote->close);
        gsize length = (gsize)(c - lexer->at);
        take(lexer, token, TOKEN_TEXT, length + close);
        token->start += strlen(quote->open);
        token->length = length - strlen(quote->open);
        token->mistake = &quote->mistake;
        return TRUE;
    }
    return FALSE;
}

/* Comments of other kinds, too, are passed over. */
static gsize
mistake_length(const Lexer *lexer, const LexerMistake *mistake,
               const Token *token)
{
    gboolean line =
        *mistake->written == '/' || (*mistake->written == ';' && token->leads);
    gboolean block = begins(lexer, lexer->at, "/*");
    const char *c = lexer->at + strlen(mistake->written);

    while (line && c < lexer->end && (block || *c != '\n')
           && !(block && begins(lexer, c, "*/")))
        c++;
    return (gsize)(c - lexer->at) + (block && c < lexer->end ? 2 : 0);
}

static void
take_mistake(Lexer *lexer, Token *token, const LexerMistake *mistake)
{
    unsigned shown = (unsigned)g_utf8_strlen(mistake->written, -1);

    take(lexer, token, mistake->kind, mistake_length(lexer, mistake, token));
    token->place.length = shown;
    token->mistake =
        *mistake->written == ';' && token->leads ? &comment : mistake;
    if (mistake->kind != TOKEN_NOTHING) {
        token->start = mistake->kind == TOKEN_TEXT ? "" : mistake->means;
        token->length = strlen(token->start);
    }
}

/* The octets up to the end of the line. */
static gsize
line_length(const Lexer *lexer, const char *at)
{
    const char *stop = memchr(at, '\n', (gsize)(lexer->end - at));

    return (gsize)((stop != NULL ? stop : lexer->end) - at);
}

/* What a merge left: a mark alone, or with the other side behind `=======`; 0:
 * nothing of that. */
static gsize
conflict_length(const Lexer *lexer)
{
    static const char *const marks[] = {"<<<<<<<", "|||||||",
                                        "=======", ">>>>>>>"};
    gboolean found = FALSE;

    for (gsize i = 0; lexer->column == 1 && i < G_N_ELEMENTS(marks); i++)
        found = found || begins(lexer, lexer->at, marks[i]);
    if (!found)
        return 0;
    gsize length = line_length(lexer, lexer->at);
    const char *c = lexer->at + length;
    while ((*lexer->at == '=' || *lexer->at == '|') && c < lexer->end) {
        gsize next = line_length(lexer, ++c);

        if (begins(lexer, c, ">>>>>>>"))
            return (gsize)(c - lexer->at) + next;
        c += next;
    }
    return length;
}

static void
take_conflict(Lexer *lexer, Token *token, gsize length)
{
    take(lexer, token, TOKEN_NOTHING, length);
    token->place.length = (unsigned)strlen(conflict.written);
    token->mistake = &conflict;
}

static void
next(Lexer *lexer, Token *token)
{
    gsize conflicting = conflict_length(lexer);
    gsize bracketed = *lexer->at == '[' ? bracketed_length(lexer) : 0;
    const LexerMistake *mistake = mistake_find(lexer, lexer->at, FALSE);

    if (conflicting > 0)
        take_conflict(lexer, token, conflicting);
    else if (bracketed > 0)
        take(lexer, token, TOKEN_BARE, bracketed);
    else if (mistake != NULL)
        take_mistake(lexer, token, mistake);
    else if (*lexer->at == '"')
        take_text(lexer, token);
    else if (take_quoted(lexer, token))
        return;
    else if (is_bare(*lexer->at))
        take_bare(lexer, token);
    else
        take_sign(lexer, token);
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
    next(lexer, &token);
    if (token.kind == TOKEN_NOTHING)
        lexer->fresh = lexer->fresh || token.leads;
    else
        lexer->last = token.kind;
    return token;
}

gboolean
token_is(const Token *token, const char *word)
{
    return token->kind == TOKEN_BARE && strlen(word) == token->length
           && memcmp(word, token->start, token->length) == 0;
}
