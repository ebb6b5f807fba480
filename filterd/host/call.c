/* call.c: what a plugin may ask of its host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/call.h"

#include "filterd/base/log.h"
#include "filterd/base/metrics.h"
#include "filterd/base/value.h"
#include "filterd/host/canary.h"
#include "filterd/host/stream.h"
#include "filterd/host/turn.h"
#include "filterd/service/offload.h"

#include <string.h>

static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};

static HostCall *
host_call(FilterdCall *call)
{
    return (HostCall *)call;
}

void
host_call_init(HostCall *call, HostInstance *instance, Visit *visit)
{
    *call = (HostCall){
        .call = {.host = &host_table,
                 .config = instance->use->config,
                 .instance = instance->state},
        .instance = instance,
        .visit = visit,
        .doing = {.what = instance->use->name,
                  .whose = visit != NULL ? visit_session_id(visit) : NULL},
    };
}

void
host_call_end_hook(HostCall *call)
{
    host_turns_end(call);
    g_clear_pointer(&call->scratch, g_ptr_array_unref);
    call->values = NULL;
}

void
host_call_clear(HostCall *call)
{
    host_turns_end(call);
    host_streams_clear(call);
}

static void *
keep(HostCall *call, void *memory)
{
    if (call->scratch == NULL)
        call->scratch = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(call->scratch, memory);
    return memory;
}

G_DEFINE_QUARK(host - lost - error, host_lost_error)

/* ---- facts -------------------------------------------------------------- */

static void
log_call(HostCall *call, FilterdLogLevel level, const char *text)
{
    LogLine line;
    log_begin(&line, level, "plugin");
    if (call->visit != NULL)
        log_text(&line, "session", visit_session_id(call->visit));
    log_text(&line, "plugin", call->instance->use->name);
    log_text(&line, "text", text);
    log_end(&line);
}

static void complain(HostCall *call, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Of what no plugin should do. */
static void
complain(HostCall *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    log_call(call, FILTERD_LOG_WARNING, text);
}

void
host_call_failed(HostCall *call, const char *what, GError **error)
{
    g_autofree char *text = g_strdup_printf(
        "%s: %s", what,
        *error != NULL ? (*error)->message : "failed without a reason");
    if (!fiber_cancelled())
        log_call(call, FILTERD_LOG_WARNING, text);
    g_clear_error(error);
}

static gboolean
check_state(HostCall *call, const void *state, const char *word, size_t size)
{
    if (state == NULL || canary_lives(state, size))
        return TRUE;
    complain(call,
             "%s: it wrote beyond the %" G_GSIZE_FORMAT
             " octets of its %s_size; it is asked no more",
             call->doing.part, size, word);
    return FALSE;
}

gboolean
host_call_check(HostCall *call)
{
    HostInstance *instance = call->instance;
    const FilterdPlugin *plugin = instance->plugin;
    if (!instance->spoiled)
        instance->spoiled = !check_state(call, instance->state, "instance",
                                         plugin->instance_size);
    return !instance->spoiled
           && check_state(call, call->call.session, "session",
                          plugin->session_size)
           && check_state(call, call->call.message, "message",
                          plugin->message_size);
}

static gboolean
fits(const FilterdFact *row, const FilterdValue *value)
{
    if (value->type == FILTERD_UNKNOWN)
        return TRUE;
    if (value->type != row->type)
        return FALSE;
    if (value->type == FILTERD_WORD)
        return g_strv_contains(row->words, value->text);
    for (size_t i = 0; value->type == FILTERD_LIST && i < value->list.length;
         i++)
        if (value->list.items[i].type != row->items)
            return FALSE;
    return TRUE;
}

/* Text is one line: whoever shows it need not look again. */
static void
clean(FilterdValue *value)
{
    if (value->type == FILTERD_LIST) {
        for (size_t i = 0; i < value->list.length; i++)
            clean((FilterdValue *)&value->list.items[i]);
    } else if (value->type >= FILTERD_TEXT && value->type <= FILTERD_ADDRESS) {
        for (char *p = (char *)value->text; *p != '\0'; p++)
            if (g_ascii_iscntrl(*p))
                *p = ' ';
    }
}

/* Whether it may publish that now; else it is logged why not. */
static gboolean
may_publish(HostCall *call, unsigned fact, const FilterdValue *value)
{
    const HostInstance *instance = call->instance;
    const char *why = NULL;
    if (fact >= instance->facts) {
        complain(call, "published fact %u, of which its table has no row",
                 fact);
        return FALSE;
    }
    const FilterdFact *row = &instance->plugin->facts[fact];
    if (call->values == NULL || row->since != call->running)
        why = "out of its stage";
    else if (!fits(row, value))
        why = row->type == FILTERD_WORD && value->type == FILTERD_WORD
                  ? "as a word that its row does not have"
                  : "as a value of another type than its row's";
    if (why != NULL)
        complain(call, "published “%s” %s", row->name, why);
    return why == NULL;
}

static void
publish(FilterdCall *plugin_call, unsigned fact, FilterdValue value)
{
    HostCall *call = host_call(plugin_call);
    const HostInstance *instance = call->instance;
    if (!may_publish(call, fact, &value))
        return;
    FilterdValue *slot = &call->values[instance->slots[fact]];
    value_clear(slot);
    *slot = value_copy(&value);
    clean(slot);
}

/* What comes later than the hook that asks is not known yet: a hook that ran
 * now would have run for nothing. */
static const FilterdValue *
lookup(FilterdCall *plugin_call, unsigned need)
{
    HostCall *call = host_call(plugin_call);
    if (need >= call->instance->need_count) {
        complain(call, "looked up need %u, of which its table has no row",
                 need);
        return &unknown;
    }
    const HostFact *fact = &call->instance->needs[need];
    if (call->visit == NULL || fact->row == NULL
        || fact->row->since > call->running)
        return &unknown;
    return visit_fact(call->visit, *fact, FALSE);
}

static void log_plugin(FilterdCall *plugin_call, FilterdLogLevel level,
                       const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
log_plugin(FilterdCall *plugin_call, FilterdLogLevel level, const char *format,
           ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    log_call(host_call(plugin_call), level, text);
}

/* ---- services ----------------------------------------------------------- */

static const FilterdDnsAnswer *
dns(FilterdCall *plugin_call, const char *name, FilterdDnsType type)
{
    return dns_query(host_call(plugin_call)->budget, name, type);
}

static void
prefetch(FilterdCall *plugin_call, const char *name, FilterdDnsType type)
{
    dns_prefetch(host_call(plugin_call)->budget, name, type);
}

static FilterdStoreStatus
get(FilterdCall *plugin_call, const char *key, const char **value,
    size_t *length)
{
    HostCall *call = host_call(plugin_call);
    GBytes *bytes = NULL;
    FilterdStoreStatus status =
        store_get(host_store(call->instance->host), call->instance->use->name,
                  key, &bytes);
    if (status != FILTERD_STORE_OK)
        return status;
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    char *copy = keep(call, g_malloc(size + 1));
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    g_bytes_unref(bytes);
    *value = copy;
    *length = size;
    return status;
}

static FilterdStoreStatus
put(FilterdCall *plugin_call, const char *key, const char *value, size_t length,
    int64_t lifetime)
{
    const HostInstance *instance = host_call(plugin_call)->instance;
    return store_put(host_store(instance->host), instance->use->name, key,
                     value, length, lifetime);
}

static FilterdStoreStatus
add(FilterdCall *plugin_call, const char *key, int64_t delta, int64_t lifetime,
    int64_t *sum)
{
    const HostInstance *instance = host_call(plugin_call)->instance;
    return store_add(host_store(instance->host), instance->use->name, key,
                     delta, lifetime, sum);
}

/* ---- results and requests ----------------------------------------------- */

static void
authres(FilterdCall *plugin_call, const char *method, const char *result,
        const char *comment, const FilterdProperty *properties, size_t length)
{
    HostCall *call = host_call(plugin_call);
    if (call->values == NULL) {
        log_call(call, FILTERD_LOG_WARNING,
                 "gave a result outside of the hook of a fact");
        return;
    }
    HostResult *kept = g_new(HostResult, 1);
    kept->method = g_strdup(method);
    kept->text =
        mail_authres_result(method, result, comment, properties, length);
    guest_add_result(call, kept);
}

static void
edit(FilterdCall *plugin_call, const FilterdEdit *request)
{
    HostCall *call = host_call(plugin_call);
    unsigned kind = request->kind;
    gboolean listed =
        kind < 32 && (call->instance->plugin->edits & 1U << kind) != 0;
    if (call->visit == NULL || !listed) {
        complain(call, listed ? "it requests an edit outside of a session"
                              : "it requests what `edits` of its table leaves "
                                "out");
        return;
    }
    const VisitClient *client = visit_client(call->visit);
    client->edit(client->data, call->running, request);
}

/* ---- time and work ------------------------------------------------------ */

static int64_t
now(FilterdCall *plugin_call)
{
    (void)plugin_call;
    return clock_real();
}

/* What goes on for hours starts afresh with every sleep: else it would keep
 * all that it was ever given, and use up its time for DNS. */
static void
start_afresh(HostCall *call)
{
    host_call_end_hook(call);
    dns_budget_clear(call->budget);
    *call->budget = (DnsBudget){0};
    dns_budget_init(call->budget, host_dns_budget(call->instance->host));
}

static bool
sleep_for(FilterdCall *plugin_call, int64_t milliseconds)
{
    HostCall *call = host_call(plugin_call);
    if (call->visit == NULL && call->budget != NULL)
        start_afresh(call);
    return fiber_sleep(milliseconds) != FIBER_CANCELLED;
}

static bool
offload(FilterdCall *plugin_call, void (*work)(void *data), void *data)
{
    (void)plugin_call;
    return offload_run(NULL, work, data);
}

typedef struct Spawned {
    HostCall call;
    DnsBudget budget;
    void (*run)(FilterdCall *call, void *data);
    void *data;
} Spawned;

static void
run_spawned(void *data)
{
    Spawned *spawned = data;
    dns_budget_init(&spawned->budget,
                    host_dns_budget(spawned->call.instance->host));
    spawned->call.budget = &spawned->budget;
    spawned->call.doing.part = "spawn";
    fiber_set_doing(&spawned->call.doing);
    spawned->run(&spawned->call.call, spawned->data);
    fiber_set_doing(NULL);
    host_call_check(&spawned->call);
    host_call_end_hook(&spawned->call);
    host_call_clear(&spawned->call);
    dns_budget_clear(&spawned->budget);
    g_free(spawned);
}

static void
forget_ended(GPtrArray *fibers)
{
    for (unsigned i = fibers->len; i > 0; i--)
        if (fiber_ended(fibers->pdata[i - 1])) {
            fiber_join(fibers->pdata[i - 1]);
            g_ptr_array_remove_index_fast(fibers, i - 1);
        }
}

static void
spawn(FilterdCall *plugin_call, void (*run)(FilterdCall *call, void *data),
      void *data)
{
    HostInstance *instance = host_call(plugin_call)->instance;
    if (host_is_brief(instance->host))
        return;
    forget_ended(instance->fibers);
    Spawned *spawned = g_new0(Spawned, 1);
    host_call_init(&spawned->call, instance, NULL);
    spawned->run = run;
    spawned->data = data;
    g_ptr_array_add(instance->fibers,
                    fiber_start(instance->use->name, run_spawned, spawned));
}

static void *
allocate(FilterdCall *plugin_call, size_t size)
{
    return keep(host_call(plugin_call), g_malloc0(size));
}

/* ---- the message -------------------------------------------------------- */

typedef bool HearBody(FilterdCall *call, const char *bytes, size_t length,
                      GError **error);

typedef struct Ears {
    FilterdCall *call;
    HearBody *body;
} Ears;

static gboolean
hear_body(const char *bytes, gsize length, void *data, GError **error)
{
    const Ears *ears = data;
    return ears->body(ears->call, bytes, length, error);
}

static bool
hear(FilterdCall *plugin_call,
     bool (*header)(FilterdCall *call, const FilterdField *field,
                    GError **error),
     HearBody *body, GError **error)
{
    const HostCall *call = host_call(plugin_call);
    MailMessage *message =
        call->visit != NULL && call->running == FILTERD_MESSAGE
            ? visit_message(call->visit)
            : NULL;
    if (message == NULL) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                            "there is no message to be heard");
        return false;
    }
    for (guint i = 0; header != NULL && i < mail_message_fields(message); i++)
        if (!header(plugin_call, mail_message_field(message, i), error))
            return false;
    Ears ears = {plugin_call, body};
    return body == NULL
           || mail_message_each_body(message, hear_body, &ears, error);
}

/* ---- metrics ------------------------------------------------------------ */

static void
count(FilterdCall *plugin_call, unsigned metric, const char *label,
      int64_t delta)
{
    const HostInstance *instance = host_call(plugin_call)->instance;
    const FilterdMetric *row = &instance->plugin->metrics[metric];
    gboolean gauge = (row->flags & FILTERD_GAUGE) != 0;
    g_autofree char *name = g_strdup_printf("%s_%s%s", instance->plugin->name,
                                            row->name, gauge ? "" : "_total");
    g_autoptr(GString) labels = g_string_new(NULL);

    g_strdelimit(name, "-", '_');
    metrics_append_label(labels, "instance", instance->use->name);
    if (row->label != NULL && label != NULL)
        metrics_append_label(labels, row->label, label);
    metrics_add_named(&(MetricName){.name = name,
                                    .labels = labels->str,
                                    .help = row->doc,
                                    .gauge = gauge},
                      delta);
}

/* By the row's own name, which outlives the hook. */
static void
blame(FilterdCall *plugin_call, const char *option, size_t index)
{
    HostCall *call = host_call(plugin_call);
    const FilterdOption *row = call->instance->plugin->options;

    for (; row != NULL && row->name != NULL; row++)
        if (strcmp(row->name, option) == 0)
            call->blamed = row->name;
    call->blamed_index = index;
}

const FilterdHost host_table = {
    .size = sizeof(FilterdHost),
    .publish = publish,
    .lookup = lookup,
    .log = log_plugin,
    .dns = dns,
    .prefetch = prefetch,
    .store_get = get,
    .store_put = put,
    .store_add = add,
    .authres = authres,
    .edit = edit,
    .now = now,
    .sleep = sleep_for,
    .offload = offload,
    .spawn = spawn,
    .allocate = allocate,
    .count = count,
    .blame = blame,
    .stream_check = host_stream_check,
    .stream_open = host_stream_open,
    .stream_patience = host_stream_patience,
    .stream_write = host_stream_write,
    .stream_read = host_stream_read,
    .stream_line = host_stream_line,
    .stream_close = host_stream_close,
    .hear = hear,
    .enter = host_enter,
    .leave = host_leave,
};
