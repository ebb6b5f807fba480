/* journal-file.c: a file of lines that several processes append to, and that is
 * put aside when it has become large.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/journal-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often it may be renamed under our hands before we give up. */
#define TRIES 20
/* Between two looks at a lock, milliseconds. */
#define LOCK_PAUSE 5

static gboolean
fail(GError **error, const JournalFile *file, const char *what)
{
    int code = errno;

    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(code),
                "cannot %s %s: %s", what, file->path, g_strerror(code));
    return FALSE;
}

char *
journal_file_path(const char *path, unsigned number)
{
    return number == 0 ? g_strdup(path)
                       : g_strdup_printf("%s.%u", path, number);
}

void
journal_file_close(JournalFile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* Not through a link, and no device or pipe, which would make us wait. */
static gboolean
open_file(JournalFile *file, GError **error)
{
    struct stat found;

    if (file->fd >= 0)
        return TRUE;
    file->fd = open(file->path,
                    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW
                        | O_NONBLOCK | O_NOCTTY,
                    0600);
    if (file->fd < 0)
        return fail(error, file, "open");
    if (fstat(file->fd, &found) == 0 && S_ISREG(found.st_mode))
        return TRUE;
    journal_file_close(file);
    errno = EINVAL;
    return fail(error, file, "write to what is no file,");
}

static gboolean
lock(JournalFile *file, GError **error)
{
    for (int waited = 0; flock(file->fd, LOCK_EX | LOCK_NB) != 0;
         waited += LOCK_PAUSE) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail(error, file, "lock");
        if (waited >= JOURNAL_LOCK_TIME)
            return fail(error, file, "wait for the lock of");
        g_usleep(LOCK_PAUSE * 1000);
    }
    return TRUE;
}

static gboolean
is_at_path(const JournalFile *file)
{
    struct stat ours, there;

    return fstat(file->fd, &ours) == 0 && lstat(file->path, &there) == 0
           && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Open, locked, and the one at its path. */
static gboolean
hold(JournalFile *file, GError **error)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (!open_file(file, error) || !lock(file, error))
            return FALSE;
        if (is_at_path(file))
            return TRUE;
        journal_file_close(file);
    }
    errno = EAGAIN;
    return fail(error, file, "find again");
}

/* Up to the first number that is free; the oldest is overwritten. */
static gboolean
put_aside(JournalFile *file, GError **error)
{
    unsigned last = 1;
    g_autofree char *to = journal_file_path(file->path, last);

    while (last < file->files && access(to, F_OK) == 0) {
        g_free(to);
        to = journal_file_path(file->path, ++last);
    }
    for (unsigned number = last; number > 0; number--) {
        g_autofree char *from = journal_file_path(file->path, number - 1);

        if (rename(from, to) != 0)
            return fail(error, file, "put aside");
        g_free(to);
        to = g_steal_pointer(&from);
    }
    journal_file_close(file);
    return TRUE;
}

/* Whoever was killed while writing left half a line: `size` is where it begins,
 * or stays where no beginning is near. */
static gboolean
mend(JournalFile *file, off_t *size, GError **error)
{
    char tail[1];

    if (*size == 0
        || (pread(file->fd, tail, 1, *size - 1) == 1 && tail[0] == '\n'))
        return TRUE;
    gsize length = (gsize)MIN(*size, JOURNAL_TORN_LIMIT);
    g_autofree char *end = g_malloc(length);
    ssize_t got = pread(file->fd, end, length, *size - (off_t)length);
    const char *line = got > 0 ? memrchr(end, '\n', (gsize)got) : NULL;
    if (line == NULL && *size > (off_t)length)
        return TRUE;
    *size -= line != NULL ? end + got - line - 1 : (off_t)length;
    return ftruncate(file->fd, *size) == 0 || fail(error, file, "mend");
}

/* What is half written is taken back. */
static gboolean
append(JournalFile *file, const char *lines, gsize length, off_t size,
       GError **error)
{
    ssize_t written;

    do
        written = write(file->fd, lines, length);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)length)
        return TRUE;
    if (written >= 0)
        errno = ENOSPC;
    fail(error, file, "write to");
    if (written > 0 && ftruncate(file->fd, size) != 0)
        journal_file_close(file);
    return FALSE;
}

static gboolean
measure(JournalFile *file, off_t *size, GError **error)
{
    struct stat found;

    if (fstat(file->fd, &found) != 0)
        return fail(error, file, "look at");
    *size = found.st_size;
    return mend(file, size, error);
}

gboolean
journal_file_write(JournalFile *file, const char *lines, gsize length,
                   GError **error)
{
    off_t size = 0;

    if (!hold(file, error))
        return FALSE;
    gboolean ok = measure(file, &size, error);
    if (ok && file->size > 0 && size > 0
        && size + (off_t)length > (off_t)file->size)
        ok = put_aside(file, error) && hold(file, error)
             && measure(file, &size, error);
    ok = ok && append(file, lines, length, size, error);
    if (file->fd >= 0)
        flock(file->fd, LOCK_UN);
    return ok;
}
