/* configuration.c: compiles a configuration with plugins or without, and puts
 * its `dns` block into force.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/configuration.h"

#include "filterd/base/clock.h"
#include "filterd/host/loader.h"
#include "filterd/process/statement.h"
#include "filterd/service/dns.h"
#include "filterd/session/engine.h"

#include <string.h>
#include <unistd.h>

static void
refuse_word(const Bundle *bundle, const char *path, const char *word,
            const GError *error, PolicyReport *report)
{
    PolicyPlace place = statement_find(bundle, path, "set", word);
    statement_refuse(bundle, report, &place, NULL, "`set %s`: %s", word,
                     error->message);
}

gboolean
configuration_user_exists(const PolicyConfig *config, const Bundle *bundle,
                          const char *path, PolicyReport *report)
{
    g_autoptr(GError) error = NULL;
    const char *word;
    if (privileges_exist(&config->settings, &word, &error))
        return TRUE;
    refuse_word(bundle, path, word, error, report);
    return FALSE;
}

static gboolean
find_privileges(Configuration *configuration, PolicyReport *report)
{
    g_autoptr(GError) error = NULL;
    const GPtrArray *backends = configuration->skeleton->backends;
    Privileges *privileges = &configuration->privileges;
    const char *word;
    if (privileges_find(&configuration->skeleton->settings, privileges, &word,
                        &error)) {
        for (unsigned i = 0; i < backends->len; i++)
            privileges->foreign |=
                ((const PolicyBackend *)backends->pdata[i])->source_client;
        return TRUE;
    }
    refuse_word(configuration->bundle, configuration->path, word, error,
                report);
    return FALSE;
}

/* What loads plugins is never more than it would be otherwise. */
static void
make_draft(Configuration *configuration, const Configuration *before)
{
    configuration->draft = TRUE;
    if (before != NULL)
        configuration->privileges = before->privileges;
    else
        privileges_of_nobody(&configuration->privileges);
    configuration->privileges.foreign = FALSE;
}

Configuration *
configuration_new(const char *path, const Configuration *before,
                  PolicyReport *report)
{
    Configuration *configuration = g_new0(Configuration, 1);
    configuration->path = path;
    configuration->read = clock_real();
    configuration->bundle = bundle_new();
    const PolicyLoader loader = {
        .data = configuration->bundle,
        .read = bundle_read,
        .core_facts = engine_core_facts,
        .core_actions = engine_core_actions,
    };
    configuration->skeleton = policy_compile(path, &loader, report);
    if (configuration->skeleton == NULL
        || !find_privileges(configuration, report))
        make_draft(configuration, before);
    return configuration;
}

void
configuration_free(Configuration *configuration)
{
    g_clear_pointer(&configuration->skeleton, policy_config_free);
    bundle_free(configuration->bundle);
    g_free(configuration);
}

static const FilterdPlugin *
open_plugin(void *data, const char *name, GError **error)
{
    (void)data;
    return loader_open(name, error);
}

static GPtrArray *
plugins(void *data)
{
    (void)data;
    return loader_names();
}

PolicyConfig *
configuration_compile(Bundle *bundle, const char *path, gboolean from_disk,
                      PolicyReport *report)
{
    const PolicyLoader loader = {
        .data = bundle,
        .read = from_disk ? bundle_read : bundle_find,
        .plugin = open_plugin,
        .check = loader_check,
        .plugins = plugins,
        .core_facts = engine_core_facts,
        .core_actions = engine_core_actions,
    };
    return policy_compile(path, &loader, report);
}

const void *
configuration_option(const PolicyUse *use, const char *name)
{
    const FilterdOption *row = use->plugin->options;
    while (row != NULL && row->name != NULL && strcmp(row->name, name) != 0)
        row++;
    return row != NULL && row->name != NULL
               ? (const char *)use->config + row->offset
               : NULL;
}

gboolean
configuration_counts_reports(const PolicyUse *use)
{
    const bool *on = configuration_option(use, "reports");
    return strcmp(use->plugin->name, "dmarc") == 0 && on != NULL && *on;
}

unsigned
configuration_workers(const PolicyConfig *config)
{
    unsigned milters = 0;
    for (unsigned i = 0; i < config->listens->len; i++) {
        const PolicyListen *listen = g_ptr_array_index(config->listens, i);
        milters += listen->wire == POLICY_MILTER ? 1 : 0;
    }
    if (config->settings.workers > 0)
        return MAX((unsigned)config->settings.workers, milters);
    return MAX(g_get_num_processors(), milters);
}

/* The addresses among `resolver`; NULL-terminated. */
static const char **
list_addresses(const FilterdArray *resolver)
{
    const char *const *words = resolver->items;
    const char **addresses = g_new0(const char *, resolver->length + 1);
    size_t length = 0;
    for (size_t i = 0; i < resolver->length; i++)
        if (strcmp(words[i], "system") != 0
            && strcmp(words[i], "recursive") != 0)
            addresses[length++] = words[i];
    return addresses;
}

static gboolean
is_recursive(const FilterdArray *resolver)
{
    const char *const *words = resolver->items;
    return resolver->length > 0 && strcmp(words[0], "recursive") == 0;
}

gboolean
configuration_start_dns(const PolicyDns *dns, gboolean silent, GError **error)
{
    g_autofree const char **addresses = list_addresses(&dns->resolver);
    const DnsConfig service = {
        .recursive = is_recursive(&dns->resolver),
        .forward = addresses,
        .zones = dns->zone.items,
        .n_zones = dns->zone.length,
        .zones_only = silent,
        .anchors = dns->trust_anchor.items,
        .n_anchors = dns->trust_anchor.length,
        .timeout = dns->timeout,
    };
    return dns_init(&service, error);
}
