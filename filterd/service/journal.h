/* journal.h: lines on their way into a file, in batches, behind the back of
 * whoever has something to say.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Of one process; see journal-file.h for the file. Nobody waits for the disk:
 * while it is full or slow lines are kept, then lost, and counted.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Octets, or milliseconds, after which they are written. */
#define JOURNAL_BATCH 65536
#define JOURNAL_TIME 1000
/* Octets that wait for the disk. */
#define JOURNAL_LIMIT (4 * 1024 * 1024)

typedef struct Journal Journal;

/* `size` octets, then the file is put aside, and `files` of those are kept;
 * 0: never. Nothing is opened before there is something to write. */
Journal *journal_new(const char *path, int64_t size, unsigned files);
/* Writes what there is. In a fiber. */
void journal_free(Journal *journal);

/* Where a line is to be appended, with its new line; NULL: there is no room,
 * and the line is lost. Nothing may wait before journal_end(). */
GString *journal_begin(Journal *journal);
void journal_end(Journal *journal);

/* Why nothing can be written; NULL: it can. */
const char *journal_problem(const Journal *journal);
/* Lines that were lost. */
uint64_t journal_lost(const Journal *journal);
