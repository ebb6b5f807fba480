/* launch.c: from a checked configuration to the processes that serve it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/launch.h"

#include "filterd/base/log.h"
#include "filterd/process/board.h"
#include "filterd/process/state.h"

#include <string.h>

/* Rows of the board are for generations of so many workers at least. */
#define LEAST_WORKERS 8

void
launch_init(Launch *launch)
{
    *launch = (Launch){.inherited = listeners_inherit()};
}

void
launch_end(Launch *launch)
{
    g_clear_pointer(&launch->control, control_free);
}

void
launch_clear(Launch *launch)
{
    launch_end(launch);
    listeners_free(launch->inherited, NULL);
    state_memory_free(launch->memory_store);
    if (launch->boarded)
        board_clear();
}

/* One for each worker of the generations that there may be at a time. */
static gboolean
have_rows(Launch *launch, const Configuration *configuration, GError **error)
{
    unsigned workers = configuration_workers(configuration->skeleton);
    if (!launch->boarded)
        board_init((LAUNCH_DRAINING + 1) * MAX(workers, LEAST_WORKERS));
    launch->boarded = TRUE;
    if (board_left() >= workers)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC,
                "%u workers are too many for a reload; start filterd again",
                workers);
    return FALSE;
}

static gboolean
same_privileges(const Configuration *configuration, const Generation *current,
                GError **error)
{
    if (current == NULL
        || privileges_equal(&generation_configuration(current)->privileges,
                            &configuration->privileges))
        return TRUE;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                        "`set user` and `set group` cannot change in a "
                        "reload; start filterd again");
    return FALSE;
}

static gboolean
have_memory_store(Launch *launch, const Configuration *configuration,
                  GError **error)
{
    if (configuration->skeleton->store.kind != POLICY_STORE_MEMORY
        || launch->memory_store != NULL)
        return TRUE;
    launch->memory_store = state_memory_new(&configuration->privileges, error);
    return launch->memory_store != NULL;
}

/* Two in one state directory would be in each other's way. Where it cannot be
 * written, as on a disk that is full, mail goes on. */
static gboolean
have_control(Launch *launch, const Configuration *configuration, GError **error)
{
    const char *directory = configuration->skeleton->settings.state_directory;
    g_autoptr(GError) problem = NULL;
    if (launch->control != NULL
        && strcmp(control_directory(launch->control), directory) == 0)
        return TRUE;
    Control *control =
        control_new(directory, &configuration->privileges, &problem);
    if (g_error_matches(problem, CONTROL_ERROR, CONTROL_ERROR_TAKEN)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (control == NULL) {
        log_event(FILTERD_LOG_WARNING, "control", "%s", problem->message);
        return TRUE;
    }
    g_clear_pointer(&launch->control, control_free);
    launch->control = control;
    return TRUE;
}

static gboolean
prepare(Launch *launch, const Configuration *configuration,
        const Generation *current, GString *why)
{
    g_autoptr(GError) error = NULL;
    if (have_rows(launch, configuration, &error)
        && same_privileges(configuration, current, &error)
        && state_prepare(configuration, &error)
        && have_control(launch, configuration, &error)
        && have_memory_store(launch, configuration, &error))
        return TRUE;
    g_string_append_printf(why, "%s: error: %s\n", configuration->path,
                           error->message);
    return FALSE;
}

static Listeners *
open_listeners(const Configuration *configuration, const Listeners *before,
               GString *why)
{
    PolicyReport report;
    policy_report_init(&report);
    Listeners *listeners = listeners_new(configuration->skeleton, before,
                                         configuration->bundle, &report);
    if (listeners == NULL) {
        g_autofree char *text = policy_report_format(&report);
        g_string_append(why, text);
    }
    policy_report_clear(&report);
    return listeners;
}

Generation *
launch_generation(Launch *launch, Configuration *configuration,
                  const Generation *current, GString *why)
{
    g_autoptr(Configuration) taken = configuration;
    const Listeners *before =
        current != NULL ? generation_listeners(current) : launch->inherited;
    if (!prepare(launch, taken, current, why))
        return NULL;
    GenerationStart start = {
        .listeners = open_listeners(taken, before, why),
        .memory_store = launch->memory_store,
    };
    if (start.listeners == NULL)
        return NULL;
    start.number = ++launch->generations;
    start.configuration = g_steal_pointer(&taken);
    return generation_new(&start);
}

void
launch_served(Launch *launch, const Generation *generation)
{
    listeners_free(g_steal_pointer(&launch->inherited),
                   generation_listeners(generation));
}
