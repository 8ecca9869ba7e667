/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded storage: a folder of files.  The one file of this room that speaks to the operating system.
 *
 * The file that was appended to last and the two that were written into last stay open; every other call opens, works
 * and closes.
 *
 * A short write of whole sectors into a file goes past the page cache and is durable when it returns, where system, file
 * system and disk can do that: one call instead of two, and a disk that can write through writes through instead of emptying its
 * cache.  Otherwise, and for all other writes, the next sync() does it.
 *
 * Such a write can also be begun: the kernel carries it out (io_submit) while the caller does other things, and sync() waits for
 * it.  Where that cannot be done sync() writes first: the bytes are lent until then, and who began shall not wait. */
#define _GNU_SOURCE /* O_DIRECT, pwritev2(), syscall() */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__linux__) && defined(O_DIRECT) && defined(RWF_DSYNC)
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#if defined(SYS_io_setup) && defined(SYS_io_submit) && defined(SYS_io_getevents) && defined(SYS_io_destroy)
#define CAN_BEGIN 1 /* by the kernel's own calls: no library stands between */
#endif
#endif

#include "base/base.h"
#include "mgchain/storage.h"

enum {
    PATH_BYTES = 4096,
    WRITERS = 2,      /* the consensus log writes its last segment and, seldom, its term and vote */
    ZEROS = 1 << 20,  /* bytes of zeros written at once */
    SECTOR = 512,
    DIRECT_ALIGN = 4096, /* of memory; no disk asks for more */
    DIRECT_MAX = 1 << 16 /* bytes: a longer write takes its time for them, and who reads them again finds them in the cache */
};

struct writer {
    int fd;        /* -1: none */
    int direct;    /* the same file past the page cache; -1: it cannot be written so */
    bool unsynced; /* holds what only a sync makes durable, or may: who opens a file does not know */
    char name[MGC_STORAGE_NAME_MAX + 1];
};

/* The write that was begun last. */
struct begun {
    bool on_its_way;
    const uint8_t *lent; /* NULL: the kernel has it */
    int error; /* what became of it, until sync() has told: errno; 0: good, or none */
    char name[MGC_STORAGE_NAME_MAX + 1];
    uint64_t offset;
    size_t len;
};

struct files {
    mgc_ctx *ctx;
    char *folder;
    int lock;   /* -1: not held */
    int append; /* -1: none open */
    char name[MGC_STORAGE_NAME_MAX + 1];
    struct writer writers[WRITERS]; /* the one used last comes first */
    uint8_t *direct_memory;         /* DIRECT_MAX and room to align; NULL until it is needed; a begun write's own until it is done */
    struct begun begun;
#if defined(CAN_BEGIN)
    aio_context_t queue;
    bool has_queue, no_queue; /* no_queue: the system has none for us */
#endif
};

/* The same words in every locale: strerror() obeys it and is not safe between threads, strerror_r() is two functions. */
static const char *reason(int error)
{
    switch (error) {
    case ENOENT: return "there is no such file";
    case EACCES:
    case EPERM: return "permission denied";
    case EEXIST: return "there is a file of that name already";
    case EISDIR: return "it is a folder";
    case ENOTDIR: return "a part of the path is not a folder";
    case ENOSPC: return "no space left on the device";
    case EDQUOT: return "the disk quota is used up";
    case EFBIG: return "the file would be too large";
    case EROFS: return "the file system is read-only";
    case ENAMETOOLONG: return "the name is too long";
    case ELOOP: return "too many symbolic links";
    case EMFILE:
    case ENFILE: return "too many files are open";
    case EIO: return "the device reported an error";
    default: return "the system refused";
    }
}

static mgc_status fail_errno(struct files *f, const char *what, const char *name)
{
    return mgc__fail(f->ctx, MGC_E_IO, "ledger: %s/%s: %s: %s", f->folder, name, what, reason(errno));
}

static bool path_of(struct files *f, const char *name, char path[PATH_BYTES])
{
    int len = snprintf(path, PATH_BYTES, "%s/%s", f->folder, name);

    return len > 0 && len < PATH_BYTES;
}

static int open_file(struct files *f, const char *name, int flags)
{
    char path[PATH_BYTES];
    int fd;

    if (!path_of(f, name, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    do fd = open(path, flags | O_CLOEXEC, 0644);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static void close_append(struct files *f)
{
    if (f->append >= 0) close(f->append);
    f->append = -1;
}

static void give_up_direct(struct writer *w)
{
    if (w->direct >= 0) close(w->direct);
    w->direct = -1;
}

static void close_writer(struct writer *w)
{
    give_up_direct(w);
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
}

/* The open file of that name, or NULL. */
static struct writer *find_writer(struct files *f, const char *name)
{
    for (int i = 0; i < WRITERS; i++)
        if (f->writers[i].fd >= 0 && strcmp(f->writers[i].name, name) == 0) return &f->writers[i];
    return NULL;
}

static void open_direct(struct files *f, struct writer *w, const char *name)
{
#if defined(O_DIRECT) && defined(RWF_DSYNC)
    if (f->direct_memory == NULL) f->direct_memory = mgc__alloc(f->ctx, DIRECT_MAX + DIRECT_ALIGN, 1);
    w->direct = f->direct_memory == NULL ? -1 : open_file(f, name, O_WRONLY | O_DIRECT);
#else
    (void)f;
    (void)name;
    w->direct = -1;
#endif
}

static struct writer *open_writer(struct files *f, const char *name)
{
    struct writer *w = find_writer(f, name), old;

    if (w == NULL) {
        w = &f->writers[WRITERS - 1];
        close_writer(w);
        w->fd = open_file(f, name, O_WRONLY);
        if (w->fd < 0) return NULL;
        open_direct(f, w, name);
        w->unsynced = true;
        snprintf(w->name, sizeof w->name, "%s", name);
    }
    old = *w;
    memmove(f->writers + 1, f->writers, (size_t)(w - f->writers) * sizeof *w);
    f->writers[0] = old;
    return &f->writers[0];
}

/* --- a begun write ------------------------------------------------------------------------------- */

/* What is left of a write goes through the cache. */
static int write_rest(struct writer *w, uint64_t offset, const uint8_t *bytes, size_t len)
{
    if (len > 0) w->unsynced = true;
    while (len > 0) {
        ssize_t put = pwrite(w->fd, bytes, len, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno;
        bytes += put;
        offset += (uint64_t)put;
        len -= (size_t)put;
    }
    return 0;
}

static uint8_t *direct_memory(const struct files *f)
{
    return f->direct_memory + (DIRECT_ALIGN - (uintptr_t)f->direct_memory % DIRECT_ALIGN);
}

/* Not a failed write, but one that cannot be made so: larger sectors, another kind of file system, an old system, a sandbox. */
static bool is_refusal(int error)
{
    return error == EINVAL || error == EOPNOTSUPP || error == ENOSYS || error == EPERM;
}

/* How much of it is written past the page cache: all, some, or, where that cannot be done, nothing; negative: it failed. */
static ssize_t write_direct(struct files *f, struct writer *w, uint64_t offset, const uint8_t *bytes, size_t len)
{
    ssize_t put = 0;
#if defined(O_DIRECT) && defined(RWF_DSYNC)
    struct iovec piece = {.iov_base = f->direct_memory, .iov_len = len};

    if (w->direct < 0 || len > DIRECT_MAX || offset % SECTOR != 0 || len % SECTOR != 0) return 0;
    piece.iov_base = direct_memory(f);
    memcpy(piece.iov_base, bytes, len);
    /* Where a sync must come anyway, it does for this one, too. */
    do put = pwritev2(w->direct, &piece, 1, (off_t)offset, w->unsynced ? 0 : RWF_DSYNC);
    while (put < 0 && errno == EINTR);
    if (put < 0 && is_refusal(errno)) {
        give_up_direct(w);
        return 0;
    }
#else
    (void)f;
    (void)w;
    (void)offset;
    (void)bytes;
    (void)len;
#endif
    return put;
}

/* errno; 0: written. */
static int write_file(struct files *f, struct writer *w, uint64_t offset, const uint8_t *bytes, size_t len)
{
    ssize_t direct = write_direct(f, w, offset, bytes, len);

    return direct < 0 ? errno : write_rest(w, offset + (uint64_t)direct, bytes + direct, len - (size_t)direct);
}

#if defined(CAN_BEGIN)
static bool has_queue(struct files *f)
{
    if (!f->has_queue && !f->no_queue) {
        f->has_queue = syscall(SYS_io_setup, 1L, &f->queue) == 0;
        f->no_queue = !f->has_queue;
    }
    return f->has_queue;
}

static void close_queue(struct files *f)
{
    if (f->has_queue) (void)syscall(SYS_io_destroy, f->queue);
    f->has_queue = false;
}

static bool give_to_kernel(struct files *f, const struct writer *w, uint64_t offset, size_t len)
{
    struct iocb write = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (uint32_t)w->direct, .aio_buf = (uintptr_t)direct_memory(f),
                         .aio_nbytes = len, .aio_offset = (int64_t)offset, .aio_rw_flags = RWF_DSYNC};
    struct iocb *list = &write;
    long taken;

    do taken = syscall(SYS_io_submit, f->queue, 1L, &list);
    while (taken < 0 && errno == EINTR);
    if (taken != 1 && errno != EAGAIN) {
        close_queue(f);
        f->no_queue = true;
    }
    return taken == 1;
}

/* How many bytes the kernel has written durably; negative: -errno. */
static int64_t await_kernel(struct files *f)
{
    struct io_event event = {.res = 0};
    long n;

    do n = syscall(SYS_io_getevents, f->queue, 1L, 1L, &event, NULL);
    while (n < 0 && errno == EINTR);
    return n == 1 ? event.res : -EIO;
}
#else
static bool has_queue(struct files *f)
{
    (void)f;
    return false;
}

static bool give_to_kernel(struct files *f, const struct writer *w, uint64_t offset, size_t len)
{
    (void)f;
    (void)w;
    (void)offset;
    (void)len;
    return false;
}

static int64_t await_kernel(struct files *f)
{
    (void)f;
    return -EIO;
}

static void close_queue(struct files *f)
{
    (void)f;
}
#endif

static int finish_in_kernel(struct files *f, const struct begun *b)
{
    struct writer *w = find_writer(f, b->name);
    int64_t put = await_kernel(f);

    if (put < 0 && is_refusal((int)-put)) give_up_direct(w);
    else if (put < 0 && put != -EAGAIN && put != -EINTR) return (int)-put;
    if (put < 0) put = 0;
    return write_rest(w, b->offset + (uint64_t)put, direct_memory(f) + put, b->len - (size_t)put);
}

static int write_lent(struct files *f, const struct begun *b)
{
    struct writer *w = open_writer(f, b->name);

    return w == NULL ? errno : write_file(f, w, b->offset, b->lent, b->len);
}

/* Whoever needs its memory or its file waits for a begun write; its sync() tells what became of it. */
static void finish_begun(struct files *f)
{
    struct begun *b = &f->begun;

    if (!b->on_its_way) return;
    b->on_its_way = false;
    b->error = b->lent == NULL ? finish_in_kernel(f, b) : write_lent(f, b);
}

static void close_writers(struct files *f)
{
    finish_begun(f);
    for (int i = 0; i < WRITERS; i++) close_writer(&f->writers[i]);
}

static bool kernel_takes(struct files *f, const char *name, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct writer *w = open_writer(f, name);

    if (w == NULL || w->direct < 0 || w->unsynced || len == 0 || len > DIRECT_MAX || offset % SECTOR != 0 || len % SECTOR != 0 || !has_queue(f))
        return false;
    memcpy(direct_memory(f), bytes, len);
    return give_to_kernel(f, w, offset, len);
}

/* --- the calls ----------------------------------------------------------------------------------- */

/* flock() is bound to the open file, so a second opening in the same process is refused too. */
static int32_t files_lock(void *user)
{
    struct files *f = user;
    int fd = open_file(f, "lock", O_RDWR | O_CREAT);

    if (fd < 0) return fail_errno(f, "cannot be opened", "lock");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int32_t status = errno == EWOULDBLOCK ? MGC_E_LOCKED : fail_errno(f, "cannot be locked", "lock");
        close(fd);
        return status;
    }
    f->lock = fd;
    return MGC_CB_DONE;
}

static int32_t files_unlock(void *user)
{
    struct files *f = user;

    if (f->lock >= 0) close(f->lock);
    f->lock = -1;
    return MGC_CB_DONE;
}

static int32_t files_list(void *user, mgc_storage_visit visit, void *visit_user)
{
    struct files *f = user;
    int32_t answer = MGC_CB_DONE;
    struct dirent *entry;
    DIR *folder = opendir(f->folder);

    if (folder == NULL) return fail_errno(f, "cannot be listed", ".");
    while (answer == MGC_CB_DONE && (entry = readdir(folder)) != NULL) {
        char path[PATH_BYTES];
        struct stat info;
        if (strlen(entry->d_name) > MGC_STORAGE_NAME_MAX || !path_of(f, entry->d_name, path)) continue;
        if (stat(path, &info) != 0) answer = fail_errno(f, "cannot be examined", entry->d_name);
        else if (S_ISREG(info.st_mode)) answer = visit(visit_user, entry->d_name, (uint64_t)info.st_size);
    }
    closedir(folder);
    return answer;
}

static int32_t files_read(void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len)
{
    struct files *f = user;
    int32_t answer = MGC_CB_DONE;
    int fd = open_file(f, name, O_RDONLY);

    if (fd < 0) return fail_errno(f, "cannot be opened", name);
    while (len > 0 && answer == MGC_CB_DONE) {
        ssize_t got = pread(fd, bytes, len, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) answer = fail_errno(f, "cannot be read", name);
        if (got == 0) answer = mgc__fail(f->ctx, MGC_E_IO, "ledger: %s/%s ends too early", f->folder, name);
        if (got <= 0) continue;
        bytes += got;
        len -= (size_t)got;
        offset += (uint64_t)got;
    }
    close(fd);
    return answer;
}

static int32_t files_append(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    struct files *f = user;

    if (f->append < 0 || strcmp(f->name, name) != 0) {
        close_append(f);
        f->append = open_file(f, name, O_WRONLY | O_CREAT | O_APPEND);
        if (f->append < 0) return fail_errno(f, "cannot be opened", name);
        snprintf(f->name, sizeof f->name, "%s", name);
    }
    while (len > 0) {
        ssize_t put = write(f->append, bytes, len);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno(f, "cannot be written", name);
        bytes += put;
        len -= (size_t)put;
    }
    return MGC_CB_DONE;
}

/* The file that was appended to is synced through the very descriptor that wrote: another one might not be told of an
 * earlier write-back error. */
static int32_t files_sync(void *user, const char *name)
{
    struct files *f = user;
    struct writer *w;
    bool appended = f->append >= 0 && strcmp(f->name, name) == 0, own;
    int fd, answer = MGC_CB_DONE;

    if (strcmp(f->begun.name, name) == 0) {
        finish_begun(f);
        errno = f->begun.error;
        f->begun.error = 0;
        if (errno != 0) return fail_errno(f, "cannot be written", name);
    }
    w = find_writer(f, name);
    own = w != NULL || appended;
    if (w != NULL && !w->unsynced && !appended) return MGC_CB_DONE;
    fd = w != NULL ? w->fd : own ? f->append : open_file(f, name, O_WRONLY);
    if (fd < 0) return fail_errno(f, "cannot be opened", name);
    if (fdatasync(fd) != 0) answer = fail_errno(f, "cannot be synced", name);
    else if (w != NULL) w->unsynced = false;
    if (!own) close(fd);
    return answer;
}

static int32_t files_truncate(void *user, const char *name, uint64_t size)
{
    struct files *f = user;
    int fd = open_file(f, name, O_WRONLY);
    int32_t answer = MGC_CB_DONE;
    struct writer *w;

    finish_begun(f);
    w = find_writer(f, name);
    if (w != NULL) w->unsynced = true;
    if (fd < 0 && errno == ENOENT && size == 0) return MGC_CB_DONE;
    if (fd < 0) return fail_errno(f, "cannot be opened", name);
    while (ftruncate(fd, (off_t)size) != 0 && answer == MGC_CB_DONE)
        if (errno != EINTR) answer = fail_errno(f, "cannot be truncated", name);
    close(fd);
    return answer;
}

static int32_t files_rename(void *user, const char *from, const char *to)
{
    char a[PATH_BYTES], b[PATH_BYTES];
    struct files *f = user;

    close_append(f);
    close_writers(f);
    if (!path_of(f, from, a) || !path_of(f, to, b)) return MGC_E_INVALID_ARG;
    return rename(a, b) == 0 ? MGC_CB_DONE : fail_errno(f, "cannot be renamed", from);
}

static int32_t files_remove(void *user, const char *name)
{
    char path[PATH_BYTES];
    struct files *f = user;

    close_append(f);
    close_writers(f);
    if (!path_of(f, name, path)) return MGC_E_INVALID_ARG;
    return unlink(path) == 0 ? MGC_CB_DONE : fail_errno(f, "cannot be removed", name);
}

static int32_t files_sync_names(void *user)
{
    struct files *f = user;
    int fd = open_file(f, ".", O_RDONLY | O_DIRECTORY);
    int32_t answer = MGC_CB_DONE;

    if (fd < 0) return fail_errno(f, "cannot be opened", ".");
    if (fsync(fd) != 0) answer = fail_errno(f, "cannot be synced", ".");
    close(fd);
    return answer;
}

static int32_t files_write(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct files *f = user;
    struct writer *w;

    finish_begun(f);
    w = open_writer(f, name);
    if (w == NULL) return fail_errno(f, "cannot be opened", name);
    errno = write_file(f, w, offset, bytes, len);
    return errno == 0 ? MGC_CB_DONE : fail_errno(f, "cannot be written", name);
}

static int32_t files_begin_write(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct files *f = user;

    finish_begun(f);
    f->begun = (struct begun){.on_its_way = true, .offset = offset, .len = len};
    snprintf(f->begun.name, sizeof f->begun.name, "%s", name);
    if (!kernel_takes(f, name, offset, bytes, len)) f->begun.lent = bytes;
    return MGC_CB_DONE;
}

/* Zeros are written, not only allocated: a block that is allocated but unwritten would be turned into a written one
 * by the file system's own log at the first write into it, which makes that sync as slow as one that grows the file. */
static int32_t files_reserve(void *user, const char *name, uint64_t size)
{
    struct files *f = user;
    uint8_t *zeros = mgc__alloc(f->ctx, ZEROS, 1);
    int32_t answer = MGC_CB_DONE;
    int fd;

    if (zeros == NULL) return mgc__no_memory(f->ctx, "ledger: zeros for a file");
    close_append(f);
    close_writers(f);
    fd = open_file(f, name, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) answer = fail_errno(f, "cannot be created", name);
    while (answer == MGC_CB_DONE && size > 0) {
        ssize_t put = write(fd, zeros, size < ZEROS ? (size_t)size : ZEROS);
        if (put < 0 && errno != EINTR) answer = fail_errno(f, "cannot be filled", name);
        if (put > 0) size -= (uint64_t)put;
    }
    if (fd >= 0) close(fd);
    mgc__free(f->ctx, zeros);
    return answer;
}

/* --- the handle ---------------------------------------------------------------------------------- */

void mgc_storage_files_destroy(void *user)
{
    struct files *f = user;

    if (f == NULL) return;
    if (f->begun.lent != NULL) f->begun.on_its_way = false; /* no sync came: it need not be there, and may not be ours any more */
    close_append(f);
    close_writers(f);
    close_queue(f);
    (void)files_unlock(f);
    mgc__free(f->ctx, f->direct_memory);
    mgc__free(f->ctx, f->folder);
    mgc__free(f->ctx, f);
}

static mgc_status check_folder(struct files *f, bool create)
{
    struct stat info;

    if (create && mkdir(f->folder, 0755) != 0 && errno != EEXIST)
        return mgc__fail(f->ctx, MGC_E_IO, "ledger: the folder %s cannot be created: %s", f->folder,
                         errno == ENOENT ? "the folder that it is to lie in is not there" : reason(errno));
    if (stat(f->folder, &info) != 0)
        return mgc__fail(f->ctx, MGC_E_IO, "ledger: the folder %s cannot be opened: %s", f->folder,
                         errno == ENOENT ? "it is not there" : reason(errno));
    if (!S_ISDIR(info.st_mode)) return mgc__fail(f->ctx, MGC_E_IO, "ledger: %s is not a folder", f->folder);
    return MGC_OK;
}

mgc_status mgc_storage_files(mgc_ctx *ctx, const char *folder, uint32_t create, mgc_storage_ops *ops, void **user)
{
    struct files *f;
    mgc_status status;

    if (user == NULL) return MGC_E_INVALID_ARG;
    *user = NULL;
    if (ctx == NULL || folder == NULL || ops == NULL || create > 1) return MGC_E_INVALID_ARG;
    f = mgc__alloc(ctx, 1, sizeof *f);
    if (f == NULL) return mgc__no_memory(ctx, "ledger: the storage");
    f->ctx = ctx;
    f->lock = f->append = -1;
    for (int i = 0; i < WRITERS; i++) f->writers[i].fd = f->writers[i].direct = -1;
    f->folder = mgc__strdup(ctx, folder);
    status = f->folder == NULL ? mgc__no_memory(ctx, "ledger: the storage") : check_folder(f, create != 0);
    if (status != MGC_OK) {
        mgc_storage_files_destroy(f);
        return status;
    }
    *ops = (mgc_storage_ops){.struct_size = sizeof *ops,
                             .version = 1,
                             .lock = files_lock,
                             .unlock = files_unlock,
                             .list = files_list,
                             .read = files_read,
                             .append = files_append,
                             .sync = files_sync,
                             .truncate = files_truncate,
                             .rename = files_rename,
                             .remove = files_remove,
                             .sync_names = files_sync_names,
                             .reserve = files_reserve,
                             .write = files_write,
                             .begin_write = files_begin_write};
    *user = f;
    return MGC_OK;
}
