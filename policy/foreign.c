/* foreign.c: what others say in one word, and how it is said here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/compile.h"

#include <string.h>

#define EVERYONE "leave `if` and it out: the rule is for everyone then"
#define RELAY "reject relay if rcpt.domain not in ours"
#define LISTED "use dnsbl { zone … }, then reject listed if dnsbl.score >= 1"

typedef struct Foreign {
    const char *written; /* in small letters; `*` is any */
    const char *here;
} Foreign;

static const Foreign rules[] = {
    {"reject_unauth_destination", RELAY},
    {"defer_unauth_destination", RELAY},
    {"permit_mynetworks", "accept mynetworks if client.ip in mynetworks"},
    {"permit_sasl_authenticated", "accept authenticated if known auth.user"},
    {"reject_unknown_client_hostname", "reject no-name if not client.fcrdns"},
    {"reject_unknown_reverse_client_hostname",
     "reject no-name if not known client.name"},
    {"reject_rbl_client", LISTED},
    {"reject_rhsbl_*", LISTED},
    {"dnslists", LISTED},
    {"check_policy_service",
     "use spf, use greylist … find out what a rule asks for"},
    {"greylist", "use greylist, then tempfail NAME if greylist.state = new or "
                 "greylist.state = early"},
};

static const Foreign statements[] = {
    {"acl_smtp_connect*", "at connect { … }"},
    {"acl_smtp_helo*", "at helo { … }"},
    {"acl_smtp_mail*", "at mail { … }"},
    {"acl_smtp_rcpt*", "at rcpt { … }"},
    {"acl_smtp_predata*", "at data { … }"},
    {"acl_smtp_*", "at message { … }"},
    {"smtpd_client_restrictions*", "at connect { … }"},
    {"smtpd_helo_restrictions*", "at helo { … }"},
    {"smtpd_sender_restrictions*", "at mail { … }"},
    {"smtpd_*_restrictions*", "at rcpt { … }"},
    {"actions", "at message { reject NAME if score >= 15 … }"},
    {"-a", "at connect { reject NAME if client.ip in NETWORKS }"},
};

static const Foreign conditions[] = {
    {"any", EVERYONE},
    {"always", EVERYONE},
    {"all", EVERYONE},
    {"everyone", EVERYONE},
    {"r_spf_fail", "spf.result = fail"},
    {"r_spf_softfail", "spf.result = softfail"},
    {"r_spf_neutral", "spf.result = neutral"},
    {"r_spf_allow", "spf.result = pass"},
    {"r_spf_na", "spf.result = none"},
    {"r_spf_dnsfail", "spf.result = temperror"},
    {"r_spf_permfail", "spf.result = permerror"},
    {"r_dkim_allow", "dkim.result = pass"},
    {"r_dkim_reject", "dkim.result = fail"},
    {"r_dkim_na", "dkim.result = none"},
    {"dmarc_policy_allow", "dmarc.result = pass"},
    {"dmarc_policy_*", "dmarc.result = fail"},
};

static const struct {
    const Foreign *rows;
    gsize count;
} tables[] = {
    [FOREIGN_RULE] = {rules, G_N_ELEMENTS(rules)},
    [FOREIGN_STATEMENT] = {statements, G_N_ELEMENTS(statements)},
    [FOREIGN_CONDITION] = {conditions, G_N_ELEMENTS(conditions)},
};

const char *
compile_foreign(ForeignPlace where, const char *word)
{
    g_autofree char *plain = g_ascii_strdown(word, -1);

    for (gsize i = 0; i < tables[where].count; i++)
        if (g_pattern_match_simple(tables[where].rows[i].written, plain))
            return tables[where].rows[i].here;
    return NULL;
}
