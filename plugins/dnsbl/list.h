/* list.h: lists that are asked, all at once, and what their answers add up to.
 * (RFC 5782)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/code.h"

#define LIST_ZONES_LIMIT 64 /* of a set */
#define LIST_SUBJECTS_LIMIT 100
#define LIST_REASON_LIMIT 200 /* octets of a list's text */
#define LIST_PROBLEM_LIMIT 500

typedef enum ListAsk {
    LIST_ASK_REGISTERED, /* example.com, of www.example.com */
    LIST_ASK_HOST,       /* the name as it came */
} ListAsk;

/* An option. A list may have several, with codes of their own. */
typedef struct ListZone {
    const char *name;
    FilterdArray answers; /* const char *; none: every code that is no error */
    int64_t weight;       /* less than 0: a list of the good ones */
    FilterdArray on;      /* int; of a domain list: what it is asked about */
    int ask;              /* ListAsk */
    const char *test;     /* of a domain list: a name that it has for sure */
} ListZone;

/* By ListAsk. */
extern const char *const list_asks[];

/* Rows of an option whose values are a ListZone. */
#define LIST_NAME_ROW                                                         \
    {                                                                         \
        .name = "name", .type = FILTERD_DOMAIN,                               \
        .flags = FILTERD_POSITION | FILTERD_REQUIRED,                         \
        .offset = offsetof(ListZone, name), .doc = "The domain of the list.", \
    }

#define LIST_ANSWER_ROW                                                        \
    {                                                                          \
        .name = "answer", .type = FILTERD_TEXT,                                \
        .flags = FILTERD_POSITION | FILTERD_MANY,                              \
        .offset = offsetof(ListZone, answers),                                 \
        .doc = "Codes that count, all others do not: an address (127.0.0.2), " \
               "a network (127.0.0.0/24), a range (127.0.0.2-11, "             \
               "127.0.0.2-127.0.1.9), or a bit mask: 127.0.0.0&6 is a code "   \
               "of 127.0.0.0/24 where bit 2 or 4 is set. Without one, every "  \
               "code of 127.0.0.0/8 counts.",                                  \
    }

#define LIST_TEST_ROW                                                      \
    {                                                                      \
        .name = "test", .type = FILTERD_TEXT,                              \
        .offset = offsetof(ListZone, test), .fallback = "\"test\"",        \
        .doc = "The entry that the list has for sure, for the self-test.", \
    }

typedef enum ListState {
    LIST_SOUND,
    LIST_SUSPENDED,    /* failed its self-test */
    LIST_SUSPENDED_V6, /* for IPv6 alone */
} ListState;

typedef struct List {
    const ListZone *zone;
    Code *codes;
    size_t length;
    ListState state;
    const char *why; /* it is not sound */
} List;

typedef enum ListKind { LIST_OF_ADDRESSES, LIST_OF_DOMAINS } ListKind;

/* The metrics that a set counts, by the index in the plugin's table. */
typedef struct ListMetrics {
    unsigned suspended, listed, failed;
} ListMetrics;

typedef struct ListSet {
    ListKind kind;
    ListMetrics metrics;
    bool testing; /* the first self-test is under way */
    List lists[LIST_ZONES_LIMIT];
    size_t length;
} ListSet;

/* Borrows `zones`. NULL: an option cannot be, the error tells. */
ListSet *list_set_new(ListKind kind, const FilterdArray *zones,
                      ListMetrics metrics, GError **error);
void list_set_free(ListSet *set);

/* ---- asking ------------------------------------------------------------- */

typedef enum ListResult {
    LIST_CLEAR,     /* not listed, or with codes that do not count */
    LIST_HAS,       /* with a code that counts */
    LIST_NO_ANSWER, /* nobody knows */
    LIST_WRONG,     /* an answer that a list does not give */
} ListResult;

/* One record that is an error spoils the whole answer. */
ListResult list_judge(const List *list, const FilterdDnsAnswer *answer);

/* Part of the name in front of the list's; NULL: that list is not asked. */
typedef const char *ListPrefix(void *data, const List *list, size_t subject);

/* The result of a list of good ones, for Authentication-Results (RFC 8904). */
void list_report(FilterdCall *call, const List *list,
                 const FilterdDnsAnswer *answer, ListResult result);

typedef struct ListInquiry {
    const ListSet *set;
    bool v6;
    size_t subjects; /* addresses or domains, asked of each list */
    ListPrefix *prefix;
    void *data;
} ListInquiry;

/* What the lists said. */
typedef struct ListFinding {
    int64_t score;
    bool listed, allowed; /* by a list whose weight is, is not, 0 or more */
    char accuser[256];    /* the question of the first that listed, else "" */
    const char *accuser_zone;
    bool has[LIST_SUBJECTS_LIMIT]; /* such a list: by subject */
    FilterdValue *zones;           /* that have it */
    FilterdValue *failed;
    size_t listing, failing;
    unsigned asked, answered; /* options of the lists */
    char problem[LIST_PROBLEM_LIMIT + 1];
} ListFinding;

/* For what so many lists will say; lives until the hook returns. */
ListFinding *list_finding_new(FilterdCall *call, size_t lists);
/* Sends all questions, and waits for nothing. */
void list_prefetch(FilterdCall *call, const ListInquiry *inquiry);
/* Then waits for the answers and adds them to the finding. A list counts once,
 * however many of the subjects it has. false: cancelled. */
bool list_ask(FilterdCall *call, const ListInquiry *inquiry,
              ListFinding *finding);
/* Somebody was asked, and nobody knew. */
bool list_found_nothing(const ListFinding *finding);
/* Why the first that listed did: printable ASCII in one line, cut; NULL: it
 * did not. Waits. Caller frees. */
char *list_reason(FilterdCall *call, const ListFinding *finding);
