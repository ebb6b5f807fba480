/* parse.h: the grammar of a file, statement by statement.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Makes the core's facts known, before anything else. */
void parse_core_facts(Compile *compile);
void parse_file(Compile *compile, const Source *source);
void parse_statement(Compile *compile);

/* use = "use" WORD [ "as" WORD ] [ block ] . */
gboolean parse_use(Compile *compile, const PolicyPlace *place);

/* The statements below: the token at hand is behind their word. */
gboolean parse_list(Compile *compile, const PolicyPlace *place);
gboolean parse_map(Compile *compile, const PolicyPlace *place);
gboolean parse_let(Compile *compile, const PolicyPlace *place);
gboolean parse_stage(Compile *compile, const PolicyPlace *place);
gboolean parse_test(Compile *compile, const PolicyPlace *place);

/* An entry of a list or, with its value, a map; a pair of a map: FALSE: enough.
 */
gboolean parse_list_entry(Compile *compile, Declaration *declaration,
                          const PolicyPlace *place, const char *text,
                          const FilterdValue *value);
gboolean parse_map_pair(Compile *compile, Declaration *declaration,
                        const PolicyPlace *place, const char *key,
                        const char *text);
/* What is in a file of its own. */
void parse_list_file(Compile *compile, Declaration *declaration,
                     const Source *source);
/* One of a list of patterns, in braces or in a file of its own; FALSE: enough.
 * `told` is whether something that is none has been complained of. */
gboolean parse_pattern(Compile *compile, Declaration *list, gboolean *told);
gboolean parse_pattern_line(Compile *compile, Declaration *list,
                            const PolicyPlace *place, const char *line);

/* expr = both { "or" both } . NULL with a complaint. */
Node *parse_expression(Compile *compile);
/* operand = FACT | LET | NUMBER | DURATION | SIZE | IP | NETWORK | TEXT | WORD
 *         | WORD "[" operand "]" . */
Node *parse_operand(Compile *compile);
/* What stands behind a word or sign at that place. */
Node *parse_needed(Compile *compile, const char *word, const PolicyPlace *place,
                   Node *(*parse)(Compile *compile));
Node *parse_node(Compile *compile, NodeKind kind, const PolicyPlace *place);

/* The verdict, or score or rewrite, of the token at hand; -1. */
int parse_verdict_word(const Token *token);
/* A stage's word, passed by; -1 with a complaint. */
int parse_stage_word(Compile *compile);
/* Parts of a rule, for it or for what a test expects; FALSE with a complaint.
 * CODE, where parse_is_digits(); ENHANCED. */
gboolean parse_is_digits(const Token *token);
gboolean parse_reply_code(Compile *compile, Rule *rule);
gboolean parse_reply_enhanced(Compile *compile, Rule *rule);
/* "(" [ operand { "," operand } ] ")" */
gboolean parse_arguments(Compile *compile, Rule *rule);
/* { "would" | "canary" SHARE | "until" DATE }, into the rule. */
gboolean parse_prefixes(Compile *compile, Rule *rule);
/* Whether the token is the first word of a rule. */
gboolean parse_begins_rule(const Token *token);
/* Whether the token begins a statement on a line of its own. */
gboolean parse_begins_statement(const Token *token);
/* The same of its word alone. */
gboolean parse_is_statement(const Token *token);
/* ---- parse-mend.c: each complains ---- */

char *parse_shown(const Token *token);
/* The token at hand becomes the operator that was meant; FALSE: it is none. */
gboolean parse_mend_operator(Compile *compile);
/* Passes by the `is` of `is in`, `is not in`; FALSE: none stands there. */
gboolean parse_mend_is(Compile *compile);
/* Whether no operand begins there, but what comes behind one. Complains not. */
gboolean parse_ends_condition(const Token *token);
/* Passes by values where a list's name belongs; FALSE: there are none. */
gboolean parse_mend_list(Compile *compile);
/* Passes by values in parentheses that a fact is compared with, or braces;
 * FALSE: there are none. */
gboolean parse_mend_choice(Compile *compile, const Node *fact,
                           const char *sign);
/* Passes by values behind the first, parted by commas. */
void parse_mend_more(Compile *compile, const Node *compare, const char *sign);
/* Passes by what stands right behind a word, as in `lower(…)` or `map{…}`;
 * FALSE: nothing does. */
gboolean parse_mend_call(Compile *compile, const Node *word);
/* The verdict that was meant by the word at hand, passed by; -1. */
int parse_mend_verdict(Compile *compile, Rule *rule);
/* What stands behind a rule and does not belong there. FALSE. */
gboolean parse_mend_tail(Compile *compile, const Rule *rule);

/* A name of a rule, list, map or let; NULL with a complaint. */
const char *parse_name(Compile *compile, const char *what);
