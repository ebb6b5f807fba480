/* lookup.c: whether a recipient exists, as a mail server behind us says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lookup/conversation.h"
#include "plugins/lookup/manual.h"

#include <string.h>

#define SECOND INT64_C(1000)
#define DAY (86400 * SECOND)
#define HASH_DIGITS 32

/* How long a server that failed is left alone. */
#define PAUSE (10 * SECOND)

#define SERVER_TURN "server"

enum { RESULT, REPLY, CACHED, PROBLEM };
enum { RECIPIENT };
enum { METRIC_RECIPIENTS };

typedef struct Instance {
    int64_t down_until; /* 0: it works */
    char *why;
} Instance;

static const char *const protocol_words[] = {"smtp", "lmtp", NULL};
static const char *const result_words[] = {[EXISTS] = "exists",
                                           [MISSING] = "missing",
                                           [CATCH_ALL] = "catch-all",
                                           [STANDINGS] = NULL};
#define PICKY "picky" /* of a domain: it refuses who cannot exist */

/* ---- what is remembered ------------------------------------------------- */

/* Caller frees. */
static char *
key_of(char kind, const char *name)
{
    g_autofree char *lower = g_utf8_validate(name, -1, NULL)
                                 ? g_utf8_strdown(name, -1)
                                 : g_ascii_strdown(name, -1);
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, lower, -1);

    return g_strdup_printf("%c%.*s", kind, HASH_DIGITS, hash);
}

/* "WORD REPLY"; until the hook returns. NULL: nothing is remembered. */
static const char *
recall(FilterdCall *call, const char *key)
{
    const char *value;
    size_t length;

    return call->host->store_get(call, key, &value, &length) == FILTERD_STORE_OK
               ? value
               : NULL;
}

static void
remember(FilterdCall *call, const char *key, const char *word,
         const char *reply, int64_t lifetime)
{
    g_autofree char *text = g_strdup_printf("%s %s", word, reply);

    call->host->store_put(call, key, text, strlen(text), lifetime);
}

static bool
is_word(const char *value, const char *word)
{
    size_t length = strlen(word);

    return value != NULL && strncmp(value, word, length) == 0
           && value[length] == ' ';
}

/* ---- results ------------------------------------------------------------ */

static void
publish(FilterdCall *call, Standing standing, const char *reply, bool cached)
{
    const FilterdHost *host = call->host;
    const char *word = result_words[standing];

    host->publish(call, RESULT, filterd_word(word));
    host->publish(call, REPLY, filterd_text(reply));
    host->publish(call, CACHED, filterd_bool(cached));
    host->count(call, METRIC_RECIPIENTS, cached ? "cached" : word, 1);
}

static void
publish_problem(FilterdCall *call, const char *problem)
{
    call->host->publish(call, PROBLEM, filterd_text(problem));
    call->host->count(call, METRIC_RECIPIENTS, "failed", 1);
}

/* False: it is not known yet. */
static bool
publish_known(FilterdCall *call, const char *address_key,
              const char *domain_key)
{
    const char *value = recall(call, domain_key);

    if (!is_word(value, result_words[CATCH_ALL]))
        value = recall(call, address_key);
    for (Standing standing = EXISTS; standing < STANDINGS; standing++)
        if (is_word(value, result_words[standing])) {
            publish(call, standing, strchr(value, ' ') + 1, true);
            return true;
        }
    return false;
}

/* ---- asking ------------------------------------------------------------- */

/* The log tells when it stops answering, and when it answers again. */
static void
note_failure(FilterdCall *call, const GError *problem)
{
    Instance *instance = call->instance;

    if (instance->down_until == 0)
        call->host->log(call, FILTERD_LOG_WARNING, "cannot ask: %s",
                        problem->message);
    instance->down_until = call->host->now(call) + PAUSE;
    g_free(instance->why);
    instance->why = g_strdup(problem->message);
}

static void
note_success(FilterdCall *call)
{
    Instance *instance = call->instance;

    if (instance->down_until != 0)
        call->host->log(call, FILTERD_LOG_INFO, "can ask again");
    instance->down_until = 0;
}

/* A clock that was set back does not make the pause longer. */
static bool
is_down(FilterdCall *call)
{
    const Instance *instance = call->instance;
    int64_t left = instance->down_until - call->host->now(call);

    return left > 0 && left <= PAUSE;
}

static void
take_finding(FilterdCall *call, const Finding *finding, const char *address_key,
             const char *domain_key)
{
    const Config *config = call->config;
    const char *word = result_words[finding->standing];

    if (finding->standing == UNSAID) {
        publish_problem(call, finding->reply->str);
        return;
    }
    if (finding->standing == CATCH_ALL)
        remember(call, domain_key, word, finding->reply->str, config->positive);
    else
        remember(call, address_key, word, finding->reply->str,
                 finding->standing == MISSING ? config->negative
                                              : config->positive);
    if (finding->picky)
        remember(call, domain_key, PICKY, "", config->positive);
    publish(call, finding->standing, finding->reply->str, false);
}

static void
ask(FilterdCall *call, const char *address, const char *address_key,
    const char *domain_key)
{
    const Config *config = call->config;
    bool probe = config->probe && !is_word(recall(call, domain_key), PICKY);
    g_autoptr(GString) reply = g_string_new(NULL);
    g_autoptr(GError) problem = NULL;
    Finding finding = {.reply = reply};

    if (conversation_hold(call, address, probe, &finding, &problem)) {
        note_success(call);
        take_finding(call, &finding, address_key, domain_key);
        return;
    }
    if (problem->domain == G_FILE_ERROR
            ? problem->code == G_FILE_ERROR_FAILED
            : problem->code != FILTERD_STREAM_CANCELLED)
        note_failure(call, problem);
    publish_problem(call, problem->message);
}

/* In its turn; who was before may have made an answer needless, or hopeless. */
static void
ask_in_turn(FilterdCall *call, const char *address, const char *address_key,
            const char *domain_key)
{
    const Config *config = call->config;
    const Instance *instance = call->instance;

    if (is_down(call)) {
        publish_problem(call, instance->why);
    } else if (!call->host->enter(call, SERVER_TURN,
                                  (unsigned)config->connections,
                                  config->timeout)) {
        publish_problem(call, "too many are being asked about");
    } else if (is_down(call)) {
        publish_problem(call, instance->why);
    } else {
        ask(call, address, address_key, domain_key);
    }
}

static bool
rcpt_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const Config *config = call->config;
    const FilterdValue *to = call->host->lookup(call, RECIPIENT);
    const char *domain =
        to->type != FILTERD_UNKNOWN ? strrchr(to->text, '@') : NULL;

    if (domain == NULL)
        return true;

    g_autofree char *address = g_strdup(to->text);
    g_autofree char *address_key = key_of('a', address);
    g_autofree char *domain_key = key_of('d', domain + 1);

    if (publish_known(call, address_key, domain_key))
        return true;
    if (!call->host->enter(call, address_key, 1, config->timeout))
        publish_problem(call, "it is being asked about");
    else if (!publish_known(call, address_key, domain_key))
        ask_in_turn(call, address, address_key, domain_key);
    return true;
}

/* ---- start and stop ----------------------------------------------------- */

static bool
is_host_name(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr(".-[]:", *c) == NULL)
            return false;
    return *text != '\0';
}

static bool
start(FilterdCall *call, GError **error)
{
    const Config *config = call->config;

    if (!is_host_name(config->hello)) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                            "no name of a host");
        call->host->blame(call, "hello", 0);
        return false;
    }
    if (call->host->stream_check(call, config->server, error))
        return true;
    call->host->blame(call, "server", 0);
    return false;
}

static void
stop(FilterdCall *call)
{
    Instance *instance = call->instance;

    g_free(instance->why);
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption options[] = {
    {.name = "server",
     .type = FILTERD_TEXT,
     .flags = FILTERD_REQUIRED,
     .offset = offsetof(Config, server),
     .doc = "Whom to ask: an address and a port, `192.0.2.25:25` or "
            "`[2001:db8::25]:25`, or `unix:PATH`. It has to let us ask: no "
            "greylisting, no limits for this machine."},
    {.name = "protocol",
     .type = FILTERD_WORD,
     .offset = offsetof(Config, protocol),
     .fallback = "smtp",
     .doc = "What it speaks.",
     .words = protocol_words},
    {.name = "hello",
     .type = FILTERD_TEXT,
     .offset = offsetof(Config, hello),
     .fallback = "\"localhost\"",
     .doc = "The name that it is greeted with."},
    {.name = "timeout",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, timeout),
     .fallback = "10s",
     .doc = "How long one conversation may take in all, and how long one is "
            "waited for.",
     .low = SECOND,
     .high = 300 * SECOND},
    {.name = "connections",
     .type = FILTERD_INT,
     .offset = offsetof(Config, connections),
     .fallback = "4",
     .doc = "Conversations of a worker at a time.",
     .low = 1,
     .high = 64},
    {.name = "positive-lifetime",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, positive),
     .fallback = "7d",
     .doc = "How long it is remembered who exists, and which domain takes "
            "all.",
     .low = SECOND,
     .high = 400 * DAY},
    {.name = "negative-lifetime",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, negative),
     .fallback = "2h",
     .doc = "How long it is remembered who does not exist.",
     .low = SECOND,
     .high = 400 * DAY},
    {.name = "probe",
     .type = FILTERD_BOOL,
     .offset = offsetof(Config, probe),
     .fallback = "on",
     .doc = "Whether to try each domain with a recipient that cannot exist."},
    {NULL},
};

static const FilterdFact facts[] = {
    [RESULT] = {.name = "result",
                .type = FILTERD_WORD,
                .since = FILTERD_RCPT,
                .doc =
                    "What the server says of the recipient; `catch-all`: its "
                    "domain takes every recipient. Unknown: it does not "
                    "say.",
                .words = result_words,
                .flags = FILTERD_EFFECT},
    [REPLY] = {.name = "reply",
               .type = FILTERD_TEXT,
               .since = FILTERD_RCPT,
               .doc = "Its reply to RCPT, the last line.",
               .flags = FILTERD_EFFECT},
    [CACHED] = {.name = "cached",
                .type = FILTERD_BOOL,
                .since = FILTERD_RCPT,
                .doc = "Whether that was remembered.",
                .flags = FILTERD_EFFECT},
    [PROBLEM] = {.name = "problem",
                 .type = FILTERD_TEXT,
                 .since = FILTERD_RCPT,
                 .doc = "Why nothing is known, for a postmaster to read.",
                 .flags = FILTERD_EFFECT},
    {NULL},
};

static const FilterdNeed needs[] = {
    [RECIPIENT] = {"rcpt.to", FILTERD_ADDRESS},
    {NULL},
};

static const FilterdMetric metrics[] = {
    [METRIC_RECIPIENTS] = {.name = "recipients",
                           .doc =
                               "Recipients by what was found out; cached: it "
                               "was remembered; failed: nothing.",
                           .label = "result"},
    {NULL},
};

FILTERD_PLUGIN(.name = "lookup", .version = "0.1",
               .summary = "ask a mail server whether a recipient exists",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .metrics = metrics,
               .instance_size = sizeof(Instance), .start = start, .stop = stop,
               .rcpt = rcpt_hook);
