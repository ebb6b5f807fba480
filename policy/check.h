/* check.h: what words mean, whether types and stages fit.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

void check_all(Compile *compile);

/* Gives a tree that has to be a condition its meaning. */
void check_condition(Compile *compile, Node *node);
/* The same for a let: a condition or a value. */
void check_let(Compile *compile, Declaration *let);
/* The same for one operand; `other` is what it stands against, with its type
 * known, or NULL. */
void check_operand(Compile *compile, Node *node, const Node *other);
/* A fact to stand against: of that type. */
Node check_stand_in(FilterdType type);

/* FALSE, with a complaint, where the tree is too large to be gone through. */
gboolean check_size(Compile *compile, const Node *node, unsigned *size,
                    unsigned *depth);
/* Complains of facts that the stage does not know yet; notes the others as
 * mentioned. */
void check_stage(Compile *compile, const Node *node, FilterdStage stage);
/* One fact, named at `place`. */
void check_fact_stage(Compile *compile, const PolicyFact *fact,
                      const PolicyPlace *place, FilterdStage stage);

void check_rule(Compile *compile, Rule *rule);
/* Of a rewrite whose arguments have their types: those that could never be
 * carried out, whatever the mail. */
void check_constants(Compile *compile, const Rule *rule);
/* Whether the verdict may answer with codes of that first digit. */
gboolean check_may_answer(PolicyVerdict kind, char class);
/* Complains of a reply that the verdict cannot have; FALSE: it has none. */
gboolean check_answers(Compile *compile, const Rule *rule);
void check_tests(Compile *compile);

/* The fact that a plugin needs: by its name or, where the other plugin has
 * been given a name, by that plugin's; of those whose `use` has been read.
 * NULL: there is none. */
const PolicyFact *check_find_need(const PolicyConfig *config, const char *name);
/* Whether what begins with so many octets of the name is a plugin's instance,
 * or a part of the core, with facts. */
gboolean check_has_instance(const Compile *compile, const char *name,
                            gsize length);
/* "no fact `x`", with what is near; silent where its plugin did not load.
 * `other` as above: what may have been meant; a NODE_QUOTED: the text it stands
 * in. */
void check_no_fact(Compile *compile, const PolicyPlace *place, const char *name,
                   const Node *other);
