/* quarantine.c: filterctl quarantine: mail that is kept here is listed, shown,
 * released and removed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/quarantine.h"

#include "filterd/base/clock.h"
#include "filterd/base/text.h"
#include "filterd/mail/address.h"
#include "filterd/tool/run.h"
#include "filterd/tool/tool.h"

#include <stdio.h>
#include <string.h>

static gboolean
wrong(const char *what, const char *why)
{
    fprintf(stderr, "filterctl quarantine: %s: %s\n", what, why);
    return FALSE;
}

void
quarantine_complain(QuarantineTask *task, const char *id, const char *why)
{
    g_autoptr(GString) text = g_string_new(NULL);
    text_append_clean(text, id, G_MAXSIZE);
    g_string_append(text, ": ");
    text_append_clean(text, why, G_MAXSIZE);
    fprintf(stderr, "%s\n", text->str);
    task->failed = TRUE;
}

/* ---- what is asked for --------------------------------------------------- */

typedef struct Found {
    int64_t time;
    char *id;
} Found;

static int
by_time(const void *a, const void *b)
{
    const Found *one = a, *other = b;
    if (one->time != other->time)
        return one->time < other->time ? -1 : 1;
    return strcmp(one->id, other->id);
}

static gboolean
has_recipient(const QuarantineLetter *letter, const char *address)
{
    for (unsigned i = 0; i < letter->recipients->len; i++) {
        const QuarantineRecipient *recipient =
            g_ptr_array_index(letter->recipients, i);
        if (g_ascii_strcasecmp(recipient->address, address) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
matches(const QuarantineRequest *request, const QuarantineLetter *letter)
{
    int64_t age = clock_real() - letter->time;
    return (request->older == 0 || age > request->older)
           && (request->rule == NULL
               || g_strcmp0(letter->rule, request->rule) == 0)
           && (request->from == NULL
               || g_ascii_strcasecmp(letter->reverse_path, request->from) == 0)
           && (request->to == NULL || has_recipient(letter, request->to));
}

static void
look_at(QuarantineTask *task, const char *id, GArray *found)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QuarantineFile) file =
        quarantine_file_open(task->quarantine, id, FALSE, &error);
    /* It may have gone since the directory was read. */
    if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return;
    if (file == NULL) {
        quarantine_complain(task, id, error->message);
        return;
    }
    const QuarantineLetter *letter = quarantine_file_letter(file);
    const Found one = {letter->time, g_strdup(id)};
    if (matches(task->request, letter))
        g_array_append_val(found, one);
    else
        g_free(one.id);
}

static gboolean
find_all(QuarantineTask *task)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = quarantine_list(task->quarantine, &error);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
    if (names == NULL)
        return wrong("state-directory", error->message);
    for (unsigned i = 0; i < names->len; i++)
        look_at(task, g_ptr_array_index(names, i), found);
    g_array_sort(found, by_time);
    for (unsigned i = 0; i < found->len; i++)
        g_ptr_array_add(task->ids, g_array_index(found, Found, i).id);
    return TRUE;
}

/* Its id is that of the session, and a number. */
static gboolean
is_of_session(const char *name, const char *session)
{
    gsize length = strlen(session);
    return strncmp(name, session, length) == 0 && name[length] == '-'
           && strchr(session, '-') != NULL
           && strchr(name + length + 1, '-') == NULL;
}

/* By its id, or by a session of which one is kept; what is not found is asked
 * for as it is, and complained of then. */
static void
find_named(QuarantineTask *task, const GPtrArray *names, const char *id)
{
    const char *found = id;
    unsigned count = 0;
    for (unsigned i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        if (!is_of_session(name, id))
            continue;
        found = name;
        count++;
    }
    if (count > 1)
        quarantine_complain(task, id,
                            "several messages of that session are "
                            "kept: which? `list` has their ids");
    else
        g_ptr_array_add(task->ids, g_strdup(found));
}

static gboolean
find(QuarantineTask *task)
{
    char **ids = task->request->ids;
    if (ids == NULL)
        return find_all(task);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = quarantine_list(task->quarantine, &error);
    if (names == NULL)
        return wrong("state-directory", error->message);
    for (unsigned i = 0; ids[i] != NULL; i++)
        find_named(task, names, ids[i]);
    return TRUE;
}

/* ---- expire -------------------------------------------------------------- */

static void
remove_one(QuarantineTask *task, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QuarantineFile) file =
        quarantine_file_open(task->quarantine, id, TRUE, &error);
    if (file == NULL || !quarantine_file_remove(file, &error)) {
        quarantine_complain(task, id, error->message);
        return;
    }
    quarantine_tally(task->quarantine, 0, 1);
    printf("%s: removed\n", id);
}

static void
expire_all(QuarantineTask *task)
{
    for (unsigned i = 0; i < task->ids->len; i++)
        remove_one(task, g_ptr_array_index(task->ids, i));
}

/* ---- the request --------------------------------------------------------- */

typedef struct Command {
    const char *word;
    void (*run)(QuarantineTask *task);
    gboolean named;     /* what it does it does to what is named */
    gboolean elsewhere; /* --to is where it goes */
} Command;

static const Command commands[] = {
    {"list", quarantine_list_all, FALSE, FALSE},
    {"show", quarantine_show_all, TRUE, FALSE},
    {"release", quarantine_release_all, TRUE, TRUE},
    {"expire", expire_all, FALSE, FALSE},
};

static const Command *
find_command(const char *word)
{
    for (unsigned i = 0; word != NULL && i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].word, word) == 0)
            return &commands[i];
    return NULL;
}

static void
request_clear(QuarantineRequest *request)
{
    g_free(request->config);
    g_free(request->older_text);
    g_free(request->rule);
    g_free(request->from);
    g_free(request->to);
    g_strfreev(request->ids);
}

static gboolean
parse_options(QuarantineRequest *request, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
         "The configuration", "FILE"},
        {"all", 0, 0, G_OPTION_ARG_NONE, &request->all, "All that is there",
         NULL},
        {"older", 0, 0, G_OPTION_ARG_STRING, &request->older_text,
         "Only what is older", "DURATION"},
        {"rule", 0, 0, G_OPTION_ARG_STRING, &request->rule,
         "Only what that rule kept", "NAME"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &request->from,
         "Only of that reverse-path", "ADDRESS"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &request->to,
         "Only to that recipient; release: there instead", "ADDRESS"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &request->json, "As JSON", NULL},
        {"raw", 0, 0, G_OPTION_ARG_NONE, &request->raw,
         "show: the message alone", NULL},
        {"keep", 0, 0, G_OPTION_ARG_NONE, &request->keep,
         "release --to: and leave it here", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &request->ids,
         NULL, NULL},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, &argc, &argv, &error)
           || wrong("arguments", error->message);
}

static gboolean
has_filter(const Command *command, const QuarantineRequest *request)
{
    return request->older_text != NULL || request->rule != NULL
           || request->from != NULL
           || (request->to != NULL && !command->elsewhere);
}

/* Whoever takes --to of release for one more filter is not to send everything
 * there. */
static gboolean
elsewhere_is_right(const Command *command, QuarantineRequest *request)
{
    MailAddress address = {0};
    if (!command->elsewhere || request->to == NULL)
        return !request->keep || wrong("--keep", "it goes with release --to");
    gboolean right =
        mail_address_parse_bare(request->to, MAIL_FORWARD_PATH, &address, NULL);
    if (right) {
        g_free(request->to);
        request->to = g_strdup(address.text);
    }
    mail_address_clear(&address);
    return (right || wrong("--to", "it is no address"))
           && (request->ids != NULL
               || wrong("--to", "release sends there what is named by its id"));
}

static gboolean
is_sound(const Command *command, QuarantineRequest *request)
{
    gboolean filter = has_filter(command, request);
    if (request->config == NULL)
        return wrong("arguments", "-c FILE is missing");
    if (request->older_text != NULL
        && !text_parse_duration(request->older_text, &request->older))
        return wrong("--older", "such as 7d");
    if (request->ids != NULL && (filter || request->all))
        return wrong("arguments", "ids, or what they have in common");
    if (command->named && request->ids == NULL && !filter && !request->all)
        return wrong("arguments", "which? ids, --older, --rule, --from or "
                                  "--all");
    return elsewhere_is_right(command, request);
}

/* ---- the command --------------------------------------------------------- */

typedef struct Run {
    const Command *command;
    QuarantineTask *task;
} Run;

static void
run_task(void *data)
{
    Run *run = data;
    if (find(run->task))
        run->command->run(run->task);
    else
        run->task->failed = TRUE;
}

/* Where nothing is said it is what the daemon would remove. */
static void
default_lifetime(const Command *command, QuarantineRequest *request,
                 const PolicyConfig *config)
{
    if (command->run == expire_all && request->ids == NULL && !request->all
        && !has_filter(command, request))
        request->older = config->settings.quarantine_lifetime != 0
                             ? config->settings.quarantine_lifetime
                             : INT64_MAX;
}

static gboolean
open_quarantine(QuarantineTask *task, GError **error)
{
    const PolicyConfig *config = task->config;
    if (config->settings.quarantine == 0) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "it has no `set quarantine spool`");
        return FALSE;
    }
    if (!tool_become_user(config, error))
        return FALSE;
    task->quarantine = quarantine_open(config->settings.state_directory, error);
    return task->quarantine != NULL;
}

static int
run(const Command *command, QuarantineRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config =
        tool_compile(bundle, request->config, TRUE);
    QuarantineTask task = {.request = request, .config = config};
    Run one = {command, &task};
    if (config == NULL)
        return TOOL_UNUSABLE;
    if (!open_quarantine(&task, &error)) {
        wrong("the configuration", error->message);
        return TOOL_UNUSABLE;
    }
    default_lifetime(command, request, config);
    task.ids = g_ptr_array_new_with_free_func(g_free);
    gboolean ran = tool_run_fiber(&config->dns, TRUE, run_task, &one, &error)
                   || wrong("the configuration", error->message);
    g_ptr_array_unref(task.ids);
    quarantine_close(task.quarantine);
    return !ran ? TOOL_UNUSABLE : task.failed ? TOOL_WRONG : TOOL_OK;
}

int
tool_quarantine(int argc, char **argv)
{
    QuarantineRequest request = {0};
    const Command *command = find_command(argc > 1 ? argv[1] : NULL);
    if (command == NULL) {
        wrong("arguments", "list, show, release or expire comes first");
        return TOOL_UNUSABLE;
    }
    int status = parse_options(&request, argc - 1, argv + 1)
                         && is_sound(command, &request)
                     ? run(command, &request)
                     : TOOL_UNUSABLE;
    request_clear(&request);
    return status;
}
