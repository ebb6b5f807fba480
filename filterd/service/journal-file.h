/* journal-file.h: a file of lines that several processes append to, and that
 * is put aside when it has become large.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whoever writes holds a lock on the file, and has seen that it still is the
 * one at its path; so it may be renamed at any time, by us or by others. FILE.1
 * is the youngest that was put aside. Everything here blocks.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct JournalFile {
    const char *path;
    int64_t size;   /* octets, then it is put aside; 0: never */
    unsigned files; /* that are kept besides it, 1 at least */
    int fd;         /* -1: closed */
} JournalFile;

/* Milliseconds that others may hold the lock. */
#define JOURNAL_LOCK_TIME 2000
/* Octets at the end of the file in which the beginning of a line is looked for
 * that somebody left unfinished. */
#define JOURNAL_TORN_LIMIT 65536

/* Whole lines, all or none of them: where the disk is full what was written is
 * taken back. The end of a line that was never finished is taken off first. */
gboolean journal_file_write(JournalFile *file, const char *lines, gsize length,
                            GError **error);
void journal_file_close(JournalFile *file);
/* The path of the n-th that was put aside; 0: of the file. Caller frees. */
char *journal_file_path(const char *path, unsigned number);
