/* SPDX-License-Identifier: Apache-2.0 */
#include "mpi_bus.h"

#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 3 }; /* of a message: from, to, length */

/* Bytes for one rank, or of all ranks. */
typedef struct heap {
    char *bytes;
    size_t len, cap;
} heap;

typedef struct mpi_bus {
    int rank, size;
    heap *out; /* [size] */
    heap in;
    size_t at; /* in `in` */
    int *count, *from, *count_in, *from_in; /* [size] */
} mpi_bus;

static bool room(heap *h, size_t more)
{
    size_t cap = 2 * (h->len + more) + 1024;
    char *bytes;

    if (h->len + more <= h->cap) return true;
    bytes = realloc(h->bytes, cap);
    if (bytes == NULL) return false;
    h->bytes = bytes;
    h->cap = cap;
    return true;
}

static bool put(heap *h, const void *bytes, size_t len)
{
    if (!room(h, len)) return false;
    if (len > 0) memcpy(h->bytes + h->len, bytes, len);
    h->len += len;
    return true;
}

void *mpi_bus_open(size_t members)
{
    mpi_bus *b = calloc(1, sizeof *b);

    (void)members; /* any number of them */
    if (b == NULL) return NULL;
    MPI_Comm_rank(MPI_COMM_WORLD, &b->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &b->size);
    b->out = calloc((size_t)b->size, sizeof *b->out);
    b->count = calloc(4 * (size_t)b->size, sizeof *b->count);
    if (b->out == NULL || b->count == NULL) {
        mpi_bus_close(b);
        return NULL;
    }
    b->from = b->count + b->size;
    b->count_in = b->from + b->size;
    b->from_in = b->count_in + b->size;
    return b;
}

void mpi_bus_close(void *bus)
{
    mpi_bus *b = bus;

    if (b == NULL) return;
    for (int r = 0; b->out != NULL && r < b->size; r++) free(b->out[r].bytes);
    free(b->out);
    free(b->count);
    free(b->in.bytes);
    free(b);
}

static int rank_of(const mpi_bus *b, size_t member)
{
    return (int)(member % (size_t)b->size);
}

bool mpi_bus_mine(void *bus, size_t member)
{
    const mpi_bus *b = bus;

    return rank_of(b, member) == b->rank;
}

bool mpi_bus_send(void *bus, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    mpi_bus *b = bus;
    uint32_t head[HEAD] = {(uint32_t)from, (uint32_t)to, (uint32_t)len};
    heap *h = &b->out[rank_of(b, to)];

    return len <= UINT32_MAX && room(h, sizeof head + len) && put(h, head, sizeof head) && put(h, bytes, len);
}

/* Counts of MPI are ints: what a turn carries must stay below 2 GB.  The others wait in the same call, so there is no way back. */
static void must(bool ok)
{
    if (!ok) MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
}

bool mpi_bus_turn(void *bus, bool yes)
{
    mpi_bus *b = bus;
    heap all = {.len = 0};
    int mine = yes, everyone = 0;
    size_t total = 0;

    for (int r = 0; r < b->size; r++) {
        must(all.len + b->out[r].len <= INT_MAX);
        b->count[r] = (int)b->out[r].len;
        b->from[r] = (int)all.len;
        must(put(&all, b->out[r].bytes, b->out[r].len));
        b->out[r].len = 0;
    }
    MPI_Alltoall(b->count, 1, MPI_INT, b->count_in, 1, MPI_INT, MPI_COMM_WORLD);
    for (int r = 0; r < b->size; r++) {
        must(total + (size_t)b->count_in[r] <= INT_MAX);
        b->from_in[r] = (int)total;
        total += (size_t)b->count_in[r];
    }
    b->in.len = b->at = 0;
    must(room(&b->in, total + 1) && room(&all, 1));
    MPI_Alltoallv(all.bytes, b->count, b->from, MPI_BYTE, b->in.bytes, b->count_in, b->from_in, MPI_BYTE, MPI_COMM_WORLD);
    b->in.len = total;
    free(all.bytes);
    MPI_Allreduce(&mine, &everyone, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return everyone != 0;
}

bool mpi_bus_next(void *bus, size_t *from, size_t *to, const uint8_t **bytes, size_t *len)
{
    mpi_bus *b = bus;
    uint32_t head[HEAD];

    if (b->at == b->in.len) return false;
    memcpy(head, b->in.bytes + b->at, sizeof head);
    *from = head[0];
    *to = head[1];
    *len = head[2];
    *bytes = (const uint8_t *)b->in.bytes + b->at + sizeof head;
    b->at += sizeof head + head[2];
    return true;
}
