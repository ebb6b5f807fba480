/* judge.h: the rules of a stage, carried out: first match, Kleene's logic.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/reply.h"
#include "policy/config.h"

typedef enum PolicyTruth {
    POLICY_NO,
    POLICY_YES,
    POLICY_UNKNOWN,
} PolicyTruth;

typedef enum PolicyVerdict {
    POLICY_ACCEPT,
    POLICY_PASS,
    POLICY_REJECT,
    POLICY_TEMPFAIL,
    POLICY_DISCARD,
    POLICY_QUARANTINE,
    POLICY_DISCONNECT,
    POLICY_REWRITE, /* rules that are no verdict */
    POLICY_SCORE,
} PolicyVerdict;

/* Both end with NULL. */
extern const char *const policy_verdict_words[];
extern const char *const policy_stage_words[];

/* Of the share that `canary` gives. */
#define POLICY_CANARY_WHOLE 100000

/* What becomes of a rule that fires. */
typedef enum PolicyMode {
    POLICY_APPLIED,
    POLICY_WOULD,
    POLICY_CANARY_OUT, /* not in its sample: as `would` */
    POLICY_EXPIRED,    /* not even judged */
    POLICY_MODES,
} PolicyMode;

/* "applied", "would", "canary-out", "expired". */
extern const char *const policy_mode_words[];

/* The longest `reply … after`, milliseconds. */
#define POLICY_DELAY_LIMIT 30000

/* A rule, as others need it; the rest is the judge's. */
typedef struct PolicyRule {
    PolicyVerdict kind;
    FilterdStage stage;
    gboolean would;
    const char *name; /* of a rewrite: the action's */
    int64_t score;
    gboolean worded;      /* the file has its reply */
    int64_t delay;        /* of that, milliseconds */
    const PolicyUse *use; /* of a rewrite: the action's, NULL: core */
    const FilterdAction *action;
    PolicyPlace place;
    unsigned index;  /* over all stages, for counters */
    unsigned canary; /* the share of mail that it acts on; 0: all */
    gboolean limited;
    int64_t until; /* if so: when it ends, milliseconds since 1970 */
} PolicyRule;

typedef enum PolicySample {
    POLICY_SAMPLE_OWN, /* as the facts have it */
    POLICY_SAMPLE_IN,
    POLICY_SAMPLE_OUT,
} PolicySample;

/* Whom the judge asks and tells; `data` is handed back. May wait in `fact`
 * only. */
typedef struct PolicyClient {
    void *data;
    /* Never NULL. `shadow`: only a `would` rule asks (no effects then). */
    const FilterdValue *(*fact)(void *data, const PolicyFact *fact,
                                gboolean shadow);
    /* A score or rewrite rule fired, or one that only would. */
    void (*fired)(void *data, const PolicyRule *rule, PolicyMode mode);
    /* Every rule that was judged, with its truth, and those that have expired,
     * with NO; may be NULL. */
    void (*judged)(void *data, const PolicyRule *rule, PolicyTruth truth,
                   PolicyMode mode);
    /* The session is ending: judge no further. May be NULL. */
    gboolean (*cancelled)(void *data);
    /* What `until` goes by, milliseconds since 1970; NULL: the clock. */
    int64_t (*now)(void *data);
    PolicySample sample; /* of every `canary` */
    /* Every rule is judged, also one of many that obviously does not fire. */
    gboolean thorough;
    /* What `fact` gives where it cannot be said even whether the fact was
     * known; NULL: nothing is. */
    const FilterdValue *absent;
} PolicyClient;

/* The rule whose verdict ends the stage; NULL: none did. */
const PolicyRule *policy_judge(const PolicyConfig *config, FilterdStage stage,
                               const PolicyClient *client);

/* What its condition says, whether or not the rule acts. */
PolicyTruth policy_rule_truth(const PolicyRule *rule,
                              const PolicyClient *client);

/* The rule's reply with its facts filled in, or the verdict's default
 * (reject: 550 5.7.1, tempfail: 451 4.7.1, connect: 554 5.7.1 …). */
void policy_rule_reply(const PolicyRule *rule, const PolicyClient *client,
                       MailReply *reply);

/* Octets of an enhanced status code, with the NUL. */
#define POLICY_ENHANCED 12

/* The code that it is answered with; `enhanced` is filled in. */
int policy_rule_codes(const PolicyRule *rule, char enhanced[POLICY_ENHANCED]);

/* The values of a rewrite's arguments, texts filled in. The array and what is
 * in it live as long as `memory`. */
const FilterdValue *policy_rule_arguments(const PolicyRule *rule,
                                          const PolicyClient *client,
                                          GStringChunk *memory);

/* The same of those that are constants; what rests on facts is unknown. */
const FilterdValue *policy_rule_constants(const PolicyRule *rule,
                                          GStringChunk *memory);

/* What tells recipients of one transaction apart: of the rules at data and
 * message the truth of every greatest sub-expression that rests on recipient
 * facts alone, and of every relation of one with what else is known by then;
 * where one stands against a fact of the message, its value. Texts to compare.
 * Ask it after the rcpt stage of each recipient. */
void policy_group(const PolicyConfig *config, const PolicyClient *client,
                  GString *group);

/* A rule at data or message that may tell recipients apart. */
typedef struct PolicyDivision {
    const PolicyRule *rule;
    GPtrArray *facts; /* const PolicyFact *: by what; `score` among them where
                       * rules at rcpt make some of it */
} PolicyDivision;

/* In the order of policy_rules(). Elements are PolicyDivision *; caller frees
 * the array. */
GPtrArray *policy_divisions(const PolicyConfig *config);

/* Facts that judging the stage asks for whatever the others say; in the order
 * of the rules. Elements are const PolicyFact *; caller frees the array. */
GPtrArray *policy_certain_facts(const PolicyConfig *config, FilterdStage stage);
/* Whether the rule's condition asks for a fact of that instance. */
gboolean policy_rule_asks(const PolicyRule *rule, const PolicyUse *use);
/* Whether any rule of any stage mentions that fact. */
gboolean policy_mentions(const PolicyConfig *config, const PolicyFact *fact);
/* "would ", "canary 5% until 2027-01-31 ": as they stand before the rule. */
void policy_append_prefixes(GString *out, const PolicyRule *rule);
/* The day of a limited rule, "2027-01-31". Caller frees. */
char *policy_rule_day(const PolicyRule *rule);

/* All rules in file order. Elements are const PolicyRule *. */
const GPtrArray *policy_rules(const PolicyConfig *config);
