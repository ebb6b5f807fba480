/* tls.c: tests of base/tls below base/stream, over socket pairs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/tls.h"

#include "filterd/base/stream.h"
#include "tests/base/authority.h"
#include "tests/base/in-fiber.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#define BIG (3 * 1024 * 1024)

/* Two ends, and what each of them has come to. */
typedef struct End {
    Stream *stream;
    TlsContext *context;
    StreamStatus status;
    char *problem;
} End;

typedef struct Pair {
    End server, client;
} Pair;

static Stream *
stream_pair(int *peer)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
    *peer = ends[1];
    return stream_new(ends[0]);
}

static TlsContext *
serve_one(const Issued *issued)
{
    const TlsServer options = {.name = "test",
                               .chains = &issued->chain,
                               .keys = &issued->key,
                               .length = 1};
    g_autoptr(GError) error = NULL;
    TlsContext *context = tls_server_new(&options, &error);
    g_assert_no_error(error);
    return context;
}

static TlsContext *
any_client(const char *host)
{
    const TlsClient options = {.host = host};
    return tls_client_new(&options, NULL);
}

static Pair
pair_new(TlsContext *server, TlsContext *client)
{
    int peer;
    Pair pair = {.server = {stream_pair(&peer), server, STREAM_OK, NULL}};
    pair.client = (End){stream_new(peer), client, STREAM_OK, NULL};
    return pair;
}

static void
end_clear(End *end)
{
    g_clear_pointer(&end->stream, stream_free);
    g_clear_pointer(&end->context, tls_context_free);
    g_free(end->problem);
}

static void
pair_clear(Pair *pair)
{
    end_clear(&pair->server);
    end_clear(&pair->client);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pair, pair_clear)

static void
secure(void *data)
{
    End *end = data;
    g_autoptr(GError) error = NULL;
    end->status = stream_secure(end->stream, end->context, &error);
    g_assert_cmpint(end->status == STREAM_OK, ==, error == NULL);
    end->problem = g_strdup(error != NULL ? error->message : "");
}

static void
shake_hands(Pair *pair)
{
    Fiber *server = fiber_start("server", secure, &pair->server);
    Fiber *client = fiber_start("client", secure, &pair->client);
    fiber_join(server);
    fiber_join(client);
}

/* A pair that has agreed. */
static Pair
secured(void)
{
    g_auto(Issued) issued = authority_issue("mx.test", 1, 2);
    Pair pair = pair_new(serve_one(&issued), any_client("mx.test"));
    shake_hands(&pair);
    g_assert_cmpstr(pair.server.problem, ==, "");
    g_assert_cmpstr(pair.client.problem, ==, "");
    return pair;
}

static void
assert_comes(Stream *stream, const char *expected)
{
    size_t length;
    g_assert_cmpint(stream_fill(stream), ==, STREAM_OK);
    const char *bytes = stream_peek(stream, &length);
    g_assert_cmpmem(bytes, length, expected, strlen(expected));
    stream_consume(stream, length);
}

static void
say(Stream *stream, const char *text)
{
    g_assert_cmpint(stream_printf(stream, "%s", text), ==, STREAM_OK);
    g_assert_cmpint(stream_flush(stream), ==, STREAM_OK);
}

/* ---- what goes through -------------------------------------------------- */

static void
carries(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = secured();
    const TlsPeer *peer = stream_peer(pair.server.stream);
    g_assert_cmpstr(peer->version, ==, "TLSv1.3");
    g_assert_true(g_str_has_prefix(peer->cipher, "TLS_"));
    g_assert_null(peer->fingerprint);
    say(pair.server.stream, "220 hello");
    assert_comes(pair.client.stream, "220 hello");
    say(pair.client.stream, "EHLO");
    assert_comes(pair.server.stream, "EHLO");
}

static void
read_big(Stream *stream)
{
    size_t place = 0, length;
    while (place < BIG && stream_fill(stream) == STREAM_OK) {
        const char *bytes = stream_peek(stream, &length);
        for (size_t i = 0; i < length; i++)
            if (bytes[i] != (char)(place++ * 31 >> 3))
                g_error("wrong octet at %zu", place - 1);
        stream_consume(stream, length);
    }
    g_assert_cmpuint(place, ==, BIG);
}

static void
write_big(Stream *stream)
{
    g_autofree char *bytes = g_malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (char)(i * 31 >> 3);
    g_assert_cmpint(stream_write(stream, bytes, BIG), ==, STREAM_OK);
    g_assert_cmpint(stream_flush(stream), ==, STREAM_OK);
}

static void
echo_big(void *data)
{
    End *end = data;
    read_big(end->stream);
    write_big(end->stream);
}

static void
big_writes(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = secured();
    Fiber *fiber = fiber_start("peer", echo_big, &pair.server);
    write_big(pair.client.stream);
    read_big(pair.client.stream);
    fiber_join(fiber);
}

/* Passes octets on one by one. */
typedef struct Drip {
    Stream *from, *to;
} Drip;

static void
drip(void *data)
{
    const Drip *pipe = data;
    size_t length;
    while (stream_fill(pipe->from) == STREAM_OK)
        for (;;) {
            const char *bytes = stream_peek(pipe->from, &length);
            if (length == 0)
                break;
            stream_write(pipe->to, bytes, 1);
            stream_flush(pipe->to);
            stream_consume(pipe->from, 1);
            fiber_yield();
        }
}

static void
partial_records(void *data G_GNUC_UNUSED)
{
    int ends[2];
    g_auto(Issued) issued = authority_issue("mx.test", 1, 2);
    g_autoptr(Stream) left = stream_pair(&ends[0]),
                      right = stream_pair(&ends[1]);
    Drip pipes[] = {{left, right}, {right, left}};
    Fiber *fibers[] = {fiber_start("left", drip, &pipes[0]),
                       fiber_start("right", drip, &pipes[1])};
    g_auto(Pair) pair = {
        .server = {.stream = stream_new(ends[0]),
                   .context = serve_one(&issued)},
        .client = {.stream = stream_new(ends[1]), .context = any_client(NULL)}};
    shake_hands(&pair);
    g_assert_cmpstr(pair.server.problem, ==, "");
    g_assert_cmpstr(pair.client.problem, ==, "");
    say(pair.client.stream, "MAIL FROM:<>");
    assert_comes(pair.server.stream, "MAIL FROM:<>");
    for (unsigned i = 0; i < 2; i++) {
        fiber_cancel(fibers[i]);
        fiber_join(fibers[i]);
    }
}

/* Tickets come after the handshake and are no words. */
static void
tickets(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = secured();
    Stream *client = pair.client.stream;
    g_assert_true(stream_quiet(client));
    g_assert_false(stream_pending(client));
    say(pair.server.stream, "220");
    fiber_yield();
    g_assert_true(stream_pending(client));
    g_assert_false(stream_quiet(client));
    assert_comes(client, "220");
    g_assert_true(stream_quiet(client));
    stream_idle(client);
    g_clear_pointer(&pair.server.stream, stream_free);
    fiber_yield();
    g_assert_false(stream_pending(client));
    g_assert_false(stream_quiet(client));
}

/* What some library left in the thread's queue has nothing to do with us. */
static void
strange_errors(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = secured();
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    g_assert_true(stream_quiet(pair.client.stream));
    say(pair.server.stream, "220");
    assert_comes(pair.client.stream, "220");
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    stream_set_deadline(pair.client.stream, clock_after(5));
    g_assert_cmpint(stream_fill(pair.client.stream), ==, STREAM_TIMEOUT);
    g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

/* ---- ends --------------------------------------------------------------- */

static void
good_end(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = secured();
    stream_printf(pair.server.stream, "221");
    stream_flush(pair.server.stream);
    g_clear_pointer(&pair.server.stream, stream_free);
    assert_comes(pair.client.stream, "221");
    g_assert_cmpint(stream_fill(pair.client.stream), ==, STREAM_EOF);
}

static void
cut_off(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = secured();
    shutdown(stream_fd(pair.server.stream), SHUT_WR);
    g_assert_cmpint(stream_fill(pair.client.stream), ==, STREAM_ERROR);
    g_assert_cmpint(stream_error(pair.client.stream), ==, ECONNRESET);
    say(pair.client.stream, "421");
    assert_comes(pair.server.stream, "421");
}

static void
spoiled_record(void *data G_GNUC_UNUSED)
{
    static const char record[] = "\x17\x03\x03\x00\x14"
                                 "01234567890123456789";
    g_auto(Pair) pair = secured();
    g_assert_cmpint(send(stream_fd(pair.server.stream), record, 25, 0), ==, 25);
    g_assert_cmpint(stream_fill(pair.client.stream), ==, STREAM_ERROR);
    g_assert_cmpint(stream_error(pair.client.stream), ==, EPROTO);
    stream_printf(pair.client.stream, "x");
    g_assert_cmpint(stream_flush(pair.client.stream), ==, STREAM_ERROR);
}

/* ---- handshakes that fail ----------------------------------------------- */

static void
silent_peer(void *data G_GNUC_UNUSED)
{
    int peer;
    g_auto(Issued) issued = authority_issue("mx.test", 1, 2);
    End end = {.stream = stream_pair(&peer), .context = serve_one(&issued)};
    clock_stop(0);
    stream_set_deadline(end.stream, clock_after(10));
    Fiber *fiber = fiber_start("server", secure, &end);
    fiber_yield();
    g_assert_cmpint(send(peer, "\x16\x03\x01", 3, 0), ==, 3);
    fiber_yield();
    clock_advance(10);
    fiber_join(fiber);
    g_assert_cmpint(end.status, ==, STREAM_TIMEOUT);
    g_assert_cmpstr(end.problem, ==, "TLS handshake: timed out");
    clock_start();
    end_clear(&end);
    close(peer);
}

static void
cancelled(void *data G_GNUC_UNUSED)
{
    int peer;
    g_auto(Issued) issued = authority_issue("mx.test", 1, 2);
    End end = {.stream = stream_pair(&peer), .context = serve_one(&issued)};
    Fiber *fiber = fiber_start("server", secure, &end);
    fiber_yield();
    fiber_cancel(fiber);
    fiber_join(fiber);
    g_assert_cmpint(end.status, ==, STREAM_CANCELLED);
    end_clear(&end);
    close(peer);
}

static void
garbage(void *data G_GNUC_UNUSED)
{
    char octets[256];
    int peer;
    g_auto(Issued) issued = authority_issue("mx.test", 1, 2);
    End end = {.stream = stream_pair(&peer), .context = serve_one(&issued)};
    g_assert_cmpint(send(peer, "EHLO mx.test\r\n", 14, 0), ==, 14);
    secure(&end);
    g_assert_cmpint(end.status, ==, STREAM_ERROR);
    g_assert_true(g_str_has_prefix(end.problem, "TLS handshake: "));
    g_assert_cmpint(stream_printf(end.stream, "250 hello"), ==, STREAM_ERROR);
    end_clear(&end);
    ssize_t length = recv(peer, octets, sizeof octets, 0);
    g_assert_null(memmem(octets, (size_t)MAX(length, 0), "250", 3));
    close(peer);
}

static void
hangs_up(void *data G_GNUC_UNUSED)
{
    int peer;
    End end = {.stream = stream_pair(&peer), .context = any_client(NULL)};
    shutdown(peer, SHUT_WR);
    secure(&end);
    g_assert_cmpint(end.status, ==, STREAM_ERROR);
    g_assert_cmpstr(end.problem, ==, "TLS handshake: connection closed");
    end_clear(&end);
    close(peer);
}

/* What came before, as from somebody between the two. */
static void
injected(void *data G_GNUC_UNUSED)
{
    size_t length;
    g_auto(Issued) issued = authority_issue("mx.test", 1, 2);
    g_auto(Pair) pair = pair_new(serve_one(&issued), any_client(NULL));
    say(pair.client.stream, "NOOP\r\n");
    g_assert_cmpint(stream_fill(pair.server.stream), ==, STREAM_OK);
    stream_discard(pair.server.stream);
    shake_hands(&pair);
    g_assert_cmpstr(pair.server.problem, ==, "");
    stream_peek(pair.server.stream, &length);
    g_assert_cmpuint(length, ==, 0);
    say(pair.client.stream, "QUIT");
    assert_comes(pair.server.stream, "QUIT");
}

/* Behind a PROXY header in one packet. */
static void
begun(void *data G_GNUC_UNUSED)
{
    g_auto(Issued) issued = authority_issue("mx.test", 1, 2);
    g_auto(Pair) pair = pair_new(serve_one(&issued), any_client(NULL));
    Fiber *client = fiber_start("client", secure, &pair.client);
    g_assert_cmpint(stream_fill(pair.server.stream), ==, STREAM_OK);
    secure(&pair.server);
    fiber_join(client);
    g_assert_cmpstr(pair.server.problem, ==, "");
    g_assert_cmpstr(pair.client.problem, ==, "");
    say(pair.client.stream, "QUIT");
    assert_comes(pair.server.stream, "QUIT");
}

/* ---- certificates ------------------------------------------------------- */

/* Verified by a client that asks for `host`; the client's problem. */
static char *
verify(const Issued *issued, const char *host, const FilterdFile *authority)
{
    const TlsClient options = {
        .host = host, .verify = TRUE, .authority = *authority};
    g_autoptr(GError) error = NULL;
    TlsContext *client = tls_client_new(&options, &error);
    g_assert_no_error(error);
    g_auto(Pair) pair = pair_new(serve_one(issued), client);
    shake_hands(&pair);
    if (*pair.client.problem == '\0') {
        g_assert_true(stream_peer(pair.client.stream)->verified);
        g_assert_cmpuint(strlen(stream_peer(pair.client.stream)->fingerprint),
                         ==, 64);
    }
    return g_strdup(pair.client.problem);
}

static void
verifies(void *data G_GNUC_UNUSED)
{
    static const struct {
        const char *hosts, *host;
        int since;
        gboolean strange;
        const char *problem;
    } cases[] = {
        {"mx.test", "mx.test", 1, FALSE, ""},
        {"a.test mx.test", "MX.test", 1, FALSE, ""},
        {"*.in.test", "mx.in.test", 1, FALSE, ""},
        {"127.0.0.1", "127.0.0.1", 1, FALSE, ""},
        {"mx.test", "my.test", 1, FALSE, "hostname mismatch"},
        {"m*.in.test", "mx.in.test", 1, FALSE, "hostname mismatch"},
        {"mx.test", "127.0.0.1", 1, FALSE, "IP address mismatch"},
        {"mx.test", "mx.test", 3, FALSE, "certificate has expired"},
        {"mx.test", "mx.test", -1, FALSE, "certificate is not yet valid"},
        {"mx.test", "mx.test", 1, TRUE, "certificate"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Issued) issued =
            authority_issue(cases[i].hosts, cases[i].since, 2);
        g_autofree char *problem =
            verify(&issued, cases[i].host,
                   cases[i].strange ? authority_stranger() : authority_root());
        if (strstr(problem, cases[i].problem) == NULL
            || (*problem == '\0') != (*cases[i].problem == '\0'))
            g_error("%s for %s: %s", cases[i].hosts, cases[i].host, problem);
    }
}

/* The first is for those who ask for nothing that we have. */
static void
by_name(void *data G_GNUC_UNUSED)
{
    static const struct {
        const char *host;
        unsigned shown;
    } cases[] = {{"a.test", 0}, {"b.test", 1}, {"x.c.test", 2},
                 {"C.test", 2}, {"d.test", 0}, {NULL, 0}};
    g_auto(Issued) a = authority_issue("a.test", 1, 2),
                   b = authority_issue("b.test", 1, 2),
                   c = authority_issue("c.test *.c.test", 1, 2);
    const FilterdFile chains[] = {a.chain, b.chain, c.chain};
    const FilterdFile keys[] = {a.key, b.key, c.key};
    const TlsServer options = {
        .name = "test", .chains = chains, .keys = keys, .length = 3};
    char *fingerprints[3] = {0};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases) + 3; i++) {
        gboolean alone = i < 3;
        const Issued alones[] = {{chains[i % 3], keys[i % 3]}};
        g_auto(Pair) pair =
            pair_new(alone ? serve_one(alones) : tls_server_new(&options, NULL),
                     any_client(alone ? NULL : cases[i - 3].host));
        shake_hands(&pair);
        const char *shown = stream_peer(pair.client.stream)->fingerprint;
        if (alone)
            fingerprints[i] = g_strdup(shown);
        else
            g_assert_cmpstr(shown, ==, fingerprints[cases[i - 3].shown]);
    }
    for (unsigned i = 0; i < 3; i++)
        g_free(fingerprints[i]);
}

/* A key in PEM that wants a password. */
#define LOCKED                                                               \
    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"               \
    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"             \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" \
    "-----END EC PRIVATE KEY-----\n"

static FilterdFile
file_of(const char *text)
{
    return (FilterdFile){"file", text, strlen(text)};
}

static void
bad_files(void *data G_GNUC_UNUSED)
{
    g_auto(Issued) one = authority_issue("a.test", 1, 2),
                   other = authority_issue("a.test", 1, 2);
    g_autofree char *cut = g_strndup(one.chain.bytes, one.chain.length / 2);
    g_autofree char *odd =
        g_strconcat(one.chain.bytes, "-----BEGIN CERTIFICATE-----\n!\n", NULL);
    g_autofree char *both = g_strconcat(one.key.bytes, one.chain.bytes, NULL);
    const struct {
        FilterdFile chain, key;
        int code; /* -1: fine */
    } cases[] = {
        {one.chain, one.key, -1},
        {file_of(both), file_of(both), -1},
        {file_of("certificate"), one.key, TLS_ERROR_CERTIFICATE},
        {file_of(""), one.key, TLS_ERROR_CERTIFICATE},
        {file_of(cut), one.key, TLS_ERROR_CERTIFICATE},
        {file_of(odd), one.key, TLS_ERROR_CERTIFICATE},
        {one.chain, file_of(""), TLS_ERROR_KEY},
        {one.chain, one.chain, TLS_ERROR_KEY},
        {one.chain, other.key, TLS_ERROR_KEY},
        {one.chain, file_of(LOCKED), TLS_ERROR_KEY},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(TlsCertificate) certificate =
            tls_certificate_new(&cases[i].chain, &cases[i].key, &error);
        g_assert_cmpint(certificate != NULL, ==, cases[i].code == -1);
        if (cases[i].code >= 0)
            g_assert_error(error, TLS_ERROR, cases[i].code);
    }
}

static void
out_of_time(void *data G_GNUC_UNUSED)
{
    static const struct {
        int since, days;
        const char *complaint;
    } cases[] = {{1, 2, NULL},
                 {3, 2, "it expired on 2"},
                 {-1, 2,
                  "it is not valid "
                  "before 2"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Issued) issued =
            authority_issue("a.test", cases[i].since, cases[i].days);
        g_autoptr(TlsCertificate) certificate =
            tls_certificate_new(&issued.chain, &issued.key, NULL);
        g_autofree char *complaint = tls_certificate_complaint(certificate);
        if (cases[i].complaint == NULL)
            g_assert_null(complaint);
        else
            g_assert_true(g_str_has_prefix(complaint, cases[i].complaint));
    }
}

typedef struct Row {
    const char *name;
    FiberRun run;
} Row;

static const Row rows[] = {
    {"both-ends-hear-each-other", carries},
    {"big-writes-arrive-whole-both-ways", big_writes},
    {"records-may-come-octet-by-octet", partial_records},
    {"tickets-are-no-words", tickets},
    {"errors-of-others-are-not-ours", strange_errors},
    {"close-notify-is-a-good-end", good_end},
    {"an-end-without-it-is-none-and-can-be-answered", cut_off},
    {"a-spoiled-record-ends-everything", spoiled_record},
    {"a-silent-peer-hits-the-deadline", silent_peer},
    {"cancel-ends-a-handshake", cancelled},
    {"garbage-is-answered-nothing-in-clear", garbage},
    {"a-peer-may-hang-up", hangs_up},
    {"what-was-said-before-can-be-thrown-away", injected},
    {"what-was-read-before-can-be-its-beginning", begun},
    {"chain-host-and-time-are-verified", verifies},
    {"certificates-go-by-name", by_name},
    {"bad-files-say-which", bad_files},
    {"expired-certificates-are-seen", out_of_time},
};

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    run_in_fiber(row->run, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/base/tls/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    int status = g_test_run();
    authority_clear();
    return status;
}
