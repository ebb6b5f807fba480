/* table.c: tables that lie are refused with words, whatever they point to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/table.h"

#include "filterd/host/canary.h"
#include "filterd/host/loader.h"
#include "filterd/host/probe.h"

#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define NOWHERE ((void *)(guintptr)16)

typedef struct Config {
    int64_t number;
} Config;

static const char *const no_words[] = {NULL};

static const FilterdFact
    typeless[] = {{"a", FILTERD_UNKNOWN}, {NULL}},
    beyond_types[] = {{"a", (FilterdType)99}, {NULL}},
    wordless[] = {{"a", FILTERD_WORD, FILTERD_MAIL, NULL, no_words}, {NULL}},
    lost_words[] = {{"a", FILTERD_WORD, FILTERD_MAIL, NULL, NOWHERE}, {NULL}},
    stageless[] = {{"a", FILTERD_INT, (FilterdStage)77}, {NULL}},
    too_early[] = {{"late", FILTERD_INT, FILTERD_MAIL},
                   {"early", FILTERD_INT, FILTERD_HELO},
                   {NULL}},
    hookless[] = {{"late", FILTERD_INT, FILTERD_MESSAGE}, {NULL}},
    mixed[] = {{"a", FILTERD_LIST, FILTERD_MAIL}, {NULL}},
    twice[] = {{"a", FILTERD_INT}, {"a", FILTERD_INT}, {NULL}},
    nameless[] = {{"", FILTERD_INT}, {NULL}},
    spaced[] = {{"a b", FILTERD_INT}, {NULL}},
    astray[] = {{NOWHERE, FILTERD_INT}, {NULL}},
    undocumented[] = {{"a", FILTERD_INT, FILTERD_MAIL, NOWHERE}, {NULL}};
static bool
hook(FilterdCall *call, GError **error)
{
    (void)call;
    (void)error;
    return true;
}

static const FilterdOption behind[] = {{"a", FILTERD_INT, 0, sizeof(Config)},
                                       {NULL}},
                           across[] = {{"a", FILTERD_INT, 0, 4}, {NULL}},
                           many[] = {{"a", FILTERD_INT, FILTERD_MANY, 0},
                                     {NULL}},
                           around[] = {{"a", FILTERD_INT, 0, G_MAXSIZE - 3},
                                       {NULL}},
                           list[] = {{"a", FILTERD_LIST, 0, 0}, {NULL}},
                           inner[] = {{"b", FILTERD_INT, 0, 8}, {NULL}},
                           group[] = {{"a", FILTERD_GROUP, FILTERD_MANY, 0,
                                       NULL, NULL, NULL, inner, 8},
                                      {NULL}},
                           nest[] = {{"a", FILTERD_GROUP, FILTERD_MANY, 0, NULL,
                                      NULL, NULL, group, 16},
                                     {NULL}};
static const FilterdNeed untyped_need[] = {{"client.ip", FILTERD_GROUP},
                                           {NULL}};
static const FilterdMethod lost_fact[] = {{"spf", 3}, {NULL}};
static const FilterdType endless[TABLE_ROWS_LIMIT + 2] = {
    [0 ... TABLE_ROWS_LIMIT + 1] = FILTERD_TEXT};

static bool
act(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    (void)call;
    (void)arguments;
    (void)error;
    return true;
}

static const FilterdAction chatty[] = {{"a", NULL, endless, act}, {NULL}},
                           empty[] = {{"a", NULL, endless}, {NULL}};
static const FilterdMetric undoc[] = {{"a", NOWHERE}, {NULL}};

#define TABLE(...)                                                         \
    {                                                                      \
        .abi = FILTERD_ABI, .size = sizeof(FilterdPlugin), .name = "liar", \
        .version = "1", __VA_ARGS__                                        \
    }

static const struct Lie {
    const char *name;
    const char *part; /* of the error */
    FilterdPlugin plugin;
} lies[] = {
    {"a-fact-without-a-type", "no such type for fact “a”",
     TABLE(.facts = typeless)},
    {"a-fact-of-a-type-that-is-none", "no such type for fact “a”",
     TABLE(.facts = beyond_types)},
    {"a-word-without-words", "no words for fact", TABLE(.facts = wordless)},
    {"words-that-are-nowhere", "no words for fact", TABLE(.facts = lost_words)},
    {"no-such-stage", "no such stage", TABLE(.facts = stageless)},
    {"a-fact-of-a-stage-without-hook", "no hook of its stage for fact “early”",
     TABLE(.facts = too_early, .mail = hook, .rcpt = hook)},
    {"facts-without-any-hook", "no hook of its stage for fact “late”",
     TABLE(.facts = hookless, .start = hook)},
    {"a-list-of-nothing", "type of items", TABLE(.facts = mixed)},
    {"a-row-twice", "two rows for fact “a”", TABLE(.facts = twice)},
    {"an-empty-name", "in its table of facts is no name: one is",
     TABLE(.facts = nameless)},
    {"a-name-with-a-blank", "in its table of facts is no name: one is",
     TABLE(.facts = spaced)},
    {"a-name-that-is-nowhere", "its table of facts has no row that ends it, or",
     TABLE(.facts = astray)},
    {"a-doc-that-is-nowhere", "a doc without end",
     TABLE(.facts = undocumented)},
    {"rows-that-are-nowhere", "its table of facts has no row that ends it, or",
     TABLE(.facts = NOWHERE)},
    {"an-offset-behind-the-config", "offset outside",
     TABLE(.options = behind, .config_size = sizeof(Config))},
    {"an-option-across-the-end", "offset outside",
     TABLE(.options = across, .config_size = sizeof(Config))},
    {"an-array-needs-more-room", "offset outside",
     TABLE(.options = many, .config_size = sizeof(Config))},
    {"an-offset-that-wraps", "offset outside",
     TABLE(.options = around, .config_size = sizeof(Config))},
    {"an-option-that-is-a-list", "no such type for option",
     TABLE(.options = list, .config_size = sizeof(Config))},
    {"an-item-behind-its-group", "offset outside",
     TABLE(.options = group, .config_size = 64)},
    {"a-group-within-a-group", "a group within",
     TABLE(.options = nest, .config_size = 64)},
    {"a-config-of-a-gigabyte", "more than 1 MiB “config_size”",
     TABLE(.config_size = 1 << 30)},
    {"a-state-without-end", "more than 1 MiB “session_size”",
     TABLE(.session_size = G_MAXSIZE)},
    {"a-need-of-no-type", "for need “client.ip”", TABLE(.needs = untyped_need)},
    {"a-method-of-no-fact", "no such fact for method “spf”",
     TABLE(.methods = lost_fact)},
    {"arguments-without-end", "nothing behind action",
     TABLE(.actions = chatty)},
    {"an-action-without-function", "nothing behind action",
     TABLE(.actions = empty)},
    {"a-metric-without-doc", "no doc for metric", TABLE(.metrics = undoc)},
    {"a-description-that-is-nowhere", "a text without end",
     TABLE(.description = NOWHERE)},
    {"a-size-beyond-ours",
     "its table of 65536 octets",
     {.abi = FILTERD_ABI, .size = 65536, .name = "liar", .version = "1"}},
    {"a-size-below-the-first",
     "its table of 8 octets",
     {.abi = FILTERD_ABI, .size = 8, .name = "liar", .version = "1"}},
    {"no-name",
     "no name or version",
     {.abi = FILTERD_ABI, .size = sizeof(FilterdPlugin), .version = "1"}},
    {"a-name-without-end",
     "no name or version",
     {.abi = FILTERD_ABI,
      .size = sizeof(FilterdPlugin),
      .name = NOWHERE,
      .version = "1"}},
};

static void
test_lie(const void *data)
{
    const struct Lie *lie = data;
    g_autoptr(GError) error = NULL;
    g_assert_false(loader_check(&lie->plugin, &error));
    if (strstr(error->message, lie->part) == NULL)
        g_error("“%s” is not in “%s”", lie->part, error->message);
}

/* Two pages, of which the second is not there. */
static char *
cliff_new(void)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(pages != MAP_FAILED);
    g_assert_cmpint(mprotect(pages + PAGE, PAGE, PROT_NONE), ==, 0);
    return pages;
}

static void
test_no_end(void)
{
    const FilterdFact row = {"a", FILTERD_INT, FILTERD_MAIL};
    g_autoptr(GError) error = NULL;
    char *pages = cliff_new();
    char *rows = memcpy(pages + PAGE - sizeof row, &row, sizeof row);
    FilterdPlugin plugin = TABLE(.facts = (const void *)rows);
    g_assert_false(loader_check(&plugin, &error));
    g_assert_nonnull(strstr(error->message,
                            "its table of facts has no row that ends it, or"));
    munmap(pages, 2 * PAGE);
}

static void
test_probe(void)
{
    char *pages = cliff_new();
    char copy[8];
    memset(pages, 'x', PAGE);
    g_assert_true(probe_read(pages + PAGE - 8, copy, 8));
    g_assert_false(probe_read(pages + PAGE - 7, copy, 8));
    g_assert_false(probe_text(pages + PAGE - 8, 100));
    g_assert_false(probe_text(pages, 100));
    pages[PAGE - 1] = '\0';
    g_assert_true(probe_text(pages + PAGE - 8, 8));
    g_assert_false(probe_text(pages + PAGE - 8, 7));
    g_assert_false(probe_text(NULL, 100));
    munmap(pages, 2 * PAGE);
}

static void
test_canary(void)
{
    const gsize sizes[] = {0, 1, 8, 1000};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (unsigned j = 0; j < CANARY_SIZE; j += 15) {
            guint8 *state = canary_new(sizes[i]);
            g_assert_true(canary_lives(state, sizes[i]));
            memset(state, 0xff, sizes[i]);
            g_assert_true(canary_lives(state, sizes[i]));
            state[sizes[i] + j] ^= 1;
            g_assert_false(canary_lives(state, sizes[i]));
            state[sizes[i] + j] ^= 1;
            canary_free(state, sizes[i]);
        }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autofree char *path =
            g_strconcat("/host/table/", lies[i].name, "-is-refused", NULL);
        g_test_add_data_func(path, &lies[i], test_lie);
    }
    g_test_add_func("/host/table/rows-without-an-end-are-refused", test_no_end);
    g_test_add_func("/host/probe/what-is-not-there-is-no-crash", test_probe);
    g_test_add_func("/host/canary/tells-who-wrote-behind-a-state", test_canary);
    return g_test_run();
}
