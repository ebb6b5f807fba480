/* quarantine.c: messages that are kept are there whole, or not at all, whenever
 * somebody dies.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/quarantine.h"

#include "tests/service/support.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT (INT64_C(1) << 30)
#define BODY_SIZE 200000
/* System calls of one message; more than there are. */
#define CALLS 400

typedef struct Fixture {
    char *state;
    Quarantine *quarantine;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->state = support_directory_new();
    g_autofree char *path =
        g_build_filename(fixture->state, QUARANTINE_DIRECTORY, NULL);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    quarantine_board_clear();
    fixture->quarantine = quarantine_open(fixture->state, NULL);
    g_assert_nonnull(fixture->quarantine);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path =
        g_build_filename(fixture->state, QUARANTINE_DIRECTORY, NULL);
    quarantine_close(fixture->quarantine);
    support_directory_free(g_steal_pointer(&path));
    support_directory_free(fixture->state);
}

/* ---- a message ---------------------------------------------------------- */

static const char *
body(void)
{
    static char text[BODY_SIZE + 1];
    for (unsigned i = 0; i < BODY_SIZE; i++)
        text[i] = (char)('a' + i % 23);
    return text;
}

/* In pieces, the last of which may be missing. */
static gboolean
write_body(void *message, QuarantineFunc *func, void *data, GError **error)
{
    const char *text = message;
    for (gsize at = 0, part; (part = strlen(text + at)) > 0; at += part) {
        part = MIN(part, 50000);
        if (!func(text + at, part, data, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_half(void *message, QuarantineFunc *func, void *data, GError **error)
{
    g_assert_true(func(message, 1000, data, error));
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_IO, "it broke");
    return FALSE;
}

static QuarantineLetter *
make_letter(const char *id)
{
    QuarantineLetter *letter = quarantine_letter_new();
    letter->id = g_strdup(id);
    letter->time = INT64_C(1795000000123);
    letter->rule = g_strdup("suspect");
    letter->helo = g_strdup("two\nlines\\x0a and \x01 more");
    letter->reverse_path = g_strdup("a b\"@c.test");
    letter->parameters = g_strdup(" BODY=8BITMIME");
    quarantine_letter_add(letter, "one@c.test", " NOTIFY=NEVER");
    quarantine_letter_add(letter, "\"t w o\"@c.test", NULL);
    return letter;
}

static gboolean
put(Fixture *fixture, const char *id, const char *text, int64_t limit,
    GError **error)
{
    const QuarantineContent content = {write_body, (void *)text};
    g_autoptr(QuarantineLetter) letter = make_letter(id);
    return quarantine_put(fixture->quarantine, letter, &content, limit, error);
}

static unsigned
count_files(Fixture *fixture)
{
    g_autoptr(GPtrArray) ids = quarantine_list(fixture->quarantine, NULL);
    return ids->len;
}

static unsigned
count_names(Fixture *fixture)
{
    g_autofree char *path =
        g_build_filename(fixture->state, QUARANTINE_DIRECTORY, NULL);
    g_autoptr(GDir) listing = g_dir_open(path, 0, NULL);
    unsigned names = 0;
    while (g_dir_read_name(listing) != NULL)
        names++;
    return names;
}

static void
check_whole(Fixture *fixture, const char *id, const char *text)
{
    gsize length;
    g_autoptr(GError) error = NULL;
    g_autoptr(QuarantineFile) file =
        quarantine_file_open(fixture->quarantine, id, FALSE, &error);
    g_assert_no_error(error);
    const char *message = quarantine_file_message(file, &length);
    g_assert_cmpmem(message, length, text, strlen(text));
}

/* ---- reading what was written ------------------------------------------- */

static void
test_round(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_true(put(fixture, "ab-1-1", body(), LIMIT, NULL));
    check_whole(fixture, "ab-1-1", body());
    g_autoptr(QuarantineLetter) expected = make_letter("ab-1-1");
    g_autoptr(QuarantineFile) file =
        quarantine_file_open(fixture->quarantine, "ab-1-1", FALSE, NULL);
    const QuarantineLetter *letter = quarantine_file_letter(file);
    g_assert_cmpint(letter->time, ==, expected->time);
    g_assert_cmpstr(letter->helo, ==, expected->helo);
    g_assert_cmpstr(letter->reverse_path, ==, expected->reverse_path);
    g_assert_cmpstr(letter->parameters, ==, expected->parameters);
    g_assert_null(letter->reason);
    g_assert_cmpuint(letter->recipients->len, ==, 2);
    for (unsigned i = 0; i < 2; i++) {
        const QuarantineRecipient *one = letter->recipients->pdata[i];
        const QuarantineRecipient *other = expected->recipients->pdata[i];
        g_assert_cmpstr(one->address, ==, other->address);
        g_assert_cmpstr(one->parameters, ==, other->parameters);
        g_assert_false(one->taken);
    }
}

static void
test_mark(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_true(put(fixture, "ab-1-1", body(), LIMIT, NULL));
    g_autoptr(QuarantineFile) file =
        quarantine_file_open(fixture->quarantine, "ab-1-1", TRUE, NULL);
    g_assert_true(quarantine_file_mark(file, 1, NULL));
    g_autoptr(QuarantineFile) again =
        quarantine_file_open(fixture->quarantine, "ab-1-1", FALSE, NULL);
    const GPtrArray *all = quarantine_file_letter(again)->recipients;
    g_assert_false(((QuarantineRecipient *)all->pdata[0])->taken);
    g_assert_true(((QuarantineRecipient *)all->pdata[1])->taken);
    check_whole(fixture, "ab-1-1", body());
}

static void
test_lock(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(put(fixture, "ab-1-1", "x", LIMIT, NULL));
    g_autoptr(QuarantineFile) file =
        quarantine_file_open(fixture->quarantine, "ab-1-1", TRUE, NULL);
    g_assert_null(
        quarantine_file_open(fixture->quarantine, "ab-1-1", TRUE, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN);
    g_clear_error(&error);
    g_assert_true(quarantine_sweep(fixture->quarantine, 1, NULL));
    g_assert_cmpuint(count_files(fixture), ==, 1);
    g_assert_true(quarantine_file_remove(file, NULL));
    g_assert_null(
        quarantine_file_open(fixture->quarantine, "ab-1-1", TRUE, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

static void
test_names(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {
        "", "..", "../quarantine", "tmp-ab", ".tally", "-", "AB-1", "a/b"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(
            quarantine_file_open(fixture->quarantine, names[i], FALSE, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    }
}

static void
test_strangers(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const texts[] = {
        "",
        "x",
        "filterd-quarantine 1\n",
        "filterd-quarantine 1\n\nx",
        "filterd-quarantine 1\nid aa\nfrom x\nto - y\n",
        "filterd-quarantine 1\nid bb\nfrom x\nto - y\n\nx",
        "filterd-quarantine 1\nid aa\nfrom x\nto - y\\x0aDATA\n\nx",
        "filterd-quarantine 2\nid aa\nfrom x\n\nx",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path =
            g_build_filename(fixture->state, QUARANTINE_DIRECTORY, "aa", NULL);
        g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
        g_assert_null(
            quarantine_file_open(fixture->quarantine, "aa", TRUE, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
    }
}

/* ---- limits ------------------------------------------------------------- */

static void
test_limit(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    int64_t limit = 2 * (BODY_SIZE + 2 * QUARANTINE_FILE_COST);
    g_assert_true(put(fixture, "aa-1-1", body(), limit, NULL));
    g_assert_true(put(fixture, "aa-1-2", body(), limit, NULL));
    g_assert_false(put(fixture, "aa-1-3", body(), limit, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    g_assert_cmpuint(count_names(fixture), ==, 3);
    g_assert_true(put(fixture, "aa-1-4", "little", limit, NULL));
}

static void
test_broken(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    const QuarantineContent content = {write_half, (void *)body()};
    g_autoptr(QuarantineLetter) letter = make_letter("aa-1-1");
    g_assert_false(
        quarantine_put(fixture->quarantine, letter, &content, LIMIT, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_IO);
    g_assert_cmpuint(count_names(fixture), ==, 0);
    g_autofree char *text = quarantine_board_format();
    g_assert_nonnull(strstr(text, "filterd_quarantine_bytes 0\n"));
}

/* ---- death -------------------------------------------------------------- */

/* What the child did, up to its death. */
typedef struct Trace {
    gboolean ended, confirmed;
    GArray *calls; /* numbers of system calls, long */
} Trace;

/* It stops before each system call; before number `last` it is killed. The byte
 * in the pipe is the yes that a client would have got. */
static _Noreturn void
run_child(Fixture *fixture, int yes)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    gboolean kept = put(fixture, "ab-1-1", body(), LIMIT, NULL);
    if (kept && write(yes, "y", 1) != 1)
        _exit(2);
    _exit(kept ? 0 : 1);
}

static long
call_number(pid_t child)
{
    struct __ptrace_syscall_info info = {0};
    ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    return info.op == PTRACE_SYSCALL_INFO_ENTRY ? (long)info.entry.nr : -1;
}

static void
follow(pid_t child, unsigned last, Trace *trace)
{
    int status;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, NULL,
           PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
    while (trace->calls->len < last) {
        ptrace(PTRACE_SYSCALL, child, NULL, NULL);
        waitpid(child, &status, 0);
        trace->ended = !WIFSTOPPED(status);
        if (trace->ended)
            return;
        long number = call_number(child);
        if (number >= 0)
            g_array_append_val(trace->calls, number);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}

static void
die_at(Fixture *fixture, unsigned last, Trace *trace)
{
    int yes[2];
    char answer;
    g_assert_cmpint(pipe2(yes, O_CLOEXEC), ==, 0);
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0)
        run_child(fixture, yes[1]);
    close(yes[1]);
    trace->calls = g_array_new(FALSE, FALSE, sizeof(long));
    follow(child, last, trace);
    trace->confirmed = read(yes[0], &answer, 1) == 1;
    close(yes[0]);
}

/* What the next worker finds: all of it, or nothing once it has swept. */
static void
check_after(Fixture *fixture, const Trace *trace)
{
    if (count_files(fixture) > 0)
        check_whole(fixture, "ab-1-1", body());
    else
        g_assert_false(trace->confirmed);
    g_assert_true(quarantine_sweep(fixture->quarantine, 0, NULL));
    g_autofree char *tally =
        g_build_filename(fixture->state, QUARANTINE_DIRECTORY, ".tally", NULL);
    g_autofree char *path =
        g_build_filename(fixture->state, QUARANTINE_DIRECTORY, "ab-1-1", NULL);
    unsigned files = count_files(fixture);
    g_remove(tally);
    g_assert_cmpuint(count_names(fixture), ==, files);
    g_remove(path);
}

static void
test_killed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    gboolean ended = FALSE;
    unsigned whole = 0, last = 1;
    for (; !ended && last < CALLS; last++) {
        Trace trace = {0};
        die_at(fixture, last, &trace);
        whole += count_files(fixture);
        ended = trace.ended;
        check_after(fixture, &trace);
        g_array_unref(trace.calls);
    }
    g_assert_true(ended);
    g_assert_cmpuint(whole, >, 1);
    g_assert_cmpuint(whole, <, last - 1);
}

static gboolean
next_call(const GArray *calls, unsigned *at, const long *numbers)
{
    for (; *at < calls->len; ++*at)
        for (const long *number = numbers; *number >= 0; number++)
            if (g_array_index(calls, long, *at) == *number) {
                ++*at;
                return TRUE;
            }
    return FALSE;
}

/* A machine that loses its power keeps what was synced only. */
static void
test_order(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const long steps[][3] = {
        {SYS_openat, -1}, {SYS_write, -1},
        {SYS_fsync, -1},  {SYS_renameat, SYS_renameat2, -1},
        {SYS_fsync, -1},  {SYS_write, -1},
    };
    Trace trace = {0};
    unsigned at = 0;
    die_at(fixture, CALLS, &trace);
    g_assert_true(trace.ended);
    g_assert_true(trace.confirmed);
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++)
        g_assert_true(next_call(trace.calls, &at, steps[i]));
    g_array_unref(trace.calls);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"what-was-written-is-read", test_round},
        {"a-mark-is-one-octet-in-its-place", test_mark},
        {"one-at-a-time", test_lock},
        {"no-name-leads-elsewhere", test_names},
        {"what-is-not-ours-is-none", test_strangers},
        {"over-the-limit-there-is-no-room", test_limit},
        {"what-breaks-leaves-nothing", test_broken},
        {"killed-at-each-system-call", test_killed},
        {"synced-before-it-is-named-and-after", test_order},
    };
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path =
            g_strconcat("/service/quarantine/", tests[i].path, NULL);
        g_test_add(path, Fixture, NULL, set_up, tests[i].run, tear_down);
    }
    return g_test_run();
}
