/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance suite over MPI, by the bus that mgchain-sim uses: mpirun -n 1..4 mpi_transport.  Rank 0 prints TAP. */
#include <mpi.h>
#include <stdio.h>

#include "mpi_bus.h"
#include "transport.h"

static const transport over_mpi = {"mpi", mpi_bus_open, mpi_bus_close, mpi_bus_mine, mpi_bus_send, mpi_bus_next, mpi_bus_turn};

int main(int argc, char **argv)
{
    int rank, failed = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) printf("1..%d\n", TRANSPORT_CASES);
    for (int number = 0; number < TRANSPORT_CASES; number++) {
        char why[256];
        int ok = transport_conforms(&over_mpi, number, why, sizeof why), all = 0;

        if (!ok) fprintf(stderr, "rank %d, %s: %s\n", rank, transport_case(number), why);
        MPI_Allreduce(&ok, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
        failed |= !all;
        if (rank == 0) printf("%s %d - mpi: %s\n", all ? "ok" : "not ok", number + 1, transport_case(number));
    }
    MPI_Finalize();
    return failed;
}
