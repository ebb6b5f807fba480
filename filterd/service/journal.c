/* journal.c: lines on their way into a file, in batches, behind the back of
 * whoever has something to say.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/journal.h"

#include "filterd/base/fiber.h"
#include "filterd/base/metrics.h"
#include "filterd/service/journal-file.h"
#include "filterd/service/offload.h"

/* Room that is kept between two batches. */
#define ROOM (2 * JOURNAL_BATCH)

typedef struct Lines {
    GString *text;
    unsigned count;
} Lines;

struct Journal {
    char *path;
    JournalFile file;
    Lines coming;  /* as they are said */
    Lines leaving; /* into the file */
    GError *error; /* of the last try */
    uint64_t lost;
    Fiber *writer;
    gboolean waits; /* the writer, for a first line or a full batch */
};

static void
lines_clear(Lines *lines)
{
    if (lines->text->allocated_len > 2 * ROOM) {
        g_string_free(lines->text, TRUE);
        lines->text = g_string_sized_new(ROOM);
    }
    g_string_truncate(lines->text, 0);
    lines->count = 0;
}

typedef struct Batch {
    Journal *journal;
    GError *error;
} Batch;

/* In a thread. */
static void
write_leaving(void *data)
{
    Batch *batch = data;
    Lines *lines = &batch->journal->leaving;

    if (journal_file_write(&batch->journal->file, lines->text->str,
                           lines->text->len, &batch->error))
        lines_clear(lines);
}

/* What could not be written before goes first. */
static void
turn_over(Journal *journal)
{
    const Lines coming = journal->coming;

    if (journal->leaving.text->len > 0)
        return;
    journal->coming = journal->leaving;
    journal->leaving = coming;
}

static gboolean
write_batch(Journal *journal)
{
    Batch batch = {.journal = journal};

    turn_over(journal);
    unsigned count = journal->leaving.count;
    gboolean ok = offload_run(journal, write_leaving, &batch);
    g_clear_error(&journal->error);
    journal->error = batch.error;
    ok = ok && batch.error == NULL;
    if (ok)
        metrics_add(METRIC_DECISIONS_LOGGED, count);
    return ok;
}

static gboolean
is_empty(const Journal *journal)
{
    return journal->coming.text->len == 0 && journal->leaving.text->len == 0;
}

/* Until there is a line, or until a batch is full; `deadline` may be never. */
static void
await(Journal *journal, gsize octets, int64_t deadline)
{
    journal->waits = TRUE;
    while (journal->coming.text->len < octets
           && fiber_wait(deadline) == FIBER_WOKEN)
        continue;
    journal->waits = FALSE;
}

static void
run_writer(void *data)
{
    Journal *journal = data;

    while (!fiber_cancelled()) {
        if (is_empty(journal))
            await(journal, 1, CLOCK_NEVER);
        await(journal, JOURNAL_BATCH, clock_after(JOURNAL_TIME));
        if (fiber_cancelled())
            return;
        if (!write_batch(journal) && !fiber_cancelled())
            fiber_sleep(JOURNAL_TIME);
    }
}

Journal *
journal_new(const char *path, int64_t size, unsigned files)
{
    Journal *journal = g_new0(Journal, 1);

    journal->path = g_strdup(path);
    journal->file = (JournalFile){journal->path, size, MAX(files, 1), -1};
    journal->coming.text = g_string_sized_new(ROOM);
    journal->leaving.text = g_string_sized_new(ROOM);
    journal->writer = fiber_start("decision log", run_writer, journal);
    return journal;
}

static void
lose(Journal *journal, unsigned count)
{
    journal->lost += count;
    metrics_add(METRIC_DECISIONS_LOST, count);
}

void
journal_free(Journal *journal)
{
    fiber_cancel(journal->writer);
    fiber_join(journal->writer);
    while (!is_empty(journal) && write_batch(journal))
        continue;
    lose(journal, journal->coming.count + journal->leaving.count);
    journal_file_close(&journal->file);
    g_string_free(journal->coming.text, TRUE);
    g_string_free(journal->leaving.text, TRUE);
    g_clear_error(&journal->error);
    g_free(journal->path);
    g_free(journal);
}

GString *
journal_begin(Journal *journal)
{
    if (journal->coming.text->len < JOURNAL_LIMIT)
        return journal->coming.text;
    lose(journal, 1);
    return NULL;
}

void
journal_end(Journal *journal)
{
    gboolean first = journal->coming.count++ == 0;

    if (journal->waits && (first || journal->coming.text->len >= JOURNAL_BATCH))
        fiber_wake(journal->writer);
}

const char *
journal_problem(const Journal *journal)
{
    return journal->error != NULL ? journal->error->message : NULL;
}

uint64_t
journal_lost(const Journal *journal)
{
    return journal->lost;
}
