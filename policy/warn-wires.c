/* warn-wires.c: listeners and backends that cannot be what is meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/warn.h"

#include "filterd/base/ip.h"

#include <string.h>

#define PREFIX_V4 96 /* of IPv4 as it is kept: 0.0.0.0/0 */

static gboolean
is_mail(const PolicyListen *listen)
{
    return listen->wire == POLICY_SMTP || listen->wire == POLICY_LMTP;
}

/* 0.0.0.0, :: */
static gboolean
is_wildcard(const FilterdIp *ip)
{
    static const uint8_t none[sizeof ip->bytes];
    gsize from = ip_is_v4(ip) ? PREFIX_V4 / 8 : 0;

    return memcmp(ip->bytes + from, none, sizeof ip->bytes - from) == 0;
}

static gboolean
is_loopback(const FilterdIp *ip)
{
    static const FilterdIp one = {.bytes = {[15] = 1}, .prefix = 128};

    return ip_is_v4(ip) ? ip->bytes[12] == 127 : ip_equal(ip, &one);
}

static gboolean
same_port(const Endpoint *one, const Endpoint *other)
{
    return one->path == NULL && other->path == NULL && one->port != 0
           && one->port == other->port;
}

/* IPv6 sockets are no IPv4 ones. */
static gboolean
covers(const Endpoint *wide, const Endpoint *narrow)
{
    return same_port(wide, narrow) && is_wildcard(&wide->ip)
           && ip_is_v4(&wide->ip) == ip_is_v4(&narrow->ip);
}

/* ---- nobody to pass mail to ---- */

static void
warn_lonely(Compile *compile)
{
    const GPtrArray *listens = compile->config->listens;

    for (guint i = 0; i < listens->len; i++) {
        const PolicyListen *listen = g_ptr_array_index(listens, i);

        if (!is_mail(listen) || compile->config->backends->len > 0)
            continue;
        compile_warning(compile, &listen->place,
                        "such as backend smtp 127.0.0.1:10025",
                        "there is no `backend`: nobody to pass mail to, and "
                        "filterd will not start");
        return;
    }
}

/* ---- mail in circles ---- */

static gboolean
comes_back(const PolicyListen *listen, const PolicyBackend *backend)
{
    const Endpoint *own = &listen->endpoint, *other = &backend->endpoint;

    if (own->path != NULL || other->path != NULL)
        return g_strcmp0(own->path, other->path) == 0;
    return same_port(own, other)
           && (ip_equal(&own->ip, &other->ip)
               || (covers(own, other)
                   && (is_loopback(&other->ip) || is_wildcard(&other->ip))));
}

static void
warn_circle(Compile *compile, const PolicyBackend *backend)
{
    const GPtrArray *listens = compile->config->listens;

    for (guint i = 0; i < listens->len; i++) {
        const PolicyListen *listen = g_ptr_array_index(listens, i);

        if (!is_mail(listen) || !comes_back(listen, backend))
            continue;
        g_autofree char *line = compile_line(&listen->place, &backend->place);
        g_autofree char *hint = g_strdup_printf(
            "the `listen` in %s has this address: name the mail server's",
            line);
        compile_warning(compile, &backend->place, hint,
                        "this `backend` is filterd itself: mail would go "
                        "round in circles");
        return;
    }
}

/* ---- whom anybody may say to be ---- */

static gboolean
is_everybody(const FilterdArray *networks)
{
    const FilterdIp *all = networks->items;

    for (size_t i = 0; i < networks->length; i++)
        if (all[i].prefix == (ip_is_v4(&all[i]) ? PREFIX_V4 : 0))
            return TRUE;
    return FALSE;
}

static void
warn_everybody(Compile *compile, const PolicyListen *listen)
{
    const struct {
        const char *word;
        const FilterdArray *networks;
    } options[] = {
        {"proxy-from", &listen->proxy_from},
        {"xclient-from", &listen->xclient_from},
        {"xforward-from", &listen->xforward_from},
    };

    if (listen->endpoint.path != NULL || is_loopback(&listen->endpoint.ip))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
        if (is_everybody(options[i].networks))
            compile_warning(compile, &listen->place,
                            "name the machines that are to be believed",
                            "`%s` holds everybody: any client may say that it "
                            "is another",
                            options[i].word);
}

/* ---- one socket in the place of two ---- */

static void
warn_overlap(Compile *compile, guint index)
{
    const GPtrArray *listens = compile->config->listens;
    const PolicyListen *listen = g_ptr_array_index(listens, index);

    for (guint i = 0; i < index; i++) {
        const PolicyListen *other = g_ptr_array_index(listens, i);
        const Endpoint *own = &listen->endpoint, *its = &other->endpoint;

        if (ip_equal(&own->ip, &its->ip)
            || (!covers(own, its) && !covers(its, own)))
            continue;
        g_autofree char *line = compile_line(&other->place, &listen->place);
        g_autofree char *hint = g_strdup_printf("by the `listen` in %s", line);
        compile_warning(compile, &listen->place, hint,
                        "this address and port are taken already: filterd "
                        "will not start");
        return;
    }
}

void
warn_wires(Compile *compile)
{
    const PolicyConfig *config = compile->config;

    warn_lonely(compile);
    for (guint i = 0; i < config->listens->len; i++) {
        warn_everybody(compile, g_ptr_array_index(config->listens, i));
        warn_overlap(compile, i);
    }
    for (guint i = 0; i < config->backends->len; i++)
        warn_circle(compile, g_ptr_array_index(config->backends, i));
}
