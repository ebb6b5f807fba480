/* rates.c: what was counted so far, for those who look at what changes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/rates.h"

#include "filterd/base/clock.h"
#include "filterd/base/json.h"
#include "filterd/base/metrics.h"
#include "filterd/base/text.h"
#include "filterd/base/timing.h"

#include <string.h>

/* What a line of it may be: filterctl takes no more. */
#define RULES_LIMIT 4096

typedef struct Rules {
    GString *out;
    unsigned count;
} Rules;

static void
append_rule(const MetricName *name, int64_t value, void *data)
{
    Rules *rules = data;
    if (strcmp(name->name, "rule_total") != 0 || rules->count >= RULES_LIMIT)
        return;
    g_string_append(rules->out, rules->count++ > 0 ? ",{" : "{");
    json_member_text(rules->out, "labels", name->labels);
    json_member_integer(rules->out, "count", value);
    g_string_append_c(rules->out, '}');
}

static void
append_rules(GString *out)
{
    Rules rules = {.out = out};
    json_member(out, "rules");
    g_string_append_c(out, '[');
    metrics_each_named(append_rule, &rules);
    g_string_append_c(out, ']');
}

static void
append_timing(GString *out, const TimingSum *sum)
{
    g_string_append_c(out, '{');
    json_member_text(out, "kind",
                     sum->kind == TIMING_CHECK ? "check" : "end-of-data");
    json_member_text(out, "name", sum->name);
    json_member(out, "counts");
    for (unsigned i = 0; i < TIMING_BUCKETS; i++) {
        g_string_append_c(out, i == 0 ? '[' : ',');
        text_append_integer(out, sum->counts[i]);
    }
    g_string_append(out, "]}");
}

static void
append_timings(GString *out)
{
    g_autoptr(GArray) sums = timings_sum();
    json_member(out, "timings");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < sums->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_timing(out, &g_array_index(sums, TimingSum, i));
    }
    g_string_append_c(out, ']');
}

char *
rates_format(const StatusSource *source)
{
    GString *out = g_string_new("{");
    json_member_text(out, "version", FILTERD_VERSION);
    json_member_integer(
        out, "generation",
        source->current != NULL ? generation_number(source->current) : 0);
    json_member_integer(out, "sessions", status_all_sessions(source));
    json_member_integer(out, "ms", clock_real() - source->started);
    status_counts(out);
    append_rules(out);
    append_timings(out);
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}
