/* ask.c: all lists at once, and what their answers add up to. (RFC 5782 2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/list.h"

#include "plugins/dnsbl/name.h"

#include <stdio.h>
#include <string.h>

/* ---- one answer --------------------------------------------------------- */

static bool
code_counts(const List *list, uint32_t address)
{
    for (size_t i = 0; i < list->length; i++)
        if (code_has(&list->codes[i], address))
            return true;
    return list->length == 0;
}

ListResult
list_judge(const List *list, const FilterdDnsAnswer *answer)
{
    ListResult result = LIST_CLEAR;

    if (answer->status == FILTERD_DNS_NXDOMAIN
        || answer->status == FILTERD_DNS_NODATA
        || answer->status == FILTERD_DNS_BADNAME)
        return LIST_CLEAR;
    if (answer->status != FILTERD_DNS_ANSWER)
        return LIST_NO_ANSWER;
    for (size_t i = 0; i < answer->length; i++) {
        uint32_t address;

        if (!code_address(&answer->records[i].ip, &address)
            || code_is_error(address))
            return LIST_WRONG;
        if (code_counts(list, address))
            result = LIST_HAS;
    }
    return result;
}

/* ---- the sum ------------------------------------------------------------ */

ListFinding *
list_finding_new(FilterdCall *call, size_t lists)
{
    const FilterdHost *host = call->host;
    ListFinding *finding = host->allocate(call, sizeof *finding);

    finding->zones = host->allocate(call, lists * sizeof *finding->zones);
    finding->failed = host->allocate(call, lists * sizeof *finding->failed);
    return finding;
}

/* Once, though several options may name the same list. */
static bool
name_add(FilterdValue *names, size_t *length, const char *name)
{
    for (size_t i = 0; i < *length; i++)
        if (strcmp(names[i].text, name) == 0)
            return false;
    names[(*length)++] = filterd_text(name);
    return true;
}

static void
problem_add(ListFinding *finding, const char *zone, const char *what)
{
    size_t used = strlen(finding->problem);

    snprintf(finding->problem + used, sizeof finding->problem - used, "%s%s %s",
             used > 0 ? "; " : "", zone, what);
}

static void
failed_add(ListFinding *finding, const ListZone *zone, const char *what)
{
    if (name_add(finding->failed, &finding->failing, zone->name))
        problem_add(finding, zone->name, what);
}

static void
listed_add(ListFinding *finding, const ListZone *zone)
{
    finding->score += zone->weight;
    name_add(finding->zones, &finding->listing, zone->name);
    if (zone->weight < 0)
        finding->allowed = true;
    else
        finding->listed = true;
}

/* The worst of what the list said of all subjects, but a listing above all. */
static void
result_add(FilterdCall *call, const ListInquiry *inquiry, const List *list,
           ListResult result, ListFinding *finding)
{
    static const char *const words[] = {
        [LIST_NO_ANSWER] = "does not answer",
        [LIST_WRONG] = "answers with an error",
    };
    const ListMetrics *metrics = &inquiry->set->metrics;
    const ListZone *zone = list->zone;

    finding->asked++;
    if (result == LIST_CLEAR || result == LIST_HAS)
        finding->answered++;
    if (result == LIST_HAS) {
        listed_add(finding, zone);
        call->host->count(call, metrics->listed, zone->name, 1);
    } else if (result != LIST_CLEAR) {
        failed_add(finding, zone, words[result]);
        call->host->count(call, metrics->failed, zone->name, 1);
    }
}

bool
list_found_nothing(const ListFinding *finding)
{
    return finding->answered == 0
           && (finding->asked > 0 || finding->failing > 0);
}

/* ---- questions ---------------------------------------------------------- */

static bool
is_suspended(const ListInquiry *inquiry, const List *list)
{
    return list->state == LIST_SUSPENDED
           || (list->state == LIST_SUSPENDED_V6 && inquiry->v6);
}

/* false: that list is not asked about that subject. */
static bool
question_write(const ListInquiry *inquiry, const List *list, size_t subject,
               char question[NAME_SIZE])
{
    const char *prefix = inquiry->prefix(inquiry->data, list, subject);

    return prefix != NULL
           && snprintf(question, NAME_SIZE, "%s.%s", prefix, list->zone->name)
                  < NAME_SIZE;
}

void
list_prefetch(FilterdCall *call, const ListInquiry *inquiry)
{
    char question[NAME_SIZE];

    for (size_t i = 0; i < inquiry->set->length; i++) {
        const List *list = &inquiry->set->lists[i];

        for (size_t j = 0; j < inquiry->subjects; j++)
            if (!is_suspended(inquiry, list)
                && question_write(inquiry, list, j, question))
                call->host->prefetch(call, question, FILTERD_DNS_A);
    }
}

/* The first that accuses is asked why while the others are waited for. */
static void
accuser_note(FilterdCall *call, const List *list, const char *question,
             ListFinding *finding)
{
    if (*finding->accuser != '\0' || list->zone->weight < 0)
        return;
    g_strlcpy(finding->accuser, question, sizeof finding->accuser);
    finding->accuser_zone = list->zone->name;
    call->host->prefetch(call, question, FILTERD_DNS_TXT);
}

typedef struct Verdict {
    ListResult result;
    bool asked, cancelled;
} Verdict;

static void
subject_ask(FilterdCall *call, const ListInquiry *inquiry, const List *list,
            size_t subject, ListFinding *finding, Verdict *verdict)
{
    char question[NAME_SIZE];

    if (!question_write(inquiry, list, subject, question))
        return;

    const FilterdDnsAnswer *answer =
        call->host->dns(call, question, FILTERD_DNS_A);
    ListResult result = list_judge(list, answer);

    if (list->zone->weight < 0)
        list_report(call, list, answer, result);
    verdict->asked = true;
    verdict->cancelled = answer->status == FILTERD_DNS_CANCELLED;
    if (result == LIST_HAS) {
        finding->has[subject] |= list->zone->weight >= 0;
        accuser_note(call, list, question, finding);
    }
    if (verdict->result != LIST_HAS && result != LIST_CLEAR)
        verdict->result = result;
}

/* false: cancelled. */
static bool
one_ask(FilterdCall *call, const ListInquiry *inquiry, const List *list,
        ListFinding *finding)
{
    Verdict verdict = {LIST_CLEAR, false, false};

    for (size_t i = 0; i < inquiry->subjects && !verdict.cancelled; i++)
        subject_ask(call, inquiry, list, i, finding, &verdict);
    if (verdict.asked && !verdict.cancelled)
        result_add(call, inquiry, list, verdict.result, finding);
    return !verdict.cancelled;
}

/* A list that is suspended has failed, of whatever it would be asked about. */
static void
suspended_note(const ListInquiry *inquiry, const List *list,
               ListFinding *finding)
{
    char question[NAME_SIZE];

    for (size_t i = 0; i < inquiry->subjects; i++)
        if (question_write(inquiry, list, i, question))
            failed_add(finding, list->zone, list->why);
}

bool
list_ask(FilterdCall *call, const ListInquiry *inquiry, ListFinding *finding)
{
    g_assert(inquiry->subjects <= LIST_SUBJECTS_LIMIT);
    for (size_t i = 0; i < inquiry->set->length; i++) {
        const List *list = &inquiry->set->lists[i];

        if (is_suspended(inquiry, list))
            suspended_note(inquiry, list, finding);
        else if (!one_ask(call, inquiry, list, finding))
            return false;
    }
    return true;
}
