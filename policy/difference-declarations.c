/* difference-declarations.c: what two compiled files do not have in common:
 * lists, maps and lets.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/difference-rule.h"
#include "policy/difference.h"

#include <string.h>

static const char *const words[] = {
    [DECLARATION_LIST] = "list",
    [DECLARATION_MAP] = "map",
    [DECLARATION_LET] = "let",
};

static const Declaration *
find_declaration(const PolicyConfig *config, const Declaration *like)
{
    const GPtrArray *all = config->rules->declarations;

    for (guint i = 0; i < all->len; i++) {
        const Declaration *one = all->pdata[i];

        if (one->kind == like->kind && strcmp(one->name, like->name) == 0)
            return one;
    }
    return NULL;
}

static void
compare_lookups(GPtrArray *phrases, const Declaration *old,
                const Declaration *new)
{
    g_autoptr(GString) counts = g_string_new(NULL);
    const unsigned numbers[] = {
        lookup_lacks(old->lookup, new->lookup),
        lookup_lacks(new->lookup, old->lookup),
        lookup_differs(old->lookup, new->lookup),
    };
    static const char *const signs[] = {" +", " -", " ~"};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i] > 0)
            g_string_append_printf(counts, "%s%u", signs[i], numbers[i]);
    if (counts->len > 0)
        difference_add(phrases, "%s %s%s", words[new->kind], new->name,
                       counts->str);
}

static void
compare_declarations(GPtrArray *phrases, const Declaration *old,
                     const Declaration *new)
{
    gboolean other_kind = (old->patterns != NULL) != (new->patterns != NULL);

    if (old->type != new->type || old->gives != new->gives || other_kind) {
        difference_add(phrases, "%s %s changed", words[new->kind], new->name);
    } else if (new->kind != DECLARATION_LET) {
        compare_lookups(phrases, old, new);
    } else {
        g_autofree char *how = difference_of_lets(old->node, new->node);

        if (how != NULL)
            difference_add(phrases, "let %s: %s", new->name, how);
    }
}

void
difference_declarations(GPtrArray *phrases, const PolicyConfig *old,
                        const PolicyConfig *new)
{
    const GPtrArray *before = old->rules->declarations;
    const GPtrArray *behind = new->rules->declarations;

    for (guint i = 0; i < before->len; i++) {
        const Declaration *one = before->pdata[i];
        const Declaration *other = find_declaration(new, one);

        if (other == NULL)
            difference_add(phrases, "%s %s removed", words[one->kind],
                           one->name);
        else
            compare_declarations(phrases, one, other);
    }
    for (guint i = 0; i < behind->len; i++) {
        const Declaration *one = behind->pdata[i];

        if (find_declaration(old, one) == NULL)
            difference_add(phrases, "%s %s added", words[one->kind], one->name);
    }
}
