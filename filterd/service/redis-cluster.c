/* redis-cluster.c: the servers known, the slots that they have, and MOVED, ASK
 * and READONLY followed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-cluster.h"

#include "filterd/base/text.h"
#include "filterd/service/redis-key.h"
#include "filterd/service/store-request.h"

#include <string.h>

struct RedisCluster {
    const RedisClusterConfig *config;
    GPtrArray *nodes;   /* RedisNode; those of the configuration first */
    RedisNode **slots;  /* NULL: no cluster, so far */
    RedisNode *current; /* where no slot tells */
    TlsContext *tls;    /* of all, where all have one name */
};

/* ---- redirections ------------------------------------------------------- */

/* "192.0.2.1:6381", "2001:db8::1:6381" (no brackets), ":6381". */
static gboolean
parse_where(const char *text, const Endpoint *from, Endpoint *where)
{
    const char *mark = strrchr(text, ':');
    int64_t port;
    if (mark == NULL || !text_parse_int(mark + 1, 1, UINT16_MAX, &port))
        return FALSE;
    gsize length = (gsize)(mark - text);
    gboolean brackets =
        length >= 2 && text[0] == '[' && text[length - 1] == ']';
    g_autofree char *host =
        brackets ? g_strndup(text + 1, length - 2) : g_strndup(text, length);
    Endpoint found = {.port = (uint16_t)port};
    if (length == 0 && from->path == NULL)
        found.ip = from->ip;
    else if (!ip_parse(host, &found.ip))
        return FALSE;
    *where = found;
    return TRUE;
}

RedisRedirect
redis_redirect_parse(const char *text, const Endpoint *from, Endpoint *where)
{
    RedisRedirect redirect = g_str_has_prefix(text, "MOVED ") ? REDIS_MOVED
                             : g_str_has_prefix(text, "ASK ") ? REDIS_ASK
                                                              : REDIS_STAY;
    if (redirect == REDIS_STAY)
        return REDIS_STAY;
    const char *place = strchr(strchr(text, ' ') + 1, ' ');
    if (place == NULL || !parse_where(place + 1, from, where))
        return REDIS_LOST;
    return redirect;
}

/* ---- servers ------------------------------------------------------------ */

static TlsContext *
make_tls(const RedisTls *tls, const Endpoint *endpoint)
{
    char ip[IP_TEXT_SIZE];
    const TlsClient client = {
        .host = tls->name != NULL        ? tls->name
                : endpoint->path == NULL ? ip_format(&endpoint->ip, ip)
                                         : NULL,
        .verify = tls->verify,
        .authority = tls->authority,
    };
    return tls_client_new(&client, NULL);
}

/* A certificate is for one host, so verifying needs a context for each. */
static RedisNode *
make_node(RedisCluster *cluster, const Endpoint *endpoint)
{
    const RedisTls *tls = &cluster->config->tls;
    gboolean own = tls->use && tls->verify && tls->name == NULL;
    if (tls->use && !own && cluster->tls == NULL)
        cluster->tls = make_tls(tls, endpoint);
    RedisNode *node =
        redis_node_new(endpoint, &cluster->config->login, cluster->tls);
    node->server.secure = tls->use;
    if (own)
        node->server.tls = node->tls = make_tls(tls, endpoint);
    g_ptr_array_add(cluster->nodes, node);
    return node;
}

static RedisNode *
find_node(const RedisCluster *cluster, const Endpoint *endpoint)
{
    for (unsigned i = 0; i < cluster->nodes->len; i++) {
        RedisNode *node = cluster->nodes->pdata[i];
        const Endpoint *known = &node->server.endpoint;
        if (known->path == NULL && known->port == endpoint->port
            && ip_equal(&known->ip, &endpoint->ip))
            return node;
    }
    return NULL;
}

static gboolean
has_slots(const RedisCluster *cluster, const RedisNode *node)
{
    for (unsigned i = 0; cluster->slots != NULL && i < REDIS_SLOTS; i++)
        if (cluster->slots[i] == node)
            return TRUE;
    return FALSE;
}

/* Servers come and go over the months. */
static gboolean
forget_one(RedisCluster *cluster)
{
    for (unsigned i = 0; i < cluster->nodes->len; i++) {
        RedisNode *node = cluster->nodes->pdata[i];
        if (node->seed || node == cluster->current || node->users > 0
            || has_slots(cluster, node))
            continue;
        g_ptr_array_remove_index(cluster->nodes, i);
        redis_node_free(node);
        return TRUE;
    }
    return FALSE;
}

static RedisNode *
have_node(RedisCluster *cluster, const Endpoint *endpoint)
{
    RedisNode *node = find_node(cluster, endpoint);
    if (node != NULL)
        return node;
    if (cluster->nodes->len >= REDIS_NODES_LIMIT && !forget_one(cluster))
        return NULL;
    node = find_node(cluster, endpoint); /* forgetting takes its time */
    return node != NULL ? node : make_node(cluster, endpoint);
}

/* A server that is dead has been replaced, for all that it had. */
static void
learn(RedisCluster *cluster, unsigned slot, RedisNode *node)
{
    if (cluster->slots == NULL)
        cluster->slots = g_new0(RedisNode *, REDIS_SLOTS);
    const RedisNode *old = cluster->slots[slot];
    cluster->slots[slot] = node;
    if (old == NULL || old == node || !old->server.circuit.open)
        return;
    for (unsigned i = 0; i < REDIS_SLOTS; i++)
        if (cluster->slots[i] == old)
            cluster->slots[i] = node;
}

/* The next one worth asking after `node`; itself where there is none. */
static RedisNode *
next_node(const RedisCluster *cluster, RedisNode *node)
{
    unsigned start = 0;
    g_ptr_array_find(cluster->nodes, node, &start);
    for (unsigned i = 1; i < cluster->nodes->len; i++) {
        RedisNode *other =
            cluster->nodes->pdata[(start + i) % cluster->nodes->len];
        if (redis_circuit_ready(&other->server.circuit))
            return other;
    }
    return node;
}

/* Where the one that has a slot is dead another one knows who has it now. */
static RedisNode *
choose(RedisCluster *cluster, unsigned slot)
{
    RedisNode *node = cluster->slots != NULL ? cluster->slots[slot] : NULL;
    if (node != NULL)
        return redis_circuit_ready(&node->server.circuit)
                   ? node
                   : next_node(cluster, node);
    if (!redis_circuit_ready(&cluster->current->server.circuit))
        cluster->current = next_node(cluster, cluster->current);
    return cluster->current;
}

/* ---- asking ------------------------------------------------------------- */

typedef struct Journey {
    RedisCluster *cluster;
    RedisRequest *request;
    unsigned slot;
    RedisNode *node; /* NULL: nowhere to go */
    GError **error;
} Journey;

/* After a failover a server that only reads may be asked still. */
static gboolean
turn_from_reader(Journey *journey)
{
    RedisCluster *cluster = journey->cluster;
    RedisNode *other = next_node(cluster, journey->node);
    if (other == journey->node)
        return FALSE;
    if (cluster->slots == NULL)
        cluster->current = other;
    journey->node = other;
    return TRUE;
}

static gboolean
lose_way(Journey *journey, const RedisReply *reply)
{
    g_autofree char *what = redis_link_describe(
        &journey->cluster->config->login, "a command", reply);
    g_set_error(journey->error, STORE_ERROR, STORE_ERROR_FAILED,
                "%s: %s, where nobody can go", journey->node->server.name,
                what);
    journey->node = NULL;
    return TRUE;
}

/* Whether the reply says to ask elsewhere. */
static gboolean
turn(Journey *journey)
{
    const RedisReply *reply = journey->request->reply;
    Endpoint where;
    if (reply->kind != REDIS_ERROR)
        return FALSE;
    if (g_str_has_prefix(reply->text, "READONLY"))
        return turn_from_reader(journey);
    RedisRedirect redirect = redis_redirect_parse(
        reply->text, &journey->node->server.endpoint, &where);
    if (redirect == REDIS_STAY)
        return FALSE;
    RedisNode *node =
        redirect != REDIS_LOST ? have_node(journey->cluster, &where) : NULL;
    if (node == NULL)
        return lose_way(journey, reply);
    if (redirect == REDIS_MOVED)
        learn(journey->cluster, journey->slot, node);
    journey->request->asking = redirect == REDIS_ASK;
    journey->node = node;
    return TRUE;
}

RedisReply *
redis_cluster_ask(RedisCluster *cluster, RedisRequest *request, unsigned slot,
                  GError **error)
{
    g_autoptr(RedisRequest) owned = request;
    int64_t deadline = clock_after(cluster->config->login.timeout);
    Journey journey = {cluster, owned, slot, choose(cluster, slot), error};
    for (int hop = 0; hop <= REDIS_HOPS_LIMIT; hop++) {
        RedisNode *node = journey.node;
        node->users++;
        gboolean ok = redis_node_ask(node, request, deadline, error);
        gboolean go_on = ok && turn(&journey);
        node->users--;
        if (!ok || journey.node == NULL)
            return NULL;
        if (!go_on)
            return g_steal_pointer(&request->reply);
        redis_request_reset(request);
    }
    g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                "%s: sent on more than %d times", journey.node->server.name,
                REDIS_HOPS_LIMIT);
    return NULL;
}

const char *
redis_cluster_problem(const RedisCluster *cluster)
{
    for (unsigned i = 0; i < cluster->nodes->len; i++) {
        const RedisNode *node = cluster->nodes->pdata[i];
        gboolean used = cluster->slots != NULL ? has_slots(cluster, node)
                                               : node == cluster->current;
        if (used && node->server.circuit.open)
            return node->server.circuit.problem;
    }
    return NULL;
}

RedisCluster *
redis_cluster_new(const RedisClusterConfig *config)
{
    RedisCluster *cluster = g_new0(RedisCluster, 1);
    cluster->config = config;
    cluster->nodes = g_ptr_array_new();
    for (unsigned i = 0; config->nodes[i] != NULL; i++) {
        Endpoint endpoint;
        gboolean ok = endpoint_parse(config->nodes[i], ':', &endpoint, NULL);
        g_assert(ok);
        make_node(cluster, &endpoint)->seed = TRUE;
        endpoint_clear(&endpoint);
    }
    cluster->current = cluster->nodes->pdata[0];
    return cluster;
}

void
redis_cluster_free(RedisCluster *cluster)
{
    for (unsigned i = 0; i < cluster->nodes->len; i++)
        redis_node_free(cluster->nodes->pdata[i]);
    g_ptr_array_unref(cluster->nodes);
    g_clear_pointer(&cluster->tls, tls_context_free);
    g_free(cluster->slots);
    g_free(cluster);
}
