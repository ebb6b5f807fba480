/* world.c: files, plugins and facts that are not there, for tests of policies.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

#include "filterd/base/ip.h"

#include <string.h>

/* ---- files ---- */

static GHashTable *files;
static unsigned reads;

void
world_clear(void)
{
    g_clear_pointer(&files, g_hash_table_unref);
    reads = 0;
}

void
world_file(const char *path, const char *text)
{
    if (files == NULL)
        files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(files, g_strdup(path), g_strdup(text));
}

unsigned
world_reads(void)
{
    return reads;
}

static GBytes *
read_file(G_GNUC_UNUSED void *data, const char *path, GError **error)
{
    const char *text = files ? g_hash_table_lookup(files, path) : NULL;

    reads++;
    if (text != NULL)
        return g_bytes_new(text, strlen(text));
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                        "no such file");
    return NULL;
}

/* ---- facts ---- */

#define WORDS(...)                 \
    .words = (const char *const[]) \
    {                              \
        __VA_ARGS__, NULL          \
    }
#define FACT(word, kind, stage, ...)                                    \
    {                                                                   \
        .name = word, .type = FILTERD_##kind, .since = FILTERD_##stage, \
        .doc = "", __VA_ARGS__                                          \
    }
#define LIST_OF(kind) .items = FILTERD_##kind

static const FilterdFact core_facts[] = {
    FACT("client.ip", IP, CONNECT),
    FACT("client.port", INT, CONNECT),
    FACT("client.name", DOMAIN, CONNECT),
    FACT("client.fcrdns", BOOL, CONNECT),
    FACT("client.early-talker", BOOL, CONNECT),
    FACT("client.tls", BOOL, CONNECT),
    FACT("score", INT, CONNECT),
    FACT("helo.name", TEXT, HELO),
    FACT("mail.from", ADDRESS, MAIL),
    FACT("mail.domain", DOMAIN, MAIL),
    FACT("mail.local", TEXT, MAIL),
    FACT("mail.size", INT, MAIL),
    FACT("auth.user", TEXT, MAIL),
    FACT("rcpt.to", ADDRESS, RCPT),
    FACT("rcpt.domain", DOMAIN, RCPT),
    FACT("rcpt.local", TEXT, RCPT),
    FACT("rcpt.count", INT, RCPT),
    FACT("message.size", INT, MESSAGE),
    FACT("message.id", TEXT, MESSAGE),
    FACT("header.from.domain", DOMAIN, MESSAGE),
    FACT("header.from.address", ADDRESS, MESSAGE),
    FACT("header.from.problem", WORD, MESSAGE,
         WORDS("none", "missing", "repeated", "multiple", "malformed")),
    {0},
};

#define SPF_WORDS                                                     \
    WORDS("none", "neutral", "pass", "fail", "softfail", "temperror", \
          "permerror")
#define DMARC_WORDS WORDS("none", "quarantine", "reject")

static const FilterdFact spf_facts[] = {
    FACT("result", WORD, MAIL, SPF_WORDS),
    FACT("domain", DOMAIN, MAIL),
    FACT("explanation", TEXT, MAIL),
    FACT("helo", WORD, HELO, SPF_WORDS),
    {0},
};

static const FilterdFact dkim_facts[] = {
    FACT("result", WORD, MESSAGE,
         WORDS("none", "pass", "fail", "policy", "neutral", "temperror",
               "permerror")),
    FACT("results", LIST, MESSAGE, LIST_OF(TEXT)),
    FACT("domains", LIST, MESSAGE, LIST_OF(DOMAIN)),
    {0},
};

static const FilterdFact dmarc_facts[] = {
    FACT("result", WORD, MESSAGE,
         WORDS("none", "pass", "fail", "temperror", "permerror")),
    FACT("policy", WORD, MESSAGE, DMARC_WORDS),
    FACT("disposition", WORD, MESSAGE, DMARC_WORDS),
    FACT("domain", DOMAIN, MESSAGE),
    FACT("organization", DOMAIN, MESSAGE),
    {0},
};

static const FilterdFact dnsbl_facts[] = {
    FACT("score", INT, CONNECT),
    FACT("listed", BOOL, CONNECT),
    FACT("zones", LIST, CONNECT, LIST_OF(TEXT)),
    FACT("reason", TEXT, CONNECT),
    {0},
};

static const FilterdFact greylist_facts[] = {
    FACT("state", WORD, RCPT, WORDS("new", "early", "passed", "known"),
         .flags = FILTERD_EFFECT),
    FACT("wait", DURATION, RCPT, .flags = FILTERD_EFFECT),
    {0},
};

static const FilterdFact probe_facts[] = {
    FACT("yes", BOOL, CONNECT),
    FACT("ips", LIST, CONNECT, LIST_OF(IP)),
    FACT("wait", DURATION, CONNECT),
    {0},
};

/* ---- actions ---- */

static const FilterdType two_texts[] = {FILTERD_TEXT, FILTERD_TEXT,
                                        FILTERD_UNKNOWN};
static const FilterdType one_text[] = {FILTERD_TEXT, FILTERD_UNKNOWN};
static const FilterdType one_address[] = {FILTERD_ADDRESS, FILTERD_UNKNOWN};
static const FilterdType nothing[] = {FILTERD_UNKNOWN};
static const FilterdType everything[] = {FILTERD_INT,  FILTERD_DURATION,
                                         FILTERD_BOOL, FILTERD_IP,
                                         FILTERD_LIST, FILTERD_UNKNOWN};

static const FilterdAction core_actions[] = {
    {"add-header", "", two_texts},
    {"change-header", "", two_texts},
    {"remove-header", "", one_text},
    {"set-sender", "", one_address},
    {"add-recipient", "", one_address},
    {"remove-recipient", "", one_address},
    {0},
};

static const FilterdAction probe_actions[] = {
    {"act", "", everything},
    {"sign", "", nothing},
    {"sign", "", two_texts},
    {0},
};

/* ---- options ---- */

#define AT(Struct, word, kind, field, ...)                        \
    {                                                             \
        .name = word, .type = FILTERD_##kind,                     \
        .offset = offsetof(Struct, field), .doc = "", __VA_ARGS__ \
    }
#define PROBE(...) AT(ProbeConfig, __VA_ARGS__)

static const FilterdOption item_options[] = {
    AT(ProbeItem, "NAME", DOMAIN, name,
       .flags = FILTERD_POSITION | FILTERD_REQUIRED),
    AT(ProbeItem, "ANSWER", IP, answers,
       .flags = FILTERD_POSITION | FILTERD_MANY),
    AT(ProbeItem, "weight", INT, weight, .fallback = "1", .low = -9,
       .high = 99),
    {0},
};

static const FilterdOption probe_options[] = {
    PROBE("flag", BOOL, flag, .fallback = "on"),
    PROBE("count", INT, count, .fallback = "10k", .low = 1, .high = 100000),
    PROBE("delay", DURATION, delay, .fallback = "5m", .low = 1000,
          .high = 86400000),
    PROBE("text", TEXT, text, .fallback = "\"two words\""),
    PROBE("word", WORD, word, .fallback = "blue",
          WORDS("red", "green", "blue")),
    PROBE("domain", DOMAIN, domain),
    PROBE("address", ADDRESS, address),
    PROBE("network", IP, network, .fallback = "192.0.2.0/24"),
    PROBE("file", FILE, file),
    PROBE("networks", IP, networks, .flags = FILTERD_MANY,
          .fallback = "192.0.2.1 2001:db8::/32"),
    PROBE("names", TEXT, names, .flags = FILTERD_MANY),
    PROBE("zone", GROUP, zones, .flags = FILTERD_MANY, .group = item_options,
          .size = sizeof(ProbeItem)),
    {0},
};

typedef struct GreylistConfig {
    int64_t delay, window, lifetime;
} GreylistConfig;

static const FilterdOption greylist_options[] = {
    AT(GreylistConfig, "delay", DURATION, delay, .fallback = "5m"),
    AT(GreylistConfig, "window", DURATION, window, .fallback = "1d"),
    AT(GreylistConfig, "lifetime", DURATION, lifetime, .fallback = "36d"),
    {0},
};

static const FilterdOption dnsbl_options[] = {
    AT(ProbeConfig, "zone", GROUP, zones, .flags = FILTERD_MANY,
       .group = item_options, .size = sizeof(ProbeItem)),
    {0},
};

static const FilterdOption strict_options[] = {
    AT(ProbeConfig, "needed", TEXT, needed, .flags = FILTERD_REQUIRED),
    {0},
};

/* ---- plugins ---- */

static const FilterdNeed dmarc_needs[] = {
    {"header.from.domain", FILTERD_DOMAIN},
    {"spf.result?", FILTERD_WORD},
    {0},
};

static const FilterdNeed needy_needs[] = {
    {"spf.result", FILTERD_WORD},
    {0},
};

#define PLUGIN(word, ...)                                                \
    {                                                                    \
        .abi = FILTERD_ABI, .size = sizeof(FilterdPlugin), .name = word, \
        .version = "1", .summary = "", __VA_ARGS__                       \
    }

/* ---- a plugin that has what its options say ----------------------------- */

typedef struct NamedConfig {
    FilterdArray facts;  /* const char * */
    FilterdArray values; /* const char * */
    const FilterdFact *made;
    FilterdArray after; /* const char *, facts that its own come after */
} NamedConfig;

static const FilterdOption named_options[] = {
    {"fact", FILTERD_TEXT, FILTERD_MANY, offsetof(NamedConfig, facts)},
    {"value", FILTERD_TEXT, FILTERD_MANY, offsetof(NamedConfig, values)},
    {"after", FILTERD_TEXT, FILTERD_MANY, offsetof(NamedConfig, after)},
    {NULL},
};

static const FilterdNeed named_needs[] = {{"client.ip"}, {NULL}};

/* Values have to be durations, as many as there are facts. */
static bool
named_parse(FilterdDescribe *describe, const NamedConfig *config,
            GError **error)
{
    const char *const *texts = config->values.items;
    FilterdValue value;

    for (gsize i = 0; i < config->values.length; i++) {
        describe->blame(describe, "value", i);
        if (!describe->parse(describe, FILTERD_DURATION, texts[i], &value,
                             error))
            return false;
        g_assert_cmpint(value.type, ==, FILTERD_DURATION);
    }
    return true;
}

/* The stage when all of them are known. */
static bool
named_stage(FilterdDescribe *describe, const NamedConfig *config,
            FilterdStage *stage, GError **error)
{
    const char *const *names = config->after.items;

    for (gsize i = 0; i < config->after.length; i++) {
        const FilterdFact *fact = describe->fact(describe, names[i]);

        describe->blame(describe, "after", i);
        if (fact == NULL) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "there is no `%s`\nlook above", names[i]);
            return false;
        }
        *stage = MAX(*stage, fact->since);
    }
    return true;
}

static bool
named_describe(FilterdDescribe *describe, FilterdPlugin *table, GError **error)
{
    NamedConfig *config = describe->config;
    const char *const *names = config->facts.items;
    FilterdFact *facts = describe->allocate(describe, (config->facts.length + 1)
                                                          * sizeof *facts);

    FilterdStage stage = FILTERD_MAIL;

    if (!named_stage(describe, config, &stage, error))
        return false;
    for (gsize i = 0; i < config->facts.length; i++)
        facts[i] = (FilterdFact){names[i], FILTERD_BOOL, stage,
                                 .doc = describe->instance};
    config->made = table->facts = facts;
    table->needs = named_needs;
    return named_parse(describe, config, error);
}

static gboolean
check_table(const FilterdPlugin *plugin, GError **error)
{
    for (const FilterdFact *f = plugin->facts; f != NULL && f->name; f++)
        if (strcmp(f->name, "broken") == 0) {
            g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                                "a broken table");
            return FALSE;
        }
    return TRUE;
}

static const FilterdPlugin plugins[] = {
    PLUGIN("named", .options = named_options,
           .config_size = sizeof(NamedConfig), .describe = named_describe),
    PLUGIN("spf", .facts = spf_facts),
    PLUGIN("dkim", .facts = dkim_facts),
    PLUGIN("dmarc", .facts = dmarc_facts, .needs = dmarc_needs),
    PLUGIN("dnsbl", .facts = dnsbl_facts, .options = dnsbl_options,
           .config_size = sizeof(ProbeConfig)),
    PLUGIN("greylist", .facts = greylist_facts, .options = greylist_options,
           .config_size = sizeof(GreylistConfig)),
    PLUGIN("probe", .facts = probe_facts, .options = probe_options,
           .config_size = sizeof(ProbeConfig), .actions = probe_actions),
    PLUGIN("strict", .options = strict_options,
           .config_size = sizeof(ProbeConfig)),
    PLUGIN("needy", .needs = needy_needs),
};

static const FilterdPlugin *
find_plugin(G_GNUC_UNUSED void *data, const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(plugins); i++)
        if (strcmp(plugins[i].name, name) == 0)
            return &plugins[i];
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                        "no such plugin");
    return NULL;
}

const PolicyLoader world_loader = {.read = read_file,
                                   .plugin = find_plugin,
                                   .check = check_table,
                                   .core_facts = core_facts,
                                   .core_actions = core_actions};
const PolicyLoader world_skeleton = {
    .read = read_file, .core_facts = core_facts, .core_actions = core_actions};

char *
world_compile(const char *text, const PolicyLoader *loader,
              PolicyConfig **config)
{
    PolicyReport report;
    GString *notes = g_string_new(NULL);

    policy_report_init(&report);
    *config = policy_compile_text("t.conf", text, loader, &report);
    for (guint i = 0; i < report.notes->len; i++) {
        const PolicyNote *note = g_ptr_array_index(report.notes, i);

        if (strcmp(note->file, "t.conf") != 0)
            g_string_append_printf(notes, "%s:", note->file);
        g_string_append_printf(
            notes, "%u:%u: %s%s", note->line, note->column,
            note->severity == POLICY_WARNING ? "warning: " : "", note->message);
        if (note->hint != NULL)
            g_string_append_printf(notes, " | %s", note->hint);
        g_string_append_c(notes, '\n');
    }
    g_assert_cmpint(*config == NULL, ==, report.errors > 0);
    policy_report_clear(&report);
    return g_string_free(notes, FALSE);
}

PolicyConfig *
world_config(const char *text)
{
    PolicyConfig *config;
    g_autofree char *notes = world_compile(text, &world_loader, &config);

    g_assert_cmpstr(notes, ==, "");
    return config;
}

void
world_check(const WorldCase *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        PolicyConfig *config;
        g_autofree char *notes =
            world_compile(cases[i].text, &world_loader, &config);

        if (strcmp(notes, cases[i].notes) != 0)
            g_test_message("%s", cases[i].text);
        g_assert_cmpstr(notes, ==, cases[i].notes);
        g_clear_pointer(&config, policy_config_free);
    }
}

/* ---- judging ---- */

static GHashTable *values; /* FilterdValue by PolicyFact */
static GStringChunk *texts;
static GString *asked, *fired;

static void
parse_one(FilterdType type, const char *text, FilterdValue *value)
{
    const char *kept = g_string_chunk_insert(texts, text);

    if (type == FILTERD_IP) {
        value->type = type;
        g_assert_true(ip_parse(text, &value->ip));
    } else if (type == FILTERD_BOOL) {
        *value = filterd_bool(strcmp(text, "yes") == 0);
    } else if (type == FILTERD_INT || type == FILTERD_DURATION) {
        *value = filterd_int(g_ascii_strtoll(text, NULL, 10));
        value->type = type;
    } else {
        *value = filterd_string(type, kept);
    }
}

static void
parse_list(FilterdType type, const char *text, FilterdValue *value)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    gsize length = *text != '\0' ? g_strv_length(words) : 0;
    FilterdValue *items = g_new0(FilterdValue, length + 1);

    for (gsize i = 0; i < length; i++)
        parse_one(type, words[i], &items[i]);
    *value = filterd_list(items, length);
}

static void
value_free(gpointer data)
{
    FilterdValue *value = data;

    if (value->type == FILTERD_LIST)
        g_free((gpointer)value->list.items);
    g_free(value);
}

static void
forget(void)
{
    g_clear_pointer(&values, g_hash_table_unref);
    g_clear_pointer(&texts, g_string_chunk_free);
    if (asked != NULL)
        g_string_free(g_steal_pointer(&asked), TRUE);
    if (fired != NULL)
        g_string_free(g_steal_pointer(&fired), TRUE);
}

void
world_facts(const PolicyConfig *config, const char *text)
{
    g_auto(GStrv) pairs = g_strsplit(text, " ", -1);

    forget();
    if (config == NULL)
        return;
    values = g_hash_table_new_full(NULL, NULL, NULL, value_free);
    texts = g_string_chunk_new(256);
    asked = g_string_new(NULL);
    fired = g_string_new(NULL);
    for (gsize i = 0; pairs[i] != NULL && *pairs[i] != '\0'; i++) {
        char *sign = strchr(pairs[i], '=');
        FilterdValue *value = g_new0(FilterdValue, 1);

        *sign = '\0';
        const PolicyFact *fact = policy_fact_find(config, pairs[i]);
        g_assert_nonnull(fact);
        if (fact->row->type == FILTERD_LIST)
            parse_list(fact->row->items, sign + 1, value);
        else
            parse_one(fact->row->type, sign + 1, value);
        g_hash_table_insert(values, (gpointer)fact, value);
    }
}

static void
note(GString *out, const char *mark, const char *name)
{
    g_string_append_printf(out, "%s%s%s", out->len > 0 ? " " : "", mark, name);
}

static char *
take(GString *out)
{
    char *text = g_strdup(out->str);

    g_string_truncate(out, 0);
    return text;
}

char *
world_asked(void)
{
    return take(asked);
}

char *
world_fired(void)
{
    return take(fired);
}

static const FilterdValue *
get_fact(G_GNUC_UNUSED void *data, const PolicyFact *fact, gboolean shadow)
{
    static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};
    const FilterdValue *value = g_hash_table_lookup(values, fact);

    note(asked, shadow ? "~" : "", fact->name);
    return value != NULL ? value : &unknown;
}

static void
on_fired(G_GNUC_UNUSED void *data, const PolicyRule *rule,
         G_GNUC_UNUSED PolicyMode mode)
{
    note(fired, "", rule->name);
}

const PolicyClient world_client = {.fact = get_fact, .fired = on_fired};
