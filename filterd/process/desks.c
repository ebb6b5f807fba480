/* desks.c: what a worker serves at each of its sockets.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/desks.h"

#include "filterd/wire/acceptor.h"
#include "filterd/wire/delegation/desk.h"
#include "filterd/wire/delegation/server.h"
#include "filterd/wire/milter/milter.h"

#include <unistd.h>

typedef struct Desk {
    SmtpService service;
    TlsContext *tls; /* or NULL */
    Acceptor *acceptor;
    int fd;
} Desk;

struct Desks {
    const PolicyConfig *config;
    GArray *desks;  /* Desk */
    Milter *milter; /* or NULL */
    int milter_fd;
    gboolean draining;
};

/* ---- a connection at a time --------------------------------------------- */

static void
desk_clear(void *data)
{
    Desk *desk = data;
    if (desk->acceptor != NULL)
        acceptor_free(desk->acceptor);
    if (desk->service.desk != NULL)
        delegation_desk_free(desk->service.desk);
    if (desk->tls != NULL)
        tls_context_free(desk->tls);
}

/* The check had the same certificates. */
static gboolean
add_desk(Desks *desks, const DesksStart *start, const PolicyListen *listen,
         int fd, GError **error)
{
    Desk desk = {
        .service = {.engine = start->engine,
                    .pool = start->pool,
                    .listen = listen},
        .fd = fd,
    };
    if (listen->tls != POLICY_TLS_OFF) {
        desk.tls = smtp_tls_new(listen, error);
        if (desk.tls == NULL)
            return FALSE;
    }
    desk.service.tls = desk.tls;
    if (listen->wire == POLICY_SERVICE) {
        desk.service.desk = delegation_desk_new(start->engine);
        desk.service.serve = delegation_server_run;
    }
    g_array_append_val(desks->desks, desk);
    return TRUE;
}

/* Their place in memory is known once there are no more. */
static void
open_desks(Desks *desks)
{
    for (unsigned i = 0; i < desks->desks->len; i++) {
        Desk *desk = &g_array_index(desks->desks, Desk, i);
        desk->acceptor = acceptor_new(&desk->service, desk->fd);
    }
}

/* ---- the milter --------------------------------------------------------- */

/* libmilter has one socket a process: where there are several `listen milter`
 * they are dealt out. */
static gboolean
is_ours(const Desks *desks, unsigned worker, unsigned listen)
{
    unsigned before = 0, all = 0;
    const GPtrArray *listens = desks->config->listens;
    for (unsigned i = 0; i < listens->len; i++) {
        const PolicyListen *other = g_ptr_array_index(listens, i);
        if (other->wire != POLICY_MILTER)
            continue;
        before += i < listen ? 1 : 0;
        all++;
    }
    return worker % all == before;
}

static gboolean
add_milter(Desks *desks, const DesksStart *start, unsigned listen,
           GError **error)
{
    if (!is_ours(desks, start->index, listen)) {
        close(start->fds[listen]);
        return TRUE;
    }
    desks->milter_fd = start->fds[listen];
    desks->milter = milter_new(
        start->engine, g_ptr_array_index(desks->config->listens, listen),
        desks->milter_fd, error);
    return desks->milter != NULL;
}

/* ---- all of them -------------------------------------------------------- */

static gboolean
add(Desks *desks, const DesksStart *start, unsigned index, GError **error)
{
    const PolicyListen *listen =
        g_ptr_array_index(desks->config->listens, index);
    if (listen->wire == POLICY_HTTP)
        return TRUE;
    if (listen->wire == POLICY_MILTER)
        return add_milter(desks, start, index, error);
    return add_desk(desks, start, listen, start->fds[index], error);
}

Desks *
desks_new(const DesksStart *start, GError **error)
{
    Desks *desks = g_new0(Desks, 1);
    gboolean ok = TRUE;
    desks->config = engine_config(start->engine);
    desks->desks = g_array_new(FALSE, TRUE, sizeof(Desk));
    g_array_set_clear_func(desks->desks, desk_clear);
    for (unsigned i = 0; ok && i < desks->config->listens->len; i++)
        ok = add(desks, start, i, error);
    if (!ok) {
        desks_free(desks);
        return NULL;
    }
    open_desks(desks);
    return desks;
}

void
desks_free(Desks *desks)
{
    g_array_unref(desks->desks);
    if (desks->milter != NULL)
        milter_free(desks->milter);
    g_free(desks);
}

static void
each_acceptor(const Desks *desks, void (*func)(Acceptor *acceptor))
{
    for (unsigned i = 0; i < desks->desks->len; i++)
        func(g_array_index(desks->desks, Desk, i).acceptor);
}

void
desks_drain(Desks *desks)
{
    if (desks->draining)
        return;
    desks->draining = TRUE;
    each_acceptor(desks, acceptor_drain);
    for (unsigned i = 0; i < desks->desks->len; i++)
        close(g_array_index(desks->desks, Desk, i).fd);
    if (desks->milter == NULL)
        return;
    milter_drain(desks->milter);
    close(desks->milter_fd);
}

void
desks_expire(Desks *desks)
{
    each_acceptor(desks, acceptor_expire);
}

void
desks_cancel(Desks *desks)
{
    each_acceptor(desks, acceptor_cancel);
    if (desks->milter != NULL)
        milter_cancel(desks->milter);
}

unsigned
desks_sessions(const Desks *desks)
{
    unsigned sessions =
        desks->milter != NULL ? milter_sessions(desks->milter) : 0;
    for (unsigned i = 0; i < desks->desks->len; i++)
        sessions +=
            acceptor_sessions(g_array_index(desks->desks, Desk, i).acceptor);
    return sessions;
}
