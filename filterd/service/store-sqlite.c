/* store-sqlite.c: the table of keys and values, in one file; blocking.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/store-sqlite.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Milliseconds that another worker's write is waited for, in one go; and in
 * all, since SQLite gives no turns and does not wait at all where two open a
 * file at once. */
#define BUSY_TIMEOUT 1000
#define BUSY_PATIENCE 1500
#define BUSY_PAUSE 10

/* A look at the number of entries for so many writes; prime, so that no space
 * is always left out where several write in turn. */
#define TRIM_EVERY 61
/* Removed by such a look: more than was written since the last one, and no more
 * than others can wait for. */
#define TRIM_AT_ONCE 250

#define TRIM (STORE_LIST + 1)
#define STATEMENTS (TRIM + 1)

struct StoreSqlite {
    char *path; /* NULL: in memory */
    int64_t entries;
    unsigned writes;
    unsigned opened; /* how often */
    sqlite3 *base;
    sqlite3_stmt *statements[STATEMENTS];
};

enum { SPACE = 1, KEY, NOW, UNTIL, VALUE, LAST };

#define LIMIT_CACHE "PRAGMA cache_size=-1024;"

/* Entries are counted as they come and go. */
static const char setup[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;" LIMIT_CACHE
    "PRAGMA journal_size_limit=4194304;"
    "CREATE TABLE IF NOT EXISTS entry (space TEXT NOT NULL, key TEXT NOT NULL,"
    " value BLOB NOT NULL, expires INTEGER NOT NULL,"
    " PRIMARY KEY (space, key)) WITHOUT ROWID;"
    "DROP INDEX IF EXISTS entry_expires;"
    "CREATE INDEX IF NOT EXISTS entry_end ON entry (space, expires);"
    "CREATE TABLE IF NOT EXISTS space (name TEXT PRIMARY KEY,"
    " entries INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TRIGGER IF NOT EXISTS entry_new AFTER INSERT ON entry BEGIN"
    " INSERT INTO space VALUES (new.space, 1)"
    " ON CONFLICT (name) DO UPDATE SET entries = entries + 1; END;"
    "CREATE TRIGGER IF NOT EXISTS entry_gone AFTER DELETE ON entry BEGIN"
    " UPDATE space SET entries = entries - 1 WHERE name = old.space; END;";

/* Of the file of an older version. It reads all of them. */
static const char count[] =
    "INSERT OR IGNORE INTO space SELECT space, count(*) FROM entry"
    " GROUP BY space;";

/* A lifetime of 0 (UNTIL 0) keeps the end that a living entry has. */
#define NEVER "9223372036854775807"
#define NEW_END "CASE WHEN ?4 > 0 THEN ?4 ELSE " NEVER " END"
#define END                                                   \
    "CASE WHEN ?4 > 0 THEN ?4 WHEN expires <= ?3 THEN " NEVER \
    " ELSE expires END"

/* A sum too large for 64 bits is a REAL, and stops at the bound. */
static const char *const texts[STATEMENTS] = {
    [STORE_GET] = "SELECT value FROM entry"
                  " WHERE space = ?1 AND key = ?2 AND expires > ?3",
    [STORE_PUT] = "INSERT INTO entry VALUES (?1, ?2, ?5, " NEW_END ")"
                  " ON CONFLICT (space, key) DO UPDATE"
                  " SET value = excluded.value, expires = " END,
    [STORE_ADD] = "INSERT INTO entry"
                  " VALUES (?1, ?2, CAST(?5 AS TEXT), " NEW_END ")"
                  " ON CONFLICT (space, key) DO UPDATE SET value ="
                  " CAST(CASE WHEN expires <= ?3 THEN ?5 ELSE"
                  " CAST(CAST(value AS INTEGER) + ?5 AS INTEGER) END AS TEXT),"
                  " expires = " END " RETURNING CAST(value AS INTEGER)",
    [STORE_EXPIRE] = "DELETE FROM entry WHERE (space, key) IN"
                     " (SELECT space, key FROM space CROSS JOIN entry"
                     " ON space = name AND expires <= ?3 LIMIT ?5)",
    [STORE_LIST] = "SELECT value, key FROM entry"
                   " WHERE space = ?1 AND key > ?2 AND key < ?6"
                   " AND expires > ?3 ORDER BY key LIMIT ?5",
    [TRIM] =
        "DELETE FROM entry WHERE (space, key) IN"
        " (SELECT space, key FROM entry WHERE space = ?1 ORDER BY expires"
        " LIMIT min(" G_STRINGIFY(TRIM_AT_ONCE) ", max(0,"
                                                " (SELECT entries FROM space "
                                                "WHERE name = ?1) - ?5)))",
};

StoreSqlite *
store_sqlite_new(const char *path, int64_t entries)
{
    StoreSqlite *sqlite = g_new0(StoreSqlite, 1);
    sqlite->path = g_strdup(path);
    sqlite->entries = entries;
    return sqlite;
}

static void
close_base(StoreSqlite *sqlite)
{
    for (gsize i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(g_steal_pointer(&sqlite->statements[i]));
    sqlite3_close(g_steal_pointer(&sqlite->base));
}

void
store_sqlite_free(StoreSqlite *sqlite)
{
    close_base(sqlite);
    g_free(sqlite->path);
    g_free(sqlite);
}

/* Senders and recipients are nobody else's business. SQLite gives the files
 * beside it the same mode. */
static void
create_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* A condition in the count itself would be judged for each row: SQLite 3.40
 * reads all of an index for a GROUP BY, even if no row is wanted. */
static int
count_once(sqlite3 *base)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(base, "SELECT 1 FROM space", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code == SQLITE_DONE)
        return sqlite3_exec(base, count, NULL, NULL, NULL);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int
open_base(StoreSqlite *sqlite)
{
    if (sqlite->base != NULL)
        return SQLITE_OK;
    if (sqlite->path != NULL)
        create_file(sqlite->path);
    int code = sqlite3_open_v2(
        sqlite->path != NULL ? sqlite->path : ":memory:", &sqlite->base,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite->opened++;
    sqlite3_busy_timeout(sqlite->base, BUSY_TIMEOUT);
    code = sqlite3_exec(sqlite->base, setup, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = count_once(sqlite->base);
    for (gsize i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(sqlite->base, texts[i], -1,
                                  SQLITE_PREPARE_PERSISTENT,
                                  &sqlite->statements[i], NULL);
    return code;
}

/* Binding a parameter that a statement has not is an error of no consequence.
 */
static void
bind_request(sqlite3_stmt *statement, const StoreRequest *request)
{
    int64_t until = 0;
    if (request->lifetime > 0
        && __builtin_add_overflow(request->now, request->lifetime, &until))
        until = INT64_MAX;
    sqlite3_bind_text(statement, SPACE, request->space, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, KEY, request->key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, NOW, request->now);
    sqlite3_bind_int64(statement, UNTIL, until);
    if (request->kind == STORE_LIST)
        sqlite3_bind_text(statement, LAST, request->end, -1, SQLITE_STATIC);
    if (request->kind == STORE_PUT)
        sqlite3_bind_blob(statement, VALUE,
                          request->length > 0 ? request->value : "",
                          (int)request->length, SQLITE_STATIC);
    else
        sqlite3_bind_int64(statement, VALUE, request->number);
}

static void
take_row(sqlite3_stmt *statement, StoreRequest *request)
{
    request->status = FILTERD_STORE_OK;
    if (request->kind == STORE_ADD) {
        request->number = sqlite3_column_int64(statement, 0);
        return;
    }
    const char *bytes = sqlite3_column_blob(statement, 0);
    gsize length = (gsize)sqlite3_column_bytes(statement, 0);
    char *value = g_malloc(length + 1);
    if (length > 0)
        memcpy(value, bytes, length);
    value[length] = '\0';
    g_clear_pointer(&request->found, g_bytes_unref);
    request->found = g_bytes_new_take(value, length);
    if (request->kind != STORE_LIST)
        return;
    StoreEntry *entry = g_new(StoreEntry, 1);
    entry->key = g_strdup((const char *)sqlite3_column_text(statement, 1));
    entry->value = g_steal_pointer(&request->found);
    g_ptr_array_add(request->list, entry);
}

/* To the end: only then is a change committed. */
static int
step(sqlite3_stmt *statement, StoreRequest *request)
{
    bind_request(statement, request);
    request->status =
        request->kind == STORE_GET ? FILTERD_STORE_ABSENT : FILTERD_STORE_OK;
    int code = sqlite3_step(statement);
    while (code == SQLITE_ROW) {
        take_row(statement, request);
        code = sqlite3_step(statement);
    }
    if (request->kind == STORE_EXPIRE)
        request->number = sqlite3_changes(sqlite3_db_handle(statement));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code;
}

/* What ends first goes first: of a plugin that gives a first try less time than
 * what has passed, the tries that nobody repeats. If it fails, the next write
 * says why. */
static void
trim(StoreSqlite *sqlite, const StoreRequest *request)
{
    sqlite3_stmt *statement = sqlite->statements[TRIM];
    if (request->kind != STORE_PUT && request->kind != STORE_ADD)
        return;
    if (++sqlite->writes % TRIM_EVERY != 0)
        return;
    sqlite3_bind_text(statement, SPACE, request->space, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, VALUE, sqlite->entries);
    sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static void
fail(StoreSqlite *sqlite, StoreRequest *request, GError **error)
{
    int number = sqlite3_system_errno(sqlite->base);
    gboolean opening = sqlite3_errcode(sqlite->base) == SQLITE_CANTOPEN;
    g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: %s%s%s",
                sqlite->path != NULL ? sqlite->path : "memory",
                sqlite3_errmsg(sqlite->base),
                opening && number != 0 ? ": " : "",
                opening && number != 0 ? g_strerror(number) : "");
    request->status = FILTERD_STORE_FAILED;
    g_clear_pointer(&request->found, g_bytes_unref);
    close_base(sqlite);
}

static int
attempt(StoreSqlite *sqlite, StoreRequest *request)
{
    int code = open_base(sqlite);
    return code == SQLITE_OK ? step(sqlite->statements[request->kind], request)
                             : code;
}

gboolean
store_sqlite_run(StoreSqlite *sqlite, StoreRequest *request, GError **error)
{
    int64_t until = g_get_monotonic_time() + BUSY_PATIENCE * 1000;
    int code = attempt(sqlite, request);
    while (code == SQLITE_BUSY && g_get_monotonic_time() < until) {
        close_base(sqlite);
        g_usleep(BUSY_PAUSE * 1000);
        code = attempt(sqlite, request);
    }
    if (code == SQLITE_DONE) {
        trim(sqlite, request);
        return TRUE;
    }
    fail(sqlite, request, error);
    return FALSE;
}

unsigned
store_sqlite_opened(const StoreSqlite *sqlite)
{
    return sqlite->opened;
}

/* ---- reading without waiting -------------------------------------------- */

struct StoreReader {
    sqlite3 *base;
    sqlite3_stmt *statement;
};

static gboolean
lies_in_memory(const char *path)
{
    struct statfs about;
    return path != NULL && statfs(path, &about) == 0
           && about.f_type == TMPFS_MAGIC;
}

/* No busy handler: what is locked is not waited for. */
static int
open_reader(StoreReader *reader, const char *path)
{
    int code = sqlite3_open_v2(
        path, &reader->base, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(reader->base, LIMIT_CACHE, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v3(reader->base, texts[STORE_GET], -1,
                                  SQLITE_PREPARE_PERSISTENT, &reader->statement,
                                  NULL);
    return code;
}

StoreReader *
store_reader_new(const StoreSqlite *sqlite)
{
    if (!lies_in_memory(sqlite->path))
        return NULL;
    StoreReader *reader = g_new0(StoreReader, 1);
    if (open_reader(reader, sqlite->path) != SQLITE_OK)
        g_clear_pointer(&reader, store_reader_free);
    return reader;
}

void
store_reader_free(StoreReader *reader)
{
    sqlite3_finalize(reader->statement);
    sqlite3_close(reader->base);
    g_free(reader);
}

gboolean
store_reader_get(StoreReader *reader, StoreRequest *request)
{
    if (step(reader->statement, request) == SQLITE_DONE)
        return TRUE;
    g_clear_pointer(&request->found, g_bytes_unref);
    request->status = FILTERD_STORE_FAILED;
    return FALSE;
}
