/* faults.c: whatever fails while SPF waits, nobody is told a lie. (RFC 7208)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/check.h"
#include <filterd/harness.h>

#include <string.h>

static const SpfConfig config = {.lookup_limit = 10,
                                 .void_limit = 2,
                                 .explanation = true,
                                 .receiver = "mx.example.com"};

/* Each mechanism that asks, a redirect, an explanation. */
static const char zone[] =
    "example.org 300 TXT \"v=spf1 a mx:mail.example.org "
    "include:in.example.org exists:%{i}.%{l}.example.org ptr:example.org "
    "redirect=last.example.org\"\n"
    "example.org 300 A 192.0.2.1\n"
    "mail.example.org 300 MX 10 mx1.example.org\n"
    "mail.example.org 300 MX 20 mx2.example.org\n"
    "mx1.example.org 300 A 192.0.2.2\n"
    "mx2.example.org 300 A 192.0.2.3\n"
    "in.example.org 300 TXT \"v=spf1 ip4:192.0.2.4 a:mx1.example.org -all\"\n"
    "9.100.51.198.in-addr.arpa 300 PTR host.example.net\n"
    "host.example.net 300 A 198.51.100.9\n"
    "last.example.org 300 TXT \"v=spf1 exp=why.example.org -all\"\n"
    "why.example.org 300 TXT \"%{i} is no friend of %{o} (%{p})\"\n"
    "helo.example.net 300 TXT \"v=spf1 a -all\"\n"
    "helo.example.net 300 A 198.51.100.9\n";

static void
prepare(Harness *harness, void *client)
{
    harness_zone(harness, zone);
    harness_set(harness, "client.ip", client);
    harness_set(harness, "helo.name", "helo.example.net");
    harness_set(harness, "mail.from", "joe@example.org");
    harness_set(harness, "mail.local", "joe");
    harness_set(harness, "mail.domain", "example.org");
}

static void
play(Harness *harness, void *client)
{
    (void)client;
    harness_run(harness, FILTERD_HELO);
    harness_run(harness, FILTERD_MAIL);
}

/* What is beside the result may tell of the failure. A fail without its
 * explanation is a fail (6.2), and who has no name has no policy. */
static bool
allows(const HarnessTrial *trial, const char *what, const char *whole,
       const char *now)
{
    (void)whole;
    if (g_str_has_prefix(trial->at, "lookup ") && strcmp(now, "none") == 0)
        return true;
    return strcmp(what, "problem") == 0 || strcmp(what, "helo-problem") == 0
           || strcmp(what, "lookups") == 0
           || (strcmp(what, "explanation") == 0
               && trial->fault != HARNESS_CANCELLED);
}

static void
test_no_lie(gconstpointer client)
{
    const HarnessScene scene = {.least = 20,
                                .prepare = prepare,
                                .play = play,
                                .allows = allows,
                                .data = (void *)client};

    harness_explore(&filterd_plugin, &config, &scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/spf/faults/of-a-stranger", "198.51.100.9",
                         test_no_lie);
    g_test_add_data_func("/spf/faults/of-the-second-mx", "192.0.2.3",
                         test_no_lie);
    g_test_add_data_func("/spf/faults/of-an-included-address", "192.0.2.4",
                         test_no_lie);
    return g_test_run();
}
