/* probe.c: a plugin that uses what the first revision of the ABI has, built
 * against the header of each: options of each type, facts, needs, the store,
 * the DNS, an action, signing, metrics, what became of the message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/abi/probe.h"

#include <filterd/plugin.h>
#include <string.h>

static const char *const words[] = {"low", "high", NULL};

static const FilterdOption zone_rows[] = {
    {.name = "name",
     .type = FILTERD_DOMAIN,
     .flags = FILTERD_POSITION | FILTERD_REQUIRED,
     .offset = offsetof(ProbeZone, name),
     .doc = "A name."},
    {.name = "weight",
     .type = FILTERD_INT,
     .offset = offsetof(ProbeZone, weight),
     .fallback = "1",
     .doc = "A weight.",
     .low = -10,
     .high = 10},
    {NULL},
};

static const FilterdOption options[] = {
    {.name = "level",
     .type = FILTERD_WORD,
     .offset = offsetof(ProbeConfig, level),
     .fallback = "low",
     .doc = "A word.",
     .words = words},
    {.name = "zone",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .offset = offsetof(ProbeConfig, zones),
     .doc = "A group.",
     .group = zone_rows,
     .size = sizeof(ProbeZone)},
    {.name = "patience",
     .type = FILTERD_DURATION,
     .offset = offsetof(ProbeConfig, patience),
     .fallback = "5s",
     .doc = "A duration."},
    {NULL},
};

enum { FACT_SUM, FACT_SEEN, FACT_LENGTH };

static const FilterdFact facts[] = {
    [FACT_SUM] = {"sum", FILTERD_INT, FILTERD_CONNECT, "A sum."},
    [FACT_SEEN] = {"seen", FILTERD_INT, FILTERD_RCPT, "A count.",
                   .flags = FILTERD_EFFECT},
    [FACT_LENGTH] = {"length", FILTERD_INT, FILTERD_MESSAGE, "Octets."},
    {NULL},
};

static const FilterdNeed needs[] = {
    {"client.ip", FILTERD_IP},
    {"rcpt.to", FILTERD_ADDRESS},
    {NULL},
};

static const FilterdMethod methods[] = {{"x-probe", FACT_LENGTH}, {NULL}};

static const FilterdMetric metrics[] = {
    {"messages", "Messages.", "fate", 0},
    {NULL},
};

/* The sum of the weights of zones that have the name. */
static bool
connect_hook(FilterdCall *call, GError **error)
{
    const ProbeConfig *config = call->config;
    const ProbeZone *zones = config->zones.items;
    int64_t sum = config->level;

    (void)error;
    for (size_t i = 0; i < config->zones.length; i++)
        if (call->host->dns(call, zones[i].name, FILTERD_DNS_A)->status
            == FILTERD_DNS_ANSWER)
            sum += zones[i].weight;
    call->host->publish(call, FACT_SUM, filterd_int(sum));
    return true;
}

static bool
rcpt_hook(FilterdCall *call, GError **error)
{
    const FilterdValue *to = call->host->lookup(call, 1);
    const ProbeConfig *config = call->config;
    int64_t seen;

    if (to->type != FILTERD_ADDRESS
        || call->host->store_add(call, to->text, 1, config->patience, &seen)
               != FILTERD_STORE_OK) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                            "no store");
        return false;
    }
    call->host->publish(call, FACT_SEEN, filterd_int(seen));
    return true;
}

static bool
header_hook(FilterdCall *call, const FilterdField *field, GError **error)
{
    (void)error;
    *(int64_t *)call->message += (int64_t)field->name_length;
    return true;
}

static bool
body_hook(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    (void)bytes;
    (void)error;
    *(int64_t *)call->message += (int64_t)length;
    return true;
}

static bool
eom_hook(FilterdCall *call, GError **error)
{
    (void)error;
    call->host->publish(call, FACT_LENGTH,
                        filterd_int(*(int64_t *)call->message));
    call->host->authres(call, "x-probe", "pass", NULL, NULL, 0);
    return true;
}

static void
done_hook(FilterdCall *call, const FilterdOutcome *outcome)
{
    call->host->count(
        call, 0, outcome->fate == FILTERD_ACCEPTED ? "accepted" : "other", 1);
}

static bool
mark(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    const FilterdEdit edit = {FILTERD_ADD_HEADER, "X-Probe", arguments[0].text};

    (void)error;
    call->host->edit(call, &edit);
    return true;
}

static bool
sign(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    (void)call;
    (void)arguments;
    (void)error;
    return true;
}

static bool
sign_end(FilterdCall *call, GError **error)
{
    const FilterdEdit edit = {FILTERD_ADD_HEADER, "X-Signed", "yes"};

    (void)error;
    call->host->edit(call, &edit);
    return true;
}

static const FilterdType one_text[] = {FILTERD_TEXT, FILTERD_UNKNOWN};
static const FilterdType nothing[] = {FILTERD_UNKNOWN};

static const FilterdAction actions[] = {
    {"mark", "Marks.", one_text, mark, 0},
    {"sign", "Signs.", nothing, sign, FILTERD_SIGNS},
    {NULL},
};

FILTERD_PLUGIN(.name = PROBE_NAME, .version = "1", .summary = "probe the ABI",
               .options = options, .config_size = sizeof(ProbeConfig),
               .facts = facts, .needs = needs, .methods = methods,
               .actions = actions, .metrics = metrics,
               .message_size = sizeof(int64_t), .connect = connect_hook,
               .rcpt = rcpt_hook, .header = header_hook, .body = body_hook,
               .eom = eom_hook, .sign_end = sign_end, .done = done_hook,
               PROBE_MORE);
