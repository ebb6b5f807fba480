/* replay.h: what another policy would have made of recorded mail. Private to
 * filterctl replay.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/tool/decision.h"

/* Ways in which decisions change that are told apart; more are one. */
#define REPLAY_CHANGES_LIMIT 1000

/* ---- replay-judge.c ----------------------------------------------------- */

/* What became of a mail for one recipient, or before there was one. */
typedef struct ReplayVerdict {
    PolicyVerdict verdict;
    const char *rule; /* NULL: none, which accepts */
    FilterdStage stage;
} ReplayVerdict;

typedef struct ReplayJudge ReplayJudge;

/* Borrows the configuration. */
ReplayJudge *replay_judge_new(const PolicyConfig *config);
void replay_judge_free(ReplayJudge *judge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReplayJudge, replay_judge_free)

/* By the rules of stages up to `last`, from that decision's facts. FALSE: that
 * cannot be said, for want of replay_judge_missing(). */
gboolean replay_judge_run(ReplayJudge *judge, const JsonValue *decision,
                          const JsonValue *recipient, FilterdStage last,
                          ReplayVerdict *verdict);
/* Of the last run. Elements are const PolicyFact *. */
const GPtrArray *replay_judge_missing(const ReplayJudge *judge);
/* Of the last run: what its rule answers, or NULL. Caller frees. */
char *replay_judge_reply(ReplayJudge *judge);
/* Of the last run: which recipients are judged together; a text to compare.
 * NULL: it was not let through at rcpt. */
const char *replay_judge_group(const ReplayJudge *judge);

/* ---- replay-result.c ---------------------------------------------------- */

typedef struct ReplayChange {
    char *before, *behind;  /* "reject spf-fail at rcpt" */
    ReplayVerdict old, new; /* rules are its own */
    guint64 count;
    GPtrArray *examples; /* ReplayExample */
} ReplayChange;

typedef struct ReplayExample {
    char *session, *time, *client, *from, *to;
    char *reply; /* the new one, or NULL */
} ReplayExample;

typedef struct ReplayResult {
    guint64 decisions; /* of a mail for a recipient */
    guint64 same, changed, unsaid;
    guint64 would;       /* lines of rules that were only watched */
    guint64 left_out;    /* recipients that lines had no room for */
    guint64 more;        /* changes beyond REPLAY_CHANGES_LIMIT */
    unsigned examples;   /* of each change that are kept */
    GHashTable *changes; /* ReplayChange by its text */
    GHashTable *missing; /* guint64 by the name of a fact */
} ReplayResult;

void replay_result_init(ReplayResult *result, unsigned examples);
void replay_result_clear(ReplayResult *result);
/* One more; the example is taken, or freed where there are enough. */
void replay_result_change(ReplayResult *result, const ReplayVerdict *old,
                          const ReplayVerdict *new, ReplayExample *example);
/* Whether there is room for one. */
gboolean replay_result_wants(const ReplayResult *result,
                             const ReplayVerdict *old,
                             const ReplayVerdict *new);
void replay_result_unsaid(ReplayResult *result, const GPtrArray *missing);
void replay_result_text(GString *out, const ReplayResult *result,
                        const DecisionLog *log);
void replay_result_json(GString *out, const ReplayResult *result,
                        const DecisionLog *log);
