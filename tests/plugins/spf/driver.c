/* driver.c: one line per question on standard input, one per result on standard
 * output: how the conformance script talks to the plugin.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *   zone NAME TTL TYPE DATA     timeout TYPE NAME     servfail TYPE NAME
 *   set FACT VALUE              reset (an empty world)
 *   check                       questions
 *
 * "check" answers with result, explanation, mechanism, lookups, problem and the
 * result for the HELO name, "questions" with "TYPE NAME", all parted by tabs.
 */
#include "plugins/spf/check.h"
#include <filterd/harness.h>

#include <stdio.h>
#include <string.h>

#define LINE_LIMIT (1 << 20)

static const SpfConfig config = {.lookup_limit = 10,
                                 .void_limit = 2,
                                 .explanation = true,
                                 .receiver = "receiver.example"};

static const struct {
    const char *name;
    FilterdDnsType type;
} types[] = {
    {"ANY", 0},
    {"A", FILTERD_DNS_A},
    {"AAAA", FILTERD_DNS_AAAA},
    {"MX", FILTERD_DNS_MX},
    {"PTR", FILTERD_DNS_PTR},
    {"TXT", FILTERD_DNS_TXT},
};

static void
set_status(Harness *harness, const char *arguments, FilterdDnsStatus status)
{
    g_auto(GStrv) words = g_strsplit(arguments, " ", 2);
    g_assert(g_strv_length(words) == 2);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, words[0]) == 0)
            harness_dns_status(harness, words[1], types[i].type, status);
}

static void
set_fact(Harness *harness, const char *arguments)
{
    g_auto(GStrv) words = g_strsplit(arguments, " ", 2);
    g_assert(g_strv_length(words) == 2);
    harness_set(harness, words[0], words[1]);
}

static void
print_result(Harness *harness)
{
    static const char *const facts[] = {"result",  "explanation", "mechanism",
                                        "lookups", "problem",     "helo"};
    harness_run(harness, FILTERD_HELO);
    harness_run(harness, FILTERD_MAIL);
    for (gsize i = 0; i < G_N_ELEMENTS(facts); i++)
        printf("%s%s", i ? "\t" : "", harness_fact(harness, facts[i]));
    printf("\n");
    fflush(stdout);
}

static void
print_questions(Harness *harness)
{
    g_autofree char *line = g_strdup(harness_questions(harness));
    g_strchomp(line);
    printf("%s\n", g_strdelimit(line, "\n", '\t'));
    fflush(stdout);
}

static Harness *
obey(Harness *harness, const char *line)
{
    if (g_str_has_prefix(line, "zone "))
        harness_zone(harness, line + 5);
    else if (g_str_has_prefix(line, "timeout "))
        set_status(harness, line + 8, FILTERD_DNS_TIMEOUT);
    else if (g_str_has_prefix(line, "servfail "))
        set_status(harness, line + 9, FILTERD_DNS_SERVFAIL);
    else if (g_str_has_prefix(line, "set "))
        set_fact(harness, line + 4);
    else if (strcmp(line, "check") == 0)
        print_result(harness);
    else if (strcmp(line, "questions") == 0)
        print_questions(harness);
    else if (strcmp(line, "reset") == 0) {
        harness_free(harness);
        return harness_new(&filterd_plugin, &config);
    } else
        g_error("what is \"%s\"?", line);
    return harness;
}

int
main(void)
{
    g_autofree char *line = g_malloc(LINE_LIMIT);
    Harness *harness = harness_new(&filterd_plugin, &config);
    while (fgets(line, LINE_LIMIT, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        harness = obey(harness, line);
    }
    harness_free(harness);
    return 0;
}
