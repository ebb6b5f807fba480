/* check.c: the file in order: declarations before their use, rules, tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

#include "policy/literal.h"

#include <string.h>

/* The instance before the dot. */
static char *
instance_of(const char *name)
{
    return g_strndup(name, strcspn(name, "."));
}

gboolean
check_has_instance(const Compile *compile, const char *name, gsize length)
{
    const GPtrArray *facts = compile->config->facts;

    for (guint i = 0; i < facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(facts, i);

        if (strncmp(fact->name, name, length) == 0 && fact->name[length] == '.')
            return TRUE;
    }
    g_autofree char *instance = g_strndup(name, length);
    return g_hash_table_contains(compile->lost, instance);
}

/* All facts and lets, or those of one instance. NULL-terminated. */
static GPtrArray *
names_of(const Compile *compile, const char *instance)
{
    const PolicyConfig *config = compile->config;
    GPtrArray *names = g_ptr_array_new();
    gsize length = instance != NULL ? strlen(instance) : 0;

    for (guint i = 0; i < config->facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(config->facts, i);

        if (instance == NULL
            || (strncmp(fact->name, instance, length) == 0
                && fact->name[length] == '.'))
            g_ptr_array_add(names, (gpointer)fact->name);
    }
    for (guint i = 0; instance == NULL && i < compile->rules->declarations->len;
         i++) {
        const Declaration *let =
            g_ptr_array_index(compile->rules->declarations, i);

        if (let->kind == DECLARATION_LET)
            g_ptr_array_add(names, (gpointer)let->name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

/* Whether it is a fact of a plugin that there is, by that plugin's name. */
static gboolean
is_plugins(Compile *compile, const char *name)
{
    g_autofree char *instance = instance_of(name);

    return strchr(name, '.') != NULL && compile_is_plugin(compile, instance);
}

/* The fact by the name that its plugin was given with `as`; NULL. */
static char *
find_renamed(const Compile *compile, const char *name)
{
    g_autofree char *plugin = instance_of(name);

    for (guint i = 0; i < compile->config->uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(compile->config->uses, i);
        g_autofree char *own =
            g_strconcat(use->name, name + strlen(plugin), NULL);

        if (strcmp(use->plugin->name, plugin) == 0
            && policy_fact_find(compile->config, own) != NULL)
            return g_steal_pointer(&own);
    }
    return NULL;
}

/* What was probably meant by it. Caller frees. */
static char *
guess_name(Compile *compile, const char *name)
{
    g_autofree char *instance = instance_of(name);
    g_autoptr(GPtrArray) all = names_of(compile, NULL);
    char *renamed = find_renamed(compile, name);

    if (renamed != NULL
        || (!check_has_instance(compile, name, strlen(instance))
            && is_plugins(compile, name)))
        return renamed;
    return g_strdup(compile_guess(name, (const char *const *)all->pdata));
}

/* What may have been meant by a name that nobody has. */
static char *
guess_meaning(Compile *compile, const char *name, const Node *other)
{
    g_autofree char *instance = instance_of(name);
    FilterdType type = other != NULL ? other->type : FILTERD_UNKNOWN;
    gboolean within_text = other != NULL && other->kind == NODE_QUOTED;
    const char *foreign = compile_foreign(FOREIGN_CONDITION, name);

    if (other == NULL && foreign != NULL)
        return g_strdup(foreign);

    if (type == FILTERD_IP || type == FILTERD_INT || type == FILTERD_DURATION
        || type == FILTERD_BOOL)
        return g_strdup(literal_example(type));
    if (strchr(name, '.') == NULL
        && check_has_instance(compile, name, strlen(name))) {
        g_autoptr(GPtrArray) own = names_of(compile, name);
        g_autofree char *joined = compile_join((const char *const *)own->pdata);
        return g_strdup_printf("there is %s", joined != NULL ? joined : name);
    }
    if (!check_has_instance(compile, name, strlen(instance))
        && is_plugins(compile, name))
        return g_strdup_printf("`use %s` is missing", instance);
    if (literal_range_hint(name) != NULL)
        return g_strdup(literal_range_hint(name));
    if (within_text && strchr(name, '.') == NULL)
        return g_strdup("write `{{` to mean the character `{`");
    if (type != FILTERD_UNKNOWN || strchr(name, '.') == NULL
        || !g_ascii_isalpha(*name))
        return g_strdup_printf("quote it to mean a text: \"%s\"", name);
    if (!check_has_instance(compile, name, strlen(instance)))
        return g_strdup_printf("is `use %s` missing?", instance);
    g_autoptr(GPtrArray) own = names_of(compile, instance);
    g_autofree char *joined = compile_join((const char *const *)own->pdata);
    return joined != NULL ? g_strdup_printf("there is %s", joined) : NULL;
}

/* What begins with a digit is no name. */
static gboolean
is_value(const char *name, const Node *other)
{
    return other != NULL && g_ascii_isdigit(*name)
           && literal_example(other->type) != NULL
           && other->type != FILTERD_ADDRESS && other->type != FILTERD_DOMAIN;
}

/* In a text the name of a list, map or let. FALSE: it is none. */
static gboolean
refuse_declared(Compile *compile, const PolicyPlace *place, const char *name)
{
    static const char *const kinds[] = {"list", "map", "let"};
    const Declaration *declared = g_hash_table_lookup(compile->names, name);

    if (declared == NULL)
        return FALSE;
    const Node *node = declared->node;
    gboolean fact = node != NULL && node->kind == NODE_FACT;
    const Complaint complaint = {.near = fact ? node->fact->name : NULL};
    compile_complain(compile, place, &complaint,
                     "a text has facts in it, and `%s` is a %s", name,
                     kinds[declared->kind]);
    return TRUE;
}

void
check_no_fact(Compile *compile, const PolicyPlace *place, const char *name,
              const Node *other)
{
    g_autofree char *instance = instance_of(name);
    g_autofree char *meant = guess_name(compile, name);
    const Complaint near = {.near = meant};
    gboolean fact = strchr(name, '.') != NULL
                    || (other != NULL && other->kind == NODE_QUOTED);
    const char *kind = fact ? "no fact" : "no fact or let";

    if (g_hash_table_contains(compile->lost, instance)
        || compile_is_lost(compile, name))
        return;
    if (other != NULL && other->kind == NODE_QUOTED
        && refuse_declared(compile, place, name))
        return;
    if (is_value(name, other)) {
        literal_refuse(compile, place, other->type, name);
        return;
    }
    if (near.near != NULL) {
        compile_complain(compile, place, &near, "%s `%s`", kind, name);
        return;
    }
    if (other != NULL && other->type == FILTERD_BOOL
        && strchr(name, '.') == NULL) {
        literal_refuse(compile, place, FILTERD_BOOL, name);
        return;
    }
    g_autofree char *hint = guess_meaning(compile, name, other);
    const Complaint quoted = {.right = hint != NULL && strchr(hint, '"') != NULL
                                           ? strchr(hint, '"')
                                           : NULL,
                              .hint = hint};
    compile_complain(compile, place, &quoted, "%s `%s`", kind, name);
}

const PolicyFact *
check_find_need(const PolicyConfig *config, const char *name)
{
    const PolicyFact *found = policy_fact_find(config, name);
    const char *dot = strchr(name, '.');

    for (guint i = 0; found == NULL && dot != NULL && i < config->facts->len;
         i++) {
        const PolicyFact *fact = g_ptr_array_index(config->facts, i);

        if (fact->use != NULL
            && strlen(fact->use->plugin->name) == (gsize)(dot - name)
            && strncmp(fact->use->plugin->name, name, (gsize)(dot - name)) == 0
            && strcmp(fact->row->name, dot + 1) == 0)
            found = fact;
    }
    return found;
}

static void
check_need(Compile *compile, const PolicyUse *use, const FilterdNeed *need)
{
    g_autofree char *name = g_strdup(need->fact);
    gboolean optional = g_str_has_suffix(name, "?");

    if (optional)
        name[strlen(name) - 1] = '\0';
    const PolicyFact *fact = check_find_need(compile->config, name);
    g_autofree char *instance = instance_of(name);
    if (fact == NULL && !optional
        && !g_hash_table_contains(compile->lost, instance)) {
        g_autofree char *hint = g_strdup_printf("use %s", instance);
        compile_error(compile, &use->place, hint,
                      "`%s` needs the fact `%s`, which nobody has",
                      use->plugin->name, name);
    }
    if (fact != NULL && need->type != FILTERD_UNKNOWN
        && fact->row->type != need->type)
        compile_error(compile, &use->place, NULL,
                      "`%s` needs `%s` to be %s, but it is %s",
                      use->plugin->name, name, literal_phrase(need->type),
                      literal_phrase(fact->row->type));
}

static void
check_needs(Compile *compile)
{
    const GPtrArray *uses = compile->config->uses;

    for (guint i = 0; i < uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(uses, i);
        const FilterdNeed *needs = use->plugin->needs;

        for (unsigned n = 0; needs != NULL && needs[n].fact != NULL; n++)
            check_need(compile, use, &needs[n]);
    }
}

static void
check_step(Compile *compile, const Step *step)
{
    if (step->rule != NULL) {
        check_rule(compile, step->rule);
        return;
    }
    if (step->declaration->kind == DECLARATION_LET)
        check_let(compile, step->declaration);
    step->declaration->checked = TRUE;
}

void
check_all(Compile *compile)
{
    check_needs(compile);
    for (guint i = 0; i < compile->steps->len; i++)
        check_step(compile, &g_array_index(compile->steps, Step, i));
    check_tests(compile);
}
