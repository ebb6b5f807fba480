/* rules.c: how often each rule of the policy has fired.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/session/rules.h"

#include "filterd/base/log.h"
#include "filterd/base/metrics.h"

struct RuleCounts {
    int64_t **counters; /* of each rule POLICY_MODES; NULL: none */
};

/* What may become of it. */
static gboolean
can_be(const PolicyRule *rule, PolicyMode mode)
{
    switch (mode) {
    case POLICY_APPLIED:
        return !rule->would;
    case POLICY_WOULD:
        return rule->would;
    case POLICY_CANARY_OUT:
        return rule->canary > 0;
    default:
        return rule->limited;
    }
}

static int64_t *
find_counter(const PolicyRule *rule, PolicyMode mode)
{
    g_autoptr(GString) labels = g_string_new(NULL);

    metrics_append_label(labels, "stage", policy_stage_words[rule->stage]);
    metrics_append_label(labels, "rule", rule->name);
    metrics_append_label(labels, "verdict", policy_verdict_words[rule->kind]);
    metrics_append_label(labels, "mode", policy_mode_words[mode]);
    return metrics_find_counter(&(MetricName){
        "rule_total", labels->str,
        "Rules of the policy that fired, or had expired.", FALSE});
}

RuleCounts *
rules_counts_new(const PolicyConfig *config)
{
    const GPtrArray *rules = policy_rules(config);
    RuleCounts *counts = g_new0(RuleCounts, 1);
    unsigned missing = 0;

    counts->counters = g_new0(int64_t *, rules->len * POLICY_MODES);
    for (unsigned i = 0; i < rules->len; i++)
        for (int mode = 0; mode < POLICY_MODES; mode++) {
            const PolicyRule *rule = g_ptr_array_index(rules, i);
            int64_t **counter =
                &counts->counters[rule->index * POLICY_MODES + (unsigned)mode];

            if (!can_be(rule, (PolicyMode)mode))
                continue;
            *counter = find_counter(rule, (PolicyMode)mode);
            missing += *counter == NULL;
        }
    if (missing > 0)
        log_event(FILTERD_LOG_WARNING, "metrics",
                  "%u counters of rules are missing: there is room for %d",
                  missing, METRIC_COUNTER_LIMIT);
    return counts;
}

void
rules_counts_free(RuleCounts *counts)
{
    g_free(counts->counters);
    g_free(counts);
}

void
rules_count(const RuleCounts *counts, const PolicyRule *rule, PolicyMode mode)
{
    if (counts != NULL)
        metrics_count(counts->counters[rule->index * POLICY_MODES + mode]);
}
