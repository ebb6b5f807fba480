/* gateway.c: a client, a gateway and a backend in one process, and what they
 * say to each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/stream.h"
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"
#include "filterd/wire/acceptor.h"
#include "filterd/wire/delegation/desk.h"
#include "filterd/wire/delegation/server.h"
#include "tests/base/authority.h"

#include <string.h>
#include <unistd.h>

/* Seconds until a test that hangs is ended. */
#define PATIENCE 60

struct Gateway {
    const GatewayCase *play;
    Backend backend;
    PolicyConfig *config;
    Engine *engine;
    BackendPool *pool;
    SmtpService service;
    Acceptor *acceptor;
    Endpoint endpoint;
    TlsContext *tls, *client_tls;
    int fd;

    Stream *client, *other;
    GString *reply; /* the last one */
    void (*body)(Gateway *gateway, void *data);
    void *data;
};

static GString *logged;

static void
log_sink(FilterdLogLevel level G_GNUC_UNUSED, const char *line)
{
    g_string_append(logged, line);
}

/* ---- setting up --------------------------------------------------------- */

static char *
write_file(const Gateway *gateway)
{
    const GatewayCase *play = gateway->play;
    const char *backend = play->backend != NULL ? play->backend : "";
    g_autofree char *where = endpoint_format(&gateway->backend.endpoint);
    g_autofree char *behind =
        *backend == '-'
            ? g_strdup("")
            : g_strdup_printf("backend %s %s { command-timeout 20s "
                              "data-timeout 20s connect-timeout 20s %s }\n",
                              play->server.local ? "lmtp" : "smtp", where,
                              backend);
    return g_strdup_printf("set hostname mx.test\n"
                           "set max-errors 5\n"
                           "listen %s 127.0.0.1:25 { %s }\n%s%s\n",
                           play->wire != NULL ? play->wire : "smtp",
                           play->listen != NULL ? play->listen : "", behind,
                           play->rules != NULL ? play->rules : "");
}

/* Without this function only a skeleton would be compiled. */
static const FilterdPlugin *
no_plugin(void *data G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
          GError **error)
{
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "no plugin");
    return NULL;
}

/* Certificate and key in one. */
static GBytes *
read_file(void *data G_GNUC_UNUSED, const char *path, GError **error)
{
    static GBytes *both;
    if (g_str_has_suffix(path, "ca.pem"))
        return g_bytes_new(authority_root()->bytes, authority_root()->length);
    if (!g_str_has_suffix(path, "mx.pem")) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "no file");
        return NULL;
    }
    if (both == NULL) {
        g_auto(Issued) one = authority_issue("mx.test", 1, 2);
        g_autofree char *text =
            g_strconcat(one.chain.bytes, one.key.bytes, NULL);
        both = g_bytes_new(text, strlen(text));
    }
    return g_bytes_ref(both);
}

static PolicyConfig *
compile(const Gateway *gateway)
{
    const PolicyLoader loader = {.plugin = no_plugin,
                                 .read = read_file,
                                 .core_facts = engine_core_facts,
                                 .core_actions = engine_core_actions};
    PolicyReport report;
    g_autofree char *text = write_file(gateway);
    policy_report_init(&report);
    PolicyConfig *config =
        policy_compile_text("test.conf", text, &loader, &report);
    g_autofree char *notes = policy_report_format(&report);
    if (config == NULL)
        g_error("%s", notes);
    policy_report_clear(&report);
    return config;
}

static gboolean
serves_policy(const Gateway *gateway)
{
    return g_strcmp0(gateway->play->wire, "policy") == 0;
}

static void
start_listening(Gateway *gateway)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    Endpoint any = {0};
    g_assert_true(ip_parse("127.0.0.1", &any.ip));
    gateway->fd = endpoint_listen(&any, NULL, NULL);
    g_assert_cmpint(gateway->fd, >=, 0);
    getsockname(gateway->fd, (struct sockaddr *)&address, &size);
    endpoint_from_sockaddr((struct sockaddr *)&address, size,
                           &gateway->endpoint);
    gateway->service = (SmtpService){
        .engine = gateway->engine,
        .pool = gateway->pool,
        .listen = g_ptr_array_index(gateway->config->listens, 0),
    };
    if (gateway->service.listen->certificate.length > 0
        && !gateway->play->no_tls)
        gateway->tls = smtp_tls_new(gateway->service.listen, NULL);
    gateway->service.tls = gateway->tls;
    if (serves_policy(gateway)) {
        gateway->service.desk = delegation_desk_new(gateway->engine);
        gateway->service.serve = delegation_server_run;
    }
    gateway->acceptor = acceptor_new(&gateway->service, gateway->fd);
}

static void
start(Gateway *gateway)
{
    const DnsConfig dns = {.zones_only = TRUE, .timeout = 1000};
    const EngineOptions options = {.private_store = TRUE};
    logged = g_string_new(NULL);
    log_set_sink(log_sink);
    loop_init();
    offload_init(1);
    g_assert_true(dns_init(&dns, NULL));
    if (!gateway->play->clock_runs)
        clock_stop(0);
    backend_start(&gateway->backend);
    gateway->config = compile(gateway);
    gateway->engine = engine_new(gateway->config, &options, NULL);
    g_assert_nonnull(gateway->engine);
    gateway->pool = backend_pool_new(gateway->config, "mx.test", 1);
    start_listening(gateway);
}

/* In the fiber. */
static void
stop(Gateway *gateway)
{
    acceptor_cancel(gateway->acceptor);
    while (acceptor_sessions(gateway->acceptor) > 0)
        fiber_yield();
    acceptor_free(gateway->acceptor);
    close(gateway->fd);
    g_clear_pointer(&gateway->service.desk, delegation_desk_free);
    backend_pool_free(gateway->pool);
    engine_free(gateway->engine);
    backend_clear(&gateway->backend);
    g_clear_pointer(&gateway->tls, tls_context_free);
    g_clear_pointer(&gateway->client_tls, tls_context_free);
}

static void
finish(Gateway *gateway)
{
    g_assert_cmpuint(fiber_count(), ==, 0);
    clock_start();
    dns_clear();
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    policy_config_free(gateway->config);
    log_set_sink(NULL);
    g_string_free(logged, TRUE);
}

static void
run_body(void *data)
{
    Gateway *gateway = data;
    gateway->body(gateway, gateway->data);
    stop(gateway);
    loop_stop();
}

void
gateway_run(const GatewayCase *play, void (*body)(Gateway *gateway, void *data),
            void *data)
{
    Gateway gateway = {
        .play = play, .backend = play->server, .body = body, .data = data};
    alarm(PATIENCE);
    start(&gateway);
    fiber_detach(fiber_start("test", run_body, &gateway));
    loop_run();
    finish(&gateway);
}

Gateway *
gateway_new(const GatewayCase *play)
{
    Gateway *gateway = g_new0(Gateway, 1);
    gateway->play = play;
    gateway->backend = play->server;
    start(gateway);
    return gateway;
}

void
gateway_log_clear(void)
{
    g_string_truncate(logged, 0);
}

const SmtpService *
gateway_service(const Gateway *gateway)
{
    return &gateway->service;
}

Backend *
gateway_backend(Gateway *gateway)
{
    return &gateway->backend;
}

unsigned
gateway_sessions(Gateway *gateway)
{
    return acceptor_sessions(gateway->acceptor);
}

int
gateway_connect(Gateway *gateway)
{
    struct sockaddr_storage address;
    socklen_t size = endpoint_to_sockaddr(&gateway->endpoint, &address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, size), ==, 0);
    return fd;
}

/* ---- a client ----------------------------------------------------------- */

static void
say(Gateway *gateway, const char *bytes, gsize length)
{
    stream_write(gateway->client, bytes, length);
    stream_flush(gateway->client);
}

/* Whether the line at `start` was the last one of a reply. */
static gboolean
take_reply_line(Gateway *gateway, gsize start)
{
    for (;;) {
        gsize length;
        const char *bytes = stream_peek(gateway->client, &length);
        const char *lf = length > 0 ? memchr(bytes, '\n', length) : NULL;
        if (lf != NULL) {
            g_string_append_len(gateway->reply, bytes, lf + 1 - bytes);
            stream_consume(gateway->client, (gsize)(lf + 1 - bytes));
            if (serves_policy(gateway))
                return g_str_has_suffix(gateway->reply->str, "\n\n");
            const char *line = gateway->reply->str + start;
            g_assert_true(g_str_has_suffix(line, "\r\n"));
            g_assert_cmpuint(strlen(line), >=, 5);
            return line[3] == ' ';
        }
        if (stream_fill(gateway->client) != STREAM_OK)
            return TRUE;
    }
}

static void
expect(Gateway *gateway, const char *prefix)
{
    g_string_truncate(gateway->reply, 0);
    while (!take_reply_line(gateway, gateway->reply->len))
        continue;
    if (!g_str_has_prefix(gateway->reply->str, prefix))
        g_error("expected: %s\ngot: %s\nlog: %s\nbackend:\n%s", prefix,
                gateway->reply->str, logged->str, gateway->backend.heard->str);
}

static void
expect_end(Gateway *gateway)
{
    gsize length;
    StreamStatus status = stream_fill(gateway->client);
    const char *bytes = stream_peek(gateway->client, &length);
    if (length > 0)
        g_error("expected the end, got: %.*s", (int)length, bytes);
    g_assert_true(status == STREAM_EOF || status == STREAM_ERROR);
}

static void
say_line(Gateway *gateway, const char *text)
{
    g_autofree char *line = g_strconcat(text, "\r\n", NULL);
    say(gateway, line, strlen(line));
}

/* The escape \000 is a NUL; g_strcompress() would end there. */
static void
say_octets(Gateway *gateway, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\\000", 0);
    g_autoptr(GString) octets = g_string_new(NULL);
    for (unsigned i = 0; parts[i] != NULL; i++) {
        g_autofree char *part = g_strcompress(parts[i]);
        if (i > 0)
            g_string_append_c(octets, '\0');
        g_string_append(octets, part);
    }
    say(gateway, octets->str, octets->len);
}

/* What Postfix says of a client that it knows little of. */
static const char *const attributes[][2] = {
    {"protocol_name", "ESMTP"},
    {"client_address", "198.51.100.9"},
    {"client_name", "unknown"},
    {"client_port", "1234"},
    {"server_address", "192.0.2.1"},
    {"server_port", "25"},
    {"helo_name", "c.test"},
    {"sender", "a@c.test"},
    {"recipient", "b@mx.test"},
    {"instance", "1.2.3"},
    {"etrn_domain", ""},
};

static void
ask(Gateway *gateway, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    g_autoptr(GString) request = g_string_new("request=smtpd_access_policy\n");
    g_string_append_printf(request, "protocol_state=%s\n", words[0]);
    for (unsigned i = 1; words[i] != NULL; i++)
        g_string_append_printf(request, "%s\n", words[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_autofree char *name = g_strdup_printf(" %s=", attributes[i][0]);
        if (strstr(text, name) == NULL)
            g_string_append_printf(request, "%s%s\n", name + 1,
                                   attributes[i][1]);
    }
    g_string_append_c(request, '\n');
    say(gateway, request->str, request->len);
}

static void
has(Gateway *gateway, const char *text)
{
    g_assert_nonnull(strstr(gateway->reply->str, text));
}

static void
has_not(Gateway *gateway, const char *text)
{
    g_assert_null(strstr(gateway->reply->str, text));
}

/* Whoever is to wait for that time must have begun to. */
static void
pass_time(Gateway *gateway G_GNUC_UNUSED, const char *text)
{
    for (unsigned i = 0; i < 20; i++) {
        g_usleep(500);
        fiber_yield();
    }
    clock_advance(g_ascii_strtoll(text, NULL, 10));
}

static void
client_ends(Gateway *gateway)
{
    g_clear_pointer(&gateway->client, stream_free);
}

static void
clients_swap(Gateway *gateway)
{
    Stream *client = gateway->client;
    gateway->client = gateway->other;
    gateway->other = client;
    if (gateway->client == NULL)
        gateway->client = stream_new(gateway_connect(gateway));
}

static void
client_begins(Gateway *gateway)
{
    client_ends(gateway);
    gateway->client = stream_new(gateway_connect(gateway));
}

static void
expect_quiet(Gateway *gateway)
{
    gsize length;
    while (stream_fill(gateway->client) == STREAM_OK)
        continue;
    const char *bytes = stream_peek(gateway->client, &length);
    g_assert_null(memmem(bytes, length, "\r\n", 2));
}

static void
client_secures(Gateway *gateway)
{
    const TlsClient options = {.host = NULL};
    g_autoptr(GError) error = NULL;
    if (gateway->client_tls == NULL)
        gateway->client_tls = tls_client_new(&options, NULL);
    stream_secure(gateway->client, gateway->client_tls, &error);
    g_assert_no_error(error);
}

/* ---- dialogues ---------------------------------------------------------- */

static void
do_event(Gateway *gateway, const char *event)
{
    if (strcmp(event, "kick") == 0)
        backend_kick(&gateway->backend);
    else if (strcmp(event, "stop") == 0)
        backend_stop(&gateway->backend);
    else if (strcmp(event, "drain") == 0)
        acceptor_drain(gateway->acceptor);
    else if (strcmp(event, "expire") == 0)
        acceptor_expire(gateway->acceptor);
    else if (strcmp(event, "cut") == 0)
        client_ends(gateway);
    else if (strcmp(event, "swap") == 0)
        clients_swap(gateway);
    else if (strcmp(event, "quiet") == 0)
        expect_quiet(gateway);
    else if (strcmp(event, "secure") == 0)
        client_secures(gateway);
    else if (strcmp(event, "new") == 0)
        client_begins(gateway);
    else
        g_error("no event: %s", event);
}

static void
do_line(Gateway *gateway, const char *line)
{
    static const struct Mark {
        char mark;
        void (*carry_out)(Gateway *gateway, const char *text);
    } marks[] = {
        {'>', say_line}, {'~', say_octets}, {'<', expect},   {'=', has},
        {'/', has_not},  {'+', pass_time},  {'!', do_event}, {'?', ask},
    };
    if (*line == '$')
        expect_end(gateway);
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
        if (marks[i].mark == *line)
            marks[i].carry_out(gateway, line + 2);
}

void
gateway_talk(Gateway *gateway, const char *dialogue)
{
    g_auto(GStrv) lines = g_strsplit(dialogue, "\n", 0);
    gateway->reply = g_string_new(NULL);
    client_begins(gateway);
    for (unsigned i = 0; lines[i] != NULL; i++)
        do_line(gateway, lines[i]);
    client_ends(gateway);
    g_clear_pointer(&gateway->other, stream_free);
    g_string_free(gateway->reply, TRUE);
}

static void
check_text(const char *text, const char *part)
{
    if (part != NULL && strstr(text, part) == NULL)
        g_error("expected: %s\nin: %s", part, text);
}

static void
play(Gateway *gateway, void *data)
{
    const GatewayCase *play = data;
    gateway_talk(gateway, play->dialogue);
    while (acceptor_sessions(gateway->acceptor) > 0)
        fiber_yield();
    if (play->begins != NULL)
        g_assert_true(
            g_str_has_prefix(gateway->backend.heard->str, play->begins));
    if (play->heard != NULL)
        g_assert_cmpstr(gateway->backend.heard->str, ==, play->heard);
    g_assert_cmpuint(gateway->backend.messages, ==, play->messages);
    if (play->connections > 0)
        g_assert_cmpuint(gateway->backend.connections, ==, play->connections);
    check_text(gateway->backend.message->str, play->message);
    check_text(logged->str, play->log);
}

void
gateway_test(gconstpointer gateway_case)
{
    gateway_run(gateway_case, play, (void *)gateway_case);
}

void
gateway_add(const char *path, const GatewayCase *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autofree char *name = g_strconcat(path, cases[i].name, NULL);
        g_test_add_data_func(name, &cases[i], gateway_test);
    }
}
