/* ladder.h: who a client is: the domain that vouches for it, the organization
 * that its address belongs to, or its network.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The next try may come from another machine of the same pool, so the highest
 * rung that there is evidence for counts. A reverse-path alone is none: anybody
 * can say it.
 */
#pragma once

#include "plugins/greylist/config.h"
#include "plugins/greylist/key.h"

#include <libpsl.h>

typedef struct Evidence {
    const char *domain; /* of an aligned DKIM pass, else of an SPF pass */
    const char *name;   /* forward-confirmed */
    const FilterdIp *ip;
    /* NULL: there is none */
} Evidence;

typedef struct Client {
    Rung rung;
    Key key;
    /* What passes counts for the network where a name is all there is: an
     * Internet provider's name is one for all its customers. */
    Key white;
} Client;

/* The organizational domain, or the domain itself if it has none. Lives as long
 * as `domain`. */
const char *ladder_organization(const psl_ctx_t *psl, const char *domain);

/* False: there is nothing to know it by. */
bool ladder_find(const Config *config, const psl_ctx_t *psl,
                 const Evidence *evidence, Client *client);
