/* ladder.c: who a client is: the domain that vouches for it, the organization
 * that its address belongs to, or its network.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/ladder.h"

const char *
ladder_organization(const psl_ctx_t *psl, const char *domain)
{
    const char *organization = psl_registrable_domain(psl, domain);

    return organization != NULL ? organization : domain;
}

static bool
is_wanted(const Config *config, Rung rung)
{
    const int *keys = config->keys.items;

    for (size_t i = 0; i < config->keys.length; i++)
        if (keys[i] == (int)rung)
            return true;
    return false;
}

/* Caller frees; NULL: no evidence. */
static char *
rung_name(const Config *config, const psl_ctx_t *psl, const Evidence *evidence,
          Rung rung)
{
    const char *domain = rung == RUNG_DOMAIN ? evidence->domain
                         : rung == RUNG_NAME ? evidence->name
                                             : NULL;

    if (domain != NULL)
        return g_strdup(ladder_organization(psl, domain));
    if (rung == RUNG_NETWORK && evidence->ip != NULL)
        return key_network(evidence->ip, config->network_v4,
                           config->network_v6);
    return NULL;
}

static void
client_fill(const Config *config, const Evidence *evidence, const char *name,
            Client *client)
{
    key_client(client->key, client->rung, name);
    if (client->rung != RUNG_NAME || evidence->ip == NULL) {
        key_white_of(client->white, client->key);
        return;
    }

    g_autofree char *network =
        key_network(evidence->ip, config->network_v4, config->network_v6);

    key_white(client->white, RUNG_NETWORK, network);
}

bool
ladder_find(const Config *config, const psl_ctx_t *psl,
            const Evidence *evidence, Client *client)
{
    for (Rung rung = RUNG_DOMAIN; rung < RUNGS; rung++) {
        g_autofree char *name = is_wanted(config, rung) || rung == RUNG_NETWORK
                                    ? rung_name(config, psl, evidence, rung)
                                    : NULL;

        if (name == NULL)
            continue;
        client->rung = rung;
        client_fill(config, evidence, name, client);
        return true;
    }
    return false;
}
