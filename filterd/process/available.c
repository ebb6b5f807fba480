/* available.c: what the language has and this version cannot do yet is refused,
 * never ignored.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/available.h"

#include "filterd/process/configuration.h"
#include "filterd/process/statement.h"

#include <string.h>

typedef struct Review {
    const PolicyConfig *config;
    const Bundle *bundle;
    const char *path;
    PolicyReport *report;
} Review;

/* An option that is there, of a statement that is there. */
typedef struct Row {
    const char *word;
    gboolean (*given)(const void *statement);
} Row;

static void
refuse_option(const Review *review, const PolicyPlace *statement,
              const char *word)
{
    PolicyPlace place = statement_option(review->bundle, statement, word);
    statement_refuse(review->bundle, review->report, &place,
                     "leave it out for now",
                     "this version does not do this with `%s` yet", word);
}

static void
refuse_options(const Review *review, const Row *rows, const void *statement,
               const PolicyPlace *place)
{
    for (const Row *row = rows; row->word != NULL; row++)
        if (row->given(statement))
            refuse_option(review, place, row->word);
}

/* ---- listen ------------------------------------------------------------- */

/* Only the mail wires have it. */
static gboolean
listen_tls(const void *statement)
{
    const PolicyListen *listen = statement;
    return listen->tls != POLICY_TLS_OFF && listen->wire > POLICY_LMTP;
}

/* Others have no client at the other end of the connection. */
static gboolean
listen_proxy(const void *statement)
{
    const PolicyListen *listen = statement;
    return listen->proxy_from.length > 0 && listen->wire > POLICY_LMTP;
}

static gboolean
listen_xclient(const void *statement)
{
    const PolicyListen *listen = statement;
    return listen->xclient_from.length > 0 && listen->wire > POLICY_LMTP;
}

static gboolean
listen_xforward(const void *statement)
{
    const PolicyListen *listen = statement;
    return listen->xforward_from.length > 0 && listen->wire > POLICY_LMTP;
}

static const Row listen_rows[] = {
    {"tls", listen_tls},
    {"proxy-from", listen_proxy},
    {"xclient-from", listen_xclient},
    {"xforward-from", listen_xforward},
    {NULL},
};

static gboolean
same_endpoint(const Endpoint *a, const Endpoint *b)
{
    if (a->path != NULL || b->path != NULL)
        return g_strcmp0(a->path, b->path) == 0;
    return a->port == b->port && a->port != 0 && ip_equal(&a->ip, &b->ip);
}

/* Two statements would share one socket, and each connection go to either. */
static void
refuse_twin(const Review *review, unsigned index)
{
    const GPtrArray *listens = review->config->listens;
    const PolicyListen *listen = g_ptr_array_index(listens, index);
    for (unsigned i = 0; i < index; i++) {
        const PolicyListen *other = g_ptr_array_index(listens, i);
        if (!same_endpoint(&other->endpoint, &listen->endpoint))
            continue;
        g_autofree char *hint =
            g_strdup_printf("it is in line %u of `%s` already",
                            other->place.line, other->place.file);
        statement_refuse(review->bundle, review->report, &listen->place, hint,
                         "this address is listened on twice");
        return;
    }
}

/* Whoever comes there speaks SMTP (RFC 2033 5). */
static void
refuse_smtp_port(const Review *review, const PolicyListen *listen)
{
    if (listen->wire == POLICY_LMTP && listen->endpoint.port == 25)
        statement_refuse(review->bundle, review->report, &listen->place,
                         "24, or a unix socket", "port 25 is not for LMTP");
}

static void
review_listens(const Review *review)
{
    for (unsigned i = 0; i < review->config->listens->len; i++) {
        const PolicyListen *listen =
            g_ptr_array_index(review->config->listens, i);
        refuse_options(review, listen_rows, listen, &listen->place);
        refuse_twin(review, i);
        refuse_smtp_port(review, listen);
    }
}

/* ---- the rest ----------------------------------------------------------- */

/* `system` and `recursive` say where to ask; so do addresses. */
static void
review_resolvers(const Review *review)
{
    const FilterdArray *resolver = &review->config->dns.resolver;
    const char *const *words = resolver->items;
    for (size_t i = 0; resolver->length > 1 && i < resolver->length; i++) {
        if (strcmp(words[i], "system") != 0
            && strcmp(words[i], "recursive") != 0)
            continue;
        PolicyPlace place =
            statement_find(review->bundle, review->path, NULL, "resolver");
        statement_refuse(review->bundle, review->report, &place, NULL,
                         "`%s` stands alone as `resolver`", words[i]);
    }
}

gboolean
available_check(const PolicyConfig *config, const Bundle *bundle,
                const char *path, PolicyReport *report)
{
    const Review review = {config, bundle, path, report};
    unsigned before = report->errors;
    review_listens(&review);
    review_resolvers(&review);
    return report->errors == before;
}

static void
complain_of_source(const Bundle *bundle, PolicyReport *report,
                   const PolicyPlace *place, gboolean needed)
{
    if (needed)
        statement_refuse(bundle, report, place,
                         "start filterd as root, or with that capability",
                         "`source client` needs CAP_NET_ADMIN, which is not "
                         "there");
    else
        statement_warn(bundle, report, place,
                       "`source client` needs CAP_NET_ADMIN where filterd "
                       "starts; here it is not there");
}

gboolean
available_sources(const PolicyConfig *config, const Bundle *bundle,
                  gboolean needed, PolicyReport *report)
{
    unsigned before = report->errors;
    for (unsigned i = 0; i < config->backends->len; i++) {
        const PolicyBackend *backend = g_ptr_array_index(config->backends, i);
        PolicyPlace place = statement_option(bundle, &backend->place, "source");
        if (backend->source_client && !endpoint_may_be_foreign())
            complain_of_source(bundle, report, &place, needed);
    }
    return report->errors == before;
}

void
available_reports(const PolicyConfig *config, const Bundle *bundle,
                  PolicyReport *report)
{
    for (unsigned i = 0; i < config->uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(config->uses, i);
        if (config->store.kind == POLICY_STORE_SQLITE
            || !configuration_counts_reports(use))
            continue;
        PolicyPlace place = statement_option(bundle, &use->place, "reports");
        statement_warn(bundle, report, &place,
                       "nobody will get these reports: `filterctl report` "
                       "makes them of a `store sqlite` only");
    }
}

static gboolean
has_wire(const PolicyConfig *config, PolicyWire first, PolicyWire last)
{
    for (unsigned i = 0; i < config->listens->len; i++) {
        const PolicyListen *listen = g_ptr_array_index(config->listens, i);
        if (listen->wire >= first && listen->wire <= last)
            return TRUE;
    }
    return FALSE;
}

static void
warn_of_setting(const PolicyConfig *config, const Bundle *bundle,
                const char *path, PolicyReport *report)
{
    const PolicySettings *settings = &config->settings;
    PolicyPlace place = statement_find(bundle, path, "set", "quarantine");
    if (!has_wire(config, POLICY_SMTP, POLICY_LMTP))
        statement_warn(bundle, report, &place,
                       "nothing is kept here: whoever asks for advice has the "
                       "mail, and holds it");
    else if (settings->quarantine_size < settings->max_message_size)
        statement_warn(bundle, report, &place,
                       "`quarantine-size` is less than `max-message-size`: a "
                       "message may be too large to be kept, and wait in vain");
}

void
available_quarantine(const PolicyConfig *config, const Bundle *bundle,
                     const char *path, PolicyReport *report)
{
    if (config->settings.quarantine != 0
        && has_wire(config, POLICY_SMTP, POLICY_SERVICE))
        warn_of_setting(config, bundle, path, report);
}

/* Who only gives advice has nobody to pass mail to. */
gboolean
available_to_serve(const PolicyConfig *config, const Bundle *bundle,
                   const char *path, PolicyReport *report)
{
    const PolicyPlace nowhere = {path, 1, 1, 1};
    unsigned before = report->errors;
    gboolean mail = has_wire(config, POLICY_SMTP, POLICY_LMTP);
    if (!has_wire(config, POLICY_SMTP, POLICY_SERVICE))
        statement_refuse(bundle, report, &nowhere, "listen smtp 0.0.0.0:25",
                         "there is no `listen smtp` or any other that serves "
                         "mail: nothing to serve");
    if (config->backends->len == 0
        && (mail || !has_wire(config, POLICY_SMTP, POLICY_SERVICE)))
        statement_refuse(bundle, report, &nowhere,
                         "backend smtp 127.0.0.1:10025",
                         "there is no `backend`: nobody to pass mail to");
    return report->errors == before;
}
