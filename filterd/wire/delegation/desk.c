/* desk.c: the SMTP clients that Postfix asks about, each with its
 * session.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/delegation/desk.h"

#include "filterd/base/clock.h"
#include "filterd/base/text.h"
#include "filterd/mail/domain.h"

#include <string.h>

struct DelegationDesk {
    Engine *engine;
    GHashTable *clients; /* by key */
    GQueue unasked;      /* of those that are not busy, the longest first */
    GString *key;        /* of the request at hand */
};

static void
client_free(void *data)
{
    DelegationClient *client = data;
    session_free(client->session);
    for (unsigned i = 0; i < FILTERD_STAGES; i++)
        g_free(client->refusals[i]);
    g_hash_table_unref(client->recipients);
    g_string_free(client->would, TRUE);
    g_free(client->helo);
    g_free(client->instance);
    g_free(client->sender);
    g_free(client->key);
    g_free(client);
}

DelegationDesk *
delegation_desk_new(Engine *engine)
{
    DelegationDesk *desk = g_new0(DelegationDesk, 1);
    desk->engine = engine;
    desk->clients = g_hash_table_new(g_str_hash, g_str_equal);
    desk->key = g_string_new(NULL);
    return desk;
}

static void
forget(DelegationDesk *desk, DelegationClient *client)
{
    g_queue_unlink(&desk->unasked, &client->link);
    g_hash_table_remove(desk->clients, client->key);
    client_free(client);
}

/* Freeing may wait: the queue is looked at anew each time. */
static void
forget_some(DelegationDesk *desk, int64_t before, unsigned left)
{
    while (desk->unasked.head != NULL) {
        DelegationClient *client = desk->unasked.head->data;
        if (client->asked > before && desk->unasked.length <= left)
            return;
        forget(desk, client);
    }
}

void
delegation_desk_free(DelegationDesk *desk)
{
    forget_some(desk, CLOCK_NEVER, 0);
    g_assert(g_hash_table_size(desk->clients) == 0);
    g_hash_table_unref(desk->clients);
    g_string_free(desk->key, TRUE);
    g_free(desk);
}

Engine *
delegation_desk_engine(const DelegationDesk *desk)
{
    return desk->engine;
}

/* ---- a client that has not been seen ------------------------------------ */

static uint16_t
parse_port(const char *text)
{
    int64_t port = 0;
    return text_parse_int(text, 0, G_MAXUINT16, &port) ? (uint16_t)port : 0;
}

/* "unknown" is nobody's, `::`. */
static FilterdIp
parse_address(const char *text)
{
    FilterdIp ip;
    if (strchr(text, '/') != NULL || !ip_parse(text, &ip))
        ip_parse("::", &ip);
    return ip;
}

/* The name that Postfix has verified; without one the lookup is ours. */
static const char *
client_name(const DelegationRequest *request)
{
    const char *name = request->values[DELEGATION_CLIENT_NAME];
    gboolean verified = strcmp(name, "unknown") != 0 && mail_domain_valid(name);
    return verified ? name : NULL;
}

static const char *
unless_empty(const char *value)
{
    return *value != '\0' ? value : NULL;
}

static Session *
open_session(Engine *engine, const DelegationRequest *request)
{
    const char *const *values = request->values;
    const SessionPeer peer = {
        .ip = parse_address(values[DELEGATION_CLIENT_ADDRESS]),
        .port = parse_port(values[DELEGATION_CLIENT_PORT]),
        .local_ip = parse_address(values[DELEGATION_SERVER_ADDRESS]),
        .local_port = parse_port(values[DELEGATION_SERVER_PORT]),
        .name = client_name(request),
        .wire = "policy",
        .advises = TRUE,
        .envelopes = TRUE,
        .mta_daemon = unless_empty(values[DELEGATION_CONTEXT]),
    };
    return session_new(engine, &peer);
}

static void
note_would(void *data, const PolicyRule *rule)
{
    GString *would = data;
    if (would->len >= DELEGATION_WOULD_LIMIT)
        return;
    g_string_append_printf(would, "%s%s %s", would->len > 0 ? ", " : "",
                           policy_verdict_words[rule->kind], rule->name);
}

static DelegationClient *
client_new(DelegationDesk *desk, const DelegationRequest *request)
{
    DelegationClient *client = g_new0(DelegationClient, 1);
    client->key = g_strndup(desk->key->str, desk->key->len);
    client->session = open_session(desk->engine, request);
    client->recipients =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    client->held = -1;
    client->would = g_string_new(NULL);
    session_observe(client->session, &(SessionObserver){.data = client->would,
                                                        .would = note_would});
    client->link.data = client;
    g_hash_table_insert(desk->clients, client->key, client);
    return client;
}

/* ---- finding ------------------------------------------------------------ */

/* Attributes have no control characters. */
static void
make_key(DelegationDesk *desk, const FilterdIp *origin,
         const DelegationRequest *request)
{
    char ip[IP_TEXT_SIZE];
    const char *const *values = request->values;
    gboolean ported = parse_port(values[DELEGATION_CLIENT_PORT]) != 0;
    g_string_assign(desk->key, ip_format(origin, ip));
    g_string_append_c(desk->key, '\n');
    g_string_append(desk->key, values[DELEGATION_CLIENT_ADDRESS]);
    g_string_append_c(desk->key, ported ? ':' : '\n');
    g_string_append(
        desk->key,
        values[ported ? DELEGATION_CLIENT_PORT : DELEGATION_INSTANCE]);
    g_string_append_c(desk->key, '\n');
    g_string_append(desk->key, values[DELEGATION_SERVER_PORT]);
    g_string_append_c(desk->key, '\n');
    g_string_append(desk->key, values[DELEGATION_CONTEXT]);
}

/* Without port and instance nothing tells one from the next. */
static gboolean
is_new(const DelegationClient *client, const DelegationRequest *request)
{
    const char *const *values = request->values;
    gboolean nameless = parse_port(values[DELEGATION_CLIENT_PORT]) == 0
                        && *values[DELEGATION_INSTANCE] == '\0';
    gboolean begins = strcmp(values[DELEGATION_STATE], "CONNECT") == 0;
    return nameless || (begins && client->helo != NULL);
}

DelegationClient *
delegation_desk_enter(DelegationDesk *desk, const FilterdIp *origin,
                      const DelegationRequest *request)
{
    DelegationClient *client;
    forget_some(desk, clock_monotonic() - DELEGATION_MEMORY_TIME,
                DELEGATION_MEMORY_LIMIT);
    make_key(desk, origin, request);
    while ((client = g_hash_table_lookup(desk->clients, desk->key->str))
           != NULL) {
        if (!client->busy && !is_new(client, request))
            break;
        if (!client->busy)
            forget(desk, client);
        else if (fiber_queue_wait(&client->waiters, CLOCK_NEVER)
                 == FIBER_CANCELLED)
            return NULL;
        make_key(desk, origin, request);
    }
    if (client != NULL)
        g_queue_unlink(&desk->unasked, &client->link);
    else
        client = client_new(desk, request);
    client->busy = TRUE;
    return client;
}

void
delegation_desk_leave(DelegationDesk *desk, DelegationClient *client)
{
    client->busy = FALSE;
    client->asked = clock_monotonic();
    g_queue_push_tail_link(&desk->unasked, &client->link);
    fiber_queue_wake_all(&client->waiters);
}
