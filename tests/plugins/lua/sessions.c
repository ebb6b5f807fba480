/* sessions.c: many sessions in one Lua state, in the fibers of a worker.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/host/visit.h"
#include "filterd/service/offload.h"
#include "plugins/lua/script.h"

#include <string.h>

#define SESSIONS 1000
/* Octets of Lua's that a session with a little state costs at most. */
#define SESSION_COST 4096

static const FilterdFact core[] = {{"id", FILTERD_INT, FILTERD_CONNECT},
                                   {NULL}};
static const FilterdAction no_actions[] = {{NULL}};

static const char *source_text;

static GBytes *
read_script(G_GNUC_UNUSED void *data, G_GNUC_UNUSED const char *path,
            G_GNUC_UNUSED GError **error)
{
    return g_bytes_new_static(source_text, strlen(source_text));
}

static const FilterdPlugin *
find_plugin(G_GNUC_UNUSED void *data, G_GNUC_UNUSED const char *name,
            G_GNUC_UNUSED GError **error)
{
    return &filterd_plugin;
}

/* ---- a worker ----------------------------------------------------------- */

typedef struct World {
    PolicyConfig *config;
    Host *host;
    Script *script;
    HostFact first, second;
} World;

static HostFact
find_fact(const World *world, const char *name)
{
    const PolicyFact *fact = policy_fact_find(world->config, name);
    g_assert_nonnull(fact);
    return host_fact(world->host, fact);
}

static void
world_open(World *world, const char *text)
{
    const PolicyLoader loader = {.read = read_script,
                                 .plugin = find_plugin,
                                 .core_facts = core,
                                 .core_actions = no_actions};
    PolicyReport report;
    g_autoptr(GError) error = NULL;

    source_text = text;
    policy_report_init(&report);
    world->config = policy_compile_text(
        "t.conf", "use lua as t { script \"t.lua\" }\n", &loader, &report);
    g_autofree char *notes = policy_report_format(&report);
    g_assert_cmpstr(notes, ==, "");
    policy_report_clear(&report);
    world->host =
        host_new(world->config, &(HostStart){.core_facts = core}, &error);
    g_assert_no_error(error);
    world->script = host_instance(world->host, 0)->state;
    world->first = find_fact(world, "t.first");
    world->second = find_fact(world, "t.second");
}

static void
world_close(World *world)
{
    host_free(world->host);
    policy_config_free(world->config);
}

static size_t
memory_in_use(const World *world)
{
    lua_gc(world->script->lua, LUA_GCCOLLECT);
    lua_gc(world->script->lua, LUA_GCCOLLECT);
    return world->script->used;
}

/* ---- a session ---------------------------------------------------------- */

typedef struct Session {
    World *world;
    FilterdValue id;
    Visit *visit;
    Fiber *fiber;
} Session;

static const FilterdValue *
core_fact(void *data, G_GNUC_UNUSED unsigned index)
{
    return &((Session *)data)->id;
}

static void
session_open(Session *session, World *world, int64_t id)
{
    *session = (Session){.world = world, .id = filterd_int(id)};
    session->visit =
        visit_new(world->host, &(VisitClient){.data = session,
                                              .session_id = "t",
                                              .core_fact = core_fact});
}

static int64_t
ask(const Session *session, HostFact fact)
{
    const FilterdValue *value = visit_fact(session->visit, fact, FALSE);
    return value->type == FILTERD_INT ? value->integer : -1;
}

static void
run_in_loop(void (*run)(void *data), void *data)
{
    log_setup(LOG_TEXT, FILTERD_LOG_WARNING);
    metrics_init(1);
    metrics_use_row(0);
    loop_init();
    offload_init(1);
    fiber_detach(fiber_start("test", run, data));
    loop_run();
    offload_clear();
    fiber_pool_clear();
    loop_clear();
}

/* ---- many of them ------------------------------------------------------- */

static const char waits[] =
    "need 'id'\n"
    "fact { name = 'first', type = 'int', stage = 'connect', doc = 'x' }\n"
    "fact { name = 'second', type = 'int', stage = 'mail', doc = 'x' }\n"
    "function connect()\n"
    "    session.id = lookup 'id'\n"
    "    for i = 1, 3 do\n"
    "        sleep(1 + session.id % 7)\n"
    "        session.sum = (session.sum or 0) + i * session.id\n"
    "    end\n"
    "    publish('first', session.id)\n"
    "end\n"
    "function mail()\n"
    "    message.id = session.id\n"
    "    pcall(sleep, 1 + session.id % 5)\n"
    "    publish('second', session.sum + message.id)\n"
    "end\n";

static void
play(void *data)
{
    Session *session = data;
    int64_t id = session->id.integer;

    g_assert_cmpint(ask(session, session->world->first), ==, id);
    for (unsigned i = 0; i < 3; i++) {
        visit_begin_message(session->visit);
        g_assert_cmpint(ask(session, session->world->second), ==, 7 * id);
        if (i < 2)
            visit_end_message(session->visit, TRUE);
    }
}

static void
run_many(G_GNUC_UNUSED void *data)
{
    static Session sessions[SESSIONS];
    World world;

    world_open(&world, waits);
    size_t before = memory_in_use(&world);
    for (unsigned i = 0; i < SESSIONS; i++) {
        session_open(&sessions[i], &world, i);
        sessions[i].fiber = fiber_start("session", play, &sessions[i]);
    }
    for (unsigned i = 0; i < SESSIONS; i++)
        fiber_join(sessions[i].fiber);
    size_t cost = (memory_in_use(&world) - before) / SESSIONS;
    g_test_message("%zu octets a session, %zu for the script", cost, before);
    g_assert_cmpuint(cost, <, SESSION_COST);
    for (unsigned i = 0; i < SESSIONS; i++) {
        visit_end_message(sessions[i].visit, TRUE);
        visit_free(sessions[i].visit);
    }
    /* The registry keeps the room that it once had. */
    g_assert_cmpuint(memory_in_use(&world), <, before + SESSIONS * 200);
    world_close(&world);
    loop_stop();
}

static void
many(void)
{
    run_in_loop(run_many, NULL);
}

/* ---- sessions that end in a hook ---------------------------------------- */

static const char never_ends[] =
    "fact { name = 'first', type = 'int', stage = 'connect', doc = 'x' }\n"
    "fact { name = 'second', type = 'int', stage = 'mail', doc = 'x' }\n"
    "function connect()\n"
    "    local large = ('x'):rep(10000)\n"
    "    while true do pcall(sleep, hour) end\n"
    "    publish('first', #large)\n"
    "end\n"
    "function mail() publish('second', 5) end\n";

static void
ask_first(void *data)
{
    const Session *session = data;

    g_assert_cmpint(ask(session, session->world->first), ==, -1);
}

static void
run_cancelled(G_GNUC_UNUSED void *data)
{
    Session sessions[200];
    World world;

    world_open(&world, never_ends);
    size_t before = memory_in_use(&world);
    for (unsigned i = 0; i < G_N_ELEMENTS(sessions); i++) {
        session_open(&sessions[i], &world, i);
        sessions[i].fiber = fiber_start("session", ask_first, &sessions[i]);
    }
    fiber_yield();
    g_assert_cmpuint(world.script->used, >, before + 200 * 10000);
    for (unsigned i = 0; i < G_N_ELEMENTS(sessions); i++) {
        fiber_cancel(sessions[i].fiber);
        fiber_join(sessions[i].fiber);
        visit_begin_message(sessions[i].visit);
        g_assert_cmpint(ask(&sessions[i], world.second), ==, 5);
        visit_end_message(sessions[i].visit, TRUE);
        visit_free(sessions[i].visit);
    }
    g_assert_cmpuint(memory_in_use(&world), <, before + 64 * 1024);
    world_close(&world);
    loop_stop();
}

static void
cancelled(void)
{
    run_in_loop(run_cancelled, NULL);
}

/* ---- work that is long -------------------------------------------------- */

static const char works[] =
    "fact { name = 'first', type = 'int', stage = 'connect', doc = 'x' }\n"
    "fact { name = 'second', type = 'int', stage = 'mail', doc = 'x' }\n"
    "function connect()\n"
    "    local sum = 0\n"
    "    for i = 1, 1000000 do sum = sum + 1 end\n"
    "    publish('first', sum)\n"
    "end\n"
    "function mail() publish('second', 5) end\n";

static gboolean first_is_done;

static void
ask_long(void *data)
{
    const Session *session = data;

    g_assert_cmpint(ask(session, session->world->first), ==, 1000000);
    first_is_done = TRUE;
}

/* Another session gets its answer while the first is at work. */
static void
run_long(G_GNUC_UNUSED void *data)
{
    Session busy, other;
    World world;

    world_open(&world, works);
    session_open(&busy, &world, 1);
    session_open(&other, &world, 2);
    first_is_done = FALSE;
    busy.fiber = fiber_start("session", ask_long, &busy);
    fiber_yield();
    visit_begin_message(other.visit);
    g_assert_cmpint(ask(&other, world.second), ==, 5);
    g_assert_false(first_is_done);
    visit_end_message(other.visit, TRUE);
    fiber_join(busy.fiber);
    g_assert_true(first_is_done);
    visit_free(busy.visit);
    visit_free(other.visit);
    world_close(&world);
    loop_stop();
}

static void
turns(void)
{
    run_in_loop(run_long, NULL);
}

/* ---- how deep it goes --------------------------------------------------- */

/* A fiber's stack is small: what recurses in C has to end before it does. */
#define OPEN "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
#define CLOSE "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"
static const char *const deep[] = {
    "local function f() return pcall(f) end f()",
    "local function f() return (('x'):gsub('.', f)) end f()",
    "local function f() table.sort({ 1, 2, 3 }, f) end f()",
    "local function f() return ('x'):gsub('.', function() return pcall(f) "
    "end) end f()",
    "local p = ('('):rep(30) .. ('a?'):rep(60) ('aaa'):find(p .. '.-.-$')",
    "local function f() f() return 1 end f()",
    "return " OPEN OPEN OPEN "1" CLOSE CLOSE CLOSE,
    "local t = {} for i = 1, 50000 do t = { t } end publish('first', t)",
};

static void
run_deep(void *data)
{
    g_autofree char *text = g_strdup_printf(
        "fact { name = 'first', type = 'int', stage = 'connect', doc = 'x' }\n"
        "fact { name = 'second', type = 'int', stage = 'mail', doc = 'x' }\n"
        "function connect() %s end\n"
        "function mail() publish('second', 5) end\n",
        (const char *)data);
    Session session;
    World world;

    world_open(&world, text);
    session_open(&session, &world, 1);
    g_assert_cmpint(ask(&session, world.first), ==, -1);
    visit_begin_message(session.visit);
    g_assert_cmpint(ask(&session, world.second), ==, 5);
    visit_end_message(session.visit, TRUE);
    visit_free(session.visit);
    world_close(&world);
    loop_stop();
}

static void
swallow(G_GNUC_UNUSED FilterdLogLevel level, G_GNUC_UNUSED const char *line)
{
}

static void
depth(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(deep); i++) {
        log_set_sink(swallow);
        run_in_loop(run_deep, (void *)deep[i]);
        log_set_sink(NULL);
    }
}

/* ---- how long a hook takes; with -m perf -------------------------------- */

static const char quick[] =
    "need 'id'\n"
    "fact { name = 'first', type = 'int', stage = 'connect', doc = 'x' }\n"
    "fact { name = 'second', type = 'int', stage = 'mail', doc = 'x' }\n"
    "function connect() publish('first', lookup 'id') end\n"
    "function mail() publish('second', 5) end\n";

static void
run_quick(G_GNUC_UNUSED void *data)
{
    const unsigned hooks = 200000;
    Session session;
    World world;

    world_open(&world, quick);
    session_open(&session, &world, 1);
    for (unsigned asks = 0; asks < 2; asks++) {
        int64_t begun = g_get_monotonic_time();
        for (unsigned i = 0; i < hooks; i++) {
            visit_begin_message(session.visit);
            if (asks)
                ask(&session, world.second);
            visit_end_message(session.visit, TRUE);
        }
        g_test_message("%u messages, %s: %.2f µs each", hooks,
                       asks ? "a hook each" : "no hook",
                       (double)(g_get_monotonic_time() - begun) / hooks);
    }
    visit_free(session.visit);
    world_close(&world);
    loop_stop();
}

static void
speed(void)
{
    run_in_loop(run_quick, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/a-thousand-sessions-at-once", many);
    g_test_add_func("/lua/sessions-that-end-in-a-hook", cancelled);
    g_test_add_func("/lua/work-that-is-long-takes-turns", turns);
    g_test_add_func("/lua/depth-fits-the-stack-of-a-fiber", depth);
    if (g_test_perf())
        g_test_add_func("/lua/speed", speed);
    return g_test_run();
}
