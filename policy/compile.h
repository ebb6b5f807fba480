/* compile.h: what the parts of the compiler share: the token at hand, the
 * sources, the names, and where complaints go.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/lexer.h"
#include "policy/tree.h"

#define COMPILE_ERRORS 50         /* then it gives up */
#define COMPILE_INCLUDE_DEPTH 16  /* files in files */
#define COMPILE_FILES 1000        /* of all kinds */
#define COMPILE_NESTING 64        /* parentheses and nots */
#define COMPILE_TREE_SIZE 10000   /* nodes of a condition, lets counted out */
#define COMPILE_TREE_DEPTH 200    /* likewise */
#define COMPILE_LIST_SIZE 4000000 /* entries of one list */
#define COMPILE_PATTERNS 20000    /* of one list of them */

typedef struct Source {
    const char *name;
    GBytes *bytes;
    const char *text;
    gsize length;
} Source;

/* A place in the file that the check comes by in order. */
typedef struct Step {
    Declaration *declaration; /* or */
    Rule *rule;
} Step;

typedef struct Compile {
    PolicyConfig *config;
    PolicyRules *rules;
    const PolicyLoader *loader;
    PolicyReport *report;
    gboolean skeleton;
    GPtrArray *sources; /* Source */
    GPtrArray *open;    /* Source: the includes we are in */
    Lexer *lexer;
    Token token;         /* at hand */
    unsigned nesting;    /* of the expression at hand */
    GHashTable *names;   /* Declaration: lists, maps, lets */
    GArray *steps;       /* Step */
    GHashTable *lost;    /* instances of whose facts nothing is known, and
                          * names that were not understood */
    const char *plugin;  /* of the `use` at hand */
    gboolean incomplete; /* an include could not be read */
    gboolean rules_lost; /* not all rules were understood */
    struct Options *set; /* of all `set` together */
    PolicyPlace dns_place, store_place; /* line 0: not given */
    unsigned files;
    gboolean among_entries; /* of a list or map: no sign has a meaning */
    const char *complete;   /* the word of the statement that has just ended */
    PolicyPlace rcpt_place; /* of the first `at rcpt`; line 0: none */
    GArray *torn;           /* PolicyPlace: of texts on several lines */
    const Source *blank;    /* a file without any statement; NULL */
    gboolean gave_up;
} Compile;

/* ---- complaints: `hint` may be NULL ------------------------------------- */

void compile_error(Compile *compile, const PolicyPlace *place, const char *hint,
                   const char *format, ...) G_GNUC_PRINTF(4, 5);
void compile_warning(Compile *compile, const PolicyPlace *place,
                     const char *hint, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* What would be right: to stand in that place, to be added to the message as
 * "did you mean", to be said below it. All may be NULL. */
typedef struct Complaint {
    const char *right;
    const char *near; /* and `right` as well */
    const char *hint;
} Complaint;

void compile_complain(Compile *compile, const PolicyPlace *place,
                      const Complaint *complaint, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
void compile_warn(Compile *compile, const PolicyPlace *place,
                  const Complaint *complaint, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* "WHAT `word`", as in "no fact `x`", with a suggestion of `words` where one is
 * near, and all of them as the hint where they are few. */
void compile_no_such(Compile *compile, const PolicyPlace *place,
                     const char *what, const char *word,
                     const char *const *words);
/* Which of them was probably meant: the same in other letters, what others call
 * it, the nearest; NULL. */
const char *compile_guess(const char *word, const char *const *words);
/* The same without the nearest. */
const char *compile_known_guess(const char *word, const char *const *words);
/* "line 7", or "line 7 of `lists.conf`" where that is another file than `here`
 * is in. Caller frees. */
char *compile_line(const PolicyPlace *place, const PolicyPlace *here);

typedef enum ForeignPlace {
    FOREIGN_RULE,
    FOREIGN_STATEMENT,
    FOREIGN_CONDITION,
} ForeignPlace;

/* How it is said here what a word of other mail servers says in that place;
 * NULL. */
const char *compile_foreign(ForeignPlace where, const char *word);
/* "a, b or c"; NULL if there are none or too many. Caller frees. */
char *compile_join(const char *const *words);

/* Whether that name may be one that was not understood. */
gboolean compile_is_lost(const Compile *compile, const char *name);
/* Whether there is a plugin by that name. */
gboolean compile_is_plugin(Compile *compile, const char *name);

/* ---- tokens ------------------------------------------------------------- */

void compile_advance(Compile *compile);
gboolean compile_at(const Compile *compile, const char *word);
/* Advances over that kind; else complains that `what` was expected. */
gboolean compile_expect(Compile *compile, TokenKind kind, const char *what);
void compile_expected(Compile *compile, const char *what);
/* The same with a hint. */
void compile_wanted(Compile *compile, const char *hint, const char *what);
/* Advances over `}`; else complains that `open` was never closed. */
gboolean compile_close(Compile *compile, const PolicyPlace *open);
/* The bare word at hand, kept; NULL with a complaint that `what` was
 * expected. Advances. */
const char *compile_word(Compile *compile, const char *what);
/* The bare word or text at hand, its escapes resolved; likewise. */
const char *compile_value(Compile *compile, const char *what);
/* Over a block by its braces; the token at hand is its `{`. */
gboolean compile_skip_block(Compile *compile);

/* A text that lives as long as the configuration. */
const char *compile_keep(Compile *compile, const char *text, gssize length);
/* A token's text, its escapes resolved; NULL with a complaint. */
const char *compile_text(Compile *compile, const Token *token);

/* ---- files -------------------------------------------------------------- */

/* Relative to the file that names it. Caller frees. */
char *compile_resolve(const char *file, const char *path);
/* NULL with a complaint at `place`, which names the path. */
const Source *compile_read(Compile *compile, const PolicyPlace *place,
                           const char *path);
const Source *compile_add_source(Compile *compile, const char *name,
                                 GBytes *bytes);
/* FALSE with a complaint where the source is not text. */
gboolean compile_check_text(Compile *compile, const Source *source);
