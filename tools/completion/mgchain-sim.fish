# SPDX-License-Identifier: Apache-2.0
# Written by tools/make-completion out of mgchain-sim --help.
complete -c mgchain-sim -n __fish_use_subcommand -f -a check -d 'every error of the input, or a summary of it'
complete -c mgchain-sim -n __fish_use_subcommand -f -a doctor -d 'what is installed and what works'
complete -c mgchain-sim -n __fish_use_subcommand -f -a evaluate -d 'walk forward over the history: what deterministic, stochastic and robust plans cost on the days that came,'
complete -c mgchain-sim -n __fish_use_subcommand -f -a export -d 'the exact program, to solve elsewhere'
complete -c mgchain-sim -n __fish_use_subcommand -f -a keys -d 'every key of case files, with unit, range and default'
complete -c mgchain-sim -n __fish_use_subcommand -f -a ledger -d 'check every byte, hash, signature and balance of a ledger'
complete -c mgchain-sim -n __fish_use_subcommand -f -a new -d 'write a small case with comments, to begin with'
complete -c mgchain-sim -n __fish_use_subcommand -f -a program -d 'solve any linear, quadratic or mixed-integer program'
complete -c mgchain-sim -n __fish_use_subcommand -f -a run -d 'the whole day; without CASE the built-in one.  Writes DIR/report.html, results.json, *.csv, ledger/'
complete -c mgchain-sim -n __fish_use_subcommand -f -a solve -d 'optimisation only; --admm (agents) is the default; --pool: all trade with all, only sums are told'
complete -c mgchain-sim -n __fish_use_subcommand -f -a stochastic -d 'a two-stage program in SMPS form; R: how far probabilities may be from the nominal ones'
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l days -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l incident -r -f -a 'dishonest-meter default dispute leader-crash partition low-credit equivocation'
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l members -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l out -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l pool
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l seed -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l threads -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from run' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l admm
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l alone
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l central
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l gap -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l pool
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l relax
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l threads -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from solve' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l days -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l gap -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l out -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l relax
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l threads -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from evaluate' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from new' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from new' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from new' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from new' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from check' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from check' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from check' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from check' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from export' -l fixed
complete -c mgchain-sim -n '__fish_seen_subcommand_from export' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from export' -l microgrid -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from export' -l mps -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from export' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from export' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from export' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l fixed
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l gap -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l mps -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l relax
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l tolerance -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from program' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l chi2 -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l cvar -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l gap -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l kl -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l method -r -f -a 'auto direct ccg'
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l norm-inf -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l norm1 -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l relax
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l threads -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l wasserstein -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from stochastic' -l worst-case
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger' -a verify -d 'check every byte, hash, signature and balance of a ledger'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from verify' -l chain -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from verify' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from verify' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from verify' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from verify' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from verify' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger' -a mend -d 'put back what changed on the disk, block by block, out of another member\'s ledger'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from mend' -l from -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from mend' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from mend' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from mend' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from mend' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from mend' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger' -a query -d 'what the ledger answers to a member (by number or name), to the public without --as; CSV'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l as -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l cursor -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from query' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger' -a export -d 'every table that the member may see, as CSV'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from export' -l as -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from export' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from export' -l out -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from export' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from export' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from export' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger' -a proof -d 'evidence that holds without the ledger'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from proof' -a 'transaction receipt block account'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from proof' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from proof' -l json
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from proof' -l out -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from proof' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from proof' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from ledger; and __fish_seen_subcommand_from proof' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from keys' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from keys' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from keys' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from keys' -l version
complete -c mgchain-sim -n '__fish_seen_subcommand_from doctor' -l help
complete -c mgchain-sim -n '__fish_seen_subcommand_from doctor' -l progress -r -f -a 'auto plain json none'
complete -c mgchain-sim -n '__fish_seen_subcommand_from doctor' -l time-limit -r
complete -c mgchain-sim -n '__fish_seen_subcommand_from doctor' -l version
