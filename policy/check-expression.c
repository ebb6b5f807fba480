/* check-expression.c: relations between operands, and what they want of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

#include "filterd/base/ip.h"
#include "policy/literal.h"

#include <string.h>

#define IP_SINGLE 128

static gboolean
is_textual(FilterdType type)
{
    return type == FILTERD_TEXT || type == FILTERD_WORD
           || type == FILTERD_DOMAIN || type == FILTERD_ADDRESS;
}

static gboolean
comparable(FilterdType a, FilterdType b)
{
    return a == b || (is_textual(a) && is_textual(b));
}

static gboolean
is_bad(const Node *node)
{
    return node->kind == NODE_BAD;
}

/* A literal takes its type from what it stands against: that first. */
static gboolean
waits_for_other(const Compile *compile, const Node *node)
{
    if (node->kind == NODE_QUOTED)
        return TRUE;
    return node->kind == NODE_BARE
           && policy_fact_find(compile->config, node->text) == NULL
           && !g_hash_table_contains(compile->names, node->text);
}

static void
check_pair(Compile *compile, Node *left, Node *right)
{
    if (waits_for_other(compile, left) && !waits_for_other(compile, right)) {
        check_operand(compile, right, NULL);
        check_operand(compile, left, right);
    } else {
        check_operand(compile, left, NULL);
        check_operand(compile, right, left);
    }
}

/* `10m` is ten minutes where `10M` was meant; NULL. Caller frees. */
static char *
near_size(const Node *literal, const Node *other)
{
    gboolean minutes = literal->type == FILTERD_DURATION
                       && g_str_has_suffix(literal->text, "m");

    return other->type == FILTERD_INT && minutes
               ? g_ascii_strup(literal->text, -1)
               : NULL;
}

static void
never_compare(Compile *compile, const Node *node, const Node *left,
              const Node *right)
{
    gboolean quoted =
        (left->kind == NODE_LITERAL && left->type == FILTERD_TEXT)
        || (right->kind == NODE_LITERAL && right->type == FILTERD_TEXT);

    const Node *literal = right->kind == NODE_LITERAL  ? right
                          : left->kind == NODE_LITERAL ? left
                                                       : node;

    const Node *other = literal == right ? left : right;
    g_autofree char *size = near_size(literal, other);
    const Complaint complaint = {
        .near = size,
        .right = quoted ? literal->text : NULL,
        .hint = quoted ? "only texts, words, domains and addresses are "
                         "written in quotes"
                       : NULL};

    compile_complain(compile, &literal->place, &complaint,
                     "`%s` is %s and `%s` is %s: they do not compare",
                     left->text, literal_phrase(left->type), right->text,
                     literal_phrase(right->type));
}

/* `client.name = ""`: a domain is never so. */
static gboolean
is_void(Compile *compile, Node *node)
{
    const Node *left = node->first, *right = left->next;
    const PolicyFact *fact = policy_fact_find(compile->config, left->text);

    if (right->kind != NODE_QUOTED || *right->text != '\0' || fact == NULL
        || fact->row->type != FILTERD_DOMAIN
        || node->comparison > COMPARE_UNEQUAL)
        return FALSE;
    const char *not = node->comparison == COMPARE_EQUAL ? "not " : "";
    g_autofree char *hint = g_strdup_printf("%sknown %s", not, left->text);
    compile_error(compile, &right->place, hint, "`%s` is never an empty text",
                  left->text);
    node->kind = NODE_BAD;
    node->first = NULL;
    return TRUE;
}

static void
check_compare(Compile *compile, Node *node)
{
    Node *left = node->first, *right = node->first->next;
    gboolean orders = node->comparison >= COMPARE_LESS;

    if (is_void(compile, node))
        return;
    check_pair(compile, left, right);
    if (is_bad(left) || is_bad(right))
        return;
    const Node *list = left->type == FILTERD_LIST ? left : right;
    const Node *item = list == left ? right : left;
    if (list->type == FILTERD_LIST) {
        g_autofree char *hint =
            g_strdup_printf("`%s` in %s", item->text, list->text);
        compile_error(compile, &node->place, hint,
                      "`%s` is a list: ask with `in`", list->text);
    } else if (!comparable(left->type, right->type)) {
        never_compare(compile, node, left, right);
    } else if (orders && left->type != FILTERD_INT
               && left->type != FILTERD_DURATION) {
        compile_error(compile, &node->place, "use = or !=",
                      "only ints and durations have an order; `%s` is %s",
                      left->text, literal_phrase(left->type));
    } else if (right->kind == NODE_LITERAL && right->type == FILTERD_IP
               && right->value.ip.prefix != IP_SINGLE) {
        g_autofree char *hint =
            g_strdup_printf("%s in %s", left->text, right->text);
        const Complaint complaint = {
            .right = node->comparison == COMPARE_UNEQUAL ? "not in" : "in",
            .hint = hint};
        compile_complain(compile, &node->place, &complaint,
                         "`%s` is a network: ask with `in`", right->text);
    }
}

/* ---- in ---- */

typedef struct WordCheck {
    Compile *compile;
    const Node *list;
    const PolicyFact *fact;
} WordCheck;

static void
check_list_word(const char *key, void *data)
{
    const WordCheck *check = data;

    if (!g_strv_contains(check->fact->row->words, key))
        compile_error(check->compile, &check->list->place, NULL,
                      "list `%s` has `%s`, which `%s` can never be",
                      check->list->text, key, check->fact->name);
}

static void
check_list_words(Compile *compile, const Node *left, const Node *list)
{
    if (left->kind != NODE_FACT || left->type != FILTERD_WORD
        || left->fact->row->words == NULL)
        return;
    WordCheck check = {compile, list, left->fact};
    lookup_each_text(list->declaration->lookup, check_list_word, &check);
}

/* What has the domain of an address; NULL. */
static const char *
domain_of(const Node *address)
{
    static const char *const facts[][2] = {
        {"mail.from", "mail.domain"},
        {"rcpt.to", "rcpt.domain"},
        {"header.from.address", "header.from.domain"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(facts); i++)
        if (address->kind == NODE_FACT
            && strcmp(address->fact->name, facts[i][0]) == 0)
            return facts[i][1];
    return NULL;
}

/* What an operand left of `in` has to be, `item` being what is in there. */
static gboolean
check_member(Compile *compile, const Node *node, FilterdType item,
             gboolean strict)
{
    const Node *left = node->first, *right = left->next;
    FilterdType type = left->type == FILTERD_LIST ? left->items : left->type;

    if (is_bad(left) || (strict ? type == item : comparable(type, item)))
        return TRUE;
    const Complaint complaint = {
        .near = item == FILTERD_DOMAIN ? domain_of(left) : NULL};
    compile_complain(compile,
                     complaint.near != NULL ? &left->place : &node->place,
                     &complaint, "`%s` is %s, but `%s` holds %ss", left->text,
                     literal_phrase(type), right->text,
                     strchr(literal_phrase(item), ' ') + 1);
    return FALSE;
}

static void
check_matched(Compile *compile, const Node *left)
{
    FilterdType type = left->type == FILTERD_LIST ? left->items : left->type;

    if (!is_bad(left) && !is_textual(type))
        compile_error(compile, &left->place, NULL,
                      "`%s` is %s, and a pattern matches texts", left->text,
                      literal_phrase(left->type));
}

static void
check_in_list(Compile *compile, Node *node, Declaration *list)
{
    Node *left = node->first, *right = left->next;
    Node item = check_stand_in(list->type);

    right->kind = NODE_NAMED;
    right->declaration = list;
    list->used = TRUE;
    if (!list->checked) {
        g_autofree char *line = compile_line(&list->place, &right->place);
        g_autofree char *hint = g_strdup_printf("it is in %s", line);
        compile_error(compile, &right->place, hint,
                      "the list `%s` is declared below its use", list->name);
    }
    check_operand(compile, left, &item);
    if (list->patterns != NULL)
        check_matched(compile, left);
    else if (check_member(compile, node, list->type, TRUE))
        check_list_words(compile, left, right);
}

/* How the entries of such a list are called, which the operand is to be in. */
static const char *
list_type_of(const Compile *compile, const Node *left)
{
    const PolicyFact *fact = policy_fact_find(compile->config, left->text);
    const char *phrase =
        fact != NULL ? literal_phrase(fact->row->type) : "a text";

    return strchr(phrase, ' ') + 1;
}

static gboolean
is_file_name(const char *text)
{
    static const char *const ends[] = {".txt",  ".list", ".lst",
                                       ".conf", ".cf",   ".map"};

    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(text, ends[i]))
            return TRUE;
    return strchr(text, '/') != NULL;
}

/* What is no list: an address, the name of a list or of a file in quotes. */
static void
refuse_holder(Compile *compile, const Node *left, const Node *right)
{
    FilterdIp ip;
    gboolean text = right->kind == NODE_LITERAL && right->type == FILTERD_TEXT;
    gboolean bare = text
                    && (ip_parse_network(right->text, &ip)
                        || g_hash_table_contains(compile->names, right->text));
    g_autofree char *list =
        text && is_file_name(right->text)
            ? g_strdup_printf("list NAME of %s from \"%s\" above, and `in "
                              "NAME` here",
                              list_type_of(compile, left), right->text)
            : NULL;
    const Complaint complaint = {
        .right = bare ? right->text : NULL,
        .hint = bare           ? "without quotes"
                : list != NULL ? list
                               : "a list, a network or a fact that is a list"};

    compile_complain(compile, &right->place, &complaint,
                     "`%s` is %s: nothing is in it", right->text,
                     literal_phrase(right->type));
}

static void
check_in_value(Compile *compile, Node *node)
{
    Node *left = node->first, *right = left->next;

    check_operand(compile, right, NULL);
    if (is_bad(right))
        return;
    gboolean list = right->type == FILTERD_LIST;
    if (!list && (right->type != FILTERD_IP || right->kind != NODE_LITERAL)) {
        refuse_holder(compile, left, right);
        return;
    }
    FilterdType type = list ? right->items : FILTERD_IP;
    Node item = check_stand_in(type);
    check_operand(compile, left, &item);
    check_member(compile, node, type, FALSE);
}

static void
no_such_list(Compile *compile, Node *right)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < compile->rules->declarations->len; i++) {
        Declaration *list = g_ptr_array_index(compile->rules->declarations, i);

        if (list->kind != DECLARATION_LIST)
            continue;
        /* Whichever was meant: it is not the list that is unused. */
        list->used = TRUE;
        g_ptr_array_add(names, (gpointer)list->name);
    }
    g_ptr_array_add(names, NULL);
    if (!compile_is_lost(compile, right->text))
        compile_no_such(compile, &right->place, "no list", right->text,
                        (const char *const *)names->pdata);
    right->kind = NODE_BAD;
}

/* A fact that is none, or a domain. */
static void
no_such_holder(Compile *compile, Node *right)
{
    const char *dot = strchr(right->text, '.');
    g_autofree char *hint =
        g_strdup_printf("= \"%s\", or in a list: list NAME of domain { %s }",
                        right->text, right->text);

    if (check_has_instance(compile, right->text, (gsize)(dot - right->text)))
        check_no_fact(compile, &right->place, right->text, NULL);
    else
        compile_error(compile, &right->place, hint,
                      "`%s` is neither a list nor a fact", right->text);
    right->kind = NODE_BAD;
}

static void
check_in(Compile *compile, Node *node)
{
    Node *right = node->first->next;
    FilterdValue value;

    if (right->kind != NODE_BARE) {
        check_in_value(compile, node);
        return;
    }
    Declaration *list = g_hash_table_lookup(compile->names, right->text);
    if (g_ascii_isdigit(*right->text) && strchr(right->text, '/') != NULL
        && !literal_guess(compile, right->text, &value)) {
        literal_refuse(compile, &right->place, FILTERD_IP, right->text);
        right->kind = NODE_BAD;
    } else if (list != NULL && list->kind == DECLARATION_LIST)
        check_in_list(compile, node, list);
    else if (list != NULL || policy_fact_find(compile->config, right->text)
             || literal_guess(compile, right->text, &value)
             || g_ascii_isdigit(*right->text))
        check_in_value(compile, node);
    else if (strchr(right->text, '.') != NULL)
        no_such_holder(compile, right);
    else
        no_such_list(compile, right);
}

/* ---- matches, known, and, or, not ---- */

static void
check_matches(Compile *compile, Node *node)
{
    Node *left = node->first, *right = left->next;
    g_autofree char *message = NULL;
    PolicyPlace place = right->place;
    gsize offset;

    check_operand(compile, left, NULL);
    check_matched(compile, left);
    node->pattern = pattern_new(right->text, NULL, &message, &offset);
    if (node->pattern != NULL) {
        g_ptr_array_add(compile->rules->patterns, node->pattern);
        node->text = right->text;
        left->next = NULL;
        return;
    }
    place.column += 1 + (unsigned)g_utf8_strlen(right->text, (gssize)offset);
    place.length = 1;
    compile_error(compile, &place, NULL, "the pattern is wrong: %s", message);
    node->kind = NODE_BAD;
    node->first = NULL;
}

static void
check_known(Compile *compile, Node *node)
{
    Node *operand = node->first;

    check_operand(compile, operand, NULL);
    if (operand->kind == NODE_LITERAL)
        compile_error(compile, &operand->place, "known FACT",
                      "`%s` is no fact: it is always known", operand->text);
}

/* `spf.result = fail or softfail` */
static gboolean
is_half(Compile *compile, const Node *before, Node *node)
{
    if (before == NULL || before->kind != NODE_COMPARE
        || (node->kind != NODE_BARE && node->kind != NODE_QUOTED)
        || !waits_for_other(compile, node))
        return FALSE;
    const Node *left = before->first;
    g_autofree char *right =
        g_strdup_printf(node->kind == NODE_BARE ? "%s = %s" : "%s = \"%s\"",
                        left->text, node->text);
    const Complaint complaint = {.right = right, .hint = right};
    compile_complain(compile, &node->place, &complaint,
                     "`%s` is half a condition: each needs its fact",
                     node->text);
    node->kind = NODE_BAD;
    return TRUE;
}

static void
check_each(Compile *compile, Node *node)
{
    const Node *before = NULL;

    for (Node *child = node->first; child != NULL; child = child->next) {
        if (!is_half(compile, before, child))
            check_condition(compile, child);
        before = child;
    }
}

static void
check_value(Compile *compile, Node *node)
{
    check_operand(compile, node, NULL);
    if (is_bad(node) || node->type == FILTERD_BOOL)
        return;
    g_autofree char *hint = g_strdup_printf(
        node->kind == NODE_LITERAL ? "compare a fact with it"
                                   : "compare it, or ask `known %s`",
        node->text);
    compile_error(compile, &node->place, hint, "`%s` is %s, not a condition",
                  node->text, literal_phrase(node->type));
}

static void (*const checks[])(Compile *compile, Node *node) = {
    [NODE_BARE] = check_value,  [NODE_QUOTED] = check_value,
    [NODE_ENTRY] = check_value, [NODE_NOT] = check_each,
    [NODE_AND] = check_each,    [NODE_OR] = check_each,
    [NODE_KNOWN] = check_known, [NODE_COMPARE] = check_compare,
    [NODE_IN] = check_in,       [NODE_MATCHES] = check_matches,
};

void
check_condition(Compile *compile, Node *node)
{
    if (node->kind >= NODE_NOT)
        node->type = FILTERD_BOOL;
    if (checks[node->kind] != NULL)
        checks[node->kind](compile, node);
}

void
check_let(Compile *compile, Declaration *let)
{
    if (let->node->kind >= NODE_NOT)
        check_condition(compile, let->node);
    else
        check_operand(compile, let->node, NULL);
    if (!check_size(compile, let->node, &let->size, &let->depth))
        let->node = NULL;
}
