/* status-generation.c: the processes of a generation, for those who ask how
 * they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/base/json.h"
#include "filterd/process/status.h"

#include <string.h>

static const char *const kinds[] = {
    [MEMBER_WORKER] = "worker",
    [MEMBER_PLUGIN] = "plugin",
    [MEMBER_OBSERVER] = "observer",
};

/* ---- what is wrong ------------------------------------------------------ */

/* "worker 2", "plugin mine of worker 1". */
static char *
name_of(const Member *member)
{
    if (member->kind == MEMBER_PLUGIN)
        return g_strdup_printf("plugin %s of worker %u", member->isolated->name,
                               member->index + 1);
    if (member->kind == MEMBER_WORKER)
        return g_strdup_printf("worker %u", member->index + 1);
    return g_strdup("the observer");
}

static gboolean
hangs(const Member *member)
{
    return member->kind == MEMBER_WORKER && member->ready
           && clock_monotonic() - board_row(member->row)->beat > BOARD_FRESH;
}

/* Of a generation that serves. */
static void
judge(const Member *member, GPtrArray *problems)
{
    g_autofree char *name = name_of(member);
    const char *problem =
        member->row >= 0 ? board_row(member->row)->problem : "";
    if (member->pid == 0)
        g_ptr_array_add(problems, g_strdup_printf("%s is not there", name));
    else if (!member->ready)
        g_ptr_array_add(problems,
                        g_strdup_printf("%s does not serve yet", name));
    else if (hangs(member))
        g_ptr_array_add(problems, g_strdup_printf("%s hangs", name));
    if (*problem != '\0')
        g_ptr_array_add(problems,
                        g_strdup_printf("the store, says %s: %.*s", name,
                                        BOARD_PROBLEM - 1, problem));
}

/* ---- processes ---------------------------------------------------------- */

static void
append_member(GString *out, const Member *member)
{
    g_string_append(out, out->str[out->len - 1] == '[' ? "{" : ",{");
    json_member_text(out, "kind", kinds[member->kind]);
    if (member->kind == MEMBER_PLUGIN)
        json_member_text(out, "name", member->isolated->name);
    if (member->kind != MEMBER_OBSERVER)
        json_member_integer(out, "worker", member->index + 1);
    json_member_integer(out, "pid", member->pid);
    json_member_boolean(out, "ready", member->pid != 0 && member->ready);
    json_member_integer(out, "seconds",
                        (clock_monotonic() - member->started) / 1000);
    json_member_integer(out, "memory",
                        member->pid != 0 ? member_memory(member) : 0);
    json_member_integer(out, "lost", member->lost);
    if (member->kind == MEMBER_WORKER) {
        const BoardRow *row = board_row(member->row);
        json_member_integer(out, "sessions", row->sessions);
        json_member_integer(out, "fibers", row->fibers);
    }
    g_string_append_c(out, '}');
}

unsigned
status_sessions(const Generation *generation)
{
    unsigned length, sessions = 0;
    const Member *members = generation_members(generation, &length);
    for (unsigned i = 0; i < length; i++)
        if (members[i].kind == MEMBER_WORKER)
            sessions += board_row(members[i].row)->sessions;
    return sessions;
}

/* ---- plugins ------------------------------------------------------------ */

static gboolean
is_isolated(const PolicyConfig *config, const char *name)
{
    for (unsigned i = 0; i < config->isolated->len; i++) {
        const PolicyIsolated *isolated = g_ptr_array_index(config->isolated, i);
        if (strcmp(isolated->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
append_plugins(GString *out, const PolicyConfig *config)
{
    json_member(out, "plugins");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < config->named->len; i++) {
        const PolicyNamed *named = g_ptr_array_index(config->named, i);
        g_string_append(out, i > 0 ? ",{" : "{");
        json_member_text(out, "name", named->name);
        json_member_text(out, "plugin", named->plugin);
        json_member_text(out, "isolation",
                         is_isolated(config, named->name) ? "process" : "none");
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

void
status_generation(GString *out, const Generation *generation, const char *state,
                  GPtrArray *problems)
{
    unsigned length;
    const Member *members = generation_members(generation, &length);
    int64_t left = generation_left(generation);
    g_string_append_c(out, '{');
    json_member_integer(out, "number", generation_number(generation));
    json_member_text(out, "state", state);
    status_time(out, "since", generation_since(generation));
    json_member_integer(out, "sessions", status_sessions(generation));
    if (left >= 0)
        json_member_integer(out, "seconds-left", left / 1000);
    append_plugins(out, generation_configuration(generation)->skeleton);
    json_member(out, "processes");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < length; i++) {
        if (problems != NULL || members[i].pid != 0)
            append_member(out, &members[i]);
        if (problems != NULL)
            judge(&members[i], problems);
    }
    g_string_append(out, "]}");
}
