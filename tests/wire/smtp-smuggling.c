/* smtp-smuggling.c: tests that nothing but CRLF.CRLF ends a message, whatever
 * it is cut into and whenever the client goes. (RFC 5321 4.1.1.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/loop.h"
#include "tests/fuzz/play.h"
#include "tests/fuzz/reader.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENVELOPE \
    "EHLO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@mx.test>\r\n"
#define SMUGGLED                                                         \
    "MAIL FROM:<evil@c.test>\r\nRCPT TO:<e@mx.test>\r\nDATA\r\nA: b\r\n" \
    "\r\nevil\r\n.\r\n"
#define END "\r\n.\r\n"

typedef struct Octets {
    const char *bytes;
    gsize length;
} Octets;

#define OCTETS(text)           \
    {                          \
        text, sizeof(text) - 1 \
    }

static const Octets before[] = {
    OCTETS("\r\n"), OCTETS("\n"),     OCTETS("\r"),     OCTETS("\r\r\n"),
    OCTETS("\n\r"), OCTETS("\r\n\0"), OCTETS("\r\0\n"), OCTETS("\v"),
    OCTETS("\f"),   OCTETS("\x85"),   OCTETS("\r\n "),  OCTETS(""),
};

static const Octets behind[] = {
    OCTETS("\r\n"), OCTETS("\n"),     OCTETS("\r"),     OCTETS("\r\r\n"),
    OCTETS("\n\r"), OCTETS("\0\r\n"), OCTETS("\r\0\n"), OCTETS("\v"),
    OCTETS("\f"),   OCTETS(" \r\n"),  OCTETS("\t\r\n"),
};

static void
add(GString *out, const Octets *octets)
{
    g_string_append_len(out, octets->bytes, (gssize)octets->length);
}

static unsigned
messages_heard(void)
{
    const Backend *backend = gateway_backend(play_gateway());
    return strstr(backend->heard->str, "evil@c.test") != NULL ? 1 : 0;
}

/* Both ways, cut before that octet. */
static void
check_cut(const GString *said, gsize cut, gboolean ends)
{
    for (unsigned normalize = 0; normalize < 2; normalize++) {
        const PlayInput input = {.bytes = said->str,
                                 .length = said->len,
                                 .first = cut,
                                 .piece = said->len,
                                 .normalize = normalize == 1};
        play_run(&input);
        g_assert_cmpuint(messages_heard(), ==, ends ? 1 : 0);
    }
}

typedef void PairFunc(const Octets *pair[2]);

static void
each_pair(PairFunc *check)
{
    for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(behind); j++)
            check((const Octets *[]){&before[i], &behind[j]});
}

/* ---- DATA --------------------------------------------------------------- */

/* Lines before it end, or do not. */
static const char *const heads[] = {"A: b\r\n\r\nc", "A: b\r\n\r\n", "A: b"};

/* A message with a look-alike in it, behind `fill` octets; where that is. */
static gsize
say_data(GString *out, const char *head, gsize fill, const Octets *pair[2])
{
    g_string_append(out, ENVELOPE "DATA\r\n");
    g_string_append(out, head);
    while (out->len < fill)
        g_string_append_c(out, 'x');
    gsize at = out->len;
    add(out, pair[0]);
    g_string_append_c(out, '.');
    add(out, pair[1]);
    g_string_append(out, SMUGGLED "QUIT\r\n");
    return at;
}

/* Whether what is before the smuggled has the end of data. */
static gboolean
is_end(const GString *said, gsize stop)
{
    gsize begin = strlen(ENVELOPE "DATA\r\n");
    gsize end = reader_end(said->str + begin, said->len - begin);
    return end > 0 && begin + end <= stop;
}

static void
check_data(const Octets *pair[2])
{
    gsize size = pair[0]->length + 1 + pair[1]->length;
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++) {
        g_autoptr(GString) said = g_string_new(NULL);
        gsize at = say_data(said, heads[i], 0, pair);
        for (gsize cut = at; cut <= at + size; cut++)
            check_cut(said, cut, is_end(said, at + size));
    }
}

static void
test_data(void)
{
    each_pair(check_data);
}

static void
check_border(gsize border, const Octets *pair[2])
{
    gsize size = pair[0]->length + 1 + pair[1]->length;
    for (gsize off = 0; off <= size; off++) {
        g_autoptr(GString) said = g_string_new(NULL);
        gsize at = say_data(said, heads[0], border - off, pair);
        check_cut(said, border, is_end(said, at + size));
    }
}

static void
check_small_borders(const Octets *pair[2])
{
    check_border(4096, pair);
    check_border(8192, pair);
}

static void
test_borders(void)
{
    each_pair(check_small_borders);
}

/* Those that most servers were caught with. */
static void
test_large_border(void)
{
    for (gsize i = 0; i < 4; i++)
        for (gsize j = 0; j < 4; j++)
            check_border(65536, (const Octets *[]){&before[i], &behind[j]});
}

/* ---- chunks ------------------------------------------------------------- */

static void
append_chunk(GString *out, const char *bytes, gsize length, const char *last)
{
    g_string_append_printf(out, "BDAT %" G_GSIZE_FORMAT "%s\r\n", length, last);
    g_string_append_len(out, bytes, (gssize)length);
}

/* No octets of a chunk end it, wherever it is parted. */
static void
check_chunks_behind(const char *head, const Octets *pair[2])
{
    g_autoptr(GString) content = g_string_new(head);
    gsize at = content->len;
    add(content, pair[0]);
    g_string_append_c(content, '.');
    add(content, pair[1]);
    gsize stop = content->len;
    g_string_append(content, SMUGGLED);
    for (gsize cut = at; cut <= stop; cut++) {
        g_autoptr(GString) said = g_string_new(ENVELOPE);
        append_chunk(said, content->str, cut, "");
        gsize border = said->len;
        append_chunk(said, content->str + cut, content->len - cut, " LAST");
        g_string_append(said, "QUIT\r\n");
        check_cut(said, border, FALSE);
    }
}

static void
check_chunks(const Octets *pair[2])
{
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        check_chunks_behind(heads[i], pair);
}

static void
test_chunks(void)
{
    each_pair(check_chunks);
}

/* ---- clients that go ---------------------------------------------------- */

static void
turn_until(gboolean busy)
{
    Gateway *gateway = play_gateway();
    while ((gateway_sessions(gateway) > 0) != busy)
        loop_turn(TRUE);
}

static void
say_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};
    for (unsigned i = 0; i < 20; i++)
        loop_turn(FALSE);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    turn_until(FALSE);
}

/* What is not read would make a reset of it. */
static void
say_end(int fd)
{
    shutdown(fd, SHUT_WR);
    turn_until(FALSE);
    close(fd);
}

/* Says so much, and goes; how many messages came of it. */
static unsigned
go_after(const char *said, gsize length, void (*go)(int fd))
{
    Gateway *gateway = play_gateway();
    unsigned messages = gateway_backend(gateway)->messages;
    int fd = gateway_connect(gateway);
    turn_until(TRUE);
    g_assert_cmpint(write(fd, said, length), ==, (gssize)length);
    go(fd);
    return gateway_backend(gateway)->messages - messages;
}

static void
check_gone(const char *said, gsize end)
{
    gsize length = strlen(said);
    for (gsize size = length - end; size <= length; size++) {
        unsigned whole = size == length ? 1 : 0;
        g_assert_cmpuint(go_after(said, size, say_end), ==, whole);
        g_assert_cmpuint(go_after(said, size, say_reset), <=, whole);
    }
}

static void
test_gone(void)
{
    check_gone(ENVELOPE "DATA\r\nA: b\r\n\r\nc" END, strlen(END) + 1);
    check_gone(ENVELOPE "DATA\r\n.\r\n", 4);
    check_gone(ENVELOPE "DATA\r\nA: b\r\n\r\nc\r\n.\n.\r\r\n" END, 10);
}

static void
test_gone_in_chunks(void)
{
    check_gone(ENVELOPE "BDAT 9\r\nA: b\r\n\r\ncBDAT 5 LAST\r\n" END, 12);
    check_gone(ENVELOPE "BDAT 9\r\nA: b\r\n\r\ncBDAT 0 LAST\r\n", 15);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/smuggling/no-look-alike-ends-data", test_data);
    g_test_add_func("/wire/smuggling/nor-at-the-border-of-a-buffer",
                    test_borders);
    g_test_add_func("/wire/smuggling/nor-at-the-border-of-the-largest-buffer",
                    test_large_border);
    g_test_add_func("/wire/smuggling/no-octets-of-a-chunk-are-commands",
                    test_chunks);
    g_test_add_func("/wire/smuggling/half-an-end-of-data-delivers-nothing",
                    test_gone);
    g_test_add_func("/wire/smuggling/half-a-last-chunk-delivers-nothing",
                    test_gone_in_chunks);
    return g_test_run();
}
