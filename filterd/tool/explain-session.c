/* explain-session.c: filterctl explain --session: why a mail got its verdict,
 * from the decision log.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"
#include "filterd/session/engine.h"
#include "filterd/tool/decision.h"
#include "filterd/tool/explain.h"
#include "filterd/tool/tool.h"
#include "filterd/tool/view.h"

#include <stdio.h>
#include <string.h>

/* Octets of one value, for people. */
#define VALUE_LIMIT 300

typedef struct Search {
    const ExplainSession *request;
    const char *id;
    const PolicyConfig *config; /* NULL: only the log is there */
    DecisionFacts *facts;       /* NULL likewise */
    FilterdStage stage;         /* of the rule that is explained */
    DecisionLog log;
    View view;
    unsigned found;
} Search;

/* ---- words -------------------------------------------------------------- */

static void
heading(Search *search, const char *text)
{
    view_paint(&search->view, VIEW_HEADING, 0, text);
    g_string_append_c(search->view.out, '\n');
}

static void
append_plain(GString *out, const JsonValue *value)
{
    if (value->type == JSON_TEXT && *value->text == '\0')
        g_string_append(out, "\"\"");
    else if (value->type == JSON_TEXT)
        text_append_clean(out, value->text, VALUE_LIMIT);
    else if (value->type == JSON_NUMBER)
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
    else if (value->type == JSON_BOOL)
        g_string_append(out, value->boolean ? "yes" : "no");
    else
        g_string_append(out, "unknown");
}

static void
append_value(GString *out, const JsonValue *value)
{
    if (value->type != JSON_ARRAY) {
        append_plain(out, value);
        return;
    }
    if (value->first == NULL)
        g_string_append(out, "an empty list");
    for (const JsonValue *one = value->first; one != NULL; one = one->next) {
        append_plain(out, one);
        g_string_append(out, one->next != NULL ? ", " : "");
    }
}

/* ---- rules -------------------------------------------------------------- */

static const FilterdValue *
ask(void *data, const PolicyFact *fact, G_GNUC_UNUSED gboolean shadow)
{
    const Search *search = data;

    return decision_facts_get(search->facts, fact, search->stage);
}

/* The rule as the configuration has it now; NULL: it has none such. */
static const PolicyRule *
find_rule(const PolicyConfig *config, const JsonValue *looked)
{
    const GPtrArray *rules = policy_rules(config);
    int stage =
        decision_word(policy_stage_words, json_text(looked, "stage"), -1);
    int verdict =
        decision_word(policy_verdict_words, json_text(looked, "verdict"), -1);

    for (guint i = 0; i < rules->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(rules, i);

        if ((int)rule->stage == stage && (int)rule->kind == verdict
            && g_strcmp0(rule->name, json_text(looked, "rule")) == 0)
            return rule;
    }
    return NULL;
}

/* NULL: the configuration does not say why. */
static PolicyJudgement *
judgement_new(Search *search, const JsonValue *looked, gboolean *changed)
{
    const PolicyRule *rule =
        search->config != NULL ? find_rule(search->config, looked) : NULL;
    const PolicyClient client = {
        .data = search, .fact = ask, .absent = &decision_absent};
    PolicyTruth truth = (PolicyTruth)decision_word(
        policy_truth_words, json_text(looked, "truth"), POLICY_UNKNOWN);
    PolicyMode mode = (PolicyMode)decision_word(
        policy_mode_words, json_text(looked, "mode"), POLICY_APPLIED);

    if (rule == NULL)
        return NULL;
    search->stage = rule->stage;
    *changed =
        mode != POLICY_EXPIRED && policy_rule_truth(rule, &client) != truth;
    return policy_explain(rule, truth, mode, &client);
}

static void
show_rule_alone(Search *search, const JsonValue *looked)
{
    static const ViewStyle styles[] = {
        [POLICY_NO] = VIEW_FAINT,
        [POLICY_YES] = VIEW_GOOD,
        [POLICY_UNKNOWN] = VIEW_DOUBTFUL,
    };
    const char *truth = json_text(looked, "truth");
    int index = decision_word(policy_truth_words, truth, POLICY_UNKNOWN);

    g_string_append(search->view.out, "    ");
    view_paint(&search->view, styles[index], 9, policy_truth_words[index]);
    g_string_append(search->view.out,
                    json_boolean(looked, "would") ? "would " : "");
    append_plain(search->view.out, json_find(looked, "verdict", JSON_TEXT));
    g_string_append_c(search->view.out, ' ');
    append_plain(search->view.out, json_find(looked, "rule", JSON_TEXT));
    g_string_append_c(search->view.out, '\n');
    if (search->config != NULL)
        view_lines(&search->view, 15,
                   "the configuration has no such rule any more");
}

static void
show_rule(Search *search, const JsonValue *looked)
{
    gboolean changed = FALSE;
    PolicyJudgement *judgement = judgement_new(search, looked, &changed);

    if (judgement == NULL) {
        show_rule_alone(search, looked);
        return;
    }
    view_judgement(&search->view, judgement);
    if (changed)
        view_lines(&search->view, 15,
                   "the rule was another one then: now it would not be so");
    policy_judgement_free(judgement);
}

/* FALSE: it lacks what each of them has. */
static gboolean
is_rule(const JsonValue *looked)
{
    return json_text(looked, "stage") != NULL
           && json_text(looked, "verdict") != NULL
           && json_text(looked, "rule") != NULL;
}

static void
show_rules(Search *search, const JsonValue *holder)
{
    const JsonValue *rules = json_find(holder, "rules", JSON_ARRAY);
    const char *stage = NULL;

    for (const JsonValue *one = rules != NULL ? rules->first : NULL;
         one != NULL; one = one->next) {
        if (!is_rule(one))
            continue;
        if (g_strcmp0(stage, json_text(one, "stage")) != 0) {
            stage = json_text(one, "stage");
            g_autofree char *line = g_strconcat("at ", stage, NULL);
            view_lines(&search->view, 2, line);
        }
        show_rule(search, one);
    }
}

/* ---- evidence ----------------------------------------------------------- */

/* Durations are milliseconds in the log, which only the configuration knows. */
static void
append_fact(const Search *search, GString *line, const JsonValue *json)
{
    const PolicyFact *fact = search->config != NULL
                                 ? policy_fact_find(search->config, json->name)
                                 : NULL;

    if (fact != NULL && fact->row->type == FILTERD_DURATION
        && json->type == JSON_NUMBER) {
        g_autofree char *text = text_format_duration(json->integer);
        g_string_append(line, text);
        return;
    }
    append_value(line, json);
}

static void
show_facts(Search *search, const JsonValue *decision, const JsonValue *holder)
{
    const JsonValue *facts = json_find(holder, "facts", JSON_OBJECT);
    const JsonValue *reasons = json_find(decision, "unknown", JSON_OBJECT);

    for (const JsonValue *one = facts != NULL ? facts->first : NULL;
         one != NULL; one = one->next) {
        g_autoptr(GString) line = g_string_new(one->name);
        const char *reason = json_text(reasons, one->name);

        g_string_append(line, " = ");
        append_fact(search, line, one);
        if (reason != NULL)
            g_string_append_printf(line, " (%s)", reason);
        view_lines(&search->view, 2, line->str);
    }
}

/* For each element of a list a line. */
static void
show_each(Search *search, const JsonValue *decision, const char *name,
          void (*append)(GString *line, const JsonValue *element))
{
    const JsonValue *list = json_find(decision, name, JSON_ARRAY);

    for (const JsonValue *one = list != NULL ? list->first : NULL; one != NULL;
         one = one->next) {
        g_autoptr(GString) line = g_string_new(NULL);

        if (one == list->first)
            heading(search, strcmp(name, "dns") == 0 ? "DNS" : "Hooks");
        append(line, one);
        view_lines(&search->view, 2, line->str);
    }
}

static void
append_question(GString *line, const JsonValue *question)
{
    const char *name = json_text(question, "name");
    const char *type = json_text(question, "type");
    const char *answer = json_text(question, "answer");

    g_string_append_printf(line, "%s %s: %s, %" G_GINT64_FORMAT " ms%s",
                           name != NULL ? name : "?", type != NULL ? type : "?",
                           answer != NULL ? answer : "?",
                           json_integer(question, "ms"),
                           json_boolean(question, "cached") ? ", cached" : "");
}

static void
append_hook(GString *line, const JsonValue *hook)
{
    const char *plugin = json_text(hook, "plugin");
    const char *stage = json_text(hook, "stage");

    g_string_append_printf(line, "%s at %s: %" G_GINT64_FORMAT " ms",
                           plugin != NULL ? plugin : "?",
                           stage != NULL ? stage : "?",
                           json_integer(hook, "ms"));
}

/* ---- a decision --------------------------------------------------------- */

static void
append_named(GString *line, const JsonValue *decision, const char *name)
{
    const char *text = json_text(decision, name);

    if (text != NULL)
        g_string_append_printf(line, "%s%s=%s", line->len > 0 ? " " : "", name,
                               *text != '\0' ? text : "<>");
}

static void
show_head(Search *search, const JsonValue *decision)
{
    static const char *const names[] = {"session", "wire",  "client",
                                        "name",    "helo",  "auth",
                                        "from",    "queue", "message-id"};
    const char *rule = json_text(decision, "rule");
    const char *stage = json_text(decision, "stage");
    const char *mode = json_text(decision, "mode");
    const char *reply = json_text(decision, "reply");
    g_autoptr(GString) line = g_string_new(json_text(decision, "time"));

    g_string_append_printf(line, " %s", json_text(decision, "event"));
    if (mode != NULL)
        g_string_append_printf(line, " %s", json_text(decision, "verdict"));
    g_string_append_printf(line, " %s", rule != NULL ? rule : "by no rule");
    if (stage != NULL)
        g_string_append_printf(line, " at %s", stage);
    if (search->found > 1)
        g_string_append_c(search->view.out, '\n');
    g_autoptr(GString) clean = g_string_new(NULL);
    text_append_clean(clean, line->str, line->len);
    heading(search, clean->str);
    if (reply != NULL)
        view_lines(&search->view, 2, reply);
    g_string_truncate(line, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        append_named(line, decision, names[i]);
    view_lines(&search->view, 2, line->str);
}

static void
show_recipients(Search *search, const JsonValue *decision)
{
    const JsonValue *list = json_find(decision, "recipients", JSON_ARRAY);

    for (const JsonValue *one = list->first; one != NULL; one = one->next) {
        g_autoptr(GString) line = g_string_new("Recipient ");
        const char *to = json_text(one, "to");

        text_append_clean(line, to != NULL ? to : "?", VALUE_LIMIT);
        heading(search, line->str);
        if (search->facts != NULL)
            decision_facts_set(search->facts, decision, one);
        show_rules(search, one);
        show_facts(search, decision, one);
    }
    if (json_integer(decision, "more") > 0)
        g_string_append_printf(search->view.out,
                               "  and %" G_GINT64_FORMAT " more\n",
                               json_integer(decision, "more"));
}

static void
show_text(Search *search, const JsonValue *decision)
{
    const JsonValue *list = json_find(decision, "recipients", JSON_ARRAY);

    if (search->facts != NULL)
        decision_facts_set(search->facts, decision, list->first);
    show_head(search, decision);
    heading(search, "Rules");
    show_rules(search, decision);
    show_recipients(search, decision);
    heading(search, "Facts");
    show_facts(search, decision, decision);
    show_each(search, decision, "dns", append_question);
    show_each(search, decision, "hooks", append_hook);
    if (json_boolean(decision, "cut"))
        g_string_append(search->view.out,
                        "Something was left out: the line was full.\n");
}

/* The line as it stands, and beside it why, as filterctl try shows it. */
static void
show_json(Search *search, const DecisionLine *line)
{
    const JsonValue *rules = json_find(line->json, "rules", JSON_ARRAY);
    const JsonValue *list = json_find(line->json, "recipients", JSON_ARRAY);
    GString *out = search->view.out;
    const char *comma = "";

    g_string_append(out, search->found > 1 ? "," : "");
    g_string_append_printf(out, "{\"decision\":%s,\"rules\":[", line->text);
    if (search->facts != NULL)
        decision_facts_set(search->facts, line->json, list->first);
    for (const JsonValue *one = rules->first; one != NULL; one = one->next) {
        gboolean changed;
        PolicyJudgement *judgement = judgement_new(search, one, &changed);

        if (judgement == NULL)
            continue;
        g_string_append(out, comma);
        view_json_judgement(out, judgement);
        policy_judgement_free(judgement);
        comma = ",";
    }
    g_string_append(out, "]}");
}

static gboolean
take_line(const DecisionLine *line, void *data)
{
    Search *search = data;

    if (g_strcmp0(json_text(line->json, "session"), search->id) != 0)
        return TRUE;
    search->found++;
    if (search->request->json)
        show_json(search, line);
    else
        show_text(search, line->json);
    return TRUE;
}

/* ---- where it is -------------------------------------------------------- */

static int
unusable(const char *why)
{
    fprintf(stderr, "filterctl explain: %s\n", why);
    return TOOL_UNUSABLE;
}

static int
not_found(const Search *search, const char *path, const GPtrArray *files)
{
    fprintf(stderr,
            "filterctl explain: no decision of session %s in %s and what was "
            "put aside of it: %u file%s, %s%s\n",
            search->id, path, files->len, files->len == 1 ? "" : "s",
            search->log.first != NULL ? "which go back to "
                                      : "without any decision",
            search->log.first != NULL ? search->log.first : "");
    return TOOL_WRONG;
}

static int
search_files(Search *search, const char *path)
{
    g_autoptr(GPtrArray) files = decision_log_files(path);

    for (guint i = 0; i < files->len; i++) {
        g_autoptr(GError) error = NULL;

        if (!decision_log_read(&search->log, g_ptr_array_index(files, i),
                               take_line, search, &error))
            return unusable(error->message);
    }
    if (search->found == 0)
        return not_found(search, path, files);
    if (search->request->json)
        printf("{\"session\":\"%s\",\"decisions\":[%s]}\n", search->id,
               search->view.out->str);
    else
        fputs(search->view.out->str, stdout);
    return TOOL_OK;
}

/* What is kept is called by its session and a number: 52a5bed32a-2-1. */
static void
cut_number(char *id)
{
    char *first = strchr(id, '-'), *last = strrchr(id, '-');

    if (first != last && strchr(first + 1, '-') == last)
        *last = '\0';
}

/* As replies and the log have it, with brackets or without; NULL: no session
 * is called so. Caller frees. */
static char *
read_id(const char *text)
{
    gsize length = strlen(text);
    gboolean bare = length < 3 || text[0] != '[' || text[length - 1] != ']';
    char *id = bare ? g_strdup(text) : g_strndup(text + 1, length - 2);

    cut_number(id);
    if (*id != '\0' && strspn(id, "0123456789abcdef-") == strlen(id))
        return id;
    g_free(id);
    return NULL;
}

static int
search_log(const ExplainSession *request, const PolicyConfig *config,
           const char *path)
{
    g_autofree char *id = read_id(request->id);

    if (id == NULL)
        return unusable("--session is what stands in brackets at the end of a "
                        "reply, such as 52a5bed32a-2");
    Search search = {.request = request, .id = id, .config = config};
    search.view.out = g_string_new(NULL);
    view_colour(NULL, &search.view.colour);
    if (config != NULL)
        search.facts = decision_facts_new(config);
    decision_log_init(&search.log);
    search.log.needle = id;
    int status = search_files(&search, path);
    decision_log_clear(&search.log);
    g_clear_pointer(&search.facts, decision_facts_free);
    g_string_free(search.view.out, TRUE);
    return status;
}

int
explain_session(const ExplainSession *request)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config = NULL;
    g_autofree char *path = g_strdup(request->log);

    if (request->config == NULL && request->log == NULL)
        return unusable("-c FILE or --log FILE, where the decisions are");
    if (request->config != NULL) {
        config = tool_compile(bundle, request->config, FALSE);
        if (config == NULL)
            return TOOL_UNUSABLE;
    }
    if (path == NULL)
        path = engine_decision_log(config);
    if (path == NULL)
        return unusable("the configuration says `set decision-log off`");
    return search_log(request, config, path);
}
