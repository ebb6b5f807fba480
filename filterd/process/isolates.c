/* isolates.c: in a worker, the plugins that run in processes of their own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/isolates.h"

#include "filterd/base/loop.h"
#include "filterd/host/isolation/stub.h"
#include "filterd/process/post.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct Isolate {
    Isolates *all;
    guint32 index;
    Link *link;
    FilterdPlugin *stub;
} Isolate;

struct Isolates {
    int post;
    struct event *came;
    Isolate *items;
    unsigned length;
};

static void
on_post(evutil_socket_t fd, short events, void *data)
{
    const Isolates *isolates = data;
    guint32 index;
    int link;
    (void)events;
    while (post_take(fd, &index, &link))
        if (index < isolates->length && link >= 0)
            link_attach(isolates->items[index].link, link);
        else if (link >= 0)
            close(link);
}

static void
on_useless(void *data)
{
    const Isolate *isolate = data;
    post_send(isolate->all->post, isolate->index, -1);
}

Isolates *
isolates_new(const PolicyConfig *config, int post)
{
    Isolates *isolates = g_new0(Isolates, 1);
    isolates->post = post;
    isolates->length = config->isolated->len;
    isolates->items = g_new0(Isolate, isolates->length);
    for (unsigned i = 0; i < isolates->length; i++) {
        const PolicyIsolated *isolated = g_ptr_array_index(config->isolated, i);
        Isolate *isolate = &isolates->items[i];
        *isolate = (Isolate){.all = isolates, .index = i};
        isolate->link = link_new(isolated->use, on_useless, isolate);
        isolate->stub = stub_new(isolate->link);
    }
    if (isolates->length > 0) {
        isolates->came = event_new(loop_base(), post, EV_READ | EV_PERSIST,
                                   on_post, isolates);
        event_add(isolates->came, NULL);
    }
    return isolates;
}

void
isolates_free(Isolates *isolates)
{
    g_clear_pointer(&isolates->came, event_free);
    for (unsigned i = 0; i < isolates->length; i++) {
        stub_free(isolates->items[i].stub);
        link_free(isolates->items[i].link);
    }
    g_free(isolates->items);
    g_free(isolates);
}

const FilterdPlugin *
isolates_stand_in(void *data, const PolicyUse *use)
{
    const Isolates *isolates = data;
    for (unsigned i = 0; i < isolates->length; i++)
        if (link_use(isolates->items[i].link) == use)
            return isolates->items[i].stub;
    return NULL;
}
