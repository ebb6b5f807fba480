/* dnssec.c: a zone signed in advance, served by NSD: secure, forged, unsigned.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The signatures hold from 2020 to 2050. Those of "forged" are of another
 * address.
 */
#include "filterd/service/dns.h"

#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "tests/service/support.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT 3000
#define ATTEMPTS 30
#define STARTS 5

static const char signed_zone[] =
    "signed.example. 300 IN SOA ns.signed.example. h.signed.example. "
    "1 3600 600 86400 60\n"
    "signed.example. 300 IN RRSIG SOA 13 2 300 20500101000000 "
    "20200101000000 51725 signed.example. "
    "7alE5Wbg1siskEeh55OjrOgihKzZ8h0AzbRb4WNyEUcX8DvHdIKYLl2M7sbjcl/9+p"
    "cK7y//kqO6erDOQUHiaQ==\n"
    "signed.example. 300 IN NS ns.signed.example.\n"
    "signed.example. 300 IN RRSIG NS 13 2 300 20500101000000 "
    "20200101000000 51725 signed.example. "
    "wfIkt41mQHe5q85GoKCfADIyIm+/QDVJGwyG42nYtz0xF/uiA8jRwkbY6eMsBVeU//"
    "SOHkjr1YXddqRg3PIBQg==\n"
    "signed.example. 300 IN DNSKEY 257 3 13 "
    "LP4arkH30YgkiX1w3iqgFTkide8b2OCJhMMysn3qCAJ79RMtRX4uw1Qt/unWdtx9j9"
    "ePOrbJE+1tXPS6/kQOLg==\n"
    "signed.example. 300 IN RRSIG DNSKEY 13 2 300 20500101000000 "
    "20200101000000 51725 signed.example. "
    "ySvCBOk10metkyF34TayH4y9psxntYHfXO6iyA4ag66S6QBzR6IOEWOX4VYdztOeRt"
    "0JjujuwSFRlHbzFW7+xw==\n"
    "good.signed.example. 300 IN A 192.0.2.1\n"
    "good.signed.example. 300 IN RRSIG A 13 3 300 20500101000000 "
    "20200101000000 51725 signed.example. "
    "MIl5vQBfDcCZd87E2CXZaXBHt/W+/C7s8hN7Ff0mQHlba0eDclB/jncMapjzPglIPe"
    "QHYEHehGJWdD1cInkBYw==\n"
    "forged.signed.example. 300 IN A 192.0.2.66\n"
    "forged.signed.example. 300 IN RRSIG A 13 3 300 20500101000000 "
    "20200101000000 51725 signed.example. "
    "py37vcsxgFdZGPLeTSrfVDWxWi9TrD2xVg/n/55G6TEbS+Dn39DLISRFOKOI70WDVF"
    "DNFasEvPAZTcb9kHgF2A==\n";

static const char unsigned_zone[] =
    "unsigned.example. 300 IN SOA ns.unsigned.example. h. 1 3600 600 86400 60\n"
    "unsigned.example. 300 IN NS ns.unsigned.example.\n"
    "www.unsigned.example. 300 IN A 192.0.2.3\n";

static const char anchor[] =
    "; of signed.example\n"
    "signed.example. IN DS 51725 13 2 "
    "e585f12931fb53ea1786077140c00c76a76466a229fc1b4e7a675f57aa797b30\n";

static const char configuration[] = "server:\n"
                                    " ip-address: 127.0.0.1@%u\n"
                                    " server-count: 1\n"
                                    " username: \"\"\n"
                                    " database: \"\"\n"
                                    " zonesdir: \"%s\"\n"
                                    " pidfile: \"\"\n"
                                    " xfrdfile: \"%s/xfrd\"\n"
                                    " xfrdir: \"%s\"\n"
                                    " zonelistfile: \"%s/zones\"\n"
                                    " logfile: \"%s/log\"\n"
                                    "remote-control:\n"
                                    " control-enable: no\n"
                                    "zone:\n"
                                    " name: signed.example\n"
                                    " zonefile: signed\n"
                                    "zone:\n"
                                    " name: unsigned.example\n"
                                    " zonefile: unsigned\n";

/* Of TCP and UDP. */
static unsigned
free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    gboolean both = FALSE;
    while (!both) {
        int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_port = 0;
        bind(datagrams, (struct sockaddr *)&address, size);
        getsockname(datagrams, (struct sockaddr *)&address, &size);
        both = bind(stream, (struct sockaddr *)&address, size) == 0;
        close(datagrams);
        close(stream);
    }
    return ntohs(address.sin_port);
}

static void
write_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* It does not outlive a test that fails. */
static void
end_with_parent(void *data G_GNUC_UNUSED)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static GPid
start_nsd(const char *program, const char *directory, unsigned port)
{
    g_autofree char *text =
        g_strdup_printf(configuration, port, directory, directory, directory,
                        directory, directory);
    write_file(directory, "signed", signed_zone);
    write_file(directory, "unsigned", unsigned_zone);
    write_file(directory, "nsd.conf", text);
    g_autofree char *path = g_build_filename(directory, "nsd.conf", NULL);
    const char *const arguments[] = {program, "-d", "-c", path, NULL};
    g_autoptr(GError) error = NULL;
    GPid pid;
    g_spawn_async(NULL, (char **)arguments, NULL,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL
                      | G_SPAWN_STDERR_TO_DEV_NULL,
                  end_with_parent, NULL, &pid, &error);
    g_assert_no_error(error);
    return pid;
}

static void
start_dns(unsigned port)
{
    g_autofree char *address = g_strdup_printf("127.0.0.1@%u", port);
    const char *forward[] = {address, NULL};
    const FilterdFile file = {"anchor", anchor, sizeof anchor - 1};
    const DnsConfig config = {.forward = forward,
                              .anchors = &file,
                              .n_anchors = 1,
                              .timeout = TIMEOUT};
    g_autoptr(GError) error = NULL;
    loop_init();
    dns_init(&config, &error);
    g_assert_no_error(error);
}

static void
stop_dns(void)
{
    dns_clear();
    fiber_pool_clear();
    loop_clear();
}

typedef struct Ask {
    const char *name;
    FilterdDnsAnswer answer;
} Ask;

static void
ask_in_fiber(void *data)
{
    Ask *ask = data;
    DnsBudget budget;
    dns_budget_init(&budget, TIMEOUT);
    ask->answer = *dns_query(&budget, ask->name, FILTERD_DNS_A);
    dns_budget_clear(&budget);
}

static FilterdDnsAnswer
ask(const char *name)
{
    Ask question = {.name = name};
    support_run(ask_in_fiber, &question);
    return question.answer;
}

/* Until it answers, or has ended; a context of its own for each attempt, as
 * failures are remembered. */
static gboolean
wait_for_nsd(GPid pid, unsigned port)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        g_usleep(50000);
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return FALSE;
        start_dns(port);
        FilterdDnsStatus status = ask("www.unsigned.example").status;
        stop_dns();
        if (status == FILTERD_DNS_ANSWER)
            return TRUE;
    }
    return FALSE;
}

/* Somebody else may have taken the port meanwhile. */
static GPid
start_answering_nsd(const char *program, const char *directory, unsigned *port)
{
    for (int i = 0; i < STARTS; i++) {
        *port = free_port();
        GPid pid = start_nsd(program, directory, *port);
        if (wait_for_nsd(pid, *port))
            return pid;
    }
    g_assert_not_reached();
}

static void
test_dnssec(void)
{
    static const struct {
        const char *name;
        FilterdDnsStatus status;
        gboolean secure;
    } cases[] = {
        {"good.signed.example", FILTERD_DNS_ANSWER, TRUE},
        {"forged.signed.example", FILTERD_DNS_BOGUS, FALSE},
        {"forged.signed.example", FILTERD_DNS_BOGUS, FALSE},
        {"www.unsigned.example", FILTERD_DNS_ANSWER, FALSE},
        /* The proof is missing. */
        {"nowhere.signed.example", FILTERD_DNS_BOGUS, FALSE},
        {"nowhere.unsigned.example", FILTERD_DNS_NXDOMAIN, FALSE},
    };
    g_autofree char *program = g_find_program_in_path("nsd");
    if (program == NULL) {
        g_test_skip("NSD is not installed");
        return;
    }
    char *directory = support_directory_new();
    unsigned port;
    GPid pid = start_answering_nsd(program, directory, &port);
    start_dns(port);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        FilterdDnsAnswer answer = ask(cases[i].name);
        g_test_message("%s", cases[i].name);
        g_assert_cmpint(answer.status, ==, cases[i].status);
        g_assert_cmpint(answer.secure, ==, cases[i].secure);
    }
    stop_dns();
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    support_directory_free(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
    metrics_init(1);
    metrics_use_row(0);
    g_test_add_func("/service/dnssec/tells-secure-from-forged-from-unsigned",
                    test_dnssec);
    return g_test_run();
}
