/* replay.c: filterctl replay: judges recorded mail by another policy, and shows
 * what would have been decided differently.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/replay.h"

#include "filterd/tool/tool.h"

#include <stdio.h>
#include <string.h>

/* Of each change, unless --examples says otherwise. */
#define EXAMPLES 3
#define EXAMPLES_LIMIT 1000

typedef struct Request {
    char *policy, *since, *until, *rule;
    int examples;
    gboolean json;
    int64_t begin, end; /* milliseconds since 1970 */
} Request;

typedef struct Replay {
    const Request *request;
    ReplayJudge *judge;
    ReplayResult result;
    DecisionLog log;
    GString *group; /* of the first recipient of the decision at hand */
} Replay;

/* ---- the request -------------------------------------------------------- */

static gboolean
wrong(const char *what, const char *why)
{
    fprintf(stderr, "filterctl replay: %s: %s\n", what, why);
    return FALSE;
}

/* A time of RFC 3339, or a day, which is its first moment (UTC). */
static gboolean
read_time(const char *option, const char *text, int64_t *time)
{
    if (text == NULL)
        return TRUE;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *whole = strchr(text, 'T') == NULL
                                 ? g_strconcat(text, "T00:00:00Z", NULL)
                                 : g_strdup(text);
    g_autoptr(GDateTime) read = g_date_time_new_from_iso8601(whole, utc);
    if (read == NULL)
        return wrong(option, "such as 2026-11-22 or 2026-11-22T09:30:00Z");
    *time = g_date_time_to_unix(read) * 1000
            + g_date_time_get_microsecond(read) / 1000;
    return TRUE;
}

static gboolean
read_options(Request *request, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"policy", 0, 0, G_OPTION_ARG_FILENAME, &request->policy,
         "The policy to judge by", "FILE"},
        {"since", 0, 0, G_OPTION_ARG_STRING, &request->since,
         "Only what was decided at that time or later", "TIME"},
        {"until", 0, 0, G_OPTION_ARG_STRING, &request->until,
         "Only what was decided before that time", "TIME"},
        {"rule", 0, 0, G_OPTION_ARG_STRING, &request->rule,
         "Only what that rule decided, or would decide", "NAME"},
        {"examples", 0, 0, G_OPTION_ARG_INT, &request->examples,
         "How many of each change are shown", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &request->json,
         "One JSON object instead of text", NULL},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("LOG …");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error))
        return wrong("arguments", error->message);
    if (request->policy == NULL || *argc < 2)
        return wrong("arguments", "--policy FILE and decision logs");
    if (request->examples < 0 || request->examples > EXAMPLES_LIMIT)
        return wrong("--examples", "from 0 to 1000");
    return read_time("--since", request->since, &request->begin)
           && read_time("--until", request->until, &request->end);
}

static void
request_clear(Request *request)
{
    g_free(request->policy);
    g_free(request->since);
    g_free(request->until);
    g_free(request->rule);
}

/* ---- what it was -------------------------------------------------------- */

/* Whoever decided stood behind the policy: a limit, or the backend. What is
 * told of a recipient before its message comes is no more final. */
static gboolean
is_of_others(const JsonValue *decision)
{
    const char *rule = json_text(decision, "rule");

    return (rule != NULL && *rule == '-')
           || strcmp(json_text(decision, "event"), "passed") == 0;
}

static ReplayVerdict
old_verdict(const JsonValue *decision)
{
    return (ReplayVerdict){
        (PolicyVerdict)decision_word(policy_verdict_words,
                                     json_text(decision, "verdict"),
                                     POLICY_ACCEPT),
        json_text(decision, "rule"),
        (FilterdStage)decision_word(
            policy_stage_words, json_text(decision, "stage"), FILTERD_MESSAGE),
    };
}

/* ---- what it would be --------------------------------------------------- */

static gboolean
goes_on(const ReplayVerdict *verdict)
{
    return verdict->verdict == POLICY_ACCEPT || verdict->verdict == POLICY_PASS
           || verdict->verdict == POLICY_QUARANTINE;
}

static gboolean
is_same(const ReplayVerdict *old, const ReplayVerdict *new, gboolean others)
{
    if (others && goes_on(new))
        return TRUE;
    return old->verdict == new->verdict &&g_strcmp0(old->rule, new->rule) == 0;
}

static gboolean
is_wanted(const Replay *replay, const ReplayVerdict *old,
          const ReplayVerdict *new)
{
    const char *name = replay->request->rule;

    return name == NULL || g_strcmp0(old->rule, name) == 0
           || (new != NULL &&g_strcmp0(new->rule, name) == 0);
}

static ReplayExample *
example_new(Replay *replay, const JsonValue *decision,
            const JsonValue *recipient)
{
    ReplayExample *example = g_new0(ReplayExample, 1);

    example->session = g_strdup(json_text(decision, "session"));
    example->time = g_strdup(json_text(decision, "time"));
    example->client = g_strdup(json_text(decision, "client"));
    example->from = g_strdup(json_text(decision, "from"));
    example->to = g_strdup(json_text(recipient, "to"));
    example->reply = replay_judge_reply(replay->judge);
    return example;
}

/* Where one reply is for all, whoever is of another group than the first is
 * sent away at rcpt. */
static void
split(Replay *replay, const JsonValue *decision, ReplayVerdict *verdict)
{
    const char *group = replay_judge_group(replay->judge);

    if (group == NULL || json_boolean(decision, "each")
        || verdict->stage < FILTERD_RCPT)
        return;
    if (replay->group->len == 0)
        g_string_assign(replay->group, group);
    else if (strcmp(replay->group->str, group) != 0)
        *verdict = (ReplayVerdict){POLICY_TEMPFAIL, "-group", FILTERD_RCPT};
}

static void
judge(Replay *replay, const JsonValue *decision, const JsonValue *recipient)
{
    ReplayVerdict new, old = old_verdict(decision);
    gboolean others = is_of_others(decision);
    FilterdStage last = (FilterdStage)decision_word(
        policy_stage_words, json_text(decision, "reached"), FILTERD_MESSAGE);

    if (!replay_judge_run(replay->judge, decision, recipient,
                          others ? last : FILTERD_MESSAGE, &new)) {
        if (is_wanted(replay, &old, NULL)) {
            replay->result.decisions++;
            replay_result_unsaid(&replay->result,
                                 replay_judge_missing(replay->judge));
        }
        return;
    }
    if (recipient != NULL)
        split(replay, decision, &new);
    if (!is_wanted(replay, &old, &new))
        return;
    replay->result.decisions++;
    if (is_same(&old, &new, others)) {
        replay->result.same++;
        return;
    }
    gboolean wants = replay_result_wants(&replay->result, &old, &new);
    replay_result_change(&replay->result, &old, &new,
                         wants ? example_new(replay, decision, recipient)
                               : NULL);
}

static gboolean
is_in_time(const Request *request, const JsonValue *decision)
{
    int64_t time = decision_time(json_text(decision, "time"));

    return time >= request->begin && time < request->end;
}

static gboolean
take_line(const DecisionLine *line, void *data)
{
    Replay *replay = data;
    const JsonValue *decision = line->json;
    const JsonValue *recipients = json_find(decision, "recipients", JSON_ARRAY);

    if (!is_in_time(replay->request, decision))
        return TRUE;
    if (json_text(decision, "mode") != NULL) {
        replay->result.would++;
        return TRUE;
    }
    g_string_truncate(replay->group, 0);
    replay->result.left_out += (guint64)MAX(json_integer(decision, "more"), 0);
    if (recipients->first == NULL)
        judge(replay, decision, NULL);
    for (const JsonValue *one = recipients->first; one; one = one->next)
        judge(replay, decision, one);
    return TRUE;
}

/* ---- the command -------------------------------------------------------- */

static gboolean
read_all(Replay *replay, char **paths)
{
    for (unsigned i = 0; paths[i] != NULL; i++) {
        g_autoptr(GError) error = NULL;

        if (!decision_log_read(&replay->log, paths[i], take_line, replay,
                               &error)) {
            fprintf(stderr, "filterctl replay: %s\n", error->message);
            return FALSE;
        }
    }
    return TRUE;
}

static void
tell_speed(const Replay *replay, int64_t began)
{
    double seconds = (double)(g_get_monotonic_time() - began) / 1e6;

    fprintf(stderr, "%" G_GUINT64_FORMAT " lines in %.1f s, %.0f a second\n",
            replay->log.lines, seconds,
            (double)replay->log.lines / MAX(seconds, 1e-6));
}

static void
show(const Replay *replay)
{
    g_autoptr(GString) out = g_string_new(NULL);

    if (replay->request->json)
        replay_result_json(out, &replay->result, &replay->log);
    else
        replay_result_text(out, &replay->result, &replay->log);
    fputs(out->str, stdout);
}

/* Nothing to judge: no answer, rather than the one that nothing changes. */
static gboolean
has_only_broken(const DecisionLog *log)
{
    if (log->lines == 0 || log->broken < log->lines)
        return FALSE;
    fprintf(stderr,
            "filterctl replay: there is no decision in these logs, only "
            "broken lines; the first: %s\n",
            log->first_broken);
    return TRUE;
}

static int
run(const Request *request, char **paths)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config =
        tool_compile(bundle, request->policy, FALSE);

    if (config == NULL)
        return TOOL_UNUSABLE;
    int64_t began = g_get_monotonic_time();
    Replay replay = {.request = request,
                     .judge = replay_judge_new(config),
                     .group = g_string_new(NULL)};
    decision_log_init(&replay.log);
    replay_result_init(&replay.result, (unsigned)request->examples);
    gboolean ok = read_all(&replay, paths);
    gboolean broken = ok && has_only_broken(&replay.log);
    gboolean same = replay.result.changed == 0 && replay.result.unsaid == 0;
    if (ok) {
        show(&replay);
        tell_speed(&replay, began);
    }
    replay_result_clear(&replay.result);
    decision_log_clear(&replay.log);
    replay_judge_free(replay.judge);
    g_string_free(replay.group, TRUE);
    if (!ok || broken)
        return TOOL_UNUSABLE;
    return same ? TOOL_OK : TOOL_WRONG;
}

int
tool_replay(int argc, char **argv)
{
    Request request = {.examples = EXAMPLES, .end = G_MAXINT64};
    int status = read_options(&request, &argc, &argv) ? run(&request, argv + 1)
                                                      : TOOL_UNUSABLE;

    request_clear(&request);
    return status;
}
