/* world.c: an engine with a policy text and a plugin made for tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"

#include <string.h>

Probe probe;

/* ---- the plugin --------------------------------------------------------- */

typedef struct ProbeMessage {
    int64_t octets, fields;
} ProbeMessage;

enum { RCPT, CONNECT, HELO, MAIL, OCTETS, FIELDS, EARLIER };

static const FilterdFact probe_facts[] = {
    [CONNECT] = {"connect", FILTERD_BOOL, FILTERD_CONNECT},
    [HELO] = {"helo", FILTERD_BOOL, FILTERD_HELO},
    [MAIL] = {"mail", FILTERD_BOOL, FILTERD_MAIL},
    [RCPT] = {"rcpt", FILTERD_INT, FILTERD_RCPT, .flags = FILTERD_EFFECT},
    [OCTETS] = {"octets", FILTERD_INT, FILTERD_MESSAGE},
    [FIELDS] = {"fields", FILTERD_INT, FILTERD_MESSAGE},
    [EARLIER] = {"earlier", FILTERD_BOOL, FILTERD_MAIL},
    {NULL},
};

static const FilterdNeed probe_needs[] = {{"rcpt.to", FILTERD_ADDRESS}, {NULL}};

static const FilterdMethod probe_methods[] = {
    {"probe", MAIL}, {"quiet", FILTERD_UNASKED}, {NULL}};

/* "X-Probe: HOOK" */
static void
add_field(FilterdCall *call, const char *hook)
{
    const FilterdEdit edit = {FILTERD_ADD_HEADER, "X-Probe", hook};
    const FilterdEdit sender = {FILTERD_SET_SENDER, NULL, "c@example.org"};
    if (probe.edits)
        call->host->edit(call, &edit);
    if (probe.oversteps)
        call->host->edit(call, &sender);
}

static bool
slow(FilterdCall *call)
{
    if (probe.slow == 0 || call->host->sleep(call, probe.slow))
        return true;
    probe.cancelled++;
    return false;
}

static bool
finish(GError **error)
{
    if (probe.fails)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                            "as it was told");
    return !probe.fails;
}

static bool
on_connect(FilterdCall *call, GError **error)
{
    probe.connect++;
    add_field(call, "connect");
    call->host->authres(call, "quiet", "pass", NULL, NULL, 0);
    if (!slow(call))
        return true;
    call->host->publish(call, CONNECT, filterd_bool(true));
    return finish(error);
}

static bool
on_helo(FilterdCall *call, GError **error)
{
    probe.helo++;
    add_field(call, "helo");
    if (!slow(call))
        return true;
    call->host->publish(call, HELO, filterd_bool(true));
    return finish(error);
}

/* By numbers that no table has. */
static void
stray(FilterdCall *call)
{
    const FilterdEdit edit = {.kind = (FilterdEditKind)99};
    call->host->publish(call, 77, filterd_bool(true));
    g_assert_cmpint(call->host->lookup(call, 55)->type, ==, FILTERD_UNKNOWN);
    call->host->edit(call, &edit);
}

static bool
on_mail(FilterdCall *call, GError **error)
{
    const FilterdProperty property = {"smtp", "mailfrom", "a@example.org"};
    probe.mail++;
    add_field(call, "mail");
    if (!slow(call))
        return true;
    call->host->publish(
        call, EARLIER,
        filterd_bool(call->host->lookup(call, 0)->type != FILTERD_UNKNOWN));
    if (probe.sleeps > 0 && !call->host->sleep(call, probe.sleeps)) {
        probe.cancelled++;
        return true;
    }
    if (probe.mistyped)
        stray(call);
    call->host->publish(
        call, MAIL, probe.mistyped ? filterd_text("yes") : filterd_bool(true));
    call->host->authres(call, "probe", "pass", NULL, &property, 1);
    return finish(error);
}

static bool
on_rcpt(FilterdCall *call, GError **error)
{
    const char *to = call->host->lookup(call, 0)->text;
    add_field(call, to);
    probe.rcpt++;
    if (!slow(call))
        return true;
    g_assert_nonnull(strchr(to, '@'));
    call->host->publish(call, RCPT, filterd_int(probe.rcpt));
    return finish(error);
}

static bool
on_header(FilterdCall *call, const FilterdField *field, GError **error)
{
    ProbeMessage *message = call->message;
    (void)error;
    message->fields += field->name_length > 0 ? 1 : 0;
    return true;
}

static bool
on_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    ProbeMessage *message = call->message;
    (void)bytes;
    (void)error;
    message->octets += (int64_t)length;
    return true;
}

static bool
on_eom(FilterdCall *call, GError **error)
{
    const ProbeMessage *message = call->message;
    const char *to = call->host->lookup(call, 0)->text;
    const FilterdEdit hold = {FILTERD_QUARANTINE, NULL, "the probe says so"};
    probe.eom++;
    add_field(call, "eom");
    if (probe.holds)
        call->host->edit(call, &hold);
    if (!slow(call))
        return true;
    g_assert_nonnull(strchr(to, '@'));
    call->host->publish(call, OCTETS, filterd_int(message->octets));
    call->host->publish(call, FIELDS, filterd_int(message->fields));
    return finish(error);
}

static void
on_abort(FilterdCall *call)
{
    (void)call;
    probe.abort++;
}

static void
on_clear(FilterdCall *call)
{
    (void)call;
    probe.clear_message++;
}

/* ---- its signature ------------------------------------------------------ */

static const FilterdType no_arguments[] = {FILTERD_UNKNOWN};
static const FilterdType one_text[] = {FILTERD_TEXT, FILTERD_UNKNOWN};

static bool
on_sign(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    (void)call;
    (void)arguments;
    return finish(error);
}

static bool
on_sign_header(FilterdCall *call, const FilterdField *field, GError **error)
{
    (void)call;
    (void)error;
    if (probe.signed_text == NULL)
        probe.signed_text = g_string_new(NULL);
    g_string_append_len(probe.signed_text, field->bytes, field->length);
    g_string_append(probe.signed_text, "\r\n");
    return true;
}

static bool
on_sign_body(FilterdCall *call, const char *bytes, size_t length,
             GError **error)
{
    (void)call;
    (void)error;
    g_string_append_len(probe.signed_text, bytes, length);
    return true;
}

static bool
on_sign_end(FilterdCall *call, GError **error)
{
    const FilterdEdit edits[] = {
        {FILTERD_ADD_HEADER, "X-Signature", "one"},
        {FILTERD_ADD_HEADER, "X-Signature", "two"},
        {FILTERD_REMOVE_HEADER, "Subject", NULL},
    };
    probe.signs++;
    for (unsigned i = 0; i < G_N_ELEMENTS(edits); i++)
        call->host->edit(call, &edits[i]);
    if (probe.sign_fails)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                            "the key is gone");
    return !probe.sign_fails;
}

static const FilterdAction probe_actions[] = {
    {"sign", "", no_arguments, on_sign, FILTERD_SIGNS},
    {"sign", "", one_text, on_sign, FILTERD_SIGNS},
    {NULL},
};

const FilterdPlugin probe_plugin = {
    .abi = FILTERD_ABI,
    .size = sizeof(FilterdPlugin),
    .name = "probe",
    .version = "1",
    .summary = "a plugin for tests",
    .facts = probe_facts,
    .needs = probe_needs,
    .methods = probe_methods,
    .actions = probe_actions,
    .message_size = sizeof(ProbeMessage),
    .connect = on_connect,
    .helo = on_helo,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .header = on_header,
    .body = on_body,
    .eom = on_eom,
    .abort = on_abort,
    .clear_message = on_clear,
    .sign_header = on_sign_header,
    .sign_body = on_sign_body,
    .sign_end = on_sign_end,
    .edits = 1 << FILTERD_ADD_HEADER | 1 << FILTERD_REMOVE_HEADER
             | 1 << FILTERD_QUARANTINE,
};

/* Stands on the first one's facts. */
static const FilterdFact other_facts[] = {
    {"twice", FILTERD_INT, FILTERD_MESSAGE},
    {NULL},
};

static const FilterdNeed other_needs[] = {
    {"probe.octets", FILTERD_INT},
    {"absent.fact?", FILTERD_INT},
    {"probe.rcpt", FILTERD_INT},
    {"probe.connect", FILTERD_BOOL},
    {NULL},
};

static bool
other_eom(FilterdCall *call, GError **error)
{
    const FilterdValue *octets = call->host->lookup(call, 0);
    const FilterdValue *absent = call->host->lookup(call, 1);
    (void)error;
    g_assert_cmpint(absent->type, ==, FILTERD_UNKNOWN);
    if (octets->type == FILTERD_INT)
        call->host->publish(call, 0, filterd_int(2 * octets->integer));
    return true;
}

static void
other_done(FilterdCall *call, const FilterdOutcome *outcome)
{
    static const char *const fates[] = {"accepted", "quarantined", "discarded",
                                        "tempfailed", "rejected"};
    const FilterdValue *octets = call->host->lookup(call, 0);
    g_autofree char *text = g_strdup_printf(
        "%s%s %d %s %d %d;", probe.outcomes, fates[outcome->fate],
        outcome->stage, outcome->rule != NULL ? outcome->rule : "-",
        outcome->asked,
        octets->type == FILTERD_INT ? (int)octets->integer : -1);
    g_assert_cmpuint(outcome->size, ==, sizeof *outcome);
    g_strlcpy(probe.outcomes, text, sizeof probe.outcomes);
}

/* Late for a question. */
static void
other_close(FilterdCall *call)
{
    g_assert_cmpint(call->host->lookup(call, 3)->type, ==, FILTERD_UNKNOWN);
    probe.closes++;
}

const FilterdPlugin other_plugin = {
    .abi = FILTERD_ABI,
    .size = sizeof(FilterdPlugin),
    .name = "other",
    .version = "1",
    .facts = other_facts,
    .needs = other_needs,
    .eom = other_eom,
    .close = other_close,
    .done = other_done,
};

/* ---- the world ---------------------------------------------------------- */

static World world;

static const FilterdPlugin *
find_plugin(void *data, const char *name, GError **error)
{
    (void)data;
    (void)error;
    return strcmp(name, "other") == 0 ? &other_plugin : &probe_plugin;
}

static void
keep_log(FilterdLogLevel level, const char *line)
{
    (void)level;
    g_string_append(world.log, line);
    g_string_append_c(world.log, '\n');
}

static void
compile(const char *policy)
{
    const PolicyLoader loader = {
        .plugin = find_plugin,
        .core_facts = engine_core_facts,
        .core_actions = engine_core_actions,
    };
    PolicyReport report;
    g_autofree char *text =
        g_strconcat("set hostname mx.example.com\nuse probe\n", policy, NULL);
    policy_report_init(&report);
    world.config = policy_compile_text("test", text, &loader, &report);
    g_autofree char *complaints = policy_report_format(&report);
    if (world.config == NULL)
        g_error("%s", complaints);
    policy_report_clear(&report);
}

Session *
world_session(World *w)
{
    SessionPeer peer = {.name = "client.example.org", .wire = "test"};
    g_assert_true(ip_parse("198.51.100.9", &peer.ip));
    return session_new(w->engine, &peer);
}

static void
in_fiber(void *data)
{
    void (*func)(World *) = *(void (**)(World *))data;
    world.session = world_session(&world);
    func(&world);
    session_free(world.session);
    engine_free(world.engine);
    loop_stop();
}

void
world_run(const char *policy, void (*func)(World *world))
{
    const DnsConfig dns = {.zones_only = TRUE, .timeout = 1000};
    const EngineOptions options = {.private_store = TRUE,
                                   .records = probe.records};
    g_autoptr(GError) error = NULL;
    world = (World){.log = g_string_new(NULL)};
    probe = (Probe){.fails = probe.fails,
                    .mistyped = probe.mistyped,
                    .edits = probe.edits,
                    .oversteps = probe.oversteps,
                    .slow = probe.slow,
                    .sign_fails = probe.sign_fails,
                    .sleeps = probe.sleeps};
    log_set_sink(keep_log);
    compile(policy);
    loop_init();
    offload_init(1);
    g_assert_true(dns_init(&dns, &error));
    world.engine = engine_new(world.config, &options, &error);
    g_assert_no_error(error);
    fiber_detach(fiber_start("test", in_fiber, &func));
    loop_run();
    dns_clear();
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    policy_config_free(world.config);
    g_string_free(world.log, TRUE);
    if (probe.signed_text != NULL)
        g_string_free(probe.signed_text, TRUE);
    probe = (Probe){0};
}

/* ---- the dialogue ------------------------------------------------------- */

SessionVerdict
world_hello(World *w)
{
    SessionVerdict verdict = session_connect(w->session).verdict;
    if (verdict != SESSION_CONTINUE)
        return verdict;
    return session_helo(w->session, "helo.example.org", "ESMTP").verdict;
}

static void
parse(const char *text, MailPath kind, MailAddress *address)
{
    g_autoptr(GError) error = NULL;
    mail_address_parse_bare(text, kind, address, &error);
    g_assert_no_error(error);
}

SessionVerdict
world_mail(World *w, const char *from)
{
    MailAddress address = {0};
    parse(from, MAIL_REVERSE_PATH, &address);
    SessionVerdict verdict = session_mail(w->session, &address, 0).verdict;
    mail_address_clear(&address);
    return verdict;
}

SessionVerdict
world_rcpt(World *w, const char *to)
{
    MailAddress address = {0};
    MailReply taken = {.code = 250};
    parse(to, MAIL_FORWARD_PATH, &address);
    SessionVerdict verdict = session_rcpt(w->session, &address).verdict;
    if (verdict == SESSION_CONTINUE)
        session_rcpt_answered(w->session, TRUE, &taken);
    mail_address_clear(&address);
    return verdict;
}

void
world_feed(World *w, const char *text)
{
    FilterdField field;
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    g_autofree char *crlf = g_strjoinv("\r\n", lines);
    const char *at = crlf;
    gsize taken;
    while ((taken = mail_field_next(at, strlen(at), &field)) > 0) {
        session_field(w->session, &field);
        at += taken;
    }
    session_header_end(w->session);
    at += strncmp(at, "\r\n", 2) == 0 ? 2 : 0;
    g_assert_true(session_body(w->session, at, strlen(at)));
}

SessionVerdict
world_message(World *w, const char *text)
{
    SessionVerdict verdict = session_data(w->session).verdict;
    if (verdict != SESSION_CONTINUE)
        return verdict;
    world_feed(w, text);
    return session_message(w->session).verdict;
}

static gboolean
append(const char *bytes, gsize length, void *data, GError **error)
{
    (void)error;
    g_string_append_len(data, bytes, (gssize)length);
    return TRUE;
}

char *
world_outgoing(World *w)
{
    GString *out = g_string_new(NULL);
    g_assert_true(
        mail_message_write(session_outgoing(w->session), append, out, NULL));
    return g_string_free(out, FALSE);
}

SessionVerdict
world_all(World *w, const char *text)
{
    SessionVerdict verdict = world_hello(w);
    if (verdict == SESSION_CONTINUE)
        verdict = world_mail(w, "a@example.org");
    if (verdict == SESSION_CONTINUE)
        verdict = world_rcpt(w, "b@example.com");
    if (verdict == SESSION_CONTINUE)
        verdict = world_message(w, text);
    return verdict;
}

void
world_deliver(World *w)
{
    MailReply taken = {0};
    mail_reply_set(&taken, 250, "2.0.0", "queued as 1");
    session_delivered(w->session, NULL, &taken);
    mail_reply_clear(&taken);
    session_reset(w->session);
}

unsigned
world_count(const char *text, const char *part)
{
    unsigned found = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        found++;
    return found;
}
