/* dns-zone.c: local data: what zone files say, answered without asking anybody.
 * (RFC 1034 4.3.2, RFC 4592, RFC 8020)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-zone.h"

#include <string.h>

#define CHAIN_LIMIT 16

typedef struct Records {
    DnsDraft draft;
    uint32_t ttl;
    DnsAnswer *answer; /* made of the draft when first asked for */
} Records;

typedef struct Node {
    GHashTable *records; /* type: Records; NULL: none */
    char *cname;
    gboolean owns; /* records, of whatever type; else it is only on the way */
    gboolean apex;
    uint32_t negative_ttl; /* of an apex */
} Node;

struct DnsZone {
    GHashTable *nodes; /* name: Node */
    gboolean only;
};

static void
records_free(gpointer data)
{
    Records *records = data;
    dns_draft_clear(&records->draft);
    g_clear_pointer(&records->answer, dns_answer_unref);
    g_free(records);
}

static void
node_free(gpointer data)
{
    Node *node = data;
    g_clear_pointer(&node->records, g_hash_table_unref);
    g_free(node->cname);
    g_free(node);
}

DnsZone *
dns_zone_new(gboolean only)
{
    DnsZone *zone = g_new0(DnsZone, 1);
    zone->nodes =
        g_hash_table_new_full(dns_key_hash, g_str_equal, g_free, node_free);
    zone->only = only;
    return zone;
}

void
dns_zone_free(DnsZone *zone)
{
    if (zone == NULL)
        return;
    g_hash_table_unref(zone->nodes);
    g_free(zone);
}

/* With it, all names on the way to the root exist (RFC 8020). */
static Node *
node_make(DnsZone *zone, const char *owner)
{
    for (const char *name = owner; name != NULL; name = dns_name_parent(name)) {
        if (g_hash_table_contains(zone->nodes, name))
            break;
        g_hash_table_insert(zone->nodes, g_strdup(name), g_new0(Node, 1));
    }
    Node *node = g_hash_table_lookup(zone->nodes, owner);
    node->owns = TRUE;
    return node;
}

DnsDraft *
dns_zone_draft(DnsZone *zone, const char *owner, FilterdDnsType type,
               uint32_t ttl)
{
    Node *node = node_make(zone, owner);
    if (node->records == NULL)
        node->records = g_hash_table_new_full(NULL, NULL, NULL, records_free);
    Records *records =
        g_hash_table_lookup(node->records, GINT_TO_POINTER(type));
    if (records == NULL) {
        records = g_new0(Records, 1);
        dns_draft_init(&records->draft, type);
        records->ttl = ttl;
        g_hash_table_insert(node->records, GINT_TO_POINTER(type), records);
    }
    records->ttl = MIN(records->ttl, ttl);
    return &records->draft;
}

void
dns_zone_add_soa(DnsZone *zone, const char *owner, uint32_t negative_ttl)
{
    Node *node = node_make(zone, owner);
    node->apex = TRUE;
    node->negative_ttl = negative_ttl;
}

void
dns_zone_add_cname(DnsZone *zone, const char *owner, const char *target)
{
    Node *node = node_make(zone, owner);
    g_free(node->cname);
    node->cname = g_strdup(target);
}

void
dns_zone_add_name(DnsZone *zone, const char *owner)
{
    node_make(zone, owner);
}

/* The node of the nearest SOA. */
static const Node *
find_apex(const DnsZone *zone, const char *name)
{
    for (; name != NULL; name = dns_name_parent(name)) {
        const Node *node = g_hash_table_lookup(zone->nodes, name);
        if (node != NULL && node->apex)
            return node;
    }
    return NULL;
}

/* RFC 4592 3.3.1: a wildcard below the closest name that exists. */
static Node *
find_wildcard(const DnsZone *zone, const char *name)
{
    const char *encloser = dns_name_parent(name);
    while (encloser != NULL && !g_hash_table_contains(zone->nodes, encloser))
        encloser = dns_name_parent(encloser);
    if (encloser == NULL)
        return NULL;
    g_autofree char *wildcard =
        *encloser == '\0' ? g_strdup("*") : g_strconcat("*.", encloser, NULL);
    return g_hash_table_lookup(zone->nodes, wildcard);
}

static DnsAnswer *
node_answer(const Node *node, FilterdDnsType type)
{
    Records *records = NULL;
    if (node->records != NULL)
        records = g_hash_table_lookup(node->records, GINT_TO_POINTER(type));
    if (records == NULL)
        return NULL;
    if (records->answer == NULL)
        records->answer = dns_draft_finish(&records->draft, records->ttl);
    return dns_answer_ref(records->answer);
}

/* What the zone says about `name` itself; NULL and `cname`: it is another's
 * name; NULL alone: nothing. */
static DnsAnswer *
find_once(const DnsZone *zone, const char *name, FilterdDnsType type,
          const char **cname)
{
    const Node *apex = find_apex(zone, name);
    gboolean covered = zone->only || apex != NULL;
    uint32_t negative_ttl = apex != NULL ? apex->negative_ttl : 0;
    const Node *node = g_hash_table_lookup(zone->nodes, name);
    if (node == NULL)
        node = find_wildcard(zone, name);
    if (node == NULL && covered)
        return dns_answer_new(FILTERD_DNS_NXDOMAIN, negative_ttl);
    if (node == NULL || (!node->owns && !covered))
        return NULL;
    DnsAnswer *answer = node_answer(node, type);
    if (answer != NULL)
        return answer;
    *cname = node->cname;
    return node->cname != NULL
               ? NULL
               : dns_answer_new(FILTERD_DNS_NODATA, negative_ttl);
}

DnsAnswer *
dns_zone_find(DnsZone *zone, char key[DNS_KEY_SIZE])
{
    FilterdDnsType type = dns_key_type(key);
    if (!zone->only && g_hash_table_size(zone->nodes) == 0)
        return NULL;
    for (int hops = 0; hops <= CHAIN_LIMIT; hops++) {
        const char *cname = NULL;
        DnsAnswer *answer = find_once(zone, dns_key_name(key), type, &cname);
        if (answer != NULL || cname == NULL)
            return answer;
        if (!dns_key_init(key, cname, type))
            return dns_answer_new(FILTERD_DNS_SERVFAIL, 0);
    }
    return dns_answer_new(FILTERD_DNS_SERVFAIL, 0);
}
