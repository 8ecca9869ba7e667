/* SPDX-License-Identifier: Apache-2.0 */
/* Bargaining over MPI.  Only where the build found MPI (MGC_SIM_MPI). */
#ifndef SIM_MPI_H
#define SIM_MPI_H

#include "sim.h"

/* Started by mpirun with more than one rank? */
bool mpi_launched(void);
/* Agents of all members over the ranks; an exit code. */
int solve_by_mpi(sim *s, const mgc_case *kase);

#endif
