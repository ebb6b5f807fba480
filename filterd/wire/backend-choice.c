/* backend-choice.c: which of several backends is asked next.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-choice.h"

#include "filterd/base/clock.h"

/* What a weight of 1 is while it can be less. */
#define GRAIN 1000

static const PolicyBackend *
config_at(const GPtrArray *links, unsigned i)
{
    return backend_link_config(g_ptr_array_index(links, i));
}

static gboolean
is_up(const GPtrArray *links, unsigned i)
{
    return backend_health_up(backend_link_health(g_ptr_array_index(links, i)));
}

/* ---- order -------------------------------------------------------------- */

static int
compare(const PolicyBackend *a, const PolicyBackend *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return (a->weight == 0) - (b->weight == 0);
}

static int
by_rank(const void *a, const void *b)
{
    return compare(backend_link_config(*(BackendLink *const *)a),
                   backend_link_config(*(BackendLink *const *)b));
}

void
backend_choice_sort(GPtrArray *links)
{
    g_ptr_array_sort(links, by_rank);
}

/* ---- weights ------------------------------------------------------------ */

/* Over 0. It grows after a backend came back. */
static int64_t
weight_of(const BackendLink *link)
{
    const PolicyBackend *config = backend_link_config(link);
    int64_t full = MAX(config->weight, 1) * GRAIN;
    int64_t since = backend_health_since(backend_link_health(link));
    int64_t age = clock_monotonic() - since;
    if (since == 0 || age >= config->slow_start)
        return full;
    return MAX(full * age / config->slow_start, 1);
}

/* Those from `from` to `end` are equal but for their weights. */
static BackendLink *
pick(const GPtrArray *links, unsigned from, unsigned end,
     const GPtrArray *tried)
{
    g_autofree BackendShare *shares = g_new(BackendShare, end - from);
    g_autofree BackendLink **usable = g_new(BackendLink *, end - from);
    unsigned length = 0;
    for (unsigned i = from; i < end; i++) {
        BackendLink *link = g_ptr_array_index(links, i);
        if (!is_up(links, i) || backend_link_full(link)
            || g_ptr_array_find((GPtrArray *)tried, link, NULL))
            continue;
        shares[length] =
            (BackendShare){backend_link_health(link), weight_of(link)};
        usable[length++] = link;
    }
    return length > 0 ? usable[backend_health_pick(shares, length)] : NULL;
}

/* One without weight waits for all others of its priority to be down. */
static gboolean
stands_by(const GPtrArray *links, unsigned from)
{
    const PolicyBackend *config = config_at(links, from);
    for (unsigned i = 0; config->weight == 0 && i < from; i++)
        if (config_at(links, i)->priority == config->priority
            && is_up(links, i))
            return TRUE;
    return FALSE;
}

BackendLink *
backend_choice_next(const GPtrArray *links, const GPtrArray *tried)
{
    BackendLink *link = NULL;
    unsigned end;
    for (unsigned from = 0; link == NULL && from < links->len; from = end) {
        for (end = from + 1;
             end < links->len
             && compare(config_at(links, from), config_at(links, end)) == 0;
             end++)
            continue;
        if (!stands_by(links, from))
            link = pick(links, from, end, tried);
    }
    return link;
}

/* ---- those that are down ------------------------------------------------ */

gboolean
backend_choice_any_full(const GPtrArray *links)
{
    for (unsigned i = 0; i < links->len; i++)
        if (is_up(links, i) && backend_link_full(g_ptr_array_index(links, i)))
            return TRUE;
    return FALSE;
}

/* The first one, or the number of all. */
static unsigned
find_up(const GPtrArray *links)
{
    unsigned up = 0;
    while (up < links->len && !is_up(links, up))
        up++;
    return up;
}

/* Where nothing else looks at it mail has to find out that it is back, though
 * not mail that would not be its own. */
static gboolean
may_try(const GPtrArray *links, unsigned i, unsigned up)
{
    return up == links->len
           || (config_at(links, i)->health_interval == 0
               && compare(config_at(links, i), config_at(links, up)) <= 0);
}

BackendLink *
backend_choice_claim(const GPtrArray *links, const GPtrArray *tried)
{
    unsigned up = find_up(links);
    for (unsigned i = 0; i < links->len; i++) {
        BackendLink *link = g_ptr_array_index(links, i);
        if (!is_up(links, i) && may_try(links, i, up)
            && !g_ptr_array_find((GPtrArray *)tried, link, NULL)
            && backend_health_claim(backend_link_health(link),
                                    up == links->len))
            return link;
    }
    return NULL;
}
