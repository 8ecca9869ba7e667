/* SPDX-License-Identifier: Apache-2.0 */
/* solve --admm under mpirun: the members are dealt out to the ranks.  Every rank solves the programs of its members and hears from
 * the others what theirs found (mgc_alliance_opts.exchange), so that all end with the result of one process, bit for bit: plans,
 * prices, payments, bounds.  Rank 0 prints. */
#include "by_mpi.h"

#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct team {
    int rank, size;
    uint8_t *all;
    size_t cap, *lengths; /* [size] */
    int *count, *from;    /* [size] */
} team;

bool mpi_launched(void)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");

    return size == NULL ? getenv("PMI_SIZE") != NULL : atoi(size) > 1;
}

static bool make_room(team *t, size_t total)
{
    uint8_t *bytes;

    if (total <= t->cap) return true;
    bytes = realloc(t->all, 2 * total);
    if (bytes == NULL) return false;
    t->all = bytes;
    t->cap = 2 * total;
    return true;
}

static int32_t exchange(void *user, const uint8_t *bytes, size_t len, const uint8_t **all, const size_t **lengths)
{
    team *t = user;
    int own = len <= INT_MAX ? (int)len : -1;
    size_t total = 0;
    bool good = true;

    MPI_Allgather(&own, 1, MPI_INT, t->count, 1, MPI_INT, MPI_COMM_WORLD);
    for (int r = 0; r < t->size; r++) {
        good &= t->count[r] >= 0 && total <= (size_t)INT_MAX;
        t->from[r] = (int)(good ? total : 0);
        t->lengths[r] = good ? (size_t)t->count[r] : 0;
        total += t->lengths[r];
    }
    if (!good || total > (size_t)INT_MAX) return MGC_E_LIMIT; /* at all ranks alike */
    if (!make_room(t, total + 1)) return MGC_E_NO_MEMORY;
    MPI_Allgatherv(bytes, own, MPI_BYTE, t->all, t->count, t->from, MPI_BYTE, MPI_COMM_WORLD);
    *all = t->all;
    *lengths = t->lengths;
    return MGC_CB_DONE;
}

void mpi_share(const sim *s, mgc_alliance_opts *opts)
{
    team *t = s->team;

    if (t == NULL) return;
    opts->process = (uint32_t)t->rank;
    opts->processes = (uint32_t)t->size;
    opts->exchange = exchange;
    opts->exchange_user = t;
}

static void free_team(team *t)
{
    free(t->all);
    free(t->lengths);
    free(t->count);
    free(t->from);
}

int solve_by_mpi(sim *s, const mgc_case *kase, int (*solve)(sim *s, const mgc_case *kase))
{
    team t = {.rank = 0};
    int code, told;

    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &t.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &t.size);
    t.lengths = calloc((size_t)t.size, sizeof *t.lengths);
    t.count = calloc((size_t)t.size, sizeof *t.count);
    t.from = calloc((size_t)t.size, sizeof *t.from);
    if (t.lengths == NULL || t.count == NULL || t.from == NULL) MPI_Abort(MPI_COMM_WORLD, EXIT_INTERNAL);
    told = dup(STDERR_FILENO);
    if (t.rank != 0 && (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)) MPI_Abort(MPI_COMM_WORLD, EXIT_INTERNAL);
    s->team = &t;
    code = solve(s, kase);
    s->team = NULL;
    /* Every rank comes to the same code, but where one fails alone, as for want of memory: the others wait for its word. */
    if (code == EXIT_INTERNAL) {
        dprintf(told, "mgchain-sim: rank %d: %s\n", t.rank, mgc_ctx_error(s->ctx));
        MPI_Abort(MPI_COMM_WORLD, code);
    }
    close(told);
    free_team(&t);
    MPI_Finalize();
    return code;
}
