/* SPDX-License-Identifier: Apache-2.0 */
/* MPI as the bus of agents: member i lives on rank i mod size.  What is sent in a turn is exchanged by all ranks at its end, in
 * one call.  MPI_Init() before, MPI_Finalize() after. */
#ifndef BARGAIN_MPI_BUS_H
#define BARGAIN_MPI_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL: no memory. */
void *mpi_bus_open(size_t members);
void mpi_bus_close(void *bus);
/* Is the member this rank's? */
bool mpi_bus_mine(void *bus, size_t member);
/* false: no memory. */
bool mpi_bus_send(void *bus, size_t from, size_t to, const uint8_t *bytes, size_t len);
/* End of a turn, to be called by every rank: what was sent before arrives.  Is `yes` true at all ranks? */
bool mpi_bus_turn(void *bus, bool yes);
/* The next of what has arrived, borrowed until the next turn; false: none. */
bool mpi_bus_next(void *bus, size_t *from, size_t *to, const uint8_t **bytes, size_t *len);

#endif
