/* judgement.c: from the author's domain to a result and a policy (RFC 9989
 * 5.3; RFC 7489 6.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/judgement.h"

#include "plugins/dmarc/library.h"

#include <string.h>

static void
judge_error(DmarcJudgement *judgement, DmarcResult result, char *problem)
{
    judgement->result = result;
    g_free(judgement->problem);
    judgement->problem = problem;
}

/* Several authors of one domain are one to DMARC (RFC 9989 5.3.1). */
static bool
is_problem(const FilterdValue *problem, const FilterdValue *domain)
{
    if (problem->type != FILTERD_WORD || strcmp(problem->text, "none") == 0)
        return false;
    return domain->type != FILTERD_DOMAIN
           || strcmp(problem->text, "multiple") != 0;
}

static bool
find_author(DmarcJudgement *judgement)
{
    const FilterdHost *host = judgement->call->host;
    const FilterdValue *problem =
        host->lookup(judgement->call, DMARC_NEED_FROM_PROBLEM);
    const FilterdValue *domain =
        host->lookup(judgement->call, DMARC_NEED_FROM_DOMAIN);

    if (is_problem(problem, domain))
        judge_error(judgement, DMARC_RESULT_PERMERROR,
                    g_strdup_printf("From is %s", problem->text));
    else if (problem->type == FILTERD_UNKNOWN
             && domain->type == FILTERD_UNKNOWN)
        judge_error(judgement, DMARC_RESULT_TEMPERROR,
                    g_strdup("From is not known"));
    else if (domain->type != FILTERD_DOMAIN
             || !dmarc_domain_valid(domain->text))
        judge_error(judgement, DMARC_RESULT_PERMERROR,
                    g_strdup("From has no usable domain"));
    else
        judgement->author = domain->text;
    return judgement->author != NULL;
}

/* Whether a record applies that is fit to be applied. */
static bool
find_record(DmarcJudgement *judgement)
{
    DmarcDiscovery *discovery = &judgement->discovery;

    dmarc_discover(judgement->call, judgement->psl, judgement->author,
                   discovery);
    if (discovery->several != NULL)
        judge_error(judgement, DMARC_RESULT_NONE,
                    g_strdup_printf("several records at _dmarc.%s",
                                    discovery->several));
    if (discovery->failed != NULL)
        judge_error(
            judgement, DMARC_RESULT_TEMPERROR,
            g_strdup_printf("no answer for _dmarc.%s", discovery->failed));
    judgement->cancelled = discovery->status == DMARC_CANCELLED;
    if (discovery->status == DMARC_MISSING && judgement->problem == NULL)
        judge_error(judgement, DMARC_RESULT_NONE,
                    g_strdup_printf("no record at _dmarc.%s or above",
                                    judgement->author));
    if (discovery->status != DMARC_FOUND)
        return false;
    judgement->applies = dmarc_record_settle(&discovery->record);
    if (judgement->applies)
        return true;
    judge_error(
        judgement, DMARC_RESULT_NONE,
        g_strdup_printf("p=, sp= or np= at _dmarc.%s is missing or wrong",
                        discovery->domain));
    return false;
}

static DmarcEvidence
look_up_evidence(FilterdCall *call)
{
    const FilterdHost *host = call->host;

    return (DmarcEvidence){
        .spf_result = host->lookup(call, DMARC_NEED_SPF_RESULT),
        .spf_domain = host->lookup(call, DMARC_NEED_SPF_DOMAIN),
        .dkim_result = host->lookup(call, DMARC_NEED_DKIM_RESULT),
        .dkim_domains = host->lookup(call, DMARC_NEED_DKIM_DOMAINS),
        .dkim_results = host->lookup(call, DMARC_NEED_DKIM_RESULTS),
    };
}

static const char *
word_of(const FilterdValue *value)
{
    return value->type == FILTERD_WORD ? value->text : "unknown";
}

/* "SPF is pass for a.example, DKIM is pass for b.example": what there was that
 * is not aligned. Caller frees. */
static char *
describe_evidence(const DmarcEvidence *evidence)
{
    const FilterdValue *domains = evidence->dkim_domains;
    GString *out = g_string_new("SPF is ");

    g_string_append(out, word_of(evidence->spf_result));
    if (evidence->spf_domain->type == FILTERD_DOMAIN)
        g_string_append_printf(out, " for %s", evidence->spf_domain->text);
    g_string_append_printf(out, ", DKIM is %s", word_of(evidence->dkim_result));
    if (domains->type == FILTERD_LIST && domains->list.length > 0)
        g_string_append_printf(out, " for %s%s", domains->list.items[0].text,
                               domains->list.length > 1 ? " and others" : "");
    return g_string_free(out, FALSE);
}

/* RFC 9989 5.3.5, 5.3.6: neither passed nor failed is what a DNS error left
 * undecided. */
static void
judge_evidence(DmarcJudgement *judgement, const DmarcEvidence *evidence)
{
    DmarcAuthor author = {
        .call = judgement->call,
        .psl = judgement->psl,
        .domain = judgement->author,
        .discovery = &judgement->discovery,
    };

    judgement->dkim = dmarc_align_dkim(&author, evidence);
    if (!author.cancelled)
        judgement->spf = dmarc_align_spf(&author, evidence);
    judgement->cancelled = author.cancelled;
    DmarcAlignment best = MAX(judgement->spf, judgement->dkim);
    if (best >= DMARC_RELAXED) {
        judgement->result = DMARC_RESULT_PASS;
        return;
    }
    g_autofree char *found = describe_evidence(evidence);
    if (dmarc_evidence_missing(evidence))
        judge_error(judgement, DMARC_RESULT_TEMPERROR,
                    g_strdup("neither SPF nor DKIM was evaluated"));
    else if (best == DMARC_UNDECIDED)
        judge_error(judgement, DMARC_RESULT_TEMPERROR,
                    g_strdup_printf("a failure may hide a pass: %s", found));
    else
        judge_error(judgement, DMARC_RESULT_FAIL,
                    g_strdup_printf("nothing is aligned with %s: %s",
                                    judgement->author, found));
}

static bool
at_author(const DmarcJudgement *judgement)
{
    return strcmp(judgement->discovery.domain, judgement->author) == 0;
}

static DmarcStatus
author_exists(DmarcJudgement *judgement)
{
    if (judgement->discovery.exists)
        return DMARC_FOUND;
    return dmarc_domain_exists(judgement->call, judgement->author);
}

static void
use_policy(DmarcJudgement *judgement, const char *tag, int policy)
{
    judgement->tag = tag;
    judgement->policy = (DmarcPolicy)policy;
}

/* RFC 9989 4.10.1: p=, or below the record's domain sp= and np=. Existence is
 * asked for only where the answer matters. */
static void
choose_policy(DmarcJudgement *judgement)
{
    const DmarcRecord *record = &judgement->discovery.record;
    DmarcStatus author = DMARC_FOUND;

    use_policy(judgement, "p", record->p);
    if (at_author(judgement) || judgement->result != DMARC_RESULT_FAIL)
        return;
    if (record->sp != DMARC_ABSENT)
        use_policy(judgement, "sp", record->sp);
    if (record->np != DMARC_ABSENT && record->np != (int)judgement->policy)
        author = author_exists(judgement);
    if (author == DMARC_MISSING)
        use_policy(judgement, "np", record->np);
    if (author == DMARC_FAILED)
        judge_error(judgement, DMARC_RESULT_TEMPERROR,
                    g_strdup_printf("no answer for %s", judgement->author));
    judgement->cancelled = author == DMARC_CANCELLED;
}

/* t=y (RFC 9989 4.7), or pct= (RFC 7489 6.6.4), whose dice is the clock: the
 * same message at the same time has the same lot. */
static bool
is_sampled_out(const DmarcJudgement *judgement)
{
    const DmarcRecord *record = &judgement->discovery.record;
    FilterdCall *call = judgement->call;

    if (judgement->psl == NULL)
        return record->testing;
    return call->host->now(call) % 100 >= record->percent;
}

static void
lessen_policy(DmarcJudgement *judgement)
{
    judgement->lessened = judgement->policy;
    if (judgement->policy > DMARC_NONE && is_sampled_out(judgement))
        judgement->lessened = (DmarcPolicy)(judgement->policy - 1);
}

/* Where the library contradicts us, neither of the two lets the message pass,
 * and neither has it refused. */
static void
ask_library(DmarcJudgement *judgement)
{
    DmarcQuestion question = {
        .domain = judgement->author,
        .policy = judgement->policy,
        .spf = judgement->spf >= DMARC_RELAXED,
        .dkim = judgement->dkim >= DMARC_RELAXED,
    };
    DmarcOpinion opinion = dmarc_library_judge(&question);
    DmarcOpinion ours = judgement->result == DMARC_RESULT_PASS
                            ? DMARC_SAYS_PASS
                            : DMARC_SAYS_NONE + judgement->policy;

    if (opinion == ours || opinion == DMARC_NO_OPINION)
        return;
    judgement->call->host->log(judgement->call, FILTERD_LOG_WARNING,
                               "libopendmarc contradicts for %s: %d, not %d",
                               judgement->author, opinion, ours);
    judge_error(judgement, DMARC_RESULT_FAIL, g_strdup("verdicts contradict"));
    judgement->lessened = DMARC_NONE;
}

void
dmarc_judge(DmarcJudgement *judgement)
{
    FilterdCall *call = judgement->call;

    if (!find_author(judgement))
        return;
    dmarc_prefetch(call, judgement->psl, judgement->author);
    if (!find_record(judgement))
        return;
    judgement->evidence = look_up_evidence(call);
    judge_evidence(judgement, &judgement->evidence);
    if (!judgement->cancelled)
        choose_policy(judgement);
    if (judgement->cancelled || judgement->result > DMARC_RESULT_FAIL)
        return;
    lessen_policy(judgement);
    ask_library(judgement);
}
