/* test.c: what the plugin says of domains, and that no failure makes it lie.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <filterd/harness.h>

static const char zone[] = "mx.example 300 MX 10 mail.mx.example\n"
                           "null.example 300 MX 0 .\n"
                           "v4.example 300 A 192.0.2.1\n"
                           "v6.example 300 AAAA 2001:db8::1\n"
                           "text.example 300 TXT \"no mail here\"\n";

static const Config by_default = {.address = true};
static const Config strict = {.address = false};

static const struct {
    const char *domain; /* NULL: the null reverse-path */
    const char *takes, *strictly;
} rows[] = {
    {"mx.example", "mx", "mx"},
    {"null.example", "null", "null"},
    {"v4.example", "address", "none"},
    {"v6.example", "address", "none"},
    {"text.example", "none", "none"},
    {"nobody.example", "none", "none"},
    {"not a name..example", "none", "none"},
    {NULL, "-", "-"},
};

static void
check(const Config *config, const char *domain, const char *expected)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, config);

    harness_zone(harness, zone);
    harness_set(harness, "mail.domain", domain);
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "takes"), ==, expected);
}

static void
test_rows(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        check(&by_default, rows[i].domain, rows[i].takes);
        check(&strict, rows[i].domain, rows[i].strictly);
    }
}

/* ---- each fault at each wait -------------------------------------------- */

static void
prepare(Harness *harness, void *domain)
{
    harness_zone(harness, zone);
    harness_set(harness, "mail.domain", domain);
}

static void
play(Harness *harness, void *domain)
{
    (void)domain;
    harness_run(harness, FILTERD_MAIL);
}

static void
test_faults(gconstpointer domain)
{
    const HarnessScene scene = {
        .prepare = prepare, .play = play, .data = (void *)domain, .least = 8};

    harness_explore(&filterd_plugin, &by_default, &scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/@NAME@/takes", test_rows);
    g_test_add_data_func("/@NAME@/faults/mx", "mx.example", test_faults);
    g_test_add_data_func("/@NAME@/faults/address", "v6.example", test_faults);
    g_test_add_data_func("/@NAME@/faults/none", "nobody.example", test_faults);
    return g_test_run();
}
