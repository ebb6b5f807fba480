/* control.c: those who ask and command the master.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/control.h"

#include "filterd/base/clock.h"
#include "filterd/base/json.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where no descriptor is left for a connection. */
#define PAUSE 1000
/* Connections that are taken in a turn of the master's loop. */
#define BATCH 64

typedef enum ClientState {
    CLIENT_ASKS,   /* its word is to come */
    CLIENT_WANTS,  /* a reload that has not begun */
    CLIENT_WAITS,  /* for the end of one */
    CLIENT_LISTENS /* its answer goes out */
} ClientState;

typedef struct Client {
    int fd;
    ClientState state;
    gboolean delayed; /* it knows */
    gboolean gone;
    int64_t deadline;
    char word[CONTROL_WORD_LIMIT];
    gsize length;
    GString *answer;
    gsize written;
} Client;

struct Control {
    ControlSocket *socket;
    uid_t user;
    GPtrArray *clients; /* Client, the oldest first */
    int64_t paused;     /* until then nobody is let in */
};

/* ---- a client ----------------------------------------------------------- */

static Client *
client_new(int fd)
{
    Client *client = g_new0(Client, 1);
    client->fd = fd;
    client->deadline = clock_after(CONTROL_TIME);
    client->answer = g_string_new(NULL);
    return client;
}

static void
client_free(void *data)
{
    Client *client = data;
    close(client->fd);
    g_string_free(client->answer, TRUE);
    g_free(client);
}

/* As much as it takes now. */
static void
client_write(Client *client)
{
    ssize_t sent = 1;
    while (client->written < client->answer->len && sent > 0) {
        sent = send(client->fd, client->answer->str + client->written,
                    client->answer->len - client->written,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
        client->written += (gsize)MAX(sent, 0);
    }
    client->gone |= sent < 0 && errno != EAGAIN && errno != EINTR;
    client->gone |= client->state == CLIENT_LISTENS
                    && client->written == client->answer->len;
}

static void
client_say(Client *client, const char *line)
{
    g_string_append(client->answer, line);
    g_string_append_c(client->answer, '\n');
    client_write(client);
}

/* The last that it hears. */
static void
client_answer(Client *client, const char *line)
{
    client->state = CLIENT_LISTENS;
    client->deadline = clock_after(CONTROL_TIME);
    client_say(client, line);
}

static void
client_tell(Client *client, const char *name, const char *text, gboolean last)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_append_printf(line, "{\"%s\":", name);
    json_append(line, text, strlen(text));
    g_string_append_c(line, '}');
    if (last)
        client_answer(client, line->str);
    else
        client_say(client, line->str);
}

/* ---- its word ----------------------------------------------------------- */

static unsigned
count_waiting(const Control *control)
{
    unsigned count = 0;
    for (unsigned i = 0; i < control->clients->len; i++) {
        const Client *client = g_ptr_array_index(control->clients, i);
        count += client->state == CLIENT_WANTS || client->state == CLIENT_WAITS;
    }
    return count;
}

/* TRUE: it wants a reload. */
static gboolean
client_want(const Control *control, Client *client)
{
    if (count_waiting(control) >= CONTROL_WAITING) {
        client_tell(client, "error", "too many wait for a reload", TRUE);
        return FALSE;
    }
    client->state = CLIENT_WANTS;
    client->deadline = CLOCK_NEVER;
    return TRUE;
}

static gboolean
client_obey(const Control *control, Client *client, const ControlWord *words,
            const void *data)
{
    for (; words->word != NULL; words++) {
        if (strcmp(client->word, words->word) != 0)
            continue;
        if (words->answer == NULL)
            return client_want(control, client);
        g_autofree char *answer = words->answer(data);
        client_answer(client, answer);
        return FALSE;
    }
    client_tell(client, "error", "there is no such word", TRUE);
    return FALSE;
}

/* TRUE: the word is there. */
static gboolean
client_read(Client *client)
{
    ssize_t got = recv(client->fd, client->word + client->length,
                       sizeof client->word - client->length, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return FALSE;
    client->gone |= got <= 0;
    client->length += (gsize)MAX(got, 0);
    char *end = memchr(client->word, '\n', client->length);
    if (end != NULL)
        *end = '\0';
    else if (client->length == sizeof client->word)
        client_tell(client, "error", "that is no word", TRUE);
    return end != NULL;
}

static void
client_check(Client *client)
{
    struct pollfd one = {.fd = client->fd};
    poll(&one, 1, 0);
    client->gone |= (one.revents & (POLLHUP | POLLERR)) != 0
                    || clock_monotonic() >= client->deadline;
}

/* TRUE: it wants a reload. */
static gboolean
client_look(const Control *control, Client *client, const ControlWord *words,
            const void *data)
{
    if (client->state == CLIENT_ASKS && client_read(client))
        return client_obey(control, client, words, data);
    client_write(client);
    client_check(client);
    return FALSE;
}

/* ---- who comes ---------------------------------------------------------- */

static gboolean
may_command(const Control *control, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
           && (peer.uid == 0 || peer.uid == control->user
               || peer.uid == geteuid());
}

/* Whoever has said nothing for longest makes room for those behind it. Its
 * index; -1: there is nobody who has to. */
static int
find_silent(const Control *control)
{
    for (unsigned i = 0; i < control->clients->len; i++) {
        const Client *client = g_ptr_array_index(control->clients, i);
        if (client->gone || client->state == CLIENT_ASKS)
            return (int)i;
    }
    return -1;
}

static gboolean
is_open(const Control *control)
{
    return clock_monotonic() >= control->paused
           && (control->clients->len < CONTROL_CLIENTS
               || find_silent(control) >= 0);
}

/* NULL: nobody is there, or may come. */
static Client *
let_in(Control *control)
{
    if (!is_open(control))
        return NULL;
    int fd = accept4(control_socket_fd(control->socket), NULL, NULL,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            control->paused = clock_after(PAUSE);
        return NULL;
    }
    if (control->clients->len >= CONTROL_CLIENTS)
        g_ptr_array_remove_index(control->clients, (guint)find_silent(control));
    Client *client = client_new(fd);
    if (!may_command(control, fd))
        client_tell(client, "error", "only root and filterd's user may ask",
                    TRUE);
    g_ptr_array_add(control->clients, client);
    return client;
}

/* ---- all of them -------------------------------------------------------- */

Control *
control_new(const char *directory, const Privileges *privileges, GError **error)
{
    ControlSocket *there = control_socket_new(directory, privileges, error);
    if (there == NULL)
        return NULL;
    Control *control = g_new0(Control, 1);
    control->socket = there;
    control->user = privileges->uid;
    control->clients = g_ptr_array_new_with_free_func(client_free);
    return control;
}

void
control_free(Control *control)
{
    for (unsigned i = 0; i < control->clients->len; i++) {
        Client *client = g_ptr_array_index(control->clients, i);
        if (client->state == CLIENT_WANTS || client->state == CLIENT_WAITS)
            client_tell(client, "error", "filterd ends", TRUE);
    }
    g_ptr_array_unref(control->clients);
    control_socket_free(control->socket);
    g_free(control);
}

const char *
control_directory(const Control *control)
{
    return control_socket_directory(control->socket);
}

void
control_poll(const Control *control, GArray *polls)
{
    struct pollfd one = {.fd = control_socket_fd(control->socket),
                         .events = POLLIN};
    if (is_open(control))
        g_array_append_val(polls, one);
    for (unsigned i = 0; i < control->clients->len; i++) {
        const Client *client = g_ptr_array_index(control->clients, i);
        one.fd = client->fd;
        one.events = client->state == CLIENT_ASKS ? POLLIN : 0;
        if (client->written < client->answer->len)
            one.events |= POLLOUT;
        g_array_append_val(polls, one);
    }
}

/* Each that is let in is heard before it may have to make room. */
gboolean
control_look(Control *control, const ControlWord *words, const void *data)
{
    gboolean wanted = FALSE;
    Client *newcomer;
    for (unsigned i = 0; i < BATCH && (newcomer = let_in(control)); i++)
        wanted |= client_look(control, newcomer, words, data);
    for (unsigned i = control->clients->len; i > 0; i--) {
        Client *client = g_ptr_array_index(control->clients, i - 1);
        wanted |= client_look(control, client, words, data);
        if (client->gone)
            g_ptr_array_remove_index(control->clients, i - 1);
    }
    return wanted;
}

/* ---- reloads ------------------------------------------------------------ */

void
control_delay(Control *control, const char *why)
{
    for (unsigned i = 0; i < control->clients->len; i++) {
        Client *client = g_ptr_array_index(control->clients, i);
        if (client->state == CLIENT_WANTS && !client->delayed)
            client_tell(client, "note", why, FALSE);
        client->delayed |= client->state == CLIENT_WANTS;
    }
}

void
control_begin(Control *control)
{
    for (unsigned i = 0; i < control->clients->len; i++) {
        Client *client = g_ptr_array_index(control->clients, i);
        if (client->state == CLIENT_WANTS)
            client->state = CLIENT_WAITS;
    }
}

void
control_conclude(Control *control, const char *line)
{
    for (unsigned i = 0; i < control->clients->len; i++) {
        Client *client = g_ptr_array_index(control->clients, i);
        if (client->state == CLIENT_WAITS)
            client_answer(client, line);
    }
}
