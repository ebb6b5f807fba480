/* plugin.c: spf: whether the client may send for the domains that it names
 * (RFC 7208).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/check.h"
#include "plugins/spf/manual.h"
#include "plugins/spf/received.h"

#include <string.h>

static const FilterdOption options[] = {
    {.name = "lookup-limit",
     .type = FILTERD_INT,
     .offset = offsetof(SpfConfig, lookup_limit),
     .fallback = "10",
     .doc = "Terms that ask the DNS, of all records of a check together; more "
            "are a permerror. RFC 7208 demands 10.",
     .low = 1,
     .high = 20},
    {.name = "void-limit",
     .type = FILTERD_INT,
     .offset = offsetof(SpfConfig, void_limit),
     .fallback = "2",
     .doc = "Terms for which the DNS has nothing; more are a permerror.",
     .low = 0,
     .high = 20},
    {.name = "explanation",
     .type = FILTERD_BOOL,
     .offset = offsetof(SpfConfig, explanation),
     .fallback = "on",
     .doc = "Whether to ask a domain for its explanation of a fail."},
    {.name = "receiver",
     .type = FILTERD_TEXT,
     .offset = offsetof(SpfConfig, receiver),
     .fallback = "\"unknown\"",
     .doc = "Our name, where an explanation wants it (%{r})."},
    {0},
};

/* The order of SpfResult. */
static const char *const results[] = {
    "none",     "neutral",   "pass",      "fail",
    "softfail", "temperror", "permerror", NULL,
};

enum {
    FACT_RESULT,
    FACT_DOMAIN,
    FACT_MECHANISM,
    FACT_LOOKUPS,
    FACT_EXPLANATION,
    FACT_PROBLEM,
    FACT_HELO,
    FACT_HELO_PROBLEM,
};

static const FilterdFact facts[] = {
    [FACT_RESULT] = {"result", FILTERD_WORD, FILTERD_MAIL,
                     "The result for the reverse-path; for the null "
                     "reverse-path that of postmaster at the HELO name.",
                     results},
    [FACT_DOMAIN] = {"domain", FILTERD_DOMAIN, FILTERD_MAIL,
                     "The domain whose record was asked for."},
    [FACT_MECHANISM] = {"mechanism", FILTERD_TEXT, FILTERD_MAIL,
                        "The term that decided, as published; \"default\" "
                        "where none did."},
    [FACT_LOOKUPS] = {"lookups", FILTERD_INT, FILTERD_MAIL,
                      "How many terms asked the DNS."},
    [FACT_EXPLANATION] =
        {"explanation", FILTERD_TEXT, FILTERD_MAIL,
         "What the domain says about a fail: a stranger's words, printable "
         "ASCII, at most 255 octets. Unknown where it says nothing."},
    [FACT_PROBLEM] = {"problem", FILTERD_TEXT, FILTERD_MAIL,
                      "Why the result is not pass: which term of which record "
                      "the client matches, or what is wrong with a record or "
                      "with the DNS."},
    [FACT_HELO] = {"helo", FILTERD_WORD, FILTERD_HELO,
                   "The result for the HELO name.", results},
    [FACT_HELO_PROBLEM] = {"helo-problem", FILTERD_TEXT, FILTERD_HELO,
                           "Why the result for the HELO name is not pass."},
    {0},
};

enum {
    NEED_CLIENT,
    NEED_HELO,
    NEED_FROM,
    NEED_LOCAL,
    NEED_DOMAIN,
};

static const FilterdNeed needs[] = {
    [NEED_CLIENT] = {"client.ip", FILTERD_IP},
    [NEED_HELO] = {"helo.name", FILTERD_TEXT},
    [NEED_FROM] = {"mail.from", FILTERD_ADDRESS},
    [NEED_LOCAL] = {"mail.local", FILTERD_TEXT},
    [NEED_DOMAIN] = {"mail.domain", FILTERD_DOMAIN},
    {0},
};

static const FilterdMethod methods[] = {
    {"spf", FACT_RESULT},
    {0},
};

static const char *
lookup_text(FilterdCall *call, unsigned need)
{
    const FilterdValue *value = call->host->lookup(call, need);
    return value->type == FILTERD_UNKNOWN ? "" : value->text;
}

/* A host's name as SMTP has it (RFC 5321 2.3.5), underscores forgiven: what
 * the result is about when it goes into a header field. */
static bool
is_host_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (!g_ascii_isalnum(*p) && strchr("-._", *p) == NULL)
            return false;
    return spf_domain_valid(name);
}

/* False where there is no client to judge. */
static bool
check_init(FilterdCall *call, SpfCheck *check)
{
    const FilterdValue *client = call->host->lookup(call, NEED_CLIENT);
    if (client->type != FILTERD_IP)
        return false;
    const char *helo = lookup_text(call, NEED_HELO);
    *check = (SpfCheck){
        .call = call,
        .config = call->config,
        .client = client->ip,
        .domain = helo,
        .local = "postmaster",
        .sender_domain = helo,
        .helo = helo,
    };
    return true;
}

/* Section 4.3: what is no domain has no record. */
static void
run(SpfCheck *check)
{
    if (is_host_name(check->domain)) {
        spf_check_run(check);
        return;
    }
    check->result = SPF_OUTCOME_NONE;
    spf_check_explain_problem(check, "\"%s\" is no domain", check->domain);
}

static void
publish_text(FilterdCall *call, unsigned fact, const char *text)
{
    if (text != NULL)
        call->host->publish(call, fact, filterd_text(text));
}

static bool
spf_helo(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    g_auto(SpfCheck) check = {0};
    if (!check_init(call, &check))
        return true;
    run(&check);
    if (check.cancelled)
        return true;
    call->host->publish(call, FACT_HELO, filterd_word(results[check.result]));
    publish_text(call, FACT_HELO_PROBLEM, check.problem);
    return true;
}

static void
publish_domain(FilterdCall *call, const char *name)
{
    if (!is_host_name(name))
        return;
    g_autofree char *domain = g_ascii_strdown(name, -1);
    gsize last = strlen(domain) - 1;
    if (domain[last] == '.')
        domain[last] = '\0';
    call->host->publish(call, FACT_DOMAIN,
                        filterd_string(FILTERD_DOMAIN, domain));
}

static void
publish(const SpfCheck *check)
{
    FilterdCall *call = check->call;
    publish_domain(call, check->domain);
    call->host->publish(call, FACT_RESULT,
                        filterd_word(results[check->result]));
    call->host->publish(call, FACT_LOOKUPS, filterd_int(check->lookups));
    publish_text(call, FACT_MECHANISM, check->mechanism);
    publish_text(call, FACT_EXPLANATION, check->explanation);
    publish_text(call, FACT_PROBLEM, check->problem);
}

/* RFC 8601 2.7.2: the domain alone, since nothing vouches for the local part;
 * and the HELO name is never said to be the reverse-path. */
static void
report(const SpfCheck *check, const char *from)
{
    bool null = *from == '\0';
    FilterdProperty property = {"smtp", null ? "helo" : "mailfrom",
                                null ? check->helo : check->domain};
    check->call->host->authres(check->call, "spf", results[check->result], NULL,
                               &property, *property.value != '\0');
}

/* Section 2.4. False where there is nothing to judge. `from` is borrowed from
 * the host. */
static bool
check_sender(FilterdCall *call, SpfCheck *check, const char **from)
{
    const FilterdValue *value = call->host->lookup(call, NEED_FROM);
    if (value->type == FILTERD_UNKNOWN || !check_init(call, check))
        return false;
    *from = value->text;
    if (*value->text != '\0') {
        const char *local = lookup_text(call, NEED_LOCAL);
        check->local = *local != '\0' ? local : check->local;
        check->domain = lookup_text(call, NEED_DOMAIN);
        check->sender_domain = check->domain;
    }
    check->explain = check->config->explanation;
    run(check);
    return !check->cancelled;
}

static bool
spf_mail(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    g_auto(SpfCheck) check = {0};
    const char *from;
    if (!check_sender(call, &check, &from))
        return true;
    publish(&check);
    report(&check, from);
    return true;
}

/* Checks again: within a transaction the DNS says the same again. */
static bool
add_received(FilterdCall *call, G_GNUC_UNUSED const FilterdValue *arguments,
             G_GNUC_UNUSED GError **error)
{
    g_auto(SpfCheck) check = {0};
    const char *from;
    if (!check_sender(call, &check, &from))
        return true;
    g_autofree char *value = spf_received_format(&check, results[check.result]);
    FilterdEdit edit = {FILTERD_ADD_HEADER, "Received-SPF", value};
    call->host->edit(call, &edit);
    return true;
}

static const FilterdType no_arguments[] = {FILTERD_UNKNOWN};

static const FilterdAction actions[] = {
    {"received", "Puts a Received-SPF header field on top (RFC 7208 9.1).",
     no_arguments, add_received},
    {0},
};

FILTERD_PLUGIN(.name = "spf", .version = "1",
               .summary = "whether the client may send for the domains it names"
                          " (RFC 7208)",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(SpfConfig),
               .facts = facts, .needs = needs, .methods = methods,
               .actions = actions, .helo = spf_helo, .mail = spf_mail,
               .edits = 1 << FILTERD_ADD_HEADER);
