/* view-json.c: rules that were judged, as JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"
#include "filterd/tool/view.h"

void
view_json_text(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, "\"%s\":", name);
    if (text != NULL)
        value_append_json_text(out, text);
    else
        g_string_append(out, "null");
}

void
view_json_each(GString *out, const GPtrArray *array,
               void (*append)(GString *out, const void *element))
{
    for (unsigned i = 0; i < array->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append(out, g_ptr_array_index(array, i));
    }
}

static void
append_seen(GString *out, const void *element)
{
    const PolicySeen *seen = element;

    value_append_json_text(out, seen->fact->name);
    g_string_append_c(out, ':');
    value_append_json(out, &seen->value);
}

static void
append_reason(GString *out, const void *element)
{
    const PolicyReason *reason = element;

    g_string_append_c(out, '{');
    view_json_text(out, "expression", reason->text);
    g_string_append_c(out, ',');
    view_json_text(out, "truth", policy_truth_words[reason->truth]);
    g_string_append_printf(out, ",\"depth\":%u,\"facts\":{", reason->depth);
    view_json_each(out, reason->seen, append_seen);
    g_string_append(out, "}}");
}

/* The share in percent and the last day, or null. */
static void
append_prefixes(GString *out, const PolicyRule *rule)
{
    g_autofree char *day = rule->limited ? policy_rule_day(rule) : NULL;

    if (rule->canary > 0)
        g_string_append_printf(out, "\"canary\":%u.%03u,", rule->canary / 1000,
                               rule->canary % 1000);
    else
        g_string_append(out, "\"canary\":null,");
    view_json_text(out, "until", day);
    g_string_append_c(out, ',');
}

void
view_json_judgement(GString *out, const void *element)
{
    const PolicyJudgement *judgement = element;
    const PolicyRule *rule = judgement->rule;

    g_string_append_c(out, '{');
    view_json_text(out, "stage", policy_stage_words[rule->stage]);
    g_string_append_c(out, ',');
    view_json_text(out, "verdict", policy_verdict_words[rule->kind]);
    g_string_append_c(out, ',');
    view_json_text(out, "rule", rule->name);
    g_string_append_printf(out, ",\"would\":%s,",
                           rule->would ? "true" : "false");
    append_prefixes(out, rule);
    view_json_text(out, "mode", policy_mode_words[judgement->mode]);
    g_string_append_c(out, ',');
    view_json_text(out, "file", rule->place.file);
    g_string_append_printf(out, ",\"line\":%u,", rule->place.line);
    view_json_text(out, "truth", policy_truth_words[judgement->truth]);
    g_string_append(out, ",\"why\":[");
    view_json_each(out, judgement->reasons, append_reason);
    g_string_append(out, "]}");
}
