/* buffer.c: tests of base/buffer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/buffer.h"

#include <glib.h>
#include <string.h>

#define MANY (2 * BUFFER_POOL)

static void
put(Buffer *buffer, const char *text)
{
    size_t length = strlen(text);

    g_assert_cmpuint(buffer_room(buffer), >=, length);
    memcpy(buffer->bytes + buffer->end, text, length);
    buffer->end += length;
}

static void
fill(Buffer *buffer)
{
    size_t room = buffer_room(buffer);

    memset(buffer->bytes + buffer->end, 'x', room);
    buffer->end += room;
}

static void
grows(void)
{
    Buffer buffer = {0};

    put(&buffer, "first");
    for (size_t size = BUFFER_FIRST; size <= BUFFER_LIMIT; size *= 2) {
        fill(&buffer);
        g_assert_cmpuint(buffer.size, ==, size);
    }
    g_assert_cmpuint(buffer_room(&buffer), ==, 0);
    g_assert_cmpmem(buffer.bytes, 6, "firstx", 6);
    buffer.start = 10;
    g_assert_cmpuint(buffer_room(&buffer), ==, 10);
    g_assert_cmpuint(buffer.end - buffer.start, ==, BUFFER_LIMIT - 10);
    buffer_clear(&buffer);
    g_assert_null(buffer.bytes);
    g_assert_cmpuint(buffer_room(&buffer), ==, BUFFER_LIMIT);
    buffer_clear(&buffer);
}

static void
releases(void)
{
    Buffer buffer = {0};

    buffer_release(&buffer);
    put(&buffer, "EHLO a\r\n");
    buffer_release(&buffer);
    g_assert_cmpmem(buffer.bytes, buffer.end, "EHLO a\r\n", 8);
    buffer.start = buffer.end;
    buffer_release(&buffer);
    g_assert_null(buffer.bytes);
    g_assert_cmpuint(buffer.start + buffer.end, ==, 0);
}

static void
pools(void)
{
    Buffer first = {0}, second = {0}, grown = {0};

    put(&first, "MAIL");
    put(&second, "RCPT");
    const char *bytes = first.bytes;
    unsigned size = buffer_pool_size();
    buffer_clear(&first);
    g_assert_cmpuint(buffer_pool_size(), ==, size + 1);
    buffer_room(&first);
    g_assert_true(first.bytes == bytes);
    g_assert_true(second.bytes != bytes);
    g_assert_cmpmem(second.bytes, second.end, "RCPT", 4);
    fill(&grown);
    fill(&grown);
    size = buffer_pool_size();
    buffer_clear(&grown);
    g_assert_cmpuint(buffer_pool_size(), ==, size);
    buffer_clear(&first);
    buffer_clear(&second);
}

static void
forgets(void)
{
    static const char secret[] = "AUTH PLAIN a-long-secret";
    static const char nothing[sizeof secret];
    Buffer buffer = {0};

    put(&buffer, secret);
    buffer.start = buffer.end;
    put(&buffer, "QUIT");
    buffer_clear(&buffer);
    buffer_room(&buffer);
    g_assert_cmpmem(buffer.bytes, strlen(secret), nothing, strlen(secret));
    buffer_clear(&buffer);
}

static void
bounded(void)
{
    Buffer buffers[MANY] = {0};

    for (int i = 0; i < MANY; i++)
        put(&buffers[i], "DATA");
    for (int i = 0; i < MANY; i++)
        buffer_clear(&buffers[i]);
    g_assert_cmpuint(buffer_pool_size(), ==, BUFFER_POOL);
}

static void
wipes(void)
{
    Buffer buffer = {0};

    buffer_wipe(&buffer);
    put(&buffer, "secret MAIL secret");
    buffer.start = 7;
    buffer.end = 11;
    buffer_wipe(&buffer);
    g_assert_cmpmem(buffer.bytes, 18, "\0\0\0\0\0\0\0MAIL\0\0\0\0\0\0\0", 18);
    buffer_clear(&buffer);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/buffer/who-fills-it-gets-a-larger-one", grows);
    g_test_add_func("/base/buffer/content-keeps-its-memory", releases);
    g_test_add_func("/base/buffer/what-is-given-back-is-taken-again", pools);
    g_test_add_func("/base/buffer/what-is-taken-again-holds-nothing", forgets);
    g_test_add_func("/base/buffer/the-pool-is-bounded", bounded);
    g_test_add_func("/base/buffer/all-but-the-content-is-wiped", wipes);
    return g_test_run();
}
