/* replay-result.c: what would have been decided differently, counted, for
 * people and as JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/replay.h"
#include "filterd/tool/view.h"

#include <string.h>

/* ---- life --------------------------------------------------------------- */

static void
example_free(void *data)
{
    ReplayExample *example = data;

    if (example == NULL)
        return;
    g_free(example->session);
    g_free(example->time);
    g_free(example->client);
    g_free(example->from);
    g_free(example->to);
    g_free(example->reply);
    g_free(example);
}

static void
change_free(void *data)
{
    ReplayChange *change = data;

    g_free(change->before);
    g_free(change->behind);
    g_free((char *)change->old.rule);
    g_free((char *)change->new.rule);
    g_ptr_array_unref(change->examples);
    g_free(change);
}

void
replay_result_init(ReplayResult *result, unsigned examples)
{
    *result = (ReplayResult){
        .examples = examples,
        .changes =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, change_free),
        .missing =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
}

void
replay_result_clear(ReplayResult *result)
{
    g_hash_table_unref(result->changes);
    g_hash_table_unref(result->missing);
}

/* ---- counting ----------------------------------------------------------- */

/* "reject spf-fail at rcpt"; "accept", by no rule. */
static char *
describe(const ReplayVerdict *verdict)
{
    const char *word = policy_verdict_words[verdict->verdict];

    if (verdict->rule == NULL)
        return g_strdup(word);
    return g_strdup_printf("%s %s at %s", word, verdict->rule,
                           policy_stage_words[verdict->stage]);
}

static char *
change_key(const ReplayVerdict *old, const ReplayVerdict *new)
{
    g_autofree char *before = describe(old), *behind = describe(new);

    return g_strconcat(before, "\n", behind, NULL);
}

gboolean
replay_result_wants(const ReplayResult *result, const ReplayVerdict *old,
                    const ReplayVerdict *new)
{
    g_autofree char *key = change_key(old, new);
    const ReplayChange *change = g_hash_table_lookup(result->changes, key);

    return result->examples > (change != NULL ? change->examples->len : 0);
}

static ReplayChange *
change_new(const ReplayVerdict *old, const ReplayVerdict *new)
{
    ReplayChange *change = g_new0(ReplayChange, 1);

    change->before = describe(old);
    change->behind = describe(new);
    change->old = *old;
    change->new = *new;
    change->old.rule = g_strdup(old->rule);
    change->new.rule = g_strdup(new->rule);
    change->examples = g_ptr_array_new_with_free_func(example_free);
    return change;
}

void
replay_result_change(ReplayResult *result, const ReplayVerdict *old,
                     const ReplayVerdict *new, ReplayExample *example)
{
    g_autofree char *key = change_key(old, new);
    ReplayChange *change = g_hash_table_lookup(result->changes, key);

    result->changed++;
    if (change == NULL
        && g_hash_table_size(result->changes) == REPLAY_CHANGES_LIMIT) {
        result->more++;
        example_free(example);
        return;
    }
    if (change == NULL) {
        change = change_new(old, new);
        g_hash_table_insert(result->changes, g_steal_pointer(&key), change);
    }
    change->count++;
    if (example != NULL && change->examples->len < result->examples)
        g_ptr_array_add(change->examples, example);
    else
        example_free(example);
}

void
replay_result_unsaid(ReplayResult *result, const GPtrArray *missing)
{
    result->unsaid++;
    for (guint i = 0; i < missing->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(missing, i);
        guint64 *count = g_hash_table_lookup(result->missing, fact->name);

        if (count == NULL) {
            count = g_new0(guint64, 1);
            g_hash_table_insert(result->missing, g_strdup(fact->name), count);
        }
        ++*count;
    }
}

/* ---- in order ----------------------------------------------------------- */

static int
by_count(const void *a, const void *b)
{
    const ReplayChange *one = *(ReplayChange *const *)a;
    const ReplayChange *other = *(ReplayChange *const *)b;

    if (one->count != other->count)
        return one->count < other->count ? 1 : -1;
    int order = strcmp(one->before, other->before);
    return order != 0 ? order : strcmp(one->behind, other->behind);
}

static GPtrArray *
sorted_changes(const ReplayResult *result)
{
    GPtrArray *all = g_ptr_array_new();
    GHashTableIter iter;
    void *change;

    g_hash_table_iter_init(&iter, result->changes);
    while (g_hash_table_iter_next(&iter, NULL, &change))
        g_ptr_array_add(all, change);
    g_ptr_array_sort(all, by_count);
    return all;
}

static GList *
sorted_missing(const ReplayResult *result)
{
    return g_list_sort(g_hash_table_get_keys(result->missing),
                       (GCompareFunc)strcmp);
}

/* ---- for people --------------------------------------------------------- */

static void
show_example(GString *out, const ReplayExample *example)
{
    View view = {out, FALSE};
    g_autoptr(GString) line = g_string_new(example->time);

    g_string_append_printf(line, " %s %s", example->session, example->client);
    if (example->from != NULL)
        g_string_append_printf(line, " <%s>", example->from);
    if (example->to != NULL)
        g_string_append_printf(line, " -> <%s>", example->to);
    view_lines(&view, 10, line->str);
    if (example->reply != NULL)
        view_lines(&view, 12, example->reply);
}

static void
show_change(GString *out, const ReplayChange *change)
{
    View view = {out, FALSE};
    g_autofree char *line =
        g_strdup_printf("%7" G_GUINT64_FORMAT " %s -> %s", change->count,
                        change->before, change->behind);

    view_lines(&view, 0, line);
    for (guint i = 0; i < change->examples->len; i++)
        show_example(out, g_ptr_array_index(change->examples, i));
}

static void
show_count(GString *out, guint64 count, const char *what)
{
    if (count > 0)
        g_string_append_printf(out, "%7" G_GUINT64_FORMAT " %s\n", count, what);
}

static void
show_log(GString *out, const DecisionLog *log)
{
    if (log->first != NULL)
        g_string_append_printf(out, "from %s to %s\n", log->first, log->last);
    if (log->broken > 0)
        g_string_append_printf(
            out, "%7" G_GUINT64_FORMAT " broken lines, the first: %s\n",
            log->broken, log->first_broken);
}

static void
show_missing(GString *out, const ReplayResult *result)
{
    GList *names = sorted_missing(result);

    if (names != NULL)
        g_string_append(out, "What cannot be said, by what was not recorded\n");
    for (const GList *one = names; one != NULL; one = one->next) {
        const guint64 *count = g_hash_table_lookup(result->missing, one->data);
        show_count(out, *count, one->data);
    }
    g_list_free(names);
}

void
replay_result_text(GString *out, const ReplayResult *result,
                   const DecisionLog *log)
{
    g_autoptr(GPtrArray) changes = sorted_changes(result);

    show_log(out, log);
    g_string_append_printf(out, "%7" G_GUINT64_FORMAT " decisions\n",
                           result->decisions);
    show_count(out, result->same, "as before");
    show_count(out, result->changed, "would change");
    show_count(out, result->unsaid, "cannot be said");
    show_count(out, result->left_out, "recipients that lines had no room for");
    show_count(out, result->would, "lines of rules that were only watched");
    if (changes->len > 0)
        g_string_append(out, "What would change\n");
    for (guint i = 0; i < changes->len; i++)
        show_change(out, g_ptr_array_index(changes, i));
    show_count(out, result->more, "others");
    show_missing(out, result);
}

/* ---- JSON --------------------------------------------------------------- */

static void
append_number(GString *out, const char *name, guint64 number)
{
    g_string_append_printf(out, "\"%s\":%" G_GUINT64_FORMAT ",", name, number);
}

static void
append_text(GString *out, const char *name, const char *text, char end)
{
    view_json_text(out, name, text);
    g_string_append_c(out, end);
}

static void
append_verdict(GString *out, const char *name, const ReplayVerdict *verdict)
{
    g_string_append_printf(out, "\"%s\":{", name);
    append_text(out, "verdict", policy_verdict_words[verdict->verdict], ',');
    append_text(out, "rule", verdict->rule, ',');
    append_text(out, "stage", policy_stage_words[verdict->stage], '}');
    g_string_append_c(out, ',');
}

static void
append_example(GString *out, const void *element)
{
    const ReplayExample *example = element;

    g_string_append_c(out, '{');
    append_text(out, "session", example->session, ',');
    append_text(out, "time", example->time, ',');
    append_text(out, "client", example->client, ',');
    append_text(out, "from", example->from, ',');
    append_text(out, "to", example->to, ',');
    append_text(out, "reply", example->reply, '}');
}

static void
append_change(GString *out, const void *element)
{
    const ReplayChange *change = element;

    g_string_append_c(out, '{');
    append_verdict(out, "old", &change->old);
    append_verdict(out, "new", &change->new);
    append_number(out, "count", change->count);
    g_string_append(out, "\"examples\":[");
    view_json_each(out, change->examples, append_example);
    g_string_append(out, "]}");
}

static void
append_missing(GString *out, const ReplayResult *result)
{
    GList *names = sorted_missing(result);

    g_string_append(out, "\"missing\":{");
    for (const GList *one = names; one != NULL; one = one->next) {
        const guint64 *count = g_hash_table_lookup(result->missing, one->data);
        g_string_append_printf(out, "%s\"%s\":%" G_GUINT64_FORMAT,
                               one == names ? "" : ",", (const char *)one->data,
                               *count);
    }
    g_string_append_c(out, '}');
    g_list_free(names);
}

void
replay_result_json(GString *out, const ReplayResult *result,
                   const DecisionLog *log)
{
    g_autoptr(GPtrArray) changes = sorted_changes(result);

    g_string_append_c(out, '{');
    append_text(out, "from", log->first, ',');
    append_text(out, "to", log->last, ',');
    append_number(out, "lines", log->lines);
    append_number(out, "broken", log->broken);
    append_text(out, "first-broken", log->first_broken, ',');
    append_number(out, "decisions", result->decisions);
    append_number(out, "same", result->same);
    append_number(out, "changed", result->changed);
    append_number(out, "unsaid", result->unsaid);
    append_number(out, "left-out", result->left_out);
    append_number(out, "would", result->would);
    append_number(out, "others", result->more);
    g_string_append(out, "\"changes\":[");
    view_json_each(out, changes, append_change);
    g_string_append(out, "],");
    append_missing(out, result);
    g_string_append(out, "}\n");
}
