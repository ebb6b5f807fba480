/* spool.c: the octets of a body: in memory, and past a limit in an unlinked
 * file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

/* The chunks come first, then `written` octets of the file, then `pending`. */
struct MailSpool {
    gsize memory;
    char *directory;
    gsize size;
    char tail[2];      /* the last octets */
    GPtrArray *chunks; /* of GByteArray */
    gsize kept;        /* octets in them */
    int fd;
    gsize written;
    GByteArray *pending;
};

MailSpool *
mail_spool_new(gsize memory, const char *directory)
{
    MailSpool *spool = g_new0(MailSpool, 1);
    spool->memory = directory != NULL ? memory : G_MAXSIZE;
    spool->directory = g_strdup(directory);
    spool->chunks =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    spool->fd = -1;
    return spool;
}

void
mail_spool_free(MailSpool *spool)
{
    if (spool == NULL)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    g_clear_pointer(&spool->pending, g_byte_array_unref);
    g_ptr_array_unref(spool->chunks);
    g_free(spool->directory);
    g_free(spool);
}

static gboolean
set_error(GError **error, const char *what)
{
    int saved = errno;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved),
                "the spool cannot be %s: %s", what, g_strerror(saved));
    return FALSE;
}

static GByteArray *
last_chunk(MailSpool *spool)
{
    guint length = spool->chunks->len;
    GByteArray *last = length > 0 ? spool->chunks->pdata[length - 1] : NULL;
    if (last == NULL || last->len == CHUNK) {
        last = g_byte_array_new();
        g_ptr_array_add(spool->chunks, last);
    }
    return last;
}

static void
keep(MailSpool *spool, const char *bytes, gsize length)
{
    spool->kept += length;
    while (length > 0) {
        GByteArray *chunk = last_chunk(spool);
        gsize part = MIN(length, CHUNK - chunk->len);
        g_byte_array_append(chunk, (const guint8 *)bytes, part);
        bytes += part;
        length -= part;
    }
}

/* Not every file system can make a file without a name. */
static int
open_named(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "filterd-XXXXXX", NULL);
    int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        g_unlink(path);
    return fd;
}

static gboolean
open_file(MailSpool *spool, GError **error)
{
    spool->fd = open(spool->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (spool->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        spool->fd = open_named(spool->directory);
    if (spool->fd < 0)
        return set_error(error, "opened");
    spool->pending = g_byte_array_sized_new(CHUNK);
    return TRUE;
}

static gboolean
flush(MailSpool *spool, GError **error)
{
    gsize done = 0;
    while (done < spool->pending->len) {
        gssize part = pwrite(spool->fd, spool->pending->data + done,
                             spool->pending->len - done, spool->written);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return set_error(error, "written");
        done += part;
        spool->written += part;
    }
    g_byte_array_set_size(spool->pending, 0);
    return TRUE;
}

static gboolean
put_away(MailSpool *spool, const char *bytes, gsize length, GError **error)
{
    if (spool->fd < 0 && !open_file(spool, error))
        return FALSE;
    while (length > 0) {
        gsize part = MIN(length, CHUNK - spool->pending->len);
        g_byte_array_append(spool->pending, (const guint8 *)bytes, part);
        if (spool->pending->len == CHUNK && !flush(spool, error))
            return FALSE;
        bytes += part;
        length -= part;
    }
    return TRUE;
}

static void
note_tail(MailSpool *spool, const char *bytes, gsize length)
{
    if (length == 1) {
        spool->tail[0] = spool->tail[1];
        spool->tail[1] = bytes[0];
    } else if (length > 1)
        memcpy(spool->tail, bytes + length - 2, 2);
}

gboolean
mail_spool_add(MailSpool *spool, const char *bytes, gsize length,
               GError **error)
{
    gsize here = MIN(length, spool->memory - spool->kept);
    keep(spool, bytes, here);
    if (length > here && !put_away(spool, bytes + here, length - here, error))
        return FALSE;
    spool->size += length;
    note_tail(spool, bytes, length);
    return TRUE;
}

gsize
mail_spool_size(const MailSpool *spool)
{
    return spool->size;
}

gboolean
mail_spool_ends_line(const MailSpool *spool)
{
    return spool->size == 0 || memcmp(spool->tail, "\r\n", 2) == 0;
}

static gboolean
each_in_file(const MailSpool *spool, MailSpoolFunc *func, void *data,
             GError **error)
{
    g_autofree char *buffer = g_malloc(CHUNK);
    gsize at = 0;
    while (at < spool->written) {
        gsize want = MIN(CHUNK, spool->written - at);
        gssize part = pread(spool->fd, buffer, want, at);
        if (part < 0 && errno == EINTR)
            continue;
        if (part == 0)
            errno = EIO;
        if (part <= 0)
            return set_error(error, "read");
        if (!func(buffer, part, data, error))
            return FALSE;
        at += part;
    }
    return TRUE;
}

static gboolean
each_in_array(const GByteArray *array, MailSpoolFunc *func, void *data,
              GError **error)
{
    return array == NULL || array->len == 0
           || func((const char *)array->data, array->len, data, error);
}

gboolean
mail_spool_each(const MailSpool *spool, MailSpoolFunc *func, void *data,
                GError **error)
{
    for (guint i = 0; i < spool->chunks->len; i++)
        if (!each_in_array(spool->chunks->pdata[i], func, data, error))
            return FALSE;
    return (spool->written == 0 || each_in_file(spool, func, data, error))
           && each_in_array(spool->pending, func, data, error);
}
