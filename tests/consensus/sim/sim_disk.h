/* SPDX-License-Identifier: Apache-2.0 */
/* A disk for simulations: what was not synced survives, vanishes or tears, sector by sector; bits rot, writes go astray,
 * syncs fail.  A write that was begun is one that was not synced; until it is, whatever storage.h does not allow ends the program.
 * Everything follows from the generator it is given. */
#ifndef TESTS_CONSENSUS_SIM_DISK_H
#define TESTS_CONSENSUS_SIM_DISK_H

#include "base/base.h"
#include "mgchain/storage.h"

enum { SIM_SECTOR = 512 };

struct sim_file {
    char name[MGC_STORAGE_NAME_MAX + 1];    /* "": removed */
    char durable[MGC_STORAGE_NAME_MAX + 1]; /* "": its creation was not synced */
    uint8_t *bytes, *safe;                  /* as read now; as last synced */
    uint64_t *dirty;                        /* a bit for each sector */
    size_t size, safe_size, cap;
    bool any_dirty;
    size_t bad[4]; /* places whose sectors cannot be read */
    uint32_t n_bad;
};

struct sim_disk {
    struct sim_file *files; /* as many as are asked for: a log that is never compacted has hundreds of segments */
    size_t n, cap;
    mgc__rng *rng;
    long calls, fault_at; /* the fault_at-th call (from 0) fails; < 0: never */
    bool die;             /* that fault is a loss of power: all later calls fail */
    bool dead, locked;
    bool fail_sync;       /* the next sync answers MGC_E_IO, and nothing that was written becomes durable */
    bool misdirect;       /* the next write lands one to eight sectors beside its place */
    char begun[MGC_STORAGE_NAME_MAX + 1]; /* the file that a write was begun in; "": none */
    uint64_t begun_at;
    size_t begun_len;
    const uint8_t *lent; /* the library's bytes of it; */
    uint8_t *copy;       /* as they were: nothing of them may change before the sync */
    uint64_t syncs, lost; /* counted; sectors that vanished or tore at crashes */
};

void sim_disk_init(struct sim_disk *d, mgc__rng *rng);
void sim_disk_free(struct sim_disk *d);
void sim_disk_wipe(struct sim_disk *d);
void sim_disk_crash(struct sim_disk *d);
struct sim_file *sim_disk_find(struct sim_disk *d, const char *name);
/* Invert bits of one byte, now and on the medium. */
void sim_disk_flip(struct sim_file *f, size_t at);
/* Fill a sector with rubbish, now and on the medium. */
void sim_disk_rot(struct sim_disk *d, struct sim_file *f, size_t at);
/* A sector that answers no read any more. */
void sim_disk_lose(struct sim_file *f, size_t at);
void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from);
extern const mgc_storage_ops sim_disk_ops;

#endif
