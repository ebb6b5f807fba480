/* decision.h: what a decision log says, read again: its lines, their facts.
 * What filterctl replay and filterctl explain have in common.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/json.h"
#include "policy/judge.h"

/* Octets of a line; a longer one is broken. */
#define DECISION_LINE_LIMIT 1048576

/* ---- decision-log.c ----------------------------------------------------- */

typedef struct DecisionLine {
    const char *file;
    guint64 number;   /* from 1 */
    const char *text; /* without its new line */
    const JsonValue *json;
} DecisionLine;

typedef struct DecisionLog {
    JsonReader *reader;
    const char *needle; /* lines without it are passed over; NULL: none are */
    guint64 lines;      /* that were read */
    guint64 broken;
    char *first_broken; /* "FILE:LINE: why"; NULL: none */
    char *first, *last; /* times, the earliest and the latest; NULL */
} DecisionLog;

void decision_log_init(DecisionLog *log);
void decision_log_clear(DecisionLog *log);
/* All lines of the file ("-": standard input) that are of the kind, until
 * `func` says FALSE. FALSE: it cannot be read. */
gboolean decision_log_read(DecisionLog *log, const char *path,
                           gboolean (*func)(const DecisionLine *line,
                                            void *data),
                           void *data, GError **error);
/* The log and what was put aside of it, the oldest first: those that are there.
 * Elements are char *. */
GPtrArray *decision_log_files(const char *path);

/* "2026-11-22T09:30:00.123Z", as decisions have it, in milliseconds; -1: it is
 * none. */
int64_t decision_time(const char *text);

/* ---- decision-facts.c --------------------------------------------------- */

/* What is told of a fact that was not recorded. */
extern const FilterdValue decision_absent;

typedef struct DecisionFacts DecisionFacts;

/* Borrows the configuration, which says of what type a fact is. */
DecisionFacts *decision_facts_new(const PolicyConfig *config);
void decision_facts_free(DecisionFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DecisionFacts, decision_facts_free)

/* From now on those of that decision, for that element of its recipients (NULL:
 * for none); both live as long as they are asked for. */
void decision_facts_set(DecisionFacts *facts, const JsonValue *decision,
                        const JsonValue *recipient);
/* As it was at that stage. */
const FilterdValue *decision_facts_get(const DecisionFacts *facts,
                                       const PolicyFact *fact,
                                       FilterdStage stage);

/* The index of the word in a list that ends with NULL; `otherwise`: it is none
 * of them, or NULL. */
int decision_word(const char *const *words, const char *word, int otherwise);
