/* observer.c: /metrics and /healthz for `listen http`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/observer.h"

#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/base/timing.h"
#include "filterd/process/board.h"
#include "filterd/process/worker.h"
#include "filterd/service/quarantine-board.h"
#include "filterd/wire/backend-health.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of a request; it has no body. */
#define REQUEST_LIMIT 8192
#define REQUEST_SECONDS 10

static void
answer(struct evhttp_request *request, int code, const char *type,
       const char *text)
{
    struct evbuffer *body = evbuffer_new();
    evhttp_add_header(evhttp_request_get_output_headers(request),
                      "Content-Type", type);
    evbuffer_add(body, text, strlen(text));
    evhttp_send_reply(request, code, NULL, body);
    evbuffer_free(body);
}

static void
on_metrics(struct evhttp_request *request, void *data)
{
    (void)data;
    g_autofree char *counters = metrics_format();
    g_autofree char *backends = backend_health_format();
    g_autofree char *quarantine = quarantine_board_format();
    g_autofree char *timings = timings_format();
    g_autofree char *text =
        g_strconcat(counters, timings, backends, quarantine, NULL);
    answer(request, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text);
}

static void
on_health(struct evhttp_request *request, void *data)
{
    (void)data;
    gboolean alive = board_alive();
    answer(request, alive ? HTTP_OK : HTTP_SERVUNAVAIL, "text/plain",
           alive ? "ok\n" : "no worker turns\n");
}

static const struct {
    const char *path;
    void (*serve)(struct evhttp_request *request, void *data);
} pages[] = {
    {"/metrics", on_metrics},
    {"/healthz", on_health},
};

static void
on_control(evutil_socket_t fd, short events, void *data)
{
    (void)fd;
    (void)events;
    (void)data;
    loop_stop();
}

static struct evhttp *
open_http(const ObserverStart *start)
{
    struct evhttp *http = evhttp_new(loop_base());
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(http, REQUEST_LIMIT);
    evhttp_set_max_body_size(http, 0);
    evhttp_set_timeout(http, REQUEST_SECONDS);
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++)
        evhttp_set_cb(http, pages[i].path, pages[i].serve, NULL);
    for (unsigned i = 0; i < start->config->listens->len; i++) {
        const PolicyListen *listen =
            g_ptr_array_index(start->config->listens, i);
        if (listen->wire == POLICY_HTTP)
            evhttp_accept_socket(http, start->fds[i]);
    }
    return http;
}

int
observer_run(int control, void *data)
{
    const char ready = WORKER_READY;
    loop_init();
    struct evhttp *http = open_http(data);
    struct event *heard =
        event_new(loop_base(), control, EV_READ, on_control, NULL);
    event_add(heard, NULL);
    send(control, &ready, 1, MSG_NOSIGNAL);
    loop_run();
    event_free(heard);
    evhttp_free(http);
    loop_clear();
    close(control);
    return EXIT_SUCCESS;
}
