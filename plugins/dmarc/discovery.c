/* discovery.c: the DNS Tree Walk, and the older way by the Public Suffix List
 * (RFC 9989 4.10; RFC 7489 3.2, 6.6.3).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/discovery.h"

#include <string.h>

#define NAME_LIMIT 253
#define LABEL_LIMIT 63
#define SHORT_WALK 7 /* labels of the second target of a long name */

/* What one target of the walk answered. */
typedef struct Level {
    const char *domain;
    DmarcStatus status;
    DmarcRecord record;
    const FilterdDnsRecord *txt;
    bool several, nxdomain;
} Level;

typedef struct Walk {
    Level levels[DMARC_QUERY_LIMIT];
    unsigned length; /* answered; the last one may have failed */
} Walk;

static bool
is_label_octet(char octet)
{
    return g_ascii_islower(octet) || g_ascii_isdigit(octet) || octet == '-'
           || octet == '_';
}

bool
dmarc_domain_valid(const char *domain)
{
    size_t label = 0, i = 0;

    for (; domain[i] != '\0' && i <= NAME_LIMIT; i++) {
        if (domain[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!is_label_octet(domain[i]) || ++label > LABEL_LIMIT) {
            return false;
        }
    }
    return label > 0 && i <= NAME_LIMIT;
}

bool
dmarc_domain_within(const char *domain, const char *ancestor)
{
    size_t length = strlen(domain), tail = strlen(ancestor);

    return length >= tail && strcmp(domain + length - tail, ancestor) == 0
           && (length == tail || domain[length - tail - 1] == '.');
}

static unsigned
count_labels(const char *domain)
{
    unsigned labels = 1;

    for (; *domain != '\0'; domain++)
        labels += *domain == '.';
    return labels;
}

/* NULL above the top. */
static const char *
parent_of(const char *domain)
{
    const char *dot = strchr(domain, '.');

    return dot != NULL ? dot + 1 : NULL;
}

/* The last `labels` labels of a name that has as many. */
static const char *
tail_of(const char *domain, unsigned labels)
{
    for (unsigned surplus = count_labels(domain) - labels; surplus > 0;
         surplus--)
        domain = parent_of(domain);
    return domain;
}

/* RFC 9989 4.10, steps 3, 4 and 7. */
static const char *
next_target(const char *target)
{
    unsigned labels = count_labels(target);

    return labels > SHORT_WALK ? tail_of(target, SHORT_WALK)
                               : parent_of(target);
}

static char *
record_name(const char *domain)
{
    return g_strconcat("_dmarc.", domain, NULL);
}

/* RFC 9989 4.10, steps 2 and 6: one record with the version, or none. */
static void
read_records(const FilterdDnsAnswer *answer, Level *level)
{
    DmarcRecord record;

    for (size_t i = 0; i < answer->length; i++) {
        const FilterdDnsRecord *txt = &answer->records[i];

        if (!dmarc_record_parse(txt->bytes, txt->length, &record))
            continue;
        if (level->status == DMARC_FOUND) {
            level->status = DMARC_MISSING;
            level->several = true;
            return;
        }
        level->status = DMARC_FOUND;
        level->record = record;
        level->txt = txt;
    }
}

static DmarcStatus
query(FilterdCall *call, const char *domain, Level *level)
{
    g_autofree char *name = record_name(domain);
    const FilterdDnsAnswer *answer =
        call->host->dns(call, name, FILTERD_DNS_TXT);

    *level = (Level){.domain = domain, .status = DMARC_MISSING};
    level->nxdomain = answer->status == FILTERD_DNS_NXDOMAIN
                      || answer->status == FILTERD_DNS_BADNAME;
    if (answer->status == FILTERD_DNS_CANCELLED)
        level->status = DMARC_CANCELLED;
    else if (filterd_dns_failed(answer))
        level->status = DMARC_FAILED;
    else if (answer->status == FILTERD_DNS_ANSWER)
        read_records(answer, level);
    return level->status;
}

static bool
ends_walk(const Level *level)
{
    return level->status >= DMARC_FAILED
           || (level->status == DMARC_FOUND
               && level->record.psd != DMARC_PSD_UNDECIDED);
}

static void
walk_tree(FilterdCall *call, const char *domain, Walk *walk)
{
    walk->length = 0;
    for (const char *target = domain;
         target != NULL && walk->length < DMARC_QUERY_LIMIT;
         target = next_target(target)) {
        Level *level = &walk->levels[walk->length++];

        query(call, target, level);
        if (ends_walk(level))
            return;
    }
}

/* RFC 9989 4.10.2; of a walk that did not fail. */
static const char *
select_organization(const Walk *walk)
{
    const char *start = walk->levels[0].domain, *found = start;

    for (unsigned i = 0; i < walk->length; i++) {
        const Level *level = &walk->levels[i];

        if (level->status != DMARC_FOUND)
            continue;
        if (i > 0 && level->record.psd == DMARC_PSD_YES)
            return tail_of(start, count_labels(level->domain) + 1);
        found = level->domain;
    }
    return found;
}

static void
apply_level(const Level *level, DmarcDiscovery *discovery)
{
    discovery->status = DMARC_FOUND;
    discovery->domain = level->domain;
    discovery->record = level->record;
    discovery->txt = level->txt;
}

/* RFC 9989 4.10.1: the record of the domain, of its organization or of the
 * public suffix above that. */
static void
select_record(const Walk *walk, DmarcDiscovery *discovery)
{
    const Level *last = &walk->levels[walk->length - 1];

    for (unsigned i = 0; i < walk->length; i++) {
        const Level *level = &walk->levels[i];

        if (level->status == DMARC_FOUND
            && (i == 0
                || strcmp(level->domain, discovery->organization) == 0)) {
            apply_level(level, discovery);
            return;
        }
    }
    if (last->status == DMARC_FOUND && last->record.psd == DMARC_PSD_YES)
        apply_level(last, discovery);
}

static void
note_level(const Level *level, DmarcDiscovery *discovery)
{
    if (level->several && discovery->several == NULL)
        discovery->several = level->domain;
    if (level->status == DMARC_FAILED)
        discovery->failed = level->domain;
    if (level->status >= DMARC_FAILED)
        discovery->status = level->status;
}

static void
discover_by_walk(FilterdCall *call, const char *domain,
                 DmarcDiscovery *discovery)
{
    Walk walk = {0};

    walk_tree(call, domain, &walk);
    discovery->exists = !walk.levels[0].nxdomain;
    for (unsigned i = 0; i < walk.length; i++)
        note_level(&walk.levels[i], discovery);
    if (discovery->status == DMARC_CANCELLED)
        return;
    if (discovery->status != DMARC_FAILED) {
        discovery->organization = select_organization(&walk);
        select_record(&walk, discovery);
    } else if (walk.levels[0].status == DMARC_FOUND) {
        apply_level(&walk.levels[0], discovery);
    }
}

/* RFC 7489 3.2; a public suffix is its own organization. */
static const char *
listed_organization(const psl_ctx_t *psl, const char *domain)
{
    const char *registered = psl_registrable_domain(psl, domain);

    return registered != NULL ? registered : domain;
}

/* RFC 7489 6.6.3: several records at one name end it. */
static void
discover_by_list(FilterdCall *call, const psl_ctx_t *psl, const char *domain,
                 DmarcDiscovery *discovery)
{
    Level level;

    discovery->organization = listed_organization(psl, domain);
    query(call, domain, &level);
    discovery->exists = !level.nxdomain;
    if (level.status == DMARC_MISSING && !level.several
        && strcmp(domain, discovery->organization) != 0)
        query(call, discovery->organization, &level);
    note_level(&level, discovery);
    if (level.status == DMARC_FOUND) {
        apply_level(&level, discovery);
        dmarc_record_restrict(&discovery->record);
    }
}

void
dmarc_discover(FilterdCall *call, const psl_ctx_t *psl, const char *domain,
               DmarcDiscovery *discovery)
{
    *discovery = (DmarcDiscovery){.status = DMARC_MISSING};
    if (psl != NULL)
        discover_by_list(call, psl, domain, discovery);
    else
        discover_by_walk(call, domain, discovery);
}

static void
prefetch_name(FilterdCall *call, const char *domain)
{
    g_autofree char *name = record_name(domain);

    call->host->prefetch(call, name, FILTERD_DNS_TXT);
}

void
dmarc_prefetch(FilterdCall *call, const psl_ctx_t *psl, const char *domain)
{
    if (psl != NULL) {
        prefetch_name(call, domain);
        prefetch_name(call, listed_organization(psl, domain));
        return;
    }
    unsigned asked = 0;
    for (const char *target = domain;
         target != NULL && asked < DMARC_QUERY_LIMIT;
         target = next_target(target), asked++)
        prefetch_name(call, target);
}

void
dmarc_prefetch_organization(FilterdCall *call, const psl_ctx_t *psl,
                            const char *domain)
{
    if (psl == NULL)
        dmarc_prefetch(call, NULL, domain);
}

DmarcStatus
dmarc_find_organization(FilterdCall *call, const psl_ctx_t *psl,
                        const char *domain, const char **organization)
{
    DmarcDiscovery discovery;

    if (psl != NULL) {
        *organization = listed_organization(psl, domain);
        return DMARC_FOUND;
    }
    dmarc_prefetch(call, NULL, domain);
    dmarc_discover(call, NULL, domain, &discovery);
    *organization = discovery.organization;
    if (discovery.status == DMARC_CANCELLED)
        return DMARC_CANCELLED;
    return discovery.organization != NULL ? DMARC_FOUND : DMARC_FAILED;
}

DmarcStatus
dmarc_domain_exists(FilterdCall *call, const char *domain)
{
    const FilterdDnsAnswer *answer =
        call->host->dns(call, domain, FILTERD_DNS_A);

    if (answer->status == FILTERD_DNS_CANCELLED)
        return DMARC_CANCELLED;
    if (filterd_dns_failed(answer))
        return DMARC_FAILED;
    return answer->status == FILTERD_DNS_NXDOMAIN ? DMARC_MISSING : DMARC_FOUND;
}
