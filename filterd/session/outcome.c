/* outcome.c: what became of a message, for those plugins that want to know.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/session/state.h"

static const FilterdFate fates[] = {
    [POLICY_ACCEPT] = FILTERD_ACCEPTED,
    [POLICY_PASS] = FILTERD_ACCEPTED,
    [POLICY_REJECT] = FILTERD_REJECTED,
    [POLICY_TEMPFAIL] = FILTERD_TEMPFAILED,
    [POLICY_DISCARD] = FILTERD_DISCARDED,
    [POLICY_QUARANTINE] = FILTERD_QUARANTINED,
    [POLICY_DISCONNECT] = FILTERD_TEMPFAILED,
};

/* What is said about a transaction without a message is nobody's fate. */
static void
note(Session *session, const SessionOutcome *outcome)
{
    if (!session->judged
        || (session->outcome.known && session->outcome.fate <= outcome->fate))
        return;
    session->outcome = *outcome;
    session->outcome.known = TRUE;
}

void
session_outcome_rule(Session *session, const PolicyRule *rule)
{
    note(session, &(SessionOutcome){.fate = rule != NULL ? fates[rule->kind]
                                                         : FILTERD_ACCEPTED,
                                    .rule = rule,
                                    .name = rule != NULL ? rule->name : NULL});
}

void
session_outcome_other(Session *session, const char *name, FilterdFate fate)
{
    note(session, &(SessionOutcome){.fate = fate, .name = name});
}

gboolean
session_has_outcome(const Session *session)
{
    const Host *host = session->engine->host;
    gboolean heard = FALSE;
    for (unsigned i = 0; i < host_instances(host) && !heard; i++)
        heard = host_instance(host, i)->plugin->done != NULL;
    return heard && session->outcome.known;
}

void
session_outcome_tell(Session *session)
{
    const SessionOutcome outcome = session->outcome;
    const FilterdOutcome told = {
        .size = sizeof told,
        .fate = outcome.fate,
        .stage = outcome.rule != NULL ? outcome.rule->stage : FILTERD_MESSAGE,
        .rule = outcome.name,
    };
    session->outcome = (SessionOutcome){0};
    if (outcome.known)
        visit_done(session->visit, &told, outcome.rule);
}
