/* arc.c: does the message come with an unbroken chain of those who handled it,
 * and what do the trusted of them say? (RFC 8617)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

#include <arpa/inet.h>
#include <string.h>

#include "plugins/arc/body.h"
#include "plugins/arc/chain.h"
#include "plugins/arc/config.h"
#include "plugins/arc/manual.h"
#include "plugins/dkim/key.h"

#define WORK_LIMIT (4 * HEADER_LIMIT) /* octets that are hashed for h= */
#define SECOND 1000
#define IP4_OFFSET 12 /* of a mapped address */

/* RFC 8617 4.4; DNS errors are failures, too (5.2.1). */
static const char *const words[] = {"none", "pass", "fail", NULL};

enum { RESULT_WORD_NONE, RESULT_WORD_PASS, RESULT_WORD_FAIL };

static const FilterdOption options[] = {
    {"trusted", FILTERD_DOMAIN, FILTERD_MANY, offsetof(Config, trusted), NULL,
     "The sealers that are believed: domains, as d= of their seals has them."},
    {"instances", FILTERD_INT, 0, offsetof(Config, instances), "50",
     "The sets that a chain may have; one of more fails.", .low = 1,
     .high = INSTANCE_LIMIT},
    {"minimum-key-bits", FILTERD_INT, 0, offsetof(Config, minimum_key_bits),
     "1024",
     "The bits that an RSA key has at least; signatures and seals of smaller "
     "ones never pass.",
     .low = 1024, .high = 4096},
    {"clock-drift", FILTERD_DURATION, 0, offsetof(Config, clock_drift), "5m",
     "How wrong a sealer's clock may be, for t= and x=."},
    {NULL},
};

enum {
    FACT_RESULT,
    FACT_INSTANCES,
    FACT_SEALER,
    FACT_SEALERS,
    FACT_OLDEST_PASS,
    FACT_WITNESS,
    FACT_DMARC,
    FACT_SPF,
    FACT_DKIM,
    FACT_TEMPORARY,
    FACT_PROBLEM,
};

static const FilterdFact facts[] = {
    [FACT_RESULT] =
        {"result", FILTERD_WORD, FILTERD_MESSAGE,
         "The result of the whole chain; `none` where there is none.",
         .words = words},
    [FACT_INSTANCES] =
        {"instances", FILTERD_INT, FILTERD_MESSAGE,
         "The highest instance that was found; 0 without a chain."},
    [FACT_SEALER] =
        {"sealer", FILTERD_DOMAIN, FILTERD_MESSAGE,
         "The domain of the newest seal. Unknown unless the chain passed."},
    [FACT_SEALERS] = {"sealers", FILTERD_LIST, FILTERD_MESSAGE,
                      "The domains of all seals, the newest first. Empty "
                      "unless the chain passed.",
                      .items = FILTERD_DOMAIN},
    [FACT_OLDEST_PASS] =
        {"oldest-pass", FILTERD_INT, FILTERD_MESSAGE,
         "The instance of the oldest set whose message is still this one; 0: "
         "all of them. Unknown unless the chain passed."},
    [FACT_WITNESS] = {"witness", FILTERD_DOMAIN, FILTERD_MESSAGE,
                      "The oldest sealer that trusted ones alone stand behind; "
                      "see DESCRIPTION."},
    [FACT_DMARC] = {"dmarc", FILTERD_WORD, FILTERD_MESSAGE,
                    "What the witness found for DMARC.", .words = dmarc_words},
    [FACT_SPF] = {"spf", FILTERD_WORD, FILTERD_MESSAGE,
                  "What the witness found for SPF, of the reverse-path.",
                  .words = spf_words},
    [FACT_DKIM] =
        {"dkim", FILTERD_WORD, FILTERD_MESSAGE,
         "The best that the witness found for DKIM, as `dkim.result`.",
         .words = result_words},
    [FACT_TEMPORARY] =
        {"temporary", FILTERD_BOOL, FILTERD_MESSAGE,
         "Whether it fails only because a key cannot be looked up."},
    [FACT_PROBLEM] = {"problem", FILTERD_TEXT, FILTERD_MESSAGE,
                      "Why it fails, and at which field of which set; or that "
                      "there is no chain."},
    {NULL},
};

enum { NEED_CLIENT };

static const FilterdNeed needs[] = {
    [NEED_CLIENT] = {"client.ip", FILTERD_IP},
    {NULL},
};

static const FilterdMethod methods[] = {{"arc", FACT_RESULT}, {NULL}};

typedef struct Message {
    Header header;
    Chain *chain; /* NULL: there is none */
    bool begun;   /* the header is over */
    Body body;
} Message;

/* ---- the header --------------------------------------------------------- */

static bool
take_field(FilterdCall *call, const FilterdField *field, GError **error)
{
    (void)error;
    Message *message = call->message;
    Span signature;
    header_add(&message->header, field, &signature);
    chain_add(&message->chain, field,
              message->header.fields != NULL ? message->header.fields->len - 1
                                             : 0);
    return true;
}

static void
prefetch(FilterdCall *call, const Part *part)
{
    if (part->signature->result != RESULT_PENDING)
        return;
    g_autofree char *name = signature_key_name(part->signature);
    call->host->prefetch(call, name, FILTERD_DNS_TXT);
}

/* What each signature of the chain must have, beyond itself. */
static void
check_signatures(FilterdCall *call)
{
    const Config *config = call->config;
    Message *message = call->message;
    int64_t now = call->host->now(call) / SECOND;
    for (gint64 i = 1; i <= message->chain->length; i++) {
        Signature *covering =
            chain_part(message->chain, i, KIND_MESSAGE)->signature;
        Signature *seal = chain_part(message->chain, i, KIND_SEAL)->signature;
        if (signature_covers(covering, "from") < message->header.authors)
            signature_settle(covering, RESULT_POLICY,
                             "a From field is not signed");
        signature_check_time(covering, now, config->clock_drift / SECOND);
        signature_check_time(seal, now, config->clock_drift / SECOND);
    }
}

/* Whether that part, which has to pass, may still do so. */
static bool
require(Chain *chain, gint64 instance, Kind kind)
{
    const Signature *signature = chain_part(chain, instance, kind)->signature;
    Result result = signature->result;
    if (result == RESULT_TEMPERROR && chain->problem == NULL) {
        chain_fail(chain, instance, kind, signature->problem);
        chain->temporary = true;
    } else if (result < RESULT_TEMPERROR) {
        chain_fail(chain, instance, kind, signature->problem);
    }
    return chain->problem == NULL || chain->temporary;
}

/* The newest message signature and all seals. */
static bool
require_all(Chain *chain)
{
    bool may = require(chain, chain->length, KIND_MESSAGE);
    for (gint64 i = chain->length; may && i >= 1; i--)
        may = require(chain, i, KIND_SEAL);
    return may;
}

static void
begin_chain(FilterdCall *call, Chain *chain)
{
    const Config *config = call->config;
    Message *message = call->message;
    if (message->header.problem != NULL)
        chain_fail(chain, 0, KINDS, message->header.problem);
    chain_check_structure(chain, config->instances);
    if (chain->problem != NULL)
        return;
    check_signatures(call);
    if (!require_all(chain))
        return;
    chain_digest(chain, &message->header, WORK_LIMIT);
    body_begin(&message->body, chain);
    for (gint64 i = chain->length; i >= 1; i--) {
        prefetch(call, chain_part(chain, i, KIND_MESSAGE));
        prefetch(call, chain_part(chain, i, KIND_SEAL));
    }
}

static void
begin(FilterdCall *call)
{
    Message *message = call->message;
    if (message->begun)
        return;
    message->begun = true;
    if (message->chain != NULL)
        begin_chain(call, message->chain);
    header_clear(&message->header);
}

static bool
take_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    (void)error;
    Message *message = call->message;
    begin(call);
    body_add(&message->body, bytes, length);
    return true;
}

/* ---- the chain (5.2) ---------------------------------------------------- */

static void
take_answer(FilterdCall *call, Signature *signature,
            const FilterdDnsAnswer *answer)
{
    const Config *config = call->config;
    if (filterd_dns_failed(answer))
        signature_settle(signature, RESULT_TEMPERROR,
                         "the key cannot be looked up");
    else if (answer->status != FILTERD_DNS_ANSWER || answer->length == 0)
        signature_settle(signature, RESULT_PERMERROR, "there is no key");
    else if (answer->length > 1)
        signature_settle(signature, RESULT_PERMERROR,
                         "there are several key records");
    else
        key_read(signature,
                 (Span){answer->records[0].bytes, answer->records[0].length},
                 config->minimum_key_bits);
}

/* False: the session is ending. */
static bool
judge(FilterdCall *call, Part *part)
{
    if (part->signature->result != RESULT_PENDING)
        return true;
    g_autofree char *name = signature_key_name(part->signature);
    const FilterdDnsAnswer *answer =
        call->host->dns(call, name, FILTERD_DNS_TXT);
    if (answer->status == FILTERD_DNS_CANCELLED)
        return false;
    take_answer(call, part->signature, answer);
    part_verify(part);
    return true;
}

/* Steps 4 and 6, which a pass needs. */
static bool
judge_required(FilterdCall *call, Chain *chain)
{
    if (!require(chain, chain->length, KIND_MESSAGE))
        return true;
    if (!judge(call, chain_part(chain, chain->length, KIND_MESSAGE)))
        return false;
    bool may = require(chain, chain->length, KIND_MESSAGE);
    for (gint64 i = chain->length; may && i >= 1; i--) {
        if (!judge(call, chain_part(chain, i, KIND_SEAL)))
            return false;
        may = require(chain, i, KIND_SEAL);
    }
    return true;
}

/* Step 5. */
static bool
find_oldest_pass(FilterdCall *call, Chain *chain, gint64 *oldest)
{
    for (gint64 i = chain->length - 1; i >= 1; i--) {
        Part *part = chain_part(chain, i, KIND_MESSAGE);
        if (!judge(call, part))
            return false;
        if (part->signature->result != RESULT_PASS) {
            *oldest = i + 1;
            return true;
        }
    }
    *oldest = 0;
    return true;
}

/* ---- what came of it ---------------------------------------------------- */

static bool
is_trusted(const Config *config, const char *domain)
{
    const char *const *items = config->trusted.items;
    for (size_t i = 0; i < config->trusted.length; i++)
        if (strcmp(items[i], domain) == 0)
            return true;
    return false;
}

static const char *
sealer(Chain *chain, gint64 instance)
{
    return chain_part(chain, instance, KIND_SEAL)->signature->domain;
}

/* A sealer vouches for the seals below its own: what it says counts as long as
 * all above it are trusted, too. */
static void
publish_witness(FilterdCall *call, Chain *chain)
{
    gint64 oldest = chain->length + 1;
    while (oldest > 1 && is_trusted(call->config, sealer(chain, oldest - 1)))
        oldest--;
    if (oldest > chain->length)
        return;
    const Results *results = &chain->sets[oldest - 1].results;
    call->host->publish(call, FACT_WITNESS,
                        filterd_string(FILTERD_DOMAIN, sealer(chain, oldest)));
    call->host->publish(call, FACT_DMARC, filterd_word(results->dmarc));
    call->host->publish(call, FACT_SPF, filterd_word(results->spf));
    call->host->publish(call, FACT_DKIM, filterd_word(results->dkim));
}

static void
publish_sealers(FilterdCall *call, Chain *chain)
{
    FilterdValue items[INSTANCE_LIMIT];
    size_t length = 0;
    for (gint64 i = chain->length; i >= 1; i--)
        items[length++] = filterd_string(FILTERD_DOMAIN, sealer(chain, i));
    call->host->publish(call, FACT_SEALER, items[0]);
    call->host->publish(call, FACT_SEALERS, filterd_list(items, length));
}

static char *
describe(Chain *chain)
{
    GString *text = g_string_new(chain->problem);
    if (chain->kind < KINDS)
        g_string_append_printf(text, " (%s", chain_kind_name(chain->kind));
    if (chain->kind < KINDS && chain->instance > 0)
        g_string_append_printf(text, " i=%" G_GINT64_FORMAT, chain->instance);
    if (chain->kind < KINDS)
        g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}

static void
report(FilterdCall *call, int word, const char *comment, const char *oldest)
{
    char client[INET6_ADDRSTRLEN] = "";
    const FilterdValue *value = call->host->lookup(call, NEED_CLIENT);
    static const uint8_t mapped[IP4_OFFSET] = {[10] = 0xff, [11] = 0xff};
    bool known = value->type == FILTERD_IP;
    bool ip4 = known && memcmp(value->ip.bytes, mapped, IP4_OFFSET) == 0;
    if (known)
        inet_ntop(ip4 ? AF_INET : AF_INET6,
                  value->ip.bytes + (ip4 ? IP4_OFFSET : 0), client,
                  sizeof(client));
    FilterdProperty properties[2];
    size_t length = 0;
    if (known)
        properties[length++] = (FilterdProperty){"smtp", "remote-ip", client};
    if (oldest != NULL)
        properties[length++] =
            (FilterdProperty){"header", "oldest-pass", oldest};
    call->host->authres(call, "arc", words[word], comment, properties, length);
}

static void
publish_none(FilterdCall *call)
{
    call->host->publish(call, FACT_RESULT,
                        filterd_word(words[RESULT_WORD_NONE]));
    call->host->publish(call, FACT_INSTANCES, filterd_int(0));
    call->host->publish(call, FACT_SEALERS, filterd_list(NULL, 0));
    call->host->publish(call, FACT_TEMPORARY, filterd_bool(false));
    call->host->publish(call, FACT_PROBLEM, filterd_text("there is no chain"));
}

static void
publish_fail(FilterdCall *call, Chain *chain)
{
    g_autofree char *problem = describe(chain);
    call->host->publish(call, FACT_RESULT,
                        filterd_word(words[RESULT_WORD_FAIL]));
    call->host->publish(call, FACT_INSTANCES, filterd_int(chain->length));
    call->host->publish(call, FACT_SEALERS, filterd_list(NULL, 0));
    call->host->publish(call, FACT_TEMPORARY, filterd_bool(chain->temporary));
    call->host->publish(call, FACT_PROBLEM, filterd_text(problem));
    report(call, RESULT_WORD_FAIL, problem, NULL);
}

static void
publish_pass(FilterdCall *call, Chain *chain, gint64 oldest)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, oldest);
    call->host->publish(call, FACT_RESULT,
                        filterd_word(words[RESULT_WORD_PASS]));
    call->host->publish(call, FACT_INSTANCES, filterd_int(chain->length));
    call->host->publish(call, FACT_OLDEST_PASS, filterd_int(oldest));
    call->host->publish(call, FACT_TEMPORARY, filterd_bool(false));
    publish_sealers(call, chain);
    publish_witness(call, chain);
    report(call, RESULT_WORD_PASS, NULL, text);
}

static bool
eom(FilterdCall *call, GError **error)
{
    (void)error;
    gint64 oldest = 0;
    Message *message = call->message;
    Chain *chain = message->chain;
    begin(call);
    if (chain == NULL) {
        publish_none(call);
        return true;
    }
    if (chain->problem == NULL) {
        body_end(&message->body, chain);
        if (!judge_required(call, chain))
            return true;
    }
    if (chain->problem == NULL && !find_oldest_pass(call, chain, &oldest))
        return true;
    if (chain->problem != NULL)
        publish_fail(call, chain);
    else
        publish_pass(call, chain, oldest);
    return true;
}

static void
clear_message(FilterdCall *call)
{
    Message *message = call->message;
    header_clear(&message->header);
    body_clear(&message->body);
    g_clear_pointer(&message->chain, chain_free);
}

FILTERD_PLUGIN(.name = "arc", .version = "0.1",
               .summary = "the Authenticated Received Chain (RFC 8617)",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .methods = methods,
               .message_size = sizeof(Message), .header = take_field,
               .body = take_body, .eom = eom, .clear_message = clear_message);
