/* trouble.c: a plugin that does what it must not when the client's greeting
 * says so.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <fcntl.h>
#include <filterd/plugin.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct TroubleConfig {
    FilterdFile motto;
} TroubleConfig;

enum { HELO_NAME };
enum { MOTTO };

static const FilterdOption options[] = {
    {"motto", FILTERD_FILE, FILTERD_REQUIRED, offsetof(TroubleConfig, motto),
     NULL, "what is published"},
    {NULL},
};

static const FilterdFact facts[] = {
    [MOTTO] = {"motto", FILTERD_TEXT, FILTERD_HELO, "The file's content."},
    {NULL},
};

static const FilterdNeed needs[] = {
    [HELO_NAME] = {"helo.name", FILTERD_TEXT},
    {NULL},
};

/* Of what the table says is its session's. */
#define OWN 8

static void
crash(FilterdCall *call)
{
    (void)call;
    raise(SIGSEGV);
}

static void
give_up(FilterdCall *call)
{
    (void)call;
    abort();
}

static void
divide(FilterdCall *call)
{
    (void)call;
    raise(SIGFPE);
}

static int
descend(int depth)
{
    volatile char room[4096];
    room[depth % 4096] = (char)depth;
    if (depth == INT_MAX)
        return depth;
    return descend(depth + 1) + room[(depth + 1) % 4096];
}

static void
overflow(FilterdCall *call)
{
    (void)call;
    descend(1);
}

static void
leave(FilterdCall *call)
{
    (void)call;
    exit(3);
}

static void
leave_at_once(FilterdCall *call)
{
    (void)call;
    _exit(3);
}

static void
hang(FilterdCall *call)
{
    (void)call;
    for (volatile int turning = 1; turning;)
        continue;
}

static void
oversleep(FilterdCall *call)
{
    (void)call;
    sleep(100);
}

static void
hold(FilterdCall *call)
{
    (void)call;
    usleep(80000);
}

static void
write_beyond(FilterdCall *call)
{
    memset(call->session, 0x55, OWN + 40);
}

static void
work(void *data)
{
    (void)data;
    raise(SIGSEGV);
}

static void
crash_in_thread(FilterdCall *call)
{
    call->host->offload(call, work, NULL);
}

/* Memory that nothing gives back. */
static void
leak(FilterdCall *call)
{
    for (unsigned i = 0; i < 1000000; i++)
        call->instance = memset(malloc(1048576), 1, 1048576);
}

static void
leak_slowly(FilterdCall *call)
{
    for (unsigned i = 0; i < 600; i++) {
        memset(malloc(1048576), 1, 1048576);
        call->host->sleep(call, 100);
    }
}

/* To whoever is at the other end of its descriptors. */
static void
babble(FilterdCall *call)
{
    char nonsense[64];
    memset(nonsense, 0xa5, sizeof nonsense);
    for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
        send(fd, nonsense, sizeof nonsense, MSG_DONTWAIT | MSG_NOSIGNAL);
    call->host->sleep(call, 1000);
}

/* What it was let do that is none of its business. */
static void
reach(FilterdCall *call)
{
    static char *const shell[] = {"sh", "-c", "exit", NULL};
    g_autoptr(GString) reached = g_string_new("reached:");
    pid_t child = -1;
    if (open("/etc/passwd", O_RDONLY) >= 0)
        g_string_append(reached, " read");
    if (open("/tmp/trouble", O_WRONLY | O_CREAT, 0600) >= 0)
        g_string_append(reached, " write");
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
        g_string_append(reached, " socket");
    if ((child = fork()) >= 0)
        g_string_append(reached, " fork");
    if (child == 0)
        _exit(0);
    if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0)
        g_string_append(reached, " ptrace");
    if (kill(getppid(), 0) == 0)
        g_string_append(reached, " kill");
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        != MAP_FAILED)
        g_string_append(reached, " code");
    if (fcntl(STDIN_FILENO, F_SETOWN, getppid()) == 0)
        g_string_append(reached, " own");
    execv("/bin/sh", shell);
    call->host->publish(call, MOTTO, filterd_text(reached->str));
}

static const struct {
    const char *name;
    void (*run)(FilterdCall *call);
} deeds[] = {
    {"crash.test", crash},
    {"abort.test", give_up},
    {"divide.test", divide},
    {"overflow.test", overflow},
    {"exit.test", leave},
    {"exit-at-once.test", leave_at_once},
    {"hang.test", hang},
    {"sleep.test", oversleep},
    {"hold.test", hold},
    {"beyond.test", write_beyond},
    {"thread.test", crash_in_thread},
    {"leak.test", leak},
    {"slow-leak.test", leak_slowly},
    {"babble.test", babble},
};

static bool
trouble_helo(FilterdCall *call, GError **error)
{
    const TroubleConfig *config = call->config;
    const FilterdValue *name = call->host->lookup(call, HELO_NAME);
    (void)error;
    for (unsigned i = 0; i < G_N_ELEMENTS(deeds); i++)
        if (strcmp(name->text, deeds[i].name) == 0)
            deeds[i].run(call);
    if (strcmp(name->text, "reach.test") == 0) {
        reach(call);
        return true;
    }
    call->host->publish(call, MOTTO, filterd_text(config->motto.bytes));
    return true;
}

static void
wait_long(FilterdCall *call, void *data)
{
    (void)data;
    call->host->sleep(call, 3600000);
}

/* The check finds nothing wrong. */
static bool
in_worker(void)
{
    char name[16] = "";
    prctl(PR_GET_NAME, name, 0, 0, 0);
    return strcmp(name, "filterd-worker") == 0
           || strcmp(name, "filterd-plugin") == 0;
}

static bool
trouble_start(FilterdCall *call, GError **error)
{
    const TroubleConfig *config = call->config;
    if (strcmp(config->motto.bytes, "spawn") == 0)
        call->host->spawn(call, wait_long, NULL);
    if (strcmp(config->motto.bytes, "crash") == 0 && !in_worker())
        crash(call);
    if (strcmp(config->motto.bytes, "leave") == 0 && !in_worker())
        exit(0);
    if (strcmp(config->motto.bytes, "leave-at-once") == 0 && !in_worker())
        _exit(0);
    if (strcmp(config->motto.bytes, "fail") != 0 || !in_worker())
        return true;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                        "no luck here");
    return false;
}

static bool
trouble_describe(FilterdDescribe *describe, FilterdPlugin *table,
                 GError **error)
{
    const TroubleConfig *config = describe->config;
    (void)table;
    (void)error;
    if (strcmp(config->motto.bytes, "describe") == 0 && !in_worker())
        crash(NULL);
    return true;
}

FILTERD_PLUGIN(.name = "trouble", .version = "1",
               .summary = "Crashes and hangs.", .options = options,
               .config_size = sizeof(TroubleConfig), .session_size = OWN,
               .facts = facts, .needs = needs, .start = trouble_start,
               .describe = trouble_describe, .helo = trouble_helo);
