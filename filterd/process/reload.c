/* reload.c: reads a configuration and has it checked.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/reload.h"

#include "filterd/process/check.h"

struct Reload {
    const char *path;
    const Configuration *before;
    Configuration *configuration;
    Check *check;
    unsigned rounds;
    ReloadStatus status;
    GString *report;
    char *own; /* what the master saw; "" unless it is a draft */
    char *changes;
};

static void
start_check(Reload *reload)
{
    g_autoptr(GError) error = NULL;
    reload->rounds++;
    reload->check = check_start(reload->configuration, reload->before, &error);
    if (reload->check != NULL)
        return;
    reload->status = RELOAD_BAD;
    g_string_append_printf(reload->report, "%s%s\n", reload->own,
                           error->message);
}

/* With the master's eyes. */
static void
read_configuration(Reload *reload)
{
    PolicyReport report;
    policy_report_init(&report);
    reload->configuration =
        configuration_new(reload->path, reload->before, &report);
    reload->own = policy_report_format(&report);
    policy_report_clear(&report);
}

Reload *
reload_new(const char *path, const Configuration *before)
{
    Reload *reload = g_new0(Reload, 1);
    reload->path = path;
    reload->before = before;
    reload->report = g_string_new(NULL);
    read_configuration(reload);
    start_check(reload);
    return reload;
}

void
reload_free(Reload *reload)
{
    g_clear_pointer(&reload->check, check_free);
    g_clear_pointer(&reload->configuration, configuration_free);
    g_string_free(reload->report, TRUE);
    g_free(reload->own);
    g_free(reload->changes);
    g_free(reload);
}

int
reload_fd(const Reload *reload)
{
    return reload->check != NULL ? check_fd(reload->check) : -1;
}

/* TRUE: the bundle has more than before. What cannot be read is in it, too, as
 * a failure that the next check will report at its place. */
static gboolean
read_missed(Reload *reload)
{
    const char *const *missed = check_missed(reload->check);
    for (unsigned i = 0; missed[i] != NULL; i++) {
        GBytes *bytes =
            bundle_read(reload->configuration->bundle, missed[i], NULL);
        if (bytes != NULL)
            g_bytes_unref(bytes);
    }
    return missed[0] != NULL;
}

/* Whoever compiles with plugins sees more than the master, and all of what the
 * master sees, but for who is to be become. */
static void
conclude(Reload *reload)
{
    const Check *check = reload->check;
    gboolean draft = reload->configuration->draft;
    gboolean ok = check_ok(check);
    reload->status = ok && !draft ? RELOAD_GOOD : RELOAD_BAD;
    if (draft && (ok || !check_whole(check)))
        g_string_append(reload->report, reload->own);
    g_string_append(reload->report, check_report(check));
    reload->changes = g_strdup(check_changes(check));
}

void
reload_step(Reload *reload)
{
    if (reload->status != RELOAD_BUSY || !check_step(reload->check))
        return;
    gboolean again = read_missed(reload) && reload->rounds < RELOAD_ROUNDS;
    if (!again)
        conclude(reload);
    g_clear_pointer(&reload->check, check_free);
    if (again)
        start_check(reload);
}

ReloadStatus
reload_status(const Reload *reload)
{
    return reload->status;
}

const char *
reload_report(const Reload *reload)
{
    return reload->report->str;
}

const char *
reload_changes(const Reload *reload)
{
    return reload->changes;
}

Configuration *
reload_take(Reload *reload)
{
    return g_steal_pointer(&reload->configuration);
}
