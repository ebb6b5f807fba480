/* quarantine-file.c: one message that is kept: read, marked, removed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct QuarantineFile {
    const Quarantine *quarantine;
    int fd;
    GMappedFile *map;
    QuarantineLetter *letter;
    gsize message; /* where it begins */
};

static gboolean
set_error(GError **error, GFileError code, const char *text)
{
    g_set_error_literal(error, G_FILE_ERROR, (gint)code, text);
    return FALSE;
}

/* It may have been removed while this waited for it. */
static gboolean
lock_file(int fd, GError **error)
{
    struct stat status;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? set_error(
                   error, G_FILE_ERROR_AGAIN, "somebody else is at it just now")
                                    : quarantine_fail(error, "cannot lock");
    if (fstat(fd, &status) != 0 || status.st_nlink == 0)
        return set_error(error, G_FILE_ERROR_NOENT, "it is gone");
    return TRUE;
}

static gboolean
open_file(QuarantineFile *file, const char *id, gboolean lock, GError **error)
{
    struct stat status;
    file->fd = quarantine_id_valid(id)
                   ? openat(quarantine_fd(file->quarantine), id,
                            (lock ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK
                                | O_CLOEXEC)
                   : -1;
    if (file->fd < 0 && (!quarantine_id_valid(id) || errno == ENOENT))
        return set_error(error, G_FILE_ERROR_NOENT, "there is no such message");
    if (file->fd < 0)
        return quarantine_fail(error, id);
    if (fstat(file->fd, &status) != 0 || !S_ISREG(status.st_mode))
        return set_error(error, G_FILE_ERROR_INVAL, "it is no file");
    return !lock || lock_file(file->fd, error);
}

static gboolean
read_file(QuarantineFile *file, const char *id, GError **error)
{
    file->map = g_mapped_file_new_from_fd(file->fd, FALSE, error);
    if (file->map == NULL)
        return FALSE;
    const char *bytes = g_mapped_file_get_contents(file->map);
    gsize length = g_mapped_file_get_length(file->map);
    if (bytes != NULL)
        file->letter = quarantine_letter_parse(bytes, length, &file->message);
    return (file->letter != NULL && strcmp(file->letter->id, id) == 0)
           || set_error(error, G_FILE_ERROR_INVAL,
                        "it is no message of the quarantine");
}

QuarantineFile *
quarantine_file_open(Quarantine *quarantine, const char *id, gboolean lock,
                     GError **error)
{
    g_autoptr(QuarantineFile) file = g_new0(QuarantineFile, 1);
    file->quarantine = quarantine;
    if (!open_file(file, id, lock, error) || !read_file(file, id, error))
        return NULL;
    return g_steal_pointer(&file);
}

void
quarantine_file_free(QuarantineFile *file)
{
    g_clear_pointer(&file->letter, quarantine_letter_free);
    g_clear_pointer(&file->map, g_mapped_file_unref);
    if (file->fd >= 0)
        close(file->fd);
    g_free(file);
}

const QuarantineLetter *
quarantine_file_letter(const QuarantineFile *file)
{
    return file->letter;
}

const char *
quarantine_file_message(const QuarantineFile *file, gsize *length)
{
    *length = g_mapped_file_get_length(file->map) - file->message;
    return g_mapped_file_get_contents(file->map) + file->message;
}

/* One octet in its place; the file is as old as before. */
gboolean
quarantine_file_mark(QuarantineFile *file, unsigned index, GError **error)
{
    struct stat status;
    QuarantineRecipient *recipient =
        g_ptr_array_index(file->letter->recipients, index);
    if (fstat(file->fd, &status) != 0
        || pwrite(file->fd, "+", 1, (off_t)recipient->mark) != 1)
        return quarantine_fail(error, "cannot mark a recipient");
    const struct timespec times[] = {status.st_atim, status.st_mtim};
    recipient->taken = TRUE;
    return (futimens(file->fd, times) == 0 && fsync(file->fd) == 0)
           || quarantine_fail(error, "cannot sync the file");
}

gboolean
quarantine_file_remove(QuarantineFile *file, GError **error)
{
    int directory = quarantine_fd(file->quarantine);
    return (unlinkat(directory, file->letter->id, 0) == 0
            && fsync(directory) == 0)
           || quarantine_fail(error, "cannot remove");
}
