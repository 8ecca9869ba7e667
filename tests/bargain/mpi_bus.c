/* SPDX-License-Identifier: Apache-2.0 */
#include "mpi_bus.h"

#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    int *said, *heard;    /* [2 size] bytes for a rank, and whether who sends them is content */
    MPI_Request *request; /* [2 size] */
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
    b->said = calloc(4 * (size_t)b->size, sizeof *b->said);
    b->request = calloc(2 * (size_t)b->size, sizeof(MPI_Request));
    if (b->out == NULL || b->said == NULL || b->request == NULL) {
        mpi_bus_close(b);
        return NULL;
    }
    b->heard = b->said + 2 * b->size;
    return b;
}

void mpi_bus_close(void *bus)
{
    mpi_bus *b = bus;

    if (b == NULL) return;
    for (int r = 0; b->out != NULL && r < b->size; r++) free(b->out[r].bytes);
    free(b->out);
    free(b->said);
    free(b->request);
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

/* Ranks may be more than processors, and those may have other work: who waits sleeps, instead of taking the time of whom it waits
 * for, as MPI's own waiting does. */
static void wait_for(int n, MPI_Request *request)
{
    static const struct timespec nap = {.tv_nsec = 20000};
    int done = 0;

    for (int tries = 0; !done; tries++) {
        must(MPI_Testall(n, request, &done, MPI_STATUSES_IGNORE) == MPI_SUCCESS);
        if (!done && tries > 20) nanosleep(&nap, NULL);
    }
}

/* To each rank its number of bytes, and whether this one is content: one collective call a turn. */
static bool tell_counts(mpi_bus *b, bool yes)
{
    bool everyone = true;
    MPI_Request request;

    for (int r = 0; r < b->size; r++) {
        must(b->out[r].len <= INT_MAX);
        b->said[2 * r] = (int)b->out[r].len;
        b->said[2 * r + 1] = yes;
    }
    MPI_Ialltoall(b->said, 2, MPI_INT, b->heard, 2, MPI_INT, MPI_COMM_WORLD, &request);
    wait_for(1, &request);
    for (int r = 0; r < b->size; r++) everyone &= b->heard[2 * r + 1] != 0;
    return everyone;
}

/* Between two ranks with nothing to say nothing is sent. */
bool mpi_bus_turn(void *bus, bool yes)
{
    mpi_bus *b = bus;
    bool everyone = tell_counts(b, yes);
    size_t total = 0;
    int n = 0;

    for (int r = 0; r < b->size; r++) total += (size_t)b->heard[2 * r];
    must(total <= INT_MAX);
    b->in.len = b->at = 0;
    must(room(&b->in, total + 1));
    for (int r = 0; r < b->size; r++) {
        if (b->heard[2 * r] > 0) MPI_Irecv(b->in.bytes + b->in.len, b->heard[2 * r], MPI_BYTE, r, 0, MPI_COMM_WORLD, &b->request[n++]);
        b->in.len += (size_t)b->heard[2 * r];
    }
    for (int r = 0; r < b->size; r++)
        if (b->said[2 * r] > 0) MPI_Isend(b->out[r].bytes, b->said[2 * r], MPI_BYTE, r, 0, MPI_COMM_WORLD, &b->request[n++]);
    wait_for(n, b->request);
    for (int r = 0; r < b->size; r++) b->out[r].len = 0;
    return everyone;
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
