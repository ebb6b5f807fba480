/* view.h: rules that were judged, for people and as JSON: what filterctl test
 * and filterctl try have in common.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/explain.h"

/* Columns. */
#define VIEW_WIDTH 80

typedef struct View {
    GString *out;
    gboolean colour;
} View;

typedef enum ViewStyle {
    VIEW_HEADING,
    VIEW_GOOD,
    VIEW_BAD,
    VIEW_DOUBTFUL,
    VIEW_FAINT,
} ViewStyle;

/* What --color says: "auto" (or NULL), "always", "never". FALSE: neither.
 * auto is a terminal, unless NO_COLOR is set. */
gboolean view_colour(const char *when, gboolean *colour);

/* In that colour, padded with spaces to `width`. */
void view_paint(View *view, ViewStyle style, int width, const char *text);
/* One or more lines, broken between words; all but the first are indented by
 * two more. Control characters are question marks. */
void view_lines(View *view, unsigned indent, const char *text);
/* For people: `unknown`, `""`, … */
void view_append_value(GString *out, const FilterdValue *value);

/* Its verdict and why. */
void view_judgement(View *view, const PolicyJudgement *judgement);
/* Of PolicyJudgement, with a heading for each stage. */
void view_judgements(View *view, const GPtrArray *judgements);

/* ---- view-json.c -------------------------------------------------------- */

/* "name":"text", or null. */
void view_json_text(GString *out, const char *name, const char *text);
/* An object or a value for each element, with commas between. */
void view_json_each(GString *out, const GPtrArray *array,
                    void (*append)(GString *out, const void *element));
/* A PolicyJudgement. */
void view_json_judgement(GString *out, const void *element);
