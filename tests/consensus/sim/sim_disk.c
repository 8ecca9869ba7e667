/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_disk.h"

#include <stdio.h>

void sim_disk_init(struct sim_disk *d, mgc__rng *rng)
{
    memset(d, 0, sizeof *d);
    d->rng = rng;
    d->fault_at = -1;
}

static void free_file(struct sim_file *f)
{
    free(f->bytes);
    free(f->safe);
    free(f->dirty);
    memset(f, 0, sizeof *f);
}

void sim_disk_wipe(struct sim_disk *d)
{
    for (size_t i = 0; i < d->n; i++) free_file(&d->files[i]);
    d->n = 0;
}

void sim_disk_free(struct sim_disk *d)
{
    sim_disk_wipe(d);
    free(d->copy);
    d->copy = NULL;
    free(d->files);
    d->files = NULL;
    d->cap = 0;
}

struct sim_file *sim_disk_find(struct sim_disk *d, const char *name)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->files[i].name[0] != '\0' && strcmp(d->files[i].name, name) == 0) return &d->files[i];
    return NULL;
}

static size_t words_of(size_t bytes)
{
    return (bytes + SIM_SECTOR * 64 - 1) / (SIM_SECTOR * 64);
}

static void grow(struct sim_file *f, size_t cap)
{
    size_t to = f->cap < 4096 ? 4096 : f->cap;

    if (cap <= f->cap) return;
    while (to < cap) to *= 2;
    f->bytes = realloc(f->bytes, to);
    f->safe = realloc(f->safe, to);
    f->dirty = realloc(f->dirty, words_of(to) * 8);
    if (f->bytes == NULL || f->safe == NULL || f->dirty == NULL) abort();
    memset(f->bytes + f->cap, 0, to - f->cap);
    memset(f->safe + f->cap, 0, to - f->cap);
    memset(f->dirty + words_of(f->cap), 0, (words_of(to) - words_of(f->cap)) * 8);
    f->cap = to;
}

static struct sim_file *create(struct sim_disk *d, const char *name)
{
    struct sim_file *f = NULL;

    for (size_t i = 0; i < d->n && f == NULL; i++)
        if (d->files[i].name[0] == '\0' && d->files[i].durable[0] == '\0') f = &d->files[i];
    if (f == NULL) {
        if (d->n == d->cap) {
            d->cap = d->cap == 0 ? 16 : 2 * d->cap;
            d->files = realloc(d->files, d->cap * sizeof *d->files);
            if (d->files == NULL) abort();
            memset(d->files + d->n, 0, (d->cap - d->n) * sizeof *d->files);
        }
        f = &d->files[d->n++];
    }
    free_file(f);
    snprintf(f->name, sizeof f->name, "%s", name);
    return f;
}

static void touch(struct sim_file *f, size_t from, size_t to)
{
    for (size_t s = from / SIM_SECTOR; s * SIM_SECTOR < to; s++) f->dirty[s / 64] |= UINT64_C(1) << s % 64;
    f->any_dirty = true;
}

/* Visit the dirty sectors and clear them. */
static void clean(struct sim_file *f, void (*visit)(struct sim_disk *d, struct sim_file *f, size_t at), struct sim_disk *d)
{
    size_t words = words_of(f->cap);

    if (!f->any_dirty) return;
    f->any_dirty = false;
    for (size_t w = 0; w < words; w++)
        for (uint64_t bits = f->dirty[w]; bits != 0; bits &= bits - 1)
            visit(d, f, (w * 64 + (size_t)__builtin_ctzll(bits)) * SIM_SECTOR);
    memset(f->dirty, 0, words * 8);
}

static void to_medium(struct sim_disk *d, struct sim_file *f, size_t at)
{
    (void)d;
    memcpy(f->safe + at, f->bytes + at, SIM_SECTOR);
}

static void at_crash(struct sim_disk *d, struct sim_file *f, size_t at)
{
    uint64_t fate = mgc__rng_below(d->rng, 3);
    size_t kept = fate == 0 ? SIM_SECTOR : fate == 1 ? 0 : (size_t)mgc__rng_below(d->rng, SIM_SECTOR);

    d->lost += kept < SIM_SECTOR;
    memcpy(f->safe + at, f->bytes + at, kept);
    memcpy(f->bytes + at, f->safe + at, SIM_SECTOR);
}

static void names_to_medium(struct sim_disk *d)
{
    for (size_t i = 0; i < d->n; i++) {
        struct sim_file *f = &d->files[i];
        memcpy(f->durable, f->name, sizeof f->durable);
        if (f->name[0] == '\0') free_file(f);
    }
}

void sim_disk_crash(struct sim_disk *d)
{
    if (d->begun[0] != '\0') abort(); /* who borrows has to give back, also at its end */
    d->dead = d->locked = d->fail_sync = d->misdirect = false;
    d->calls = 0;
    d->fault_at = -1;
    for (size_t i = 0; i < d->n; i++) {
        struct sim_file *f = &d->files[i];
        if (f->cap == 0) continue;
        clean(f, at_crash, d);
        if (f->size > f->safe_size)
            f->safe_size += (size_t)mgc__rng_below(d->rng, f->size - f->safe_size + 1);
        f->size = f->safe_size;
        memset(f->bytes + f->size, 0, f->cap - f->size);
        memset(f->safe + f->size, 0, f->cap - f->size);
    }
    if (mgc__rng_below(d->rng, 2) == 0) {
        names_to_medium(d);
        return;
    }
    for (size_t i = 0; i < d->n; i++) {
        struct sim_file *f = &d->files[i];
        memcpy(f->name, f->durable, sizeof f->name);
        if (f->name[0] == '\0') free_file(f);
    }
}

void sim_disk_flip(struct sim_file *f, size_t at)
{
    f->bytes[at] ^= 0x5a;
    f->safe[at] = f->bytes[at];
}

void sim_disk_rot(struct sim_disk *d, struct sim_file *f, size_t at)
{
    at -= at % SIM_SECTOR;
    for (size_t i = 0; i < SIM_SECTOR && at + i < f->size; i++)
        f->safe[at + i] = f->bytes[at + i] = (uint8_t)mgc__rng_next(d->rng);
}

void sim_disk_lose(struct sim_file *f, size_t at)
{
    if (f->n_bad == sizeof f->bad / sizeof f->bad[0]) abort();
    f->bad[f->n_bad++] = at - at % SIM_SECTOR;
}

void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from)
{
    *to = *from;
    to->begun[0] = '\0';
    to->copy = NULL;
    to->cap = from->n;
    to->files = calloc(from->n + 1, sizeof *to->files);
    if (to->files == NULL) abort();
    if (from->n > 0) memcpy(to->files, from->files, from->n * sizeof *to->files);
    for (size_t i = 0; i < from->n; i++) {
        const struct sim_file *f = &from->files[i];
        struct sim_file *g = &to->files[i];
        g->bytes = g->safe = NULL;
        g->dirty = NULL;
        g->cap = 0;
        if (f->cap == 0) continue;
        grow(g, f->cap);
        memcpy(g->bytes, f->bytes, f->cap);
        memcpy(g->safe, f->safe, f->cap);
        memcpy(g->dirty, f->dirty, words_of(f->cap) * 8);
    }
}

/* --- the calls ---------------------------------------------------------------------------------- */

static bool fails(struct sim_disk *d)
{
    if (d->dead) return true;
    if (d->calls++ != d->fault_at) return false;
    d->dead = d->die;
    return true;
}

/* No call but read() of other places comes to a file that a write was begun in. */
static void leave_begun(const struct sim_disk *d, const char *name)
{
    if (d->begun[0] != '\0' && strcmp(d->begun, name) == 0) abort();
}

static void end_begun(struct sim_disk *d, const char *name)
{
    if (d->begun[0] == '\0' || strcmp(d->begun, name) != 0) return;
    if (memcmp(d->lent, d->copy, d->begun_len) != 0) abort();
    d->begun[0] = '\0';
}

static int32_t disk_lock(void *user)
{
    struct sim_disk *d = user;

    if (d->locked) return MGC_E_LOCKED;
    d->locked = true;
    return MGC_CB_DONE;
}

static int32_t disk_unlock(void *user)
{
    ((struct sim_disk *)user)->locked = false;
    return MGC_CB_DONE;
}

static int32_t disk_list(void *user, mgc_storage_visit visit, void *visit_user)
{
    struct sim_disk *d = user;
    int32_t answer = MGC_CB_DONE;

    for (size_t i = 0; i < d->n && answer == MGC_CB_DONE; i++)
        if (d->files[i].name[0] != '\0') answer = visit(visit_user, d->files[i].name, d->files[i].size);
    return answer;
}

static int32_t disk_read(void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, name);

    if (d->begun[0] != '\0' && strcmp(d->begun, name) == 0 && offset < d->begun_at + d->begun_len && offset + len > d->begun_at) abort();
    if (d->dead || f == NULL || offset > f->size || len > f->size - offset) return MGC_E_IO;
    for (uint32_t i = 0; i < f->n_bad; i++)
        if (offset < f->bad[i] + SIM_SECTOR && offset + len > f->bad[i]) return MGC_E_IO;
    if (len > 0) memcpy(bytes, f->bytes + offset, len);
    return MGC_CB_DONE;
}

static int32_t disk_append(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, name);
    bool fault = fails(d);

    leave_begun(d, name);
    if (f == NULL) f = create(d, name);
    if (fault) len = len / 2;
    grow(f, f->size + len + SIM_SECTOR);
    memcpy(f->bytes + f->size, bytes, len);
    touch(f, f->size, f->size + len);
    f->size += len;
    return fault ? MGC_E_IO : MGC_CB_DONE;
}

static int32_t disk_sync(void *user, const char *name)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, name);

    end_begun(d, name);
    if (fails(d) || f == NULL) return MGC_E_IO;
    if (d->fail_sync) {
        d->fail_sync = false;
        return MGC_E_IO;
    }
    d->syncs++;
    clean(f, to_medium, d);
    f->safe_size = f->size;
    return MGC_CB_DONE;
}

static int32_t disk_truncate(void *user, const char *name, uint64_t size)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, name);

    leave_begun(d, name);
    if (fails(d)) return MGC_E_IO;
    if (f == NULL) return size == 0 ? MGC_CB_DONE : MGC_E_IO;
    if (size < f->size) {
        memset(f->bytes + size, 0, f->size - (size_t)size);
        touch(f, (size_t)size, f->size);
        f->size = (size_t)size;
        if (f->safe_size > size) f->safe_size = (size_t)size; /* durable at once: one of the allowed ways */
    }
    return MGC_CB_DONE;
}

static int32_t disk_rename(void *user, const char *from, const char *to)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, from), *old = sim_disk_find(d, to);

    leave_begun(d, from);
    leave_begun(d, to);
    if (fails(d) || f == NULL) return MGC_E_IO;
    if (old != NULL) old->name[0] = '\0';
    snprintf(f->name, sizeof f->name, "%s", to);
    return MGC_CB_DONE;
}

static int32_t disk_remove(void *user, const char *name)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, name);

    leave_begun(d, name);
    if (fails(d) || f == NULL) return MGC_E_IO;
    f->name[0] = '\0';
    if (f->durable[0] == '\0') free_file(f);
    return MGC_CB_DONE;
}

static int32_t disk_sync_names(void *user)
{
    struct sim_disk *d = user;

    if (fails(d)) return MGC_E_IO;
    names_to_medium(d);
    return MGC_CB_DONE;
}

static int32_t disk_reserve(void *user, const char *name, uint64_t size)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, name);

    leave_begun(d, name);
    if (fails(d)) return MGC_E_IO;
    if (f != NULL) f->name[0] = '\0';
    f = create(d, name);
    grow(f, (size_t)size + SIM_SECTOR);
    f->size = (size_t)size;
    return MGC_CB_DONE;
}

static int32_t disk_write(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct sim_disk *d = user;
    struct sim_file *f = sim_disk_find(d, name);
    bool fault = fails(d);

    leave_begun(d, name);
    if (f == NULL || offset > f->size || len > f->size - offset) return MGC_E_IO;
    if (fault) len /= 2;
    if (d->misdirect) {
        uint64_t by = SIM_SECTOR * (1 + mgc__rng_below(d->rng, 8));
        d->misdirect = false;
        offset = offset + by + len <= f->size ? offset + by : offset;
    }
    memcpy(f->bytes + offset, bytes, len);
    if (len > 0) touch(f, (size_t)offset, (size_t)offset + len);
    return fault ? MGC_E_IO : MGC_CB_DONE;
}

/* It is there for all but a crash, as a disk without a cache would have it; which of its sectors a crash finds there, sim_disk_crash()
 * decides. */
static int32_t disk_begin_write(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct sim_disk *d = user;
    int32_t answer;

    if (d->begun[0] != '\0') abort();
    answer = disk_write(user, name, offset, bytes, len);
    if (answer != MGC_CB_DONE) return answer;
    d->copy = realloc(d->copy, len + 1);
    if (d->copy == NULL) abort();
    memcpy(d->copy, bytes, len);
    d->lent = bytes;
    d->begun_at = offset;
    d->begun_len = len;
    snprintf(d->begun, sizeof d->begun, "%s", name);
    return answer;
}

const mgc_storage_ops sim_disk_ops = {.struct_size = sizeof(mgc_storage_ops),
                                      .version = 1,
                                      .lock = disk_lock,
                                      .unlock = disk_unlock,
                                      .list = disk_list,
                                      .read = disk_read,
                                      .append = disk_append,
                                      .sync = disk_sync,
                                      .truncate = disk_truncate,
                                      .rename = disk_rename,
                                      .remove = disk_remove,
                                      .sync_names = disk_sync_names,
                                      .reserve = disk_reserve,
                                      .write = disk_write,
                                      .begin_write = disk_begin_write};
