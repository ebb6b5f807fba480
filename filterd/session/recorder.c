/* recorder.c: the decision log of a worker: what of it stays the same, and
 * where its lines go.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/json.h"
#include "filterd/base/log.h"
#include "filterd/service/journal.h"
#include "filterd/session/state.h"

#include <string.h>

/* A failure is told no more often, milliseconds. */
#define NEWS_PAUSE 60000
#define FILE_NAME "decisions.log"

struct Recorder {
    Journal *journal;
    GPtrArray *rules; /* texts, by the index of the rule */
    GArray *facts;    /* RecorderFact */
    int64_t told;     /* when its failure was last logged */
    gboolean bad;     /* as far as the log knows */
};

char *
engine_decision_log(const PolicyConfig *config)
{
    const char *word = config->settings.decision_log;
    const char *directory = config->settings.state_directory;
    if (strcmp(word, "off") == 0)
        return NULL;
    if (strcmp(word, "on") == 0)
        word = FILE_NAME;
    if (g_path_is_absolute(word) || directory == NULL)
        return g_strdup(word);
    return g_build_filename(directory, word, NULL);
}

/* As filterctl try shows it, without why. */
static char *
rule_head(const PolicyRule *rule)
{
    GString *out = g_string_new("{\"stage\":\"");
    g_string_append(out, policy_stage_words[rule->stage]);
    g_string_append(out, "\",\"verdict\":\"");
    g_string_append(out, policy_verdict_words[rule->kind]);
    g_string_append(out, "\",\"rule\":");
    json_append(out, rule->name, strlen(rule->name));
    g_string_append_printf(out, ",\"would\":%s,\"mode\":\"",
                           rule->would ? "true" : "false");
    return g_string_free(out, FALSE);
}

static void
clear_fact(void *data)
{
    RecorderFact *fact = data;
    g_free(fact->head);
}

static GArray *
list_facts(const PolicyConfig *config, const Host *host)
{
    const PolicyFact *count = policy_fact_find(config, "rcpt.count");
    GArray *facts = g_array_new(FALSE, FALSE, sizeof(RecorderFact));
    g_array_set_clear_func(facts, clear_fact);
    for (unsigned i = 0; i < config->facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(config->facts, i);
        const RecorderFact row = {
            .source = host_fact(host, fact),
            .counts = fact == count,
            .head = g_strdup_printf("\"%s\":", fact->name),
        };
        g_array_append_val(facts, row);
    }
    return facts;
}

Recorder *
recorder_new(const PolicyConfig *config, const Host *host)
{
    const PolicySettings *settings = &config->settings;
    g_autofree char *path = engine_decision_log(config);
    if (path == NULL)
        return NULL;
    Recorder *recorder = g_new0(Recorder, 1);
    const GPtrArray *rules = policy_rules(config);
    recorder->rules = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < rules->len; i++)
        g_ptr_array_add(recorder->rules, rule_head(rules->pdata[i]));
    recorder->facts = list_facts(config, host);
    recorder->journal = journal_new(path, settings->decision_log_size,
                                    (unsigned)settings->decision_log_files);
    return recorder;
}

/* One that comes and goes is not told each time. */
static void
tell(Recorder *recorder)
{
    const char *problem = journal_problem(recorder->journal);
    uint64_t lost = journal_lost(recorder->journal);
    if (recorder->bad && problem == NULL) {
        log_event(FILTERD_LOG_INFO, "decision-log",
                  "it works again; lines lost so far: %" G_GUINT64_FORMAT,
                  lost);
        recorder->bad = FALSE;
    } else if (problem != NULL && log_allow(&recorder->told, NEWS_PAUSE)) {
        log_event(FILTERD_LOG_WARNING, "decision-log",
                  "%s; lines lost so far: %" G_GUINT64_FORMAT, problem, lost);
        recorder->bad = TRUE;
    }
}

void
recorder_free(Recorder *recorder)
{
    journal_free(recorder->journal);
    g_ptr_array_unref(recorder->rules);
    g_array_unref(recorder->facts);
    g_free(recorder);
}

GString *
recorder_begin(Recorder *recorder)
{
    tell(recorder);
    return journal_begin(recorder->journal);
}

void
recorder_end(Recorder *recorder)
{
    journal_end(recorder->journal);
}

const char *
recorder_rule(const Recorder *recorder, unsigned index)
{
    return g_ptr_array_index(recorder->rules, index);
}

RecorderFact *
recorder_facts(Recorder *recorder, unsigned *length)
{
    *length = recorder->facts->len;
    return (RecorderFact *)recorder->facts->data;
}
