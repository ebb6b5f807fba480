/* test-harness.c: the harness tells the truth to those who rely on it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/harness.h>

#include <string.h>

/* A plugin that repeats what it is told. */

enum { SEEN, WORD, SUM, FIELDS, BODY };
enum { QUESTION, TYPE, NAMES };

static const char *const words[] = {"yes", "no", NULL};

static const FilterdFact facts[] = {
    {.name = "seen", .type = FILTERD_TEXT, .since = FILTERD_CONNECT},
    {.name = "word",
     .type = FILTERD_WORD,
     .since = FILTERD_HELO,
     .words = words},
    {.name = "sum",
     .type = FILTERD_INT,
     .since = FILTERD_RCPT,
     .flags = FILTERD_EFFECT},
    {.name = "fields", .type = FILTERD_TEXT, .since = FILTERD_MESSAGE},
    {.name = "body", .type = FILTERD_TEXT, .since = FILTERD_MESSAGE},
    {NULL},
};

static const FilterdNeed needs[] = {
    {"client.question", FILTERD_TEXT},
    {"client.type?", FILTERD_INT},
    {"names?", FILTERD_LIST},
    {NULL},
};

static const FilterdMethod methods[] = {{"echo", FIELDS}, {NULL}};

typedef struct Heard {
    char fields[512];
    char body[512];
} Heard;

static void
note(FilterdCall *call, void *data)
{
    while (call->host->sleep(call, 1000))
        ++*(unsigned *)data;
}

static bool
start(FilterdCall *call, GError **error)
{
    if (*(const int64_t *)call->config < 0) {
        g_set_error_literal(error, G_FILE_ERROR, 0, "less than nothing");
        return false;
    }
    call->host->spawn(call, note, call->instance);
    return true;
}

static void
answer_append(GString *out, const FilterdDnsRecord *record, FilterdDnsType type)
{
    if (out->len > 0)
        g_string_append_c(out, ',');
    if (type == FILTERD_DNS_MX)
        g_string_append_printf(out, "%u ", record->preference);
    if (record->name != NULL)
        g_string_append(out, record->name);
    else if (record->bytes != NULL)
        g_string_append_len(out, record->bytes, (gssize)record->length);
    else
        g_string_append_printf(out, "%u/%u", record->ip.bytes[15],
                               record->ip.prefix);
}

static bool
connect_hook(FilterdCall *call, GError **error)
{
    static const char *const states[] = {"",         "NODATA",   "NXDOMAIN",
                                         "SERVFAIL", "TIMEOUT",  "BOGUS",
                                         "BADNAME",  "CANCELLED"};
    const char *name = call->host->lookup(call, QUESTION)->text;
    FilterdDnsType type =
        (FilterdDnsType)call->host->lookup(call, TYPE)->integer;
    g_autoptr(GString) out = g_string_new(NULL);

    (void)error;
    if (call->host->lookup(call, QUESTION)->type == FILTERD_UNKNOWN)
        return true;
    call->host->prefetch(call, name, type);

    const FilterdDnsAnswer *answer = call->host->dns(call, name, type);

    g_string_append(out, states[answer->status]);
    for (size_t i = 0; i < answer->length; i++)
        answer_append(out, &answer->records[i], type);
    call->host->publish(call, SEEN, filterd_text(out->str));
    return true;
}

static bool
helo_hook(FilterdCall *call, GError **error)
{
    const FilterdValue *said = call->host->lookup(call, QUESTION);

    if (strcmp(said->text, "error") == 0) {
        g_set_error_literal(error, G_FILE_ERROR, 0, "as you like");
        return false;
    }
    call->host->publish(call, WORD, filterd_word(said->text));
    return true;
}

static bool
rcpt_hook(FilterdCall *call, GError **error)
{
    int64_t sum;
    const char *value;
    size_t length;

    (void)error;
    if (call->host->store_add(call, "n", 5, 10000, &sum) != FILTERD_STORE_OK)
        return true;
    g_assert_true(call->host->store_get(call, "n", &value, &length)
                  == FILTERD_STORE_OK);
    g_assert_cmpint(g_ascii_strtoll(value, NULL, 10), ==, sum);
    call->host->publish(call, SUM, filterd_int(sum));
    return true;
}

static bool
header_hook(FilterdCall *call, const FilterdField *field, GError **error)
{
    Heard *heard = call->message;
    g_autofree char *line = g_strdup_printf(
        "[%.*s|%.*s]", (int)field->name_length, field->bytes,
        (int)(field->length - field->value), field->bytes + field->value);

    (void)error;
    g_strlcat(heard->fields, line, sizeof heard->fields);
    return true;
}

static bool
body_hook(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    Heard *heard = call->message;
    g_autofree char *line = g_strdup_printf("[%.*s]", (int)length, bytes);

    (void)error;
    g_strlcat(heard->body, line, sizeof heard->body);
    return true;
}

static void
visible_publish(FilterdCall *call, unsigned fact, const char *text)
{
    g_autoptr(GString) out = g_string_new(text);

    g_string_replace(out, "\r", "<CR>", 0);
    g_string_replace(out, "\n", "<LF>", 0);
    call->host->publish(call, fact, filterd_text(out->str));
}

static bool
eom_hook(FilterdCall *call, GError **error)
{
    static const FilterdProperty property = {"header", "from", "example.org"};
    Heard *heard = call->message;

    (void)error;
    visible_publish(call, FIELDS, heard->fields);
    visible_publish(call, BODY, heard->body);
    call->host->authres(call, "echo", "pass", "well", &property, 1);
    call->host->authres(call, "echo", "none", NULL, NULL, 0);
    return true;
}

static bool
tag_run(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    const FilterdEdit edits[] = {
        {FILTERD_ADD_HEADER, "X-Tag", arguments[0].text},
        {FILTERD_REMOVE_HEADER, "X-Old", NULL},
        {FILTERD_SET_SENDER, NULL, ""},
    };

    (void)error;
    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++)
        call->host->edit(call, &edits[i]);
    return true;
}

static const FilterdType tag_arguments[] = {FILTERD_TEXT, FILTERD_UNKNOWN};
static const FilterdAction actions[] = {{"tag", "", tag_arguments, tag_run},
                                        {NULL}};

FILTERD_PLUGIN(.name = "echo", .config_size = sizeof(int64_t), .facts = facts,
               .needs = needs, .methods = methods, .actions = actions,
               .instance_size = sizeof(unsigned), .message_size = sizeof(Heard),
               .start = start, .connect = connect_hook, .helo = helo_hook,
               .rcpt = rcpt_hook, .header = header_hook, .body = body_hook,
               .eom = eom_hook,
               .edits = 1 << FILTERD_ADD_HEADER | 1 << FILTERD_REMOVE_HEADER
                        | 1 << FILTERD_SET_SENDER);

static Harness *
echo_new(void)
{
    static const int64_t config = 1;

    return harness_new(&filterd_plugin, &config);
}

/* ---- the tests ---------------------------------------------------------- */

static const char zone[] =
    "; a comment\n"
    "example.org. 300 IN A 192.0.2.1 ; another\n"
    "EXAMPLE.org 60 A 192.0.2.2\n"
    "example.org 60 AAAA 2001:db8::7\n"
    "example.org 300 MX 10 Mx.example.org.\n"
    "example.org 300 MX 20 .\n"
    "example.org 300 TXT \"v=spf1 \" \"-all; \\\"x\\\" \\065\"\n"
    "example.org 300 TXT \"\"\n"
    "1.2.0.192.in-addr.arpa 300 PTR mail.example.org\n"
    "alias.example.org 300 CNAME example.org\n"
    "lost.example.org 300 CNAME nowhere.example.org\n"
    "loop.example.org 300 CNAME loop.example.org\n"
    "sick.example.org 300 CNAME dead.example.org\n"
    "a.deep.example.org 300 A 192.0.2.3\n"
    "*.wild.example.org 300 A 192.0.2.4\n"
    "b.wild.example.org 300 TXT \"b\"\n"
    "other.example.org 300 NS ns.example.org\n";

static void
test_answers(void)
{
    static const struct {
        int type;
        const char *name, *expected;
    } rows[] = {
        {FILTERD_DNS_A, "example.org", "1/128,2/128"},
        {FILTERD_DNS_A, "Example.ORG", "1/128,2/128"},
        {FILTERD_DNS_AAAA, "example.org", "7/128"},
        {FILTERD_DNS_MX, "example.org", "10 mx.example.org,20 "},
        {FILTERD_DNS_TXT, "example.org", "v=spf1 -all; \"x\" A,"},
        {FILTERD_DNS_PTR, "1.2.0.192.in-addr.arpa", "mail.example.org"},
        {FILTERD_DNS_PTR, "example.org", "NODATA"},
        {FILTERD_DNS_A, "alias.example.org", "1/128,2/128"},
        {FILTERD_DNS_PTR, "alias.example.org", "NODATA"},
        {FILTERD_DNS_A, "lost.example.org", "NXDOMAIN"},
        {FILTERD_DNS_A, "loop.example.org", "SERVFAIL"},
        {FILTERD_DNS_A, "deep.example.org", "NODATA"},
        {FILTERD_DNS_A, "org", "NODATA"},
        {FILTERD_DNS_A, "no.deep.example.org", "NXDOMAIN"},
        {FILTERD_DNS_A, "x.wild.example.org", "4/128"},
        {FILTERD_DNS_A, "y.x.wild.example.org", "4/128"},
        {FILTERD_DNS_TXT, "x.wild.example.org", "NODATA"},
        {FILTERD_DNS_A, "b.wild.example.org", "NODATA"},
        {FILTERD_DNS_A, "x.b.wild.example.org", "NXDOMAIN"},
        {FILTERD_DNS_A, "wild.example.org", "NODATA"},
        {FILTERD_DNS_A, "other.example.org", "NODATA"},
        {FILTERD_DNS_A, "example.net", "NXDOMAIN"},
        {FILTERD_DNS_TXT, "dead.example.org", "SERVFAIL"},
        {FILTERD_DNS_A, "dead.example.org", "SERVFAIL"},
        {FILTERD_DNS_A, "sick.example.org", "SERVFAIL"},
        {FILTERD_DNS_A, "slow.example.org", "TIMEOUT"},
        {FILTERD_DNS_TXT, "slow.example.org", "NXDOMAIN"},
        {FILTERD_DNS_A, "", "BADNAME"},
        {FILTERD_DNS_A, "example.org.", "1/128,2/128"},
        {FILTERD_DNS_A, "a..example.org", "BADNAME"},
        {FILTERD_DNS_A,
         "a123456789012345678901234567890123456789012345678901234567890123.org",
         "BADNAME"},
        {FILTERD_DNS_A,
         "a12345678901234567890123456789012345678901234567890123456789012.org",
         "NXDOMAIN"},
    };
    g_autoptr(Harness) harness = echo_new();

    harness_zone(harness, zone);
    harness_dns_status(harness, "dead.example.org", 0, FILTERD_DNS_SERVFAIL);
    harness_dns_status(harness, "SLOW.example.org", FILTERD_DNS_A,
                       FILTERD_DNS_TIMEOUT);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *type = g_strdup_printf("%d", rows[i].type);

        g_test_message("%s %s", type, rows[i].name);
        harness_set(harness, "client.question", rows[i].name);
        harness_set(harness, "client.type", type);
        harness_run(harness, FILTERD_CONNECT);
        g_assert_cmpstr(harness_fact(harness, "seen"), ==, rows[i].expected);
    }
}

static void
test_questions(void)
{
    g_autoptr(Harness) harness = echo_new();

    harness_set(harness, "client.type", "16");
    harness_set(harness, "client.question", "b.example.org");
    harness_run(harness, FILTERD_CONNECT);
    harness_set(harness, "client.question", "A.example.org");
    harness_run(harness, FILTERD_CONNECT);
    harness_run(harness, FILTERD_CONNECT);
    harness_set(harness, "client.question", "bad..name");
    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpstr(harness_questions(harness), ==,
                    "TXT b.example.org\nTXT a.example.org");
    g_assert_cmpuint(harness_question_count(harness), ==, 2);
    g_assert_cmpuint(harness_waits(harness), ==, 0);
    harness_reset(harness);
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
}

static void
test_scopes(void)
{
    g_autoptr(Harness) harness = echo_new();

    harness_set(harness, "client.question", "yes");
    harness_run(harness, FILTERD_CONNECT);
    harness_run(harness, FILTERD_HELO);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "word"), ==, "yes");
    g_assert_cmpstr(harness_fact(harness, "sum"), ==, "5");
    harness_reset(harness);
    g_assert_cmpstr(harness_fact(harness, "word"), ==, "yes");
    g_assert_cmpstr(harness_fact(harness, "sum"), ==, "-");
    harness_reconnect(harness);
    g_assert_cmpstr(harness_fact(harness, "word"), ==, "-");
}

static void
test_warnings(void)
{
    g_autoptr(Harness) harness = echo_new();

    harness_set(harness, "client.question", "perhaps");
    harness_expect_warning(harness, "a word that the row does not have");
    harness_run(harness, FILTERD_HELO);
    g_assert_cmpstr(harness_fact(harness, "word"), ==, "-");
    harness_set(harness, "client.question", "error");
    harness_expect_warning(harness, "as you like");
    harness_run(harness, FILTERD_HELO);
}

static void
test_store(void)
{
    g_autoptr(Harness) harness = echo_new();

    harness_run(harness, FILTERD_RCPT);
    harness_advance(harness, 9999);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "sum"), ==, "10");
    harness_advance(harness, 10000);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "sum"), ==, "5");
    g_assert_cmpuint(harness_store_entries(harness), ==, 1);
    harness_store_fails(harness, true);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "sum"), ==, "-");
}

static void
test_message(void)
{
    static const char text[] = "From: a@example.org\n"
                               "Subject : two\n\tlines\r\n"
                               "no field\n"
                               "X y: z\n"
                               "\n"
                               "one\n\ntwo";
    g_autoptr(Harness) harness = echo_new();

    harness_message(harness, text, 0);
    g_assert_cmpstr(harness_fact(harness, "fields"), ==,
                    "[From| a@example.org]"
                    "[Subject| two<CR><LF>\tlines]"
                    "[|no field][|X y: z]");
    g_assert_cmpstr(harness_fact(harness, "body"), ==,
                    "[one<CR><LF><CR><LF>two]");
    harness_reset(harness);
    harness_message(harness, "A:\n\nabc", 2);
    g_assert_cmpstr(harness_fact(harness, "fields"), ==, "[A|]");
    g_assert_cmpstr(harness_fact(harness, "body"), ==, "[ab][c]");
    g_assert_cmpstr(harness_authres(harness), ==,
                    "echo=pass (well) header.from=example.org\necho=none");
    harness_reset(harness);
    g_assert_cmpstr(harness_authres(harness), ==, "");
    harness_message(harness, "A: b", 0);
    g_assert_cmpstr(harness_fact(harness, "fields"), ==, "[A| b]");
}

static void
test_edits(void)
{
    const FilterdValue arguments[] = {filterd_text("a\n b"), filterd_unknown()};
    g_autoptr(Harness) harness = echo_new();

    harness_act(harness, "tag", arguments);
    g_assert_cmpstr(harness_edits(harness), ==,
                    "add-header X-Tag: a\\n b\nremove-header X-Old\n"
                    "set-sender ");
    harness_reset(harness);
    g_assert_cmpstr(harness_edits(harness), ==, "");
}

static void
test_start(void)
{
    static const int64_t bad = -1, good = 1;
    g_autofree char *refused = harness_start_error(&filterd_plugin, &bad);
    g_autofree char *taken = harness_start_error(&filterd_plugin, &good);

    g_assert_cmpstr(refused, ==, "less than nothing");
    g_assert_null(taken);
}

static unsigned last_count;

static void
count_stop(FilterdCall *call)
{
    last_count = *(unsigned *)call->instance;
}

static void
test_spawned(void)
{
    static const int64_t config = 1;
    FilterdPlugin plugin = filterd_plugin;

    plugin.stop = count_stop;

    Harness *harness = harness_new(&plugin, &config);

    harness_advance(harness, 0);
    harness_advance(harness, 3500);
    harness_advance(harness, -3000);
    harness_advance(harness, 3000);
    harness_free(harness);
    g_assert_cmpuint(last_count, ==, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/harness/answers-are-those-of-a-resolver", test_answers);
    g_test_add_func("/harness/a-question-counts-once", test_questions);
    g_test_add_func("/harness/facts-live-as-long-as-their-scope", test_scopes);
    g_test_add_func("/harness/announced-warnings-pass", test_warnings);
    g_test_add_func("/harness/entries-expire-by-the-clock", test_store);
    g_test_add_func("/harness/a-message-is-fed-in-order", test_message);
    g_test_add_func("/harness/edits-are-recorded", test_edits);
    g_test_add_func("/harness/start-may-refuse", test_start);
    g_test_add_func("/harness/spawned-wakes-by-the-clock", test_spawned);
    return g_test_run();
}
