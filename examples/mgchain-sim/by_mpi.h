/* SPDX-License-Identifier: Apache-2.0 */
/* An alliance over MPI.  Only where the build found MPI (MGC_SIM_MPI). */
#ifndef SIM_MPI_H
#define SIM_MPI_H

#include "sim.h"

/* Started by mpirun with more than one rank? */
bool mpi_launched(void);
/* solve() on every rank, its members shared out; rank 0 prints.  An exit code. */
int solve_by_mpi(sim *s, const mgc_case *kase, int (*solve)(sim *s, const mgc_case *kase));
/* Share an alliance's members out, where a team of ranks is at work. */
void mpi_share(const sim *s, mgc_alliance_opts *opts);

#endif
