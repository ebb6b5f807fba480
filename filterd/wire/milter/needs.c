/* needs.c: what a policy needs of a mail server.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/milter/needs.h"

#include "policy/judge.h"

#include <libmilter/mfapi.h>
#include <string.h>

/* Headers are needed whatever the policy says: forged results are taken out.
 * Nobody waits for an answer to a field; of the white space behind a colon each
 * octet counts (RFC 6376 3.4.1). */
#define ALWAYS \
    (SMFIP_HDR_LEADSPC | SMFIP_NOUNKNOWN | SMFIP_NR_HDR | SMFIP_NR_EOH)

/* ---- steps -------------------------------------------------------------- */

static gboolean
has_rules(const PolicyConfig *config, FilterdStage stage)
{
    const GPtrArray *rules = policy_rules(config);
    for (unsigned i = 0; i < rules->len; i++)
        if (((const PolicyRule *)g_ptr_array_index(rules, i))->stage == stage)
            return TRUE;
    return FALSE;
}

static gboolean
mentions(const PolicyConfig *config, const char *fact)
{
    return policy_mentions(config, policy_fact_find(config, fact));
}

static unsigned long
needed_steps(const Engine *engine)
{
    const PolicyConfig *config = engine_config(engine);
    unsigned long steps = ALWAYS;
    if (!has_rules(config, FILTERD_CONNECT))
        steps |= SMFIP_NR_CONN;
    if (!has_rules(config, FILTERD_HELO))
        steps |= SMFIP_NR_HELO;
    if (!has_rules(config, FILTERD_DATA))
        steps |= SMFIP_NODATA;
    if (mentions(config, "client.unknown-recipients"))
        steps |= SMFIP_RCPT_REJ;
    if (engine_needs_body(engine))
        return steps | SMFIP_SKIP;
    return steps | SMFIP_NOBODY;
}

/* ---- actions ------------------------------------------------------------ */

static const struct Action {
    FilterdEditKind edit;
    unsigned long needed;
} edit_actions[] = {
    {FILTERD_ADD_HEADER, SMFIF_ADDHDRS},
    {FILTERD_CHANGE_HEADER, SMFIF_ADDHDRS | SMFIF_CHGHDRS},
    {FILTERD_REMOVE_HEADER, SMFIF_CHGHDRS},
    {FILTERD_REPLACE_BODY, SMFIF_CHGBODY},
    {FILTERD_SET_SENDER, SMFIF_CHGFROM},
    {FILTERD_REMOVE_RECIPIENT, SMFIF_DELRCPT},
    {FILTERD_ADD_RECIPIENT, SMFIF_ADDRCPT},
    {FILTERD_QUARANTINE, SMFIF_QUARANTINE},
};

/* Of recipients that are discarded the message is taken away. */
static unsigned long
verdict_action(const PolicyRule *rule)
{
    if (rule->kind == POLICY_QUARANTINE)
        return SMFIF_QUARANTINE;
    if (rule->kind == POLICY_DISCARD && rule->stage == FILTERD_RCPT)
        return SMFIF_DELRCPT;
    return 0;
}

static unsigned long
needed_actions(const Engine *engine)
{
    const GPtrArray *rules = policy_rules(engine_config(engine));
    unsigned edits = engine_edits(engine);
    unsigned long actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST;
    for (unsigned i = 0; i < rules->len; i++)
        actions |= verdict_action(g_ptr_array_index(rules, i));
    for (unsigned i = 0; i < G_N_ELEMENTS(edit_actions); i++)
        if ((edits & 1u << edit_actions[i].edit) != 0)
            actions |= edit_actions[i].needed;
    return actions;
}

MilterNeeds
milter_needs(const Engine *engine)
{
    return (MilterNeeds){
        .actions = needed_actions(engine),
        .steps = needed_steps(engine),
    };
}

gboolean
milter_needs_met(const MilterNeeds *needs, unsigned long actions,
                 unsigned long steps)
{
    return (needs->actions & ~actions) == 0 && (needs->steps & ~steps) == 0;
}
