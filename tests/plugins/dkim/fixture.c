/* fixture.c: the signed messages, and a harness with the keys in its zone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dkim/fixture.h"

#include <string.h>

const Config fixture_config = {
    .signatures = 10,
    .minimum_key_bits = 1024,
    .partial_body = PARTIAL_REFUSE,
    .clock_drift = 300000,
};

const char *const fixture_names[] = {
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "X-Signed", NULL};
const char *const fixture_oversigned[] = {"From", "Subject", "Cc", "Message-ID",
                                          NULL};

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

/* ---- signing ------------------------------------------------------------ */

KeyOption
fixture_key(const char *selector, const char *name)
{
    g_autofree char *path = g_strdup_printf("keys/%s", name);
    g_autofree char *owned = read_file(path);
    const char *text = g_intern_string(owned);
    return (KeyOption){.domain = "example.org",
                       .selector = selector,
                       .file = {name, text, strlen(text)}};
}

static FilterdArray
array_of(const char *const *texts)
{
    return (FilterdArray){texts, g_strv_length((char **)texts)};
}

Config
fixture_signing(const KeyOption *keys, size_t length)
{
    Config config = fixture_config;
    config.keys = (FilterdArray){keys, length};
    config.sign_headers = array_of(fixture_names);
    config.oversign = array_of(fixture_oversigned);
    config.canonicalization = CANON_HEADER_RELAXED | CANON_BODY_RELAXED;
    return config;
}

/* As the host puts it there. */
static void
put_on_top(GString *message, const char *line)
{
    g_assert_true(g_str_has_prefix(line, "add-header "));
    g_autoptr(GString) field = g_string_new(line + strlen("add-header "));
    g_string_replace(field, "\\n", "\r\n", 0);
    g_string_append(field, "\r\n");
    g_string_prepend(message, field->str);
}

static GString *
with_crlf(const char *text)
{
    GString *out = g_string_sized_new(strlen(text));
    for (; *text != '\0'; text++) {
        if (*text == '\n' && (out->len == 0 || out->str[out->len - 1] != '\r'))
            g_string_append_c(out, '\r');
        g_string_append_c(out, *text);
    }
    return out;
}

char *
fixture_signed(Harness *harness, const char *text, size_t chunk)
{
    GString *message = with_crlf(text);
    g_assert_true(harness_sign(harness, message->str, chunk));
    g_auto(GStrv) lines = g_strsplit(harness_edits(harness), "\n", -1);
    for (char **line = lines; *line != NULL && **line != '\0'; line++)
        put_on_top(message, *line);
    return g_string_free(message, FALSE);
}
