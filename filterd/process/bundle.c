/* bundle.c: the bytes of every file that a configuration is made of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file, or why there is none. */
typedef struct Entry {
    GBytes *bytes;
    GError *problem;
} Entry;

struct Bundle {
    GHashTable *entries; /* path: Entry */
    GPtrArray *paths;    /* as read; ends with NULL */
    GPtrArray *missed;   /* likewise */
};

static void
entry_free(void *data)
{
    Entry *entry = data;
    g_clear_pointer(&entry->bytes, g_bytes_unref);
    g_clear_error(&entry->problem);
    g_free(entry);
}

/* Of texts, with a NULL behind the last. */
static GPtrArray *
list_new(void)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(list, NULL);
    return list;
}

static void
list_add(GPtrArray *list, const char *text)
{
    g_ptr_array_insert(list, (gint)list->len - 1, g_strdup(text));
}

Bundle *
bundle_new(void)
{
    Bundle *bundle = g_new0(Bundle, 1);
    bundle->entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    bundle->paths = list_new();
    bundle->missed = list_new();
    return bundle;
}

void
bundle_free(Bundle *bundle)
{
    g_hash_table_unref(bundle->entries);
    g_ptr_array_unref(bundle->paths);
    g_ptr_array_unref(bundle->missed);
    g_free(bundle);
}

/* ---- reading ------------------------------------------------------------ */

static GBytes *
fail(GError **error, int number)
{
    g_set_error_literal(error, G_FILE_ERROR,
                        (gint)g_file_error_from_errno(number),
                        g_strerror(number));
    return NULL;
}

static GBytes *
read_all(int fd, GError **error)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    guint8 part[65536];
    ssize_t length;
    while ((length = read(fd, part, sizeof part)) > 0) {
        if (all->len + (gsize)length > BUNDLE_FILE_LIMIT)
            return fail(error, EFBIG);
        g_byte_array_append(all, part, (guint)length);
    }
    if (length < 0)
        return fail(error, errno);
    return g_byte_array_free_to_bytes(g_steal_pointer(&all));
}

/* A pipe or a device could make the master wait for ever. */
static GBytes *
read_file(const char *path, GError **error)
{
    struct stat status;
    GBytes *bytes = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail(error, errno);
    if (fstat(fd, &status) != 0)
        fail(error, errno);
    else if (S_ISREG(status.st_mode))
        bytes = read_all(fd, error);
    else
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "it is not a regular file");
    close(fd);
    return bytes;
}

static GBytes *
give(const Entry *entry, GError **error)
{
    if (entry->bytes != NULL)
        return g_bytes_ref(entry->bytes);
    g_propagate_error(error, g_error_copy(entry->problem));
    return NULL;
}

GBytes *
bundle_read(void *data, const char *path, GError **error)
{
    Bundle *bundle = data;
    Entry *entry = g_hash_table_lookup(bundle->entries, path);
    if (entry == NULL) {
        entry = g_new0(Entry, 1);
        entry->bytes = read_file(path, &entry->problem);
        g_hash_table_insert(bundle->entries, g_strdup(path), entry);
        list_add(bundle->paths, path);
    }
    return give(entry, error);
}

GBytes *
bundle_find(void *data, const char *path, GError **error)
{
    Bundle *bundle = data;
    const Entry *entry = g_hash_table_lookup(bundle->entries, path);
    if (entry != NULL)
        return give(entry, error);
    list_add(bundle->missed, path);
    return fail(error, ENOENT);
}

/* ---- looking ------------------------------------------------------------ */

const char *const *
bundle_missed(const Bundle *bundle)
{
    return (const char *const *)bundle->missed->pdata;
}

GBytes *
bundle_text(const Bundle *bundle, const char *path)
{
    const Entry *entry =
        path != NULL ? g_hash_table_lookup(bundle->entries, path) : NULL;
    return entry != NULL ? entry->bytes : NULL;
}

char *
bundle_line(const Bundle *bundle, const PolicyPlace *place)
{
    GBytes *bytes = bundle_text(bundle, place->file);
    if (bytes == NULL)
        return NULL;
    gsize left;
    const char *at = g_bytes_get_data(bytes, &left);
    const char *end = at + left;
    for (unsigned line = 1; line < place->line; line++) {
        at = memchr(at, '\n', (gsize)(end - at));
        if (at == NULL)
            return NULL;
        at++;
    }
    const char *stop = at < end ? memchr(at, '\n', (gsize)(end - at)) : NULL;
    return g_strndup(at, (gsize)((stop != NULL ? stop : end) - at));
}

const char *const *
bundle_paths(const Bundle *bundle)
{
    return (const char *const *)bundle->paths->pdata;
}
