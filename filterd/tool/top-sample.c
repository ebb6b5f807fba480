/* top-sample.c: what filterctl top keeps of an answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/top.h"

#include <string.h>

/* Whatever is said, sums of it are right. */
#define AMOUNT_LIMIT (INT64_C(1) << 45)

static int64_t
amount(const JsonValue *value)
{
    return value != NULL && value->type == JSON_NUMBER
               ? CLAMP(value->integer, 0, AMOUNT_LIMIT)
               : 0;
}

static int64_t
amount_of(const JsonValue *object, const char *name)
{
    return amount(json_find(object, name, JSON_NUMBER));
}

static void
count_free(void *data)
{
    TopCount *count = data;
    g_free(count->name);
    g_free(count);
}

static void
timing_free(void *data)
{
    TopTiming *timing = data;
    g_free(timing->name);
    g_free(timing);
}

static void
add_count(GPtrArray *counts, char *name, int64_t value)
{
    TopCount *count = g_new(TopCount, 1);
    *count = (TopCount){name, value};
    g_ptr_array_add(counts, count);
}

/* ---- rules -------------------------------------------------------------- */

/* Of stage="rcpt",rule="listed": the text behind `name`; "" if there is none.
 */
static char *
find_label(const char *labels, const char *name)
{
    g_autofree char *begin = g_strdup_printf("%s=\"", name);
    const char *at = strstr(labels, begin);
    GString *out = g_string_new(NULL);
    if (at == NULL)
        return g_string_free(out, FALSE);
    for (at += strlen(begin); *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        g_string_append_c(out, *at);
    }
    return g_string_free(out, FALSE);
}

static void
add_rule(GPtrArray *rules, const JsonValue *element)
{
    const char *labels = json_text(element, "labels");
    if (labels == NULL)
        return;
    g_autofree char *stage = find_label(labels, "stage");
    g_autofree char *rule = find_label(labels, "rule");
    g_autofree char *verdict = find_label(labels, "verdict");
    g_autofree char *mode = find_label(labels, "mode");
    gboolean plain = strcmp(mode, "applied") == 0;
    add_count(rules,
              g_strdup_printf("%-8s %s %s%s%s%s", stage, verdict, rule,
                              plain ? "" : " (", plain ? "" : mode,
                              plain ? "" : ")"),
              amount_of(element, "count"));
}

/* ---- times -------------------------------------------------------------- */

static void
add_timing(GPtrArray *timings, const JsonValue *element)
{
    const JsonValue *counts = json_find(element, "counts", JSON_ARRAY);
    const char *name = json_text(element, "name");
    const JsonValue *one = counts != NULL ? counts->first : NULL;
    if (name == NULL)
        return;
    TopTiming *timing = g_new0(TopTiming, 1);
    timing->name = g_strdup(*name != '\0' ? name : "end of data");
    for (unsigned i = 0; one != NULL && i < TIMING_BUCKETS; i++) {
        timing->counts[i] = amount(one);
        one = one->next;
    }
    g_ptr_array_add(timings, timing);
}

/* ---- all of it ---------------------------------------------------------- */

static void
add_each(GPtrArray *rows, const JsonValue *line, const char *name,
         void (*add)(GPtrArray *rows, const JsonValue *element))
{
    const JsonValue *array = json_find(line, name, JSON_ARRAY);
    const JsonValue *one = array != NULL ? array->first : NULL;
    for (; one != NULL && rows->len < TOP_ROWS; one = one->next)
        add(rows, one);
}

TopSample *
top_sample_new(const JsonValue *line)
{
    TopSample *sample = g_new0(TopSample, 1);
    const JsonValue *counts = json_find(line, "counts", JSON_OBJECT);
    const JsonValue *one = counts != NULL ? counts->first : NULL;
    sample->version = g_strdup(json_text(line, "version"));
    sample->generation = amount_of(line, "generation");
    sample->sessions = amount_of(line, "sessions");
    sample->ms = amount_of(line, "ms");
    sample->counts = g_ptr_array_new_with_free_func(count_free);
    sample->rules = g_ptr_array_new_with_free_func(count_free);
    sample->timings = g_ptr_array_new_with_free_func(timing_free);
    for (; one != NULL && sample->counts->len < TOP_ROWS; one = one->next)
        add_count(sample->counts, g_strdup(one->name), amount(one));
    add_each(sample->rules, line, "rules", add_rule);
    add_each(sample->timings, line, "timings", add_timing);
    return sample;
}

void
top_sample_free(TopSample *sample)
{
    g_free(sample->version);
    g_ptr_array_unref(sample->counts);
    g_ptr_array_unref(sample->rules);
    g_ptr_array_unref(sample->timings);
    g_free(sample);
}
