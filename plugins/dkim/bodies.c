/* bodies.c: the body of one message as its signatures see it: a hash for each
 * canonical form and length that one of them names. (RFC 6376 3.4, 3.7)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/bodies.h"

#include <string.h>

#include "plugins/dkim/canon.h"

typedef struct Body {
    bool relaxed;
    gint64 length; /* l=, or -1 */
    BodyHash *hash;
    const char *encoded; /* once it is over */
} Body;

struct Bodies {
    GArray *all; /* Body */
};

static void
body_clear(void *data)
{
    Body *body = data;
    body_hash_free(body->hash);
}

Bodies *
bodies_new(void)
{
    Bodies *bodies = g_new0(Bodies, 1);
    bodies->all = g_array_new(FALSE, FALSE, sizeof(Body));
    g_array_set_clear_func(bodies->all, body_clear);
    return bodies;
}

void
bodies_free(Bodies *bodies)
{
    g_array_unref(bodies->all);
    g_free(bodies);
}

static Body *
find(const Bodies *bodies, const Signature *signature)
{
    for (guint i = 0; i < bodies->all->len; i++) {
        Body *body = &g_array_index(bodies->all, Body, i);
        if (body->relaxed == signature->relaxed
            && body->length == signature->length)
            return body;
    }
    return NULL;
}

void
bodies_want(Bodies *bodies, const Signature *signature)
{
    if (find(bodies, signature) != NULL)
        return;
    const Body body = {
        .relaxed = signature->relaxed,
        .length = signature->length,
        .hash = body_hash_new(signature->relaxed, signature->length),
    };
    g_array_append_val(bodies->all, body);
}

void
bodies_add(Bodies *bodies, const char *bytes, size_t length)
{
    for (guint i = 0; i < bodies->all->len; i++)
        body_hash_add(g_array_index(bodies->all, Body, i).hash, bytes, length);
}

bool
bodies_match(Bodies *bodies, const Signature *signature)
{
    Body *body = find(bodies, signature);
    if (body->encoded == NULL)
        body->encoded = body_hash_end(body->hash);
    return strcmp(body->encoded, signature->body_hash) == 0;
}
