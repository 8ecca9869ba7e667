/* SPDX-License-Identifier: Apache-2.0 */
/* Which chain is home to which contract, and how a contract on one chain reads the records of another.
 *
 * A market stands on three chains of one store, or on one.  A chain called "information", "trading" or "scheduling" is
 * home to the contracts below; a chain of any other name is home to all.  Every contract has one home, so a record is
 * found by its contract's number alone.
 *
 *   information   information, supervision; a host's own from MGC_CONTRACT_HOST_INFORMATION on
 *   trading       trading, settlement, credit; a host's own from MGC_CONTRACT_HOST on; with the market's accounts
 *   scheduling    scheduling; a host's own from MGC_CONTRACT_HOST_SCHEDULING on
 *
 * What a contract reads on another chain is that chain's state at the height which the block at hand pins in the
 * common order; it writes to its own chain only. */
#include "contract/contract.h"

static const char *const names[HOMES] = {
    [HOME_INFORMATION] = "information", [HOME_TRADING] = "trading", [HOME_SCHEDULING] = "scheduling"};

const char *mgc__home_name(uint32_t home)
{
    return names[home];
}

uint32_t mgc__home_of_name(const char *chain)
{
    for (uint32_t i = 0; i < HOMES; i++)
        if (strcmp(names[i], chain) == 0) return i;
    return HOME_OF_ALL;
}

uint32_t mgc__home_of(uint32_t contract)
{
    if (contract >= MGC_CONTRACT_HOST_END) return HOME_TRADING;
    if (contract >= MGC_CONTRACT_HOST_SCHEDULING) return HOME_SCHEDULING;
    if (contract >= MGC_CONTRACT_HOST_INFORMATION) return HOME_INFORMATION;
    switch (contract) {
    case MGC_CONTRACT_INFORMATION:
    case MGC_CONTRACT_SUPERVISION: return HOME_INFORMATION;
    case MGC_CONTRACT_SCHEDULING: return HOME_SCHEDULING;
    default: return HOME_TRADING;
    }
}

bool mgc__at_home(const mgc__homes *homes, uint32_t contract)
{
    return homes->here == HOME_OF_ALL || homes->here == mgc__home_of(contract);
}

const mgc__state *mgc__state_of(const mgc__homes *homes, uint32_t contract)
{
    return homes->state[mgc__home_of(contract)];
}

/* All at one place. */
static void live_together(mgc__homes *homes, const mgc__state *state, uint64_t height)
{
    for (uint32_t i = 0; i < HOMES; i++) homes->state[i] = state;
    homes->height = height;
}

static mgc_status here_of(mgc_chain *chain, mgc_chain_info *info, mgc__homes *homes)
{
    mgc_status st;

    memset(homes, 0, sizeof *homes);
    *info = (mgc_chain_info){.struct_size = sizeof *info};
    st = mgc_chain_get_info(chain, info);
    if (st != MGC_OK) return st;
    homes->here = mgc__home_of_name(info->name);
    memcpy(homes->chain_id, info->chain_id, 32);
    return MGC_OK;
}

mgc_status mgc__homes_of_exec(mgc__exec *x, mgc__homes *homes)
{
    mgc_chain_info info;
    mgc_status st = here_of(mgc__exec_chain(x), &info, homes);

    if (st != MGC_OK) return st;
    live_together(homes, mgc__exec_state(x), mgc__exec_height(x));
    for (uint32_t i = 0; i < HOMES && homes->here != HOME_OF_ALL; i++) {
        uint64_t height = 0, time_ms;

        if (i == homes->here) continue;
        st = mgc__exec_other(x, names[i], &homes->state[i], &height, &time_ms);
        if (st == MGC_E_NOT_FOUND) homes->state[i] = NULL; /* not begun yet: it has no records */
        if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
        if (i == HOME_INFORMATION) homes->height = height;
    }
    return MGC_OK;
}

mgc_status mgc__homes_of_chain(mgc_chain *chain, mgc__homes *homes)
{
    mgc_chain_info info;
    mgc_status st = here_of(chain, &info, homes);

    if (st != MGC_OK) return st;
    live_together(homes, mgc__chain_state(chain), info.height);
    for (uint32_t i = 0; i < HOMES && homes->here != HOME_OF_ALL; i++) {
        uint64_t height = 0, time_ms;

        if (i == homes->here) continue;
        st = mgc__chain_other(chain, names[i], &homes->state[i], &height, &time_ms);
        if (st == MGC_E_NOT_FOUND) homes->state[i] = NULL;
        if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
        if (i == HOME_INFORMATION) homes->height = height;
    }
    return MGC_OK;
}
