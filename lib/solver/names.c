/* SPDX-License-Identifier: Apache-2.0 */
#include "solver/names.h"

/* Names made to collide would make the table a list.  A run of RUN_MAX taken places does not come about by chance in a table
 * at most half full: then all are hashed anew, from another start. */
enum { RUN_MAX = 256, TURNS_MAX = 64 };

void mgc__names_init(mgc__names *names, mgc_ctx *ctx)
{
    *names = (mgc__names){.ctx = ctx};
}

void mgc__names_free(mgc__names *names)
{
    mgc__free(names->ctx, names->name);
    mgc__free(names->ctx, names->value);
    names->name = NULL;
    names->value = NULL;
    names->capacity = names->n = 0;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits, from another start for each turn; at the end the finaliser of MurmurHash3 (Appleby),
 * because the low bits of FNV depend on the low bits of the text alone. */
static uint64_t hash_name(const char *name, uint64_t turn)
{
    uint64_t h = UINT64_C(14695981039346656037) + turn * UINT64_C(0x9e3779b97f4a7c15);

    for (; *name != '\0'; name++) h = (h ^ (uint8_t)*name) * UINT64_C(1099511628211);
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

/* Where name stands or would stand. */
static size_t find_slot(const mgc__names *names, const char *name)
{
    size_t at = (size_t)hash_name(name, names->turn) & (names->capacity - 1);

    while (names->name[at] != NULL && strcmp(names->name[at], name) != 0) at = (at + 1) & (names->capacity - 1);
    return at;
}

uint32_t mgc__names_find(const mgc__names *names, const char *name)
{
    if (names->capacity == 0) return UINT32_MAX;
    size_t at = find_slot(names, name);
    return names->name[at] != NULL ? names->value[at] : UINT32_MAX;
}

static bool rehash(mgc__names *names, size_t capacity)
{
    mgc__names old = *names;

    names->name = mgc__alloc(names->ctx, capacity, sizeof *names->name);
    names->value = mgc__alloc(names->ctx, capacity, sizeof *names->value);
    if (names->name == NULL || names->value == NULL) {
        mgc__free(names->ctx, names->name);
        mgc__free(names->ctx, names->value);
        *names = old;
        return false;
    }
    names->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.name[i] != NULL) {
            size_t at = find_slot(names, old.name[i]);
            names->name[at] = old.name[i];
            names->value[at] = old.value[i];
        }
    mgc__free(names->ctx, old.name);
    mgc__free(names->ctx, old.value);
    return true;
}

bool mgc__names_add(mgc__names *names, const char *name, uint32_t value)
{
    if (2 * (names->n + 1) > names->capacity && !rehash(names, names->capacity > 0 ? 2 * names->capacity : 64))
        return false;
    size_t at = find_slot(names, name);
    size_t from = (size_t)hash_name(name, names->turn) & (names->capacity - 1);
    if (((at - from) & (names->capacity - 1)) > RUN_MAX && names->turn < TURNS_MAX) {
        names->turn++;
        if (!rehash(names, names->capacity)) return false;
        at = find_slot(names, name);
    }
    assert(names->name[at] == NULL);
    names->name[at] = name;
    names->value[at] = value;
    names->n++;
    return true;
}
