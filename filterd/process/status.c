/* status.c: how filterd is, for those who ask.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/status.h"

#include "filterd/base/json.h"
#include "filterd/base/metrics.h"
#include "filterd/wire/backend-health.h"

#include <string.h>
#include <unistd.h>

static const char *const store_kinds[] = {
    [POLICY_STORE_MEMORY] = "memory",
    [POLICY_STORE_SQLITE] = "sqlite",
    [POLICY_STORE_REDIS] = "redis",
};

void
status_time(GString *out, const char *name, int64_t time)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(time / 1000);
    g_autofree char *text = g_date_time_format_iso8601(date);
    json_member_text(out, name, text);
}

/* ---- the configuration -------------------------------------------------- */

/* The checksum is that of the file alone, as sha256sum(1) tells it. */
static void
append_configuration(GString *out, const Configuration *configuration)
{
    GBytes *bytes = bundle_text(configuration->bundle, configuration->path);
    g_autofree char *sum =
        bytes != NULL ? g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes)
                      : NULL;
    const char *const *paths = bundle_paths(configuration->bundle);
    json_member(out, "configuration");
    g_string_append_c(out, '{');
    json_member_text(out, "file", configuration->path);
    status_time(out, "read", configuration->read);
    json_member_text(out, "sha256", sum);
    json_member_integer(out, "files", g_strv_length((char **)paths));
    g_string_append_c(out, '}');
}

static void
append_listeners(GString *out, const Generation *generation)
{
    const Listeners *listeners = generation_listeners(generation);
    g_autofree char *text =
        listeners != NULL ? listeners_format(listeners) : NULL;
    json_member_text(out, "listen", text);
}

/* ---- what is outside ---------------------------------------------------- */

static void
append_backend(GString *out, const BackendView *view, GPtrArray *problems)
{
    g_string_append_c(out, '{');
    json_member_text(out, "address", view->name);
    json_member_boolean(out, "up", view->reason == NULL);
    json_member_text(out, "reason", view->reason);
    json_member_integer(out, "connections", view->connections);
    json_member_integer(out, "uses", view->uses);
    json_member_integer(out, "failures", view->failures);
    g_string_append_c(out, '}');
    if (view->reason != NULL)
        g_ptr_array_add(problems, g_strdup_printf("backend %s is down: %s",
                                                  view->name, view->reason));
}

static void
append_backends(GString *out, GPtrArray *problems)
{
    g_autoptr(GPtrArray) views = backend_health_views();
    json_member(out, "backends");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < views->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_backend(out, g_ptr_array_index(views, i), problems);
    }
    g_string_append_c(out, ']');
}

static void
append_store(GString *out, const PolicyStore *store)
{
    json_member(out, "store");
    g_string_append_c(out, '{');
    json_member_text(out, "kind", store_kinds[store->kind]);
    json_member_text(out, "where", store->where);
    json_member_integer(out, "failed", metrics_sum(METRIC_STORE_FAILED));
    g_string_append_c(out, '}');
}

static void
append_dns(GString *out, const PolicyDns *dns)
{
    const char *const *words = dns->resolver.items;
    json_member(out, "dns");
    g_string_append_c(out, '{');
    json_member(out, "resolver");
    g_string_append_c(out, '[');
    for (size_t i = 0; i < dns->resolver.length; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        json_append(out, words[i], strlen(words[i]));
    }
    g_string_append_c(out, ']');
    json_member_integer(out, "questions", metrics_sum(METRIC_DNS_QUESTIONS));
    json_member_integer(out, "cached", metrics_sum(METRIC_DNS_CACHED));
    json_member_integer(out, "failed", metrics_sum(METRIC_DNS_FAILED));
    g_string_append_c(out, '}');
}

/* ---- counted ------------------------------------------------------------ */

void
status_counts(GString *out)
{
    static const struct {
        const char *name;
        Metric metric;
    } rows[] = {
        {"connections", METRIC_CONNECTIONS},
        {"messages", METRIC_MESSAGES},
        {"accepted", METRIC_ACCEPTED},
        {"rejected", METRIC_REJECTED},
        {"tempfailed", METRIC_TEMPFAILED},
        {"discarded", METRIC_DISCARDED},
        {"quarantined", METRIC_QUARANTINED},
        {"limited", METRIC_LIMITED},
        {"reloads", METRIC_RELOADS},
        {"workers-lost", METRIC_WORKERS_LOST},
        {"plugin-processes-lost", METRIC_PLUGINS_LOST},
    };
    json_member(out, "counts");
    g_string_append_c(out, '{');
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        json_member_integer(out, rows[i].name, metrics_sum(rows[i].metric));
    g_string_append_c(out, '}');
}

/* ---- all of it ---------------------------------------------------------- */

unsigned
status_all_sessions(const StatusSource *source)
{
    unsigned sessions =
        source->current != NULL ? status_sessions(source->current) : 0;
    for (unsigned i = 0; i < source->leaving->len; i++)
        sessions += status_sessions(g_ptr_array_index(source->leaving, i));
    return sessions;
}

static void
append_generations(GString *out, const StatusSource *source,
                   GPtrArray *problems)
{
    json_member(out, "generations");
    g_string_append_c(out, '[');
    if (source->current != NULL)
        status_generation(out, source->current, "serves", problems);
    for (unsigned i = 0; i < source->leaving->len; i++) {
        const Generation *old = g_ptr_array_index(source->leaving, i);
        if (out->str[out->len - 1] == '}')
            g_string_append_c(out, ',');
        status_generation(out, old, "drains", NULL);
    }
    g_string_append_c(out, ']');
    json_member_integer(out, "sessions", status_all_sessions(source));
}

static void
append_current(GString *out, const StatusSource *source, GPtrArray *problems)
{
    const Configuration *configuration =
        generation_configuration(source->current);
    append_configuration(out, configuration);
    append_listeners(out, source->current);
    append_backends(out, problems);
    append_store(out, &configuration->skeleton->store);
    append_dns(out, &configuration->skeleton->dns);
    status_counts(out);
}

static void
note_refusal(const StatusSource *source, GPtrArray *problems)
{
    if (source->refused == 0)
        return;
    g_autoptr(GDateTime) date =
        g_date_time_new_from_unix_utc(source->refused / 1000);
    g_autofree char *text = g_date_time_format_iso8601(date);
    g_ptr_array_add(problems,
                    g_strdup_printf("the reload at %s was refused: the "
                                    "configuration before goes on",
                                    text));
}

static void
append_problems(GString *out, const GPtrArray *problems)
{
    json_member_boolean(out, "well", problems->len == 0);
    json_member(out, "problems");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < problems->len; i++) {
        const char *problem = g_ptr_array_index(problems, i);
        if (i > 0)
            g_string_append_c(out, ',');
        json_append(out, problem, strlen(problem));
    }
    g_string_append_c(out, ']');
}

char *
status_format(const StatusSource *source)
{
    GString *out = g_string_new("{");
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    json_member_text(out, "version", FILTERD_VERSION);
    json_member_integer(out, "pid", getpid());
    status_time(out, "since", source->started);
    json_member_boolean(out, "reloading", source->reloading);
    append_generations(out, source, problems);
    if (source->current != NULL)
        append_current(out, source, problems);
    else
        g_ptr_array_add(problems, g_strdup("no generation serves yet"));
    note_refusal(source, problems);
    append_problems(out, problems);
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}
