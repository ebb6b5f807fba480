/* warn-pairs.c: two parts of one condition that exclude each other, or of which
 * one is always yes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Both are asked for each value of their fact that may make a difference. Where
 * these are all that there are the answer is certain, else nothing is said.
 */
#include "policy/warn.h"

#include "policy/evaluate.h"
#include "policy/written.h"

#include <string.h>

/* Parts of one `and` or `or` that are looked at. */
#define PARTS 64

typedef struct Part {
    const Node *node;       /* as it is written */
    const Node *leaf;       /* behind its lets and nots */
    const Declaration *let; /* that it stands in; or NULL */
    PolicyPlace place;
    gboolean odd; /* the number of its nots */
} Part;

typedef struct Chain {
    NodeKind kind;
    Part parts[PARTS];
    unsigned length;
} Chain;

static const Node *
behind_let(const Node *node)
{
    while (node->kind == NODE_LET)
        node = node->declaration->node;
    return node;
}

static void
pass_let(Part *part, const Node **node)
{
    if ((*node)->kind == NODE_LET && part->let == NULL) {
        part->let = (*node)->declaration;
        part->place = (*node)->place;
    }
    *node = behind_let(*node);
}

static void
add_part(Chain *chain, const Part *part)
{
    Part whole = *part;

    whole.leaf = part->node;
    pass_let(&whole, &whole.leaf);
    while (whole.leaf->kind == NODE_NOT) {
        whole.odd = !whole.odd;
        whole.leaf = whole.leaf->first;
        pass_let(&whole, &whole.leaf);
    }
    if (whole.let == NULL)
        whole.place = whole.leaf->first != NULL ? whole.leaf->first->place
                                                : whole.leaf->place;
    if (chain->length < PARTS)
        chain->parts[chain->length++] = whole;
}

/* Parentheses and lets make no difference. */
static void
gather(Chain *chain, const Node *node, const Part *outer)
{
    Part part = *outer;

    part.node = node;
    if (behind_let(node)->kind != chain->kind) {
        add_part(chain, &part);
        return;
    }
    pass_let(&part, &node);
    for (const Node *child = node->first; child != NULL; child = child->next)
        gather(chain, child, &part);
}

/* ---- what a part is about ----------------------------------------------- */

static const PolicyFact *
fact_of(const Node *node)
{
    node = node != NULL ? behind_let(node) : NULL;
    return node != NULL && node->kind == NODE_FACT ? node->fact : NULL;
}

/* The fact that it asks for, if it is one alone. */
static const PolicyFact *
subject(const Node *leaf)
{
    const Node *right = leaf->first != NULL ? leaf->first->next : NULL;
    const PolicyFact *left = fact_of(leaf->first);

    if (leaf->kind == NODE_FACT)
        return leaf->fact;
    if (leaf->kind == NODE_COMPARE && left == NULL)
        return leaf->first->kind == NODE_LITERAL ? fact_of(right) : NULL;
    if (leaf->kind != NODE_COMPARE && leaf->kind != NODE_IN
        && leaf->kind != NODE_MATCHES && leaf->kind != NODE_KNOWN)
        return NULL;
    return fact_of(right) == NULL ? left : NULL;
}

static const FilterdValue *
literal_of(const Node *leaf)
{
    for (const Node *side = leaf->first; side != NULL; side = side->next)
        if (leaf->kind == NODE_COMPARE && side->kind == NODE_LITERAL)
            return &side->value;
    return NULL;
}

/* ---- values that may make a difference ---------------------------------- */

static void
add_words(GArray *values, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++) {
        FilterdValue word = filterd_word(*words);
        g_array_append_val(values, word);
    }
}

static void
add_int(GArray *values, const FilterdValue *literal)
{
    for (int step = -1; step <= 1; step++) {
        FilterdValue value = *literal;

        if ((step < 0 && value.integer == G_MININT64)
            || (step > 0 && value.integer == G_MAXINT64))
            continue;
        value.integer += step;
        g_array_append_val(values, value);
    }
}

/* One that is neither of two literals. */
static void
add_others(GArray *values, FilterdType type)
{
    FilterdValue other = filterd_string(type, "\x7f");

    for (unsigned char last = 1; type == FILTERD_IP && last <= 3; last++) {
        other = (FilterdValue){.type = FILTERD_IP};
        other.ip = (FilterdIp){.bytes = {1, [15] = last}, .prefix = 128};
        g_array_append_val(values, other);
    }
    if (type != FILTERD_IP)
        g_array_append_val(values, other);
}

static void
add_literal(GArray *values, const Node *leaf)
{
    const FilterdValue *literal = literal_of(leaf);

    if (literal == NULL)
        return;
    if (literal->type == FILTERD_INT || literal->type == FILTERD_DURATION) {
        add_int(values, literal);
        return;
    }
    g_array_append_vals(values, literal, 1);
    if (literal->type != FILTERD_BOOL)
        add_others(values, literal->type);
}

/* Known ones of that fact. */
static GArray *
find_values(const PolicyFact *fact, const Node *one, const Node *other)
{
    GArray *values = g_array_new(FALSE, FALSE, sizeof(FilterdValue));
    FilterdValue yes = filterd_bool(true), no = filterd_bool(false);

    if (fact->row->type == FILTERD_BOOL) {
        g_array_append_val(values, yes);
        g_array_append_val(values, no);
    } else if (fact->row->words != NULL) {
        add_words(values, fact->row->words);
    } else {
        add_literal(values, one);
        add_literal(values, other);
    }
    return values;
}

static gboolean
is_equal(const Part *part)
{
    return part->leaf->kind == NODE_COMPARE
           && part->leaf->comparison == COMPARE_EQUAL && !part->odd;
}

/* A pattern may tell capitals from small letters, a comparison does not. */
static gboolean
is_exact(const Node *leaf)
{
    if (leaf->kind != NODE_IN)
        return FALSE;
    const Node *right = leaf->first->next;
    return right->kind != NODE_NAMED || right->declaration->patterns == NULL;
}

/* Whether those values are all that there is to ask for. */
static gboolean
is_finite(NodeKind kind, const PolicyFact *fact, const Part *one,
          const Part *other)
{
    gboolean literal = literal_of(one->leaf) != NULL;
    gboolean literals = literal && literal_of(other->leaf) != NULL;

    if (fact->row->type == FILTERD_LIST)
        return FALSE;
    if (fact->row->type == FILTERD_BOOL || fact->row->words != NULL || literals)
        return TRUE;
    const Part *listed = literal ? other : one;
    const Part *equal = literal ? one : other;
    return kind == NODE_AND && is_equal(equal)
           && literal_of(equal->leaf) != NULL && is_exact(listed->leaf);
}

/* ---- whether they do ---------------------------------------------------- */

static const FilterdValue *
give(void *data, G_GNUC_UNUSED const PolicyFact *fact,
     G_GNUC_UNUSED gboolean shadow)
{
    return data;
}

static gboolean
is_yes(const Part *part, const FilterdValue *value)
{
    const PolicyClient client = {.data = (void *)value, .fact = give};
    const Evaluation evaluation = {&client, FALSE};

    return evaluate_truth(&evaluation, part->node) == POLICY_YES;
}

/* Of `and`: that for no value both are yes; of `or`: that for none neither is.
 */
static gboolean
hold_for_all(NodeKind kind, const Part *one, const Part *other,
             const GArray *values)
{
    for (guint i = 0; i < values->len; i++) {
        const FilterdValue *value = &g_array_index(values, FilterdValue, i);
        gboolean first = is_yes(one, value), second = is_yes(other, value);

        if (kind == NODE_AND ? first && second : !first && !second)
            return FALSE;
    }
    return values->len > 0;
}

static gboolean
is_same(const Node *one, const Node *other)
{
    if (one->kind != other->kind)
        return FALSE;
    if (one->kind == NODE_MATCHES)
        return strcmp(one->text, other->text) == 0;
    if (one->kind == NODE_IN && one->first->next->kind == NODE_NAMED)
        return other->first->next->kind == NODE_NAMED
               && one->first->next->declaration
                      == other->first->next->declaration;
    if (one->kind == NODE_IN)
        return strcmp(one->first->next->text, other->first->next->text) == 0;
    return one->kind == NODE_KNOWN || one->kind == NODE_FACT;
}

/* Whether nothing can make both yes (`and`), or neither (`or`). */
static gboolean
is_settled(NodeKind kind, const Part *one, const Part *other)
{
    const PolicyFact *fact = subject(one->leaf);
    gboolean known = one->leaf->kind == NODE_KNOWN;

    if (fact == NULL || fact != subject(other->leaf))
        return FALSE;
    if (is_same(one->leaf, other->leaf) && one->odd != other->odd)
        return TRUE;
    if (known != (other->leaf->kind == NODE_KNOWN))
        return kind == NODE_AND && (known ? one->odd : other->odd);
    if (known || !is_finite(kind, fact, one, other))
        return FALSE;
    g_autoptr(GArray) values = find_values(fact, one->leaf, other->leaf);
    return hold_for_all(kind, one, other, values);
}

/* ---- what is said of it ------------------------------------------------- */

static char *
write_part(const Part *part)
{
    GString *text = g_string_new(NULL);

    written_append(text, part->node);
    return g_string_free(text, FALSE);
}

static char *
find_hint(const Rule *rule, const Chain *chain, const Part *one,
          const Part *other)
{
    gboolean all = chain->kind == NODE_AND;
    NodeKind meant = all ? NODE_OR : NODE_AND;
    const char *sense = is_settled(meant, one, other) ? "leave one of them out"
                        : all                         ? "was `or` meant?"
                                                      : "was `and` meant?";

    if (rule == NULL || !all)
        return g_strdup(sense);
    return g_strdup_printf("so `%s` can never fire; %s", rule->public.name,
                           sense);
}

static void
warn_pair(Compile *compile, const Rule *rule, const Chain *chain,
          const Part *one, const Part *other)
{
    g_autofree char *first = write_part(one);
    g_autofree char *second = write_part(other);
    g_autofree char *hint = find_hint(rule, chain, one, other);

    if (chain->kind == NODE_AND)
        compile_warning(compile, &other->place, hint,
                        "`%s` and `%s` are never both yes", first, second);
    else
        compile_warning(compile, &other->place, hint,
                        "`%s` or `%s`: one of them is yes whatever `%s` is",
                        first, second, subject(one->leaf)->name);
}

/* Both in one let: that has been told of it. */
static gboolean
is_told(const Part *one, const Part *other)
{
    return one->let != NULL && one->place.file == other->place.file
           && one->place.line == other->place.line
           && one->place.column == other->place.column;
}

/* The first of them; `rule`, whose condition it is as a whole, or NULL. */
static void
warn_chain(Compile *compile, const Rule *rule, const Node *node)
{
    const Part whole = {0};
    g_autofree Chain *chain = g_new0(Chain, 1);

    chain->kind = node->kind;
    gather(chain, node, &whole);
    for (unsigned i = 1; i < chain->length; i++)
        for (unsigned k = 0; k < i; k++) {
            const Part *one = &chain->parts[k], *other = &chain->parts[i];

            if (is_told(one, other) || !is_settled(chain->kind, one, other))
                continue;
            warn_pair(compile, rule, chain, one, other);
            return;
        }
}

/* Down to the lets, which are looked at by themselves. */
static void
warn_tree(Compile *compile, const Rule *rule, const Node *node, NodeKind outer)
{
    gboolean chain = node->kind == NODE_AND || node->kind == NODE_OR;

    if (chain && node->kind != outer)
        warn_chain(compile, rule, node);
    for (const Node *child = node->first; child != NULL; child = child->next)
        warn_tree(compile, NULL, child, node->kind);
}

void
warn_pairs(Compile *compile)
{
    const PolicyRules *rules = compile->rules;

    for (guint i = 0; i < rules->declarations->len; i++) {
        const Declaration *let = g_ptr_array_index(rules->declarations, i);

        if (let->kind == DECLARATION_LET)
            warn_tree(compile, NULL, let->node, NODE_LET);
    }
    for (guint i = 0; i < rules->all->len; i++) {
        const Rule *rule = g_ptr_array_index(rules->all, i);

        if (rule->condition != NULL)
            warn_tree(compile, rule, rule->condition, NODE_LET);
    }
}
