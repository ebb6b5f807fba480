/* quarantine.h: messages that are kept here until somebody releases them: a
 * directory, a file for each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All of it blocks: for offload, and for tools. No link is followed; a file is
 * locked by whoever writes, releases or removes it.
 */
#pragma once

#include "filterd/service/quarantine-board.h"
#include "filterd/service/quarantine-letter.h"

/* In the state directory. */
#define QUARANTINE_DIRECTORY "quarantine"
/* What a file counts besides its octets. */
#define QUARANTINE_FILE_COST 4096

typedef struct Quarantine Quarantine;

Quarantine *quarantine_open(const char *state_directory, GError **error);
void quarantine_close(Quarantine *quarantine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Quarantine, quarantine_close)

typedef gboolean QuarantineFunc(const char *bytes, gsize length, void *data,
                                GError **error);
/* Where the message comes from: calls func(…, data) with its octets. */
typedef struct QuarantineContent {
    gboolean (*write)(void *message, QuarantineFunc *func, void *data,
                      GError **error);
    void *message;
} QuarantineContent;

/* TRUE: it is on the disk, and so is its name. FALSE: it is not there;
 * G_FILE_ERROR_NOSPC where there is no room for it, be it on the disk or in
 * `limit` octets of all. */
gboolean quarantine_put(Quarantine *quarantine, const QuarantineLetter *letter,
                        const QuarantineContent *content, int64_t limit,
                        GError **error);

/* The ids, in no order. */
GPtrArray *quarantine_list(Quarantine *quarantine, GError **error);

/* Removes what is older than `lifetime` milliseconds (0: nothing is) and what
 * was never finished, counts the rest, and tells the board. FALSE: the
 * directory cannot be read. */
gboolean quarantine_sweep(Quarantine *quarantine, int64_t lifetime,
                          GError **error);
/* So many more were released, or expired. */
void quarantine_tally(Quarantine *quarantine, int64_t released,
                      int64_t expired);

/* ---- quarantine-file.c: one of them -------------------------------------- */

typedef struct QuarantineFile QuarantineFile;

/* G_FILE_ERROR_NOENT: there is none; G_FILE_ERROR_AGAIN: somebody else has it
 * (`lock` only); G_FILE_ERROR_INVAL: it is none of ours. */
QuarantineFile *quarantine_file_open(Quarantine *quarantine, const char *id,
                                     gboolean lock, GError **error);
void quarantine_file_free(QuarantineFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QuarantineFile, quarantine_file_free)

const QuarantineLetter *quarantine_file_letter(const QuarantineFile *file);
/* As long as the file. */
const char *quarantine_file_message(const QuarantineFile *file, gsize *length);
/* Of one that is locked: a backend has taken it for that recipient. */
gboolean quarantine_file_mark(QuarantineFile *file, unsigned recipient,
                              GError **error);
gboolean quarantine_file_remove(QuarantineFile *file, GError **error);

/* Of the files beside: the directory's descriptor, and an error out of errno.
 */
int quarantine_fd(const Quarantine *quarantine);
gboolean quarantine_fail(GError **error, const char *what);
