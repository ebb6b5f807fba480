/* host.c: the host's function table, without a host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

HarnessCall *
harness_call_get(FilterdCall *call)
{
    return (HarnessCall *)((char *)call - offsetof(HarnessCall, call));
}

/* ---- facts -------------------------------------------------------------- */

static void
host_publish(FilterdCall *call, unsigned fact, FilterdValue value)
{
    HarnessCall *self = harness_call_get(call);
    Harness *harness = self->harness;
    const FilterdFact *row = &harness->plugin->facts[fact];
    const char *problem = harness_value_problem(&value, row);

    if (self->thread != NULL || self->acting || row->since != self->stage)
        problem = "a hook of another stage";
    else if (harness->facts[fact].type != FILTERD_UNKNOWN)
        problem = "it was published before";
    harness_value_free(&harness->facts[fact]);
    if (problem == NULL) {
        harness->facts[fact] = harness_value_copy(&value);
        return;
    }

    g_autofree char *text =
        g_strdup_printf("publish %s: %s", row->name, problem);

    harness_complaint(harness, text);
}

static const FilterdValue *
host_lookup(FilterdCall *call, unsigned need)
{
    static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};
    HarnessCall *self = harness_call_get(call);
    const Harness *harness = self->harness;
    HarnessFault fault = harness_pass(self, HARNESS_AT_LOOKUP, "lookup %s",
                                      harness->plugin->needs[need].fact);

    return fault == HARNESS_NO_FAULT ? &harness->needs[need] : &unknown;
}

static void host_log(FilterdCall *call, FilterdLogLevel level,
                     const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
host_log(FilterdCall *call, FilterdLogLevel level, const char *format, ...)
{
    static const char *const words[] = {"debug", "info", "warning"};
    Harness *harness = harness_call_get(call)->harness;
    va_list arguments;
    g_autofree char *text = NULL;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(harness->log, g_strconcat(words[level], " ", text, NULL));
    if (level == FILTERD_LOG_WARNING)
        harness_warning(harness, text);
    else
        g_test_message("%s", text);
}

/* ---- DNS ---------------------------------------------------------------- */

static char *
question_line(const char *name, FilterdDnsType type)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    return g_strconcat(harness_zone_type_name(type), " ", lower, NULL);
}

/* FALSE: it was asked before. */
static gboolean
question_note(Harness *harness, const char *line)
{
    if (g_ptr_array_find_with_equal_func(harness->questions, line, g_str_equal,
                                         NULL))
        return FALSE;
    g_ptr_array_add(harness->questions, g_strdup(line));
    return TRUE;
}

/* What a fault makes of the question, now and whenever it is asked again. */
static void
question_fail(Harness *harness, const char *name, FilterdDnsType type,
              HarnessFault fault)
{
    static const FilterdDnsStatus statuses[] = {
        [HARNESS_TIMEOUT] = FILTERD_DNS_TIMEOUT,
        [HARNESS_SERVFAIL] = FILTERD_DNS_SERVFAIL,
        [HARNESS_BOGUS] = FILTERD_DNS_BOGUS,
        [HARNESS_SPENT] = FILTERD_DNS_TIMEOUT,
    };

    if (fault == HARNESS_SPENT)
        harness->dns_spent = TRUE;
    if (harness->dns_spent)
        fault = HARNESS_SPENT;
    if (fault != HARNESS_NO_FAULT)
        harness_zone_set_status(harness->zone, name, type, statuses[fault]);
}

/* FALSE: it is there already; a spawned one begins with nothing each time that
 * it has slept. */
static gboolean
question_waits(const HarnessCall *self, const char *line)
{
    return self->thread != NULL
           || g_hash_table_add(self->harness->answered, g_strdup(line));
}

static const FilterdDnsAnswer *
host_dns(FilterdCall *call, const char *name, FilterdDnsType type)
{
    static const FilterdDnsAnswer cancelled = {.status = FILTERD_DNS_CANCELLED};
    HarnessCall *self = harness_call_get(call);
    Harness *harness = self->harness;
    g_autofree char *line = question_line(name, type);
    const FilterdDnsAnswer *answer =
        harness_zone_ask(harness->zone, self->arena, name, type);

    if (answer->status == FILTERD_DNS_BADNAME)
        return answer;
    if (question_note(harness, line))
        harness->waits++;
    if (!self->cancelled && !question_waits(self, line))
        return answer;

    HarnessFault fault = harness_pass(self, HARNESS_AT_DNS, "dns %s", line);

    if (fault == HARNESS_CANCELLED)
        return &cancelled;
    question_fail(harness, name, type, fault);
    return harness_zone_ask(harness->zone, self->arena, name, type);
}

static void
host_prefetch(FilterdCall *call, const char *name, FilterdDnsType type)
{
    HarnessCall *self = harness_call_get(call);
    g_autofree char *line = question_line(name, type);

    if (harness_zone_ask(self->harness->zone, self->arena, name, type)->status
        != FILTERD_DNS_BADNAME)
        question_note(self->harness, line);
}

/* ---- results and requests ----------------------------------------------- */

static void
method_check(const FilterdPlugin *plugin, const char *method)
{
    for (const FilterdMethod *row = plugin->methods;
         row != NULL && row->method != NULL; row++)
        if (strcmp(row->method, method) == 0)
            return;
    g_test_fail_printf("authres of a method without a row: %s", method);
}

static void
host_authres(FilterdCall *call, const char *method, const char *result,
             const char *comment, const FilterdProperty *properties,
             size_t length)
{
    HarnessCall *self = harness_call_get(call);
    GString *text = g_string_new(NULL);
    HarnessLine *line = g_new0(HarnessLine, 1);

    method_check(self->harness->plugin, method);
    g_string_append_printf(text, "%s=%s", method, result);
    if (comment != NULL)
        g_string_append_printf(text, " (%s)", comment);
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(text, " %s.%s=%s", properties[i].ptype,
                               properties[i].property, properties[i].value);
    if (strpbrk(text->str, "\r\n") != NULL)
        g_test_fail_printf("CR or LF in authres: %s", text->str);
    line->stage = self->stage;
    line->text = g_string_free(text, FALSE);
    g_ptr_array_add(self->harness->authres, line);
}

static const struct {
    const char *verb;
    gboolean named;
    gboolean valued;
} edit_kinds[] = {
    [FILTERD_ADD_HEADER] = {"add-header", TRUE, TRUE},
    [FILTERD_CHANGE_HEADER] = {"change-header", TRUE, TRUE},
    [FILTERD_REMOVE_HEADER] = {"remove-header", TRUE, FALSE},
    [FILTERD_SET_SENDER] = {"set-sender", FALSE, TRUE},
    [FILTERD_ADD_RECIPIENT] = {"add-recipient", FALSE, TRUE},
    [FILTERD_REMOVE_RECIPIENT] = {"remove-recipient", FALSE, TRUE},
    [FILTERD_REPLACE_BODY] = {"replace-body", FALSE, TRUE},
    [FILTERD_QUARANTINE] = {"quarantine", FALSE, TRUE},
};

static void
host_edit(FilterdCall *call, const FilterdEdit *edit)
{
    GString *line = g_string_new(edit_kinds[edit->kind].verb);

    if ((harness_call_get(call)->harness->plugin->edits & 1U << edit->kind)
        == 0)
        g_error("`edits` of the plugin's table leaves out: %s", line->str);

    if (edit_kinds[edit->kind].named)
        g_string_append_printf(line, " %s", edit->name);
    if (edit_kinds[edit->kind].valued)
        g_string_append_printf(line, "%s %s",
                               edit_kinds[edit->kind].named ? ":" : "",
                               edit->value);
    g_string_replace(line, "\r", "\\r", 0);
    g_string_replace(line, "\n", "\\n", 0);
    g_ptr_array_add(harness_call_get(call)->harness->edits,
                    g_string_free(line, FALSE));
}

static void
host_count(FilterdCall *call, unsigned metric, const char *label, int64_t delta)
{
    Harness *harness = harness_call_get(call)->harness;
    const FilterdMetric *row = &harness->plugin->metrics[metric];
    g_autofree char *name =
        g_strconcat(row->name, label ? " " : "", label, NULL);
    int64_t *sum = g_hash_table_lookup(harness->metrics, name);

    if ((row->label == NULL) != (label == NULL))
        g_test_fail_printf("count %s: a label where there is none, or none",
                           row->name);
    if (delta < 0 && (row->flags & FILTERD_GAUGE) == 0)
        g_test_fail_printf("count %s: a counter goes down", row->name);
    if (sum == NULL) {
        sum = g_new0(int64_t, 1);
        g_hash_table_insert(harness->metrics, g_steal_pointer(&name), sum);
    }
    *sum += delta;
}

static void
host_blame(FilterdCall *call, const char *option, size_t index)
{
    harness_blame(harness_call_get(call)->harness, option, index);
}

void
harness_blame(Harness *harness, const char *option, size_t index)
{
    const FilterdOption *row = harness->plugin->options;

    while (row != NULL && row->name != NULL && strcmp(row->name, option) != 0)
        row++;
    if (row == NULL || row->name == NULL)
        g_test_fail_printf("blame: no option %s", option);
    g_free(harness->blamed);
    harness->blamed = g_strdup_printf("%s %zu: ", option, index);
}

/* ---- time and memory ---------------------------------------------------- */

static int64_t
host_now(FilterdCall *call)
{
    return harness_call_get(call)->harness->clock;
}

static bool
host_offload(FilterdCall *call, void (*work)(void *data), void *data)
{
    HarnessCall *self = harness_call_get(call);

    if (harness_pass(self, HARNESS_AT_OFFLOAD, "offload") != HARNESS_NO_FAULT)
        return false;
    work(data);
    return true;
}

/* Nobody else is there, so nobody waits; but somebody may be told to. */
static bool
host_enter(FilterdCall *call, const char *name, unsigned limit,
           int64_t patience)
{
    HarnessCall *self = harness_call_get(call);
    HarnessFault fault = harness_pass(self, HARNESS_AT_TURN, "enter %s", name);

    if (limit == 0 || g_hash_table_contains(self->harness->turns, name))
        g_error("enter: %s has no place, or the same hook is there", name);
    if (fault == HARNESS_TIMEOUT)
        self->harness->clock += patience;
    if (fault != HARNESS_NO_FAULT)
        return false;
    g_hash_table_add(self->harness->turns, g_strdup(name));
    return true;
}

static void
host_leave(FilterdCall *call, const char *name)
{
    g_hash_table_remove(harness_call_get(call)->harness->turns, name);
}

static void *
host_allocate(FilterdCall *call, size_t size)
{
    void *memory = g_malloc0(MAX(size, 1));

    g_ptr_array_add(harness_call_get(call)->arena, memory);
    return memory;
}

const FilterdHost harness_host = {
    .size = sizeof(FilterdHost),
    .publish = host_publish,
    .lookup = host_lookup,
    .log = host_log,
    .dns = host_dns,
    .prefetch = host_prefetch,
    .store_get = harness_host_store_get,
    .store_put = harness_host_store_put,
    .store_add = harness_host_store_add,
    .authres = host_authres,
    .edit = host_edit,
    .now = host_now,
    .sleep = harness_host_sleep,
    .offload = host_offload,
    .spawn = harness_host_spawn,
    .allocate = host_allocate,
    .count = host_count,
    .blame = host_blame,
    .stream_check = harness_host_stream_check,
    .stream_open = harness_host_stream_open,
    .stream_patience = harness_host_stream_patience,
    .stream_write = harness_host_stream_write,
    .stream_read = harness_host_stream_read,
    .stream_line = harness_host_stream_line,
    .stream_close = harness_host_stream_close,
    .hear = harness_host_hear,
    .enter = host_enter,
    .leave = host_leave,
};
