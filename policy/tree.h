/* tree.h: what the parser makes of a file and the check gives its meaning.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/arena.h"
#include "policy/judge.h"
#include "policy/lookup.h"
#include "policy/pattern-list.h"

typedef enum NodeKind {
    NODE_BAD,     /* reported already; no further complaints */
    NODE_BARE,    /* as parsed: a fact, a let, a number, a word … */
    NODE_QUOTED,  /* as parsed: a text, raw */
    NODE_LITERAL, /* .value */
    NODE_FACT,    /* .fact */
    NODE_LET,     /* .declaration */
    NODE_ENTRY,   /* .declaration, a map; first: the key */
    NODE_NAMED,   /* .declaration, a list, right of `in` */
    NODE_NOT,     /* of first */
    NODE_AND,     /* of first and all next to it */
    NODE_OR,
    NODE_KNOWN,
    NODE_COMPARE, /* .comparison of first and its next */
    NODE_IN,
    NODE_MATCHES, /* first against .pattern */
} NodeKind;

typedef enum Comparison {
    COMPARE_EQUAL,
    COMPARE_UNEQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_MORE,
    COMPARE_MORE_EQUAL,
} Comparison;

typedef struct Declaration Declaration;
typedef struct Node Node;

struct Node {
    NodeKind kind;
    FilterdType type;  /* of the value; FILTERD_UNKNOWN: not known (yet) */
    FilterdType items; /* of a list */
    PolicyPlace place;
    const char *text; /* BARE, QUOTED; of the others what messages call it */
    union {
        FilterdValue value;
        const PolicyFact *fact;
        Declaration *declaration;
        Comparison comparison;
        Pattern *pattern;
    };
    Node *first, *next;
};

typedef enum DeclarationKind {
    DECLARATION_LIST,
    DECLARATION_MAP,
    DECLARATION_LET,
} DeclarationKind;

/* What is odd in the entries of a list or map, see remark.h. */
typedef enum RemarkKind {
    REMARK_HOST_BITS,
    REMARK_STAR,
    REMARK_QUOTES,
    REMARK_TWICE,
    REMARK_SLASHES,
    REMARK_ALL,
    REMARKS,
} RemarkKind;

typedef struct Remark {
    unsigned count;
    PolicyPlace place; /* of the first */
    const char *text;
} Remark;

struct Declaration {
    DeclarationKind kind;
    const char *name;
    PolicyPlace place;
    FilterdType type;  /* of a list's items, a map's keys */
    FilterdType gives; /* a map's values */
    Lookup *lookup;
    PatternList *patterns; /* NULL: a list of what it has in it */
    Node *node;            /* of a let */
    unsigned size, depth;  /* of a let's tree, those it names included */
    gboolean checked;      /* what stands above it may not name it */
    gboolean used;
    Remark remarks[REMARKS];
};

/* A text with facts in it: parts in order, each a text or a fact. */
typedef struct TemplatePart {
    const char *text;
    const PolicyFact *fact;
} TemplatePart;

typedef struct Template {
    TemplatePart *parts;
    unsigned length;
} Template;

typedef struct Argument {
    FilterdType type;
    Node *node;
    Template *template; /* where the node is a text */
} Argument;

typedef struct Rule {
    PolicyRule public; /* first: a Rule is a PolicyRule */
    Node *condition;   /* NULL: always */
    PolicyPlace head;  /* of the verdict's word */
    PolicyPlace would_place, canary_place, until_place; /* line 0: not there */
    PolicyPlace reply_place, code_place, enhanced_place;
    Node *reply; /* QUOTED; NULL: the default */
    Template *text;
    int code; /* 0: the default */
    char enhanced[POLICY_ENHANCED];
    const PolicyFact *client, *domain; /* of its sample; NULL: not known */
    const char *action;                /* of a rewrite, as written */
    Argument *arguments;
    unsigned argument_count;
} Rule;

/* Of a list, values are chained by next; `several`: they stand in braces. */
typedef struct TestGiven {
    Node *fact, *value; /* value NULL: an empty list */
    gboolean several;
    gboolean settled; /* not of a fact: the test has it */
} TestGiven;

typedef enum ExpectKind {
    EXPECT_RULE,    /* such a rule fires */
    EXPECT_NO_RULE, /* none such does */
    EXPECT_NOTHING, /* no verdict, of any kind */
    EXPECT_SCORE,   /* at the end */
} ExpectKind;

typedef struct TestExpect {
    ExpectKind kind;
    Rule like;     /* the rule, as far as it is said */
    int64_t score; /* of EXPECT_SCORE */
    int stage;     /* -1: any */
    PolicyPlace place, stage_place;
} TestExpect;

typedef struct Test {
    const char *name;
    struct Test *whole; /* of a recipient's part: the test round it */
    PolicyPlace place;
    GArray *givens;      /* TestGiven */
    GPtrArray *expects;  /* TestExpect */
    int64_t now;         /* G_MININT64: before any day */
    PolicySample sample; /* OWN: not said */
} Test;

/* A sub-expression that tells recipients apart, see policy_group(). */
typedef struct GroupTerm {
    const Node *node;
    const Rule *rule;
    gboolean raw; /* the value of the fact, not a truth */
} GroupTerm;

struct PolicyRules {
    Arena arena;
    GPtrArray *all; /* Rule */
    GPtrArray *stages[FILTERD_STAGES];
    struct Runs *alike[FILTERD_STAGES]; /* NULL: of that stage none */
    GPtrArray *tests;                   /* Test */
    GPtrArray *runs;          /* Test: those that are run by themselves */
    GPtrArray *lookups;       /* owned */
    GPtrArray *patterns;      /* owned */
    GPtrArray *pattern_lists; /* owned */
    GHashTable *facts;        /* by name */
    GHashTable *mentioned;    /* PolicyFact */
    GArray *groups;           /* GroupTerm */
    GPtrArray *declarations;  /* Declaration, in the order of the file */
};

/* Calls back for each fact of the tree; `at` is where it is named: the fact's
 * node, or that of the let that leads to it. */
void node_each_fact(const Node *node,
                    void (*visit)(const Node *fact, const Node *at, void *data),
                    void *data);

PolicyRules *policy_rules_new(void);
void policy_rules_free(PolicyRules *rules);
