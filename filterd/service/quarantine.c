/* quarantine.c: messages that are kept here: the directory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/quarantine.h"

#include "filterd/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Before a file's name while it is written. */
#define UNFINISHED "tmp-"
/* How many were released, and how many expired. */
#define TALLY ".tally"
#define TALLY_FORMAT "%020" G_GINT64_FORMAT " %020" G_GINT64_FORMAT "\n"
#define CHUNK 65536
/* When it is full: between two looks at whether it still is, milliseconds. */
#define LOOK_PAUSE 5000

struct Quarantine {
    int fd;
};

gboolean
quarantine_fail(GError **error, const char *what)
{
    int saved = errno;
    gint code = saved == EDQUOT || saved == EFBIG
                    ? G_FILE_ERROR_NOSPC
                    : (gint)g_file_error_from_errno(saved);
    g_set_error(error, G_FILE_ERROR, code, "the quarantine: %s: %s", what,
                g_strerror(saved));
    return FALSE;
}

Quarantine *
quarantine_open(const char *state_directory, GError **error)
{
    g_autofree char *path =
        g_build_filename(state_directory, QUARANTINE_DIRECTORY, NULL);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        quarantine_fail(error, path);
        return NULL;
    }
    Quarantine *quarantine = g_new(Quarantine, 1);
    quarantine->fd = fd;
    return quarantine;
}

void
quarantine_close(Quarantine *quarantine)
{
    close(quarantine->fd);
    g_free(quarantine);
}

int
quarantine_fd(const Quarantine *quarantine)
{
    return quarantine->fd;
}

/* ---- keeping ------------------------------------------------------------ */

typedef struct Writer {
    Quarantine *quarantine;
    int fd;
    GString *pending;
    int64_t reserved, limit;
} Writer;

/* Others may have made room that nobody has seen yet; what is being written is
 * not seen either. */
static gboolean
find_room(Writer *writer, int64_t octets)
{
    if (!quarantine_board_due(LOOK_PAUSE)
        || !quarantine_sweep(writer->quarantine, 0, NULL))
        return FALSE;
    quarantine_board_give_back(-writer->reserved);
    return quarantine_board_reserve(octets, writer->limit);
}

static gboolean
reserve(Writer *writer, int64_t octets, GError **error)
{
    if (!quarantine_board_reserve(octets, writer->limit)
        && !find_room(writer, octets)) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC,
                            "the quarantine: it is as large as "
                            "`quarantine-size` lets it be");
        return FALSE;
    }
    writer->reserved += octets;
    return TRUE;
}

static gboolean
flush(Writer *writer, GError **error)
{
    const GString *pending = writer->pending;
    gsize done = 0;
    if (!reserve(writer, (int64_t)pending->len, error))
        return FALSE;
    while (done < pending->len) {
        gssize part =
            write(writer->fd, pending->str + done, pending->len - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return quarantine_fail(error, "cannot write");
        done += (gsize)part;
    }
    g_string_truncate(writer->pending, 0);
    return TRUE;
}

static gboolean
take(const char *bytes, gsize length, void *data, GError **error)
{
    Writer *writer = data;
    g_string_append_len(writer->pending, bytes, (gssize)length);
    return writer->pending->len < CHUNK || flush(writer, error);
}

static gboolean
write_file(Writer *writer, const QuarantineLetter *letter,
           const QuarantineContent *content, GError **error)
{
    quarantine_letter_format(letter, writer->pending);
    return reserve(writer, QUARANTINE_FILE_COST, error)
           && content->write(content->message, take, writer, error)
           && flush(writer, error)
           && (fsync(writer->fd) == 0
               || quarantine_fail(error, "cannot sync the file"));
}

/* Its name is on the disk, or it is not there. */
static gboolean
give_name(const Quarantine *quarantine, const char *unfinished, const char *id,
          GError **error)
{
    if (renameat(quarantine->fd, unfinished, quarantine->fd, id) != 0)
        return quarantine_fail(error, "cannot rename");
    if (fsync(quarantine->fd) == 0)
        return TRUE;
    quarantine_fail(error, "cannot sync the directory");
    unlinkat(quarantine->fd, id, 0);
    return FALSE;
}

static gboolean
put(Writer *writer, const QuarantineLetter *letter,
    const QuarantineContent *content, GError **error)
{
    const Quarantine *quarantine = writer->quarantine;
    g_autofree char *unfinished = g_strconcat(UNFINISHED, letter->id, NULL);
    writer->fd =
        openat(quarantine->fd, unfinished,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (writer->fd < 0)
        return quarantine_fail(error, "cannot make a file");
    flock(writer->fd, LOCK_EX);
    gboolean kept = write_file(writer, letter, content, error)
                    && give_name(quarantine, unfinished, letter->id, error);
    if (!kept)
        unlinkat(quarantine->fd, unfinished, 0);
    close(writer->fd);
    return kept;
}

gboolean
quarantine_put(Quarantine *quarantine, const QuarantineLetter *letter,
               const QuarantineContent *content, int64_t limit, GError **error)
{
    g_assert(quarantine_id_valid(letter->id));
    Writer writer = {.quarantine = quarantine,
                     .pending = g_string_sized_new(CHUNK),
                     .limit = limit};
    gboolean kept = put(&writer, letter, content, error);
    if (kept)
        quarantine_board_kept(letter->time);
    else
        quarantine_board_give_back(writer.reserved);
    g_string_free(writer.pending, TRUE);
    return kept;
}

/* ---- the tally ---------------------------------------------------------- */

static void
count_in(int fd, int64_t released, int64_t expired, QuarantineCount *count)
{
    char text[64] = "";
    if (pread(fd, text, sizeof text - 1, 0) > 0)
        sscanf(text, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, &count->released,
               &count->expired);
    count->released += released;
    count->expired += expired;
    if (released == 0 && expired == 0)
        return;
    int length = g_snprintf(text, sizeof text, TALLY_FORMAT, count->released,
                            count->expired);
    if (pwrite(fd, text, (size_t)length, 0) != length && ftruncate(fd, 0) != 0)
        return;
}

/* Numbers for people to look at: where they cannot be written mail goes on. */
static void
count_ever(const Quarantine *quarantine, int64_t released, int64_t expired,
           QuarantineCount *count)
{
    int fd =
        openat(quarantine->fd, TALLY,
               O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX) == 0)
        count_in(fd, released, expired, count);
    close(fd);
}

void
quarantine_tally(Quarantine *quarantine, int64_t released, int64_t expired)
{
    QuarantineCount count = {0};
    count_ever(quarantine, released, expired, &count);
}

/* ---- looking ------------------------------------------------------------ */

/* Of the names in it; the caller closes. */
static DIR *
open_listing(const Quarantine *quarantine, GError **error)
{
    int fd = openat(quarantine->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    if (listing == NULL)
        quarantine_fail(error, "cannot read the directory");
    return listing;
}

GPtrArray *
quarantine_list(Quarantine *quarantine, GError **error)
{
    DIR *listing = open_listing(quarantine, error);
    if (listing == NULL)
        return NULL;
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    const struct dirent *entry;
    while ((entry = readdir(listing)) != NULL)
        if (quarantine_id_valid(entry->d_name))
            g_ptr_array_add(ids, g_strdup(entry->d_name));
    closedir(listing);
    return ids;
}

/* FALSE: somebody has it in hand. */
static gboolean
remove_unused(const Quarantine *quarantine, const char *name)
{
    int fd = openat(quarantine->fd, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return FALSE;
    gboolean gone = flock(fd, LOCK_EX | LOCK_NB) == 0
                    && unlinkat(quarantine->fd, name, 0) == 0;
    close(fd);
    return gone;
}

static void
look_at(const Quarantine *quarantine, const char *name, int64_t limit,
        QuarantineCount *count, int64_t *expired)
{
    struct stat status;
    if (fstatat(quarantine->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0
        || !S_ISREG(status.st_mode))
        return;
    int64_t born = (int64_t)status.st_mtim.tv_sec * 1000
                   + status.st_mtim.tv_nsec / 1000000;
    if (born < limit && remove_unused(quarantine, name)) {
        ++*expired;
        return;
    }
    count->messages++;
    count->octets += status.st_size + QUARANTINE_FILE_COST;
    if (count->oldest == 0 || born < count->oldest)
        count->oldest = MAX(born, 1);
}

gboolean
quarantine_sweep(Quarantine *quarantine, int64_t lifetime, GError **error)
{
    int64_t limit = lifetime > 0 ? clock_real() - lifetime : INT64_MIN;
    int64_t expired = 0;
    QuarantineCount count = {0};
    const struct dirent *entry;
    DIR *listing = open_listing(quarantine, error);
    if (listing == NULL)
        return FALSE;
    while ((entry = readdir(listing)) != NULL)
        if (quarantine_id_valid(entry->d_name))
            look_at(quarantine, entry->d_name, limit, &count, &expired);
        else if (g_str_has_prefix(entry->d_name, UNFINISHED))
            remove_unused(quarantine, entry->d_name);
    closedir(listing);
    count_ever(quarantine, 0, expired, &count);
    quarantine_board_set(&count);
    return TRUE;
}
