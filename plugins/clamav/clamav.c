/* clamav.c: has clamd look for viruses in a message. (clamd(8), INSTREAM)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/clamav/manual.h"
#include "plugins/clamav/reply.h"
#include <filterd/plugin.h>

#include <arpa/inet.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MEGABYTE INT64_C(1048576)

/* While a message comes: how long clamd may keep its client waiting in all, and
 * to how many clients it listens meanwhile. */
#define EARLY_PATIENCE (2 * SECOND)
#define EARLY_LIMIT 16

enum { RESULT, VIRUS, PROBLEM };
enum { SIZE };
enum { METRIC_MESSAGES };

typedef struct Config {
    const char *server;
    int64_t timeout, max_size;
} Config;

typedef struct Instance {
    unsigned early; /* conversations while messages come */
    bool down;      /* the last one failed */
} Instance;

typedef enum Phase {
    IDLE,
    SENDING,
    BROKEN, /* once more when it is complete */
} Phase;

typedef struct Message {
    Phase phase;
    FilterdStream *stream;
    bool early; /* counted */
    bool body;  /* the empty line has been sent */
    int64_t sent;
} Message;

static const char *const result_words[] = {[CLEAN] = "clean",
                                           [INFECTED] = "infected",
                                           [TOO_LARGE] = "too-large",
                                           NULL};

/* ---- the conversation --------------------------------------------------- */

static void
hang_up(FilterdCall *call)
{
    Instance *instance = call->instance;
    Message *message = call->message;

    call->host->stream_close(call, g_steal_pointer(&message->stream));
    if (message->early)
        instance->early--;
    message->early = false;
    message->phase = BROKEN;
}

static bool
begin(FilterdCall *call, int64_t patience, GError **error)
{
    static const char command[] = "nINSTREAM\n";
    const Config *config = call->config;
    Message *message = call->message;

    message->stream =
        call->host->stream_open(call, config->server, patience, error);
    message->phase = message->stream != NULL ? SENDING : BROKEN;
    message->body = false;
    message->sent = 0;
    return message->stream != NULL
           && call->host->stream_write(call, message->stream, command,
                                       strlen(command), error);
}

/* A length of 0 would be the end. */
static bool
send_piece(FilterdCall *call, const char *bytes, size_t length,
           const char *tail, GError **error)
{
    const FilterdHost *host = call->host;
    Message *message = call->message;
    size_t more = strlen(tail);
    uint32_t size = htonl((uint32_t)(length + more));

    message->sent += (int64_t)(length + more);
    return length + more == 0
           || (host->stream_write(call, message->stream, &size, sizeof size,
                                  error)
               && host->stream_write(call, message->stream, bytes, length,
                                     error)
               && host->stream_write(call, message->stream, tail, more, error));
}

static bool
send_field(FilterdCall *call, const FilterdField *field, GError **error)
{
    return send_piece(call, field->bytes, field->length, "\r\n", error);
}

static bool
send_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    Message *message = call->message;

    if (!message->body && !send_piece(call, "", 0, "\r\n", error))
        return false;
    message->body = true;
    return send_piece(call, bytes, length, "", error);
}

static bool
send_end(FilterdCall *call, GError **error)
{
    static const uint32_t end = 0;
    Message *message = call->message;

    return send_body(call, "", 0, error)
           && call->host->stream_write(call, message->stream, &end, sizeof end,
                                       error);
}

/* What it says, even if it would not hear all. */
static bool
listen_to(FilterdCall *call, Reply *reply, GError **error)
{
    const Config *config = call->config;
    Message *message = call->message;
    size_t length;
    const char *line =
        call->host->stream_line(call, message->stream, &length, error);

    if (line == NULL)
        return false;
    *reply = reply_parse(line, length);
    if (reply->finding != NO_FINDING)
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s",
                config->server, reply->text);
    reply_clear(reply);
    return false;
}

/* ---- as it comes -------------------------------------------------------- */

static bool
goes_on(FilterdCall *call)
{
    const Config *config = call->config;
    Instance *instance = call->instance;
    Message *message = call->message;

    if (message->phase == IDLE && instance->early < EARLY_LIMIT) {
        message->early = true;
        instance->early++;
        if (!begin(call, MIN(config->timeout, EARLY_PATIENCE), NULL))
            hang_up(call);
    }
    if (message->phase == SENDING && message->sent > config->max_size)
        hang_up(call);
    return message->phase == SENDING;
}

static bool
header_hook(FilterdCall *call, const FilterdField *field,
            G_GNUC_UNUSED GError **error)
{
    if (goes_on(call) && !send_field(call, field, NULL))
        hang_up(call);
    return true;
}

static bool
body_hook(FilterdCall *call, const char *bytes, size_t length,
          G_GNUC_UNUSED GError **error)
{
    if (goes_on(call) && !send_body(call, bytes, length, NULL))
        hang_up(call);
    return true;
}

/* ---- when it is complete ------------------------------------------------ */

/* To the end of what was sent as it came. */
static bool
finish(FilterdCall *call, Reply *reply, GError **error)
{
    const Config *config = call->config;
    Message *message = call->message;

    call->host->stream_patience(call, message->stream, config->timeout);
    return send_end(call, error) && listen_to(call, reply, error);
}

/* From the beginning. */
static bool
scan(FilterdCall *call, int64_t patience, Reply *reply, GError **error)
{
    const FilterdHost *host = call->host;

    if (!begin(call, patience, error))
        return false;
    if (host->hear(call, send_field, send_body, error) && send_end(call, error))
        return listen_to(call, reply, error);
    if (!listen_to(call, reply, NULL))
        return false;
    g_clear_error(error);
    return true;
}

/* What failed as it came is done once more, in the time that is left. */
static bool
scan_or_finish(FilterdCall *call, Reply *reply, GError **error)
{
    const Config *config = call->config;
    const Message *message = call->message;
    g_autoptr(GError) first = NULL;
    int64_t begun = call->host->now(call);
    bool found = message->phase == SENDING && finish(call, reply, &first);
    int64_t left = config->timeout - (call->host->now(call) - begun);

    hang_up(call);
    if (found)
        return true;
    if (first != NULL && left <= 0) {
        g_propagate_error(error, g_steal_pointer(&first));
        return false;
    }
    found = scan(call, MIN(left, config->timeout), reply, error);
    hang_up(call);
    return found;
}

/* ---- results ------------------------------------------------------------ */

static void
publish_finding(FilterdCall *call, const Reply *reply)
{
    const FilterdHost *host = call->host;

    host->publish(call, RESULT, filterd_word(result_words[reply->finding]));
    host->count(call, METRIC_MESSAGES, result_words[reply->finding], 1);
    if (reply->finding == INFECTED)
        host->publish(call, VIRUS, filterd_text(reply->text));
    if (reply->finding == TOO_LARGE)
        host->publish(call, PROBLEM, filterd_text(reply->text));
}

/* What changes is told once, not for each message. */
static void
note_state(FilterdCall *call, const GError *problem)
{
    Instance *instance = call->instance;

    if (problem != NULL && !instance->down)
        call->host->log(call, FILTERD_LOG_WARNING, "cannot scan: %s",
                        problem->message);
    if (problem == NULL && instance->down)
        call->host->log(call, FILTERD_LOG_INFO, "can scan again");
    instance->down = problem != NULL;
}

static void
publish_failure(FilterdCall *call, const GError *problem)
{
    if (problem->domain != G_FILE_ERROR
        && problem->code == FILTERD_STREAM_CANCELLED)
        return;
    note_state(call, problem);
    call->host->count(call, METRIC_MESSAGES, "failed", 1);
    call->host->publish(call, PROBLEM, filterd_text(problem->message));
}

static bool
eom_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const Config *config = call->config;
    const FilterdValue *size = call->host->lookup(call, SIZE);
    g_autoptr(GError) problem = NULL;
    Reply reply = {0};

    if (size->type == FILTERD_INT && size->integer > config->max_size) {
        reply =
            (Reply){TOO_LARGE, g_strdup_printf("%" G_GINT64_FORMAT
                                               " octets are more than max-size",
                                               size->integer)};
        hang_up(call);
    } else if (scan_or_finish(call, &reply, &problem))
        note_state(call, NULL);
    if (problem == NULL)
        publish_finding(call, &reply);
    else
        publish_failure(call, problem);
    reply_clear(&reply);
    return true;
}

static void
clear_message(FilterdCall *call)
{
    hang_up(call);
}

static bool
start(FilterdCall *call, GError **error)
{
    const Config *config = call->config;

    if (call->host->stream_check(call, config->server, error))
        return true;
    call->host->blame(call, "server", 0);
    return false;
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption options[] = {
    {.name = "server",
     .type = FILTERD_TEXT,
     .offset = offsetof(Config, server),
     .fallback = "\"unix:/run/clamav/clamd.ctl\"",
     .doc = "Where clamd listens: `unix:PATH`, or an address and a port, "
            "`127.0.0.1:3310` or `[::1]:3310`."},
    {.name = "timeout",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, timeout),
     .fallback = "1m",
     .doc = "How long clamd may keep a complete message waiting in all; while "
            "the message comes it may for two seconds.",
     .low = SECOND,
     .high = 600 * SECOND},
    {.name = "max-size",
     .type = FILTERD_INT,
     .offset = offsetof(Config, max_size),
     .fallback = "25M",
     .doc = "Octets of a message that is scanned at most.",
     .low = 1,
     .high = 4000 * MEGABYTE},
    {NULL},
};

static const FilterdFact facts[] = {
    [RESULT] = {.name = "result",
                .type = FILTERD_WORD,
                .since = FILTERD_MESSAGE,
                .doc = "What clamd found. `too-large` is not scanned, for "
                       "`max-size` or StreamMaxLength of clamd. Unknown: it "
                       "could not be scanned.",
                .words = result_words},
    [VIRUS] = {.name = "virus",
               .type = FILTERD_TEXT,
               .since = FILTERD_MESSAGE,
               .doc = "The name of the first signature that the message "
                      "matches."},
    [PROBLEM] = {.name = "problem",
                 .type = FILTERD_TEXT,
                 .since = FILTERD_MESSAGE,
                 .doc = "Why the message was not scanned, for a postmaster to "
                        "read."},
    {NULL},
};

static const FilterdNeed needs[] = {
    [SIZE] = {"message.size", FILTERD_INT},
    {NULL},
};

static const FilterdMetric metrics[] = {
    [METRIC_MESSAGES] = {.name = "messages",
                         .doc = "Messages by what clamd found; failed: they "
                                "could not be scanned.",
                         .label = "result"},
    {NULL},
};

FILTERD_PLUGIN(.name = "clamav", .version = "0.1",
               .summary = "have clamd look for viruses",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .metrics = metrics,
               .instance_size = sizeof(Instance),
               .message_size = sizeof(Message), .start = start,
               .header = header_hook, .body = body_hook, .eom = eom_hook,
               .clear_message = clear_message);
