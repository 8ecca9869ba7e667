/* SPDX-License-Identifier: Apache-2.0 */
#include "sqlite_storage.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 /* bytes of a reserved piece: small enough to be rewritten in one go */ };

struct store {
    sqlite3 *db, *lock;
    char *lock_path;
    int open; /* is a transaction open? */
};

/* --- statements ---------------------------------------------------------------------------------- */

static int32_t run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? MGC_CB_DONE : MGC_E_IO;
}

static int32_t begin(struct store *s)
{
    if (s->open) return MGC_CB_DONE;
    if (run(s->db, "BEGIN IMMEDIATE") != MGC_CB_DONE) return MGC_E_IO;
    s->open = 1;
    return MGC_CB_DONE;
}

/* NULL on failure.  name: bound as ?1 where it is not NULL. */
static sqlite3_stmt *prepare(struct store *s, const char *sql, const char *name)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK) return NULL;
    if (name != NULL && sqlite3_bind_text(q, 1, name, -1, SQLITE_TRANSIENT) != SQLITE_OK) {
        sqlite3_finalize(q);
        return NULL;
    }
    return q;
}

/* Run to the end; takes q, which may be NULL. */
static int32_t finish(sqlite3_stmt *q)
{
    int answer = q == NULL ? SQLITE_ERROR : sqlite3_step(q);

    sqlite3_finalize(q);
    return answer == SQLITE_DONE ? MGC_CB_DONE : MGC_E_IO;
}

/* Number and size of a file; 0: there is none, < 0: failure. */
static sqlite3_int64 find(struct store *s, const char *name, uint64_t *size)
{
    sqlite3_stmt *q = prepare(s, "SELECT id, size FROM files WHERE name = ?1", name);
    int step = q == NULL ? SQLITE_ERROR : sqlite3_step(q);
    sqlite3_int64 id = step == SQLITE_ROW ? sqlite3_column_int64(q, 0) : step == SQLITE_DONE ? 0 : -1;

    *size = step == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(q, 1) : 0;
    sqlite3_finalize(q);
    return id;
}

static int32_t numbers(struct store *s, const char *sql, sqlite3_int64 a, sqlite3_int64 b)
{
    sqlite3_stmt *q = prepare(s, sql, NULL);

    if (q == NULL) return MGC_E_IO;
    sqlite3_bind_int64(q, 1, a);
    if (sqlite3_bind_parameter_count(q) > 1) sqlite3_bind_int64(q, 2, b);
    return finish(q);
}

static int32_t put_piece(struct store *s, sqlite3_int64 file, uint64_t offset, const uint8_t *bytes, size_t len)
{
    sqlite3_stmt *q = prepare(s, "INSERT OR REPLACE INTO pieces(file, offset, bytes) VALUES (?1, ?2, ?3)", NULL);

    if (q == NULL) return MGC_E_IO;
    sqlite3_bind_int64(q, 1, file);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)offset);
    if (bytes == NULL) sqlite3_bind_zeroblob(q, 3, (int)len);
    else sqlite3_bind_blob64(q, 3, bytes, len, SQLITE_STATIC);
    return finish(q);
}

/* The pieces that reach into offset..offset + len, one a row: offset, bytes.  NULL on failure. */
static sqlite3_stmt *pieces(struct store *s, sqlite3_int64 file, uint64_t offset, size_t len)
{
    sqlite3_stmt *q = prepare(s,
                              "SELECT offset, bytes FROM pieces WHERE file = ?1 AND offset < ?3 AND offset >= "
                              "(SELECT max(offset) FROM pieces WHERE file = ?1 AND offset <= ?2) ORDER BY offset",
                              NULL);

    if (q == NULL) return NULL;
    sqlite3_bind_int64(q, 1, file);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)offset);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)(offset + len));
    return q;
}

/* --- the calls ----------------------------------------------------------------------------------- */

static int32_t store_lock(void *user)
{
    struct store *s = user;

    if (s->lock != NULL) return MGC_E_LOCKED;
    if (sqlite3_open(s->lock_path, &s->lock) == SQLITE_OK &&
        sqlite3_exec(s->lock, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK)
        return MGC_CB_DONE;
    int busy = s->lock != NULL && sqlite3_errcode(s->lock) == SQLITE_BUSY;
    sqlite3_close(s->lock);
    s->lock = NULL;
    return busy ? MGC_E_LOCKED : MGC_E_IO;
}

static int32_t store_unlock(void *user)
{
    struct store *s = user;

    /* what was not synced is not promised; rolled back, as a crash would */
    if (s->open) (void)run(s->db, "ROLLBACK");
    s->open = 0;
    sqlite3_close(s->lock);
    s->lock = NULL;
    return MGC_CB_DONE;
}

static int32_t store_list(void *user, mgc_storage_visit visit, void *visit_user)
{
    struct store *s = user;
    sqlite3_stmt *q = prepare(s, "SELECT name, size FROM files", NULL);
    int32_t answer = q == NULL ? MGC_E_IO : MGC_CB_DONE;
    int step = SQLITE_DONE;

    while (answer == MGC_CB_DONE && (step = sqlite3_step(q)) == SQLITE_ROW)
        answer = visit(visit_user, (const char *)sqlite3_column_text(q, 0), (uint64_t)sqlite3_column_int64(q, 1));
    sqlite3_finalize(q);
    return answer == MGC_CB_DONE && step != SQLITE_DONE ? MGC_E_IO : answer;
}

static int32_t store_read(void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len)
{
    struct store *s = user;
    uint64_t size, at = offset;
    sqlite3_int64 file = find(s, name, &size);
    sqlite3_stmt *q;

    if (file <= 0 || offset > size || len > size - offset) return MGC_E_IO;
    q = len > 0 ? pieces(s, file, offset, len) : NULL;
    while (at < offset + len && q != NULL && sqlite3_step(q) == SQLITE_ROW) {
        uint64_t from = (uint64_t)sqlite3_column_int64(q, 0);
        uint64_t n = (uint64_t)sqlite3_column_bytes(q, 1), skip = at - from;
        if (from > at || skip >= n) break; /* a hole: damaged */
        n -= skip;
        if (n > offset + len - at) n = offset + len - at;
        memcpy(bytes + (at - offset), (const uint8_t *)sqlite3_column_blob(q, 1) + skip, (size_t)n);
        at += n;
    }
    sqlite3_finalize(q);
    return at == offset + len ? MGC_CB_DONE : MGC_E_IO;
}

static int32_t store_append(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    struct store *s = user;
    uint64_t size;
    sqlite3_int64 file;
    int32_t answer = begin(s);

    if (answer != MGC_CB_DONE) return answer;
    file = find(s, name, &size);
    if (file == 0) {
        answer = finish(prepare(s, "INSERT INTO files(name, size) VALUES (?1, 0)", name));
        file = find(s, name, &size);
    }
    if (answer != MGC_CB_DONE || file <= 0) return MGC_E_IO;
    if (len > 0) answer = put_piece(s, file, size, bytes, len);
    return answer != MGC_CB_DONE ? answer
                                 : numbers(s, "UPDATE files SET size = ?2 WHERE id = ?1", file, (sqlite3_int64)(size + len));
}

/* A commit makes everything durable: files, names, all. */
static int32_t commit(struct store *s)
{
    if (!s->open) return MGC_CB_DONE;
    if (run(s->db, "COMMIT") != MGC_CB_DONE) return MGC_E_IO;
    s->open = 0;
    return MGC_CB_DONE;
}

static int32_t store_sync(void *user, const char *name)
{
    uint64_t size;

    return find(user, name, &size) > 0 ? commit(user) : MGC_E_IO;
}

static int32_t store_sync_names(void *user)
{
    return commit(user);
}

static int32_t store_truncate(void *user, const char *name, uint64_t size)
{
    struct store *s = user;
    uint64_t old;
    int32_t answer = begin(s);
    sqlite3_int64 file = find(s, name, &old);

    if (answer != MGC_CB_DONE || file < 0) return MGC_E_IO;
    if (file == 0) return size == 0 ? MGC_CB_DONE : MGC_E_IO;
    if (size > old) return MGC_E_IO;
    answer = numbers(s, "DELETE FROM pieces WHERE file = ?1 AND offset >= ?2", file, (sqlite3_int64)size);
    if (answer == MGC_CB_DONE)
        answer = numbers(s,
                         "UPDATE pieces SET bytes = substr(bytes, 1, ?2 - offset) WHERE file = ?1 AND offset + length(bytes) "
                         "> ?2 AND offset = (SELECT max(offset) FROM pieces WHERE file = ?1)",
                         file, (sqlite3_int64)size);
    return answer != MGC_CB_DONE ? answer
                                 : numbers(s, "UPDATE files SET size = ?2 WHERE id = ?1", file, (sqlite3_int64)size);
}

static int32_t drop(struct store *s, sqlite3_int64 file)
{
    int32_t answer = numbers(s, "DELETE FROM pieces WHERE file = ?1", file, 0);

    return answer != MGC_CB_DONE ? answer : numbers(s, "DELETE FROM files WHERE id = ?1", file, 0);
}

static int32_t store_remove(void *user, const char *name)
{
    struct store *s = user;
    uint64_t size;
    int32_t answer = begin(s);
    sqlite3_int64 file = find(s, name, &size);

    return answer == MGC_CB_DONE && file > 0 ? drop(s, file) : MGC_E_IO;
}

static int32_t store_rename(void *user, const char *from, const char *to)
{
    struct store *s = user;
    uint64_t size;
    int32_t answer = begin(s);
    sqlite3_int64 file = find(s, from, &size), old = find(s, to, &size);
    sqlite3_stmt *q;

    if (answer != MGC_CB_DONE || file <= 0 || old < 0) return MGC_E_IO;
    if (old == file) return MGC_CB_DONE;
    if (old > 0) answer = drop(s, old);
    if (answer != MGC_CB_DONE) return answer;
    q = prepare(s, "UPDATE files SET name = ?1 WHERE id = ?2", to);
    if (q != NULL) sqlite3_bind_int64(q, 2, file);
    return finish(q);
}

static int32_t store_reserve(void *user, const char *name, uint64_t size)
{
    struct store *s = user;
    uint64_t old;
    int32_t answer = begin(s);
    sqlite3_int64 file = find(s, name, &old);

    if (answer == MGC_CB_DONE && file > 0) answer = drop(s, file);
    if (answer == MGC_CB_DONE) answer = store_append(s, name, NULL, 0);
    file = find(s, name, &old);
    for (uint64_t at = 0; at < size && answer == MGC_CB_DONE; at += PIECE)
        answer = put_piece(s, file, at, NULL, size - at < PIECE ? (size_t)(size - at) : PIECE);
    return answer != MGC_CB_DONE || file <= 0
               ? MGC_E_IO
               : numbers(s, "UPDATE files SET size = ?2 WHERE id = ?1", file, (sqlite3_int64)size);
}

/* Piece by piece, from the end of each to its beginning. */
static int32_t store_write(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct store *s = user;
    uint64_t size, done = 0;
    int32_t answer = begin(s);
    sqlite3_int64 file = find(s, name, &size);

    if (answer != MGC_CB_DONE || file <= 0 || offset > size || len > size - offset) return MGC_E_IO;
    while (done < len && answer == MGC_CB_DONE) {
        sqlite3_stmt *q = pieces(s, file, offset + done, 1);
        uint64_t from, n, skip;
        uint8_t *copy = NULL;

        answer = q != NULL && sqlite3_step(q) == SQLITE_ROW ? MGC_CB_DONE : MGC_E_IO;
        if (answer == MGC_CB_DONE) {
            from = (uint64_t)sqlite3_column_int64(q, 0);
            n = (uint64_t)sqlite3_column_bytes(q, 1);
            skip = offset + done - from;
            copy = malloc((size_t)n + 1);
            if (copy == NULL) answer = MGC_E_NO_MEMORY;
            else memcpy(copy, sqlite3_column_blob(q, 1), (size_t)n);
        }
        sqlite3_finalize(q);
        if (answer == MGC_CB_DONE) {
            uint64_t part = n - skip < len - done ? n - skip : len - done;
            memcpy(copy + skip, bytes + done, (size_t)part);
            answer = put_piece(s, file, from, copy, (size_t)n);
            done += part;
        }
        free(copy);
    }
    return answer;
}

/* --- the handle ---------------------------------------------------------------------------------- */

void sqlite_storage_destroy(void *user)
{
    struct store *s = user;

    if (s == NULL) return;
    (void)store_unlock(s);
    sqlite3_close(s->db);
    free(s->lock_path);
    free(s);
}

const char *sqlite_storage_error(void *user)
{
    return sqlite3_errmsg(((struct store *)user)->db);
}

mgc_status sqlite_storage(const char *path, mgc_storage_ops *ops, void **user)
{
    struct store *s = calloc(1, sizeof *s);

    *user = NULL;
    if (s == NULL) return MGC_E_NO_MEMORY;
    s->lock_path = malloc(strlen(path) + sizeof "-lock");
    if (s->lock_path == NULL) {
        sqlite_storage_destroy(s);
        return MGC_E_NO_MEMORY;
    }
    sprintf(s->lock_path, "%s-lock", path);
    if (sqlite3_open(path, &s->db) != SQLITE_OK || run(s->db, "PRAGMA journal_mode = WAL") != MGC_CB_DONE ||
        run(s->db, "PRAGMA synchronous = FULL") != MGC_CB_DONE ||
        run(s->db, "CREATE TABLE IF NOT EXISTS files(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size INTEGER NOT NULL)") !=
            MGC_CB_DONE ||
        run(s->db, "CREATE TABLE IF NOT EXISTS pieces(file INTEGER NOT NULL, offset INTEGER NOT NULL, bytes BLOB NOT NULL, "
                   "PRIMARY KEY(file, offset)) WITHOUT ROWID") != MGC_CB_DONE) {
        sqlite_storage_destroy(s);
        return MGC_E_IO;
    }
    *ops = (mgc_storage_ops){.struct_size = sizeof *ops, .version = 1, .lock = store_lock, .unlock = store_unlock,
                             .list = store_list, .read = store_read, .append = store_append, .sync = store_sync,
                             .truncate = store_truncate, .rename = store_rename, .remove = store_remove,
                             .sync_names = store_sync_names, .reserve = store_reserve, .write = store_write};
    *user = s;
    return MGC_OK;
}
