/* chain.c: the ARC fields of a message as sets, and whether these are a chain.
 * (RFC 8617 4.2, 5.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/chain.h"

#include <string.h>

static const char *
read_results(Set *set, Part *part, Span value, gint64 *instance)
{
    (void)part;
    return results_read(&set->results, value, instance)
               ? NULL
               : "i= is missing or no instance";
}

static const char *
read_message(Set *set, Part *part, Span value, gint64 *instance)
{
    (void)set;
    return part_read_message(part, value, instance);
}

static const char *
read_seal(Set *set, Part *part, Span value, gint64 *instance)
{
    (void)set;
    return part_read_seal(part, value, instance);
}

static const struct {
    const char *name;
    const char *(*read)(Set *set, Part *part, Span value, gint64 *instance);
} kinds[] = {
    [KIND_RESULTS] = {"ARC-Authentication-Results", read_results},
    [KIND_MESSAGE] = {"ARC-Message-Signature", read_message},
    [KIND_SEAL] = {"ARC-Seal", read_seal},
};

const char *
chain_kind_name(Kind kind)
{
    return kinds[kind].name;
}

static Kind
find_kind(const FilterdField *field)
{
    Kind kind = KIND_RESULTS;
    while (kind < KINDS
           && (field->name_length != strlen(kinds[kind].name)
               || g_ascii_strncasecmp(field->bytes, kinds[kind].name,
                                      field->name_length)
                      != 0))
        kind++;
    return kind;
}

void
chain_fail(Chain *chain, gint64 instance, Kind kind, const char *problem)
{
    if (chain->problem != NULL && !chain->temporary)
        return;
    chain->problem = problem;
    chain->instance = instance;
    chain->kind = kind;
    chain->temporary = false;
}

static void
add_part(Chain *chain, Kind kind, Span value, size_t index)
{
    Set made = {0};
    Part *part = &made.parts[kind];
    gint64 instance = 0;
    const char *problem = value.length > SIGNATURE_FIELD_LIMIT
                              ? "the field is too long"
                              : kinds[kind].read(&made, part, value, &instance);
    if (problem == NULL && (instance < 1 || instance > INSTANCE_LIMIT))
        problem = "i= is not from 1 to 50";
    Set *set = problem == NULL ? &chain->sets[instance - 1] : NULL;
    if (set != NULL && set->has[kind])
        problem = "the field is there twice";
    if (problem != NULL) {
        chain_fail(chain, instance, kind, problem);
        part_clear(part);
        return;
    }
    part->field = index;
    set->parts[kind] = *part;
    set->has[kind] = true;
    if (kind == KIND_RESULTS)
        set->results = made.results;
    chain->length = MAX(chain->length, instance);
}

void
chain_add(Chain **chain, const FilterdField *field, size_t index)
{
    Kind kind = find_kind(field);
    if (kind == KINDS)
        return;
    if (*chain == NULL)
        *chain = g_new0(Chain, 1);
    if ((*chain)->problem != NULL)
        return;
    if (field->value > field->length)
        chain_fail(*chain, 0, kind, "the field has no colon");
    else
        add_part(
            *chain, kind,
            (Span){field->bytes + field->value, field->length - field->value},
            index);
}

void
chain_free(Chain *chain)
{
    for (gint64 i = 1; i <= chain->length; i++)
        for (Kind kind = KIND_RESULTS; kind < KINDS; kind++)
            part_clear(chain_part(chain, i, kind));
    g_free(chain);
}

static void
check_set(Chain *chain, gint64 instance)
{
    const Set *set = &chain->sets[instance - 1];
    for (Kind kind = KIND_RESULTS; kind < KINDS; kind++)
        if (!set->has[kind])
            chain_fail(chain, instance, kind, "the field is missing");
    if (!set->has[KIND_SEAL])
        return;
    Status status = set->parts[KIND_SEAL].status;
    if (status == STATUS_MALFORMED)
        chain_fail(chain, instance, KIND_SEAL, "cv= is missing or unknown");
    else if (status == STATUS_FAIL)
        chain_fail(chain, instance, KIND_SEAL, "cv= says that it has failed");
    else if (status != (instance == 1 ? STATUS_NONE : STATUS_PASS))
        chain_fail(chain, instance, KIND_SEAL,
                   "cv= is not what it has to be there");
}

void
chain_check_structure(Chain *chain, gint64 limit)
{
    if (chain->length > limit)
        chain_fail(chain, 0, KIND_SEAL, "there are too many sets");
    for (gint64 i = chain->length; i >= 1; i--)
        check_set(chain, i);
}
