/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that forgets: what was not synced may be lost, torn, reordered or turned to zeros, sector by sector, and what
 * was cut off may come back; names that were not synced may be the old ones or the new ones.  Nothing else happens
 * to it, so whatever a ledger promises must hold on it. */
#ifndef TESTS_LEDGER_POWER_H
#define TESTS_LEDGER_POWER_H

#include "world.h"

enum { POWER_FILES = 64, POWER_ACTS = 256, POWER_SECTOR = 512 };

struct power {
    struct power_file {
        uint8_t *now, *kept; /* kept: as of its last sync */
        size_t size, kept_size, cap;
        size_t same; /* bytes before this one are the same in both */
    } files[POWER_FILES];
    size_t n_files;
    struct power_names {
        struct power_name {
            char name[MGC_STORAGE_NAME_MAX + 1];
            size_t file;
        } at[POWER_FILES];
        size_t n;
    } now, kept;
    struct power_act { /* on names, since they were synced */
        char from[MGC_STORAGE_NAME_MAX + 1], to[MGC_STORAGE_NAME_MAX + 1]; /* from "": created; to "": removed */
        size_t file;
    } acts[POWER_ACTS];
    size_t n_acts;
    long calls, dies_at; /* the power goes at this call, from 0; < 0: never */
    bool dead, locked;
    mgc__rng rng;
};

extern const mgc_storage_ops power_ops;

void power_init(struct power *p, uint64_t seed);
void power_free(struct power *p);
/* The power was gone (or goes now) and is back. */
void power_cut(struct power *p);
/* Only the process was killed: what was not synced is still in the system's cache, and may be lost later. */
void power_kill(struct power *p);

#endif
