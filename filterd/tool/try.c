/* try.c: filterctl try: judges one message offline, through the real engine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/try.h"

#include "filterd/base/value.h"
#include "filterd/tool/run.h"
#include "filterd/tool/tool.h"
#include "filterd/wire/intake.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INPUT_LIMIT (256 * 1024 * 1024)

typedef struct Try {
    gboolean json;
    char *config, *zone, *resolver, *client, *client_name;
    char *helo, *from, *message_out;
    char **to;

    FilterdIp ip;
    MailAddress reverse_path;
    GPtrArray *recipients; /* MailAddress */
    GString *message;      /* as behind DATA */
    const PolicyConfig *compiled;
    TryResult result;
    gboolean unusable;
} Try;

/* ---- what is watched ---------------------------------------------------- */

static void
fill_verdict(TryVerdict *verdict, FilterdStage stage, const PolicyRule *rule,
             const MailReply *reply)
{
    verdict->stage = stage;
    verdict->verdict = rule != NULL ? rule->kind : POLICY_ACCEPT;
    g_free(verdict->rule);
    verdict->rule = rule != NULL ? g_strdup(rule->name) : NULL;
    g_free(verdict->reply);
    verdict->reply = reply != NULL ? mail_reply_format(reply) : NULL;
}

static TryRecipient *
find_recipient(Try *try, const char *address)
{
    for (unsigned i = 0; i < try->result.recipients->len; i++) {
        TryRecipient *recipient = g_ptr_array_index(try->result.recipients, i);
        if (strcmp(recipient->address, address) == 0)
            return recipient;
    }
    return NULL;
}

/* The first verdict of a stage that holds for all settles it; a recipient's
 * own does where it is no `pass`. */
static void
on_decided(void *data, FilterdStage stage, const PolicyRule *rule,
           const char *address, const MailReply *reply)
{
    Try *try = data;
    gboolean passes = rule == NULL || rule->kind == POLICY_PASS;
    TryRecipient *recipient =
        address != NULL ? find_recipient(try, address) : NULL;
    if (recipient != NULL && !passes) {
        fill_verdict(&recipient->verdict, stage, rule, reply);
    } else if (recipient == NULL && !try->result.settled && !passes) {
        try->result.settled = TRUE;
        fill_verdict(&try->result.verdict, stage, rule, reply);
    }
}

static void
on_would(void *data, const PolicyRule *rule)
{
    Try *try = data;
    g_ptr_array_add(try->result.would, (void *)rule);
}

static void
on_edited(void *data, const FilterdEdit *edit)
{
    Try *try = data;
    FilterdEdit *copy = g_new(FilterdEdit, 1);
    *copy =
        (FilterdEdit){edit->kind, g_strdup(edit->name), g_strdup(edit->value)};
    g_ptr_array_add(try->result.edits, copy);
}

static void
on_fact(const PolicyFact *fact, const FilterdValue *value, void *data)
{
    Try *try = data;
    TryFact *copy = g_new(TryFact, 1);
    *copy = (TryFact){fact, value_copy(value)};
    g_ptr_array_add(try->result.facts, copy);
}

/* ---- the dialogue ------------------------------------------------------- */

/* Recipients take what the message got, unless they were refused before. */
static void
spread_verdict(Try *try)
{
    const TryVerdict *whole = &try->result.verdict;
    for (unsigned i = 0; i < try->result.recipients->len; i++) {
        TryRecipient *recipient = g_ptr_array_index(try->result.recipients, i);
        TryVerdict *own = &recipient->verdict;
        if (own->rule != NULL || !try->result.settled)
            continue;
        own->verdict = whole->verdict;
        own->stage = whole->stage;
        own->rule = g_strdup(whole->rule);
        g_free(own->reply);
        own->reply = g_strdup(whole->reply);
    }
}

/* Refusals end nothing here: every fact is to be found out. Only recipients
 * that were let through count for the message. */
static unsigned
send_recipients(Try *try, Session *session)
{
    unsigned going = 0;
    MailReply taken = {0};
    mail_reply_set(&taken, 250, "2.1.5", "ok");
    for (unsigned i = 0; i < try->recipients->len; i++) {
        const MailAddress *address = g_ptr_array_index(try->recipients, i);
        TryRecipient *recipient = g_new0(TryRecipient, 1);
        recipient->address = g_strdup(address->text);
        recipient->verdict.stage = FILTERD_MESSAGE;
        g_ptr_array_add(try->result.recipients, recipient);
        SessionDecision decision = session_rcpt(session, address);
        if (decision.verdict == SESSION_CONTINUE) {
            session_rcpt_answered(session, TRUE, &taken);
            going++;
        }
    }
    mail_reply_clear(&taken);
    return going;
}

static void
settle_refusal(Try *try, const IntakeRefusal *refusal)
{
    TryVerdict *verdict = &try->result.verdict;
    if (try->result.settled)
        return;
    try->result.settled = TRUE;
    verdict->verdict = refusal->code < 500 ? POLICY_TEMPFAIL : POLICY_REJECT;
    verdict->stage = FILTERD_MESSAGE;
    verdict->rule = g_strdup(refusal->rule);
    verdict->reply = g_strdup_printf("%d %s %s", refusal->code,
                                     refusal->enhanced, refusal->text);
}

static gboolean
write_piece(const char *bytes, gsize length, void *file, GError **error)
{
    (void)error;
    return fwrite(bytes, 1, length, file) == length;
}

static void
write_message(Try *try, Session *session)
{
    FILE *file = fopen(try->message_out, "w");
    gboolean ok = file != NULL
                  && mail_message_write(session_outgoing(session), write_piece,
                                        file, NULL);
    if (file == NULL || fclose(file) != 0 || !ok) {
        fprintf(stderr, "%s cannot be written\n", try->message_out);
        try->unusable = TRUE;
    }
}

static void
judge_message(Try *try, Session *session, gboolean alive)
{
    const PolicySettings *settings = &try->compiled->settings;
    g_autoptr(Intake) intake =
        intake_new(session, settings, (gsize)settings->max_message_size);
    gboolean ended = FALSE;
    intake_feed(intake, try->message->str, try->message->len, &ended);
    g_assert(ended);
    const IntakeRefusal *refusal = intake_refusal(intake);
    if (refusal != NULL)
        settle_refusal(try, refusal);
    else if (alive && session_message(session).verdict == SESSION_CONTINUE
             && try->message_out != NULL)
        write_message(try, session);
}

static gboolean
goes_on(SessionDecision decision)
{
    return decision.verdict == SESSION_CONTINUE;
}

static void
converse(Engine *engine, void *data)
{
    Try *try = data;
    const SessionObserver observer = {try, on_decided, on_would, NULL,
                                      on_edited};
    const SessionPeer peer = {.ip = try->ip,
                              .local_ip = try->ip,
                              .name = try->client_name,
                              .wire = "try"};
    Session *session = session_new(engine, &peer);
    session_observe(session, &observer);
    session_insist(session);
    gboolean alive = goes_on(session_connect(session));
    alive &= goes_on(session_helo(session, try->helo, "ESMTP"));
    alive &= goes_on(session_mail(session, &try->reverse_path, 0));
    alive &= send_recipients(try, session) > 0;
    alive &= goes_on(session_data(session));
    judge_message(try, session, alive);
    session_each_fact(session, on_fact, try);
    spread_verdict(try);
    session_free(session);
}

/* ---- the arguments ------------------------------------------------------ */

static gboolean
wrong(const char *what, const char *value)
{
    fprintf(stderr, "filterctl try: %s: %s\n", what, value);
    return FALSE;
}

static void
address_free(void *data)
{
    mail_address_clear(data);
    g_free(data);
}

static gboolean
read_addresses(Try *try)
{
    g_autoptr(GError) error = NULL;
    const char *from = try->from != NULL ? try->from : "<>";
    if (!mail_address_parse_bare(from, MAIL_REVERSE_PATH, &try->reverse_path,
                                 &error))
        return wrong("--from", error->message);
    if (try->to == NULL)
        return wrong("--to", "is missing");
    for (unsigned i = 0; try->to[i] != NULL; i++) {
        MailAddress *address = g_new0(MailAddress, 1);
        g_ptr_array_add(try->recipients, address);
        if (!mail_address_parse_bare(try->to[i], MAIL_FORWARD_PATH, address,
                                     &error))
            return wrong("--to", error->message);
    }
    return TRUE;
}

/* A file with bare LFs only is a file of this system: each is a line's end. One
 * with CRLFs is taken as it is. */
static void
stuff(Try *try, const char *bytes, gsize length)
{
    gboolean crlf = memmem(bytes, length, "\r\n", 2) != NULL;
    for (gsize i = 0; i < length; i++) {
        gboolean start = i == 0
                         || (bytes[i - 1] == '\n'
                             && (!crlf || i < 2 || bytes[i - 2] == '\r'));
        if (start && bytes[i] == '.')
            g_string_append_c(try->message, '.');
        if (bytes[i] == '\n' && !crlf)
            g_string_append_c(try->message, '\r');
        g_string_append_c(try->message, bytes[i]);
    }
    if (!g_str_has_suffix(try->message->str, "\r\n")
        || memchr(try->message->str, 0, try->message->len) != NULL)
        g_string_append(try->message, "\r\n");
    g_string_append(try->message, ".\r\n");
}

static gboolean
read_message(Try *try)
{
    char buffer[65536];
    ssize_t length;
    g_autoptr(GString) input = g_string_new(NULL);
    while ((length = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        g_string_append_len(input, buffer, length);
        if (input->len > INPUT_LIMIT)
            return wrong("standard input", "is too large");
    }
    if (length < 0 || input->len == 0)
        return wrong("standard input", "has no message");
    stuff(try, input->str, input->len);
    return TRUE;
}

static gboolean
read_arguments(Try *try, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &try->json,
         "One JSON object instead of text", NULL},
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &try->config,
         "The configuration", "FILE"},
        {"zone", 0, 0, G_OPTION_ARG_FILENAME, &try->zone,
         "A master file with all the DNS there is", "FILE"},
        {"resolver", 0, 0, G_OPTION_ARG_STRING, &try->resolver,
         "The resolver to ask", "ADDRESS@PORT"},
        {"client", 0, 0, G_OPTION_ARG_STRING, &try->client,
         "The client's address", "IP"},
        {"client-name", 0, 0, G_OPTION_ARG_STRING, &try->client_name,
         "Its confirmed name, instead of looking it up", "NAME"},
        {"helo", 0, 0, G_OPTION_ARG_STRING, &try->helo, "The argument of EHLO",
         "NAME"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &try->from,
         "The reverse-path; <> is the null one", "ADDRESS"},
        {"to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &try->to,
         "A recipient; may be repeated", "ADDRESS"},
        {"message-out", 0, 0, G_OPTION_ARG_FILENAME, &try->message_out,
         "Where to write the message as the backend would get it", "FILE"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context =
        g_option_context_new("[FILE] < MESSAGE");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error))
        return wrong("arguments", error->message);
    if (try->config == NULL && *argc == 2)
        try->config = g_strdup((*argv)[1]);
    if (try->config == NULL)
        return wrong("--config", "is missing");
    if (try->client == NULL || !ip_parse(try->client, &try->ip))
        return wrong("--client", "is missing or no address");
    if (try->helo == NULL)
        try->helo = g_strdup("unknown");
    return read_addresses(try) && read_message(try);
}

/* ---- DNS ---------------------------------------------------------------- */

typedef struct Names {
    DnsConfig config;
    FilterdFile zone;
    const char *forward[8];
} Names;

static gboolean
read_zone(const Try *try, Names *names)
{
    g_autoptr(GError) error = NULL;
    gsize length;
    char *bytes;
    if (!g_file_get_contents(try->zone, &bytes, &length, &error))
        return wrong("--zone", error->message);
    names->zone = (FilterdFile){try->zone, bytes, length};
    names->config.zones = &names->zone;
    names->config.n_zones = 1;
    names->config.zones_only = TRUE;
    return TRUE;
}

static void
configured_names(const PolicyDns *dns, Names *names)
{
    const char *const *words = dns->resolver.items;
    unsigned length = 0;
    names->config.zones = dns->zone.items;
    names->config.n_zones = dns->zone.length;
    names->config.anchors = dns->trust_anchor.items;
    names->config.n_anchors = dns->trust_anchor.length;
    for (size_t i = 0; i < dns->resolver.length; i++)
        if (strcmp(words[i], "recursive") == 0)
            names->config.recursive = TRUE;
        else if (strcmp(words[i], "system") != 0
                 && length + 1 < G_N_ELEMENTS(names->forward))
            names->forward[length++] = words[i];
}

static gboolean
find_names(const Try *try, Names *names)
{
    names->config.timeout = try->compiled->dns.timeout;
    names->config.forward = names->forward;
    if (try->zone != NULL)
        return read_zone(try, names);
    if (try->resolver != NULL)
        names->forward[0] = try->resolver;
    else
        configured_names(&try->compiled->dns, names);
    return TRUE;
}

/* ---- the command -------------------------------------------------------- */

static void
show(const Try *try)
{
    g_autofree char *text = try->json ? try_result_json(&try->result)
                                      : try_result_text(&try->result);
    fputs(text, stdout);
}

static int
run(Try *try)
{
    g_autoptr(GError) error = NULL;
    Names names = {0};
    g_autoptr(PolicyConfig) config = tool_compile(try->config);
    try->compiled = config;
    if (config == NULL || !find_names(try, &names))
        return TOOL_UNUSABLE;
    gboolean ok = tool_run(config, &names.config, converse, try, &error);
    g_free((char *)names.zone.bytes);
    if (!ok) {
        fprintf(stderr, "filterctl try: %s\n", error->message);
        return TOOL_UNUSABLE;
    }
    show(try);
    return try->unusable ? TOOL_UNUSABLE : TOOL_OK;
}

static void
try_clear(Try *try)
{
    char *const texts[] = {try->config, try->zone,        try->resolver,
                           try->client, try->client_name, try->helo,
                           try->from,   try->message_out};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(try->to);
    mail_address_clear(&try->reverse_path);
    g_ptr_array_unref(try->recipients);
    g_string_free(try->message, TRUE);
    try_result_clear(&try->result);
}

int
tool_try(int argc, char **argv)
{
    Try try = {
        .recipients = g_ptr_array_new_with_free_func(address_free),
        .message = g_string_new(NULL),
    };
    try_result_init(&try.result);
    int status = read_arguments(&try, &argc, &argv) ? run(&try) : TOOL_UNUSABLE;
    try_clear(&try);
    return status;
}
