/* lexer.h: a file as tokens, with one of lookahead.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * White space parts tokens and means nothing else; `#` begins a comment. A bare
 * word is whatever is neither blank nor one of {}()[],=<>!"# — numbers and
 * addresses too, and an IPv6 address in brackets with a port, [::1]:25. A text
 * stands in quotes on one line.
 */
#pragma once

#include "policy/report.h"

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_BARE,
    TOKEN_TEXT,
    TOKEN_OPEN,   /* { */
    TOKEN_CLOSE,  /* } */
    TOKEN_PAREN,  /* ( */
    TOKEN_THESIS, /* ) */
    TOKEN_BRACK,  /* [ */
    TOKEN_ET,     /* ] */
    TOKEN_COMMA,
    TOKEN_EQUAL,
    TOKEN_UNEQUAL,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_MORE,
    TOKEN_MORE_EQUAL,
    TOKEN_BROKEN,  /* a text without its end, an octet that has no place */
    TOKEN_NOTHING, /* to be passed over, with its mistake */
} TokenKind;

/* What other languages write, and what it is here. */
typedef struct LexerMistake {
    const char *written;
    TokenKind kind;
    const char
        *means; /* in its place; NULL: nothing; of a text itself, quoted */
    const char *message;
    gboolean once; /* is told once a file */
} LexerMistake;

typedef struct Token {
    TokenKind kind;
    PolicyPlace place;
    const char *start; /* of a text behind the quote, raw: see literal.h */
    gsize length;
    gboolean leads;              /* the first of its line */
    const LexerMistake *mistake; /* the token is what was meant; or NULL */
} Token;

typedef struct Lexer {
    const char *file;
    const char *at;
    const char *end;
    unsigned line;
    unsigned column;
    gboolean fresh;           /* nothing on this line yet */
    TokenKind last;           /* what came before */
    const LexerMistake *told; /* one that is told once */
} Lexer;

/* `text` and `file` are borrowed. */
void lexer_init(Lexer *lexer, const char *file, const char *text, gsize length);
Token lexer_next(Lexer *lexer);
/* A bare token that is this word. */
gboolean token_is(const Token *token, const char *word);
