/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

static uint64_t below(struct power *p, uint64_t n)
{
    return mgc__rng_below(&p->rng, n);
}

void power_init(struct power *p, uint64_t seed)
{
    memset(p, 0, sizeof *p);
    p->dies_at = -1;
    mgc__rng_seed(&p->rng, seed);
}

void power_free(struct power *p)
{
    for (size_t i = 0; i < p->n_files; i++) {
        free(p->files[i].now);
        free(p->files[i].kept);
    }
    p->n_files = 0;
}

/* --- names --------------------------------------------------------------------------------------- */

static struct power_name *find(struct power_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->at[i].name, name) == 0) return &names->at[i];
    return NULL;
}

static void unlink_name(struct power_names *names, const char *name)
{
    struct power_name *at = find(names, name);

    if (at != NULL) *at = names->at[--names->n];
}

static void link_name(struct power_names *names, const char *name, size_t file)
{
    struct power_name *at = find(names, name);

    if (at == NULL) at = &names->at[names->n++];
    snprintf(at->name, sizeof at->name, "%s", name);
    at->file = file;
}

static void act_on(struct power_names *names, const struct power_act *a)
{
    if (a->from[0] != '\0') unlink_name(names, a->from);
    if (a->to[0] != '\0') link_name(names, a->to, a->file);
}

static void act(struct power *p, const char *from, const char *to, size_t file)
{
    struct power_act *a = &p->acts[p->n_acts++];

    ck_assert_uint_le(p->n_acts, POWER_ACTS);
    *a = (struct power_act){.file = file};
    snprintf(a->from, sizeof a->from, "%s", from);
    snprintf(a->to, sizeof a->to, "%s", to);
    act_on(&p->now, a);
}

/* A file that no name leads to, now or after a crash, is used again. */
static size_t free_file(struct power *p)
{
    for (size_t f = 0; f < p->n_files; f++) {
        bool used = false;
        for (size_t i = 0; i < p->now.n; i++) used |= p->now.at[i].file == f;
        for (size_t i = 0; i < p->kept.n; i++) used |= p->kept.at[i].file == f;
        for (size_t i = 0; i < p->n_acts; i++) used |= p->acts[i].file == f;
        if (!used) return f;
    }
    ck_assert_uint_lt(p->n_files, POWER_FILES);
    return p->n_files++;
}

static struct power_file *create(struct power *p, const char *name)
{
    size_t f = free_file(p);

    p->files[f].size = p->files[f].kept_size = p->files[f].same = 0;
    act(p, "", name, f);
    return &p->files[f];
}

static struct power_file *file_of(struct power *p, const char *name)
{
    struct power_name *at = find(&p->now, name);

    return at == NULL ? NULL : &p->files[at->file];
}

static void room(struct power_file *f, size_t size)
{
    if (size <= f->cap) return;
    f->cap = 2 * size;
    f->now = realloc(f->now, f->cap);
    f->kept = realloc(f->kept, f->cap);
}

/* --- the calls ----------------------------------------------------------------------------------- */

/* false: the power is gone.  *last: it goes in this very call. */
static bool powered(struct power *p, bool *last)
{
    *last = p->calls++ == p->dies_at;
    if (p->dead) return false;
    p->dead = *last;
    return true;
}

static int32_t simple(struct power *p)
{
    bool last;

    return powered(p, &last) && !last ? MGC_CB_DONE : MGC_E_IO;
}

static int32_t power_lock(void *user)
{
    struct power *p = user;

    if (simple(p) != MGC_CB_DONE) return MGC_E_IO;
    if (p->locked) return MGC_E_LOCKED;
    p->locked = true;
    return MGC_CB_DONE;
}

static int32_t power_unlock(void *user)
{
    ((struct power *)user)->locked = false;
    return MGC_CB_DONE;
}

static int32_t power_list(void *user, mgc_storage_visit visit, void *visit_user)
{
    struct power *p = user;
    int32_t answer = simple(p);

    for (size_t i = 0; i < p->now.n && answer == MGC_CB_DONE; i++)
        answer = visit(visit_user, p->now.at[i].name, p->files[p->now.at[i].file].size);
    return answer;
}

static int32_t power_read(void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len)
{
    struct power *p = user;
    const struct power_file *f = file_of(p, name);

    if (simple(p) != MGC_CB_DONE || f == NULL || offset > f->size || len > f->size - offset) return MGC_E_IO;
    if (len > 0) memcpy(bytes, f->now + offset, len);
    return MGC_CB_DONE;
}

/* Where the power goes, a part may have been done. */
static int32_t power_append(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    struct power *p = user;
    struct power_file *f;
    bool last;

    if (!powered(p, &last)) return MGC_E_IO;
    if (last) len = (size_t)below(p, len + 1);
    f = file_of(p, name);
    if (f == NULL) f = create(p, name);
    room(f, f->size + len);
    if (len > 0) memcpy(f->now + f->size, bytes, len);
    f->size += len;
    return last ? MGC_E_IO : MGC_CB_DONE;
}

static int32_t power_sync(void *user, const char *name)
{
    struct power *p = user;
    struct power_file *f = file_of(p, name);
    bool last;

    if (!powered(p, &last) || f == NULL) return MGC_E_IO;
    if (last && below(p, 2) == 0) return MGC_E_IO; /* it may be done, and nobody hear of it */
    if (f->size > f->same) memcpy(f->kept + f->same, f->now + f->same, f->size - f->same);
    f->kept_size = f->same = f->size;
    return last ? MGC_E_IO : MGC_CB_DONE;
}

static int32_t power_truncate(void *user, const char *name, uint64_t size)
{
    struct power *p = user;
    struct power_file *f = file_of(p, name);
    bool last;

    if (!powered(p, &last)) return MGC_E_IO;
    if (f == NULL) return size == 0 && !last ? MGC_CB_DONE : MGC_E_IO;
    if (size > f->size || (last && below(p, 2) == 0)) return MGC_E_IO;
    f->size = (size_t)size;
    if (f->same > f->size) f->same = f->size;
    return last ? MGC_E_IO : MGC_CB_DONE;
}

static int32_t power_rename(void *user, const char *from, const char *to)
{
    struct power *p = user;
    struct power_name *at = find(&p->now, from);
    bool last;

    if (!powered(p, &last) || at == NULL || (last && below(p, 2) == 0)) return MGC_E_IO;
    act(p, from, to, at->file);
    return last ? MGC_E_IO : MGC_CB_DONE;
}

static int32_t power_remove(void *user, const char *name)
{
    struct power *p = user;
    struct power_name *at = find(&p->now, name);
    bool last;

    if (!powered(p, &last) || at == NULL || (last && below(p, 2) == 0)) return MGC_E_IO;
    act(p, name, "", at->file);
    return last ? MGC_E_IO : MGC_CB_DONE;
}

static int32_t power_sync_names(void *user)
{
    struct power *p = user;
    bool last;

    if (!powered(p, &last) || (last && below(p, 2) == 0)) return MGC_E_IO;
    p->kept = p->now;
    p->n_acts = 0;
    return last ? MGC_E_IO : MGC_CB_DONE;
}

static int32_t power_reserve(void *user, const char *name, uint64_t size)
{
    struct power *p = user;
    struct power_file *f;

    if (simple(p) != MGC_CB_DONE) return MGC_E_IO;
    f = create(p, name);
    room(f, (size_t)size);
    memset(f->now, 0, (size_t)size);
    f->size = (size_t)size;
    return MGC_CB_DONE;
}

static int32_t power_write(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct power *p = user;
    struct power_file *f = file_of(p, name);
    bool last;

    if (!powered(p, &last) || f == NULL || offset > f->size || len > f->size - offset) return MGC_E_IO;
    if (last) len = (size_t)below(p, len + 1);
    if (len > 0) memcpy(f->now + offset, bytes, len);
    if (f->same > offset) f->same = (size_t)offset;
    return last ? MGC_E_IO : MGC_CB_DONE;
}

const mgc_storage_ops power_ops = {.struct_size = sizeof(mgc_storage_ops),
                                   .version = 1,
                                   .lock = power_lock,
                                   .unlock = power_unlock,
                                   .list = power_list,
                                   .read = power_read,
                                   .append = power_append,
                                   .sync = power_sync,
                                   .truncate = power_truncate,
                                   .rename = power_rename,
                                   .remove = power_remove,
                                   .sync_names = power_sync_names,
                                   .reserve = power_reserve,
                                   .write = power_write,
                                   .begin_write = power_write}; /* no more of it is durable before a sync */

/* --- the loss ------------------------------------------------------------------------------------ */

/* One sector of what was not synced: new, old, torn between the two, or never written. */
static void lose_sector(struct power *p, struct power_file *f, size_t from, size_t to)
{
    size_t torn = from + (size_t)below(p, to - from + 1);
    uint64_t how = below(p, 8);

    for (size_t i = from; i < to; i++) {
        uint8_t old = i < f->kept_size ? f->kept[i] : 0, new = i < f->size ? f->now[i] : old;
        f->now[i] = how < 4 ? new : how == 4 ? old : how == 5 ? 0 : how == 6 ? (i < torn ? new : old) : (i < torn ? old : new);
    }
}

static void lose_bytes(struct power *p, struct power_file *f)
{
    size_t low = f->size < f->kept_size ? f->size : f->kept_size, high = f->size > f->kept_size ? f->size : f->kept_size;
    size_t size = f->size;
    uint64_t how = below(p, 6);

    room(f, high);
    if (how == 0) size = f->kept_size;
    if (how <= 1 && f->kept_size > f->same) memcpy(f->now + f->same, f->kept + f->same, f->kept_size - f->same);
    if (how == 1) size = f->kept_size;
    if (how == 2) size = low + (size_t)below(p, high - low + 1); /* a beginning of it */
    if (how >= 4) {
        for (size_t at = f->same; at < high;) {
            size_t to = (at / POWER_SECTOR + 1) * POWER_SECTOR;
            lose_sector(p, f, at, to < high ? to : high);
            at = to;
        }
        size = below(p, 3) == 0 ? low + (size_t)below(p, high - low + 1) : high;
    } else if (size > f->size) {
        memcpy(f->now + f->size, f->kept + f->size, size - f->size); /* what was cut off is back */
    }
    f->size = size;
    room(f, f->size);
    memcpy(f->kept + f->same, f->now + f->same, f->size - f->same);
    f->kept_size = f->same = f->size;
}

static void lose_names(struct power *p)
{
    uint64_t how = below(p, 4);
    size_t upto = how == 1 ? p->n_acts : how == 2 ? (size_t)below(p, p->n_acts + 1) : 0;

    p->now = p->kept;
    for (size_t i = 0; i < p->n_acts; i++)
        if (how == 3 ? below(p, 2) == 0 : i < upto) act_on(&p->now, &p->acts[i]);
    p->kept = p->now;
    p->n_acts = 0;
}

void power_kill(struct power *p)
{
    p->dead = p->locked = false;
    p->dies_at = -1;
    p->calls = 0;
}

void power_cut(struct power *p)
{
    for (size_t i = 0; i < p->n_files; i++) lose_bytes(p, &p->files[i]);
    lose_names(p);
    power_kill(p);
}
