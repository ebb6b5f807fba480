/* loop.c: tests of base/loop.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/loop.h"

#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define THREAD_POSTS 1000

static GString *said;

static void
say(void *data)
{
    g_string_append(said, data);
}

static void
say_and_post(void *data)
{
    say(data);
    loop_post(say, "c");
}

static void
set_up(void)
{
    alarm(60);
    said = g_string_new(NULL);
    loop_init();
}

static void
tear_down(void)
{
    loop_clear();
    g_string_free(said, TRUE);
}

static void
in_order(void)
{
    set_up();
    loop_post(say_and_post, "a");
    loop_post(say, "b");
    g_assert_cmpstr(said->str, ==, "");
    loop_turn(FALSE);
    g_assert_cmpstr(said->str, ==, "ab");
    /* Would hang if it waited for an event, too. */
    loop_turn(TRUE);
    g_assert_cmpstr(said->str, ==, "abc");
    g_assert_cmpuint(loop_turns(), ==, 2);
    tear_down();
}

static void
stop_and_post(void *data)
{
    loop_stop();
    loop_post(say_and_post, data);
}

static void
stopping(void)
{
    set_up();
    loop_post(stop_and_post, "a");
    loop_run();
    g_assert_cmpstr(said->str, ==, "ac");
    loop_post(say, "d");
    loop_stop();
    loop_run();
    g_assert_cmpstr(said->str, ==, "acd");
    tear_down();
}

typedef struct Count {
    int thread, number;
} Count;

static int last_number[THREADS];
static int arrived;

static void
check_order(void *data)
{
    g_autofree Count *count = data;

    g_assert_cmpint(count->number, ==, last_number[count->thread] + 1);
    last_number[count->thread]++;
    if (++arrived == THREADS * THREAD_POSTS)
        loop_stop();
}

static gpointer
post_many(gpointer data)
{
    for (int i = 1; i <= THREAD_POSTS; i++) {
        Count *count = g_new(Count, 1);

        *count = (Count){GPOINTER_TO_INT(data), i};
        loop_post_from_thread(check_order, count);
    }
    return NULL;
}

static void
threads(void)
{
    GThread *all[THREADS];

    set_up();
    for (int i = 0; i < THREADS; i++)
        all[i] = g_thread_new("post", post_many, GINT_TO_POINTER(i));
    loop_run();
    for (int i = 0; i < THREADS; i++)
        g_thread_join(all[i]);
    g_assert_cmpint(arrived, ==, THREADS * THREAD_POSTS);
    tear_down();
}

static void
readable(int fd, short what G_GNUC_UNUSED, void *data)
{
    char octet;

    g_assert_cmpint(read(fd, &octet, 1), ==, 1);
    say(data);
}

static void
child_of_fork(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        loop_clear();
        loop_init();
        loop_post(say, "child");
        loop_turn(FALSE);
        loop_clear();
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void
forking(void)
{
    int ends[2];
    struct event *event;

    set_up();
    g_assert_cmpint(pipe(ends), ==, 0);
    event = event_new(loop_base(), ends[0], EV_READ | EV_PERSIST, readable,
                      "parent");
    event_add(event, NULL);
    loop_turn(FALSE);
    child_of_fork();
    g_assert_cmpint(write(ends[1], "x", 1), ==, 1);
    loop_turn(FALSE);
    g_assert_cmpstr(said->str, ==, "parent");
    event_free(event);
    close(ends[0]);
    close(ends[1]);
    tear_down();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/loop/posts-run-in-order-before-it-waits", in_order);
    g_test_add_func("/base/loop/what-is-due-runs-after-stop", stopping);
    g_test_add_func("/base/loop/posts-of-threads-arrive-in-order", threads);
    g_test_add_func("/base/loop/a-child-leaves-the-parents-events", forking);
    return g_test_run();
}
