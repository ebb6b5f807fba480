/* redis-node.c: which connection a request goes by, and waiting for its reply.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-node.h"

#include "filterd/service/store-request.h"

RedisNode *
redis_node_new(const Endpoint *endpoint, const RedisLogin *login,
               const TlsContext *tls)
{
    RedisNode *node = g_new0(RedisNode, 1);
    node->server = (RedisServer){
        .endpoint = *endpoint,
        .name = endpoint_format(endpoint),
        .tls = tls,
        .login = login,
    };
    node->server.endpoint.path = g_strdup(endpoint->path);
    return node;
}

void
redis_node_free(RedisNode *node)
{
    for (unsigned i = 0; i < REDIS_LINKS_LIMIT; i++)
        g_clear_pointer(&node->links[i], redis_link_free);
    endpoint_clear(&node->server.endpoint);
    redis_circuit_clear(&node->server.circuit);
    g_clear_pointer(&node->tls, tls_context_free);
    g_free(node->server.name);
    g_free(node);
}

/* An idle one, else a new one, else that with least to do. */
static RedisLink *
choose(RedisNode *node)
{
    RedisLink *best = NULL;
    for (unsigned i = 0; i < REDIS_LINKS_LIMIT; i++) {
        RedisLink *link = node->links[i];
        if (link == NULL)
            return node->links[i] = redis_link_new(&node->server);
        if (redis_link_load(link) == 0)
            return link;
        if (best == NULL || redis_link_load(link) < redis_link_load(best))
            best = link;
    }
    return best;
}

static gboolean
wait_for(RedisRequest *request, int64_t deadline)
{
    FiberWake wake = FIBER_WOKEN;
    while (!request->done && wake == FIBER_WOKEN)
        wake = fiber_wait(deadline);
    request->waiter = NULL;
    return request->done;
}

gboolean
redis_node_ask(RedisNode *node, RedisRequest *request, int64_t deadline,
               GError **error)
{
    RedisServer *server = &node->server;
    const char *why = NULL;
    if (!redis_circuit_enter(&server->circuit, server->login->timeout)) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_FAILED,
                            server->circuit.problem);
        return FALSE;
    }
    request->waiter = fiber_self();
    if (!redis_link_send(choose(node), request))
        why = "too much waits for it";
    else if (!wait_for(request, deadline))
        why = "no answer in time";
    if (why == NULL && request->reply != NULL)
        return TRUE;
    if (why == NULL)
        g_propagate_error(error, g_error_copy(request->error));
    else
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: %s",
                    server->name, why);
    return FALSE;
}
