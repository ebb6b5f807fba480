/* alignment.c: strict and relaxed identifier alignment (RFC 9989 4.10.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/alignment.h"

#include <string.h>

#define TEMPORARY "temperror:"

static bool
is_word(const FilterdValue *value, const char *word)
{
    return value->type == FILTERD_WORD && strcmp(value->text, word) == 0;
}

/* An organization is the domain itself or an ancestor, so an identifier from
 * elsewhere costs no query. */
static bool
may_share_organization(const DmarcAuthor *author, const char *identifier)
{
    const char *organization = author->discovery->organization;

    return organization != NULL && dmarc_domain_valid(identifier)
           && dmarc_domain_within(identifier, organization);
}

static DmarcAlignment
compare_organizations(DmarcAuthor *author, const char *identifier)
{
    const char *organization;
    DmarcStatus status = dmarc_find_organization(author->call, author->psl,
                                                 identifier, &organization);

    if (status == DMARC_CANCELLED)
        author->cancelled = true;
    if (status != DMARC_FOUND)
        return DMARC_UNDECIDED;
    return strcmp(organization, author->discovery->organization) == 0
               ? DMARC_RELAXED
               : DMARC_UNALIGNED;
}

static DmarcAlignment
align(DmarcAuthor *author, const char *identifier, bool strict)
{
    if (strcmp(identifier, author->domain) == 0)
        return DMARC_STRICT;
    if (strict || !dmarc_domain_valid(identifier))
        return DMARC_UNALIGNED;
    if (author->discovery->organization == NULL)
        return DMARC_UNDECIDED;
    return may_share_organization(author, identifier)
               ? compare_organizations(author, identifier)
               : DMARC_UNALIGNED;
}

bool
dmarc_evidence_missing(const DmarcEvidence *evidence)
{
    return evidence->spf_result->type != FILTERD_WORD
           && evidence->dkim_result->type != FILTERD_WORD;
}

DmarcAlignment
dmarc_align_spf(DmarcAuthor *author, const DmarcEvidence *evidence)
{
    const FilterdValue *domain = evidence->spf_domain;
    bool strict = author->discovery->record.aspf;
    bool temporary = is_word(evidence->spf_result, "temperror");

    if (evidence->spf_result->type != FILTERD_WORD)
        return DMARC_UNDECIDED;
    if (!temporary && !is_word(evidence->spf_result, "pass"))
        return DMARC_UNALIGNED;
    if (domain->type != FILTERD_DOMAIN)
        return DMARC_UNDECIDED;
    DmarcAlignment alignment = align(author, domain->text, strict);
    return temporary ? MIN(alignment, DMARC_UNDECIDED) : alignment;
}

static size_t
list_length(const FilterdValue *value)
{
    return value->type == FILTERD_LIST
               ? MIN(value->list.length, DMARC_IDENTIFIER_LIMIT)
               : 0;
}

static void
prefetch_identifiers(const DmarcAuthor *author, const FilterdValue *domains)
{
    for (size_t i = 0; i < list_length(domains); i++) {
        const char *domain = domains->list.items[i].text;

        if (may_share_organization(author, domain))
            dmarc_prefetch_organization(author->call, author->psl, domain);
    }
}

static DmarcAlignment
align_passed(DmarcAuthor *author, const FilterdValue *domains, bool strict)
{
    DmarcAlignment best = DMARC_UNALIGNED;

    for (size_t i = 0; i < list_length(domains); i++) {
        if (strcmp(domains->list.items[i].text, author->domain) == 0)
            return DMARC_STRICT;
    }
    if (strict)
        return DMARC_UNALIGNED;
    prefetch_identifiers(author, domains);
    for (size_t i = 0;
         i < list_length(domains) && best < DMARC_RELAXED && !author->cancelled;
         i++)
        best = MAX(best, align(author, domains->list.items[i].text, false));
    return best;
}

/* The domain in "temperror:DOMAIN:…", NULL for another result. Caller frees. */
static char *
temporary_domain(const char *result)
{
    if (!g_str_has_prefix(result, TEMPORARY))
        return NULL;
    const char *domain = result + strlen(TEMPORARY);
    return g_strndup(domain, strcspn(domain, ":"));
}

/* A signature whose key could not be fetched, or that nobody has looked at,
 * might have been the one. */
static DmarcAlignment
align_temporary(DmarcAuthor *author, const DmarcEvidence *evidence, bool strict)
{
    const FilterdValue *results = evidence->dkim_results;

    if (evidence->dkim_result->type != FILTERD_WORD
        || (evidence->dkim_domains->type != FILTERD_LIST
            && is_word(evidence->dkim_result, "pass")))
        return DMARC_UNDECIDED;
    if (results->type != FILTERD_LIST)
        return is_word(evidence->dkim_result, "temperror") ? DMARC_UNDECIDED
                                                           : DMARC_UNALIGNED;
    for (size_t i = 0; i < list_length(results) && !author->cancelled; i++) {
        g_autofree char *domain = temporary_domain(results->list.items[i].text);

        if (domain != NULL && align(author, domain, strict) != DMARC_UNALIGNED)
            return DMARC_UNDECIDED;
    }
    return DMARC_UNALIGNED;
}

DmarcAlignment
dmarc_align_dkim(DmarcAuthor *author, const DmarcEvidence *evidence)
{
    bool strict = author->discovery->record.adkim;
    DmarcAlignment alignment =
        align_passed(author, evidence->dkim_domains, strict);

    if (alignment >= DMARC_UNDECIDED || author->cancelled)
        return alignment;
    return align_temporary(author, evidence, strict);
}
