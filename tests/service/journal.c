/* journal.c: lines of several processes in one file, whatever happens to it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/journal.h"

#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"
#include "filterd/service/journal-file.h"
#include "filterd/service/offload.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 4
#define LINES 3000

typedef struct Place {
    char *directory, *path;
} Place;

static Place
place_new(void)
{
    char *directory = g_dir_make_tmp("filterd-test-XXXXXX", NULL);
    return (Place){directory, g_build_filename(directory, "log", NULL)};
}

static void
place_free(Place *place)
{
    g_autoptr(GDir) dir = g_dir_open(place->directory, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(place->directory, name, NULL);
        g_unlink(path);
    }
    g_rmdir(place->directory);
    g_free(place->directory);
    g_free(place->path);
}

static JournalFile
file_of(const Place *place, int64_t size, unsigned files)
{
    return (JournalFile){place->path, size, files, -1};
}

/* NULL: there is no such file. */
static char *
contents(const Place *place, unsigned number)
{
    char *text = NULL;
    g_autofree char *path = journal_file_path(place->path, number);
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void
write_line(JournalFile *file, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(journal_file_write(file, line, strlen(line), &error));
    g_assert_no_error(error);
}

/* ---- several processes -------------------------------------------------- */

static void
write_many(const Place *place, int64_t size, unsigned writer)
{
    JournalFile file = file_of(place, size, 1000);
    for (unsigned i = 0; i < LINES; i += 3) {
        g_autofree char *lines = g_strdup_printf(
            "%u %u .................................\n%u %u\n%u %u -\n", writer,
            i, writer, i + 1, writer, i + 2);
        write_line(&file, lines);
    }
    journal_file_close(&file);
    _exit(0);
}

/* Of each writer in order, from the oldest file to the youngest. */
static void
check_lines(const char *text, unsigned next[WRITERS])
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
        unsigned writer = WRITERS, number = 0;
        g_assert_cmpint(sscanf(lines[i], "%u %u", &writer, &number), ==, 2);
        g_assert_cmpuint(writer, <, WRITERS);
        g_assert_cmpuint(number, ==, next[writer]++);
    }
}

static void
test_processes(gconstpointer data)
{
    int64_t size = *(const int64_t *)data;
    Place place = place_new();
    unsigned next[WRITERS] = {0};
    for (unsigned i = 0; i < WRITERS; i++)
        if (fork() == 0)
            write_many(&place, size, i);
    for (unsigned i = 0; i < WRITERS; i++) {
        int status;
        wait(&status);
        g_assert_cmpint(status, ==, 0);
    }
    unsigned last = 0;
    g_autofree char *text = NULL;
    while ((text = contents(&place, last + 1)) != NULL) {
        g_assert_cmpuint(strlen(text), <=, (gsize)size);
        g_clear_pointer(&text, g_free);
        last++;
    }
    g_assert_true(size == 0 ? last == 0 : last > 3);
    for (unsigned i = last + 1; i > 0; i--) {
        g_autofree char *part = contents(&place, i - 1);
        check_lines(part, next);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        g_assert_cmpuint(next[i], ==, LINES);
    place_free(&place);
}

/* ---- what is kept ------------------------------------------------------- */

static void
test_rotation(void)
{
    static const char *const kept[] = {"g\n", "f\n", "e\n", "d\n", NULL};
    Place place = place_new();
    JournalFile file = file_of(&place, 3, 3);
    for (const char *line = "a\0b\0c\0d\0e\0f\0g\0"; *line != '\0'; line += 2) {
        g_autofree char *whole = g_strdup_printf("%s\n", line);
        write_line(&file, whole);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *text = contents(&place, i);
        g_assert_cmpstr(text, ==, kept[i]);
    }
    journal_file_close(&file);
    place_free(&place);
}

/* A gap is filled before anything is lost. */
static void
test_gap(void)
{
    Place place = place_new();
    JournalFile file = file_of(&place, 3, 3);
    for (const char *line = "a\0b\0c\0d\0"; *line != '\0'; line += 2) {
        g_autofree char *whole = g_strdup_printf("%s\n", line);
        write_line(&file, whole);
    }
    g_autofree char *second = journal_file_path(place.path, 2);
    g_assert_cmpint(g_unlink(second), ==, 0);
    write_line(&file, "e\n");
    g_autofree char *third = contents(&place, 3);
    g_autofree char *now = contents(&place, 2);
    g_assert_cmpstr(third, ==, "a\n");
    g_assert_cmpstr(now, ==, "c\n");
    journal_file_close(&file);
    place_free(&place);
}

static void
test_renamed_by_others(void)
{
    Place place = place_new();
    JournalFile file = file_of(&place, 0, 1);
    struct stat found;
    write_line(&file, "before\n");
    g_autofree char *aside = g_strconcat(place.path, "-old", NULL);
    g_assert_cmpint(g_rename(place.path, aside), ==, 0);
    write_line(&file, "behind\n");
    g_autofree char *text = contents(&place, 0);
    g_assert_cmpstr(text, ==, "behind\n");
    g_assert_cmpint(g_unlink(place.path), ==, 0);
    write_line(&file, "again\n");
    g_assert_cmpint(stat(place.path, &found), ==, 0);
    g_assert_cmpint(found.st_mode & 0777, ==, 0600);
    journal_file_close(&file);
    place_free(&place);
}

/* ---- what goes wrong ---------------------------------------------------- */

static void
test_torn_line(void)
{
    static const struct {
        const char *before, *behind;
    } rows[] = {
        {"one\ntw", "one\nnew\n"},
        {"o", "new\n"},
        {"one\n", "one\nnew\n"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Place place = place_new();
        JournalFile file = file_of(&place, 0, 1);
        g_file_set_contents(place.path, rows[i].before, -1, NULL);
        write_line(&file, "new\n");
        g_autofree char *text = contents(&place, 0);
        g_assert_cmpstr(text, ==, rows[i].behind);
        journal_file_close(&file);
        place_free(&place);
    }
}

static void
assert_refused(JournalFile *file, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(journal_file_write(file, "line\n", 5, &error));
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, what));
    journal_file_close(file);
}

static void
test_no_file(void)
{
    Place place = place_new();
    JournalFile file = file_of(&place, 0, 1);
    g_assert_cmpint(symlink("/etc/passwd", place.path), ==, 0);
    assert_refused(&file, "cannot open");
    g_unlink(place.path);
    g_assert_cmpint(mkfifo(place.path, 0600), ==, 0);
    assert_refused(&file, "no file");
    g_unlink(place.path);
    g_assert_cmpint(g_mkdir(place.path, 0700), ==, 0);
    assert_refused(&file, "cannot open");
    g_rmdir(place.path);
    place_free(&place);
}

/* As on a full disk: a write that stops half way. */
static void
test_half_written(void)
{
    Place place = place_new();
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit little = {1000, 1000};
        JournalFile file = file_of(&place, 0, 1);
        g_autofree char *long_line = g_strnfill(600, 'x');
        long_line[599] = '\n';
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &little);
        write_line(&file, long_line);
        gboolean taken = journal_file_write(&file, long_line, 600, NULL);
        write_line(&file, "short\n");
        _exit(taken ? 1 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    g_assert_cmpint(status, ==, 0);
    g_autofree char *text = contents(&place, 0);
    g_assert_cmpuint(strlen(text), ==, 606);
    g_assert_true(g_str_has_suffix(text, "x\nshort\n"));
    place_free(&place);
}

static void
test_locked(void)
{
    Place place = place_new();
    JournalFile file = file_of(&place, 0, 1);
    write_line(&file, "one\n");
    int other = open(place.path, O_RDONLY);
    g_assert_cmpint(flock(other, LOCK_EX), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_false(journal_file_write(&file, "two\n", 4, &error));
    g_assert_nonnull(strstr(error->message, "wait for the lock"));
    close(other);
    write_line(&file, "three\n");
    g_autofree char *text = contents(&place, 0);
    g_assert_cmpstr(text, ==, "one\nthree\n");
    journal_file_close(&file);
    place_free(&place);
}

/* ---- in batches --------------------------------------------------------- */

static void
say(Journal *journal, const char *line)
{
    GString *out = journal_begin(journal);
    g_assert_nonnull(out);
    g_string_append(out, line);
    journal_end(journal);
}

static void
wait_for_text(const Place *place, const char *expected)
{
    for (unsigned i = 0; i < 2000; i++) {
        g_autofree char *text = contents(place, 0);
        if (text != NULL && strcmp(text, expected) == 0)
            return;
        fiber_sleep(10);
    }
    g_assert_not_reached();
}

static void
in_time(const Place *place)
{
    Journal *journal = journal_new(place->path, 0, 1);
    fiber_sleep(1);
    say(journal, "a\n");
    say(journal, "b\n");
    fiber_yield();
    g_assert_false(g_file_test(place->path, G_FILE_TEST_EXISTS));
    wait_for_text(place, "a\nb\n");
    say(journal, "c\n");
    journal_free(journal);
    g_autofree char *text = contents(place, 0);
    g_assert_cmpstr(text, ==, "a\nb\nc\n");
}

/* What is kept while nothing can be written has an end. */
static void
in_vain(const Place *place)
{
    g_autofree char *line = g_strnfill(JOURNAL_BATCH, 'x');
    line[JOURNAL_BATCH - 1] = '\n';
    g_assert_cmpint(g_mkdir(place->path, 0700), ==, 0);
    Journal *journal = journal_new(place->path, 0, 1);
    unsigned said = 0;
    for (; journal_begin(journal) != NULL; said++) {
        say(journal, line);
        g_assert_cmpuint(said, <=, 2 * JOURNAL_LIMIT / JOURNAL_BATCH);
        fiber_yield();
    }
    g_assert_cmpuint(said, >=, JOURNAL_LIMIT / JOURNAL_BATCH);
    g_assert_cmpuint(journal_lost(journal), ==, 1);
    while (journal_problem(journal) == NULL)
        fiber_sleep(10);
    g_assert_cmpint(g_rmdir(place->path), ==, 0);
    for (unsigned i = 0; i < 2000 && journal_problem(journal) != NULL; i++)
        fiber_sleep(10);
    g_assert_null(journal_problem(journal));
    say(journal, "end\n");
    journal_free(journal);
    g_autofree char *text = contents(place, 0);
    g_assert_cmpuint(strlen(text), ==, said * (gsize)JOURNAL_BATCH + 4);
}

typedef struct Story {
    void (*func)(const Place *place);
} Story;

static void
run_story(void *data)
{
    const Story *story = data;
    Place place = place_new();
    story->func(&place);
    place_free(&place);
    loop_stop();
}

static void
test_story(gconstpointer data)
{
    loop_init();
    offload_init(1);
    fiber_detach(fiber_start("test", run_story, (void *)data));
    loop_run();
    offload_clear();
    fiber_pool_clear();
    loop_clear();
}

int
main(int argc, char **argv)
{
    static const int64_t sizes[] = {0, 10000};
    static const Story stories[] = {{in_time}, {in_vain}};

    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/service/journal/processes-share-a-file", &sizes[0],
                         test_processes);
    g_test_add_data_func("/service/journal/processes-put-it-aside", &sizes[1],
                         test_processes);
    g_test_add_func("/service/journal/oldest-is-overwritten", test_rotation);
    g_test_add_func("/service/journal/gap-is-filled-first", test_gap);
    g_test_add_func("/service/journal/others-may-rename-it",
                    test_renamed_by_others);
    g_test_add_func("/service/journal/torn-line-is-taken-off", test_torn_line);
    g_test_add_func("/service/journal/half-a-batch-is-taken-back",
                    test_half_written);
    g_test_add_func("/service/journal/links-and-pipes-are-refused",
                    test_no_file);
    g_test_add_func("/service/journal/lock-is-not-waited-for-forever",
                    test_locked);
    g_test_add_data_func("/service/journal/batch-goes-in-time", &stories[0],
                         test_story);
    g_test_add_data_func("/service/journal/full-disk-is-outlived", &stories[1],
                         test_story);
    return g_test_run();
}
