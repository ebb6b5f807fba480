/* fixture.c: the signed messages, and a harness with the keys in its zone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dkim/fixture.h"

const Config fixture_config = {
    .signatures = 10,
    .minimum_key_bits = 1024,
    .partial_body = PARTIAL_REFUSE,
    .clock_drift = 300000,
};

static char *
read_file(const char *name)
{
    char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, name, NULL);
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

char *
fixture_message(const char *name)
{
    g_autofree char *path = g_strdup_printf("messages/%s.eml", name);
    return read_file(path);
}

Harness *
fixture_harness(const Config *config)
{
    Harness *harness = harness_new(&filterd_plugin, config);
    g_autofree char *zone = read_file("zone");
    harness_zone(harness, zone);
    return harness;
}

Harness *
fixture_judge(const char *name, const Config *config, size_t chunk)
{
    Harness *harness = fixture_harness(config);
    g_autofree char *text = fixture_message(name);
    harness_message(harness, text, chunk);
    return harness;
}
