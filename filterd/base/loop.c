/* loop.c: turns of a libevent base, with a queue of calls in front of each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct Post {
    LoopFunc func;
    void *data;
} Post;

static struct event_base *base;
static pid_t owner;
static uint64_t turns;
static gboolean stopping, in_turn;

/* Those of this turn, and those that come in meanwhile. */
static GArray *posts, *later;

/* From other threads; the eventfd says that there are some. */
static GMutex thread_lock;
static GArray *thread_posts;
static int thread_fd;
static struct event *thread_event;

static void
take_thread_posts(int fd, short what G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
    eventfd_t count;

    eventfd_read(fd, &count);
    g_mutex_lock(&thread_lock);
    g_array_append_vals(later, thread_posts->data, thread_posts->len);
    g_array_set_size(thread_posts, 0);
    g_mutex_unlock(&thread_lock);
}

void
loop_init(void)
{
    struct event_config *config = event_config_new();

    g_assert(base == NULL);
    /* Only one thread ever touches the base. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    event_config_free(config);
    thread_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (base == NULL || thread_fd < 0)
        g_error("no event loop: %s", g_strerror(errno));
    owner = getpid();
    turns = 0;
    stopping = FALSE;
    posts = g_array_new(FALSE, FALSE, sizeof(Post));
    later = g_array_new(FALSE, FALSE, sizeof(Post));
    thread_posts = g_array_new(FALSE, FALSE, sizeof(Post));
    thread_event = event_new(base, thread_fd, EV_READ | EV_PERSIST,
                             take_thread_posts, NULL);
    event_add(thread_event, NULL);
}

void
loop_clear(void)
{
    /* In a child, the epoll descriptor is the parent's, too: taking events out
     * of it would take them from the parent. */
    if (getpid() != owner)
        event_reinit(base);
    event_free(thread_event);
    event_base_free(base);
    base = NULL;
    in_turn = FALSE;
    close(thread_fd);
    g_array_unref(posts);
    g_array_unref(later);
    g_array_unref(thread_posts);
}

static void
run_posts(void)
{
    GArray *now = later;

    later = posts;
    posts = now;
    for (guint i = 0; i < now->len; i++) {
        const Post post = g_array_index(now, Post, i);

        post.func(post.data);
    }
    g_array_set_size(now, 0);
}

static void
turn(gboolean wait)
{
    g_assert(!in_turn);
    in_turn = TRUE;
    turns++;
    run_posts();
    event_base_loop(base, wait && later->len == 0 && !stopping
                              ? EVLOOP_ONCE
                              : EVLOOP_ONCE | EVLOOP_NONBLOCK);
    in_turn = FALSE;
}

void
loop_turn(gboolean wait)
{
    turn(wait && later->len == 0);
}

void
loop_run(void)
{
    while (!stopping)
        turn(TRUE);
    do
        turn(FALSE);
    while (later->len > 0);
    stopping = FALSE;
}

void
loop_stop(void)
{
    stopping = TRUE;
    event_base_loopbreak(base);
}

struct event_base *
loop_base(void)
{
    return base;
}

void
loop_post(LoopFunc func, void *data)
{
    const Post post = {func, data};

    g_array_append_val(later, post);
}

void
loop_post_from_thread(LoopFunc func, void *data)
{
    const Post post = {func, data};

    g_mutex_lock(&thread_lock);
    g_array_append_val(thread_posts, post);
    gboolean first = thread_posts->len == 1;
    g_mutex_unlock(&thread_lock);
    if (first)
        eventfd_write(thread_fd, 1);
}

uint64_t
loop_turns(void)
{
    return turns;
}
