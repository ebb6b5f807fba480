/* template.h: texts with facts in them: "{client.ip} is listed".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * `{{` and `}}` mean the braces themselves, \n a line's end.
 */
#pragma once

#include "policy/compile.h"

/* Octets of one fact in a text. */
#define TEMPLATE_FACT_LIMIT 800

/* Of a QUOTED node; NULL with a complaint about facts that are unknown, or not
 * known at the stage. */
Template *template_parse(Compile *compile, const Node *node,
                         FilterdStage stage);

/* Facts as they read, cleaned; `-` for unknown. */
void template_append(GString *out, const Template *template,
                     const PolicyClient *client, gboolean shadow);
