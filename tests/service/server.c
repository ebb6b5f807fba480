/* server.c: a small DNS server on the test's own loop. (RFC 1035 4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/service/server.h"

#include "filterd/base/loop.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <string.h>
#include <unistd.h>

#define PACKET_LIMIT 65535
#define QUESTION_OFFSET 12

enum { SERVFAIL = 2, NXDOMAIN = 3, TYPE_SOA = 6 };

struct Server {
    const ServerRow *rows;
    int socket;
    struct event *event;
    struct evconnlistener *listener;
    GQueue connections;
    GPtrArray *questions;
    GQueue late; /* of Late */
    char address[32];
};

typedef struct Question {
    char name[256];
    int type;
    gsize end; /* of the question in the packet */
} Question;

static void
put_u16(GByteArray *packet, unsigned value)
{
    g_byte_array_append(packet,
                        (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void
put_u32(GByteArray *packet, uint32_t value)
{
    put_u16(packet, value >> 16);
    put_u16(packet, value & 0xffff);
}

static void
put_name(GByteArray *packet, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    for (gsize i = 0; labels[i] != NULL && *labels[i] != '\0'; i++) {
        uint8_t length = (uint8_t)strlen(labels[i]);
        g_byte_array_append(packet, &length, 1);
        g_byte_array_append(packet, (const uint8_t *)labels[i], length);
    }
    g_byte_array_append(packet, (const uint8_t *)"", 1);
}

static void
put_text(GByteArray *packet, const char *text)
{
    for (gsize left = strlen(text); left > 0;) {
        uint8_t length = (uint8_t)MIN(left, 255);
        g_byte_array_append(packet, &length, 1);
        g_byte_array_append(packet, (const uint8_t *)text, length);
        text += length;
        left -= length;
    }
}

static void
put_data(GByteArray *packet, const ServerRow *row)
{
    uint8_t address[16];
    switch (row->type) {
    case FILTERD_DNS_A:
        g_assert_cmpint(inet_pton(AF_INET, row->data, address), ==, 1);
        g_byte_array_append(packet, address, 4);
        break;
    case FILTERD_DNS_AAAA:
        g_assert_cmpint(inet_pton(AF_INET6, row->data, address), ==, 1);
        g_byte_array_append(packet, address, 16);
        break;
    case FILTERD_DNS_MX:
        put_u16(packet, (unsigned)g_ascii_strtoull(row->data, NULL, 10));
        put_name(packet, strchr(row->data, ' ') + 1);
        break;
    case FILTERD_DNS_TXT:
        put_text(packet, row->data);
        break;
    default:
        put_name(packet, row->data);
        break;
    }
}

static void
put_record(GByteArray *packet, const ServerRow *row)
{
    put_name(packet, row->name);
    put_u16(packet, (unsigned)row->type);
    put_u16(packet, 1);
    put_u32(packet, row->ttl);
    gsize length_at = packet->len;
    put_u16(packet, 0);
    put_data(packet, row);
    gsize length = packet->len - length_at - 2;
    packet->data[length_at] = (uint8_t)(length >> 8);
    packet->data[length_at + 1] = (uint8_t)length;
}

static void
put_soa(GByteArray *packet)
{
    put_name(packet, "");
    put_u16(packet, TYPE_SOA);
    put_u16(packet, 1);
    put_u32(packet, 60);
    put_u16(packet, 2 + 5 * 4);
    put_name(packet, "");
    put_name(packet, "");
    for (int i = 0; i < 5; i++)
        put_u32(packet, 60);
}

static gboolean
read_question(const uint8_t *packet, gsize length, Question *question)
{
    gsize at = QUESTION_OFFSET;
    gsize out = 0;
    while (at < length && packet[at] != 0) {
        gsize size = packet[at++];
        if (size > 63 || at + size >= length || out + size + 2 > 255)
            return FALSE;
        if (out > 0)
            question->name[out++] = '.';
        memcpy(question->name + out, packet + at, size);
        out += size;
        at += size;
    }
    if (at + 5 > length)
        return FALSE;
    question->name[out] = '\0';
    question->type = packet[at + 1] << 8 | packet[at + 2];
    question->end = at + 5;
    return TRUE;
}

/* Appends the records of the name's rows of that type; counts all its rows. */
static unsigned
put_rows(const Server *server, const char *name, int type, GByteArray *packet,
         unsigned *rows)
{
    unsigned count = 0;
    *rows = 0;
    for (const ServerRow *row = server->rows; row->name != NULL; row++) {
        if (g_ascii_strcasecmp(row->name, name) != 0)
            continue;
        ++*rows;
        if (row->type != type || row->data == NULL)
            continue;
        put_record(packet, row);
        count++;
    }
    return count;
}

static const ServerRow *
find_row(const Server *server, const char *name, int type)
{
    for (const ServerRow *row = server->rows; row->name != NULL; row++)
        if (row->type == type && g_ascii_strcasecmp(row->name, name) == 0)
            return row;
    return NULL;
}

static void
set_head(GByteArray *packet, unsigned flags, unsigned answers,
         unsigned authorities)
{
    packet->data[2] = (uint8_t)(0x81 | flags >> 8);
    packet->data[3] = (uint8_t)(0x80 | flags);
    memset(packet->data + 4, 0, 8);
    packet->data[5] = 1;
    packet->data[7] = (uint8_t)answers;
    packet->data[9] = (uint8_t)authorities;
}

static void
put_answer(const Server *server, const Question *question, GByteArray *packet)
{
    const char *name = question->name;
    const ServerRow *alias;
    unsigned rows, answers = 0;
    while ((alias = find_row(server, name, SERVER_CNAME)) != NULL) {
        put_record(packet, alias);
        answers++;
        name = alias->data;
    }
    unsigned found = put_rows(server, name, question->type, packet, &rows);
    if (found == 0)
        put_soa(packet);
    set_head(packet, rows == 0 ? NXDOMAIN : 0, answers + found, found == 0);
}

/* NULL: says nothing. */
static GByteArray *
respond(Server *server, const uint8_t *bytes, gsize length, gboolean tcp)
{
    Question question;
    if (!read_question(bytes, length, &question))
        return NULL;
    g_ptr_array_add(server->questions, g_ascii_strdown(question.name, -1));
    const ServerRow *row = find_row(server, question.name, question.type);
    ServerAct act = row != NULL ? row->act : SERVER_ANSWERS;
    if (act == SERVER_IS_SILENT)
        return NULL;
    GByteArray *packet = g_byte_array_new();
    g_byte_array_append(packet, bytes, (guint)question.end);
    if (act == SERVER_SERVFAILS)
        set_head(packet, SERVFAIL, 0, 0);
    else if (act == SERVER_TRUNCATES && !tcp)
        set_head(packet, 0x200, 0, 0);
    else
        put_answer(server, &question, packet);
    return packet;
}

/* A packet on its way. */
typedef struct Late {
    Server *server;
    struct event *event;
    struct sockaddr_in peer;
    GByteArray *packet;
} Late;

static void
late_free(gpointer data)
{
    Late *late = data;
    event_free(late->event);
    g_byte_array_unref(late->packet);
    g_free(late);
}

static void
send_late(int fd, short what G_GNUC_UNUSED, void *data)
{
    Late *late = data;
    sendto(fd, late->packet->data, late->packet->len, 0,
           (struct sockaddr *)&late->peer, sizeof late->peer);
    g_queue_remove(&late->server->late, late);
    late_free(late);
}

/* Takes the packet. */
static void
delay(Server *server, GByteArray *packet, const struct sockaddr_in *peer)
{
    const struct timeval wait = {.tv_usec = SERVER_DELAY * 1000};
    Late *late = g_new0(Late, 1);
    late->server = server;
    late->peer = *peer;
    late->packet = packet;
    late->event =
        event_new(loop_base(), server->socket, EV_TIMEOUT, send_late, late);
    event_add(late->event, &wait);
    g_queue_push_tail(&server->late, late);
}

static bool
is_late(const Server *server, const uint8_t *bytes, gsize length)
{
    Question question;
    if (!read_question(bytes, length, &question))
        return false;
    const ServerRow *row = find_row(server, question.name, question.type);
    return row != NULL && row->act == SERVER_IS_LATE;
}

static void
read_udp(int fd, short what G_GNUC_UNUSED, void *data)
{
    uint8_t bytes[4096];
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    ssize_t length =
        recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &size);
    if (length <= 0)
        return;
    GByteArray *packet = respond(data, bytes, (gsize)length, FALSE);
    if (packet == NULL)
        return;
    if (is_late(data, bytes, (gsize)length)) {
        delay(data, packet, &peer);
        return;
    }
    sendto(fd, packet->data, packet->len, 0, (struct sockaddr *)&peer, size);
    g_byte_array_unref(packet);
}

static void
read_tcp(struct bufferevent *connection, void *data)
{
    struct evbuffer *input = bufferevent_get_input(connection);
    uint8_t head[2];
    while (evbuffer_copyout(input, head, 2) == 2) {
        gsize length = (gsize)head[0] << 8 | head[1];
        if (evbuffer_get_length(input) < 2 + length)
            return;
        g_autofree uint8_t *bytes = g_malloc(2 + length);
        evbuffer_remove(input, bytes, 2 + length);
        GByteArray *packet = respond(data, bytes + 2, length, TRUE);
        if (packet == NULL)
            continue;
        g_assert_cmpuint(packet->len, <=, PACKET_LIMIT);
        uint8_t size[2] = {(uint8_t)(packet->len >> 8), (uint8_t)packet->len};
        bufferevent_write(connection, size, 2);
        bufferevent_write(connection, packet->data, packet->len);
        g_byte_array_unref(packet);
    }
}

static void
accept_tcp(struct evconnlistener *listener G_GNUC_UNUSED, int fd,
           struct sockaddr *peer G_GNUC_UNUSED, int size G_GNUC_UNUSED,
           void *data)
{
    Server *server = data;
    struct bufferevent *connection =
        bufferevent_socket_new(loop_base(), fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(connection, read_tcp, NULL, NULL, server);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
    g_queue_push_tail(&server->connections, connection);
}

/* A port that is free for both protocols. */
static void
open_sockets(Server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 20 && server->listener == NULL; i++) {
        socklen_t size = sizeof address;
        address.sin_port = 0;
        if (server->socket >= 0)
            close(server->socket);
        server->socket =
            socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        bind(server->socket, (struct sockaddr *)&address, size);
        getsockname(server->socket, (struct sockaddr *)&address, &size);
        server->listener = evconnlistener_new_bind(
            loop_base(), accept_tcp, server,
            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
            (struct sockaddr *)&address, (int)size);
    }
    g_assert_nonnull(server->listener);
    g_snprintf(server->address, sizeof server->address, "127.0.0.1@%u",
               ntohs(address.sin_port));
}

Server *
server_new(const ServerRow *rows)
{
    Server *server = g_new0(Server, 1);
    server->rows = rows;
    server->socket = -1;
    server->questions = g_ptr_array_new_with_free_func(g_free);
    open_sockets(server);
    server->event = event_new(loop_base(), server->socket, EV_READ | EV_PERSIST,
                              read_udp, server);
    event_add(server->event, NULL);
    return server;
}

void
server_free(Server *server)
{
    g_queue_clear_full(&server->connections, (GDestroyNotify)bufferevent_free);
    g_queue_clear_full(&server->late, late_free);
    evconnlistener_free(server->listener);
    event_free(server->event);
    close(server->socket);
    g_ptr_array_unref(server->questions);
    g_free(server);
}

const char *
server_address(const Server *server)
{
    return server->address;
}

unsigned
server_questions(const Server *server, const char *name)
{
    unsigned count = 0;
    for (guint i = 0; i < server->questions->len; i++)
        if (name == NULL
            || strcmp(g_ptr_array_index(server->questions, i), name) == 0)
            count++;
    return count;
}
