/* endpoint.c: tests of base/endpoint.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static Endpoint
endpoint(const char *text)
{
    Endpoint parsed = {0};
    g_autoptr(GError) error = NULL;

    endpoint_parse(text, ':', &parsed, &error);
    g_assert_no_error(error);
    return parsed;
}

static void
formats(void)
{
    static const struct {
        const char *text;
        char separator;
        const char *formatted;
    } rows[] = {
        {"192.0.2.1:25", ':', "192.0.2.1:25"},
        {"[2001:db8::1]:25", ':', "[2001:db8::1]:25"},
        {"[::ffff:192.0.2.1]:25", ':', "192.0.2.1:25"},
        {"127.0.0.1:0", ':', "127.0.0.1:0"},
        {"unix:/run/filterd/in", ':', "unix:/run/filterd/in"},
        {"192.0.2.1@53", '@', "192.0.2.1:53"},
        {"2001:db8::1@5353", '@', "[2001:db8::1]:5353"},
        {"[2001:db8::1]@5353", '@', "[2001:db8::1]:5353"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Endpoint parsed;
        g_autofree char *text = NULL;

        g_assert_true(
            endpoint_parse(rows[i].text, rows[i].separator, &parsed, NULL));
        text = endpoint_format(&parsed);
        g_assert_cmpstr(text, ==, rows[i].formatted);
        endpoint_clear(&parsed);
    }
}

static void
refusals(void)
{
    static const char *const rows[] = {
        "",
        "25",
        "192.0.2.1",
        "192.0.2.1:",
        ":25",
        "192.0.2.1:x",
        "192.0.2.1:65536",
        "2001:db8::1:25",
        "[192.0.2.1]:25",
        "[2001:db8::1]",
        "[2001:db8::1:25",
        "localhost:25",
        "unix:run",
        "unix:",
        "192.0.2.1@25",
        "192.0.2.0/24:25",
    };
    g_autofree char *path = g_strnfill(200, 'x');
    g_autofree char *lengthy = g_strconcat("unix:/", path, NULL);
    g_autoptr(GError) last = NULL;
    Endpoint parsed = {.port = 77};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", rows[i]);
        g_assert_false(endpoint_parse(rows[i], ':', &parsed, &error));
        g_assert_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYNTAX);
    }
    g_assert_false(endpoint_parse(lengthy, ':', &parsed, &last));
    g_assert_nonnull(strstr(last->message, "too long"));
    g_assert_cmpuint(parsed.port, ==, 77);
}

static void
sockaddrs(void)
{
    static const char *const rows[] = {"192.0.2.1:25", "[2001:db8::1]:465",
                                       "unix:/run/x"};
    struct sockaddr_storage address;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Endpoint first = endpoint(rows[i]), second;
        socklen_t size = endpoint_to_sockaddr(&first, &address);
        g_autofree char *text = NULL;

        g_assert_true(
            endpoint_from_sockaddr((struct sockaddr *)&address, size, &second));
        text = endpoint_format(&second);
        g_assert_cmpstr(text, ==, rows[i]);
        endpoint_clear(&first);
        endpoint_clear(&second);
    }
    address.ss_family = AF_NETLINK;
    g_assert_false(endpoint_from_sockaddr((struct sockaddr *)&address,
                                          sizeof(address), &(Endpoint){0}));
}

/* Where it listens, with the port that the kernel chose. */
static int
listen_on(const char *text, Endpoint *where)
{
    g_autoptr(GError) error = NULL;
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    Endpoint asked = endpoint(text);
    int fd = endpoint_listen(&asked, NULL, &error);

    g_assert_no_error(error);
    endpoint_clear(&asked);
    getsockname(fd, (struct sockaddr *)&address, &size);
    g_assert_true(
        endpoint_from_sockaddr((struct sockaddr *)&address, size, where));
    return fd;
}

static void
check_taken(const Endpoint *where)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = endpoint_format(where);

    g_assert_cmpint(endpoint_listen(where, NULL, &error), ==, -1);
    g_assert_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM);
    g_assert_nonnull(strstr(error->message, text));
    g_assert_nonnull(strstr(error->message, g_strerror(EADDRINUSE)));
}

static int
connect_to(const Endpoint *where)
{
    struct sockaddr_storage address;
    socklen_t size = endpoint_to_sockaddr(where, &address);
    int fd = socket(address.ss_family, SOCK_STREAM, 0);
    int result = connect(fd, (struct sockaddr *)&address, size);

    close(fd);
    return result;
}

static void
listening(const char *text)
{
    Endpoint where;
    int fd = listen_on(text, &where);

    g_assert_cmpuint(where.port, >, 0);
    g_assert_cmpint(fcntl(fd, F_GETFL) & O_NONBLOCK, !=, 0);
    g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, !=, 0);
    g_assert_cmpint(connect_to(&where), ==, 0);
    check_taken(&where);
    close(fd);
    g_assert_cmpint(connect_to(&where), ==, -1);
}

static gboolean
skip_without_ipv6(void)
{
    Endpoint here = endpoint("[::1]:0");
    int fd = endpoint_listen(&here, NULL, NULL);

    if (fd < 0)
        g_test_skip("this machine has no IPv6");
    else
        close(fd);
    return fd < 0;
}

static void
listening_v6(void)
{
    if (!skip_without_ipv6())
        listening("[::1]:0");
}

static void
listening_v4(void)
{
    listening("127.0.0.1:0");
}

static void
both_families(void)
{
    Endpoint v4, v6;
    int first, second;
    g_autoptr(GError) error = NULL;

    if (skip_without_ipv6())
        return;
    first = listen_on("0.0.0.0:0", &v4);
    v6 = endpoint("[::]:0");
    v6.port = v4.port;
    second = endpoint_listen(&v6, NULL, &error);
    g_assert_no_error(error);
    close(first);
    close(second);
}

static void
unix_peer_is_local(void)
{
    const struct sockaddr_un nameless = {.sun_family = AF_UNIX};
    Endpoint peer;
    char ip[IP_TEXT_SIZE];

    g_assert_true(endpoint_from_sockaddr((const struct sockaddr *)&nameless,
                                         sizeof(sa_family_t), &peer));
    g_assert_cmpstr(ip_format(&peer.ip, ip), ==, "127.0.0.1");
    g_assert_cmpstr(peer.path, ==, "");
    endpoint_clear(&peer);
}

static void
unix_socket(void)
{
    g_autofree char *directory = g_dir_make_tmp("endpoint-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "socket", NULL);
    g_autofree char *text = g_strconcat("unix:", path, NULL);
    Endpoint where, again;
    struct stat status;
    int fd = listen_on(text, &where);

    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0660);
    check_taken(&where);
    close(fd);
    g_test_message("the path is still there, nobody answers");
    fd = listen_on(text, &again);
    g_assert_cmpint(connect_to(&again), ==, 0);
    close(fd);
    g_unlink(path);
    g_test_message("a file is not a socket");
    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
    check_taken(&where);
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    g_unlink(path);
    g_rmdir(directory);
    endpoint_clear(&where);
    endpoint_clear(&again);
}

static void
check_mode(const char *path, unsigned mode)
{
    struct stat status;

    g_assert_cmpint(lstat(path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, mode);
}

static void
access_as_told(void)
{
    g_autofree char *directory = g_dir_make_tmp("endpoint-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "socket", NULL);
    g_autofree char *other = g_build_filename(directory, "file", NULL);
    EndpointAccess access = {0600, getuid(), getgid()};
    Endpoint where = {.path = path}, link = {.path = other};
    int fd = endpoint_listen(&where, &access, NULL);

    g_assert_cmpint(fd, >=, 0);
    check_mode(path, 0600);
    access.mode = 0666;
    g_assert_true(endpoint_set_access(&where, &access, NULL));
    check_mode(path, 0666);
    access.mode = 0;
    g_assert_true(endpoint_set_access(&where, &access, NULL));
    check_mode(path, 0666);
    g_assert_cmpint(symlink(path, other), ==, 0);
    g_assert_false(endpoint_set_access(&link, &access, NULL));
    close(fd);
    g_unlink(path);
    g_unlink(other);
    g_rmdir(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/endpoint/is-an-address-or-a-path", formats);
    g_test_add_func("/base/endpoint/anything-else-is-refused", refusals);
    g_test_add_func("/base/endpoint/goes-to-the-kernel-and-back", sockaddrs);
    g_test_add_func("/base/endpoint/ipv4-listens", listening_v4);
    g_test_add_func("/base/endpoint/ipv6-listens", listening_v6);
    g_test_add_func("/base/endpoint/ipv6-leaves-ipv4-its-port", both_families);
    g_test_add_func("/base/endpoint/a-peer-over-a-unix-socket-is-local",
                    unix_peer_is_local);
    g_test_add_func("/base/endpoint/only-a-stale-socket-is-replaced",
                    unix_socket);
    g_test_add_func("/base/endpoint/a-socket-is-whose-it-is-told-to-be",
                    access_as_told);
    return g_test_run();
}
