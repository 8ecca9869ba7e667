/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded storage under an operating system that interrupts, writes short, fails and kills: the linker puts
 * the functions below in front of the real system calls (--wrap). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __real_pread(int fd, void *bytes, size_t len, off_t offset);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t offset);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t size);

/* What the system does to us. */
static struct {
    bool on, choppy;
    long calls, fault_at; /* < 0: never */
    int error;            /* the fault: errno, or 0: killed before the call, -1: killed after it */
    uint64_t interrupted, cut;
    mgc__rng rng;
} sys;

static mgc_ctx *ctx;
static char folder[64];

/* Is this call the one?  A dying process does not come back. */
static bool fails(void)
{
    if (!sys.on || sys.calls++ != sys.fault_at || sys.error == -1) return false;
    if (sys.error == 0) raise(SIGKILL);
    errno = sys.error;
    return true;
}

static void die_after(void)
{
    if (sys.on && sys.error == -1 && sys.calls == sys.fault_at + 1) raise(SIGKILL);
}

/* Interrupted before anything was done, or done in part. */
static bool chop(size_t *len)
{
    if (!sys.on || !sys.choppy) return false;
    if (mgc__rng_below(&sys.rng, 3) == 0) {
        sys.interrupted++;
        errno = EINTR;
        return true;
    }
    if (*len > 1 && mgc__rng_below(&sys.rng, 2) == 0) {
        *len = 1 + (size_t)mgc__rng_below(&sys.rng, *len - 1);
        sys.cut++;
    }
    return false;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (fails() || chop(&len)) return -1;
    ssize_t n = __real_write(fd, bytes, len);
    die_after();
    return n;
}

ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t offset)
{
    if (fails() || chop(&len)) return -1;
    return __real_pread(fd, bytes, len, offset);
}

int __wrap_fdatasync(int fd)
{
    if (fails()) return -1;
    int answer = __real_fdatasync(fd);
    die_after();
    return answer;
}

int __wrap_fsync(int fd)
{
    if (fails()) return -1;
    int answer = __real_fsync(fd);
    die_after();
    return answer;
}

int __wrap_ftruncate(int fd, off_t size)
{
    size_t one = 1;

    if (fails() || chop(&one)) return -1;
    int answer = __real_ftruncate(fd, size);
    die_after();
    return answer;
}

/* --- a folder ------------------------------------------------------------------------------------ */

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    snprintf(folder, sizeof folder, "/tmp/mgc-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    memset(&sys, 0, sizeof sys);
    sys.fault_at = -1;
}

static void empty_folder(void)
{
    char path[160];

    for (uint32_t i = 0; i < 64; i++) {
        snprintf(path, sizeof path, "%s/journal-%08" PRIx32 ".mgj", folder, i);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/lock", folder);
    unlink(path);
}

static void teardown(void)
{
    sys.on = false;
    empty_folder();
    rmdir(folder);
    mgc_ctx_destroy(ctx);
}

enum { BLOCKS = 14, SEGMENT = 4096 };

static uint8_t heads[BLOCKS + 1][32]; /* hash of the block at each height, of an undisturbed run */

/* Open the folder, go on to BLOCKS blocks, tell of each that is acknowledged through the pipe. */
static mgc_status live(int pipe_to, uint64_t *acked)
{
    mgc_ledger_opts opts;
    mgc_storage_ops ops;
    void *user = NULL;
    struct world w = {.ctx = ctx};
    mgc_status status = mgc_storage_files(ctx, folder, 1, &ops, &user);

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &ops;
    opts.storage_user = user;
    opts.segment_bytes = SEGMENT;
    opts.salt = 77;
    if (status == MGC_OK) status = world_open_with(&w, ctx, &opts);
    while (status == MGC_OK && w.chain->height < BLOCKS) {
        uint64_t h = w.chain->height + 1;
        status = mgc_chain_begin(w.chain, 1000 + h);
        if (status == MGC_OK) status = add_put(&w, (uint8_t)h, "something that takes a little room", NULL);
        if (status == MGC_OK) status = mgc_chain_commit(w.chain, w.member);
        if (status != MGC_OK) break;
        *acked = h;
        if (pipe_to >= 0 && __real_write(pipe_to, &h, sizeof h) != sizeof h) status = MGC_E_IO;
        if (pipe_to == -2) memcpy(heads[h], w.chain->hash, 32);
    }
    if (status == MGC_OK && memcmp(w.chain->hash, heads[BLOCKS], 32) != 0) status = MGC_E_INTERNAL;
    for (uint64_t h = 1; status == MGC_OK && h <= BLOCKS; h++)
        if (memcmp(w.chain->blocks[h - 1].hash, heads[h], 32) != 0) status = MGC_E_INTERNAL;
    world_close(&w);
    mgc_storage_files_destroy(user);
    return status;
}

/* The blocks and system calls of a run that nobody disturbs. */
static long undisturbed(void)
{
    uint64_t acked = 0;

    sys.on = true;
    sys.fault_at = -1;
    sys.calls = 0;
    mgc_status status = live(-2, &acked);
    ck_assert_msg(status == MGC_OK || status == MGC_E_INTERNAL, "%s", mgc_ctx_error(ctx));
    sys.on = false;
    empty_folder();
    return sys.calls;
}

static uint64_t verified_blocks(void)
{
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;
    mgc_storage_ops ops;
    void *user;

    ck_assert_int_eq(mgc_storage_files(ctx, folder, 0, &ops, &user), MGC_OK);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &ops;
    opts.storage_user = user;
    mgc_status status = mgc_ledger_verify(ctx, &opts, &info);
    ck_assert_msg(status == MGC_OK || status == MGC_E_NOT_FOUND, "%s", mgc_ctx_error(ctx));
    mgc_storage_files_destroy(user);
    return info.blocks;
}

/* --- the tests ----------------------------------------------------------------------------------- */

START_TEST(short_and_interrupted_calls_are_continued) /* faults 80 */
{
    (void)undisturbed();
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint64_t acked = 0;

        memset(&sys, 0, sizeof sys);
        sys.on = sys.choppy = true;
        sys.fault_at = -1;
        mgc__rng_seed(&sys.rng, seed);
        ck_assert_msg(live(-1, &acked) == MGC_OK, "seed %" PRIu64 ": %s", seed, mgc_ctx_error(ctx));
        ck_assert_uint_eq(acked, BLOCKS);
        ck_assert_uint_eq(verified_blocks(), BLOCKS);
        ck_assert_uint_gt(sys.interrupted, 10);
        ck_assert_uint_gt(sys.cut, 10);
        sys.on = false;
        empty_folder();
    }
}
END_TEST

START_TEST(every_system_call_fails_once) /* faults 79, 81, 82 */
{
    static const int errors[] = {EIO, ENOSPC, EDQUOT};
    long calls = undisturbed();

    ck_assert_int_gt(calls, 40);
    for (long k = 0; k < calls; k++) {
        int error = errors[(size_t)k % MGC__COUNT(errors)];
        uint64_t acked = 0;

        sys.on = true;
        sys.calls = 0;
        sys.fault_at = k;
        sys.error = error;
        mgc_status status = live(-1, &acked);
        sys.on = false;
        /* a mark that cannot be written, or a folder that cannot be read to the end, is no loss */
        ck_assert_msg(status == MGC_OK || status == MGC_E_IO || status == MGC_E_FAILED, "call %ld error %d: %s", k,
                      error, mgc_status_name(status));
        ck_assert_uint_ge(verified_blocks(), acked);
        ck_assert_msg(live(-1, &acked) == MGC_OK, "call %ld error %d: %s", k, error, mgc_ctx_error(ctx));
        ck_assert_uint_eq(verified_blocks(), BLOCKS);
        empty_folder();
    }
}
END_TEST

/* A process that is killed before or after each of its system calls; what it had told of is there, with its hash. */
START_TEST(killed_at_every_system_call) /* faults 85 */
{
    long calls = undisturbed(), killed = 0;

    for (long k = 0; k < calls; k++)
        for (int after = 0; after < 2; after++) {
            uint64_t told = 0, acked = 0, heard;
            int channel[2], how;

            ck_assert_int_eq(pipe(channel), 0);
            pid_t child = fork();
            ck_assert_int_ge(child, 0);
            if (child == 0) {
                close(channel[0]);
                sys.on = true;
                sys.calls = 0;
                sys.fault_at = k;
                sys.error = after ? -1 : 0;
                _exit(live(channel[1], &acked) == MGC_OK ? 0 : 9);
            }
            close(channel[1]);
            while (read(channel[0], &heard, sizeof heard) == sizeof heard) told = heard;
            close(channel[0]);
            ck_assert_int_eq(waitpid(child, &how, 0), child);
            killed += WIFSIGNALED(how) ? 1 : 0;
            ck_assert_msg(WIFSIGNALED(how) || WEXITSTATUS(how) == 0, "call %ld: ended with %d", k, WEXITSTATUS(how));
            ck_assert_uint_ge(verified_blocks(), told);
            ck_assert_msg(live(-1, &acked) == MGC_OK, "call %ld: %s", k, mgc_ctx_error(ctx));
            empty_folder();
        }
    ck_assert_int_ge(killed, calls);
    printf("# killed %ld times at %ld system calls\n", killed, calls);
}
END_TEST

/* Nothing but reading is ever asked of a medium that cannot be written. */
static int32_t no_lock(void *user)
{
    (void)user;
    ck_abort_msg("a read-only store was to be locked, synced or unlocked");
    return MGC_E_IO;
}

static int32_t no_append(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    (void)user;
    (void)bytes;
    ck_abort_msg("%zu bytes were to be written to %s", len, name);
    return MGC_E_IO;
}

static int32_t no_change(void *user, const char *name)
{
    (void)user;
    ck_abort_msg("%s was to be synced or removed", name);
    return MGC_E_IO;
}

static int32_t no_truncate(void *user, const char *name, uint64_t size)
{
    (void)user;
    (void)size;
    ck_abort_msg("%s was to be cut", name);
    return MGC_E_IO;
}

static int32_t no_rename(void *user, const char *from, const char *to)
{
    (void)user;
    (void)to;
    ck_abort_msg("%s was to be renamed", from);
    return MGC_E_IO;
}

START_TEST(a_read_only_medium_can_be_asked) /* faults 89 */
{
    mgc_storage_ops ops;
    mgc_ledger_opts opts;
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_record_info record = {.struct_size = sizeof record};
    mgc_ledger *ledger;
    mgc_chain *chain;
    mgc_block *block;
    uint64_t acked = 0;
    char path[160];
    void *user;

    (void)undisturbed();
    ck_assert_int_eq(live(-1, &acked), MGC_OK);
    snprintf(path, sizeof path, "%s/journal-00000000.mgj", folder);
    for (int torn = 0; torn < 2; torn++) { /* a torn tail is left as it is */
        struct stat before, after;

        ck_assert_int_eq(stat(path, &before), 0);
        ck_assert_int_eq(mgc_storage_files(ctx, folder, 0, &ops, &user), MGC_OK);
        ops.lock = no_lock;
        ops.unlock = no_lock;
        ops.append = no_append;
        ops.sync = no_change;
        ops.remove = no_change;
        ops.truncate = no_truncate;
        ops.rename = no_rename;
        ops.sync_names = no_lock;
        mgc_ledger_opts_init(&opts, sizeof opts);
        opts.storage = &ops;
        opts.storage_user = user;
        opts.read_only = 1;
        ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &ledger), MGC_OK);
        ck_assert_int_eq(mgc_ledger_chain(ledger, "trading", &chain), MGC_OK);
        mgc__chain_set_executor(chain, &toy);
        ck_assert_int_eq(mgc_chain_get_info(chain, &info), MGC_OK);
        ck_assert_uint_eq(info.height, BLOCKS);
        ck_assert_int_eq(mgc_chain_next_record(chain, 5, NULL, 0, &record), MGC_OK);
        ck_assert_int_eq(mgc_chain_read_block(chain, 2, &block), MGC_OK);
        mgc_block_destroy(block);
        ck_assert_int_eq(mgc_chain_begin(chain, 9999), MGC_E_STATE);
        ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, NULL), MGC_OK);
        mgc_ledger_close(ledger);
        mgc_storage_files_destroy(user);
        ck_assert_int_eq(stat(path, &after), 0);
        ck_assert_int_eq(before.st_size, after.st_size);
        if (torn == 0) { /* the beginning of a record that was never finished */
            FILE *f = NULL;
            char last[160];
            for (uint32_t i = 0; i < 64; i++) {
                snprintf(last, sizeof last, "%s/journal-%08" PRIx32 ".mgj", folder, i);
                if (stat(last, &after) != 0) break;
                snprintf(path, sizeof path, "%s", last);
            }
            f = fopen(path, "ab");
            ck_assert_ptr_nonnull(f);
            fputs("MGJ1 and no more", f);
            fclose(f);
        }
    }
}
END_TEST

/* --- beyond 4 GiB -------------------------------------------------------------------------------- */

START_TEST(files_beyond_four_gigabytes) /* faults 97 */
{
    const uint64_t far = ((uint64_t)5 << 30) + 12345;
    const char *name = "journal-00000000.mgj";
    char path[160];
    mgc_storage_ops ops;
    uint8_t got[8];
    struct stat info;
    void *user;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    if (__real_ftruncate(fd, (off_t)far) != 0) { /* sparse: it takes no room, where the file system can do it */
        printf("# SKIP files beyond 4 GiB: the file system has no sparse files\n");
        close(fd);
        return;
    }
    close(fd);
    ck_assert_int_eq(mgc_storage_files(ctx, folder, 0, &ops, &user), MGC_OK);
    ck_assert_int_eq(ops.append(user, name, (const uint8_t *)"at five gigabytes", 17), MGC_CB_DONE);
    ck_assert_int_eq(ops.sync(user, name), MGC_CB_DONE);
    ck_assert_int_eq(ops.read(user, name, far + 3, got, 8), MGC_CB_DONE);
    ck_assert_mem_eq(got, "five gig", 8);
    ck_assert_int_eq(ops.read(user, name, ((uint64_t)1 << 32) - 4, got, 8), MGC_CB_DONE);
    ck_assert_mem_eq(got, "\0\0\0\0\0\0\0\0", 8);
    ck_assert_int_eq(ops.read(user, name, far + 10, got, 8), MGC_E_IO);
    ck_assert_int_eq(ops.truncate(user, name, far + 2), MGC_CB_DONE);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_size, (off_t)far + 2);
    mgc_storage_files_destroy(user);
}
END_TEST

/* A disk of appended pieces that keeps only the beginning of each; the rest must be zero. */
struct sparse {
    struct piece {
        uint64_t offset;
        size_t len;
        uint8_t head[256];
    } pieces[64];
    size_t n;
    uint64_t size, highest_read;
};

static int32_t sparse_list(void *user, mgc_storage_visit visit, void *visit_user)
{
    struct sparse *s = user;
    return s->n == 0 ? MGC_CB_DONE : visit(visit_user, "journal-00000000.mgj", s->size);
}

static int32_t sparse_read(void *user, const char *name, uint64_t offset, uint8_t *out, size_t len)
{
    struct sparse *s = user;

    (void)name;
    if (offset + len > s->size) return MGC_E_IO;
    memset(out, 0, len);
    for (size_t i = 0; i < s->n; i++) {
        struct piece *p = &s->pieces[i];
        size_t kept = p->len < sizeof p->head ? p->len : sizeof p->head;
        uint64_t from = p->offset > offset ? p->offset : offset;
        uint64_t to = p->offset + kept < offset + len ? p->offset + kept : offset + len;
        if (from < to) memcpy(out + (from - offset), p->head + (from - p->offset), (size_t)(to - from));
    }
    if (offset > s->highest_read) s->highest_read = offset;
    return MGC_CB_DONE;
}

static int32_t sparse_append(void *user, const char *name, const uint8_t *in, size_t len)
{
    struct sparse *s = user;
    struct piece *p = &s->pieces[s->n++];

    (void)name;
    ck_assert_uint_le(s->n, MGC__COUNT(s->pieces));
    *p = (struct piece){.offset = s->size, .len = len};
    memcpy(p->head, in, len < sizeof p->head ? len : sizeof p->head);
    if (len > sizeof p->head) ck_assert_uint_eq(in[len - 1], 0);
    s->size += len;
    return MGC_CB_DONE;
}

static int32_t sparse_sync(void *user, const char *name)
{
    (void)user;
    (void)name;
    return MGC_CB_DONE;
}

static int32_t sparse_truncate(void *user, const char *name, uint64_t size)
{
    struct sparse *s = user;

    (void)name;
    while (s->n > 0 && s->pieces[s->n - 1].offset >= size) s->n--;
    if (s->n > 0 && s->pieces[s->n - 1].offset + s->pieces[s->n - 1].len > size)
        s->pieces[s->n - 1].len = (size_t)(size - s->pieces[s->n - 1].offset);
    s->size = size;
    return MGC_CB_DONE;
}

static int32_t sparse_sync_names(void *user)
{
    (void)user;
    return MGC_CB_DONE;
}

struct seen {
    uint32_t n;
    uint64_t last_offset, last_height;
};

static mgc_status see(void *user, const mgc__record *record)
{
    struct seen *seen = user;

    seen->n++;
    seen->last_offset = record->place.offset;
    seen->last_height = record->height;
    return MGC_OK;
}

START_TEST(a_journal_beyond_four_gigabytes) /* faults 97 */
{
    const char *wanted = getenv("MGC_TEST_LONG");
    /* 33 records of 128 MiB pass 2^32 bytes; two show that the rest of the test holds */
    uint32_t large = wanted != NULL && strcmp(wanted, "1") == 0 ? 33 : 2;
    static struct sparse s;
    mgc__journal_opts opts = {.user = &s, .segment_bytes = (uint64_t)1 << 34, .salt = 9};
    mgc__journal_info info;
    struct seen seen = {0};
    mgc__place place = {0}, small = {0};
    mgc__journal *j;
    mgc__buf body;
    uint8_t *zeros = calloc(1, MGC__RECORD_MAX);

    s = (struct sparse){0};
    opts.ops = (mgc_storage_ops){.struct_size = sizeof opts.ops, .version = 1, .list = sparse_list, .read = sparse_read,
                                 .append = sparse_append, .sync = sparse_sync, .truncate = sparse_truncate,
                                 .sync_names = sparse_sync_names};
    ck_assert_int_eq(mgc__journal_open(ctx, &opts, see, &seen, &j), MGC_OK);
    for (uint32_t i = 0; i < large; i++)
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, i, zeros, MGC__RECORD_MAX, &place), MGC_OK);
    ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, UINT64_MAX - 1, (const uint8_t *)"small", 5, &small), MGC_OK);
    ck_assert_int_eq(mgc__journal_sync(j), MGC_OK);
    ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 7, (const uint8_t *)"torn", 4, &place), MGC_OK);
    ck_assert_uint_eq(small.offset, (uint64_t)large * ((1 << 27) + MGC__RECORD_HEADER) + MGC__RECORD_HEADER + MGC__SEGMENT_BODY);
    mgc__buf_init(&body, ctx, MGC__RECORD_MAX);
    ck_assert_int_eq(mgc__journal_read(j, &small, MGC__RECORD_BLOCK, &body), MGC_OK);
    ck_assert_mem_eq(body.bytes, "small", 5);
    mgc__buf_free(&body);
    mgc__journal_close(j);

    s.size -= 2; /* torn */
    s.pieces[s.n - 1].len -= 2;
    ck_assert_msg(mgc__journal_open(ctx, &opts, see, &seen, &j) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_uint_eq(seen.n, large + 1);
    ck_assert_uint_eq(seen.last_offset, small.offset);
    ck_assert_uint_eq(seen.last_height, UINT64_MAX - 1);
    mgc__journal_get_info(j, &info);
    ck_assert_uint_eq(info.torn_bytes, MGC__RECORD_HEADER + 4 - 2);
    ck_assert_uint_eq(info.bytes, small.offset + 2 * MGC__RECORD_HEADER + 5); /* with the mark after it */
    mgc__journal_close(j);

    for (size_t i = 0; i < s.n; i++) /* damage there is named with its offset */
        if (s.pieces[i].offset == small.offset) s.pieces[i].head[MGC__RECORD_HEADER] ^= 1;
    char where[40];
    snprintf(where, sizeof where, "at byte %" PRIu64, small.offset);
    ck_assert_int_eq(mgc__journal_open(ctx, &opts, see, &seen, &j), MGC_E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), where));
    free(zeros);
    if (large < 33) printf("# a journal beyond 4 GiB: 256 MiB only; MGC_TEST_LONG=1 takes it to 4.1 GiB\n");
    else ck_assert_uint_gt(small.offset, UINT32_MAX);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("files");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, short_and_interrupted_calls_are_continued);
    tcase_add_test(tcase, every_system_call_fails_once);
    tcase_add_test(tcase, killed_at_every_system_call);
    tcase_add_test(tcase, a_read_only_medium_can_be_asked);
    tcase_add_test(tcase, files_beyond_four_gigabytes);
    tcase_add_test(tcase, a_journal_beyond_four_gigabytes);
    return run_suite("ledger-files", tcase);
}
