/* harness.c: an instance of a plugin, and the dialogue with it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

static void
line_free(gpointer pointer)
{
    HarnessLine *line = pointer;

    g_free(line->text);
    g_free(line);
}

static void
spawned_free(gpointer pointer)
{
    HarnessCall *spawned = pointer;

    g_ptr_array_unref(spawned->arena);
    g_free(spawned);
}

/* ---- warnings ----------------------------------------------------------- */

void
harness_complaint(Harness *harness, const char *text)
{
    g_autofree char *expected = g_queue_pop_head(&harness->expected);

    if (expected == NULL)
        g_test_fail_printf("a warning that nobody expects: %s", text);
    else if (strstr(text, expected) == NULL)
        g_test_fail_printf("expected \"%s\", got \"%s\"", expected, text);
}

void
harness_warning(Harness *harness, const char *text)
{
    if (!harness->exploring)
        harness_complaint(harness, text);
}

void
harness_expect_warning(Harness *harness, const char *part)
{
    g_queue_push_tail(&harness->expected, g_strdup(part));
}

/* ---- hooks -------------------------------------------------------------- */

/* Facts from that stage on, and what was said in Authentication-Results. */
static void
forget(Harness *harness, FilterdStage from, FilterdStage to)
{
    const FilterdFact *rows = harness->plugin->facts;

    for (gsize i = 0; rows != NULL && rows[i].name != NULL; i++)
        if (rows[i].since >= from && rows[i].since <= to)
            harness_value_free(&harness->facts[i]);
    for (guint i = harness->authres->len; i > 0; i--) {
        const HarnessLine *line = harness->authres->pdata[i - 1];

        if (line->stage >= from && line->stage <= to)
            g_ptr_array_remove_index(harness->authres, i - 1);
    }
}

static void
hook_ended(Harness *harness)
{
    g_ptr_array_set_size(harness->session.arena, 0);
    g_hash_table_remove_all(harness->turns);
}

/* Takes the error of a hook that failed. */
gboolean
harness_hook_check(Harness *harness, gboolean ok, GError *error)
{
    hook_ended(harness);
    if (ok != (error == NULL))
        g_test_fail_printf("a hook's result and its error disagree");
    if (ok)
        return TRUE;
    forget(harness, harness->session.stage, harness->session.stage);
    harness_warning(harness, error ? error->message : "");
    g_clear_error(&error);
    return FALSE;
}

gboolean
harness_hook_run(Harness *harness, FilterdStage stage, FilterdHook *hook)
{
    GError *error = NULL;

    if (harness->session.cancelled)
        return FALSE;
    harness->session.stage = stage;
    forget(harness, stage, stage);
    if (hook == NULL)
        return TRUE;

    gboolean ok = hook(&harness->session.call, &error);

    return harness_hook_check(harness, ok, error);
}

static void
quiet_run(Harness *harness, void (*hook)(FilterdCall *call))
{
    if (hook != NULL)
        hook(&harness->session.call);
    hook_ended(harness);
}

void
harness_message_begin(Harness *harness)
{
    FilterdCall *call = &harness->session.call;

    if (call->message == NULL)
        call->message = g_malloc0(harness->plugin->message_size + 1);
}

static void
message_end(Harness *harness)
{
    FilterdCall *call = &harness->session.call;

    if (call->message == NULL)
        return;
    if (!harness->fed)
        quiet_run(harness, harness->plugin->abort);
    quiet_run(harness, harness->plugin->clear_message);
    harness_streams_close(&harness->session, FALSE);
    g_ptr_array_set_size(harness->fields, 0);
    g_string_truncate(harness->body, 0);
    g_clear_pointer(&call->message, g_free);
    harness->fed = harness->broken = FALSE;
}

static void
session_begin(Harness *harness)
{
    harness->session.call.session =
        g_malloc0(harness->plugin->session_size + 1);
    harness->session.cancelled = FALSE;
    harness->session.late = 0;
}

static void
session_end(Harness *harness)
{
    message_end(harness);
    quiet_run(harness, harness->plugin->close);
    quiet_run(harness, harness->plugin->clear_session);
    harness_streams_close(&harness->session, TRUE);
    g_clear_pointer(&harness->session.call.session, g_free);
}

/* ---- new and free ------------------------------------------------------- */

static gsize
fact_count(const FilterdPlugin *plugin)
{
    gsize count = 0;

    while (plugin->facts != NULL && plugin->facts[count].name != NULL)
        count++;
    return count;
}

static gsize
need_count(const FilterdPlugin *plugin)
{
    gsize count = 0;

    while (plugin->needs != NULL && plugin->needs[count].fact != NULL)
        count++;
    return count;
}

/* What came after the revision that the plugin was built with is empty; any
 * request was granted before `edits`. */
static FilterdPlugin *
plugin_widen(const FilterdPlugin *plugin)
{
    FilterdPlugin *wide = g_new0(FilterdPlugin, 1);

    g_assert_cmpuint(plugin->abi, ==, FILTERD_ABI);
    g_assert_cmpuint(plugin->size, >=, offsetof(FilterdPlugin, metrics));
    g_assert_cmpuint(plugin->size, <=, sizeof *plugin);
    memcpy(wide, plugin, plugin->size);
    if (plugin->size <= offsetof(FilterdPlugin, edits))
        wide->edits = ~0U;
    return wide;
}

static Harness *
harness_create(const FilterdPlugin *plugin, const void *config)
{
    Harness *harness = g_new0(Harness, 1);

    harness->plugin = plugin_widen(plugin);
    harness->config = g_malloc0(plugin->config_size + 1);
    if (config != NULL)
        memcpy(harness->config, config, plugin->config_size);
    harness->instance = g_malloc0(plugin->instance_size + 1);
    harness->session.call = (FilterdCall){.host = &harness_host,
                                          .config = harness->config,
                                          .instance = harness->instance};
    harness->session.harness = harness;
    harness->session.arena = g_ptr_array_new_with_free_func(g_free);
    harness->spawned = g_ptr_array_new_with_free_func(spawned_free);
    harness->zone = harness_zone_new();
    harness->questions = g_ptr_array_new_with_free_func(g_free);
    harness->answered =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    harness->waited = g_ptr_array_new_with_free_func(g_free);
    harness->points = g_array_new(FALSE, FALSE, sizeof(HarnessPoint));
    harness->log = g_ptr_array_new_with_free_func(g_free);
    harness->turns =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    harness->peers = harness_peers_new();
    harness->streams = harness_streams_new();
    harness->fields = harness_fields_new();
    harness->body = g_string_new(NULL);
    harness->store = harness_store_new();
    harness->clock = HARNESS_START;
    harness->described = g_ptr_array_new_with_free_func(g_free);
    harness->authres = g_ptr_array_new_with_free_func(line_free);
    harness->edits = g_ptr_array_new_with_free_func(g_free);
    harness->metrics =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    harness->text = g_string_new(NULL);
    g_mutex_init(&harness->mutex);
    g_cond_init(&harness->turn);
    return harness;
}

static void
values_free(Harness *harness)
{
    for (gsize i = 0; harness->facts != NULL && i < fact_count(harness->plugin);
         i++)
        harness_value_free(&harness->facts[i]);
    for (gsize i = 0; harness->needs != NULL && i < need_count(harness->plugin);
         i++)
        harness_value_free(&harness->needs[i]);
    g_free(harness->facts);
    g_free(harness->needs);
}

static void
harness_destroy(Harness *harness)
{
    values_free(harness);
    g_ptr_array_unref(harness->described);
    g_ptr_array_unref(harness->session.arena);
    g_ptr_array_unref(harness->spawned);
    g_ptr_array_unref(harness->questions);
    g_ptr_array_unref(harness->authres);
    g_ptr_array_unref(harness->edits);
    g_hash_table_unref(harness->metrics);
    g_hash_table_unref(harness->answered);
    g_ptr_array_unref(harness->waited);
    g_array_unref(harness->points);
    g_ptr_array_unref(harness->log);
    g_ptr_array_unref(harness->streams);
    g_hash_table_unref(harness->turns);
    g_ptr_array_unref(harness->peers);
    g_ptr_array_unref(harness->fields);
    g_string_free(harness->body, TRUE);
    g_hash_table_unref(harness->store);
    harness_zone_free(harness->zone);
    g_queue_clear_full(&harness->expected, g_free);
    g_string_free(harness->text, TRUE);
    g_mutex_clear(&harness->mutex);
    g_cond_clear(&harness->turn);
    g_free(harness->config);
    g_free(harness->instance);
    g_free(harness->blamed);
    g_free(harness->plugin);
    g_free(harness);
}

static gboolean
instance_start(Harness *harness, GError **error)
{
    if (!harness_describe(harness, error))
        return FALSE;
    harness->facts = g_new0(FilterdValue, fact_count(harness->plugin) + 1);
    harness->needs = g_new0(FilterdValue, need_count(harness->plugin) + 1);
    if (harness->plugin->start == NULL)
        return TRUE;

    gboolean ok = harness->plugin->start(&harness->session.call, error);

    hook_ended(harness);
    return ok;
}

Harness *
harness_new(const FilterdPlugin *plugin, const void *config)
{
    Harness *harness = harness_create(plugin, config);
    g_autoptr(GError) error = NULL;

    if (!instance_start(harness, &error))
        g_error("%s does not start: %s", plugin->name, error->message);
    session_begin(harness);
    return harness;
}

static void
instance_stop(Harness *harness)
{
    harness_stop_spawned(harness);
    quiet_run(harness, harness->plugin->stop);
}

char *
harness_start_error(const FilterdPlugin *plugin, const void *config)
{
    Harness *harness = harness_create(plugin, config);
    g_autoptr(GError) error = NULL;

    if (instance_start(harness, &error))
        instance_stop(harness);
    char *text = error ? g_strconcat(harness->blamed ? harness->blamed : "",
                                     error->message, NULL)
                       : NULL;
    harness_destroy(harness);
    return text;
}

void
harness_free(Harness *harness)
{
    session_end(harness);
    instance_stop(harness);
    for (GList *link = harness->expected.head; link; link = link->next)
        g_test_fail_printf("no warning came with: %s", (char *)link->data);
    if (harness->peers->len > 0 && !harness->counting)
        g_test_fail_printf("nobody came for %u of the servers' scripts",
                           harness->peers->len);
    harness_destroy(harness);
}

/* ---- the dialogue ------------------------------------------------------- */

void
harness_run(Harness *harness, FilterdStage stage)
{
    const FilterdPlugin *plugin = harness->plugin;
    FilterdHook *const hooks[FILTERD_STAGES] = {plugin->connect, plugin->helo,
                                                plugin->mail,    plugin->rcpt,
                                                plugin->data,    plugin->eom};

    if (stage >= FILTERD_MAIL)
        harness_message_begin(harness);
    if (stage != FILTERD_MESSAGE || !harness->broken)
        harness_hook_run(harness, stage, hooks[stage]);
    harness->fed = harness->fed || stage == FILTERD_MESSAGE;
}

void
harness_reset(Harness *harness)
{
    message_end(harness);
    forget(harness, FILTERD_MAIL, FILTERD_MESSAGE);
    g_ptr_array_set_size(harness->questions, 0);
    g_hash_table_remove_all(harness->answered);
    harness->waits = 0;
    g_ptr_array_set_size(harness->edits, 0);
}

void
harness_reconnect(Harness *harness)
{
    harness_reset(harness);
    session_end(harness);
    session_begin(harness);
    forget(harness, FILTERD_CONNECT, FILTERD_MESSAGE);
}

static gboolean
arguments_fit(const FilterdAction *action, const FilterdValue *arguments)
{
    gsize i = 0;

    while (arguments[i].type == action->arguments[i]
           && arguments[i].type != FILTERD_UNKNOWN)
        i++;
    return arguments[i].type == action->arguments[i];
}

static const FilterdAction *
find_action(const Harness *harness, const char *name,
            const FilterdValue *arguments)
{
    const FilterdAction *action = harness->plugin->actions;

    while (action != NULL && action->name
           && (strcmp(action->name, name) != 0
               || !arguments_fit(action, arguments)))
        action++;
    if (action == NULL || action->name == NULL)
        g_error("harness: no action %s with such arguments", name);
    return action;
}

char *
harness_check_action(Harness *harness, const char *name,
                     const FilterdValue *arguments, const unsigned *unknown)
{
    const FilterdAction *action = find_action(harness, name, arguments);
    FilterdValue known[HARNESS_ARGUMENTS + 1];
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    if (harness->plugin->check_action == NULL)
        return NULL;
    for (; arguments[length].type != FILTERD_UNKNOWN; length++)
        known[length] = unknown[length] ? filterd_unknown() : arguments[length];
    harness->session.call.action = action;
    bool ok = harness->plugin->check_action(&harness->session.call, action,
                                            known, &error);
    g_assert_true(ok == (error == NULL));
    return ok ? NULL : g_strdup(error->message);
}

bool
harness_act(Harness *harness, const char *name, const FilterdValue *arguments)
{
    const FilterdAction *action = find_action(harness, name, arguments);
    GError *error = NULL;

    if (harness->session.cancelled)
        return false;
    harness->session.acting = TRUE;

    harness->session.call.action = action;
    gboolean ok = action->run(&harness->session.call, arguments, &error);
    harness->session.call.action = NULL;

    ok = harness_hook_check(harness, ok, error);
    harness->session.acting = FALSE;
    return ok;
}

void
harness_done(Harness *harness, const FilterdOutcome *outcome)
{
    if (harness->session.cancelled || harness->plugin->done == NULL)
        return;
    harness->session.acting = TRUE;
    harness->plugin->done(&harness->session.call, outcome);
    harness_hook_check(harness, TRUE, NULL);
    harness->session.acting = FALSE;
}
