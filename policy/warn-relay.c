/* warn-relay.c: policies by which a proxy may be an open relay.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A rule guards the backend where it refuses the recipients that no list has.
 * Who is let past it has to be told by what nobody else can have: an address, a
 * login, a certificate.
 */
#include "policy/warn.h"

#include "policy/written.h"

#include <string.h>

#define OPEN_RELAY "an open relay, if the backend trusts filterd"

/* What a rule says of recipients. */
typedef enum Guarding {
    SAYS_NOTHING,
    REFUSES_LISTED,
    GUARDS,
} Guarding;

/* Facts that a rule may tell people apart by. */
typedef gboolean (*Kind)(const PolicyFact *fact);

static gboolean
is_recipient(const PolicyFact *fact)
{
    return strcmp(fact->name, "rcpt.domain") == 0
           || strcmp(fact->name, "rcpt.to") == 0;
}

static gboolean
is_login(const PolicyFact *fact)
{
    return strcmp(fact->name, "client.ip") == 0
           || strncmp(fact->name, "client.tls", strlen("client.tls")) == 0
           || strncmp(fact->name, "auth.", strlen("auth.")) == 0;
}

typedef struct Naming {
    Kind kind;
    gboolean found;
} Naming;

static void
note_name(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    Naming *naming = data;

    naming->found = naming->found || naming->kind(fact->fact);
}

static gboolean
names(const Node *node, Kind kind)
{
    Naming naming = {.kind = kind};

    node_each_fact(node, note_name, &naming);
    return naming.found;
}

/* Of facts of that kind. What is not plain is taken to guard. */
static Guarding
relation_guarding(const Node *node, gboolean odd, Kind kind)
{
    gboolean listed =
        node->kind == NODE_IN
        || (node->kind == NODE_COMPARE && node->comparison == COMPARE_EQUAL);

    if (!names(node, kind))
        return SAYS_NOTHING;
    return listed && !odd && node->first->kind == NODE_FACT ? REFUSES_LISTED
                                                            : GUARDS;
}

/* The same of a tree; `odd`: the number of nots before it. */
static Guarding
guarding(const Node *node, gboolean odd, Kind kind)
{
    Guarding most = SAYS_NOTHING;

    if (node->kind == NODE_LET)
        return guarding(node->declaration->node, odd, kind);
    if (node->kind == NODE_NOT)
        return guarding(node->first, !odd, kind);
    if (node->kind != NODE_AND && node->kind != NODE_OR)
        return relation_guarding(node, odd, kind);
    for (const Node *child = node->first; child != NULL; child = child->next)
        most = MAX(most, guarding(child, odd, kind));
    return most;
}

static Guarding
rule_guarding(const Rule *rule, Kind kind)
{
    if (rule->public.kind != POLICY_REJECT
        && rule->public.kind != POLICY_TEMPFAIL
        && rule->public.kind != POLICY_DISCONNECT
        && rule->public.kind != POLICY_DISCARD)
        return SAYS_NOTHING;
    if (rule->condition == NULL)
        return GUARDS;
    if (rule->condition->kind == NODE_LITERAL)
        return rule->condition->value.boolean ? GUARDS : SAYS_NOTHING;
    return guarding(rule->condition, FALSE, kind);
}

/* ---- what anybody can have ---------------------------------------------- */

typedef enum Having {
    TRUSTED,
    CLAIMED, /* a client says what it likes */
    PROVED,  /* of a name or domain, whichever it is */
} Having;

static Having
fact_having(const PolicyFact *fact)
{
    if (fact->use != NULL)
        return strcmp(fact->use->plugin->name, "spf") == 0
                       && fact->row->type == FILTERD_WORD
                   ? PROVED
                   : TRUSTED;
    if (strcmp(fact->name, "client.fcrdns") == 0)
        return PROVED;
    return strcmp(fact->name, "helo.name") == 0
                   || strcmp(fact->name, "mail.from") == 0
                   || strcmp(fact->name, "mail.domain") == 0
                   || strcmp(fact->name, "mail.local") == 0
               ? CLAIMED
               : TRUSTED;
}

typedef struct Havings {
    unsigned of[PROVED + 1];
} Havings;

static void
count_having(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    Havings *havings = data;

    havings->of[fact_having(fact->fact)]++;
}

/* A claim that is proved, such as SPF pass of a listed domain, is no longer
 * anybody's. */
static gboolean
is_anybodys(const Node *node)
{
    Havings havings = {0};

    node_each_fact(node, count_having, &havings);
    return havings.of[TRUSTED] == 0
           && (havings.of[CLAIMED] == 0) != (havings.of[PROVED] == 0);
}

static gboolean
is_single(const Node *node)
{
    while (node->kind == NODE_NOT)
        node = node->first;
    return node->kind != NODE_AND && node->kind != NODE_OR;
}

/* The part that anybody may have which alone lets a rule fire (`odd`: keeps it
 * from firing); NULL. */
static const Node *
find_way(const Node *node, gboolean odd)
{
    const Node *way = NULL;

    if (is_single(node) && is_anybodys(node))
        return node;
    if (node->kind == NODE_LET)
        return find_way(node->declaration->node, odd);
    if (node->kind == NODE_NOT)
        return find_way(node->first, !odd);
    if (node->kind != (odd ? NODE_AND : NODE_OR))
        return NULL;
    for (const Node *child = node->first; child != NULL && way == NULL;
         child = child->next)
        way = find_way(child, odd);
    return way;
}

/* ---- the rules together ------------------------------------------------- */

typedef struct Relay {
    const Rule *guard;  /* the first one in force */
    const Rule *idle;   /* one that would be, but for its prefix */
    const Rule *listed; /* one that refuses the listed alone */
    unsigned guards;
    gboolean login; /* others than those that are known are refused */
} Relay;

static gboolean
is_idle(const PolicyRule *rule)
{
    return rule->would || rule->canary != 0 || rule->limited;
}

static void
sort_rule(Relay *relay, const Rule *rule)
{
    Guarding says = rule_guarding(rule, is_recipient);

    if (says == SAYS_NOTHING)
        relay->login = relay->login
                       || (!is_idle(&rule->public)
                           && rule_guarding(rule, is_login) == GUARDS);
    else if (is_idle(&rule->public))
        relay->idle = says == GUARDS ? rule : relay->idle;
    else if (says == REFUSES_LISTED)
        relay->listed = rule;
    else if (relay->guards++ == 0
             || rule->public.stage < relay->guard->public.stage)
        relay->guard = rule;
}

/* ---- what is said of them ----------------------------------------------- */

static void
warn_unguarded(Compile *compile, const Relay *relay)
{
    const PolicyBackend *backend =
        g_ptr_array_index(compile->config->backends, 0);
    const char *hint = "at rcpt { reject relay if rcpt.domain not in ours }";

    if (relay->idle != NULL) {
        const PolicyRule *idle = &relay->idle->public;
        compile_warning(compile, &idle->place, hint,
                        "`%s` does not always refuse, as `%s` stands before "
                        "it: " OPEN_RELAY,
                        idle->name,
                        idle->would         ? "would"
                        : idle->canary != 0 ? "canary"
                                            : "until");
    } else if (relay->listed != NULL) {
        compile_warning(compile, &relay->listed->public.place, hint,
                        "`%s` refuses those recipients alone, and no rule the "
                        "others: " OPEN_RELAY,
                        relay->listed->public.name);
    } else {
        compile_warning(compile,
                        compile->rcpt_place.line > 0 ? &compile->rcpt_place
                                                     : &backend->place,
                        hint, "no rule refuses on `rcpt.domain`: " OPEN_RELAY);
    }
}

#define WHO_MAY "`client.ip in …` and `known auth.user` tell who may relay"

/* Within the only guard. */
static void
warn_within(Compile *compile, const Rule *guard)
{
    const Node *way =
        guard->condition != NULL ? find_way(guard->condition, TRUE) : NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (way == NULL)
        return;
    written_append(text, way);
    compile_warning(
        compile, &guard->public.place, WHO_MAY,
        "`%s` hangs on `%s`, which anybody can arrange: " OPEN_RELAY,
        guard->public.name, text->str);
}

/* Whether it takes mail away from the guard. */
static gboolean
is_above(const Rule *rule, const Rule *guard)
{
    FilterdStage stage = guard->public.stage;

    if (is_idle(&rule->public) || rule->condition == NULL)
        return FALSE;
    if (rule->public.stage == stage)
        return rule->public.index < guard->public.index
               && (rule->public.kind == POLICY_ACCEPT
                   || rule->public.kind == POLICY_PASS);
    return rule->public.stage < stage && rule->public.kind == POLICY_ACCEPT;
}

static void
warn_above(Compile *compile, const Rule *rule, const Rule *guard)
{
    const Node *way =
        is_above(rule, guard) ? find_way(rule->condition, FALSE) : NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (way == NULL)
        return;
    written_append(text, way);
    compile_warning(
        compile, &rule->public.place, WHO_MAY,
        "`%s` stands above `%s`, and anybody can arrange `%s`: " OPEN_RELAY,
        rule->public.name, guard->public.name, text->str);
}

static gboolean
is_proxy(const PolicyConfig *config)
{
    for (guint i = 0; i < config->listens->len; i++) {
        const PolicyListen *listen = g_ptr_array_index(config->listens, i);

        if (listen->wire == POLICY_SMTP || listen->wire == POLICY_LMTP)
            return config->backends->len > 0;
    }
    return FALSE;
}

void
warn_relay(Compile *compile)
{
    const GPtrArray *all = compile->rules->all;
    Relay relay = {0};

    if (!is_proxy(compile->config))
        return;
    for (guint i = 0; i < all->len; i++)
        sort_rule(&relay, g_ptr_array_index(all, i));
    if (relay.guard == NULL) {
        warn_unguarded(compile, &relay);
        return;
    }
    if (relay.login)
        return;
    if (relay.guards == 1)
        warn_within(compile, relay.guard);
    for (guint i = 0; relay.guards == 1 && i < all->len; i++)
        warn_above(compile, g_ptr_array_index(all, i), relay.guard);
}
