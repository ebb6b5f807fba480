/* check.c: a child that compiles, starts the plugins, and says what it saw.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/check.h"

#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/shared.h"
#include "filterd/process/available.h"
#include "filterd/process/certificates.h"
#include "filterd/process/child.h"
#include "filterd/process/crash.h"
#include "filterd/process/statement.h"
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"
#include "filterd/session/engine.h"
#include "policy/difference.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether it is good, the report, what is different, the files that were
 * missed.
 */
#define RESULT "(bssas)"

struct Check {
    pid_t pid;
    int fd;
    int64_t deadline;
    GByteArray *output;
    BoardDoing *doing; /* shared with the child */
    gboolean ok;
    char *report, *changes;
    char **missed;
};

/* What the child is to look at; a draft is only compiled. */
typedef struct Subject {
    const Configuration *configuration, *before;
    BoardDoing *doing;
} Subject;

/* ---- the child ---------------------------------------------------------- */

typedef struct Trial {
    const PolicyConfig *config;
    GError *error;
} Trial;

static void
discard(FilterdLogLevel level, const char *line)
{
    (void)level;
    (void)line;
}

/* Starts and stops in one go: what a plugin would spawn never begins. */
static void
try_engine(void *data)
{
    Trial *trial = data;
    const EngineOptions options = {.private_store = TRUE, .brief = TRUE};
    Engine *engine = engine_new(trial->config, &options, &trial->error);
    if (engine != NULL)
        engine_free(engine);
    loop_stop();
}

/* Workers will log it themselves. */
static gboolean
try_config(const PolicyConfig *config, GError **error)
{
    Trial trial = {.config = config};
    loop_init();
    offload_init(1);
    if (configuration_start_dns(&config->dns, TRUE, &trial.error)) {
        log_set_sink(discard);
        fiber_detach(fiber_start("check", try_engine, &trial));
        loop_run();
        log_set_sink(NULL);
        dns_clear();
    }
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    if (trial.error == NULL)
        return TRUE;
    g_propagate_error(error, trial.error);
    return FALSE;
}

static gboolean
is_available(const Configuration *configuration, const PolicyConfig *config,
             PolicyReport *report)
{
    available_reports(config, configuration->bundle, report);
    available_quarantine(config, configuration->bundle, configuration->path,
                         report);
    return available_check(config, configuration->bundle, configuration->path,
                           report)
           && available_to_serve(config, configuration->bundle,
                                 configuration->path, report)
           && available_sources(config, configuration->bundle, TRUE, report)
           && certificates_check(config, configuration->bundle, report);
}

/* Of the phrases as many as there is room for. */
static void
join_phrases(GString *out, const GPtrArray *phrases)
{
    for (guint i = 0; i < phrases->len; i++) {
        const char *phrase = g_ptr_array_index(phrases, i);
        if (out->len + strlen(phrase) > CHECK_CHANGES_LIMIT - 32) {
            g_string_append_printf(out, "; and %u more", phrases->len - i);
            return;
        }
        g_string_append_printf(out, "%s%s", i > 0 ? "; " : "", phrase);
    }
    if (phrases->len == 0)
        g_string_append(out, "nothing");
}

/* By the plugins as they are now, in both. */
static void
compare(const Configuration *before, const PolicyConfig *config,
        GString *changes)
{
    PolicyReport report;
    policy_report_init(&report);
    g_autoptr(PolicyConfig) old =
        configuration_compile(before->bundle, before->path, FALSE, &report);
    policy_report_clear(&report);
    if (old == NULL) {
        g_string_append(changes, "unknown: the configuration before is not "
                                 "right for the plugins as they are now");
        return;
    }
    g_autoptr(GPtrArray) phrases = policy_difference(old, config);
    join_phrases(changes, phrases);
}

static gboolean
examine(const Subject *subject, PolicyReport *report, GString *text,
        GString *changes)
{
    g_autoptr(GError) error = NULL;
    const Configuration *configuration = subject->configuration;
    g_autoptr(PolicyConfig) config = configuration_compile(
        configuration->bundle, configuration->path, FALSE, report);
    gboolean draft = configuration->draft;
    gboolean ok = config != NULL
                  && (draft || is_available(configuration, config, report));
    gboolean starts = ok && (draft || try_config(config, &error));
    gboolean placed =
        error != NULL
        && statement_refuse_start(configuration->bundle, report, error);
    g_autofree char *notes = policy_report_format(report);
    g_string_append(text, notes);
    if (error != NULL && !placed)
        g_string_append_printf(text, "%s: error: %s\n", configuration->path,
                               error->message);
    if (starts && !draft && subject->before != NULL)
        compare(subject->before, config, changes);
    return starts;
}

static void
send_all(int fd, const guint8 *bytes, gsize length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return;
        bytes += MAX(sent, 0);
        length -= (gsize)MAX(sent, 0);
    }
}

static int
run_check(int control, void *data)
{
    const Subject *subject = data;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) changes = g_string_new(NULL);
    PolicyReport report;
    policy_report_init(&report);
    crash_watch(subject->doing, -1);
    gboolean ok = examine(subject, &report, text, changes);
    policy_report_clear(&report);
    g_string_truncate(text, MIN(text->len, CHECK_OUTPUT_LIMIT / 2));
    g_autofree char *valid = g_utf8_make_valid(text->str, -1);
    g_autofree char *different = g_utf8_make_valid(changes->str, -1);
    g_autoptr(GVariant) result = g_variant_ref_sink(
        g_variant_new("(bss^as)", ok, valid, different,
                      bundle_missed(subject->configuration->bundle)));
    send_all(control, g_variant_get_data(result), g_variant_get_size(result));
    return 0;
}

/* ---- the master --------------------------------------------------------- */

Check *
check_start(const Configuration *configuration, const Configuration *before,
            GError **error)
{
    Subject subject = {configuration, before,
                       shared_map("the check", sizeof(BoardDoing))};
    const ChildStart start = {
        .name = "filterd-check",
        .privileges = &configuration->privileges,
        .run = run_check,
        .data = &subject,
    };
    int fd;
    pid_t pid = child_start(&start, &fd, error);
    if (pid < 0) {
        shared_unmap(subject.doing, sizeof(BoardDoing));
        return NULL;
    }
    Check *check = g_new0(Check, 1);
    check->doing = subject.doing;
    check->pid = pid;
    check->fd = fd;
    check->deadline = clock_after(CHECK_TIME);
    check->output = g_byte_array_new();
    check->missed = g_new0(char *, 1);
    return check;
}

static int
reap(Check *check)
{
    int status = 0;
    if (check->pid == 0)
        return 0;
    kill(check->pid, SIGKILL);
    while (waitpid(check->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    check->pid = 0;
    return status;
}

void
check_free(Check *check)
{
    reap(check);
    close(check->fd);
    g_byte_array_unref(check->output);
    shared_unmap(check->doing, sizeof *check->doing);
    g_free(check->report);
    g_free(check->changes);
    g_strfreev(check->missed);
    g_free(check);
}

int
check_fd(const Check *check)
{
    return check->fd;
}

static gboolean
end_with(Check *check, char *report)
{
    check->report = report;
    return TRUE;
}

/* What it was in; the child wrote it: texts end where there is room for it. */
static char *
culprit(const Check *check)
{
    const BoardDoing *doing = check->doing;
    if (doing->plugin[0] == '\0')
        return g_strdup("");
    return g_strdup_printf(", in `%.*s` of plugin `%.*s`", BOARD_TEXT - 1,
                           doing->hook, BOARD_TEXT - 1, doing->plugin);
}

/* It ended; what it said is whole, or it did not come so far. */
static gboolean
conclude(Check *check)
{
    int status;
    while (waitpid(check->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    check->pid = 0;
    g_autofree char *where = culprit(check);
    if (WIFSIGNALED(status))
        return end_with(check,
                        g_strdup_printf("checking the configuration ended "
                                        "with signal %d (%s)%s\n",
                                        WTERMSIG(status),
                                        strsignal(WTERMSIG(status)), where));
    if (check->output->len == 0)
        return end_with(
            check, g_strdup_printf("the configuration could not be "
                                   "checked%s%s\n",
                                   *where != '\0' ? ": it ended" : "", where));
    g_autoptr(GBytes) bytes =
        g_byte_array_free_to_bytes(g_steal_pointer(&check->output));
    check->output = g_byte_array_new();
    g_autoptr(GVariant) result = g_variant_ref_sink(
        g_variant_new_from_bytes(G_VARIANT_TYPE(RESULT), bytes, FALSE));
    g_strfreev(check->missed);
    g_variant_get(result, "(bss^as)", &check->ok, &check->report,
                  &check->changes, &check->missed);
    return TRUE;
}

gboolean
check_step(Check *check)
{
    guint8 part[65536];
    ssize_t length;
    while ((length = recv(check->fd, part, sizeof part, 0)) > 0)
        if (check->output->len + (gsize)length <= CHECK_OUTPUT_LIMIT)
            g_byte_array_append(check->output, part, (guint)length);
    if (length == 0 || (errno != EAGAIN && errno != EINTR))
        return conclude(check);
    if (clock_monotonic() < check->deadline)
        return FALSE;
    g_autofree char *where = culprit(check);
    reap(check);
    return end_with(check, g_strdup_printf("checking the configuration took "
                                           "more than %d s%s\n",
                                           CHECK_TIME / 1000, where));
}

gboolean
check_ok(const Check *check)
{
    return check->ok;
}

gboolean
check_whole(const Check *check)
{
    return check->changes != NULL;
}

const char *
check_report(const Check *check)
{
    return check->report;
}

const char *
check_changes(const Check *check)
{
    return check->changes != NULL ? check->changes : "";
}

const char *const *
check_missed(const Check *check)
{
    return (const char *const *)check->missed;
}
