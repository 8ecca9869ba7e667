/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file storage.h
 * Where the bytes of a ledger and of the consensus log go: a table of calls that the host fills, or the embedded
 * default over a folder of files.
 *
 * A store is a flat set of named files.  A ledger's grow at the end; the consensus log writes into files that were
 * filled with zeros beforehand, because a sync that need not record a new file size costs about half.  Names are
 * 1..MGC_STORAGE_NAME_MAX characters of [a-z0-9.-], chosen by the library; a host may map them to whatever it has.
 *
 * Every call is made on the thread that called the library, one at a time per ledger.  A call may
 * not use the ledger, the chain or the context that is calling it.  It answers MGC_CB_DONE or a
 * negative status, which the outer call returns unchanged; 0 is not an answer (MGC_E_CALLBACK).
 *
 * What the library relies upon, and nothing else:
 *  - bytes whose sync() was DONE survive loss of power, unchanged;
 *  - bytes appended since may survive in part, in any order, torn or not at all;
 *  - a file created, renamed or removed is durably so once sync_names() was DONE.
 */
#ifndef MGCHAIN_STORAGE_H
#define MGCHAIN_STORAGE_H

#include "mgchain/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MGC_STORAGE_NAME_MAX = 63 };

/** Called by list() once a file; name is borrowed until it returns.  A negative answer ends the list
 *  and is list()'s own answer. */
typedef int32_t (*mgc_storage_visit)(void *visit_user, const char *name, uint64_t size);

/** The calls of a store. */
typedef struct mgc_storage_ops {
    size_t struct_size;
    uint32_t version;   /**< meaning of the calls; 1 is current */
    uint32_t reserved0; /**< 0 */

    /** Hold the store against every other writer until unlock(); MGC_E_LOCKED where one holds it.
     *  Optional: NULL means that the host vouches for it.  Not called for a read-only ledger. */
    int32_t (*lock)(void *user);
    /** Let the store go. */
    int32_t (*unlock)(void *user);

    /** Name every file, in any order. */
    int32_t (*list)(void *user, mgc_storage_visit visit, void *visit_user);

    /** Fill exactly len bytes from offset; a file that ends before is MGC_E_IO. */
    int32_t (*read)(void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len);

    /** Append len bytes to a file, which is created where it is absent.  All or, after a failure, any prefix
     *  of the bytes may be there: the library truncates before it goes on.
     *  They need not survive a crash until sync() is DONE. */
    int32_t (*append)(void *user, const char *name, const uint8_t *bytes, size_t len);

    /** DONE only when every earlier append to the file survives loss of power.  A failure is final: the
     *  library never calls it again on this ledger and never trusts what was not synced before. */
    int32_t (*sync)(void *user, const char *name);

    /** Cut a file down to size bytes, durably after the next sync().  DONE where the file is absent and size is 0. */
    int32_t (*truncate)(void *user, const char *name, uint64_t size);

    /** Give a file another name; a file of that name is replaced, in one step. */
    int32_t (*rename)(void *user, const char *from, const char *to);

    /** Remove a file. */
    int32_t (*remove)(void *user, const char *name);

    /** DONE only when every earlier creation, rename and removal survives loss of power. */
    int32_t (*sync_names)(void *user);

    /** Create a file of size bytes, all zero and really written, so that later writes into it change no bookkeeping
     *  of the file system; a file of that name is replaced.  Durable after sync() and sync_names().
     *  Optional, as is write(): a ledger needs neither, the consensus log needs both. */
    int32_t (*reserve)(void *user, const char *name, uint64_t size);

    /** Overwrite len bytes from offset; the file has them already.  Durable after sync(); until then, as with
     *  append(), any part of them may be there, and sectors that were not written stay as they were.
     *  The embedded default makes short writes of whole sectors durable at once, where the system can (doc/consensus.md). */
    int32_t (*write)(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len);

    /** Begin what write() does, and come back without waiting for the disk: a leader sends its entries to the others meanwhile.
     *  The next sync() of the file waits for it and answers for it, as for any other write; before its DONE the library counts
     *  nothing of it as durable.  The bytes are borrowed, and stay as they are, until that sync() returned, whatever it
     *  answered: it comes in any case, even if only when the log is closed.  Until then the library begins no other write,
     *  and calls nothing for the file but read() of other places; other files it may use.
     *  A negative answer: nothing is on its way, any part may be there, and nothing is borrowed.
     *  Optional: where it is NULL, write() is called. */
    int32_t (*begin_write)(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len);
} mgc_storage_ops;

/**
 * The embedded default: one folder of the file system.
 *
 * A write that is cut short or interrupted is continued; "disk full" and the like come back as MGC_E_IO with
 * the system's words in the context's error text.
 *
 * @param ctx    outlives the storage
 * @param folder copied; created where it is absent and create is not 0
 * @param create 0: the folder must exist (reading, verifying)
 * @param ops    filled; pass it to mgc_ledger_open() with *user
 * @param user   NULL on failure; free with mgc_storage_files_destroy() after the ledger
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY, MGC_E_IO
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_storage_files(mgc_ctx *ctx, const char *folder, uint32_t create,
                                                   mgc_storage_ops *ops, void **user);

/** Close what is open and free; NULL is fine.  Since 0.1 */
MGC_API void mgc_storage_files_destroy(void *user);

#ifdef __cplusplus
}
#endif
#endif
