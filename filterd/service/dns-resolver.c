/* dns-resolver.c: libunbound on the loop's own libevent base.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libunbound takes a libevent base as it is only if it was itself built with
 * libevent, as all distributions do; ub_ctx_create_event() says so otherwise.
 */
#include "filterd/service/dns-resolver.h"

#include "filterd/base/loop.h"
#include "filterd/service/dns-name.h"

#include <string.h>
#include <unbound-event.h>
#include <unbound.h>

enum { CLASS_IN = 1, SECURITY_BOGUS = 1, SECURITY_SECURE = 2 };

struct DnsResolver {
    struct ub_ctx *context;
};

typedef struct Setting {
    const char *name;
    const char *value;
} Setting;

/* The caches stand behind our own and serve delegations, chains and what is
 * validated. A question that has been cancelled keeps its socket to the end, so
 * there are many. */
static const Setting settings[] = {
    {"use-syslog:", "no"},
    {"num-queries-per-thread:", "4000"},
    {"outgoing-range:", "4096"},
    {"msg-cache-size:", "4m"},
    {"rrset-cache-size:", "8m"},
    {"key-cache-size:", "1m"},
    {"neg-cache-size:", "512k"},
    {"msg-cache-slabs:", "1"},
    {"rrset-cache-slabs:", "1"},
    {"infra-cache-slabs:", "1"},
    {"key-cache-slabs:", "1"},
    {"infra-keep-probing:", "yes"},
    {"rrset-roundrobin:", "no"},
    {"edns-buffer-size:", "1232"},
    {"do-not-query-localhost:", "no"},
    {"unblock-lan-zones:", "yes"},
    {"cache-max-ttl:", "86400"},
    {"cache-max-negative-ttl:", "3600"},
    {"target-fetch-policy:", "0 0 0 0 0"},
};

/* An authoritative server that is silent for max-rtt is left alone for
 * host-ttl: that harms nobody but its own names. */
static const Setting recursive_settings[] = {
    {"infra-cache-max-rtt:", "2000"},
    {"infra-host-ttl:", "60"},
};

/* The site's resolvers are as slow as the name asked for, which a stranger
 * chooses: silence about it says nothing of the next name, and must never stop
 * us from asking. So max-rtt is out of reach. */
static const Setting forward_settings[] = {
    {"infra-cache-max-rtt:", "120000"},
    {"outbound-msg-retry:", "2"},
};

/* When a resolver is asked again, libunbound has no ear for its first answer
 * any more: one alone gets most of the time that we have. Of several the next
 * one is asked soon, and one that was silent is avoided for host-ttl. */
typedef struct Patience {
    int64_t percent; /* of the timeout, before it is asked again */
    const char *ttl;
} Patience;

static const Patience with_one = {80, "2"};
static const Patience with_several = {25, "30"};

#define FIRST_WAIT_LOW 50 /* milliseconds */
#define FIRST_WAIT_HIGH 10000

/* Built into libunbound as local data; whoever was configured decides. */
static const char *const built_in_zones[] = {
    "test.",
    "invalid.",
    "home.arpa.",
    "127.in-addr.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
};

static gboolean
check(int code, const char *what, GError **error)
{
    if (code != UB_NOERROR)
        g_set_error(error, DNS_ERROR, DNS_ERROR_FAILED, "%s: %s", what,
                    ub_strerror(code));
    return code == UB_NOERROR;
}

static gboolean
set_all(struct ub_ctx *context, const Setting *rows, gsize count,
        GError **error)
{
    for (gsize i = 0; i < count; i++)
        if (!check(ub_ctx_set_option(context, rows[i].name, rows[i].value),
                   rows[i].name, error))
            return FALSE;
    return TRUE;
}

static gboolean
has_one_resolver(const DnsConfig *config)
{
    return config->forward != NULL && config->forward[0] != NULL
           && config->forward[1] == NULL;
}

static gboolean
set_patience(struct ub_ctx *context, const DnsConfig *config, GError **error)
{
    const Patience *patience =
        has_one_resolver(config) ? &with_one : &with_several;
    int64_t wait = CLAMP(config->timeout * patience->percent / 100,
                         FIRST_WAIT_LOW, FIRST_WAIT_HIGH);
    g_autofree char *first_wait = g_strdup_printf("%" G_GINT64_FORMAT, wait);
    const Setting rows[] = {
        {"infra-cache-min-rtt:", first_wait},
        {"infra-host-ttl:", patience->ttl},
    };
    return set_all(context, rows, G_N_ELEMENTS(rows), error)
           && set_all(context, forward_settings, G_N_ELEMENTS(forward_settings),
                      error);
}

static gboolean
set_options(struct ub_ctx *context, const DnsConfig *config, GError **error)
{
    const Setting modules = {"module-config:", config->n_anchors > 0
                                                   ? "validator iterator"
                                                   : "iterator"};
    ub_ctx_debugout(context, NULL);
    return set_all(context, settings, G_N_ELEMENTS(settings), error)
           && set_all(context, &modules, 1, error)
           && (config->recursive
                   ? set_all(context, recursive_settings,
                             G_N_ELEMENTS(recursive_settings), error)
                   : set_patience(context, config, error));
}

static gboolean
set_forward(struct ub_ctx *context, const DnsConfig *config, GError **error)
{
    if (config->recursive)
        return TRUE;
    if (config->forward == NULL || config->forward[0] == NULL)
        return check(ub_ctx_resolvconf(context, NULL), "/etc/resolv.conf",
                     error);
    for (const char *const *address = config->forward; *address != NULL;
         address++) {
        g_autofree char *what =
            g_strdup_printf("resolver \"%s\", not ADDRESS@PORT", *address);
        if (!check(ub_ctx_set_fwd(context, *address), what, error))
            return FALSE;
    }
    return TRUE;
}

/* Lines of DS and DNSKEY records, with comments. */
static gboolean
add_anchors(struct ub_ctx *context, const FilterdFile *file, GError **error)
{
    g_autofree char *text = g_strndup(file->bytes, file->length);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (gsize i = 0; lines[i] != NULL; i++) {
        lines[i][strcspn(lines[i], ";\r")] = '\0';
        char *line = g_strstrip(lines[i]);
        if (*line == '\0')
            continue;
        if (strstr(line, "DS") == NULL && strstr(line, "DNSKEY") == NULL) {
            g_set_error(error, DNS_ERROR, DNS_ERROR_INVALID,
                        "%s:%zu: a trust anchor is a DS or DNSKEY record",
                        file->path, i + 1);
            return FALSE;
        }
        if (!check(ub_ctx_add_ta(context, line), file->path, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
remove_built_in_zones(struct ub_ctx *context, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(built_in_zones); i++)
        if (!check(ub_ctx_zone_remove(context, built_in_zones[i]),
                   "resolver (are the trust anchors well formed?)", error))
            return FALSE;
    return TRUE;
}

static void
ignore_answer(void *data G_GNUC_UNUSED, int rcode G_GNUC_UNUSED,
              void *packet G_GNUC_UNUSED, int length G_GNUC_UNUSED,
              int security G_GNUC_UNUSED, char *why G_GNUC_UNUSED,
              int limited G_GNUC_UNUSED)
{
}

/* The first question makes libunbound's worker, on much stack; this one is
 * answered from its built-in data. */
static gboolean
ask_first(struct ub_ctx *context, GError **error)
{
    return check(ub_resolve_event(context, "localhost.", FILTERD_DNS_A,
                                  CLASS_IN, NULL, ignore_answer, NULL),
                 "resolver", error);
}

static gboolean
set_up(struct ub_ctx *context, const DnsConfig *config, GError **error)
{
    if (!set_options(context, config, error)
        || !set_forward(context, config, error))
        return FALSE;
    for (gsize i = 0; i < config->n_anchors; i++)
        if (!add_anchors(context, &config->anchors[i], error))
            return FALSE;
    return remove_built_in_zones(context, error) && ask_first(context, error);
}

DnsResolver *
dns_resolver_new(const DnsConfig *config, GError **error)
{
    struct ub_ctx *context = ub_ctx_create_event(loop_base());
    if (context == NULL) {
        g_set_error_literal(error, DNS_ERROR, DNS_ERROR_FAILED,
                            "libunbound does not take libevent's loop");
        return NULL;
    }
    if (!set_up(context, config, error)) {
        ub_ctx_delete(context);
        return NULL;
    }
    DnsResolver *resolver = g_new0(DnsResolver, 1);
    resolver->context = context;
    return resolver;
}

void
dns_resolver_free(DnsResolver *resolver)
{
    if (resolver == NULL)
        return;
    ub_ctx_delete(resolver->context);
    g_free(resolver);
}

/* libunbound's `rcode` is 0 for a forged answer, for NXDOMAIN and for a
 * failure it remembers: the packet knows better. */
static DnsAnswer *
make_answer(const DnsAsked *asked, int rcode, const void *packet, int length,
            int security)
{
    if (security == SECURITY_BOGUS)
        return dns_answer_new(FILTERD_DNS_BOGUS, 0);
    if (rcode != 0 || packet == NULL || length < 0)
        return dns_answer_new(FILTERD_DNS_SERVFAIL, 0);
    DnsAnswer *answer =
        (DnsAnswer *)dns_answer_parse(packet, (gsize)length, asked->type);
    answer->answer.secure = security == SECURITY_SECURE;
    return answer;
}

static void
answered(void *data, int rcode, void *packet, int length, int security,
         char *why G_GNUC_UNUSED, int limited G_GNUC_UNUSED)
{
    DnsAsked *asked = data;
    g_autoptr(DnsAnswer) answer =
        make_answer(asked, rcode, packet, length, security);
    asked->resolved(answer, asked->data);
}

gboolean
dns_resolver_ask(DnsResolver *resolver, const char *key, DnsAsked *asked)
{
    g_autofree char *name = dns_name_format(dns_key_name(key));
    asked->type = dns_key_type(key);
    return ub_resolve_event(resolver->context, name, asked->type, CLASS_IN,
                            asked, answered, &asked->id)
           == 0;
}

void
dns_resolver_cancel(DnsResolver *resolver, const DnsAsked *asked)
{
    ub_cancel(resolver->context, asked->id);
}
