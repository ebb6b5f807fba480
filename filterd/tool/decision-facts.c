/* decision-facts.c: the facts of a decision, typed again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/ip.h"
#include "filterd/tool/decision.h"

const FilterdValue decision_absent = {.type = FILTERD_UNKNOWN};

/* What is known of a fact. A recipient's own counts at rcpt, where both have
 * it. */
typedef struct Slot {
    const FilterdFact *row;
    guint64 own_turn, turn; /* when it was last set */
    FilterdValue own, value;
} Slot;

struct DecisionFacts {
    const PolicyConfig *config;
    GHashTable *slots; /* Slot by PolicyFact */
    GPtrArray *lists;  /* FilterdValue arrays of the decision at hand */
    guint64 turn;      /* decisions so far */
};

DecisionFacts *
decision_facts_new(const PolicyConfig *config)
{
    DecisionFacts *facts = g_new0(DecisionFacts, 1);

    facts->config = config;
    facts->slots = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    facts->lists = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < config->facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(config->facts, i);
        Slot *slot = g_new0(Slot, 1);

        slot->row = fact->row;
        g_hash_table_insert(facts->slots, (gpointer)fact, slot);
    }
    return facts;
}

void
decision_facts_free(DecisionFacts *facts)
{
    g_hash_table_unref(facts->slots);
    g_ptr_array_unref(facts->lists);
    g_free(facts);
}

/* ---- values ------------------------------------------------------------- */

static gboolean
read_text(const JsonValue *json, FilterdType type, FilterdValue *value)
{
    *value = filterd_string(type, json->type == JSON_TEXT ? json->text : NULL);
    return json->type == JSON_TEXT;
}

static gboolean
read_ip(const JsonValue *json, FilterdValue *value)
{
    FilterdIp ip;

    if (json->type != JSON_TEXT || !ip_parse_network(json->text, &ip))
        return FALSE;
    *value = filterd_ip(ip);
    return TRUE;
}

/* FALSE: it is not of that type. */
static gboolean
read_item(const JsonValue *json, FilterdType type, FilterdValue *value)
{
    gboolean number = json->type == JSON_NUMBER;

    if (type == FILTERD_IP)
        return read_ip(json, value);
    if (type == FILTERD_BOOL) {
        *value = filterd_bool(json->type == JSON_BOOL && json->boolean);
        return json->type == JSON_BOOL;
    }
    if (type == FILTERD_INT || type == FILTERD_DURATION) {
        *value = filterd_int(number ? json->integer : 0);
        value->type = type;
        return number;
    }
    return read_text(json, type, value);
}

static gboolean
read_list(DecisionFacts *facts, const JsonValue *json, FilterdType items,
          FilterdValue *value)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(FilterdValue));

    if (json->type != JSON_ARRAY)
        return FALSE;
    for (const JsonValue *one = json->first; one != NULL; one = one->next) {
        FilterdValue item;

        if (!read_item(one, items, &item))
            return FALSE;
        g_array_append_val(list, item);
    }
    gsize length = list->len;
    void *array = g_array_free(g_steal_pointer(&list), FALSE);
    g_ptr_array_add(facts->lists, array);
    *value = filterd_list(array, length);
    return TRUE;
}

static gboolean
read_value(DecisionFacts *facts, const JsonValue *json, const FilterdFact *row,
           FilterdValue *value)
{
    *value = filterd_unknown();
    if (json->type == JSON_NULL)
        return TRUE;
    if (row->type == FILTERD_LIST)
        return read_list(facts, json, row->items, value);
    return read_item(json, row->type, value);
}

/* ---- a decision --------------------------------------------------------- */

static void
set_one(DecisionFacts *facts, const JsonValue *json, gboolean own)
{
    const PolicyFact *fact = policy_fact_find(facts->config, json->name);
    FilterdValue value;

    if (fact == NULL)
        return;
    Slot *slot = g_hash_table_lookup(facts->slots, fact);
    if (!read_value(facts, json, slot->row, &value))
        return;
    *(own ? &slot->own : &slot->value) = value;
    *(own ? &slot->own_turn : &slot->turn) = facts->turn;
}

static void
set_all(DecisionFacts *facts, const JsonValue *holder, gboolean own)
{
    const JsonValue *object = json_find(holder, "facts", JSON_OBJECT);

    for (const JsonValue *one = object != NULL ? object->first : NULL;
         one != NULL; one = one->next)
        set_one(facts, one, own);
}

void
decision_facts_set(DecisionFacts *facts, const JsonValue *decision,
                   const JsonValue *recipient)
{
    facts->turn++;
    g_ptr_array_set_size(facts->lists, 0);
    set_all(facts, decision, FALSE);
    set_all(facts, recipient, TRUE);
}

const FilterdValue *
decision_facts_get(const DecisionFacts *facts, const PolicyFact *fact,
                   FilterdStage stage)
{
    const Slot *slot = g_hash_table_lookup(facts->slots, fact);
    gboolean own = slot->own_turn == facts->turn;
    gboolean common = slot->turn == facts->turn;

    if (own && (stage <= FILTERD_RCPT || !common))
        return &slot->own;
    return common ? &slot->value : &decision_absent;
}
