#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plant single faults in the consensus core, one at a time; the simulator or a scenario must catch each within a minute of
processor time, so that the table is the same on a machine that has other things to do.

Usage: mutation.py SOURCE_ROOT [--only N] [--seconds 60]      prints a table; exit 0 when every fault was caught
"""
import argparse
import math
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

# (file, what stands there, what is planted, what it breaks)
FAULTS = [
    ("election.c", "    r->vote = r->opts.id;\n    mgc__hard_changed(r);\n    vote_for_self(r);",
     "    r->vote = r->opts.id;\n    vote_for_self(r);", "own term and vote not persisted"),
    ("election.c", "        r->vote = m->from;\n        mgc__hard_changed(r);", "        r->vote = m->from;", "granted vote not persisted"),
    ("election.c", "        r->vote = r->term_leader = 0;\n        mgc__hard_changed(r);",
     "        r->vote = r->term_leader = 0;", "new term not persisted"),
    ("election.c", "return r->vote == candidate || (r->vote == 0 && r->term_leader == 0);", "return candidate != 0;", "votes twice in a term"),
    ("election.c", "!vote_is_free(r, m->from) || !mgc__may_vote(r) || !mgc__log_up_to_date(r, m->log_term, m->index)",
     "!vote_is_free(r, m->from) || !mgc__may_vote(r)",
     "votes for a shorter log"),
    ("election.c", "return !r->amnesia && !mgc__recovering(r);", "return !mgc__recovering(r);", "a wiped member votes"),
    ("election.c", "return !r->amnesia && !mgc__recovering(r);", "return !r->amnesia;", "a recovering member votes"),
    ("election.c", "    answer->flags = grant ? 0 : MGC_RAFT_REJECT;\n    answer->after = mgc__hard_after(r);\n}",
     "    answer->flags = grant ? 0 : MGC_RAFT_REJECT;\n}", "vote leaves before it is durable"),
    ("election.c", "    memcpy(m->hash, mgc__log_hash(r, r->last), 32);\n    m->after = mgc__hard_after(r);\n}",
     "    memcpy(m->hash, mgc__log_hash(r, r->last), 32);\n}", "own vote counts before it is durable"),
    ("replicate.c", "|| mgc__log_term(r, index) != r->term) return; /* 5.4.2", ") return; /* 5.4.2",
     "commits an entry of an older term by counting"),
    ("replicate.c", "if (mgc__config_member(mgc__config_now(r), r->opts.id) == NULL) return MGC_RAFT_NOT_MEMBER;", ";",
     "a leader on its way out takes proposals"),
    ("replicate.c", "if (log_full(r, event->n_entries)) return MGC_RAFT_LOG_FULL;", ";", "proposals beyond the log's room"),
    ("quorum.c", "return n == 0 ? UINT64_MAX : sorted[n / 2];", "return n == 0 ? UINT64_MAX : sorted[(n - 1) / 2];",
     "half is enough to commit"),
    ("quorum.c", "if (n == 0 || yes > n / 2) return MGC__WON;", "if (n == 0 || yes >= n / 2) return MGC__WON;", "half is enough to lead"),
    ("quorum.c", "return now < old ? now : old;", "return now;", "a joint commit asks only the new half"),
    ("quorum.c", "return now == MGC__WON && old == MGC__WON ? MGC__WON : MGC__PENDING;", "return now == MGC__WON ? MGC__WON : MGC__PENDING;",
     "a joint election asks only the new half"),
    ("follow.c", "mgc__log_commit_to(r, m->commit < end ? m->commit : end);", "mgc__log_commit_to(r, m->commit < r->last ? m->commit : r->last);",
     "commits an unverified suffix"),
    ("follow.c", "mgc__log_commit_to(r, m->commit < r->last ? m->commit : r->last);\n    answer",
     "mgc__log_commit_to(r, r->last);\n    answer", "a heartbeat commits everything"),
    ("follow.c", "mgc__ack(r, m->from, end < r->commit ? r->commit : end);", "mgc__ack(r, m->from, r->last);", "acknowledges beyond the message"),
    ("follow.c", "(m->index >= r->base && mgc__log_term(r, m->index) != m->log_term)", "false", "no check of the entry before"),
    ("follow.c", "    m->after = mgc__log_after(r, index);", "    m->after = 0;", "acknowledges before it is durable"),
    ("follow.c", "if (mgc__recovering(r) && index >= r->fault_first) index = r->fault_first - 1;", ";", "acknowledges a damaged entry"),
    ("log.c", "    r->out->append.truncate_from = from;", "", "truncation is not written"),
    ("log.c", "    mgc__config_drop_from(r, from);\n", "", "a truncated configuration stays in force"),
    ("log.c", "return term > own || (term == own && index >= r->last);", "return index >= r->last;", "up to date by length alone"),
    ("log.c", "return term > own || (term == own && index >= r->last);", "return term >= own;", "up to date by term alone"),
    ("log.c", "    return r->append_token > hard ? r->append_token : hard;", "    return hard;", "an acknowledgement does not wait for the disk"),
    ("replicate.c", "if (event->token < r->cut_token || mgc__log_term(r, event->upto) != event->term || event->upto <= r->stored) return;",
     "if (event->upto <= r->stored || event->upto > r->last) return;", "a completion of an overwritten entry counts (ABA)"),
    ("step.c", "    uint64_t upto = r->commit < r->stored ? r->commit : r->stored;", "    uint64_t upto = r->commit;",
     "applies what it has not stored"),
    ("read.c", "        if (r->reads[i].index != 0 && r->reads[i].round <= round)", "        if (r->reads[i].index != 0)",
     "a read does not wait for its round"),
    ("read.c", "    if (r->commit >= r->term_start) {\n        read.index = r->commit;", "    if (true) {\n        read.index = r->commit;",
     "a read does not wait for an own-term commit"),
    ("recover.c", "if (e->term != mgc__log_term(r, at) || memcmp(hash, mgc__log_hash(r, at), 32) != 0) return;", ";",
     "any entry repairs a damaged one"),
    ("recover.c", "if (mgc__recovering(r) && m->index >= r->fault_first && m->index <= r->fault_last) return;", ";",
     "a damaged entry is handed out"),
    ("config.c", "if (c->members[i].roles & MGC_RAFT_VOTER_OLD) who.old |= 1u << i;", ";", "the old half of a joint configuration is forgotten"),
    ("replicate.c", "match[i] = r->peers[i].wiped ? 0 : r->peers[i].match;", "match[i] = r->peers[i].match > 0 ? r->last : 0;",
     "counts what was sent as acknowledged"),
    ("election.c", "static bool enrolled(mgc_raft *r, const mgc_raft_msg *m)\n{", "static bool enrolled(mgc_raft *r, const mgc_raft_msg *m)\n{\n    if (mgc__peer_find(r, m->from) != NULL) return true;",
     "the vote of another disk of the same name counts"),
    ("store_snapshot.c", "mgc_status st = mgc__verdict(log->opts.ops.sync(log->opts.user, part));", "mgc_status st = MGC_OK;",
     "a snapshot is published before it is durable"),
    ("store_snapshot.c", "if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync_names(log->opts.user));\n    return st == MGC_OK",
     "return st == MGC_OK", "a snapshot's name is not made durable"),
    ("follow.c", "if (r->term_leader != 0 && r->term_leader != m->from) {", "if (r->role == MGC_RAFT_LEADER) {",
     "two leaders of one term are followed"),
    ("follow.c", "        r->term_leader = m->from;\n        mgc__hard_changed(r);", "        r->term_leader = m->from;",
     "whom it follows is not persisted"),
    ("init.c", "    r->term_leader = boot->hard.leader;", "", "whom it followed is forgotten by a restart"),
    ("election.c", "    if (m->term < r->term || !vote_is_free(r, m->from) || !mgc__may_vote(r)",
     "    if (mgc__credit_refuses_prevote(r, m->from) || m->term < r->term || !vote_is_free(r, m->from) || !mgc__may_vote(r)",
     "credit refuses a real vote"),
    ("credit.c", "return other != NULL && other->may_campaign_early == 0;", "return false;", "no pre-vote is refused for credit"),
    ("credit.c", "return r->n_credit > 0 && r->since_leader < r->opts.credit_window_ticks;", "return r->n_credit > 0;",
     "credit is heeded for ever"),
    ("policy.c", "    if (!justified(next)) return true;", "    return true;", "any reason for a change of members is taken"),
    ("policy.c", "votes && voters <= p->voters_min && (s->flags & MGC_RAFT_CONVICTED)", "false", "fewer voters than are allowed"),
    ("store_hard.c", "    log_put64(bytes + 48, hard->commit);\n", "", "how far the state stood is forgotten"),
    ("replicate.c", "match[i] = r->peers[i].wiped ? 0 : r->peers[i].match;",
     "match[i] = r->peers[i].id == r->opts.id ? r->last : r->peers[i].match;", "a leader counts its own entry before its disk has it"),
    ("store.c", "    if (!log->begun) st = write_group(log, log->opts.ops.write);\n    if (st == MGC_OK) st = sync_group(log);",
     "    if (log->begun) log->begun = false;\n    else {\n        st = write_group(log, log->opts.ops.write);\n        if (st == MGC_OK) st = sync_group(log);\n    }",
     "a begun write counts before it is awaited"),
    ("store.c", "    if (log->begun || log->n_heads == LOG_GROUP_MAX ||", "    if (log->n_heads == LOG_GROUP_MAX ||",
     "a begun group is added to"),
    ("store.c", "    if (log->begun) (void)sync_group(log);", "", "a begun write is not awaited at the end"),
]

FLAGS = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-g", "-O1", "-w", '-DMGC_VERSION="0.1.0"', "-DMGC_VERSION_MAJOR=0",
         "-DMGC_VERSION_MINOR=1", "-DMGC_VERSION_PATCH=0"]


def objects(root, out, sources, include):
    made = []
    for source in sources:
        target = out / (source.parent.name + "_" + source.stem + ".o")
        subprocess.run(["gcc", *FLAGS, *include, "-c", str(source), "-o", str(target)], check=True)
        made.append(str(target))
    return made


def link(out, name, parts):
    subprocess.run(["gcc", *parts, "-o", str(out / name), "-lcrypto", "-lm", "-lpthread"], check=True)
    return out / name


def limited(command, seconds):
    """Run it on so much processor time, whatever else the machine does; None: it took more."""
    limit = max(1, math.ceil(seconds))
    run = subprocess.run(command, capture_output=True, text=True,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1)))
    return None if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else run


def used():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def caught_by(simulator, scenario, scenarios, seconds):
    begin = used()
    if scenario:
        for path in scenarios:
            run = limited([scenario, path], 20)
            if run is None or run.returncode != 0:
                return path.stem + ("" if run else " (hangs)"), used() - begin
    run = limited([simulator, "--seeds", "1..4000", "--first"], seconds - (used() - begin))
    if run is None or run.returncode == 0:
        return None, used() - begin
    line = next((x for x in run.stdout.splitlines() if "--seed " in x), "stopped")
    words = line.split()
    seed = words[words.index("--seed") + 1] if "--seed" in words else "?"
    return f"seed {seed}: {line.split('   # ')[-1][:70]}", used() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--only", type=int)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    root = given.root.resolve()
    missed = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        core = out / "lib" / "consensus"
        shutil.copytree(root / "lib" / "consensus", core)
        include = ["-I" + str(root / "include"), "-I" + str(out / "lib"), "-I" + str(root / "lib"),
                   "-I" + str(root / "tests" / "consensus"), "-I" + str(root / "tests" / "consensus" / "sim")]
        rest = objects(root, out, sorted((root / "lib" / "base").glob("*.c")) + sorted((root / "lib" / "crypto").glob("*.c")), include)
        sim = objects(root, out, sorted((root / "tests" / "consensus" / "sim").glob("sim*.c")), include)
        scn_sources = [root / "tests" / "consensus" / x for x in ("raft_scenario.c", "scenario.c", "cluster.c")]
        scn = objects(root, out, scn_sources, include) if all(x.exists() for x in scn_sources) else []
        scenarios = sorted((root / "tests" / "consensus" / "scenarios").glob("*.scn"))
        parts = {x.name: objects(root, out, [x], include)[0] for x in sorted(core.glob("*.c"))}
        simulator = link(out, "raft_sim", [*rest, *sim, *parts.values()])
        executor = link(out, "raft_scenario", [*rest, *scn, *parts.values()]) if scn else None
        who, took = caught_by(simulator, executor, scenarios, 10 * given.seconds)
        print(f"{'without a fault':55} {who or 'passes'} ({took:.1f} s)", flush=True)
        if who:
            return 1
        for number, (name, old, new, what) in enumerate(FAULTS, 1):
            if given.only and given.only != number:
                continue
            tried += 1
            text = (core / name).read_text()
            if text.count(old) < 1:
                print(f"{number:2} {what:52} NOT PLANTED: {name} has changed", flush=True)
                missed += 1
                continue
            (core / name).write_text(text.replace(old, new, 1))
            try:
                own = dict(parts)
                own[name] = objects(root, out, [core / name], include)[0]
                who, took = caught_by(link(out, "raft_sim", [*rest, *sim, *own.values()]),
                                      link(out, "raft_scenario", [*rest, *scn, *own.values()]) if scn else None, scenarios, given.seconds)
            finally:
                (core / name).write_text(text)
                objects(root, out, [core / name], include)
            missed += who is None
            print(f"{number:2} {what:52} {who or 'MISSED'} ({took:.1f} s)", flush=True)
    print(f"{missed} of {tried} not caught")
    return missed != 0 or tried == 0


if __name__ == "__main__":
    sys.exit(main())
