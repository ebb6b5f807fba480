/* fixture.c: the sealed messages, and a harness with the keys in its zone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/arc/fixture.h"

const Config fixture_config = {
    .instances = 50,
    .minimum_key_bits = 1024,
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

char *
fixture_zone(void)
{
    return read_file("zone");
}

Harness *
fixture_harness(const Config *config)
{
    Harness *harness = harness_new(&filterd_plugin, config);
    g_autofree char *zone = fixture_zone();
    harness_zone(harness, zone);
    harness_set(harness, "client.ip", "192.0.2.1");
    return harness;
}

static char *
edit(const char *text, const char *from, const char *to)
{
    g_auto(GStrv) parts = g_strsplit(text, from, 2);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    return g_strjoinv(to, parts);
}

Harness *
fixture_judge(const char *name, const char *from, const char *to)
{
    Harness *harness = fixture_harness(&fixture_config);
    g_autofree char *text = fixture_message(name);
    g_autofree char *edited = from != NULL ? edit(text, from, to) : NULL;
    harness_message(harness, edited != NULL ? edited : text, 0);
    return harness;
}
