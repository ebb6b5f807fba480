/* ratelimit.c: how much of something there may be in a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/ratelimit/bucket.h"
#include "plugins/ratelimit/describe.h"
#include "plugins/ratelimit/key.h"
#include "plugins/ratelimit/manual.h"

#define SECOND INT64_C(1000)
#define DAY (86400 * SECOND)

/* ---- counting ----------------------------------------------------------- */

static BucketSize
bucket_size(const Config *config)
{
    const Rate *rate = config->rates.items;

    return (BucketSize){.count = rate->count,
                        .period = rate->period,
                        .burst =
                            config->burst > 0 ? config->burst : rate->count};
}

static void
publish(FilterdCall *call, unsigned first, const BucketLevel *level)
{
    const FilterdHost *host = call->host;

    host->publish(call, first + EXCEEDED, filterd_bool(level->exceeded));
    host->publish(call, first + LEVEL, filterd_int(level->level));
    host->publish(
        call, first + WAIT,
        filterd_duration((level->wait + SECOND - 1) / SECOND * SECOND));
}

/* Of several buckets the worst tells. */
static void
count(FilterdCall *call, Kind kind, int64_t amount)
{
    const Config *config = call->config;
    const BucketSize size = bucket_size(config);
    g_autoptr(GPtrArray) keys = key_make(call, kind);
    BucketLevel worst = {0};

    for (guint i = 0; i < keys->len; i++) {
        BucketLevel level;

        if (!bucket_pour(call, keys->pdata[i], &size, amount, &level))
            return;
        worst.exceeded = worst.exceeded || level.exceeded;
        worst.level = MAX(worst.level, level.level);
        worst.wait = MAX(worst.wait, level.wait);
    }
    if (keys->len > 0)
        publish(call, config->places[kind].first, &worst);
}

static bool
count_at(FilterdCall *call, FilterdStage stage)
{
    const Config *config = call->config;

    for (Kind kind = CONNECTIONS; kind < KINDS; kind++) {
        const KindPlace *place = &config->places[kind];

        if (!place->counted || place->stage != stage)
            continue;

        const FilterdValue *size =
            kind == OCTETS ? call->host->lookup(call, config->size) : NULL;

        if (size == NULL || size->type != FILTERD_UNKNOWN)
            count(call, kind, size != NULL ? size->integer : 1);
    }
    return true;
}

static bool
connect_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count_at(call, FILTERD_CONNECT);
}

static bool
helo_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count_at(call, FILTERD_HELO);
}

static bool
mail_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count_at(call, FILTERD_MAIL);
}

static bool
rcpt_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count_at(call, FILTERD_RCPT);
}

static bool
eom_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count_at(call, FILTERD_MESSAGE);
}

static bool
start(FilterdCall *call, GError **error)
{
    const Config *config = call->config;

    if (config->rates.length > 1) {
        call->host->blame(call, "rate", 1);
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                            "an instance has one rate\nanother limit is `use "
                            "ratelimit as NAME`");
        return false;
    }

    const BucketSize size = bucket_size(config);

    if (bucket_time(&size) >= 0)
        return true;
    call->host->blame(call, "rate", 0);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "what `burst` holds has to run out within a year, and "
                        "no more than one in a nanosecond");
    return false;
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption rate_options[] = {
    {.name = "count",
     .type = FILTERD_INT,
     .flags = FILTERD_POSITION | FILTERD_REQUIRED,
     .offset = offsetof(Rate, count),
     .doc = "So many.",
     .low = 1,
     .high = INT64_C(1000000000000)},
    {.name = "per",
     .type = FILTERD_DURATION,
     .flags = FILTERD_REQUIRED,
     .offset = offsetof(Rate, period),
     .doc = "In this time.",
     .low = SECOND,
     .high = 366 * DAY},
    {NULL},
};

static const char *const count_words[] = {[CONNECTIONS] = "connections",
                                          [MESSAGES] = "messages",
                                          [RECIPIENTS] = "recipients",
                                          [OCTETS] = "octets",
                                          [KINDS] = "all",
                                          [KINDS + 1] = NULL};

static const FilterdOption options[] = {
    {.name = "key",
     .type = FILTERD_TEXT,
     .flags = FILTERD_MANY | FILTERD_REQUIRED,
     .offset = offsetof(Config, keys),
     .doc = "Whose bucket it is: a fact, of filterd or of a plugin whose `use` "
            "stands above, or several together: `client.ip`, `auth.user`, "
            "`mail.from rcpt.to`, `dkim.domains`. Letters count without case."},
    {.name = "count",
     .type = FILTERD_WORD,
     .flags = FILTERD_MANY,
     .offset = offsetof(Config, counts),
     .fallback = "all",
     .doc = "What is counted, each in buckets of its own; `all`: what the key "
            "allows and a rule asks for.",
     .words = count_words},
    {.name = "rate",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY | FILTERD_REQUIRED,
     .offset = offsetof(Config, rates),
     .doc = "What runs out of it: `100 per 1h`, of octets `1G per 1d`.",
     .group = rate_options,
     .size = sizeof(Rate)},
    {.name = "burst",
     .type = FILTERD_INT,
     .offset = offsetof(Config, burst),
     .fallback = "0",
     .doc = "What fits into it at once; 0: as many as `rate` says. A message "
            "of more octets counts as so many: it needs an empty bucket.",
     .low = 0,
     .high = INT64_C(1000000000000)},
    {.name = "network-v4",
     .type = FILTERD_INT,
     .offset = offsetof(Config, network_v4),
     .fallback = "32",
     .doc = "Bits of an IPv4 address that make one part of the key.",
     .low = 8,
     .high = 32},
    {.name = "network-v6",
     .type = FILTERD_INT,
     .offset = offsetof(Config, network_v6),
     .fallback = "64",
     .doc = "Bits of an IPv6 address that do.",
     .low = 16,
     .high = 128},
    {NULL},
};

#define KIND(kind, word, stage, what)                                          \
    [(kind)*KIND_FACTS +                                                       \
        EXCEEDED] = {.name = word "-exceeded",                                 \
                     .type = FILTERD_BOOL,                                     \
                     .since = (stage),                                         \
                     .doc = "Counts " what                                     \
                            " and tells whether it is over the limit.",        \
                     .flags = FILTERD_EFFECT},                                 \
        [(kind)*KIND_FACTS +                                                   \
            LEVEL] = {.name = word "-level",                                   \
                      .type = FILTERD_INT,                                     \
                      .since = (stage),                                        \
                      .doc = "What is in the bucket then; with a "             \
                             "full one, the limit is reached.",                \
                      .flags = FILTERD_EFFECT},                                \
        [(kind)*KIND_FACTS + WAIT] = {                                         \
            .name = word "-wait",                                              \
            .type = FILTERD_DURATION,                                          \
            .since = (stage),                                                  \
            .doc =                                                             \
                "How long until it fits, or else until the next one does; in " \
                "whole seconds.",                                              \
            .flags = FILTERD_EFFECT}

static const FilterdFact facts[] = {
    KIND(CONNECTIONS, "connections", FILTERD_CONNECT, "the connection"),
    KIND(MESSAGES, "messages", FILTERD_MAIL, "the message"),
    KIND(RECIPIENTS, "recipients", FILTERD_RCPT, "the recipient"),
    KIND(OCTETS, "octets", FILTERD_MESSAGE, "the octets of the message"),
    {NULL},
};

FILTERD_PLUGIN(.name = "ratelimit", .version = "0.1",
               .summary = "how much of something there may be in a time",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .start = start, .describe = describe_instance,
               .connect = connect_hook, .helo = helo_hook, .mail = mail_hook,
               .rcpt = rcpt_hook, .eom = eom_hook);
