/* world.c: what a plugin is shown, and what came of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

/* ---- the world ---------------------------------------------------------- */

void
harness_zone(Harness *harness, const char *records)
{
    if (records != NULL) {
        harness_zone_add(harness->zone, records);
        return;
    }
    harness_zone_free(harness->zone);
    harness->zone = harness_zone_new();
}

void
harness_dns_status(Harness *harness, const char *name, FilterdDnsType type,
                   FilterdDnsStatus status)
{
    harness_zone_set_status(harness->zone, name, type, status);
}

static const char *
text_join(Harness *harness, const GPtrArray *lines)
{
    g_string_truncate(harness->text, 0);
    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(harness->text, "%s%s", i > 0 ? "\n" : "",
                               (const char *)lines->pdata[i]);
    return harness->text->str;
}

const char *
harness_questions(Harness *harness)
{
    return text_join(harness, harness->questions);
}

unsigned
harness_question_count(Harness *harness)
{
    return harness->questions->len;
}

unsigned
harness_waits(Harness *harness)
{
    return harness->waits;
}

static gboolean
need_is(const FilterdNeed *need, const char *fact)
{
    gsize length = strcspn(need->fact, "?");

    return strlen(fact) == length && strncmp(need->fact, fact, length) == 0;
}

void
harness_set(Harness *harness, const char *fact, const char *value)
{
    const FilterdNeed *needs = harness->plugin->needs;

    for (gsize i = 0; needs != NULL && needs[i].fact != NULL; i++) {
        const FilterdNeed *need = &needs[i];

        if (!need_is(need, fact))
            continue;
        harness_value_free(&harness->needs[i]);
        if (value != NULL
            && !harness_value_parse(need->type, value, &harness->needs[i]))
            g_error("harness_set: %s is no value for %s", value, fact);
        return;
    }
    g_error("harness_set: the plugin does not need %s", fact);
}

void
harness_advance(Harness *harness, int64_t milliseconds)
{
    int64_t until = harness->clock + milliseconds;

    harness_run_spawned(harness, until);
    harness->clock = until;
}

void
harness_store_fails(Harness *harness, bool fails)
{
    harness->store_fails = fails;
}

unsigned
harness_store_entries(Harness *harness)
{
    return g_hash_table_size(harness->store);
}

static unsigned
count_take(unsigned *count)
{
    unsigned taken = *count;

    *count = 0;
    return taken;
}

unsigned
harness_store_reads(Harness *harness)
{
    return count_take(&harness->store_reads);
}

unsigned
harness_store_writes(Harness *harness)
{
    return count_take(&harness->store_writes);
}

/* ---- what came of it ---------------------------------------------------- */

const char *
harness_fact(Harness *harness, const char *name)
{
    const FilterdFact *rows = harness->plugin->facts;

    for (gsize i = 0; rows[i].name != NULL; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        g_string_truncate(harness->text, 0);
        harness_value_append(harness->text, &harness->facts[i]);
        return harness->text->str;
    }
    g_error("harness_fact: no fact %s", name);
}

const char *
harness_authres(Harness *harness)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new();

    for (guint i = 0; i < harness->authres->len; i++) {
        const HarnessLine *line = harness->authres->pdata[i];

        g_ptr_array_add(lines, line->text);
    }
    return text_join(harness, lines);
}

const char *
harness_edits(Harness *harness)
{
    return text_join(harness, harness->edits);
}

const char *
harness_log(Harness *harness)
{
    return text_join(harness, harness->log);
}

const char *
harness_waited(Harness *harness)
{
    return text_join(harness, harness->waited);
}

int64_t
harness_metric(Harness *harness, const char *name)
{
    const int64_t *sum = g_hash_table_lookup(harness->metrics, name);

    return sum != NULL ? *sum : 0;
}
