/* control.c: asks the filterd that runs, for the commands that do.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/control.h"

#include "filterd/base/clock.h"
#include "filterd/process/configuration.h"
#include "filterd/process/control-socket.h"
#include "filterd/process/statement.h"
#include "filterd/session/engine.h"
#include "filterd/tool/tool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One that is busy with many makes room for us by closing us. */
#define TRIES 5

/* ---- where it is -------------------------------------------------------- */

typedef struct Whereabouts {
    char *directory;
    char *user, *group;
} Whereabouts;

static void
whereabouts_clear(Whereabouts *where)
{
    g_free(where->directory);
    g_free(where->user);
    g_free(where->group);
}

static void
take_settings(Whereabouts *where, const PolicySettings *settings)
{
    where->directory = g_strdup(settings->state_directory);
    where->user = g_strdup(settings->user);
    where->group = g_strdup(settings->group);
}

/* As the words of a file have them that has errors. */
static void
take_words(Whereabouts *where, const Bundle *bundle)
{
    where->directory = statement_setting(bundle, "state-directory");
    where->user = statement_setting(bundle, "user");
    where->group = statement_setting(bundle, "group");
    if (where->directory == NULL)
        where->directory = g_strdup("/var/lib/filterd");
}

/* FALSE: it cannot be read. */
static gboolean
find_daemon(const ControlQuestion *question, Whereabouts *where)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(GError) error = NULL;
    PolicyReport report;
    const PolicyLoader loader = {.data = bundle,
                                 .read = bundle_read,
                                 .core_facts = engine_core_facts,
                                 .core_actions = engine_core_actions};
    GBytes *bytes = bundle_read(bundle, question->config, &error);
    if (bytes == NULL) {
        fprintf(stderr, "filterctl %s: %s: %s\n", question->command,
                question->config, error->message);
        return FALSE;
    }
    g_bytes_unref(bytes);
    policy_report_init(&report);
    g_autoptr(PolicyConfig) skeleton =
        policy_compile(question->config, &loader, &report);
    policy_report_clear(&report);
    if (skeleton != NULL)
        take_settings(where, &skeleton->settings);
    else
        take_words(where, bundle);
    return TRUE;
}

/* Root with few capabilities has no way to what is another's. */
static gboolean
become_user(const Whereabouts *where)
{
    const PolicySettings settings = {.user = where->user,
                                     .group = where->group};
    Privileges privileges;
    const char *word;
    return geteuid() == 0
           && privileges_find(&settings, &privileges, &word, NULL)
           && privileges.drop && privileges_drop(&privileges, NULL);
}

static int
connect_to(const Whereabouts *where, GError **error)
{
    int fd = control_socket_connect(where->directory, error);
    if (fd >= 0 || !g_error_matches(*error, CONTROL_ERROR, CONTROL_ERROR_SYSTEM)
        || !become_user(where))
        return fd;
    g_clear_error(error);
    return control_socket_connect(where->directory, error);
}

/* ---- what it says ------------------------------------------------------- */

typedef struct Talk {
    const ControlQuestion *question;
    int fd;
    int64_t deadline;
    JsonReader *reader;
    GString *said; /* that is no whole line yet */
    gsize octets;
    unsigned lines;
    int status;
} Talk;

static int
complain(const Talk *talk, const char *text)
{
    fprintf(stderr, "filterctl %s: ", talk->question->command);
    control_print(stderr, text);
    return TOOL_UNUSABLE;
}

static void
hear_line(Talk *talk, const char *line, gsize length)
{
    const JsonValue *value = json_read(talk->reader, line, length);
    const char *error = json_text(value, "error");
    talk->lines++;
    if (value == NULL)
        talk->status = complain(talk, "the answer is no JSON");
    else if (error != NULL)
        talk->status = complain(talk, error);
    else
        talk->question->hear(value, talk->question->data);
}

static void
hear_lines(Talk *talk)
{
    const char *begin = talk->said->str, *end;
    const char *stop = begin + talk->said->len;
    while ((end = memchr(begin, '\n', (gsize)(stop - begin))) != NULL) {
        hear_line(talk, begin, (gsize)(end - begin));
        begin = end + 1;
    }
    g_string_erase(talk->said, 0, begin - talk->said->str);
}

/* FALSE: it has been long enough. */
static gboolean
wait_for_more(const Talk *talk)
{
    struct pollfd one = {.fd = talk->fd, .events = POLLIN};
    int64_t left = talk->deadline - clock_monotonic();
    return left > 0 && poll(&one, 1, (int)MIN(left, G_MAXINT)) > 0;
}

static void
hear_all(Talk *talk)
{
    char part[65536];
    ssize_t got;
    while (wait_for_more(talk)) {
        got = recv(talk->fd, part, sizeof part, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            return;
        talk->octets += (gsize)got;
        if (talk->octets > CONTROL_ANSWER_LIMIT) {
            talk->status = complain(talk, "it says too much");
            return;
        }
        g_string_append_len(talk->said, part, got);
        hear_lines(talk);
    }
    talk->status = complain(talk, "it did not answer in time");
}

/* Who may not ask is told so before he does. */
static void
converse(Talk *talk)
{
    g_autofree char *line = g_strconcat(talk->question->word, "\n", NULL);
    talk->reader = json_reader_new();
    talk->said = g_string_new(NULL);
    send(talk->fd, line, strlen(line), MSG_NOSIGNAL);
    hear_all(talk);
    g_string_free(talk->said, TRUE);
    json_reader_free(talk->reader);
}

static int
ask(const ControlQuestion *question, const Whereabouts *where)
{
    Talk talk = {.question = question,
                 .deadline = clock_after(question->patience)};
    for (unsigned i = 0; i < TRIES; i++) {
        g_autoptr(GError) error = NULL;
        talk.fd = connect_to(where, &error);
        if (talk.fd < 0) {
            complain(&talk, error->message);
            return g_error_matches(error, CONTROL_ERROR, CONTROL_ERROR_ABSENT)
                       ? TOOL_ABSENT
                       : TOOL_UNUSABLE;
        }
        converse(&talk);
        close(talk.fd);
        if (talk.lines > 0 || talk.status != TOOL_OK)
            return talk.status;
    }
    complain(&talk, "it went away without an answer");
    return TOOL_ABSENT;
}

int
control_ask(const ControlQuestion *question)
{
    Whereabouts where = {0};
    int status =
        find_daemon(question, &where) ? ask(question, &where) : TOOL_UNUSABLE;
    whereabouts_clear(&where);
    return status;
}

void
control_print(FILE *file, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        gboolean odd = c != '\n' && c != '\t' && g_unichar_iscntrl(c);
        fprintf(file, "%.*s", odd ? 1 : (int)g_utf8_skip[(guint8)*at],
                odd ? "?" : at);
    }
    if (*text == '\0' || text[strlen(text) - 1] != '\n')
        fputc('\n', file);
}
