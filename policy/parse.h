/* parse.h: the grammar of a file, statement by statement.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Makes the core's facts known, before anything else. */
void parse_core_facts(Compile *compile);
void parse_file(Compile *compile, const Source *source);

/* use = "use" WORD [ "as" WORD ] [ block ] . */
gboolean parse_use(Compile *compile, const PolicyPlace *place);

/* The statements below: the token at hand is behind their word. */
gboolean parse_list(Compile *compile, const PolicyPlace *place);
gboolean parse_map(Compile *compile, const PolicyPlace *place);
gboolean parse_let(Compile *compile, const PolicyPlace *place);
gboolean parse_stage(Compile *compile, const PolicyPlace *place);
gboolean parse_test(Compile *compile, const PolicyPlace *place);

/* expr = both { "or" both } . NULL with a complaint. */
Node *parse_expression(Compile *compile);
/* operand = FACT | LET | NUMBER | DURATION | SIZE | IP | NETWORK | TEXT | WORD
 *         | WORD "[" operand "]" . */
Node *parse_operand(Compile *compile);
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
/* A name of a rule, list, map or let; NULL with a complaint. */
const char *parse_name(Compile *compile, const char *what);
