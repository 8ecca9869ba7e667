# SPDX-License-Identifier: Apache-2.0
"""How much to order before demand is known, with an ambiguity set of one's own: demand may be lower than history
says, never higher."""
import mgchain as mg

DEMAND, NOMINAL = (10.0, 20.0, 40.0), (0.5, 0.3, 0.2)


class Pessimist(mg.AmbiguitySet):
    """Up to a share of each scenario's weight may move to the one below it."""

    def __init__(self, share):
        self.share = share

    def worst(self, cost):
        weights = list(NOMINAL)
        for k in range(len(weights) - 1, 0, -1):
            if cost[k - 1] > cost[k]:
                weights[k - 1] += self.share * NOMINAL[k]
                weights[k] -= self.share * NOMINAL[k]
        return weights


for share in (0.0, 0.3, 0.6):
    program = mg.TwoStage(NOMINAL)
    order = program.add_column(mg.FIRST_STAGE, cost=1.0, upper=100.0)
    for k, demand in enumerate(DEMAND):
        sold = program.add_column(mg.scenario(k), cost=-3.0, upper=demand)
        program.add_row(mg.scenario(k), {sold: 1.0, order: -1.0}, upper=0.0)
    solved = program.set_ambiguity(Pessimist(share)).solve()
    print(f"share {share:.1f}: order {solved.x[order]:5.1f}, worst expected profit {-solved.objective:5.2f}")
