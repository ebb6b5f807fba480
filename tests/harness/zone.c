/* zone.c: a zone in memory, and answers as a resolver would give them. (RFC
 * 1035 5.1, RFC 4592)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

#define CNAME_LIMIT 10
#define TYPE_CNAME 5
#define TYPE_OTHER 0

typedef struct Record {
    unsigned type;
    uint32_t ttl;
    FilterdDnsRecord data;
} Record;

struct HarnessZone {
    GHashTable *names;  /* name: GPtrArray of Record; empty non-terminals too */
    GHashTable *states; /* "TXT example.org": FilterdDnsStatus */
};

static const struct {
    const char *name;
    unsigned type;
} types[] = {
    {"A", FILTERD_DNS_A},     {"AAAA", FILTERD_DNS_AAAA},
    {"PTR", FILTERD_DNS_PTR}, {"MX", FILTERD_DNS_MX},
    {"TXT", FILTERD_DNS_TXT}, {"CNAME", TYPE_CNAME},
    {"ANY", TYPE_OTHER},
};

const char *
harness_zone_type_name(FilterdDnsType type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].type == (unsigned)type)
            return types[i].name;
    return "?";
}

static unsigned
type_find(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    return TYPE_OTHER;
}

static void
record_free(gpointer pointer)
{
    Record *record = pointer;

    g_free((char *)record->data.name);
    g_free((char *)record->data.bytes);
    g_free(record);
}

static void
records_free(gpointer pointer)
{
    g_ptr_array_unref(pointer);
}

HarnessZone *
harness_zone_new(void)
{
    HarnessZone *zone = g_new0(HarnessZone, 1);

    zone->names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, records_free);
    zone->states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return zone;
}

void
harness_zone_free(HarnessZone *zone)
{
    g_hash_table_unref(zone->names);
    g_hash_table_unref(zone->states);
    g_free(zone);
}

/* ---- records ------------------------------------------------------------ */

static char
unescape(const char **cursor)
{
    const char *at = *cursor + 1;

    if (g_ascii_isdigit(at[0]) && g_ascii_isdigit(at[1])
        && g_ascii_isdigit(at[2])) {
        *cursor = at + 3;
        return (char)((at[0] - '0') * 100 + (at[1] - '0') * 10 + at[2] - '0');
    }
    *cursor = at + (*at != '\0');
    return *at;
}

/* The next word or quoted string; NULL at the end of the line. */
static GString *
token_next(const char **cursor)
{
    const char *at = *cursor + strspn(*cursor, " \t\r");
    gboolean quoted = *at == '"';

    if (*at == '\0' || *at == ';')
        return NULL;
    at += quoted;

    GString *token = g_string_new(NULL);
    const char *end = quoted ? "\"" : " \t\r;";

    while (*at != '\0' && strchr(end, *at) == NULL)
        g_string_append_c(token, *at == '\\' ? unescape(&at) : *at++);
    *cursor = at + (quoted && *at == '"');
    return token;
}

static char *
name_normalize(const char *name)
{
    gsize length = strlen(name);

    if (length > 0 && name[length - 1] == '.')
        length--;
    return g_ascii_strdown(name, (gssize)length);
}

static GPtrArray *
node_get(HarnessZone *zone, const char *name)
{
    GPtrArray *node = g_hash_table_lookup(zone->names, name);

    if (node == NULL) {
        node = g_ptr_array_new_with_free_func(record_free);
        g_hash_table_insert(zone->names, g_strdup(name), node);
    }
    return node;
}

static void
record_add(HarnessZone *zone, const char *name, Record *record)
{
    g_autofree char *normal = name_normalize(name);

    g_ptr_array_add(node_get(zone, normal), record);
    for (const char *dot = strchr(normal, '.'); dot; dot = strchr(dot + 1, '.'))
        node_get(zone, dot + 1);
}

static gboolean
data_parse(Record *record, const char **words, GString *joined)
{
    FilterdDnsRecord *data = &record->data;

    switch (record->type) {
    case FILTERD_DNS_A:
    case FILTERD_DNS_AAAA:
        return words[0] != NULL && harness_ip_parse(words[0], &data->ip)
               && (strchr(words[0], ':') != NULL)
                      == (record->type == FILTERD_DNS_AAAA);
    case FILTERD_DNS_MX:
        if (words[0] == NULL || words[1] == NULL)
            return FALSE;
        data->preference = (uint16_t)g_ascii_strtoull(words[0], NULL, 10);
        data->name = name_normalize(words[1]);
        return TRUE;
    case FILTERD_DNS_PTR:
    case TYPE_CNAME:
        data->name = words[0] ? name_normalize(words[0]) : NULL;
        return words[0] != NULL;
    case FILTERD_DNS_TXT:
        data->length = joined->len;
        data->bytes = g_memdup2(joined->str, joined->len + 1);
        return TRUE;
    default:
        return TRUE;
    }
}

static void
line_add(HarnessZone *zone, const char *line)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) joined = g_string_new(NULL);
    const char *cursor = line;

    for (GString *token; (token = token_next(&cursor)) != NULL;) {
        if (words->len == 2 && strcmp(token->str, "IN") == 0) {
            g_string_free(token, TRUE);
            continue;
        }
        if (words->len >= 3)
            g_string_append_len(joined, token->str, (gssize)token->len);
        g_ptr_array_add(words, g_string_free(token, FALSE));
    }
    if (words->len == 0)
        return;
    if (words->len < 3 || !g_ascii_isdigit(*(char *)words->pdata[1]))
        g_error("harness_zone: no NAME TTL TYPE DATA: %s", line);
    g_ptr_array_set_size(words, (int)MAX(words->len + 2, 5));

    Record *record = g_new0(Record, 1);

    record->ttl = (uint32_t)g_ascii_strtoull(words->pdata[1], NULL, 10);
    record->type = type_find(words->pdata[2]);
    if (!data_parse(record, (const char **)words->pdata + 3, joined))
        g_error("harness_zone: bad data: %s", line);
    record_add(zone, words->pdata[0], record);
}

void
harness_zone_add(HarnessZone *zone, const char *records)
{
    g_auto(GStrv) lines = g_strsplit(records, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        line_add(zone, *line);
}

void
harness_zone_set_status(HarnessZone *zone, const char *name,
                        FilterdDnsType type, FilterdDnsStatus status)
{
    g_autofree char *normal = name_normalize(name);
    char *key = g_strconcat(harness_zone_type_name(type), " ", normal, NULL);

    g_hash_table_replace(zone->states, key, GINT_TO_POINTER(status));
}

/* ---- answers ------------------------------------------------------------ */

static gboolean
name_is_bad(const char *name)
{
    gsize label = 0;

    if (strlen(name) > 253)
        return TRUE;
    for (const char *at = name;; at++) {
        if (*at != '.' && *at != '\0') {
            label++;
            continue;
        }
        if (label == 0 || label > 63)
            return TRUE;
        if (*at == '\0')
            return FALSE;
        label = 0;
    }
}

/* The records of that name, or of the wildcard that stands for it. */
static GPtrArray *
node_find(HarnessZone *zone, const char *name)
{
    GPtrArray *node = g_hash_table_lookup(zone->names, name);

    for (const char *dot = strchr(name, '.'); node == NULL && dot != NULL;
         dot = strchr(dot + 1, '.')) {
        g_autofree char *wildcard = g_strconcat("*", dot, NULL);

        node = g_hash_table_lookup(zone->names, wildcard);
        if (g_hash_table_contains(zone->names, dot + 1))
            break;
    }
    return node;
}

static FilterdDnsStatus
forced_status(HarnessZone *zone, const char *name, FilterdDnsType type)
{
    g_autofree char *exact =
        g_strconcat(harness_zone_type_name(type), " ", name, NULL);
    g_autofree char *any = g_strconcat("ANY ", name, NULL);
    int status = GPOINTER_TO_INT(g_hash_table_lookup(zone->states, exact));

    if (status == FILTERD_DNS_ANSWER)
        status = GPOINTER_TO_INT(g_hash_table_lookup(zone->states, any));
    return (FilterdDnsStatus)status;
}

static gpointer
arena_add(GPtrArray *arena, gpointer memory)
{
    g_ptr_array_add(arena, memory);
    return memory;
}

static FilterdDnsRecord
record_copy(GPtrArray *arena, const FilterdDnsRecord *data)
{
    FilterdDnsRecord copy = *data;

    if (data->name != NULL)
        copy.name = arena_add(arena, g_strdup(data->name));
    if (data->bytes != NULL)
        copy.bytes = arena_add(arena, g_memdup2(data->bytes, data->length + 1));
    return copy;
}

/* FALSE: the name is an alias, `alias` of what. */
static gboolean
answer_fill(FilterdDnsAnswer *answer, GPtrArray *arena, GPtrArray *node,
            FilterdDnsType type, const char **alias)
{
    FilterdDnsRecord *records =
        arena_add(arena, g_new0(FilterdDnsRecord, node->len + 1));

    for (guint i = 0; i < node->len; i++) {
        const Record *record = node->pdata[i];

        if (record->type != (unsigned)type && record->type != TYPE_CNAME)
            continue;
        answer->ttl = MIN(answer->ttl, record->ttl);
        if (record->type == TYPE_CNAME) {
            *alias = record->data.name;
            return FALSE;
        }
        records[answer->length++] = record_copy(arena, &record->data);
    }
    answer->records = records;
    answer->status =
        answer->length > 0 ? FILTERD_DNS_ANSWER : FILTERD_DNS_NODATA;
    return TRUE;
}

static void
answer_find(HarnessZone *zone, FilterdDnsAnswer *answer, GPtrArray *arena,
            const char *name, FilterdDnsType type)
{
    for (int hops = 0; hops <= CNAME_LIMIT; hops++) {
        answer->status = forced_status(zone, name, type);
        if (answer->status != FILTERD_DNS_ANSWER)
            return;

        GPtrArray *node = node_find(zone, name);

        if (node == NULL) {
            answer->status = FILTERD_DNS_NXDOMAIN;
            return;
        }
        if (answer_fill(answer, arena, node, type, &name))
            return;
    }
    answer->status = FILTERD_DNS_SERVFAIL;
}

const FilterdDnsAnswer *
harness_zone_ask(HarnessZone *zone, GPtrArray *arena, const char *name,
                 FilterdDnsType type)
{
    FilterdDnsAnswer *answer = arena_add(arena, g_new0(FilterdDnsAnswer, 1));
    g_autofree char *normal = name_normalize(name);

    answer->ttl = G_MAXUINT32;
    if (name_is_bad(normal))
        answer->status = FILTERD_DNS_BADNAME;
    else
        answer_find(zone, answer, arena, normal, type);
    if (answer->ttl == G_MAXUINT32)
        answer->ttl = 300;
    return answer;
}
