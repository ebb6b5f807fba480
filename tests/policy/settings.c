/* settings.c: settings, listeners, backends, options of plugins, skeletons.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

#include "filterd/base/ip.h"

static void
test_defaults(void)
{
    PolicyConfig *config = world_config("dns { }\n");
    const PolicySettings *settings = &config->settings;

    g_assert_null(settings->hostname);
    g_assert_null(settings->authserv_id);
    g_assert_null(settings->user);
    g_assert_cmpint(settings->workers, ==, 0);
    g_assert_cmpstr(settings->state_directory, ==, "/var/lib/filterd");
    g_assert_cmpint(settings->max_message_size, ==, 50 << 20);
    g_assert_cmpint(settings->drain_timeout, ==, 600000);
    g_assert_cmpint(settings->max_sessions, ==, 10000);
    g_assert_cmpint(settings->max_recipients, ==, 1000);
    g_assert_cmpint(settings->max_errors, ==, 20);
    g_assert_cmpint(settings->max_sessions_per_address, ==, 0);
    g_assert_cmpint(settings->max_sessions_per_network, ==, 0);
    g_assert_cmpint(settings->max_connections_per_minute, ==, 0);
    g_assert_cmpint(settings->max_errors_per_address, ==, 200);
    g_assert_cmpint(settings->max_unknown_recipients, ==, 100);
    g_assert_cmpint(settings->min_data_rate, ==, 500);
    g_assert_cmpint(settings->log, ==, 0);
    g_assert_true(settings->authentication_results);
    g_assert_cmpint(config->dns.timeout, ==, 5000);
    g_assert_cmpint(config->dns.budget, ==, 20000);
    g_assert_cmpuint(config->dns.resolver.length, ==, 1);
    g_assert_cmpstr(*(const char *const *)config->dns.resolver.items, ==,
                    "system");
    g_assert_cmpint(config->store.kind, ==, POLICY_STORE_SQLITE);
    g_assert_cmpstr(config->store.where, ==, "/var/lib/filterd/filterd.db");
    g_assert_cmpint(config->store.max_entries, ==, 1000000);
    policy_config_free(config);
}

static const char everything[] =
    "set hostname MX.Example.com.\n"
    "set user filterd set group mail set workers 3\n"
    "set state-directory \"/srv/filterd\" set max-message-size 10M\n"
    "set log json set authentication-results off set quarantine spool\n"
    "set line-endings normalize set mixed-replies defer set drain-timeout 1m\n"
    "listen smtp 0.0.0.0:25 {\n"
    "    tls opportunistic certificate \"mx.pem\" key \"mx.key\"\n"
    "    certificate \"mx.key\" key \"mx.pem\"\n"
    "    client-certificates on client-ca \"mx.key\"\n"
    "    proxy-from 192.0.2.0/24 2001:db8::/32 xclient-from 127.0.0.1\n"
    "    greeting-delay 2s command-timeout 1m data-timeout 3m\n"
    "    max-sessions 50 auth clear "
    "xforward-from 127.0.0.2 pass-through ETRN VRFY\n"
    "}\n"
    "listen lmtp [::1]:24 listen milter \"unix:/run/x\" {\n"
    "    mode 0600 owner postfix group mail }\n"
    "backend smtp 127.0.0.1:10025 { identity proxy-v2 tls verified\n"
    "    ca \"mx.pem\" name mail.example.com\n"
    "    priority 5 weight 7 max-connections 9 connect-timeout 1s\n"
    "    command-timeout 2s data-timeout 3s source client\n"
    "    health-interval 4s slow-start 5s }\n"
    "dns { resolver 192.0.2.53@53 2001:db8::53@5353 zone \"a.zone\" "
    "\"b.zone\"\n"
    "      timeout 1s budget 2s }\n"
    "store redis \"127.0.0.1:6379\" { node [::1]:6380 \"unix:/run/r\"\n"
    "    user joe password \"redis.password\" database 3 timeout 500ms\n"
    "    prefix mx: tls verified ca \"mx.pem\" name redis.example.com }\n";

static PolicyConfig *
compile_everything(const PolicyLoader *loader)
{
    PolicyConfig *config;

    world_file("mx.pem", "certificate");
    world_file("mx.key", "key");
    world_file("redis.password", "correct horse\n");
    world_file("a.zone", "a");
    world_file("b.zone", "bb");
    g_autofree char *notes = world_compile(everything, loader, &config);
    g_assert_true(g_str_has_prefix(notes, "16:1: warning: no rule refuses"));
    return config;
}

static void
check_settings(const PolicyConfig *config)
{
    const PolicySettings *settings = &config->settings;

    g_assert_cmpstr(settings->hostname, ==, "mx.example.com");
    g_assert_cmpstr(settings->authserv_id, ==, "mx.example.com");
    g_assert_cmpstr(settings->user, ==, "filterd");
    g_assert_cmpstr(settings->group, ==, "mail");
    g_assert_cmpint(settings->workers, ==, 3);
    g_assert_cmpint(settings->max_message_size, ==, 10 << 20);
    g_assert_cmpint(settings->log, ==, 1);
    g_assert_false(settings->authentication_results);
    g_assert_cmpint(settings->quarantine, ==, 1);
    g_assert_cmpint(settings->line_endings, ==, 1);
    g_assert_cmpint(settings->mixed_replies, ==, 1);
    g_assert_cmpint(settings->drain_timeout, ==, 60000);
}

static void
check_store(const PolicyStore *store)
{
    const char *const *nodes = store->node.items;

    g_assert_cmpint(store->kind, ==, POLICY_STORE_REDIS);
    g_assert_cmpstr(store->where, ==, "127.0.0.1:6379");
    g_assert_cmpuint(store->node.length, ==, 2);
    g_assert_cmpstr(nodes[0], ==, "[::1]:6380");
    g_assert_cmpstr(nodes[1], ==, "unix:/run/r");
    g_assert_cmpstr(store->user, ==, "joe");
    g_assert_cmpstr(store->password.bytes, ==, "correct horse");
    g_assert_cmpint(store->database, ==, 3);
    g_assert_cmpint(store->timeout, ==, 500);
    g_assert_cmpstr(store->prefix, ==, "mx:");
    g_assert_cmpint(store->tls, ==, POLICY_REDIS_VERIFIED);
    g_assert_cmpstr(store->ca.bytes, ==, "certificate");
    g_assert_cmpstr(store->name, ==, "redis.example.com");
}

static void
check_listens(const PolicyConfig *config)
{
    const PolicyListen *smtp = g_ptr_array_index(config->listens, 0);
    const PolicyListen *lmtp = g_ptr_array_index(config->listens, 1);
    const PolicyListen *milter = g_ptr_array_index(config->listens, 2);
    const FilterdIp *from = smtp->proxy_from.items;
    char text[IP_TEXT_SIZE];

    g_assert_cmpint(smtp->wire, ==, POLICY_SMTP);
    g_assert_cmpint(smtp->endpoint.port, ==, 25);
    g_assert_cmpint(smtp->place.line, ==, 6);
    g_assert_cmpint(smtp->tls, ==, POLICY_TLS_OPPORTUNISTIC);
    g_assert_cmpuint(smtp->certificate.length, ==, 2);
    const FilterdFile *certificates = smtp->certificate.items;
    g_assert_cmpstr(certificates[0].bytes, ==, "certificate");
    g_assert_cmpuint(certificates[0].length, ==, 11);
    g_assert_cmpstr(certificates[1].bytes, ==, "key");
    g_assert_true(smtp->client_certificates);
    g_assert_cmpstr(smtp->client_ca.bytes, ==, "key");
    const FilterdFile *keys = smtp->key.items;
    g_assert_cmpstr(keys[0].path, ==, "mx.key");
    g_assert_cmpstr(keys[1].path, ==, "mx.pem");
    g_assert_cmpuint(smtp->proxy_from.length, ==, 2);
    g_assert_cmpstr(ip_format(&from[1], text), ==, "2001:db8::/32");
    g_assert_cmpuint(smtp->xclient_from.length, ==, 1);
    g_assert_cmpint(smtp->greeting_delay, ==, 2000);
    g_assert_cmpint(smtp->max_sessions, ==, 50);
    g_assert_cmpint(smtp->auth, ==, POLICY_AUTH_CLEAR);
    g_assert_cmpuint(smtp->xforward_from.length, ==, 1);
    g_assert_cmpuint(smtp->pass_through.length, ==, 2);
    g_assert_cmpint(((const int *)smtp->pass_through.items)[0], ==,
                    POLICY_ETRN);
    g_assert_cmpint(lmtp->wire, ==, POLICY_LMTP);
    g_assert_cmpint(lmtp->command_timeout, ==, 300000);
    g_assert_cmpint(lmtp->data_timeout, ==, 600000);
    g_assert_cmpint(lmtp->tls, ==, POLICY_TLS_OFF);
    g_assert_cmpstr(milter->endpoint.path, ==, "/run/x");
    g_assert_cmpuint(milter->permissions, ==, 0600);
    g_assert_cmpstr(milter->owner, ==, "postfix");
    g_assert_cmpstr(milter->group, ==, "mail");
    g_assert_cmpuint(lmtp->permissions, ==, 0);
}

static void
check_backend(const PolicyConfig *config)
{
    const PolicyBackend *backend = g_ptr_array_index(config->backends, 0);
    const char *const *resolvers = config->dns.resolver.items;
    const FilterdFile *zones = config->dns.zone.items;

    g_assert_cmpint(backend->wire, ==, POLICY_SMTP);
    g_assert_cmpint(backend->identity, ==, POLICY_IDENTITY_PROXY_V2);
    g_assert_cmpint(backend->tls, ==, POLICY_TLS_VERIFIED);
    g_assert_cmpstr(backend->ca.bytes, ==, "certificate");
    g_assert_cmpstr(backend->name, ==, "mail.example.com");
    g_assert_cmpint(backend->priority, ==, 5);
    g_assert_cmpint(backend->weight, ==, 7);
    g_assert_cmpint(backend->max_connections, ==, 9);
    g_assert_cmpint(backend->data_timeout, ==, 3000);
    g_assert_true(backend->source_client);
    g_assert_cmpint(backend->health_interval, ==, 4000);
    g_assert_cmpint(backend->slow_start, ==, 5000);
    g_assert_cmpuint(config->dns.resolver.length, ==, 2);
    g_assert_cmpstr(resolvers[1], ==, "2001:db8::53@5353");
    g_assert_cmpuint(config->dns.zone.length, ==, 2);
    g_assert_cmpstr(zones[1].bytes, ==, "bb");
    g_assert_cmpint(config->dns.budget, ==, 2000);
}

static void
test_everything(void)
{
    PolicyConfig *config = compile_everything(&world_loader);

    check_settings(config);
    check_store(&config->store);
    check_listens(config);
    check_backend(config);
    policy_config_free(config);
    world_clear();
}

static void
test_backend_defaults(void)
{
    PolicyConfig *config = world_config("backend lmtp 127.0.0.1:24\n");
    const PolicyBackend *backend = g_ptr_array_index(config->backends, 0);

    g_assert_cmpint(backend->identity, ==, POLICY_IDENTITY_NONE);
    g_assert_cmpint(backend->tls, ==, POLICY_TLS_OFF);
    g_assert_cmpint(backend->weight, ==, 1);
    g_assert_cmpint(backend->max_connections, ==, 100);
    g_assert_cmpint(backend->connect_timeout, ==, 10000);
    g_assert_cmpint(backend->command_timeout, ==, 60000);
    g_assert_cmpint(backend->data_timeout, ==, 600000);
    g_assert_false(backend->source_client || backend->source_given);
    g_assert_cmpint(backend->health_interval, ==, 10000);
    g_assert_cmpint(backend->slow_start, ==, 0);
    policy_config_free(config);
}

static const ProbeConfig *
probe_of(const PolicyConfig *config)
{
    return ((PolicyUse *)g_ptr_array_index(config->uses, 0))->config;
}

static void
test_fallbacks(void)
{
    PolicyConfig *config = world_config("use probe\n");
    const ProbeConfig *probe = probe_of(config);
    char text[IP_TEXT_SIZE];

    g_assert_true(probe->flag);
    g_assert_cmpint(probe->count, ==, 10240);
    g_assert_cmpint(probe->delay, ==, 300000);
    g_assert_cmpstr(probe->text, ==, "two words");
    g_assert_cmpint(probe->word, ==, 2);
    g_assert_null(probe->domain);
    g_assert_null(probe->file.bytes);
    g_assert_cmpstr(ip_format(&probe->network, text), ==, "192.0.2.0/24");
    g_assert_cmpuint(probe->networks.length, ==, 2);
    g_assert_cmpuint(probe->names.length, ==, 0);
    g_assert_cmpuint(probe->zones.length, ==, 0);
    policy_config_free(config);
}

static void
test_options(void)
{
    world_file("etc/data", "some\nbytes\n");
    world_file("etc/part.conf",
               "use probe as p { flag off count 5 delay 10s text bare\n"
               "  word red domain \"B\303\274cher.example\" address a@b.test\n"
               "  network 2001:db8::/32 file data networks ::1\n"
               "  names one \"count\" names three }\n");
    PolicyConfig *config = world_config("include \"etc/part.conf\"\n");
    const ProbeConfig *probe = probe_of(config);
    const char *const *names = probe->names.items;

    g_assert_false(probe->flag);
    g_assert_cmpint(probe->count, ==, 5);
    g_assert_cmpint(probe->delay, ==, 10000);
    g_assert_cmpstr(probe->text, ==, "bare");
    g_assert_cmpint(probe->word, ==, 0);
    g_assert_cmpstr(probe->domain, ==, "xn--bcher-kva.example");
    g_assert_cmpstr(probe->address, ==, "a@b.test");
    g_assert_cmpstr(probe->file.path, ==, "etc/data");
    g_assert_cmpstr(probe->file.bytes, ==, "some\nbytes\n");
    g_assert_cmpuint(probe->networks.length, ==, 1);
    g_assert_cmpuint(probe->names.length, ==, 3);
    g_assert_cmpstr(names[1], ==, "count");
    g_assert_nonnull(policy_fact_find(config, "p.wait"));
    policy_config_free(config);
    world_clear();
}

static void
test_groups(void)
{
    PolicyConfig *config = world_config(
        "use probe { zone a.example 127.0.0.2 127.0.0.4/30 weight 5\n"
        "            zone b.example weight -2 zone C.example\n"
        "            count 7 zone d.example ::1 }\n");
    const ProbeConfig *probe = probe_of(config);
    const ProbeItem *zones = probe->zones.items;
    const FilterdIp *answers = zones[0].answers.items;
    char text[IP_TEXT_SIZE];

    g_assert_cmpuint(probe->zones.length, ==, 4);
    g_assert_cmpint(probe->count, ==, 7);
    g_assert_cmpstr(zones[0].name, ==, "a.example");
    g_assert_cmpuint(zones[0].answers.length, ==, 2);
    g_assert_cmpstr(ip_format(&answers[1], text), ==, "127.0.0.4/30");
    g_assert_cmpint(zones[0].weight, ==, 5);
    g_assert_cmpint(zones[1].weight, ==, -2);
    g_assert_cmpuint(zones[1].answers.length, ==, 0);
    g_assert_cmpstr(zones[2].name, ==, "c.example");
    g_assert_cmpint(zones[2].weight, ==, 1);
    g_assert_cmpuint(zones[3].answers.length, ==, 1);
    policy_config_free(config);
}

/* Plugins, rules and lists are another process's. */
static void
test_skeleton(void)
{
    static const char rest[] =
        "use nosuch as x { anything { goes } \"}\" }\n"
        "list l of domain from \"nosuch\"\n"
        "let y = x.result = fail\n"
        "at rcpt { reject z if x.result = nonsense reply \"}\" }\n"
        "test \"t\" { given x.y = 5 }\n"
        "include \"more.conf\"\n";
    g_autofree char *text = g_strconcat(everything, rest, NULL);
    PolicyConfig *config;

    world_file("mx.pem", "certificate");
    world_file("mx.key", "key");
    world_file("redis.password", "correct horse\n");
    world_file("a.zone", "a");
    world_file("b.zone", "bb");
    world_file("more.conf", "set max-errors 7\n");
    g_autofree char *notes = world_compile(text, &world_skeleton, &config);
    g_assert_cmpstr(notes, ==, "");
    check_settings(config);
    check_store(&config->store);
    check_listens(config);
    check_backend(config);
    g_assert_cmpint(config->settings.max_errors, ==, 7);
    g_assert_cmpuint(config->uses->len, ==, 0);
    g_assert_cmpuint(world_reads(), ==, 11);
    policy_config_free(config);
    world_clear();
}

static void
check_isolated(const PolicyConfig *config, gboolean skeleton)
{
    g_assert_cmpuint(config->isolated->len, ==, 2);
    const PolicyIsolated *first = config->isolated->pdata[0],
                         *second = config->isolated->pdata[1];
    g_assert_cmpstr(first->plugin, ==, "greylist");
    g_assert_cmpstr(first->name, ==, "greylist");
    g_assert_cmpint(first->memory, ==, 256 << 20);
    g_assert_cmpstr(second->plugin, ==, "dnsbl");
    g_assert_cmpstr(second->name, ==, "bl");
    g_assert_cmpint(second->memory, ==, 32 << 20);
    g_assert_true((second->use == NULL) == skeleton);
}

/* Who may not load plugins knows all the same which are isolated. */
static void
test_isolation(void)
{
    const PolicyLoader *const loaders[] = {&world_loader, &world_skeleton};
    for (unsigned i = 0; i < G_N_ELEMENTS(loaders); i++) {
        PolicyConfig *config;
        g_autofree char *notes = world_compile(
            "use spf { isolation none }\n"
            "use greylist { delay 5m isolation process }\n"
            "use dnsbl as bl { isolation-memory 32M\n"
            "  zone bl.example.net 127.0.0.2 weight 5 isolation process\n"
            "  zone \"isolation\" 127.0.0.3 }\n"
            "use dkim\n",
            loaders[i], &config);
        g_assert_cmpstr(notes, ==, "");
        check_isolated(config, i == 1);
        policy_config_free(config);
    }
}

static void
test_paths(void)
{
    PolicyReport report;

    policy_report_init(&report);
    world_file("/etc/f/main.conf", "include \"sub/a.conf\"\nstore sqlite db\n");
    world_file("/etc/f/sub/a.conf", "include \"../b.conf\"\n"
                                    "list x of ip from \"/var/x\"\n"
                                    "list y of ip from y\n");
    world_file("/etc/f/sub/../b.conf", "set max-errors 7\n");
    world_file("/var/x", "192.0.2.1\n# none\n\n  ::1   # one\n");
    world_file("/etc/f/sub/y", "192.0.2.1\r\n192.0.2.2");
    PolicyConfig *config =
        policy_compile("/etc/f/main.conf", &world_loader, &report);
    g_assert_nonnull(config);
    g_assert_cmpuint(report.errors, ==, 0);
    g_assert_cmpint(config->settings.max_errors, ==, 7);
    g_assert_cmpstr(config->store.where, ==, "/etc/f/db");
    policy_config_free(config);
    policy_report_clear(&report);
    world_clear();
}

static void
test_format(void)
{
    PolicyReport report;

    policy_report_init(&report);
    g_assert_null(policy_compile_text(
        "x.conf",
        "\tset \"\303\274\" \342\202\254\033 hostnam joe\nset log jsn # why",
        &world_loader, &report));
    g_autofree char *text = policy_report_format(&report);
    g_assert_cmpstr(text, ==,
                    "x.conf:1:6: error: expected an option, found a text\n"
                    "    \tset \"\303\274\" \342\202\254? hostnam joe\n"
                    "    \t    ^~~\n"
                    "x.conf:1:11: error: this character has no place here\n"
                    "    \tset \"\303\274\" \342\202\254? hostnam joe\n"
                    "    \t         ^\n"
                    "x.conf:2:9: error: `log` cannot be `jsn`; did you mean "
                    "`json`?\n"
                    "    set log jsn # why\n"
                    "            ^~~\n"
                    "    it is text or json\n");
    policy_report_clear(&report);
}

static void
test_missing(void)
{
    PolicyReport report;

    policy_report_init(&report);
    g_assert_null(policy_compile("no.conf", &world_loader, &report));
    g_autofree char *text = policy_report_format(&report);
    g_assert_cmpstr(text, ==,
                    "no.conf:1:1: error: cannot read `no.conf`: no such "
                    "file\n");
    policy_report_clear(&report);
}

static void
test_not_text(void)
{
    PolicyReport report;

    policy_report_init(&report);
    g_assert_null(policy_compile_text("x.conf", "set user joe\nset \377",
                                      &world_loader, &report));
    PolicyNote *note = g_ptr_array_index(report.notes, 0);
    g_assert_cmpuint(note->line, ==, 2);
    g_assert_cmpuint(note->column, ==, 5);
    g_assert_cmpstr(note->message, ==, "this is not text");
    policy_report_clear(&report);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/settings/an-empty-file-has-defaults",
                    test_defaults);
    g_test_add_func("/policy/settings/are-all-set", test_everything);
    g_test_add_func("/policy/settings/a-backend-has-defaults",
                    test_backend_defaults);
    g_test_add_func("/policy/options/have-fallbacks", test_fallbacks);
    g_test_add_func("/policy/options/of-every-type", test_options);
    g_test_add_func("/policy/options/in-groups", test_groups);
    g_test_add_func("/policy/settings/a-skeleton-asks-no-plugin",
                    test_skeleton);
    g_test_add_func("/policy/settings/isolated-plugins-are-known-to-a-skeleton",
                    test_isolation);
    g_test_add_func("/policy/files/paths-are-relative-to-their-file",
                    test_paths);
    g_test_add_func("/policy/report/shows-the-line-with-a-caret", test_format);
    g_test_add_func("/policy/report/a-file-that-is-missing", test_missing);
    g_test_add_func("/policy/report/a-file-that-is-not-text", test_not_text);
    return g_test_run();
}
