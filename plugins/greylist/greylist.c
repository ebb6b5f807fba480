/* greylist.c: whether this client, sender and recipient have been here before,
 * and how long ago. (RFC 6647)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/key.h"

#include <filterd/plugin.h>

#include <string.h>

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

/* What is known is written again once that part of its lifetime is over, but
 * once a day at least: most mail costs no write. */
#define REFRESH_PART 8

/* No entry of ours has a larger number. */
#define NUMBER_LIMIT INT64_C(1000000000000000)

typedef struct Config {
    int64_t delay, window, lifetime;
    int64_t auto_whitelist;
} Config;

typedef enum State {
    NEW,
    EARLY,
    PASSED,
    KNOWN,
} State;

static const char *const state_words[] = {[NEW] = "new",
                                          [EARLY] = "early",
                                          [PASSED] = "passed",
                                          [KNOWN] = "known",
                                          NULL};

enum { STATE, WAIT };
enum { CLIENT, SENDER, RECIPIENT, SPF_RESULT, SPF_DOMAIN };

/* ---- entries ------------------------------------------------------------ */

/* In the store "COUNT TIME". A triplet has count 0 from the first attempt,
 * `time`, until it passes. A client counts the triplets that passed. */
typedef struct Entry {
    int64_t count; /* -1: absent */
    int64_t time;  /* of the first attempt; of about the last one that passed */
} Entry;

static bool
number_parse(const char *text, int64_t *number)
{
    return g_ascii_string_to_signed(text, 10, 0, NUMBER_LIMIT, number, NULL);
}

static Entry
entry_parse(const char *value, size_t length)
{
    static const Entry absent = {.count = -1};
    g_autofree char *text = g_strndup(value, length);
    char *space = strchr(text, ' ');
    Entry entry;

    if (space == NULL)
        return absent;
    *space = '\0';
    if (!number_parse(text, &entry.count)
        || !number_parse(space + 1, &entry.time))
        return absent;
    return entry;
}

/* FALSE: the store failed. */
static bool
entry_read(FilterdCall *call, const char *key, Entry *entry)
{
    const char *value;
    size_t length;

    switch (call->host->store_get(call, key, &value, &length)) {
    case FILTERD_STORE_OK:
        *entry = entry_parse(value, length);
        return true;
    case FILTERD_STORE_ABSENT:
        *entry = (Entry){.count = -1};
        return true;
    default:
        return false;
    }
}

static bool
entry_write(FilterdCall *call, const char *key, int64_t count, int64_t lifetime)
{
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, count, call->host->now(call));

    return call->host->store_put(call, key, text, strlen(text), lifetime)
           == FILTERD_STORE_OK;
}

/* Keeps what is known for another lifetime. A clock set back makes times of
 * the future, which are as good as now. */
static bool
entry_refresh(FilterdCall *call, const char *key, const Entry *entry)
{
    const Config *config = call->config;
    int64_t age = call->host->now(call) - entry->time;

    if (age >= 0 && age < MIN(config->lifetime / REFRESH_PART, DAY))
        return true;
    return entry_write(call, key, entry->count, config->lifetime);
}

/* ---- states ------------------------------------------------------------- */

static void
state_publish(FilterdCall *call, State state, int64_t wait)
{
    const Config *config = call->config;
    int64_t seconds = (wait + SECOND - 1) / SECOND * SECOND;

    call->host->publish(call, STATE, filterd_word(state_words[state]));
    call->host->publish(call, WAIT,
                        filterd_duration(MIN(seconds, config->delay)));
}

/* A count that is lost between two workers costs one more retry. */
static void
client_count(FilterdCall *call, const char *key)
{
    const Config *config = call->config;
    Entry entry;

    if (config->auto_whitelist > 0 && entry_read(call, key, &entry))
        entry_write(call, key, MAX(entry.count, 0) + 1, config->lifetime);
}

static void
first_try(FilterdCall *call, const char *key, State state)
{
    const Config *config = call->config;

    if (entry_write(call, key, 0, config->window))
        state_publish(call, state, config->delay);
}

static void
retry(FilterdCall *call, const char *key, const char *client, int64_t age)
{
    const Config *config = call->config;

    if (age < 0) {
        first_try(call, key, EARLY);
    } else if (age < config->delay) {
        state_publish(call, EARLY, config->delay - age);
    } else if (entry_write(call, key, 1, config->lifetime)) {
        client_count(call, client);
        state_publish(call, PASSED, 0);
    }
}

static void
triplet_judge(FilterdCall *call, const char *key, const char *client)
{
    Entry entry;

    if (!entry_read(call, key, &entry))
        return;

    if (entry.count < 0)
        first_try(call, key, NEW);
    else if (entry.count == 0)
        retry(call, key, client, call->host->now(call) - entry.time);
    else if (entry_refresh(call, key, &entry))
        state_publish(call, KNOWN, 0);
}

/* FALSE: the store failed. */
static bool
client_is_known(FilterdCall *call, const char *key, bool *known)
{
    const Config *config = call->config;
    Entry entry;

    *known = false;
    if (config->auto_whitelist == 0)
        return true;
    if (!entry_read(call, key, &entry))
        return false;
    if (entry.count < config->auto_whitelist)
        return true;
    *known = true;
    return entry_refresh(call, key, &entry);
}

/* ---- hooks -------------------------------------------------------------- */

static KeyAttempt
attempt_get(FilterdCall *call)
{
    const FilterdHost *host = call->host;
    const FilterdValue *client = host->lookup(call, CLIENT);
    const FilterdValue *result = host->lookup(call, SPF_RESULT);
    const FilterdValue *domain = host->lookup(call, SPF_DOMAIN);
    KeyAttempt attempt = {0};

    if (client->type != FILTERD_UNKNOWN)
        attempt.client = &client->ip;
    if (result->type != FILTERD_UNKNOWN && domain->type != FILTERD_UNKNOWN
        && strcmp(result->text, "pass") == 0)
        attempt.domain = domain->text;
    attempt.sender = host->lookup(call, SENDER)->text;
    attempt.recipient = host->lookup(call, RECIPIENT)->text;
    return attempt;
}

static bool
rcpt_hook(FilterdCall *call, GError **error)
{
    const KeyAttempt attempt = attempt_get(call);
    g_autofree char *client = key_client(&attempt);
    g_autofree char *triplet = key_triplet(&attempt);
    bool known;

    (void)error;
    if (client == NULL || triplet == NULL
        || !client_is_known(call, client, &known))
        return true;
    if (known)
        state_publish(call, KNOWN, 0);
    else
        triplet_judge(call, triplet, client);
    return true;
}

static bool
start(FilterdCall *call, GError **error)
{
    const Config *config = call->config;

    if (config->delay < config->window && config->window <= config->lifetime)
        return true;
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "delay has to be less than window, and window not more "
                        "than lifetime");
    return false;
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption options[] = {
    {.name = "delay",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, delay),
     .fallback = "5m",
     .doc = "how long after its first try a sender has to come back at least",
     .low = SECOND,
     .high = DAY},
    {.name = "window",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, window),
     .fallback = "2d",
     .doc = "how long after its first try it may come back at most; after "
            "that it is new again",
     .low = 60 * SECOND,
     .high = 30 * DAY},
    {.name = "lifetime",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, lifetime),
     .fallback = "36d",
     .doc = "how long one that has passed stays known after its last mail, "
            "to a day",
     .low = HOUR,
     .high = 400 * DAY},
    {.name = "auto-whitelist",
     .type = FILTERD_INT,
     .offset = offsetof(Config, auto_whitelist),
     .fallback = "5",
     .doc = "after so many passes every mail of that client is known, whatever "
            "its sender and recipient; 0: never",
     .low = 0,
     .high = 1000000},
    {NULL},
};

static const FilterdFact facts[] = {
    [STATE] = {.name = "state",
               .type = FILTERD_WORD,
               .since = FILTERD_RCPT,
               .doc = "new: the first try of this client, sender and "
                      "recipient; early: tried again before the delay was "
                      "over; passed: the first try after it; known: passed "
                      "before. The client is the domain that SPF says it may "
                      "use, else its network (/24, /64). Unknown while the "
                      "store fails",
               .words = state_words,
               .flags = FILTERD_EFFECT},
    [WAIT] = {.name = "wait",
              .type = FILTERD_DURATION,
              .since = FILTERD_RCPT,
              .doc = "how long still to wait; 0 when passed or known",
              .flags = FILTERD_EFFECT},
    {NULL},
};

static const FilterdNeed needs[] = {
    [CLIENT] = {"client.ip", FILTERD_IP},
    [SENDER] = {"mail.from", FILTERD_ADDRESS},
    [RECIPIENT] = {"rcpt.to", FILTERD_ADDRESS},
    [SPF_RESULT] = {"spf.result?", FILTERD_WORD},
    [SPF_DOMAIN] = {"spf.domain?", FILTERD_DOMAIN},
    {NULL},
};

FILTERD_PLUGIN(.name = "greylist", .version = "0.1",
               .summary = "tell senders that have been here before from new "
                          "ones",
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .start = start,
               .rcpt = rcpt_hook);
