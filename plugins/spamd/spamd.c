/* spamd.c: has SpamAssassin or rspamd judge a message. (SPAMC protocol 1.5;
 * rspamd's /checkv2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spamd/answer.h"
#include "plugins/spamd/manual.h"
#include "plugins/spamd/request.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define PIECE 16384

enum { SCORE, POINTS, SPAM, SYMBOLS, ACTION, PROBLEM };
enum { CLIENT, NAME, HELO, SENDER, RECIPIENT, USER };
enum { METRIC_MESSAGES };

typedef struct Instance {
    bool down; /* the last conversation failed */
} Instance;

typedef struct Message {
    FilterdStream *stream;
    int64_t size;
    bool body; /* the empty line has been sent */
} Message;

static const char *const protocol_words[] = {
    [SPAMD] = "spamd", [RSPAMD] = "rspamd", NULL};
static const char *const action_words[] = {
    [NO_ACTION] = "no-action",
    [GREYLIST] = "greylist",
    [ADD_HEADER] = "add-header",
    [REWRITE_SUBJECT] = "rewrite-subject",
    [SOFT_REJECT] = "soft-reject",
    [QUARANTINE] = "quarantine",
    [DISCARD] = "discard",
    [REJECT] = "reject",
    [ACTIONS] = NULL,
};

/* ---- the size, which goes in front -------------------------------------- */

static bool
header_hook(FilterdCall *call, const FilterdField *field,
            G_GNUC_UNUSED GError **error)
{
    Message *message = call->message;

    message->size += (int64_t)field->length + 2;
    return true;
}

static bool
body_hook(FilterdCall *call, G_GNUC_UNUSED const char *bytes, size_t length,
          G_GNUC_UNUSED GError **error)
{
    Message *message = call->message;

    message->size += (int64_t)length;
    return true;
}

/* ---- the envelope ------------------------------------------------------- */

static const char *
lookup_text(FilterdCall *call, unsigned need)
{
    const FilterdValue *value = call->host->lookup(call, need);

    return value->type != FILTERD_UNKNOWN ? value->text : NULL;
}

static const char *
lookup_ip(FilterdCall *call)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const FilterdValue *value = call->host->lookup(call, CLIENT);
    char *text = call->host->allocate(call, INET6_ADDRSTRLEN);

    if (value->type == FILTERD_UNKNOWN)
        return NULL;

    const uint8_t *bytes = value->ip.bytes;
    bool four = memcmp(bytes, mapped, sizeof mapped) == 0;

    return inet_ntop(four ? AF_INET : AF_INET6, four ? bytes + 12 : bytes, text,
                     INET6_ADDRSTRLEN);
}

static Envelope
envelope_find(FilterdCall *call)
{
    const Message *message = call->message;

    return (Envelope){
        .ip = lookup_ip(call),
        .name = lookup_text(call, NAME),
        .helo = lookup_text(call, HELO),
        .from = lookup_text(call, SENDER),
        .to = lookup_text(call, RECIPIENT),
        .user = lookup_text(call, USER),
        .size = message->size + 2,
        .now = call->host->now(call),
    };
}

/* ---- the conversation --------------------------------------------------- */

static bool
send_octets(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    const Message *message = call->message;

    return call->host->stream_write(call, message->stream, bytes, length,
                                    error);
}

static bool
send_field(FilterdCall *call, const FilterdField *field, GError **error)
{
    return send_octets(call, field->bytes, field->length, error)
           && send_octets(call, "\r\n", 2, error);
}

static bool
send_empty_line(FilterdCall *call, GError **error)
{
    Message *message = call->message;
    bool sent = message->body;

    message->body = true;
    return sent || send_octets(call, "\r\n", 2, error);
}

static bool
send_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    return send_empty_line(call, error)
           && send_octets(call, bytes, length, error);
}

static bool
send_message(FilterdCall *call, const char *head, GError **error)
{
    return send_octets(call, head, strlen(head), error)
           && call->host->hear(call, send_field, send_body, error)
           && send_empty_line(call, error);
}

/* Until all that was announced is there, or the server closes. */
static bool
read_answer(FilterdCall *call, GString *answer, GError **error)
{
    const Message *message = call->message;
    char *piece = call->host->allocate(call, PIECE);
    size_t length = 1;

    while (length > 0 && !answer_is_complete(answer->str, answer->len)) {
        if (answer->len > ANSWER_LIMIT) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                        "an answer of more than %d octets", ANSWER_LIMIT);
            return false;
        }
        if (!call->host->stream_read(call, message->stream, piece, PIECE,
                                     &length, error))
            return false;
        g_string_append_len(answer, piece, (gssize)length);
    }
    return true;
}

/* A server that would not hear all may have said why. */
static bool
converse(FilterdCall *call, GString *answer, GError **error)
{
    const Config *config = call->config;
    Message *message = call->message;
    const Envelope envelope = envelope_find(call);
    g_autofree char *head = request_head(config, &envelope);

    message->stream =
        call->host->stream_open(call, config->server, config->timeout, error);
    if (message->stream == NULL)
        return false;
    if (send_message(call, head, error))
        return read_answer(call, answer, error);
    if (!read_answer(call, answer, NULL) || answer->len == 0)
        return false;
    g_clear_error(error);
    return true;
}

/* ---- results ------------------------------------------------------------ */

static void
publish_symbols(FilterdCall *call, const GPtrArray *symbols)
{
    g_autofree FilterdValue *items = g_new0(FilterdValue, symbols->len + 1);

    for (guint i = 0; i < symbols->len; i++)
        items[i] = filterd_text(symbols->pdata[i]);
    call->host->publish(call, SYMBOLS, filterd_list(items, symbols->len));
}

static void
publish_answer(FilterdCall *call, const Answer *answer)
{
    const FilterdHost *host = call->host;
    g_autofree char *points = g_strdup_printf("%.2f", answer->score);

    host->publish(call, SCORE, filterd_int((int64_t)floor(answer->score)));
    host->publish(call, POINTS, filterd_text(points));
    host->publish(call, SPAM, filterd_bool(answer->spam));
    host->publish(call, ACTION, filterd_word(action_words[answer->action]));
    publish_symbols(call, answer->symbols);
    host->count(call, METRIC_MESSAGES, answer->spam ? "spam" : "ham", 1);
}

/* What changes is told once, not for each message. */
static void
note_state(FilterdCall *call, const char *problem)
{
    Instance *instance = call->instance;

    if (problem != NULL && !instance->down)
        call->host->log(call, FILTERD_LOG_WARNING, "cannot judge: %s", problem);
    if (problem == NULL && instance->down)
        call->host->log(call, FILTERD_LOG_INFO, "can judge again");
    instance->down = problem != NULL;
}

static void
publish_problem(FilterdCall *call, const char *problem)
{
    call->host->publish(call, PROBLEM, filterd_text(problem));
    call->host->count(call, METRIC_MESSAGES, "failed", 1);
}

static void
judge(FilterdCall *call)
{
    const Config *config = call->config;
    Message *message = call->message;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(Answer) answer = {0};

    if (converse(call, text, &error))
        answer = config->protocol == RSPAMD
                     ? answer_parse_rspamd(text->str, text->len)
                     : answer_parse_spamd(text->str, text->len);
    call->host->stream_close(call, g_steal_pointer(&message->stream));
    if (error != NULL && error->domain != G_FILE_ERROR
        && error->code == FILTERD_STREAM_CANCELLED)
        return;

    const char *problem = error != NULL ? error->message : answer.problem;

    note_state(call, problem);
    if (problem != NULL)
        publish_problem(call, problem);
    else
        publish_answer(call, &answer);
}

/* ---- hooks -------------------------------------------------------------- */

static bool
eom_hook(FilterdCall *call, G_GNUC_UNUSED GError **error)
{
    const Config *config = call->config;
    const Message *message = call->message;
    g_autofree char *problem =
        message->size + 2 > config->max_size
            ? g_strdup_printf("%" G_GINT64_FORMAT
                              " octets are more than max-size",
                              message->size + 2)
            : NULL;

    if (problem != NULL)
        publish_problem(call, problem);
    else
        judge(call);
    return true;
}

/* A word that may stand in a field. */
static bool
is_word(const char *text)
{
    for (; *text != '\0'; text++)
        if (!g_ascii_isgraph(*text))
            return false;
    return true;
}

static bool
start(FilterdCall *call, GError **error)
{
    const Config *config = call->config;

    if (config->user != NULL && !is_word(config->user)) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                            "a user is a word of printable ASCII");
        call->host->blame(call, "user", 0);
        return false;
    }
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
     .fallback = "\"127.0.0.1:783\"",
     .doc = "Where it listens: an address and a port, `127.0.0.1:783` or "
            "`[::1]:11333`, or `unix:PATH`. rspamd's normal worker has port "
            "11333."},
    {.name = "protocol",
     .type = FILTERD_WORD,
     .offset = offsetof(Config, protocol),
     .fallback = "spamd",
     .doc = "What listens there: SpamAssassin's spamd, or rspamd.",
     .words = protocol_words},
    {.name = "user",
     .type = FILTERD_TEXT,
     .offset = offsetof(Config, user),
     .doc = "Whose preferences count: spamd's `User`, rspamd's `Deliver-To`. "
            "Without it: those of the site."},
    {.name = "timeout",
     .type = FILTERD_DURATION,
     .offset = offsetof(Config, timeout),
     .fallback = "1m",
     .doc = "How long it may keep a message waiting in all.",
     .low = SECOND,
     .high = 600 * SECOND},
    {.name = "max-size",
     .type = FILTERD_INT,
     .offset = offsetof(Config, max_size),
     .fallback = "500k",
     .doc = "Octets of a message that is judged at most.",
     .low = 1,
     .high = INT64_C(1) << 32},
    {NULL},
};

static const FilterdFact facts[] = {
    [SCORE] = {.name = "score",
               .type = FILTERD_INT,
               .since = FILTERD_MESSAGE,
               .doc = "Its points, rounded down: 5 of 5.9, -1 of -0.1."},
    [POINTS] = {.name = "points",
                .type = FILTERD_TEXT,
                .since = FILTERD_MESSAGE,
                .doc = "Its points with two decimals, as text."},
    [SPAM] = {.name = "spam",
              .type = FILTERD_BOOL,
              .since = FILTERD_MESSAGE,
              .doc =
                  "Whether it is spam: over SpamAssassin's `required_score`; "
                  "of rspamd, whether its action is one for spam "
                  "(`add-header`, `rewrite-subject`, `quarantine`, "
                  "`discard`, `reject`)."},
    [SYMBOLS] = {.name = "symbols",
                 .type = FILTERD_LIST,
                 .since = FILTERD_MESSAGE,
                 .doc = "The rules that hit, by name.",
                 .items = FILTERD_TEXT},
    [ACTION] = {.name = "action",
                .type = FILTERD_WORD,
                .since = FILTERD_MESSAGE,
                .doc =
                    "What rspamd would do. Unknown of spamd, and where it is "
                    "an action of the site's own.",
                .words = action_words},
    [PROBLEM] = {.name = "problem",
                 .type = FILTERD_TEXT,
                 .since = FILTERD_MESSAGE,
                 .doc = "Why it was not judged, for a postmaster to read."},
    {NULL},
};

static const FilterdNeed needs[] = {
    [CLIENT] = {"client.ip", FILTERD_IP},
    [NAME] = {"client.name", FILTERD_DOMAIN},
    [HELO] = {"helo.name", FILTERD_TEXT},
    [SENDER] = {"mail.from", FILTERD_ADDRESS},
    [RECIPIENT] = {"rcpt.to", FILTERD_ADDRESS},
    [USER] = {"auth.user", FILTERD_TEXT},
    {NULL},
};

static const FilterdMetric metrics[] = {
    [METRIC_MESSAGES] = {.name = "messages",
                         .doc = "Messages by what they were taken for; failed: "
                                "they could not be judged.",
                         .label = "result"},
    {NULL},
};

FILTERD_PLUGIN(.name = "spamd", .version = "0.1",
               .summary = "have SpamAssassin or rspamd look for spam",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .metrics = metrics,
               .instance_size = sizeof(Instance),
               .message_size = sizeof(Message), .start = start,
               .header = header_hook, .body = body_hook, .eom = eom_hook);
