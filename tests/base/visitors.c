/* visitors.c: tests of base/visitors.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/visitors.h"

#include "filterd/base/clock.h"
#include "filterd/base/ip.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD 1000000

static FilterdIp
address(unsigned number)
{
    return ip_from_v4((struct in_addr){.s_addr = g_htonl(number)});
}

static unsigned
enter(unsigned number)
{
    FilterdIp ip = address(number);
    return visitors_enter(&ip);
}

/* Of a visitor that is looked at, not let in. */
static int64_t
sessions_of(unsigned number)
{
    VisitorCounts counts;
    unsigned seat = enter(number);
    visitors_count(seat, &counts);
    visitors_leave(seat);
    return counts.sessions - 1;
}

static int64_t
recent(unsigned seat, VisitorEvent event)
{
    VisitorCounts counts;
    visitors_count(seat, &counts);
    return counts.recent[event];
}

static void
without_table(void)
{
    VisitorCounts counts = {.sessions = 7};
    FilterdIp ip = address(1);
    visitors_clear();
    visitors_forget(0);
    g_assert_cmpint(visitors_enter(&ip), ==, 0);
    visitors_note(0, VISITOR_ERROR);
    visitors_count(0, &counts);
    visitors_leave(0);
    g_assert_cmpint(counts.sessions, ==, 0);
    g_assert_true(visitors_tell(0, 1000));
    g_assert_cmpuint(visitors_known(), ==, 0);
}

static void
sessions(void)
{
    VisitorCounts counts;
    visitors_init(2);
    unsigned first = enter(1), second = enter(1), other = enter(2);
    g_assert_cmpint(first, ==, second);
    g_assert_cmpint(first, !=, other);
    visitors_count(first, &counts);
    g_assert_cmpint(counts.sessions, ==, 2);
    visitors_leave(first);
    g_assert_cmpint(sessions_of(1), ==, 1);
    visitors_leave(second);
    g_assert_cmpint(sessions_of(1), ==, 0);
    g_assert_cmpint(sessions_of(2), ==, 1);
}

static void
networks(void)
{
    FilterdIp ip = address(0x01000000), network = ip_mask(&ip, 24);
    visitors_init(1);
    g_assert_cmpint(visitors_enter(&ip), !=, visitors_enter(&network));
}

static void
windows(void)
{
    clock_stop(0);
    visitors_init(1);
    unsigned seat = enter(1);
    for (unsigned i = 0; i < 10; i++) {
        visitors_note(seat, VISITOR_CONNECTION);
        visitors_note(seat, VISITOR_ERROR);
    }
    g_assert_cmpint(recent(seat, VISITOR_CONNECTION), ==, 10);
    g_assert_cmpint(recent(seat, VISITOR_UNKNOWN), ==, 0);
    clock_advance(90000);
    g_assert_cmpint(recent(seat, VISITOR_CONNECTION), ==, 5);
    visitors_note(seat, VISITOR_CONNECTION);
    g_assert_cmpint(recent(seat, VISITOR_CONNECTION), ==, 6);
    clock_advance(120000);
    g_assert_cmpint(recent(seat, VISITOR_CONNECTION), ==, 0);
    g_assert_cmpint(recent(seat, VISITOR_ERROR), ==, 10);
    clock_advance(1200000);
    g_assert_cmpint(recent(seat, VISITOR_ERROR), ==, 0);
    clock_start();
}

static void
told_once(void)
{
    clock_stop(0);
    visitors_init(1);
    unsigned seat = enter(1);
    g_assert_true(visitors_tell(seat, 60000));
    g_assert_false(visitors_tell(seat, 60000));
    clock_advance(60000);
    g_assert_true(visitors_tell(seat, 60000));
    clock_start();
}

/* Those that stay are neither forgotten nor mistaken for others. */
static void
flood(void)
{
    VisitorCounts counts;
    visitors_init(1);
    unsigned guest = enter(0xc0000201);
    visitors_note(guest, VISITOR_ERROR);
    for (unsigned i = 0; i < FLOOD; i++) {
        unsigned seat = enter(0x0a000000 + i);
        g_assert_cmpint(seat, !=, guest);
        g_assert_cmpuint(seat, !=, 0);
        visitors_leave(seat);
    }
    g_assert_cmpuint(visitors_known(), <=, VISITORS_LIMIT);
    g_assert_cmpuint(visitors_known(), >, VISITORS_LIMIT - 8);
    visitors_count(guest, &counts);
    g_assert_cmpint(counts.sessions, ==, 1);
    g_assert_cmpint(counts.recent[VISITOR_ERROR], ==, 1);
}

/* Whoever stays is never put out; then newcomers are not counted. */
static void
full(void)
{
    unsigned counted = 0;
    visitors_init(1);
    for (unsigned i = 0; i < 4 * VISITORS_LIMIT; i++)
        counted += enter(i) != 0 ? 1 : 0;
    g_assert_cmpuint(counted, ==, VISITORS_LIMIT);
    g_assert_cmpuint(visitors_known(), ==, VISITORS_LIMIT);
}

/* The one who was here last is the last to be forgotten. */
static void
eviction(void)
{
    clock_stop(0);
    visitors_init(1);
    for (unsigned i = 0; i < 4 * VISITORS_LIMIT; i++)
        visitors_leave(enter(i));
    clock_advance(1);
    unsigned seat = enter(0xc0000201);
    visitors_note(seat, VISITOR_ERROR);
    visitors_leave(seat);
    visitors_leave(enter(0xc0000202));
    g_assert_cmpint(enter(0xc0000201), ==, seat);
    g_assert_cmpint(recent(seat, VISITOR_ERROR), ==, 1);
    clock_start();
}

static void
in_child(unsigned worker, unsigned visits, gboolean dies)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        visitors_use_row(worker);
        for (unsigned i = 0; i < visits; i++)
            enter(1);
        if (dies)
            kill(getpid(), SIGKILL);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(dies ? WIFSIGNALED(status) : status == 0);
}

static void
dead_worker(void)
{
    visitors_init(3);
    visitors_use_row(2);
    enter(1);
    in_child(0, 5, TRUE);
    in_child(1, 7, FALSE);
    g_assert_cmpint(sessions_of(1), ==, 13);
    visitors_forget(0);
    g_assert_cmpint(sessions_of(1), ==, 8);
    in_child(1, 1, FALSE);
    g_assert_cmpint(sessions_of(1), ==, 2);
}

/* Many end in the middle of it, some with the lock. */
static void
killed_at_work(void)
{
    visitors_init(2);
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0)
            for (visitors_use_row(1);;)
                visitors_leave(enter(1));
        g_usleep(2000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        visitors_forget(1);
        g_assert_cmpint(sessions_of(1), ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/visitors/without-a-table-nobody-is-counted",
                    without_table);
    g_test_add_func("/base/visitors/sessions-come-and-go", sessions);
    g_test_add_func("/base/visitors/an-address-is-not-its-network", networks);
    g_test_add_func("/base/visitors/events-are-forgotten-in-time", windows);
    g_test_add_func("/base/visitors/are-told-of-once-in-a-while", told_once);
    g_test_add_func("/base/visitors/a-million-addresses-need-no-more-room",
                    flood);
    g_test_add_func("/base/visitors/who-is-here-is-never-put-out", full);
    g_test_add_func("/base/visitors/the-longest-unseen-makes-room", eviction);
    g_test_add_func("/base/visitors/a-dead-worker-gives-its-sessions-back",
                    dead_worker);
    g_test_add_func("/base/visitors/a-worker-may-die-with-the-lock",
                    killed_at_work);
    return g_test_run();
}
