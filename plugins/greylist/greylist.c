/* greylist.c: whether this client, sender and recipient have been here before,
 * and how long ago. (RFC 6647)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/instance.h"
#include "plugins/greylist/judge.h"
#include "plugins/greylist/manual.h"

#include <string.h>

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

/* What is remembered of a transaction: the client is the same for all its
 * recipients. */
typedef struct Message {
    bool sought, found;
    Client client;
    White white;
    bool signs;
    unsigned judged; /* recipients */
    Verdict best, worst;
} Message;

static const char *const state_words[] = {[NEW] = "new",
                                          [EARLY] = "early",
                                          [PASSED] = "passed",
                                          [KNOWN] = "known",
                                          NULL};
static const char *const rung_words[] = {[RUNG_DOMAIN] = "domain",
                                         [RUNG_NAME] = "name",
                                         [RUNG_NETWORK] = "network",
                                         NULL};
static const char *const sender_words[] = {[SENDER_NORMALIZED] = "normalized",
                                           [SENDER_EXACT] = "exact",
                                           [SENDER_DOMAIN] = "domain",
                                           NULL};

enum {
    STATE,
    WAIT,
    KEY,
    WHITE,
    COUNT,
    AGE,
    SIGNS,
    MESSAGE_STATE,
    MESSAGE_WAIT,
    MESSAGE_KEY,
};
enum {
    CLIENT,
    NAME,
    CONFIRMED,
    SENDER,
    SENDER_DOMAIN_NAME,
    RECIPIENT,
    SPF_RESULT,
    SPF_DOMAIN,
    DKIM_DOMAINS,
    AUTHOR,
};

/* ---- evidence ----------------------------------------------------------- */

/* NULL: unknown. */
static const char *
lookup_text(FilterdCall *call, unsigned need)
{
    const FilterdValue *value = call->host->lookup(call, need);

    return value->type != FILTERD_UNKNOWN ? value->text : NULL;
}

static const char *
spf_domain(FilterdCall *call)
{
    const char *result = lookup_text(call, SPF_RESULT);

    return result != NULL && strcmp(result, "pass") == 0
               ? lookup_text(call, SPF_DOMAIN)
               : NULL;
}

static const char *
confirmed_name(FilterdCall *call)
{
    const FilterdValue *confirmed = call->host->lookup(call, CONFIRMED);

    return confirmed->type != FILTERD_UNKNOWN && confirmed->boolean
               ? lookup_text(call, NAME)
               : NULL;
}

/* Nobody looks the name up where a domain vouches. */
static bool
client_find(FilterdCall *call, const char *domain, Client *client)
{
    const Instance *instance = call->instance;
    const FilterdValue *ip = call->host->lookup(call, CLIENT);
    Evidence evidence = {.domain = domain};

    if (ip->type != FILTERD_UNKNOWN)
        evidence.ip = &ip->ip;
    if (domain == NULL)
        evidence.name = confirmed_name(call);
    return ladder_find(call->config, instance->psl, &evidence, client);
}

static const Client *
message_client(FilterdCall *call)
{
    Message *message = call->message;

    if (!message->sought)
        message->found = client_find(call, spf_domain(call), &message->client);
    message->sought = true;
    return message->found ? &message->client : NULL;
}

/* A domain of the same organization that signed; NULL: none. */
static const char *
signer_of(FilterdCall *call, const char *domain)
{
    const Instance *instance = call->instance;
    const FilterdValue *signers = call->host->lookup(call, DKIM_DOMAINS);

    if (domain == NULL || *domain == '\0' || signers->type != FILTERD_LIST)
        return NULL;

    const char *wanted = ladder_organization(instance->psl, domain);

    for (size_t i = 0; i < signers->list.length; i++) {
        const char *signer = signers->list.items[i].text;

        if (strcmp(ladder_organization(instance->psl, signer), wanted) == 0)
            return signer;
    }
    return NULL;
}

/* ---- results ------------------------------------------------------------ */

static void
publish_state(FilterdCall *call, unsigned fact, const Verdict *verdict)
{
    const Config *config = call->config;
    int64_t seconds = (verdict->wait + SECOND - 1) / SECOND * SECOND;

    call->host->publish(call, fact, filterd_word(state_words[verdict->state]));
    call->host->publish(call, fact + 1,
                        filterd_duration(MIN(seconds, config->delay)));
}

static void
publish_details(FilterdCall *call, const Client *client, const Verdict *verdict)
{
    const Config *config = call->config;
    const Message *message = call->message;

    call->host->publish(call, KEY, filterd_word(rung_words[client->rung]));
    call->host->publish(call, WHITE, filterd_bool(verdict->white));
    if (config->white_after > 0)
        call->host->publish(call, COUNT,
                            filterd_int(MAX(message->white.entry.count, 0)));
    if (verdict->age >= 0)
        call->host->publish(call, AGE, filterd_duration(verdict->age));
}

static void
note_verdict(Message *message, const Verdict *verdict)
{
    if (message->judged == 0 || verdict->state > message->best.state)
        message->best = *verdict;
    if (message->judged == 0 || verdict->state < message->worst.state
        || verdict->wait > message->worst.wait)
        message->worst = *verdict;
    message->judged++;
}

/* ---- hooks -------------------------------------------------------------- */

static bool
rcpt_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const Config *config = call->config;
    Message *message = call->message;
    const char *from = lookup_text(call, SENDER);
    const char *to = lookup_text(call, RECIPIENT);
    Verdict verdict;

    if (from == NULL || to == NULL || message_client(call) == NULL)
        return true;

    g_autofree char *sender = key_sender(from, (SenderForm)config->sender);
    const Try try = {&message->client, sender, to, &message->white};

    if (!judge_try(call, &try, &verdict))
        return true;
    note_verdict(message, &verdict);
    publish_state(call, STATE, &verdict);
    publish_details(call, &message->client, &verdict);
    return true;
}

/* Whether the reverse-path's organization is known to sign: only a promise,
 * which eom_hook() holds it to. */
static bool
mail_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const Instance *instance = call->instance;
    Message *message = call->message;
    const char *domain = lookup_text(call, SENDER_DOMAIN_NAME);
    Entry entry = {.count = -1};
    Key key;

    if (domain != NULL) {
        key_signer(key, ladder_organization(instance->psl, domain));
        if (!entry_read(call, key, &entry))
            return true;
    }
    message->signs = entry.count > 0;
    call->host->publish(call, SIGNS, filterd_bool(message->signs));
    return true;
}

static void
remember_signer(FilterdCall *call, const char *domain)
{
    const Config *config = call->config;
    const Instance *instance = call->instance;
    Entry entry;
    Key key;

    key_signer(key, ladder_organization(instance->psl, domain));
    if (!entry_read(call, key, &entry))
        return;
    if (entry.count > 0)
        entry_refresh(call, key, &entry, config->lifetime);
    else
        entry_write(call, key, 1, config->lifetime);
}

/* What the recipients that got here were told: those who were let through for
 * a signature all of it, else those who had passed. NULL: nobody asked. */
static const Verdict *
recipients_verdict(const Message *message)
{
    if (message->judged == 0)
        return NULL;
    return message->signs ? &message->worst : &message->best;
}

/* False: nothing is known. */
static bool
judge_message(FilterdCall *call, const Try *try, bool is_signed,
              Verdict *verdict)
{
    const Verdict *before = recipients_verdict(call->message);

    if (before == NULL || (is_signed && before->state < PASSED))
        return judge_try(call, try, verdict);
    *verdict = *before;
    return !is_signed || judge_confirm(call, try);
}

/* DKIM is known now: a domain of the author's organization that signed, else
 * one of the reverse-path's, is the client. */
static bool
eom_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const Config *config = call->config;
    Message *message = call->message;
    const char *from = lookup_text(call, SENDER);
    const char *domain = lookup_text(call, SENDER_DOMAIN_NAME);
    const char *returns = signer_of(call, domain);
    const char *signer = signer_of(call, lookup_text(call, AUTHOR));
    Client client;
    Verdict verdict;

    signer = signer != NULL ? signer : returns;
    if (from == NULL
        || !client_find(call, signer != NULL ? signer : spf_domain(call),
                        &client))
        return true;

    g_autofree char *sender = key_sender(from, (SenderForm)config->sender);
    const Try try = {&client, sender, NULL, &message->white};

    if (!judge_message(call, &try, signer != NULL, &verdict))
        return true;
    if (returns != NULL && verdict.state >= PASSED)
        remember_signer(call, domain);
    publish_state(call, MESSAGE_STATE, &verdict);
    call->host->publish(call, MESSAGE_KEY,
                        filterd_word(rung_words[client.rung]));
    return true;
}

static bool
start(FilterdCall *call, GError **error)
{
    const Config *config = call->config;
    Instance *instance = call->instance;

    if (config->delay >= config->window || config->window > config->lifetime) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                            "delay has to be less than window, and window not "
                            "more than lifetime");
        return false;
    }
    instance->psl = psl_latest(NULL);
    if (instance->psl != NULL) {
        instance->memory = memory_new();
        return true;
    }
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                        "organizations need the Public Suffix List: install "
                        "publicsuffix");
    return false;
}

static void
stop(FilterdCall *call)
{
    Instance *instance = call->instance;

    psl_free(g_steal_pointer(&instance->psl));
    g_clear_pointer(&instance->memory, memory_free);
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption options[] = {
    {.name = "delay",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, delay),
     .fallback = "5m",
     .doc = "How long after its first try a sender has to come back at least.",
     .low = SECOND,
     .high = DAY},
    {.name = "window",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, window),
     .fallback = "2d",
     .doc = "How long after its first try it may come back at most; after that "
            "it is new again.",
     .low = 60 * SECOND,
     .high = 30 * DAY},
    {.name = "lifetime",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, lifetime),
     .fallback = "36d",
     .doc = "How long one that has passed stays known after its last mail, to "
            "a day.",
     .low = HOUR,
     .high = 400 * DAY},
    {.name = "white-after",
     .type = FILTERD_INT,
     .offset = offsetof(Config, white_after),
     .fallback = "5",
     .doc = "After so many transactions that passed, every mail of that client "
            "is known, whatever its reverse-path and recipient; 0: never. They "
            "are counted for the domain that SPF or DKIM vouch for, else for "
            "the network: the name of an Internet provider is one for all its "
            "customers.",
     .low = 0,
     .high = 1000000},
    {.name = "white-lifetime",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, white_lifetime),
     .fallback = "36d",
     .doc = "How long that lasts after the client's last mail, to a day.",
     .low = HOUR,
     .high = 400 * DAY},
    {.name = "keys",
     .type = FILTERD_WORD,
     .flags = FILTERD_MANY,
     .offset = offsetof(Config, keys),
     .fallback = "domain name network",
     .doc = "What a client is known by, the first of these that there is; "
            "failing all, its network.",
     .words = rung_words},
    {.name = "network-v4",
     .type = FILTERD_INT,
     .offset = offsetof(Config, network_v4),
     .fallback = "24",
     .doc = "The bits of an IPv4 address that make its network.",
     .low = 8,
     .high = 32},
    {.name = "network-v6",
     .type = FILTERD_INT,
     .offset = offsetof(Config, network_v6),
     .fallback = "64",
     .doc = "The bits of an IPv6 address that make its network.",
     .low = 16,
     .high = 128},
    {.name = "sender",
     .type = FILTERD_WORD,
     .offset = offsetof(Config, sender),
     .fallback = "normalized",
     .doc =
         "How much of the reverse-path counts, always without case. "
         "`normalized` takes each word of its local part that has a digit in "
         "it as the same (bounce-#-#@example.org), and leaves out hash and day "
         "of SRS: VERP, BATV and SRS say something else with each message. "
         "`exact` is all of it, `domain` leaves out the local part.",
     .words = sender_words},
    {NULL},
};

static const FilterdFact facts[] = {
    [STATE] = {.name = "state",
               .type = FILTERD_WORD,
               .since = FILTERD_RCPT,
               .doc = "Of this client, reverse-path and recipient: `new`, the "
                      "first try; `early`, tried again before the delay was "
                      "over; `passed`, the first try after it; `known`, passed "
                      "before. Unknown while the store fails.",
               .words = state_words,
               .flags = FILTERD_EFFECT},
    [WAIT] = {.name = "wait",
              .type = FILTERD_DURATION,
              .since = FILTERD_RCPT,
              .doc = "How long still to wait; 0 when passed or known.",
              .flags = FILTERD_EFFECT},
    [KEY] =
        {.name = "key",
         .type = FILTERD_WORD,
         .since = FILTERD_RCPT,
         .doc =
             "What the client is known by: the organizational domain that SPF "
             "says it may use, that of its confirmed name, or its network.",
         .words = rung_words,
         .flags = FILTERD_EFFECT},
    [WHITE] = {.name = "white",
               .type = FILTERD_BOOL,
               .since = FILTERD_RCPT,
               .doc = "Whether the client is known for what it sent before, to "
                      "whomever.",
               .flags = FILTERD_EFFECT},
    [COUNT] = {.name = "count",
               .type = FILTERD_INT,
               .since = FILTERD_RCPT,
               .doc = "How many transactions of the client passed, up to "
                      "white-after; unknown if that is 0.",
               .flags = FILTERD_EFFECT},
    [AGE] = {.name = "age",
             .type = FILTERD_DURATION,
             .since = FILTERD_RCPT,
             .doc = "How long ago the first try was; unknown when known.",
             .flags = FILTERD_EFFECT},
    [SIGNS] =
        {.name = "signs",
         .type = FILTERD_BOOL,
         .since = FILTERD_MAIL,
         .doc = "Whether mail of the reverse-path's organization has passed "
                "before with its DKIM signature, as far as "
                "`greylist.message-state` was asked for. Anybody can say that "
                "reverse-path: at message, ask for `greylist.message-state`."},
    [MESSAGE_STATE] =
        {.name = "message-state",
         .type = FILTERD_WORD,
         .since = FILTERD_MESSAGE,
         .doc = "As `greylist.state`, with a DKIM signature of the author's or "
                "the reverse-path's organization in the place of the client's "
                "domain. A message without one is judged as its recipients "
                "were, if they were, else whoever they are.",
         .words = state_words,
         .flags = FILTERD_EFFECT},
    [MESSAGE_WAIT] = {.name = "message-wait",
                      .type = FILTERD_DURATION,
                      .since = FILTERD_MESSAGE,
                      .doc = "How long still to wait, as `greylist.wait`.",
                      .flags = FILTERD_EFFECT},
    [MESSAGE_KEY] =
        {.name = "message-key",
         .type = FILTERD_WORD,
         .since = FILTERD_MESSAGE,
         .doc = "As `greylist.key`; `domain` also for one that signed.",
         .words = rung_words,
         .flags = FILTERD_EFFECT},
    {NULL},
};

static const FilterdNeed needs[] = {
    [CLIENT] = {"client.ip", FILTERD_IP},
    [NAME] = {"client.name", FILTERD_DOMAIN},
    [CONFIRMED] = {"client.fcrdns", FILTERD_BOOL},
    [SENDER] = {"mail.from", FILTERD_ADDRESS},
    [SENDER_DOMAIN_NAME] = {"mail.domain", FILTERD_DOMAIN},
    [RECIPIENT] = {"rcpt.to", FILTERD_ADDRESS},
    [SPF_RESULT] = {"spf.result?", FILTERD_WORD},
    [SPF_DOMAIN] = {"spf.domain?", FILTERD_DOMAIN},
    [DKIM_DOMAINS] = {"dkim.domains?", FILTERD_LIST},
    [AUTHOR] = {"header.from.domain", FILTERD_DOMAIN},
    {NULL},
};

FILTERD_PLUGIN(.name = "greylist", .version = "0.2",
               .summary = "tell senders that have been here before from new "
                          "ones",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs,
               .instance_size = sizeof(Instance),
               .message_size = sizeof(Message), .start = start, .stop = stop,
               .mail = mail_hook, .rcpt = rcpt_hook, .eom = eom_hook);
