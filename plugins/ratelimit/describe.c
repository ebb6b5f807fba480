/* describe.c: what an instance can count, as its key allows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/ratelimit/describe.h"

#include <string.h>

#define SIZE_FACT "message.size"

/* What the parts of a key have in common. */
typedef struct Scope {
    FilterdStage latest; /* from when on all are known */
    const char *last;    /* the one that is known last */
    bool recipient;      /* one is of a recipient */
    const char *list;    /* the one that is a list; NULL: none is */
} Scope;

static const char *const stages[] = {"connect", "helo", "mail",
                                     "rcpt",    "data", "message"};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(G_OPTION_ERROR,
                                                G_OPTION_ERROR_BAD_VALUE,
                                                format, arguments));
    va_end(arguments);
    return false;
}

/* ---- the key ------------------------------------------------------------ */

static bool
is_before(const FilterdNeed *needs, size_t length, const char *name)
{
    for (size_t i = 0; i < length; i++)
        if (strcmp(needs[i].fact, name) == 0)
            return true;
    return false;
}

static bool
take_part(FilterdDescribe *describe, const char *name, FilterdNeed *need,
          Scope *scope, GError **error)
{
    const FilterdFact *fact = describe->fact(describe, name);

    if (fact == NULL)
        return refuse(error,
                      "nobody has the fact `%s`\nif a plugin has, its `use` "
                      "stands above this one",
                      name);
    if (fact->type == FILTERD_LIST && scope->list != NULL)
        return refuse(error,
                      "`%s` and `%s` are lists, and a key has one at most",
                      scope->list, name);
    if (fact->type == FILTERD_LIST)
        scope->list = name;
    if (scope->last == NULL || fact->since > scope->latest) {
        scope->latest = fact->since;
        scope->last = name;
    }
    scope->recipient = scope->recipient || fact->since == FILTERD_RCPT;
    *need = (FilterdNeed){name, fact->type};
    return true;
}

/* And the message's size, if it is no part of the key. */
static bool
take_key(FilterdDescribe *describe, FilterdPlugin *table, Scope *scope,
         GError **error)
{
    Config *config = describe->config;
    const char *const *names = config->keys.items;
    size_t length = config->keys.length;
    FilterdNeed *needs =
        describe->allocate(describe, (length + 2) * sizeof *needs);

    for (size_t i = 0; i < length; i++) {
        describe->blame(describe, "key", i);
        if (is_before(needs, i, names[i]))
            return refuse(error, "`%s` is in the key already", names[i]);
        if (!take_part(describe, names[i], &needs[i], scope, error))
            return false;
    }
    needs[length] = (FilterdNeed){SIZE_FACT, FILTERD_INT};
    config->size = 0;
    while (strcmp(needs[config->size].fact, SIZE_FACT) != 0)
        config->size++;
    if (config->size < length)
        needs[length] = (FilterdNeed){NULL};
    table->needs = needs;
    return true;
}

/* ---- what it counts ----------------------------------------------------- */

typedef struct Counting {
    const char *word;
    FilterdStage stage; /* unless the key is known later, but not after: */
    FilterdStage last;
    bool shared; /* by all recipients: not by a key that is of one */
} Counting;

static const Counting countings[] = {
    [CONNECTIONS] = {"connections", FILTERD_CONNECT, FILTERD_HELO, true},
    [MESSAGES] = {"messages", FILTERD_MAIL, FILTERD_MESSAGE, true},
    [RECIPIENTS] = {"recipients", FILTERD_RCPT, FILTERD_RCPT, false},
    [OCTETS] = {"octets", FILTERD_MESSAGE, FILTERD_MESSAGE, false},
};

static bool
can_count(const Counting *counting, const Scope *scope)
{
    return scope->latest <= counting->last
           && !(counting->shared && scope->recipient);
}

/* Messages that are not counted at mail are at their end. */
static FilterdStage
stage_of(const Counting *counting, const Scope *scope)
{
    return scope->latest > counting->stage ? MAX(scope->latest, counting->last)
                                           : counting->stage;
}

static bool
is_chosen(const Config *config, Kind kind)
{
    const int *counts = config->counts.items;

    for (size_t i = 0; i < config->counts.length; i++)
        if (counts[i] == (int)kind || counts[i] == KINDS)
            return true;
    return false;
}

static bool
check_counts(FilterdDescribe *describe, const Scope *scope, GError **error)
{
    const Config *config = describe->config;
    const int *counts = config->counts.items;

    for (size_t i = 0; i < config->counts.length; i++) {
        const Counting *counting =
            counts[i] < KINDS ? &countings[counts[i]] : NULL;

        if (counting == NULL || can_count(counting, scope))
            continue;
        describe->blame(describe, "count", i);
        if (scope->latest <= counting->last)
            return refuse(error, "`%s` cannot be counted by recipient",
                          counting->word);
        return refuse(error,
                      "`%s` cannot be counted by `%s`, which is not known "
                      "before `%s`",
                      counting->word, scope->last, stages[scope->latest]);
    }
    return true;
}

static void
take_facts(FilterdDescribe *describe, FilterdPlugin *table, const Scope *scope)
{
    Config *config = describe->config;
    FilterdFact *facts =
        describe->allocate(describe, (KINDS * KIND_FACTS + 1) * sizeof *facts);
    unsigned length = 0;

    for (Kind kind = CONNECTIONS; kind < KINDS; kind++) {
        KindPlace *place = &config->places[kind];

        *place = (KindPlace){.counted = is_chosen(config, kind)
                                        && can_count(&countings[kind], scope),
                             .stage = stage_of(&countings[kind], scope),
                             .first = length};
        for (unsigned i = 0; place->counted && i < KIND_FACTS; i++) {
            facts[length] = table->facts[kind * KIND_FACTS + i];
            facts[length++].since = place->stage;
        }
    }
    table->facts = facts;
}

bool
describe_instance(FilterdDescribe *describe, FilterdPlugin *table,
                  GError **error)
{
    Scope scope = {.latest = FILTERD_CONNECT};

    if (!take_key(describe, table, &scope, error)
        || !check_counts(describe, &scope, error))
        return false;
    take_facts(describe, table, &scope);
    return true;
}
