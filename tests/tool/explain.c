/* explain.c: pages of plugins that say little, or odd things.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include <string.h>

static const char *const sizes[] = {"small", "large", NULL};
static const FilterdOption group[] = {
    {.name = "what", .type = FILTERD_TEXT, .flags = FILTERD_POSITION},
    {.name = "size", .type = FILTERD_WORD, .words = sizes},
    {NULL},
};
static const FilterdOption options[] = {
    {.name = "bare", .type = FILTERD_INT},
    {.name = "many",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .group = group},
    {NULL},
};
static const FilterdFact facts[] = {
    {.name = "late", .type = FILTERD_BOOL, .since = FILTERD_MESSAGE},
    {.name = "soon",
     .type = FILTERD_LIST,
     .since = FILTERD_HELO,
     .items = FILTERD_IP,
     .doc = ".Sh EVIL\n'x \\fB is no request. Nor is `.Nm` one"},
    {NULL},
};
static const FilterdPlugin mute = {
    .name = "mute", .version = "1", .options = options, .facts = facts};
static const FilterdPlugin empty = {.name = "empty", .version = "1"};

static void
assert_part(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_error("no \"%s\" in \"%s\"", part, text);
}

static void
test_nothing_said(void)
{
    g_autofree char *text = explain_plugin(&explain_text, &mute);
    g_autofree char *none = explain_plugin(&explain_text, &empty);
    g_autofree char *json = explain_plugin_json(&mute);

    g_assert_cmpstr(none, ==, "empty: a plugin of filterd\n");
    assert_part(text, "\n  bare INT\n  many [WHAT] [size WORD]\n");
    assert_part(text, "\n      WHAT\n      size small | large\n");
    assert_part(json, "\"name\":\"bare\",\"type\":\"int\",\"default\":null,"
                      "\"doc\":null,");
}

static void
test_stages_in_order(void)
{
    g_autofree char *text = explain_plugin(&explain_text, &mute);
    const char *soon =
        strstr(text, "  From helo on\n  mute.soon  list of ip\n");

    g_assert_nonnull(soon);
    assert_part(soon, "  From message on\n  mute.late  bool\n");
}

static void
test_nothing_is_a_request(void)
{
    g_autofree char *page = explain_plugin(&explain_manual, &mute);

    assert_part(page, ".Dt FILTERD-MUTE 7\n.Os\n");
    assert_part(page, "\n\\&.Sh EVIL\n\\&'x \\efB is no request.\n"
                      "Nor is \\fB.Nm\\fR one\n");
    assert_part(page, "\n.It Cm \\&many Oo Ar what Oc Oo Cm \\&size Ar word "
                      "Oc\n");
    assert_part(page, "Oc\nMay be repeated.\n");
    g_assert_null(strstr(page, "\n\n"));
}

static void
test_all_of_them(void)
{
    g_autoptr(GPtrArray) plugins = g_ptr_array_new();
    g_ptr_array_add(plugins, (gpointer)&mute);
    g_ptr_array_add(plugins, (gpointer)&empty);
    g_autofree char *text = explain_overview(&explain_text, plugins, NULL);
    g_autofree char *json = explain_overview_json(plugins, NULL);

    assert_part(text, "PLUGINS\n  mute   a plugin of filterd\n  empty  ");
    g_assert_cmpstr(json, ==,
                    "{\"plugins\":[{\"plugin\":\"mute\",\"version\":\"1\","
                    "\"summary\":null},{\"plugin\":\"empty\","
                    "\"version\":\"1\",\"summary\":null}]}\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/explain/what-is-not-said-is-left-out", test_nothing_said);
    g_test_add_func("/explain/facts-stand-by-their-stage",
                    test_stages_in_order);
    g_test_add_func("/explain/no-text-is-a-request", test_nothing_is_a_request);
    g_test_add_func("/explain/an-overview-aligns-its-names", test_all_of_them);
    return g_test_run();
}
