/* report-destination.c: where a report goes: the addresses of rua=, and those
 * elsewhere only if they want it (RFC 9990 3.5, 4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/address.h"
#include "filterd/tool/report.h"

#include <stdio.h>
#include <string.h>

#define QUERY_LIMIT 8 /* RFC 9989 4.10 */
#define NAME_LIMIT 253

typedef struct Gathering {
    const Report *report;
    DnsBudget *budget;
    GPtrArray *destinations;
    gboolean *again;
} Gathering;

/* One address of a rua=, as it came. */
typedef struct Target {
    char *address, *host;
    int64_t limit;
} Target;

static void
target_clear(Target *target)
{
    g_clear_pointer(&target->address, g_free);
    g_clear_pointer(&target->host, g_free);
}

static void
destination_free(void *data)
{
    ReportDestination *destination = data;
    g_free(destination->address);
    g_free(destination);
}

static void
skip(const Gathering *gathering, const char *uri, const char *why)
{
    g_autofree char *shown = g_strescape(uri, NULL);
    fprintf(stderr, "%s: nothing to %s: %s\n", gathering->report->domain, shown,
            why);
}

/* ---- URIs --------------------------------------------------------------- */

/* "!10m", the older way to say how much is taken (RFC 9989 4.8); cut off. */
static int64_t
take_limit(char *uri)
{
    static const char units[] = "kmgt";
    char *mark = strrchr(uri, '!'), *end;
    if (mark == NULL)
        return 0;
    guint64 limit = g_ascii_strtoull(mark + 1, &end, 10);
    const char *unit =
        *end != '\0' ? strchr(units, g_ascii_tolower(*end)) : NULL;
    *mark = '\0';
    if (limit > INT64_C(1) << 20)
        return INT64_MAX;
    return (int64_t)(limit << (unit != NULL ? 10 * (unit - units + 1) : 0));
}

/* RFC 6068: what the URI wants in the header is not for it to say. */
static gboolean
parse_mailto(const char *uri, Target *target)
{
    static const char scheme[] = "mailto:";
    MailAddress address = {0};
    if (g_ascii_strncasecmp(uri, scheme, strlen(scheme)) != 0)
        return FALSE;
    g_autofree char *text = g_strdup(uri + strlen(scheme));
    int64_t limit = take_limit(text);
    text[strcspn(text, "?")] = '\0';
    g_autofree char *bare = g_uri_unescape_string(text, NULL);
    if (bare == NULL
        || !mail_address_parse_bare(bare, MAIL_FORWARD_PATH, &address, NULL))
        return FALSE;
    gboolean usable =
        *address.domain != '\0' && *address.domain != '[' && !address.eightbit;
    if (usable)
        *target =
            (Target){g_strdup(address.text), g_strdup(address.domain), limit};
    mail_address_clear(&address);
    return usable;
}

/* ---- records ------------------------------------------------------------ */

/* The value of that tag; NULL: it has none. Caller frees. */
static char *
find_tag(const FilterdDnsRecord *txt, const char *name)
{
    g_autofree char *text = g_strndup(txt->bytes, txt->length);
    g_auto(GStrv) tags = g_strsplit(text, ";", -1);
    for (unsigned i = 0; tags[i] != NULL; i++) {
        char *equals = strchr(tags[i], '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        if (g_ascii_strcasecmp(g_strstrip(tags[i]), name) == 0)
            return g_strdup(g_strstrip(equals + 1));
    }
    return NULL;
}

/* "v=DMARC1" is the first tag; its value's case counts. */
static gboolean
is_record(const FilterdDnsRecord *txt)
{
    g_autofree char *text = g_strndup(txt->bytes, txt->length);
    text[strcspn(text, ";")] = '\0';
    g_auto(GStrv) pair = g_strsplit(text, "=", 2);
    return g_strv_length(pair) == 2
           && g_ascii_strcasecmp(g_strchomp(pair[0]), "v") == 0
           && strcmp(g_strstrip(pair[1]), "DMARC1") == 0;
}

/* ---- whose host it is --------------------------------------------------- */

static gboolean
is_within(const char *host, const char *domain)
{
    gsize length = strlen(host), tail = strlen(domain);
    return length >= tail && strcmp(host + length - tail, domain) == 0
           && (length == tail || host[length - tail - 1] == '.');
}

/* A psd= on the way up makes it an organization of its own. */
static gboolean
is_parted(Gathering *gathering, const char *host, const char *organization)
{
    unsigned asked = 0;
    while (strcmp(host, organization) != 0 && asked++ < QUERY_LIMIT) {
        g_autofree char *name = g_strconcat("_dmarc.", host, NULL);
        const FilterdDnsAnswer *answer =
            dns_query(gathering->budget, name, FILTERD_DNS_TXT);
        if (filterd_dns_failed(answer))
            return TRUE;
        for (gsize i = 0; i < answer->length; i++) {
            g_autofree char *psd = is_record(&answer->records[i])
                                       ? find_tag(&answer->records[i], "psd")
                                       : NULL;
            if (psd != NULL && g_ascii_strcasecmp(psd, "u") != 0)
                return TRUE;
        }
        host = strchr(host, '.') + 1;
    }
    return FALSE;
}

/* Whether the one who asks for the report is also the one who would get it. */
static gboolean
is_internal(Gathering *gathering, const char *host)
{
    const Report *report = gathering->report;
    g_autofree char *organization = report_word(report->policy, "o");
    const char *top = organization != NULL ? organization : report->domain;
    if (strcmp(host, report->domain) == 0)
        return TRUE;
    return is_within(host, top) && !is_parted(gathering, host, top);
}

/* ---- those elsewhere ---------------------------------------------------- */

static void
add_destination(Gathering *gathering, const Target *target)
{
    GPtrArray *destinations = gathering->destinations;
    for (unsigned i = 0; i < destinations->len; i++) {
        const ReportDestination *known = g_ptr_array_index(destinations, i);
        if (strcmp(known->address, target->address) == 0)
            return;
    }
    if (destinations->len >= REPORT_DESTINATION_LIMIT) {
        skip(gathering, target->address, "there are enough destinations");
        return;
    }
    ReportDestination *destination = g_new(ReportDestination, 1);
    *destination =
        (ReportDestination){g_strdup(target->address), target->limit};
    g_ptr_array_add(destinations, destination);
}

/* Step 9: others at the same host, or nobody at all. */
static gboolean
replace(Gathering *gathering, const char *rua, const Target *original)
{
    g_auto(GStrv) uris = g_strsplit(rua, ",", -1);
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; uris[i] != NULL; i++) {
            Target target = {0};
            if (!parse_mailto(g_strstrip(uris[i]), &target))
                continue;
            gboolean same = strcmp(target.host, original->host) == 0;
            if (same && pass > 0)
                add_destination(gathering, &target);
            target_clear(&target);
            if (!same)
                return FALSE;
        }
    return TRUE;
}

/* Steps 6 to 9. */
static void
read_answer(Gathering *gathering, const FilterdDnsAnswer *answer,
            const Target *target)
{
    gboolean wanted = FALSE, replaced = FALSE;
    for (gsize i = 0; i < answer->length; i++) {
        if (!is_record(&answer->records[i]))
            continue;
        g_autofree char *rua = find_tag(&answer->records[i], "rua");
        wanted = TRUE;
        replaced |= rua != NULL;
        if (rua != NULL && !replace(gathering, rua, target))
            skip(gathering, target->address,
                 "its host would have it sent elsewhere");
    }
    if (!wanted)
        skip(gathering, target->address, "its host does not ask for it");
    else if (!replaced)
        add_destination(gathering, target);
}

/* Steps 2 to 5. */
static void
ask_host(Gathering *gathering, const Target *target)
{
    g_autofree char *name = g_strdup_printf(
        "%s._report._dmarc.%s", gathering->report->domain, target->host);
    if (strlen(name) > NAME_LIMIT) {
        skip(gathering, target->address, "its host cannot be asked");
        return;
    }
    const FilterdDnsAnswer *answer =
        dns_query(gathering->budget, name, FILTERD_DNS_TXT);
    if (filterd_dns_failed(answer)) {
        skip(gathering, target->address, "its host cannot be asked now");
        *gathering->again = TRUE;
        return;
    }
    read_answer(gathering, answer, target);
}

GPtrArray *
report_destinations(const Report *report, DnsBudget *budget, gboolean *again)
{
    Gathering gathering = {report, budget,
                           g_ptr_array_new_with_free_func(destination_free),
                           again};
    g_autofree char *value = report_word(report->policy, "rua");
    g_auto(GStrv) uris = report_parts(value != NULL ? value : "", ",");
    for (unsigned i = 0; uris[i] != NULL; i++) {
        Target target = {0};
        if (!parse_mailto(uris[i], &target))
            skip(&gathering, uris[i], "it is no mail address");
        else if (is_internal(&gathering, target.host))
            add_destination(&gathering, &target);
        else
            ask_host(&gathering, &target);
        target_clear(&target);
    }
    return gathering.destinations;
}
