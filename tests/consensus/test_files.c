/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus log on the embedded storage: short writes go past the page cache where that can be done, and nothing else
 * changes.  The linker puts the functions below in front of the real system calls (--wrap). */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "consensus/store.h"
#include "crypto/crypto.h"

int __real_open64(const char *path, int flags, ...);
ssize_t __real_pwritev64v2(int fd, const struct iovec *pieces, int n, off_t offset, int flags);
ssize_t __real_pwrite64(int fd, const void *bytes, size_t len, off_t offset);
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_fdatasync(int fd);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __wrap_open64(const char *path, int flags, ...);
ssize_t __wrap_pwritev64v2(int fd, const struct iovec *pieces, int n, off_t offset, int flags);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t len, off_t offset);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_fdatasync(int fd);

enum how { AS_IT_IS, NOT_OPENED, NOT_WRITTEN, FORBIDDEN, SHORT, INTERRUPTED, NO_QUEUE, QUEUE_FULL, NOT_TAKEN, REFUSED_LATE, AGAIN, HOWS };

static struct {
    enum how how;
    int error; /* of the next direct write; 0: none */
    uint64_t direct, through, refused, plain, syncs, short_ones, begun;
    bool unsynced; /* something was written that no sync followed, or begun that was not awaited */
    bool faked;    /* the kernel was not given the begun write: it ends with fake_end */
    int64_t fake_end;
} sys;

int __wrap_open64(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(more, int) : 0;
    va_end(more);
    if ((flags & O_DIRECT) != 0 && sys.how == NOT_OPENED) {
        errno = EINVAL;
        return -1;
    }
    return __real_open64(path, flags, mode);
}

ssize_t __wrap_pwritev64v2(int fd, const struct iovec *pieces, int n, off_t offset, int flags)
{
    static bool again;
    struct iovec piece = pieces[0];

    ck_assert_int_eq(n, 1);
    errno = sys.error != 0 ? sys.error : sys.how == NOT_WRITTEN ? EINVAL : sys.how == FORBIDDEN ? EPERM : 0;
    if (sys.how == INTERRUPTED && (again = !again)) errno = EINTR;
    if (errno != 0) return -1;
    if (sys.how == SHORT && piece.iov_len > 512) {
        piece.iov_len = 512;
        sys.short_ones++;
    }
    ssize_t put = __real_pwritev64v2(fd, &piece, 1, offset, flags);
    sys.refused += put < 0; /* by a kernel or an emulator without it, or without RWF_DSYNC */
    if (put < 0) return put;
    sys.direct++;
    sys.through += (flags & RWF_DSYNC) != 0;
    if ((flags & RWF_DSYNC) == 0) sys.unsynced = true;
    return put;
}

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
    sys.plain++;
    sys.unsynced = true;
    return __real_pwrite64(fd, bytes, len, offset);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (fd > 2) sys.unsynced = true;
    return __real_write(fd, bytes, len);
}

int __wrap_fdatasync(int fd)
{
    sys.syncs++;
    sys.unsynced = false;
    return __real_fdatasync(fd);
}

static long submit(aio_context_t queue, struct iocb **list)
{
    static bool again;
    struct iocb *w = list[0];
    long taken = 1;

    errno = sys.how == QUEUE_FULL ? EAGAIN : sys.how == NOT_TAKEN ? EPERM : sys.how == INTERRUPTED && (again = !again) ? EINTR : 0;
    if (errno != 0) return -1;
    sys.faked = (sys.how == SHORT && w->aio_nbytes > 512) || sys.how == REFUSED_LATE || sys.how == AGAIN || sys.error != 0;
    sys.fake_end = sys.how == SHORT ? 512 : sys.how == REFUSED_LATE ? -EINVAL : sys.how == AGAIN ? -EAGAIN : -sys.error;
    if (sys.faked && sys.fake_end == 512) ck_assert_int_eq(__real_pwrite64((int)w->aio_fildes, (const void *)(uintptr_t)w->aio_buf, 512, w->aio_offset), 512);
    if (!sys.faked) taken = __real_syscall(SYS_io_submit, queue, 1L, list);
    if (taken != 1) return taken;
    ck_assert(!sys.unsynced);
    sys.begun++;
    sys.unsynced = true;
    return 1;
}

static long await(aio_context_t queue, struct io_event *event)
{
    static bool again;
    long n = 1;

    errno = sys.how == INTERRUPTED && (again = !again) ? EINTR : 0;
    if (errno != 0) return -1;
    if (sys.faked) event->res = sys.fake_end;
    else n = __real_syscall(SYS_io_getevents, queue, 1L, 1L, event, NULL);
    if (n == 1) sys.unsynced = sys.faked; /* a sync must follow what was not written through */
    return n;
}

long __wrap_syscall(long number, ...)
{
    int n = number == SYS_io_destroy ? 1 : number == SYS_io_setup ? 2 : number == SYS_io_submit ? 3 : 5;
    long a[5] = {0};
    va_list more;

    va_start(more, number);
    for (int i = 0; i < n; i++) a[i] = va_arg(more, long);
    va_end(more);
    if (number == SYS_io_setup && sys.how == NO_QUEUE) {
        errno = ENOSYS;
        return -1;
    }
    if (number == SYS_io_submit) return submit((aio_context_t)a[0], (struct iocb **)a[2]);
    if (number == SYS_io_getevents) return await((aio_context_t)a[0], (struct io_event *)a[3]);
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
}

/* --- a log in a folder ------------------------------------------------------------------------------ */

enum { SEGMENT = 1 << 18, BODY_MAX = 70000 };

static mgc_ctx *ctx;
static char folder[64];
static mgc_storage_ops ops;
static void *user;
static mgc__raftlog *log_;

static void entry_hash(const uint8_t prev[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t *body, size_t len,
                       uint8_t hash[32])
{
    uint64_t head[3] = {index, term, type};
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, prev, 32);
    mgc__sha256_put(&s, head, sizeof head);
    mgc__sha256_put(&s, body, len);
    mgc__sha256_end(&s, hash);
}

static void open_log(void)
{
    mgc__raftlog_opts opts = {.prefix = "raft-", .segment_bytes = SEGMENT, .salt = 99, .member = 3, .bootstrap = true, .hash = entry_hash};

    ck_assert_int_eq(mgc_storage_files(ctx, folder, 1, &ops, &user), MGC_OK);
    opts.ops = ops;
    opts.user = user;
    ck_assert_msg(mgc__raftlog_open(ctx, &opts, &log_) == MGC_OK, "%s", mgc_ctx_error(ctx));
}

static void close_log(void)
{
    mgc__raftlog_close(log_);
    mgc_storage_files_destroy(user);
    log_ = NULL;
    user = NULL;
}

static void setup(void)
{
    memset(&sys, 0, sizeof sys);
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    snprintf(folder, sizeof folder, "./files-XXXXXX"); /* a disk, where /tmp may be memory */
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void path_of(const char *name, char path[160])
{
    snprintf(path, 160, "%s/%s", folder, name);
}

static int32_t unlink_one(void *unused, const char *name, uint64_t size)
{
    char path[160];

    (void)unused;
    (void)size;
    path_of(name, path);
    return unlink(path) == 0 ? MGC_CB_DONE : MGC_E_IO;
}

static void teardown(void)
{
    if (log_ != NULL) close_log();
    sys.how = AS_IT_IS;
    ck_assert_int_eq(mgc_storage_files(ctx, folder, 0, &ops, &user), MGC_OK);
    ck_assert_int_eq(ops.list(user, unlink_one, NULL), MGC_CB_DONE);
    mgc_storage_files_destroy(user);
    user = NULL;
    rmdir(folder);
    mgc_ctx_destroy(ctx);
}

static void body_of(uint64_t index, size_t len, uint8_t *body)
{
    for (size_t i = 0; i < len; i++) body[i] = (uint8_t)(index * 31 + i * 7);
}

static size_t length_of(uint64_t index)
{
    return index % 20 == 0 ? BODY_MAX : (size_t)(index * 37 % 700);
}

/* Every second sync is begun, as a leader's is. */
static mgc_status add(uint64_t index)
{
    static uint8_t body[BODY_MAX];
    const mgc__raftlog_meta *before = mgc__raftlog_meta_of(log_, index - 1);
    mgc__raftlog_entry e = {.index = index, .term = 1, .type = 2, .len = (uint32_t)length_of(index), .body = body};
    uint64_t term, written;
    mgc_status st;

    body_of(index, e.len, body);
    if (before != NULL) memcpy(e.prev, before->hash, 32);
    else mgc__raftlog_base(log_, &term, e.prev);
    entry_hash(e.prev, index, 1, 2, body, e.len, e.hash);
    st = mgc__raftlog_append(log_, &e);
    written = sys.direct + sys.plain + sys.syncs;
    if (st == MGC_OK && index % 2 == 0) st = mgc__raftlog_begin_sync(log_);
    ck_assert_uint_eq(sys.direct + sys.plain + sys.syncs, written); /* who begins waits for nothing */
    return st == MGC_OK ? mgc__raftlog_sync(log_) : st;
}

static void check_entries(uint64_t last)
{
    static uint8_t body[BODY_MAX];
    mgc__raftlog_info info;
    mgc__buf bytes;

    mgc__raftlog_get_info(log_, &info);
    ck_assert_uint_eq(info.last, last);
    ck_assert_uint_eq(info.n_faulty, 0);
    mgc__buf_init(&bytes, ctx, MGC__RAFTLOG_BODY_MAX);
    for (uint64_t i = 1; i <= last; i++) {
        mgc__raftlog_entry e;
        ck_assert_int_eq(mgc__raftlog_read(log_, i, &bytes, &e), MGC_OK);
        ck_assert_uint_eq(e.len, length_of(i));
        body_of(i, e.len, body);
        ck_assert_mem_eq(e.body, body, e.len);
    }
    mgc__buf_free(&bytes);
}

/* --- the tests -------------------------------------------------------------------------------------- */

START_TEST(a_small_group_is_one_write_that_is_durable_when_it_returns)
{
    uint64_t through, plain, syncs, begun;

    open_log();
    for (uint64_t i = 1; i <= 3; i++) ck_assert_int_eq(add(i), MGC_OK);
    if (sys.direct == 0 || sys.refused > 0) {
        printf("# SKIP no durable write past the page cache is possible here\n");
        return;
    }
    through = sys.through;
    plain = sys.plain;
    syncs = sys.syncs;
    begun = sys.begun;
    for (uint64_t i = 4; i <= 19; i++) ck_assert_int_eq(add(i), MGC_OK);
    ck_assert(sys.begun == begun || sys.begun == begun + 8); /* none where the system has no queue for us */
    ck_assert_uint_eq(sys.through + sys.begun, through + begun + 16);
    ck_assert_uint_eq(sys.plain, plain);
    ck_assert_uint_eq(sys.syncs, syncs);
    check_entries(19);
}
END_TEST

START_TEST(what_is_acknowledged_is_durable_however_it_is_written)
{
    enum { ENTRIES = 130 };

    sys.how = (enum how)_i;
    open_log();
    for (uint64_t i = 1; i <= ENTRIES; i++) {
        mgc__raftlog_hard hard = {.term = i, .vote = 2, .incarnation = 1};
        ck_assert_msg(add(i) == MGC_OK, "entry %" PRIu64 ": %s", i, mgc_ctx_error(ctx));
        ck_assert_msg(!sys.unsynced, "entry %" PRIu64 " is acknowledged, and what was written is not synced", i);
        if (i % 10 != 0) continue;
        ck_assert_int_eq(mgc__raftlog_set_hard(log_, &hard), MGC_OK);
        ck_assert_msg(!sys.unsynced, "term %" PRIu64 " is not synced", i);
    }
    check_entries(ENTRIES);
    if (_i == NOT_OPENED || _i == NOT_WRITTEN || _i == FORBIDDEN) ck_assert_uint_eq(sys.direct, 0);
    if (_i == SHORT) ck_assert(sys.direct == 0 || sys.short_ones > 0);
    close_log();
    sys.how = AS_IT_IS;
    open_log();
    check_entries(ENTRIES);
}
END_TEST

START_TEST(a_direct_write_that_fails_fails_the_log)
{
    static const int errors[] = {EIO, ENOSPC, ETIMEDOUT};

    uint64_t next = 6 + (uint64_t)_i / 3; /* begun, or not */

    open_log();
    for (uint64_t i = 1; i < next; i++) ck_assert_int_eq(add(i), MGC_OK);
    if (sys.direct == 0 || sys.refused > 0) return; /* the test before says so */
    sys.error = errors[_i % 3];
    ck_assert_int_eq(add(next), MGC_E_FAILED);
    sys.error = 0;
    ck_assert_int_eq(add(next), MGC_E_FAILED);
    close_log();
    open_log();
    check_entries(next - 1);
    ck_assert_int_eq(add(next), MGC_OK);
}
END_TEST

/* What a sync must not leave out because the last write needed none. */
START_TEST(a_sync_is_left_out_only_where_all_is_durable)
{
    static uint8_t sector[512] = {1};
    const char *name = "some.mgl";

    ck_assert_int_eq(mgc_storage_files(ctx, folder, 1, &ops, &user), MGC_OK);
    ck_assert_int_eq(ops.reserve(user, name, 8192), MGC_CB_DONE);
    ck_assert_int_eq(ops.write(user, name, 0, sector, sizeof sector), MGC_CB_DONE);
    ck_assert_int_eq(ops.sync(user, name), MGC_CB_DONE); /* the zeros, too */
    ck_assert_uint_eq(sys.syncs, 1);
    ck_assert_int_eq(ops.write(user, name, 100, sector, 10), MGC_CB_DONE);
    ck_assert_int_eq(ops.write(user, name, 512, sector, sizeof sector), MGC_CB_DONE);
    ck_assert_int_eq(ops.sync(user, name), MGC_CB_DONE);
    ck_assert_uint_eq(sys.syncs, 2);
    ck_assert_int_eq(ops.write(user, name, 512, sector, sizeof sector), MGC_CB_DONE);
    ck_assert_int_eq(ops.truncate(user, name, 4096), MGC_CB_DONE);
    ck_assert_int_eq(ops.sync(user, name), MGC_CB_DONE);
    ck_assert_uint_eq(sys.syncs, 3);
    ck_assert_int_eq(ops.append(user, name, sector, sizeof sector), MGC_CB_DONE);
    ck_assert_int_eq(ops.write(user, name, 512, sector, sizeof sector), MGC_CB_DONE);
    ck_assert_int_eq(ops.sync(user, name), MGC_CB_DONE);
    ck_assert_uint_eq(sys.syncs, 4);
    ck_assert(!sys.unsynced);
    mgc_storage_files_destroy(user);
    user = NULL;
}
END_TEST

/* Other files may be used before the sync; then it tells what became of the write, even if another call had to wait for it. */
START_TEST(a_begun_write_is_told_of_by_its_own_sync)
{
    static uint8_t sector[512], there[512];
    const char *name = "some.mgl", *other = "other.mgl";

    for (int i = 0; i < 4; i++) {
        memset(sector, 3 + i, sizeof sector);
        sys.error = 0;
        ck_assert_int_eq(mgc_storage_files(ctx, folder, 1, &ops, &user), MGC_OK);
        ck_assert_int_eq(ops.reserve(user, name, 8192), MGC_CB_DONE);
        ck_assert_int_eq(ops.reserve(user, other, 8192), MGC_CB_DONE);
        ck_assert_int_eq(ops.write(user, name, 0, sector, sizeof sector), MGC_CB_DONE);
        ck_assert_int_eq(ops.sync(user, name), MGC_CB_DONE);
        sys.begun = 0;
        sys.error = i % 2 == 0 ? 0 : EIO;
        if (sys.error != 0 && sys.direct == 0) return; /* no such write is possible here */
        ck_assert_int_eq(ops.begin_write(user, name, 512, sector, sizeof sector), MGC_CB_DONE);
        sys.error = 0;
        if (i < 2) ck_assert_int_eq(ops.write(user, other, 512, sector, sizeof sector), MGC_CB_DONE);
        else ck_assert_int_eq(ops.reserve(user, other, 4096), MGC_CB_DONE); /* closes the files */
        ck_assert_int_eq(ops.sync(user, other), MGC_CB_DONE);
        ck_assert_int_eq(ops.sync(user, name), i % 2 == 0 || sys.begun == 0 ? MGC_CB_DONE : MGC_E_IO);
        ck_assert_int_eq(ops.read(user, name, 512, there, sizeof there), MGC_CB_DONE);
        if (i % 2 == 0) ck_assert_mem_eq(there, sector, sizeof there);
        ck_assert_int_eq(ops.begin_write(user, name, 1024, sector, sizeof sector), MGC_CB_DONE); /* destroyed while it is on its way */
        mgc_storage_files_destroy(user);
        user = NULL;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("consensus-files");
    TCase *tc = tcase_create("files");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_small_group_is_one_write_that_is_durable_when_it_returns);
    tcase_add_loop_test(tc, what_is_acknowledged_is_durable_however_it_is_written, 0, HOWS);
    tcase_add_loop_test(tc, a_direct_write_that_fails_fails_the_log, 0, 6);
    tcase_add_test(tc, a_sync_is_left_out_only_where_all_is_durable);
    tcase_add_test(tc, a_begun_write_is_told_of_by_its_own_sync);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
