/* @NAME@.c: whether the domain of the reverse-path takes mail itself.
 * (RFC 5321 5.1, RFC 7505)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <filterd/plugin.h>

static const char *const words[] = {"mx", "address", "null", "none", NULL};
enum { WORD_MX, WORD_ADDRESS, WORD_NULL, WORD_NONE };

static const FilterdOption options[] = {
    {.name = "address",
     .type = FILTERD_BOOL,
     .offset = offsetof(Config, address),
     .fallback = "on",
     .doc =
         "Whether a domain without MX takes mail at its address, as RFC 5321 "
         "has it."},
    {.name = NULL},
};

enum { FACT_TAKES };

static const FilterdFact facts[] = {
    [FACT_TAKES] = {.name = "takes",
                    .type = FILTERD_WORD,
                    .since = FILTERD_MAIL,
                    .doc = "How the domain takes mail: by an MX, at its "
                           "address, by a null MX never, or in no way. Unknown "
                           "where the DNS fails and for the null reverse-path.",
                    .words = words},
    {.name = NULL},
};

enum { NEED_DOMAIN };

static const FilterdNeed needs[] = {
    [NEED_DOMAIN] = {.fact = "mail.domain", .type = FILTERD_DOMAIN},
    {.fact = NULL},
};

/* Waits. False: nobody knows, and the error says why. */
static bool
ask(FilterdCall *call, const char *domain, FilterdDnsType type,
    const FilterdDnsAnswer **answer, GError **error)
{
    *answer = call->host->dns(call, domain, type);
    if (!filterd_dns_failed(*answer))
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "the DNS does not answer for %s", domain);
    return false;
}

/* RFC 7505 3: one MX, and its host is the root. */
static bool
is_null(const FilterdDnsAnswer *answer)
{
    return answer->length == 1 && *answer->records[0].name == '\0';
}

static bool
find_address(FilterdCall *call, const char *domain, int *word, GError **error)
{
    const FilterdDnsAnswer *v4, *v6;

    call->host->prefetch(call, domain, FILTERD_DNS_AAAA);
    if (!ask(call, domain, FILTERD_DNS_A, &v4, error))
        return false;
    if (v4->status != FILTERD_DNS_ANSWER) {
        if (!ask(call, domain, FILTERD_DNS_AAAA, &v6, error))
            return false;
        if (v6->status != FILTERD_DNS_ANSWER)
            return true;
    }
    *word = WORD_ADDRESS;
    return true;
}

static bool
find_word(FilterdCall *call, const char *domain, int *word, GError **error)
{
    const Config *config = (const Config *)call->config;
    const FilterdDnsAnswer *mx;

    *word = WORD_NONE;
    if (!ask(call, domain, FILTERD_DNS_MX, &mx, error))
        return false;
    if (mx->status == FILTERD_DNS_ANSWER)
        *word = is_null(mx) ? WORD_NULL : WORD_MX;
    else if (config->address)
        return find_address(call, domain, word, error);
    return true;
}

/* What is not published is unknown, as are all facts of a hook that fails: a
 * rule that asks for them does not fire. */
static bool
mail(FilterdCall *call, GError **error)
{
    const FilterdValue *domain = call->host->lookup(call, NEED_DOMAIN);
    int word;

    if (domain->type != FILTERD_DOMAIN)
        return true;
    if (!find_word(call, domain->text, &word, error))
        return false;
    call->host->publish(call, FACT_TAKES, filterd_word(words[word]));
    return true;
}

FILTERD_PLUGIN(.name = "@NAME@", .version = "0.1.0",
               .summary = "ask whether the sender's domain takes mail",
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .mail = mail,
               .description =
                   "A domain that takes no mail cannot be told of what becomes "
                   "of its own: whoever names it as the sender has made it "
                   "up, or does not want to hear.\n\n"
                   "At most three questions to the DNS: for MX, then for both "
                   "kinds of addresses.",
               .example = "use @NAME@\n\n"
                          "at mail {\n"
                          "    reject no-return if @NAME@.takes = null or "
                          "@NAME@.takes = none\n"
                          "           reply 550 5.7.27 \"{mail.domain} takes "
                          "no mail\"\n"
                          "}\n");
