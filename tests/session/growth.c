/* growth.c: what a client does a thousand times costs no more than once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#define MESSAGE "From: a@example.org\nSubject: hello\n\nbody\n"
#define TIMES 1000
/* Octets that arrays may keep to be used again. */
#define SLACK 4096
/* Octets of a session that has greeted, of which one fact was asked. */
#define GREETED 2304

/* Known where the address sanitizer counts. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static void
transact(World *world)
{
    world_mail(world, "a@example.org");
    world_rcpt(world, "no@example.com");
    world_rcpt(world, "void@example.com");
    world_rcpt(world, "b@example.com");
    world_message(world, MESSAGE);
    world_deliver(world);
}

static void
greet(World *world)
{
    session_helo(world->session, "again.example.org", "ESMTP");
}

static gboolean in_mail;

static void
refuse(World *world)
{
    if (!in_mail)
        world_mail(world, "a@example.org");
    in_mail = TRUE;
    world_rcpt(world, "no@example.com");
}

static void (*step)(World *world);

static size_t
allocated(World *world)
{
    g_string_truncate(world->log, 0);
    return __sanitizer_get_current_allocated_bytes();
}

static void
repeat(World *world)
{
    world_hello(world);
    for (unsigned i = 0; i < 20; i++)
        step(world);
    size_t before = allocated(world);
    for (unsigned i = 0; i < TIMES; i++) {
        step(world);
        g_string_truncate(world->log, 0);
    }
    g_assert_cmpuint(allocated(world), <, before + SLACK);
}

static void
test_step(const void *data)
{
    if (__sanitizer_get_current_allocated_bytes == NULL) {
        g_test_skip("only the address sanitizer counts");
        return;
    }
    step = *(void (*const *)(World *))data;
    probe.edits = TRUE;
    world_run("use other "
              "at connect { score 1 one }"
              "at helo { score 1 two if probe.helo }"
              "at rcpt { score 1 three rewrite add-header(\"X-To\", \"x\") "
              "discard void if rcpt.local = \"void\" "
              "reject no if rcpt.local = \"no\" and probe.rcpt > 0 }"
              "at message { reject n if other.twice = 0 }",
              repeat);
}

static void
greet_many(World *world)
{
    Session *own = world->session, *many[TIMES];
    size_t before = allocated(world);
    for (unsigned i = 0; i < TIMES; i++) {
        many[i] = world->session = world_session(world);
        world_hello(world);
    }
    g_assert_cmpuint(allocated(world) - before, <, TIMES * GREETED);
    for (unsigned i = 0; i < TIMES; i++)
        session_free(many[i]);
    world->session = own;
}

static void
test_greeted(void)
{
    if (__sanitizer_get_current_allocated_bytes == NULL)
        g_test_skip("only the address sanitizer counts");
    else
        world_run("use other use other as one use other as two "
                  "at connect { reject no if not probe.connect }",
                  greet_many);
}

int
main(int argc, char **argv)
{
    static void (*const steps[])(World *) = {transact, greet, refuse};
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/session/growth/a-thousand-transactions", &steps[0],
                         test_step);
    g_test_add_data_func("/session/growth/a-thousand-greetings", &steps[1],
                         test_step);
    g_test_add_data_func("/session/growth/a-thousand-refused-recipients",
                         &steps[2], test_step);
    g_test_add_func("/session/growth/who-greets-has-what-was-asked-for",
                    test_greeted);
    return g_test_run();
}
