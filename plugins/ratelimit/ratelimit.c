/* ratelimit.c: how much of something there may be in a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/ratelimit/bucket.h"
#include "plugins/ratelimit/manual.h"

#include <string.h>

#define SECOND INT64_C(1000)
#define DAY (86400 * SECOND)
#define MAPPED_BITS 96
#define HASH_DIGITS 32

/* Each has three facts, in the order of the table. */
enum { CONNECTIONS, MESSAGES, RECIPIENTS, OCTETS };
enum { EXCEEDED, LEVEL, WAIT, FACTS };

/* Of the needs, those that may be in a key, and after them: */
enum { KEYS = 10, SIZE = KEYS };

typedef struct Rate {
    int64_t count, period;
} Rate;

typedef struct Config {
    FilterdArray keys; /* int, the index of a need */
    int64_t network_v4, network_v6;
    FilterdArray rates; /* Rate, one of them */
    int64_t burst;
} Config;

static const FilterdNeed needs[] = {
    {"client.ip", FILTERD_IP},
    {"client.name", FILTERD_DOMAIN},
    {"helo.name", FILTERD_TEXT},
    {"mail.from", FILTERD_ADDRESS},
    {"mail.domain", FILTERD_DOMAIN},
    {"auth.user", FILTERD_TEXT},
    {"rcpt.to", FILTERD_ADDRESS},
    {"rcpt.domain", FILTERD_DOMAIN},
    {"header.from.address", FILTERD_ADDRESS},
    {"header.from.domain", FILTERD_DOMAIN},
    [SIZE] = {"message.size", FILTERD_INT},
    {NULL},
};
static const char *const key_words[] = {
    "client.ip",           "client.name",        "helo.name", "mail.from",
    "mail.domain",         "auth.user",          "rcpt.to",   "rcpt.domain",
    "header.from.address", "header.from.domain", NULL};
G_STATIC_ASSERT(G_N_ELEMENTS(key_words) == KEYS + 1);

/* ---- keys --------------------------------------------------------------- */

static void
append_network(GString *out, const Config *config, const FilterdIp *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool four = memcmp(ip->bytes, mapped, sizeof mapped) == 0;
    int64_t bits = four ? MAPPED_BITS + config->network_v4 : config->network_v6;

    for (int i = 0; i < (int)sizeof ip->bytes; i++) {
        int64_t left = CLAMP(bits - 8 * i, 0, 8);

        g_string_append_printf(out, "%02x",
                               ip->bytes[i] & (0xff00 >> left) & 0xff);
    }
}

/* False: it is unknown. */
static bool
append_part(GString *out, FilterdCall *call, int need)
{
    const FilterdValue *value = call->host->lookup(call, (unsigned)need);

    if (value->type == FILTERD_UNKNOWN)
        return false;
    if (value->type == FILTERD_IP) {
        append_network(out, call->config, &value->ip);
    } else {
        g_autofree char *lower = g_ascii_strdown(value->text, -1);

        g_string_append(out, lower);
    }
    g_string_append_c(out, '\n');
    return true;
}

/* Whatever a client says, the store gets a short word. NULL: a part is
 * unknown. */
static char *
key_make(FilterdCall *call, unsigned kind)
{
    static const char letters[] = {[CONNECTIONS] = 'c',
                                   [MESSAGES] = 'm',
                                   [RECIPIENTS] = 'r',
                                   [OCTETS] = 'o'};
    const Config *config = call->config;
    const int *keys = config->keys.items;
    g_autoptr(GString) parts = g_string_new(NULL);

    for (size_t i = 0; i < config->keys.length; i++)
        if (!append_part(parts, call, keys[i]))
            return NULL;

    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, parts->str, -1);

    return g_strdup_printf("%c%.*s", letters[kind], HASH_DIGITS, hash);
}

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

static bool
count(FilterdCall *call, unsigned kind, int64_t amount)
{
    const FilterdHost *host = call->host;
    const BucketSize size = bucket_size(call->config);
    g_autofree char *key = key_make(call, kind);
    unsigned fact = kind * FACTS;
    BucketLevel level;

    if (key == NULL || !bucket_pour(call, key, &size, amount, &level))
        return true;
    host->publish(call, fact + EXCEEDED, filterd_bool(level.exceeded));
    host->publish(call, fact + LEVEL, filterd_int(level.level));
    host->publish(
        call, fact + WAIT,
        filterd_duration((level.wait + SECOND - 1) / SECOND * SECOND));
    return true;
}

static bool
connect_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count(call, CONNECTIONS, 1);
}

static bool
mail_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count(call, MESSAGES, 1);
}

static bool
rcpt_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    return count(call, RECIPIENTS, 1);
}

static bool
eom_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const FilterdValue *size = call->host->lookup(call, SIZE);

    return size->type == FILTERD_UNKNOWN || count(call, OCTETS, size->integer);
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

static const FilterdOption options[] = {
    {.name = "key",
     .type = FILTERD_WORD,
     .flags = FILTERD_MANY | FILTERD_REQUIRED,
     .offset = offsetof(Config, keys),
     .doc = "Whose bucket it is: one fact, or several together. Letters count "
            "without case.",
     .words = key_words},
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
     .doc = "Bits of an IPv4 address that make one `client.ip` of the key.",
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
    [(kind)*FACTS +                                                            \
        EXCEEDED] = {.name = word "-exceeded",                                 \
                     .type = FILTERD_BOOL,                                     \
                     .since = (stage),                                         \
                     .doc = "Counts " what                                     \
                            " and tells whether it is over the limit.",        \
                     .flags = FILTERD_EFFECT},                                 \
        [(kind)*FACTS + LEVEL] = {.name = word "-level",                       \
                                  .type = FILTERD_INT,                         \
                                  .since = (stage),                            \
                                  .doc = "What is in the bucket then; with a " \
                                         "full one, the limit is reached.",    \
                                  .flags = FILTERD_EFFECT},                    \
        [(kind)*FACTS + WAIT] = {                                              \
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
               .facts = facts, .needs = needs, .start = start,
               .connect = connect_hook, .mail = mail_hook, .rcpt = rcpt_hook,
               .eom = eom_hook);
