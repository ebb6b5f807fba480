/* verdicts.c: each verdict at each stage: what the client is told, what goes
 * on, and what is left of it for the next transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include <string.h>

#define MESSAGE "From: a@example.org\nSubject: hello\n\nbody\n"

/* The decisions of a dialogue: c continue, r reject, t tempfail, d discard,
 * x disconnect; q behind the last: it goes on with the quarantine field. A
 * client stops where it is refused. */
typedef struct Cell {
    const char *stage, *verdict;
    const char *first;   /* connect, helo, mail, rcpt, data, message */
    const char *next;    /* mail, rcpt, data, message of the next */
    const char *greeted; /* helo, mail … after another EHLO */
} Cell;

/* Behind each rule there is one at message that refuses everything; but not
 * behind quarantine. */
static const Cell cells[] = {
    {"connect", "accept", "cccccc", "cccc", "ccccc"},
    {"connect", "pass", "cccccr", "cccr", "ccccr"},
    {"connect", "reject", "r", NULL, NULL},
    {"connect", "tempfail", "t", NULL, NULL},
    {"connect", "discard", "cccdcd", "cdcd", "ccdcd"},
    {"connect", "quarantine", "ccccccq", "ccccq", "cccccq"},
    {"connect", "disconnect", "x", NULL, NULL},
    {"helo", "accept", "cccccc", "cccc", "ccccr"},
    {"helo", "pass", "cccccr", "cccr", "ccccr"},
    {"helo", "reject", "cr", NULL, "ccccr"},
    {"helo", "tempfail", "ct", NULL, "ccccr"},
    {"helo", "discard", "cccdcd", "cdcd", "ccccr"},
    {"helo", "quarantine", "ccccccq", "ccccq", "ccccc"},
    {"helo", "disconnect", "cx", NULL, NULL},
    {"mail", "accept", "cccccc", "cccr", "ccccr"},
    {"mail", "pass", "cccccr", "cccr", "ccccr"},
    {"mail", "reject", "ccr", "cccr", "ccccr"},
    {"mail", "tempfail", "cct", "cccr", "ccccr"},
    {"mail", "discard", "cccdcd", "cccr", "ccccr"},
    {"mail", "quarantine", "ccccccq", "cccc", "ccccc"},
    {"mail", "disconnect", "ccx", NULL, NULL},
    {"rcpt", "accept", "cccccc", "cccr", "ccccr"},
    {"rcpt", "pass", "cccccr", "cccr", "ccccr"},
    {"rcpt", "reject", "cccr", "cccr", "ccccr"},
    {"rcpt", "tempfail", "ccct", "cccr", "ccccr"},
    {"rcpt", "discard", "cccdcd", "cccr", "ccccr"},
    {"rcpt", "quarantine", "ccccccq", "cccc", "ccccc"},
    {"rcpt", "disconnect", "cccx", NULL, NULL},
    {"data", "accept", "cccccc", "cccr", "ccccr"},
    {"data", "pass", "cccccr", "cccr", "ccccr"},
    {"data", "reject", "ccccr", "cccr", "ccccr"},
    {"data", "tempfail", "cccct", "cccr", "ccccr"},
    {"data", "discard", "cccccd", "cccr", "ccccr"},
    {"data", "quarantine", "ccccccq", "cccc", "ccccc"},
    {"data", "disconnect", "ccccx", NULL, NULL},
    {"message", "accept", "cccccc", "cccr", "ccccr"},
    {"message", "pass", "cccccc", "cccr", "ccccr"},
    {"message", "reject", "cccccr", "cccr", "ccccr"},
    {"message", "tempfail", "ccccct", "cccr", "ccccr"},
    {"message", "discard", "cccccd", "cccr", "ccccr"},
    {"message", "quarantine", "ccccccq", "cccc", "ccccc"},
    {"message", "disconnect", "cccccx", NULL, NULL},
};

static const Cell *cell;

/* Adds a letter; TRUE: the client goes on. */
static gboolean
note(GString *seen, SessionVerdict verdict)
{
    static const char letters[] = "crtdx";
    g_assert_cmpuint(verdict, <, strlen(letters));
    g_string_append_c(seen, letters[verdict]);
    return verdict == SESSION_CONTINUE || verdict == SESSION_DISCARD;
}

static void
deliver(World *world, GString *seen)
{
    g_autofree char *out = world_outgoing(world);
    if (world_count(out, "X-Filterd-Quarantine: rule\r\n") == 1)
        g_string_append_c(seen, 'q');
    world_deliver(world);
}

static void
transact(World *world, const char *from, GString *seen)
{
    if (!note(seen, world_mail(world, from))
        || !note(seen, world_rcpt(world, "b@example.com"))
        || !note(seen, session_data(world->session).verdict)) {
        session_reset(world->session);
        return;
    }
    world_feed(world, MESSAGE);
    SessionVerdict verdict = session_message(world->session).verdict;
    note(seen, verdict);
    if (verdict == SESSION_CONTINUE)
        deliver(world, seen);
    session_reset(world->session);
}

/* One line in the log for what became of it. */
static void
assert_lines(World *world, unsigned lines)
{
    static const char *const words[] = {
        "accepted session",  "rejected session",    "tempfailed session",
        "discarded session", "quarantined session", "disconnected session"};
    unsigned found = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        found += world_count(world->log->str, words[i]);
    g_assert_cmpuint(found, ==, lines);
}

static void
play_first(World *world)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    const char *helo = "helo.example.org";
    if (note(seen, session_connect(world->session).verdict)
        && note(seen, session_helo(world->session, helo, "ESMTP").verdict))
        transact(world, "one@example.org", seen);
    g_assert_cmpstr(seen->str, ==, cell->first);
}

static void
play_greeted(World *world)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    const char *helo = "other.example.org";
    if (note(seen, session_helo(world->session, helo, "ESMTP").verdict))
        transact(world, "two@example.org", seen);
    g_assert_cmpstr(seen->str, ==, cell->greeted);
}

static void
play(World *world)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    play_first(world);
    assert_lines(world, 1);
    if (cell->next != NULL) {
        transact(world, "two@example.org", seen);
        g_assert_cmpstr(seen->str, ==, cell->next);
        assert_lines(world, 2);
    }
    if (cell->greeted != NULL) {
        play_greeted(world);
        assert_lines(world, cell->next != NULL ? 3 : 2);
    }
}

/* The rule holds for the first transaction, or for the first EHLO. */
static const char *
condition(const char *stage)
{
    if (strcmp(stage, "connect") == 0)
        return "";
    if (strcmp(stage, "helo") == 0)
        return "if helo.name = \"helo.example.org\"";
    return "if mail.local = \"one\"";
}

static void
test_cell(const void *data)
{
    cell = data;
    gboolean last = strcmp(cell->stage, "message") == 0;
    gboolean held = strcmp(cell->verdict, "quarantine") == 0;
    g_autofree char *policy = g_strdup_printf(
        "at %s { %s rule %s %s } %s", cell->stage, cell->verdict,
        condition(cell->stage), last && !held ? "reject late" : "",
        last || held ? "" : "at message { reject late }");
    world_run(policy, play);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autofree char *path = g_strdup_printf(
            "/session/verdicts/%s-at-%s", cells[i].verdict, cells[i].stage);
        g_test_add_data_func(path, &cells[i], test_cell);
    }
    return g_test_run();
}
