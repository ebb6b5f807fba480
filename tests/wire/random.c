/* random.c: clients that say what comes to their mind, in front of mail servers
 * that do the same; every yes and every no is held against what became of the
 * message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * With SMTP and LMTP on either side, recipients of several groups, two backends
 * with little room, AUTH, and faults at every step. WIRE_RANDOM=N plays N
 * scenes instead.
 */
#include "filterd/base/clock.h"
#include "filterd/base/endpoint.h"
#include "filterd/base/loop.h"
#include "filterd/base/stream.h"
#include "tests/wire/gateway.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCENES 60
#define SERVERS 2
#define CLIENTS 3
#define SESSIONS 3
#define MESSAGES 3
#define RECIPIENTS 4
/* One of so many replies is none, is a refusal, has another before it. */
#define FAULTS 25
#define REFUSALS 12
#define ECHOES 15

typedef struct World World;

typedef struct Server {
    World *world;
    gboolean local;
    int fd;
    Endpoint endpoint;
    Fiber *fiber;
} Server;

struct World {
    GRand *random;
    Gateway *gateway;
    Server servers[SERVERS];
    gboolean local;
    GHashTable *taken; /* "message recipient user", that a server took */
    unsigned messages, running, visits;
    unsigned yes; /* to recipients */
};

static gboolean
one_of(World *world, int number)
{
    return g_rand_int_range(world->random, 0, number) == 0;
}

static const char *
any_of(World *world, const char *const *words)
{
    int length = (int)g_strv_length((char **)words);
    return words[g_rand_int_range(world->random, 0, length)];
}

/* The next line, without CRLF; NULL: there is none. */
static char *
read_line(Stream *stream)
{
    gsize length;
    for (;;) {
        const char *bytes = stream_peek(stream, &length);
        const char *end = memmem(bytes, length, "\r\n", 2);
        if (end != NULL) {
            char *line = g_strndup(bytes, (gsize)(end - bytes));
            stream_consume(stream, (gsize)(end + 2 - bytes));
            return line;
        }
        if (stream_flush(stream) != STREAM_OK
            || stream_fill(stream) != STREAM_OK)
            return NULL;
    }
}

/* ---- a mail server ------------------------------------------------------ */

typedef struct Visit {
    Server *server;
    Stream *stream;
    GPtrArray *recipients; /* local parts */
    char *user;
    gboolean closing, echoed;
} Visit;

static void
put(Visit *visit, const char *text)
{
    stream_write(visit->stream, text, strlen(text));
}

static gboolean
spoil(Visit *visit)
{
    static const char *const words[] = {
        "what?\r\n", "421 4.3.2 bye\r\n", "100 wait\r\n", "250-cut", "hang", "",
        NULL};
    World *world = visit->server->world;
    if (visit->echoed || !one_of(world, FAULTS))
        return FALSE;
    const char *word = any_of(world, words);
    visit->closing = TRUE;
    if (strcmp(word, "hang") == 0)
        clock_advance(25000);
    else
        put(visit, word);
    return TRUE;
}

/* TRUE: it was that reply which was said. */
static gboolean
reply(Visit *visit, const char *text)
{
    static const char *const refusals[] = {"451 4.2.0 genuine\r\n",
                                           "550 5.1.1 genuine\r\n", NULL};
    World *world = visit->server->world;
    if (visit->closing || spoil(visit))
        return FALSE;
    if (one_of(world, REFUSALS)) {
        put(visit, any_of(world, refusals));
        return FALSE;
    }
    put(visit, text);
    return TRUE;
}

/* One too many and one too few look like none of both: so no fault follows. */
static void
echo(Visit *visit)
{
    static const char *const words[] = {"250 2.0.0 once more\r\n",
                                        "354 go on\r\n", NULL};
    if (visit->closing || !one_of(visit->server->world, ECHOES))
        return;
    put(visit, any_of(visit->server->world, words));
    visit->echoed = TRUE;
}

static GString *
read_message(Visit *visit)
{
    char *line;
    GString *message = g_string_new(NULL);
    while ((line = read_line(visit->stream)) != NULL) {
        gboolean end = strcmp(line, ".") == 0;
        g_string_append_printf(message, "%s\n", line);
        g_free(line);
        if (end)
            return message;
    }
    visit->closing = TRUE;
    g_string_free(message, TRUE);
    return NULL;
}

/* A recipient gets the edits of its own group, and those whom the rules refuse
 * or discard get nothing. */
static void
check_message(const GString *message, const char *recipient)
{
    g_assert_true(*recipient != 'c' && *recipient != 'x');
    g_assert_true((strstr(message->str, "X-For: b\n") != NULL)
                  == (*recipient == 'b'));
    g_assert_true((strstr(message->str, "X-For: d\n") != NULL)
                  == (*recipient == 'd'));
}

static void
take(Visit *visit, const GString *message, const char *recipient)
{
    const char *name = strstr(message->str, "Subject: ") + strlen("Subject: ");
    g_hash_table_add(visit->server->world->taken,
                     g_strdup_printf("%.*s %s %s", (int)strcspn(name, "\n"),
                                     name, recipient,
                                     visit->user != NULL ? visit->user : "-"));
}

/* With LMTP an echo may come anywhere, else behind the only reply. */
static void
do_data(Visit *visit)
{
    const GPtrArray *recipients = visit->recipients;
    if (recipients->len == 0 || !reply(visit, "354 go on\r\n"))
        return;
    g_autoptr(GString) message = read_message(visit);
    for (unsigned i = 0; message != NULL && i < recipients->len; i++)
        check_message(message, g_ptr_array_index(recipients, i));
    unsigned replies = visit->server->local ? recipients->len : 1;
    for (unsigned i = 0; message != NULL && i < replies; i++) {
        unsigned end = visit->server->local ? i + 1 : recipients->len;
        if (replies > 1)
            echo(visit);
        if (reply(visit, "250 2.0.0 taken\r\n"))
            for (unsigned j = i; j < end; j++)
                take(visit, message, g_ptr_array_index(recipients, j));
    }
    echo(visit);
    g_ptr_array_set_size(visit->recipients, 0);
}

static void
do_rcpt(Visit *visit, const char *line)
{
    const char *name = line + strlen("RCPT TO:<");
    echo(visit);
    if (reply(visit, "250 2.1.5 ok\r\n"))
        g_ptr_array_add(visit->recipients, g_strndup(name, strcspn(name, "@")));
}

/* The name is in it in clear, so to speak. */
static void
do_auth(Visit *visit, const char *line)
{
    gsize length;
    g_autofree char *octets =
        (char *)g_base64_decode(line + strlen("AUTH PLAIN "), &length);
    g_assert_null(visit->user);
    if (reply(visit, "235 2.7.0 ok\r\n"))
        visit->user = g_strdup(octets + 1);
}

static void
do_hello(Visit *visit)
{
    static const char *const offers[] = {"250-PIPELINING\r\n", "", NULL};
    g_autofree char *text =
        g_strconcat("250-b\r\n", any_of(visit->server->world, offers),
                    "250 AUTH PLAIN\r\n", NULL);
    if (!spoil(visit))
        put(visit, text);
}

static void
do_mail(Visit *visit)
{
    g_ptr_array_set_size(visit->recipients, 0);
    echo(visit);
    reply(visit, "250 2.1.0 ok\r\n");
}

static void
obey(Visit *visit, const char *line)
{
    visit->echoed = FALSE;
    if (strcmp(line, "DATA") == 0)
        do_data(visit);
    else if (g_str_has_prefix(line, "RCPT"))
        do_rcpt(visit, line);
    else if (g_str_has_prefix(line, "AUTH"))
        do_auth(visit, line);
    else if (g_str_has_prefix(line, "MAIL"))
        do_mail(visit);
    else if (g_str_has_prefix(line, visit->server->local ? "LHLO" : "EHLO"))
        do_hello(visit);
    else
        reply(visit, "250 2.0.0 ok\r\n");
    if (visit->recipients->len > 0 && strcmp(line, "RSET") == 0)
        g_ptr_array_set_size(visit->recipients, 0);
}

static void
serve(void *data)
{
    Visit *visit = data;
    char *line;
    reply(visit, "220 b\r\n");
    while (!visit->closing && (line = read_line(visit->stream)) != NULL) {
        obey(visit, line);
        g_free(line);
    }
    stream_flush(visit->stream);
    stream_free(visit->stream);
    g_ptr_array_unref(visit->recipients);
    visit->server->world->visits--;
    g_free(visit->user);
    g_free(visit);
}

static void
on_ready(evutil_socket_t fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data)
{
    fiber_wake(data);
}

static void
accept_all(Server *server)
{
    int fd;
    while ((fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC))
           >= 0) {
        Visit *visit = g_new0(Visit, 1);
        visit->server = server;
        visit->stream = stream_new(fd);
        visit->recipients = g_ptr_array_new_with_free_func(g_free);
        server->world->visits++;
        fiber_detach(fiber_start("visit", serve, visit));
    }
}

static void
run_server(void *data)
{
    Server *server = data;
    struct event *ready = event_new(
        loop_base(), server->fd, EV_READ | EV_PERSIST, on_ready, fiber_self());
    event_add(ready, NULL);
    while (fiber_wait(CLOCK_NEVER) != FIBER_CANCELLED)
        accept_all(server);
    event_free(ready);
}

/* ---- a client ----------------------------------------------------------- */

typedef struct Client {
    World *world;
    Stream *stream;
    char *reply; /* its last line; NULL: the connection is closed */
    char user[16];
    gboolean known, may_authenticate;
} Client;

/* No no is ours alone: the client says nothing that is wrong. */
static void
check_no(const char *text)
{
    if (*text == '5' && strstr(text, "genuine") == NULL
        && strstr(text, "ours [") == NULL)
        g_error("a fault became: %s", text);
}

static gboolean
hear(Client *client)
{
    do {
        g_free(client->reply);
        client->reply = read_line(client->stream);
        client->may_authenticate |=
            client->reply != NULL && strstr(client->reply, "AUTH") != NULL;
    } while (client->reply != NULL && client->reply[3] == '-');
    if (client->reply != NULL)
        check_no(client->reply);
    if (client->reply != NULL && g_str_has_prefix(client->reply, "421"))
        g_clear_pointer(&client->reply, g_free);
    return client->reply != NULL;
}

static gboolean
yes(const Client *client)
{
    return client->reply != NULL && *client->reply <= '3';
}

static gboolean
ask(Client *client, const char *line)
{
    stream_printf(client->stream, "%s\r\n", line);
    return hear(client) && yes(client);
}

static void
check_yes(Client *client, unsigned message, const char *recipient)
{
    const char *user = client->known ? client->user : "-";
    g_autofree char *key =
        g_strdup_printf("%u %s %s", message, recipient, user);
    g_assert_true(*recipient != 'c');
    client->world->yes++;
    if (*recipient != 'x' && !g_hash_table_contains(client->world->taken, key))
        g_error("nobody has %s", key);
}

static void
send_content(Client *client, const char *const *recipients, unsigned length)
{
    unsigned message = ++client->world->messages;
    unsigned replies = client->world->local ? length : 1;
    if (!ask(client, "DATA"))
        return;
    stream_printf(client->stream, "Subject: %u\r\n\r\n.. body\r\n.\r\n",
                  message);
    for (unsigned i = 0; i < replies && hear(client); i++)
        for (unsigned j = i; yes(client) && j < length; j++)
            if (!client->world->local || j == i)
                check_yes(client, message, recipients[j]);
}

static void
send_mail(Client *client)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "x", NULL};
    const char *taken[RECIPIENTS];
    unsigned length = 0;
    if (!ask(client, "MAIL FROM:<a@c.test>"))
        return;
    for (unsigned i = 0; i < RECIPIENTS && client->reply != NULL; i++) {
        const char *name = any_of(client->world, names);
        g_autofree char *line = g_strdup_printf("RCPT TO:<%s@mx.test>", name);
        if (ask(client, line))
            taken[length++] = name;
        if (one_of(client->world, 20))
            clock_advance(6000);
    }
    if (length > 0 && !one_of(client->world, 8))
        send_content(client, taken, length);
    if (client->reply != NULL)
        ask(client, "RSET");
}

static void
authenticate(Client *client)
{
    char octets[32];
    g_snprintf(client->user, sizeof client->user, "u%u",
               ++client->world->messages);
    int length =
        g_snprintf(octets, sizeof octets, "%c%s%cpw", 'z', client->user, 'z');
    octets[0] = octets[strlen(client->user) + 1] = '\0';
    g_autofree char *answer =
        g_base64_encode((const guchar *)octets, (gsize)length);
    g_autofree char *line = g_strconcat("AUTH PLAIN ", answer, NULL);
    client->known = ask(client, line);
}

static void
talk(Client *client)
{
    World *world = client->world;
    if (!hear(client)
        || !ask(client, world->local ? "LHLO c.test" : "EHLO c.test"))
        return;
    if (client->may_authenticate && one_of(world, 3))
        authenticate(client);
    for (unsigned i = 0; i < MESSAGES && client->reply != NULL; i++) {
        send_mail(client);
        if (one_of(world, 3))
            clock_advance(2000);
        if (one_of(world, 12))
            return;
    }
}

static void
connect_and_talk(World *world)
{
    Client client = {.world = world,
                     .stream = stream_new(gateway_connect(world->gateway))};
    talk(&client);
    g_free(client.reply);
    stream_free(client.stream);
}

static void
run_client(void *data)
{
    World *world = data;
    for (unsigned i = 0; i < SESSIONS; i++)
        connect_and_talk(world);
    world->running--;
}

/* ---- scenes ------------------------------------------------------------- */

static void
play(Gateway *gateway, void *data)
{
    World *world = data;
    world->gateway = gateway;
    for (unsigned i = 0; i < SERVERS; i++)
        world->servers[i].fiber =
            fiber_start("server", run_server, &world->servers[i]);
    world->running = CLIENTS;
    for (unsigned i = 0; i < CLIENTS; i++)
        fiber_detach(fiber_start("client", run_client, world));
    while (world->running > 0)
        fiber_yield();
    while (gateway_sessions(gateway) > 0)
        fiber_yield();
    /* Idle connections go. */
    while (world->visits > 0) {
        clock_advance(40000);
        fiber_yield();
    }
    for (unsigned i = 0; i < SERVERS; i++) {
        fiber_cancel(world->servers[i].fiber);
        fiber_join(world->servers[i].fiber);
    }
}

static char *
open_server(World *world, Server *server)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    server->world = world;
    server->local = one_of(world, 2);
    g_assert_true(ip_parse("127.0.0.1", &server->endpoint.ip));
    server->fd = endpoint_listen(&server->endpoint, NULL, NULL);
    g_assert_cmpint(server->fd, >=, 0);
    getsockname(server->fd, (struct sockaddr *)&address, &size);
    endpoint_from_sockaddr((struct sockaddr *)&address, size,
                           &server->endpoint);
    g_autofree char *where = endpoint_format(&server->endpoint);
    return g_strdup_printf(
        "backend %s %s { max-connections 2 command-timeout 20s "
        "data-timeout 20s connect-timeout 20s }\n",
        server->local ? "lmtp" : "smtp", where);
}

static const char rules[] =
    "set authentication-results off\n"
    "at rcpt { discard gone if rcpt.local = \"x\" }\n"
    "at message {\n"
    "    rewrite add-header(\"X-For\", \"b\") if rcpt.local = \"b\"\n"
    "    rewrite add-header(\"X-For\", \"d\") if rcpt.local = \"d\"\n"
    "    reject no if rcpt.local = \"c\" reply 550 5.7.1 \"ours\"\n"
    "}\n";

static unsigned
play_scene(guint32 seed)
{
    World world = {.random = g_rand_new_with_seed(seed)};
    world.taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *first = open_server(&world, &world.servers[0]);
    g_autofree char *second = open_server(&world, &world.servers[1]);
    g_autofree char *text = g_strconcat(first, second, rules, NULL);
    world.local = one_of(&world, 2);
    const GatewayCase scene = {.name = "random",
                               .backend = "-",
                               .rules = text,
                               .listen = "auth clear",
                               .wire = world.local ? "lmtp" : NULL};
    gateway_run(&scene, play, &world);
    for (unsigned i = 0; i < SERVERS; i++)
        close(world.servers[i].fd);
    g_hash_table_unref(world.taken);
    g_rand_free(world.random);
    return world.yes;
}

static void
test_random(void)
{
    const char *wanted = g_getenv("WIRE_RANDOM");
    guint32 scenes = wanted != NULL ? (guint32)atoi(wanted) : SCENES;
    unsigned taken = 0;
    for (guint32 seed = 0; seed < scenes; seed++) {
        g_test_message("scene %u", seed);
        taken += play_scene(seed);
    }
    g_test_message("%u times yes", taken);
    g_assert_cmpuint(taken, >=, scenes);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/random/every-yes-is-a-backends-yes", test_random);
    return g_test_run();
}
