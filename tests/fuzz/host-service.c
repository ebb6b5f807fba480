/* host-service.c: fuzzes what the process of a plugin says while its start and
 * its hooks run: it may say anything, and costs its own facts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/stream.h"
#include "filterd/host/isolation/stub.h"
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>

/* More tells nothing new. */
#define INPUT_LIMIT 65536

static const FilterdFact core[] = {
    {"client.ip", FILTERD_IP, FILTERD_CONNECT},
    {NULL},
};
static const char *const words[] = {"good", "bad", NULL};
static const FilterdFact facts[] = {
    {"word", FILTERD_WORD, FILTERD_CONNECT, NULL, words},
    {"names", FILTERD_LIST, FILTERD_MAIL, NULL, NULL, FILTERD_TEXT},
    {NULL},
};
static const FilterdNeed needs[] = {{"client.ip", FILTERD_IP}, {NULL}};
static const FilterdMetric metrics[] = {{"asked", "How often."}, {NULL}};

static bool
never(FilterdCall *call, GError **error)
{
    (void)call;
    (void)error;
    g_assert_not_reached();
}

static const FilterdPlugin plugin = {.abi = FILTERD_ABI,
                                     .size = sizeof plugin,
                                     .name = "probe",
                                     .version = "1",
                                     .facts = facts,
                                     .needs = needs,
                                     .metrics = metrics,
                                     .connect = never,
                                     .mail = never,
                                     .edits = ~0U};

typedef struct Input {
    const uint8_t *bytes;
    size_t length;
} Input;

static Store *store;

static const FilterdPlugin *
find(void *data, const char *name, GError **error)
{
    (void)data;
    (void)name;
    (void)error;
    return &plugin;
}

static const FilterdValue *
core_fact(void *data, unsigned index)
{
    static const FilterdValue address = {.type = FILTERD_IP};
    (void)data;
    (void)index;
    return &address;
}

static void
on_edit(void *data, FilterdStage stage, const FilterdEdit *edit)
{
    (void)data;
    (void)stage;
    g_assert_true(edit->name != NULL || edit->value != NULL);
}

static void
on_useless(void *data)
{
    (void)data;
}

static const FilterdPlugin *
stand_in(void *data, const PolicyUse *use)
{
    (void)use;
    return data;
}

static PolicyConfig *
compile(void)
{
    const FilterdAction none[] = {{NULL}};
    const PolicyLoader loader = {
        .plugin = find, .core_facts = core, .core_actions = none};
    PolicyReport report;
    policy_report_init(&report);
    PolicyConfig *config = policy_compile_text(
        "fuzz", "use probe { isolation process }", &loader, &report);
    policy_report_clear(&report);
    return config;
}

/* ---- the process -------------------------------------------------------- */

typedef struct Other {
    Stream *stream;
    const Input *input;
    size_t said;
} Other;

static gboolean
hear(Other *other)
{
    size_t length;
    if (stream_fill(other->stream) != STREAM_OK)
        return FALSE;
    stream_peek(other->stream, &length);
    stream_consume(other->stream, length);
    return TRUE;
}

static void
say(Other *other, size_t length)
{
    stream_write(other->stream, other->input->bytes + other->said, length);
    other->said += length;
}

/* Up to the end of what looks like the end of a hook. */
static void
say_some(Other *other)
{
    Frame frame = {.type = FRAME_TYPES};
    const Input *input = other->input;
    while (frame.type != FRAME_RETURN && other->said < input->length) {
        size_t left = input->length - other->said;
        gboolean whole = frame_parse(input->bytes + other->said, left,
                                     FRAME_LIMIT, &frame, NULL);
        say(other, whole ? FRAME_HEAD + frame.length : left);
    }
    stream_flush(other->stream);
}

static void
start_well(Other *other)
{
    GByteArray *started = frame_new(FRAME_RETURN, 1);
    frame_put_u8(started, 1);
    frame_put_text(started, NULL);
    frame_end(started);
    stream_write(other->stream, started->data, started->len);
    stream_flush(other->stream);
    g_byte_array_unref(started);
}

/* The plugin starts; then comes what comes, whenever something is asked. */
static void
run_other(void *data)
{
    Other *other = data;
    if (hear(other))
        start_well(other);
    while (other->said < other->input->length && hear(other))
        say_some(other);
    shutdown(stream_fd(other->stream), SHUT_WR);
    while (hear(other))
        continue;
}

/* ---- the worker --------------------------------------------------------- */

static void
visit(Host *host)
{
    const VisitClient client = {
        .session_id = "1-1", .core_fact = core_fact, .edit = on_edit};
    const HostInstance *instance = host_instance(host, 0);
    Visit *visit = visit_new(host, &client);
    visit_fact(visit, (HostFact){instance, &facts[0], 0}, FALSE);
    visit_begin_message(visit);
    const FilterdValue *names =
        visit_fact(visit, (HostFact){instance, &facts[1], 1}, FALSE);
    g_assert_true(names->type == FILTERD_UNKNOWN
                  || names->type == FILTERD_LIST);
    visit_end_message(visit, TRUE);
    visit_free(visit);
}

static void
run(void *data)
{
    int ends[2];
    g_autoptr(PolicyConfig) config = compile();
    const PolicyIsolated *isolated = config->isolated->pdata[0];
    Link *link = link_new(isolated->use, on_useless, NULL);
    FilterdPlugin *stub = stub_new(link);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
    link_attach(link, ends[0]);
    Other other = {.stream = stream_new(ends[1]), .input = data};
    Fiber *process = fiber_start("process", run_other, &other);
    Host *host = host_new(config,
                          &(HostStart){.core_facts = core,
                                       .store = store,
                                       .stand_in = stand_in,
                                       .data = stub},
                          NULL);
    if (host != NULL) {
        visit(host);
        host_free(host);
    }
    fiber_join(process);
    stream_free(other.stream);
    stub_free(stub);
    link_free(link);
    loop_stop();
}

static void
discard(FilterdLogLevel level, const char *line)
{
    (void)level;
    (void)line;
}

static void
begin(void)
{
    if (store != NULL)
        return;
    log_set_sink(discard);
    loop_init();
    offload_init(1);
    g_assert_true(
        dns_init(&(DnsConfig){.zones_only = TRUE, .timeout = 100}, NULL));
    store = store_new_sqlite(NULL, STORE_ENTRIES);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    Input input = {bytes, MIN(length, (size_t)INPUT_LIMIT)};
    begin();
    fiber_detach(fiber_start("fuzz", run, &input));
    loop_run();
    return 0;
}
