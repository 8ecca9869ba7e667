/* SPDX-License-Identifier: Apache-2.0 */
#include "chain_world.h"

#include "arena.h"

const uint32_t chain_people[] = {ADMIN, OPERATOR, DISPATCHER, REGULATOR, MANAGER + 1, MANAGER + 2, MANAGER + 3,
                                 METER + 1, METER + 2, METER + 3, METER + 4, METER + 5, METER + 6, METER + 7,
                                 METER + 8, METER + 9, STRANGER, VALIDATOR};
const uint32_t chain_n_people = MGC__COUNT(chain_people);

uint64_t chain_wait(uint8_t wait)
{
    static const uint64_t steps[CHAIN_STEPS] = {1, 1000, 60000, HOUR / 4, HOUR, 4 * (uint64_t)HOUR, 24 * (uint64_t)HOUR};

    return steps[wait % CHAIN_STEPS] * (wait % CHAIN_STEPS <= CHAIN_STEP_HOUR ? 1u + wait / CHAIN_STEPS : 1u);
}

static const int begins[WORLDS] = {STEP_AGREE, STEP_READ_1, STEP_SETTLE, STEP_FINALISE};

static struct market now, saved[WORLDS]; /* saved: with a disk of its own */

static void build(void)
{
    int done = 0;

    market_three_chains = true;
    now.allocator = &arena_allocator;
    arena_keep_once(sizeof(uint8_t[32]) * MGC__SEEN);
    market_open(&now);
    for (uint32_t i = 0; i < chain_n_people; i++) (void)market_key(&now, chain_people[i]);
    for (uint32_t k = 0; k < WORLDS; k++) {
        while (done < begins[k]) market_step(&now, done++);
        arena_save(k);
        saved[k] = now;
        disk_copy(&saved[k].disk, &now.disk);
    }
}

/* Files are there still, with the same names: their first bytes are written again, what came after is cut off. */
static bool restore_files(struct disk *d, const struct disk *from)
{
    if (d->n < from->n) return false;
    for (size_t i = 0; i < from->n; i++)
        if (strcmp(d->files[i].name, from->files[i].name) != 0 || d->files[i].cap < from->files[i].size) return false;
    while (d->n > from->n) free(d->files[--d->n].bytes);
    for (size_t i = 0; i < from->n; i++) {
        struct disk_file *f = &d->files[i];
        memcpy(f->bytes, from->files[i].bytes, from->files[i].size);
        f->size = from->files[i].size;
        f->synced = from->files[i].synced;
        f->name_synced = from->files[i].name_synced;
    }
    return true;
}

struct market *chain_world(uint32_t which)
{
    static struct disk disk;

    which %= WORLDS;
    if (now.ctx == NULL) build();
    if (!restore_files(&now.disk, &saved[which].disk)) {
        disk_free(&now.disk);
        disk_copy(&now.disk, &saved[which].disk);
    }
    disk = now.disk;
    now = saved[which];
    memcpy(now.disk.files, disk.files, sizeof disk.files);
    arena_restore(which);
    return &now;
}

bool chain_world_kept(uint32_t which)
{
    const struct disk *before = &saved[which % WORLDS].disk;

    for (size_t i = 0; i < before->n; i++) {
        const struct disk_file *f = disk_find(&now.disk, before->files[i].name);
        size_t size = before->files[i].size;
        if (f != NULL && (f->size < size || memcmp(f->bytes, before->files[i].bytes, size) != 0)) return false;
    }
    return true;
}
