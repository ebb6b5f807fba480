/* stack.c: tests of base/stack: the pool, its memory, the guard page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/stack.h"
#include "tests/base/in-fiber.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Touched by a deep fiber; well below what a pooled stack keeps. */
#define DEPTH (192 * 1024)

static void
do_nothing(void *data G_GNUC_UNUSED)
{
}

static void
one_after_the_other(void *data G_GNUC_UNUSED)
{
    for (int i = 0; i < 1000; i++)
        fiber_join(fiber_start("short", do_nothing, NULL));
    g_assert_cmpuint(stack_pool_size(), ==, 1);
}

static void
all_at_once(void *data G_GNUC_UNUSED)
{
    for (int i = 0; i < 2 * STACK_POOL; i++)
        fiber_detach(fiber_start("short", do_nothing, NULL));
    fiber_yield();
    g_assert_cmpuint(fiber_count(), ==, 1);
    g_assert_cmpuint(stack_pool_size(), ==, STACK_POOL);
}

static char *
page_of(const char *address)
{
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);

    return (char *)((uintptr_t)address / size * size);
}

static gboolean
is_resident(char *page)
{
    unsigned char resident = 0;

    g_assert_cmpint(mincore(page, 1, &resident), ==, 0);
    return (resident & 1) != 0;
}

static void
go_deep(void *data)
{
    char *deep = g_alloca(DEPTH);

    memset(deep, 1, DEPTH);
    *(char **)data = page_of(deep + DEPTH / 4);
    g_assert_true(is_resident(*(char **)data));
}

static void
gives_back(void *data G_GNUC_UNUSED)
{
    Fiber *fibers[STACK_WARM + 1];
    char *pages[STACK_WARM + 1];

    for (int i = 0; i <= STACK_WARM; i++)
        fibers[i] = fiber_start("deep", go_deep, &pages[i]);
    for (int i = 0; i <= STACK_WARM; i++)
        fiber_join(fibers[i]);
    g_assert_cmpuint(stack_pool_size(), ==, STACK_WARM + 1);
    for (int i = 0; i < STACK_WARM; i++)
        g_assert_true(is_resident(pages[i]));
    g_assert_false(is_resident(pages[STACK_WARM]));
}

/* One that has been deep, and what it stands on while it waits. */
typedef struct Waiter {
    char *page; /* only deeper calls used it */
    gboolean done;
} Waiter;

static void
rest(void *data)
{
    Waiter *waiter = data;
    char frame[3 * 4096];

    go_deep(&waiter->page);
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (char)i;
    fiber_wait(CLOCK_NEVER);
    for (size_t i = 0; i < sizeof frame; i++)
        g_assert_cmpint(frame[i], ==, (char)i);
}

static void
rests(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {0};
    Fiber *fiber = fiber_start("resting", rest, &waiter);

    fiber_yield();
    g_assert_true(is_resident(waiter.page));
    while (is_resident(waiter.page))
        fiber_sleep(FIBER_REST / 10);
    fiber_wake(fiber);
    fiber_join(fiber);
}

static void
go_a_little_deep(void *data)
{
    char *deep = g_alloca(STACK_KEPT / 2);

    memset(deep, 1, STACK_KEPT / 2);
    *(char **)data = page_of(deep + STACK_KEPT / 4);
}

static void
pool_rests(void *data G_GNUC_UNUSED)
{
    Fiber *fibers[STACK_WARM + 1];
    char *pages[STACK_WARM + 1];

    for (int i = 0; i <= STACK_WARM; i++)
        fibers[i] = fiber_start("deep", go_a_little_deep, &pages[i]);
    for (int i = 0; i <= STACK_WARM; i++)
        fiber_join(fibers[i]);
    g_assert_true(is_resident(pages[STACK_WARM]));
    while (is_resident(pages[STACK_WARM]))
        fiber_sleep(FIBER_REST / 10);
    for (int i = 0; i < STACK_WARM; i++)
        g_assert_true(is_resident(pages[i]));
}

static void
stay_busy(void *data)
{
    Waiter *waiter = data;

    go_deep(&waiter->page);
    while (!waiter->done)
        fiber_yield();
}

static void
busy(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {0};
    Fiber *fiber = fiber_start("busy", stay_busy, &waiter);

    fiber_sleep(3 * FIBER_REST);
    g_assert_true(is_resident(waiter.page));
    waiter.done = TRUE;
    fiber_join(fiber);
}

static gboolean
is_blocked(int number)
{
    sigset_t mask;

    sigprocmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, number) == 1;
}

static void
block(void *data G_GNUC_UNUSED)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    fiber_yield();
    g_assert_false(is_blocked(SIGUSR1));
}

static void
switches(void *data G_GNUC_UNUSED)
{
    Fiber *fiber = fiber_start("blocking", block, NULL);
    sigset_t mask;

    g_assert_false(is_blocked(SIGUSR1));
    fiber_yield();
    g_assert_true(is_blocked(SIGUSR1));
    sigemptyset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    fiber_join(fiber);
}

/* The line of the memory map that ends where the mapping of `address` begins.
 */
static char *
mapping_below(const void *address)
{
    g_autofree char *maps = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    lines = g_strsplit(maps, "\n", -1);
    for (size_t i = 1; lines[i] != NULL; i++) {
        char *dash = strchr(lines[i], '-');

        if (dash != NULL
            && g_ascii_strtoull(dash + 1, NULL, 16) > (uintptr_t)address)
            return g_strdup(lines[i - 1]);
    }
    return NULL;
}

static void
guarded(void *data G_GNUC_UNUSED)
{
    const char *frame = __builtin_frame_address(0);
    g_autofree char *below = mapping_below(frame);
    const char *dash = strchr(below, '-');

    g_assert_nonnull(strstr(below, " ---p "));
    g_assert_cmpuint((uintptr_t)frame - g_ascii_strtoull(dash + 1, NULL, 16), <,
                     STACK_SIZE);
}

static void
guard_page(void)
{
    run_in_fiber(guarded, NULL);
}

static void
one_mask(void)
{
    run_in_fiber(switches, NULL);
}

static void
pool_of_one(void)
{
    run_in_fiber(one_after_the_other, NULL);
}

static void
bounded_pool(void)
{
    run_in_fiber(all_at_once, NULL);
}

static void
given_back(void)
{
    run_in_fiber(gives_back, NULL);
}

static void
given_back_at_rest(void)
{
    run_in_fiber(rests, NULL);
}

static void
pool_at_rest(void)
{
    run_in_fiber(pool_rests, NULL);
}

static void
kept_when_busy(void)
{
    run_in_fiber(busy, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/stack/one-after-the-other-share-one", pool_of_one);
    g_test_add_func("/base/stack/the-pool-is-bounded", bounded_pool);
    g_test_add_func("/base/stack/deep-pages-are-given-back", given_back);
    g_test_add_func("/base/stack/who-waits-long-keeps-what-it-stands-on",
                    given_back_at_rest);
    g_test_add_func("/base/stack/who-is-not-taken-again-gives-all-back",
                    pool_at_rest);
    g_test_add_func("/base/stack/who-is-busy-keeps-its-pages", kept_when_busy);
    g_test_add_func("/base/stack/a-guard-page-lies-below", guard_page);
    g_test_add_func("/base/stack/the-signal-mask-is-the-thread-s", one_mask);
    return g_test_run();
}
