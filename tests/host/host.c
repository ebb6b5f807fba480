/* host.c: needs of instances, resolved or refused.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/host.h"

#include "filterd/host/fault.h"
#include "filterd/host/loader.h"

#include <glib/gstdio.h>
#include <string.h>

static const FilterdFact core[] = {
    {"client.ip", FILTERD_IP, FILTERD_CONNECT},
    {NULL},
};

static const FilterdFact facts[] = {
    {"result", FILTERD_INT, FILTERD_MAIL},
    {NULL},
};

typedef struct Pair {
    FilterdPlugin first, second;
} Pair;

static const FilterdNeed needs_core[] = {{"client.ip", FILTERD_IP}, {NULL}};
static const FilterdNeed needs_second[] = {{"second.result", FILTERD_INT},
                                           {NULL}};
static const FilterdNeed needs_first[] = {{"first.result", FILTERD_INT},
                                          {NULL}};
static const FilterdNeed may_need_nobody[] = {
    {"nobody.result?", FILTERD_INT},
    {NULL},
};

static unsigned started, stopped;

static bool
start(FilterdCall *call, GError **error)
{
    (void)call;
    (void)error;
    started++;
    return true;
}

static bool
refuse(FilterdCall *call, GError **error)
{
    (void)call;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "such an option cannot be");
    return false;
}

static void
stop(FilterdCall *call)
{
    (void)call;
    stopped++;
}

static Pair pair;

static const FilterdPlugin *
find(void *data, const char *name, GError **error)
{
    (void)data;
    (void)error;
    return strcmp(name, "first") == 0 ? &pair.first : &pair.second;
}

static PolicyConfig *
compile(const char *text)
{
    const FilterdAction none[] = {{NULL}};
    const PolicyLoader loader = {
        .plugin = find, .core_facts = core, .core_actions = none};
    PolicyReport report;
    policy_report_init(&report);
    PolicyConfig *config = policy_compile_text("test", text, &loader, &report);
    g_autofree char *complaints = policy_report_format(&report);
    g_assert_cmpstr(complaints, ==, "");
    policy_report_clear(&report);
    return config;
}

static bool
see_mail(FilterdCall *call, GError **error)
{
    (void)call;
    (void)error;
    return true;
}

static void
set_pair(const FilterdNeed *first, const FilterdNeed *second)
{
    const FilterdPlugin base = {.abi = FILTERD_ABI,
                                .size = sizeof base,
                                .version = "1",
                                .facts = facts,
                                .start = start,
                                .stop = stop,
                                .mail = see_mail};
    pair.first = pair.second = base;
    pair.first.name = "first";
    pair.first.needs = first;
    pair.second.name = "second";
    pair.second.needs = second;
    started = stopped = 0;
}

/* The error's text, or NULL where all is well. Caller frees. */
static char *
try_host(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PolicyConfig) config = compile(text);
    Host *host = host_new(config, &(HostStart){.core_facts = core}, &error);
    if (host == NULL)
        return g_strdup(error->message);
    g_assert_cmpuint(started, ==, host_instances(host));
    host_free(host);
    g_assert_cmpuint(stopped, ==, started);
    return NULL;
}

static const struct Case {
    const char *name;
    const FilterdNeed *first, *second;
    const char *text;
    const char *error; /* a part of it; NULL: none */
} cases[] = {
    {"core-facts-are-found", needs_core, NULL, "use first use second", NULL},
    {"facts-of-others-are-found", needs_second, NULL, "use first use second",
     NULL},
    {"an-alias-is-found-by-its-plugin", needs_second, NULL,
     "use first use second as other", NULL},
    {"what-nobody-has-may-be-optional", may_need_nobody, NULL, "use first",
     NULL},
    {"a-cycle-is-an-error", needs_second, needs_first, "use first use second",
     "in turn need its own"},
    {"its-own-fact-is-a-cycle", needs_first, NULL, "use first",
     "in turn need its own"},
};

static void
test_needs(const void *data)
{
    const struct Case *row = data;
    set_pair(row->first, row->second);
    g_autofree char *error = try_host(row->text);
    if (row->error == NULL)
        g_assert_cmpstr(error, ==, NULL);
    else
        g_assert_nonnull(strstr(error != NULL ? error : "", row->error));
}

static void
test_start(void)
{
    set_pair(NULL, NULL);
    pair.second.start = refuse;
    g_autofree char *error = try_host("use first use second");
    g_assert_cmpstr(error, ==, "plugin “second”: such an option cannot be");
    g_assert_cmpuint(started, ==, 1);
    g_assert_cmpuint(stopped, ==, 1);
}

/* ---- where the cause stands --------------------------------------------- */

typedef struct Levels {
    FilterdArray level;
} Levels;

static const FilterdOption levels[] = {
    {"level", FILTERD_INT, FILTERD_MANY, offsetof(Levels, level), NULL, "How."},
    {NULL},
};

static bool
blame_nine(FilterdCall *call, GError **error)
{
    const Levels *config = call->config;
    const int64_t *items = config->level.items;
    for (size_t i = 0; i < config->level.length; i++) {
        if (items[i] != 9)
            continue;
        call->host->blame(call, "level", i);
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "nine");
        return false;
    }
    return true;
}

static bool
act(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    (void)call;
    (void)arguments;
    (void)error;
    return true;
}

static bool
check_action(FilterdCall *call, const FilterdAction *action,
             const FilterdValue *arguments, GError **error)
{
    (void)call;
    g_assert_cmpstr(action->name, ==, "act");
    if (arguments[0].type != FILTERD_TEXT
        || strcmp(arguments[0].text, "bad") != 0)
        return true;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "not that\nrather this");
    return false;
}

static const FilterdType one_text[] = {FILTERD_TEXT, FILTERD_UNKNOWN};
static const FilterdAction actions[] = {{"act", "", one_text, act, 0}, {NULL}};

static const struct Fault {
    const char *text;
    const char *message; /* NULL: all is well */
    const char *hint;
    unsigned line, column;
} faults[] = {
    {"use first { level 1 2 }", NULL, NULL, 0, 0},
    {"use first { level 9 }", "plugin “first”: nine", NULL, 1, 13},
    {"use first { level 1 2\n level 3 9\n level 4 }", "plugin “first”: nine",
     NULL, 2, 2},
    {"use first as x {\nlevel 1 level 9 }", "plugin “x”: nine", NULL, 2, 9},
    {"use first at mail { rewrite first.act(\"good\") }", NULL, NULL, 0, 0},
    {"use first at mail { rewrite first.act(\"{client.ip}\") }", NULL, NULL, 0,
     0},
    {"use first\nat mail { rewrite first.act(\"good\")\n"
     " rewrite first.act(\"bad\") if client.ip = 192.0.2.1 }",
     "plugin “first”: not that", "rather this", 3, 10},
};

static void
test_fault(const struct Fault *row)
{
    const char *hint = NULL;
    g_autoptr(GError) error = NULL;
    set_pair(NULL, NULL);
    pair.first.options = levels;
    pair.first.config_size = sizeof(Levels);
    pair.first.start = blame_nine;
    pair.first.actions = actions;
    pair.first.check_action = check_action;
    g_autoptr(PolicyConfig) config = compile(row->text);
    Host *host = host_new(config, &(HostStart){.core_facts = core}, &error);
    if (host != NULL)
        host_free(host);
    g_assert_cmpstr(error != NULL ? error->message : NULL, ==, row->message);
    if (error == NULL)
        return;
    const PolicyPlace *place = fault_place(error, &hint);
    g_assert_cmpuint(place->line, ==, row->line);
    g_assert_cmpuint(place->column, ==, row->column);
    g_assert_cmpstr(hint, ==, row->hint);
}

static void
test_faults(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++)
        test_fault(&faults[i]);
}

/* ---- the loader --------------------------------------------------------- */

static void
test_abi(void)
{
    g_autoptr(GError) error = NULL;
    set_pair(NULL, NULL);
    g_assert_true(loader_check(&pair.first, &error));
    pair.first.abi = FILTERD_ABI + 1;
    g_assert_false(loader_check(&pair.first, &error));
    g_assert_nonnull(strstr(error->message, "plugin ABI 2, "));
}

static void
test_tables(void)
{
    static const FilterdFact wordless[] = {
        {"state", FILTERD_WORD, FILTERD_MAIL},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    set_pair(NULL, NULL);
    pair.first.facts = wordless;
    g_assert_false(loader_check(&pair.first, &error));
    g_assert_nonnull(strstr(error->message, "“state”"));
}

static void
test_metrics_table(void)
{
    static const FilterdMetric bad[] = {{"a b", "What.", NULL, 0}, {NULL}};
    const FilterdPlugin plugin = {.abi = FILTERD_ABI,
                                  .size = sizeof(FilterdPlugin),
                                  .name = "probe",
                                  .version = "1",
                                  .metrics = bad};
    g_autoptr(GError) error = NULL;

    g_assert_false(loader_check(&plugin, &error));
    g_assert_nonnull(strstr(error->message, "“a b” in its table of metrics"));
}

static const FilterdPlugin filterd_whole = {
    .abi = FILTERD_ABI, .size = sizeof(FilterdPlugin), .name = "whole"};

/* What was built before a table grew ends where it ended then. */
static const FilterdPlugin *
older_new(gsize size)
{
    const FilterdPlugin table = {.abi = FILTERD_ABI,
                                 .size = (uint32_t)size,
                                 .name = "older",
                                 .version = "1"};

    return g_memdup2(&table, size);
}

static void
test_older_table(void)
{
    gsize size = offsetof(FilterdPlugin, metrics);
    g_autofree gpointer older = (gpointer)older_new(size);
    g_autofree gpointer broken = (gpointer)older_new(size - 1);
    const FilterdPlugin *wide = loader_widen(older);
    g_autoptr(GError) error = NULL;

    g_assert_true(wide != older);
    g_assert_cmpstr(wide->name, ==, "older");
    g_assert_null(wide->metrics);
    g_assert_null(wide->done);
    g_assert_null(wide->check_action);
    g_assert_null(wide->description);
    g_assert_null(wide->example);
    g_assert_cmpuint(wide->edits, ==, ~0U);
    g_assert_true(loader_check(wide, &error));
    g_assert_true(loader_widen(&filterd_whole) == &filterd_whole);
    g_assert_false(loader_check(loader_widen(broken), NULL));
    g_free((gpointer)wide);
}

static void
assert_no_plugin(const char *name, const char *part)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(loader_open(name, &error));
    g_assert_nonnull(strstr(error->message, part));
}

static void
test_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("filterd-XXXXXX", NULL);
    g_autofree char *broken = g_build_filename(folder, "broken.so", NULL);
    g_assert_true(g_file_set_contents(broken, "no ELF", -1, NULL));
    loader_set_directory(folder);
    assert_no_plugin("absent", "there is no plugin “absent” in ");
    assert_no_plugin("../broken", "is no name of a plugin");
    assert_no_plugin("broken", "cannot be loaded");
    g_unlink(broken);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strconcat("/host/needs/", cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test_needs);
    }
    g_test_add_func("/host/a-refused-start-stops-the-others", test_start);
    g_test_add_func("/host/what-keeps-it-from-starting-has-a-place",
                    test_faults);
    g_test_add_func("/loader/another-abi-is-refused", test_abi);
    g_test_add_func("/loader/a-broken-table-is-named", test_tables);
    g_test_add_func("/loader/a-metric-has-a-name", test_metrics_table);
    g_test_add_func("/loader/a-table-of-an-older-revision-is-widened",
                    test_older_table);
    g_test_add_func("/loader/a-file-that-is-no-plugin-is-refused", test_files);
    return g_test_run();
}
