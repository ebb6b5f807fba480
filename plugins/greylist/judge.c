/* judge.c: how a client's try is judged by what the store remembers.
 * (RFC 6647 2.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/judge.h"

#include <string.h>

/* ---- the white list ----------------------------------------------------- */

static bool
white_read(FilterdCall *call, const Client *client, White *white)
{
    const Config *config = call->config;

    if (white->read && strcmp(white->key, client->white) == 0)
        return true;
    *white = (White){.entry = {.count = -1}};
    memcpy(white->key, client->white, sizeof white->key);
    white->read =
        config->white_after == 0 || entry_read(call, white->key, &white->entry);
    return white->read;
}

/* One pass a transaction, however many recipients it has. A count that is lost
 * between two workers, or in a store that fails, costs one more retry. */
static void
white_count(FilterdCall *call, White *white)
{
    const Config *config = call->config;

    if (config->white_after == 0 || white->counted)
        return;
    white->entry.count = MAX(white->entry.count, 0) + 1;
    white->entry.time = call->host->now(call);
    white->counted = true;
    entry_write(call, white->key, white->entry.count, config->white_lifetime);
}

static bool
is_white(const Config *config, const White *white)
{
    return config->white_after > 0 && white->entry.count >= config->white_after;
}

/* ---- triplets ----------------------------------------------------------- */

static bool
first_try(FilterdCall *call, const char *key, State state, Verdict *verdict)
{
    const Config *config = call->config;

    *verdict = (Verdict){.state = state, .wait = config->delay};
    return entry_write(call, key, 0, config->window);
}

static bool
pass(FilterdCall *call, const char *key, White *white)
{
    const Config *config = call->config;

    if (!entry_write(call, key, 1, config->lifetime))
        return false;
    white_count(call, white);
    return true;
}

/* A clock set back begins the delay anew; one set forward ends it. */
static bool
retry(FilterdCall *call, const Try *try, const char *key, Verdict *verdict)
{
    const Config *config = call->config;

    if (verdict->age < 0)
        return first_try(call, key, EARLY, verdict);
    if (verdict->age >= config->window)
        return first_try(call, key, NEW, verdict);
    if (verdict->age < config->delay) {
        verdict->state = EARLY;
        verdict->wait = config->delay - verdict->age;
        return true;
    }
    verdict->state = PASSED;
    return pass(call, key, try->white);
}

static bool
judge_triplet(FilterdCall *call, const Try *try, const Key key,
              Verdict *verdict)
{
    const Config *config = call->config;
    Entry entry;

    if (!entry_read(call, key, &entry))
        return false;
    if (entry.count < 0)
        return first_try(call, key, NEW, verdict);
    if (entry.count > 0) {
        *verdict = (Verdict){.state = KNOWN, .age = -1};
        return entry_refresh(call, key, &entry, config->lifetime);
    }
    *verdict = (Verdict){.age = call->host->now(call) - entry.time};
    return retry(call, try, key, verdict);
}

/* ---- both --------------------------------------------------------------- */

/* A triplet that is remembered says as much as the white list, for as long as
 * it is: then nothing has to be read. */
bool
judge_try(FilterdCall *call, const Try *try, Verdict *verdict)
{
    const Config *config = call->config;
    White *white = try->white;
    Entry known;
    Key key;

    key_triplet(key, try->client->key, try->sender, try->recipient);
    if (!white->read && !entry_recall(call, try->client->white, &known)
        && entry_recall(call, key, &known))
        return judge_triplet(call, try, key, verdict);
    if (!white_read(call, try->client, white))
        return false;
    if (!is_white(config, white))
        return judge_triplet(call, try, key, verdict);
    *verdict = (Verdict){.state = KNOWN, .age = -1, .white = true};
    return entry_refresh(call, white->key, &white->entry,
                         config->white_lifetime);
}

bool
judge_confirm(FilterdCall *call, const Try *try)
{
    const Config *config = call->config;
    Entry entry;
    Key key;

    key_triplet(key, try->client->key, try->sender, try->recipient);
    if (!white_read(call, try->client, try->white)
        || !entry_read(call, key, &entry))
        return false;
    if (entry.count > 0)
        return entry_refresh(call, key, &entry, config->lifetime);
    return pass(call, key, try->white);
}
