/* SPDX-License-Identifier: Apache-2.0 */
/* Term, vote, leader of the term, incarnation and a hint of what is committed: one record of 512 bytes, written into two slots in turn, so that
 * the one before is whole while the next is written.  Each slot has two copies, 4 KiB apart (the sector of most disks),
 * both under the same sync: a torn write may cost the new record, which nobody has heard of then, and a place that rots
 * later costs nothing.  Without the copies, one rotten sector would bring back an old vote. */
#include "consensus/store_private.h"

static const uint32_t magic = 0x484c474du; /* "MGLH" */
enum { COPY_APART = 4096, SLOT_APART = 2 * COPY_APART, FILE_BYTES = 2 * SLOT_APART };

static void put_slot(const mgc__raftlog *log, const mgc__raftlog_hard *hard, uint64_t generation, uint8_t *bytes)
{
    memset(bytes, 0, LOG_SECTOR);
    log_put32(bytes, magic);
    log_put32(bytes + 4, LOG_HARD_FORMAT);
    log_put32(bytes + 8, log->opts.member);
    log_put32(bytes + 12, hard->incarnation);
    log_put64(bytes + 16, log->salt);
    log_put64(bytes + 24, generation);
    log_put64(bytes + 32, hard->term);
    log_put32(bytes + 40, hard->vote);
    log_put32(bytes + 44, log->lost);
    log_put64(bytes + 48, hard->commit);
    log_put32(bytes + 56, hard->leader);
    log_put32(bytes + LOG_SECTOR - 4, mgc__crc32c(0, bytes, LOG_SECTOR - 4));
}

static bool get_slot(const mgc__raftlog *log, const uint8_t *bytes, mgc__raftlog_hard *hard, uint64_t *generation)
{
    if (log_get32(bytes) != magic || log_get32(bytes + 4) != LOG_HARD_FORMAT || log_get64(bytes + 16) != log->salt ||
        log_get32(bytes + LOG_SECTOR - 4) != mgc__crc32c(0, bytes, LOG_SECTOR - 4))
        return false;
    hard->incarnation = log_get32(bytes + 12);
    *generation = log_get64(bytes + 24);
    hard->term = log_get64(bytes + 32);
    hard->vote = log_get32(bytes + 40);
    hard->commit = log_get64(bytes + 48);
    hard->leader = log_get32(bytes + 56);
    return true;
}

mgc_status mgc__raftlog_read_hard(mgc__raftlog *log, uint64_t size)
{
    log_name name;

    log->has_hard = false;
    log->hard_generation = 0;
    if (size < FILE_BYTES) return MGC_OK; /* absent, or cut short while it was made */
    mgc__raftlog_file_name(log, "hard", name);
    for (uint64_t at = 0; at < FILE_BYTES; at += COPY_APART) {
        mgc__raftlog_hard hard;
        uint8_t bytes[LOG_SECTOR];
        uint64_t generation;
        mgc_status st = mgc__verdict(log->opts.ops.read(log->opts.user, name, at, bytes, sizeof bytes));
        if (st != MGC_OK) return st;
        for (size_t i = 0; i < sizeof bytes; i++) log->hard_traces = log->hard_traces || bytes[i] != 0;
        if (!get_slot(log, bytes, &hard, &generation) || generation <= log->hard_generation) continue;
        log->hard = hard;
        log->hard_generation = generation;
        log->has_hard = true;
        log->lost = log_get32(bytes + 44) != 0;
    }
    return MGC_OK;
}

mgc_status mgc__raftlog_set_hard(mgc__raftlog *log, const mgc__raftlog_hard *given)
{
    mgc__raftlog_hard next = *given, *hard = &next;
    uint64_t generation = log->hard_generation + 1, at = generation % 2 * SLOT_APART;
    uint8_t bytes[LOG_SECTOR];
    log_name name;
    mgc_status st = MGC_OK;

    if (log->failed) return mgc__fail(log->ctx, MGC_E_FAILED, "consensus: the log failed earlier; open it again");
    if (hard->commit < log->hard.commit) hard->commit = log->hard.commit;
    if (hard->incarnation > log->hard.incarnation) log->lost = false; /* as a new one it has promised nothing yet */
    mgc__raftlog_file_name(log, "hard", name);
    if (log->hard_generation == 0) { /* none, or none that is whole: nothing to lose */
        st = mgc__verdict(log->opts.ops.reserve(log->opts.user, name, FILE_BYTES));
        if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
        if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync_names(log->opts.user));
    }
    put_slot(log, hard, generation, bytes);
    for (int copy = 0; copy < 2 && st == MGC_OK; copy++) /* two writes: one that goes astray must not take both along */
        st = mgc__verdict(log->opts.ops.write(log->opts.user, name, at + (uint64_t)copy * COPY_APART, bytes, sizeof bytes));
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
    if (st != MGC_OK) return mgc__raftlog_fail(log, st, "writing the term and vote");
    log->hard = *hard;
    log->hard_generation = generation;
    log->has_hard = true;
    log->readmit = log->lost;
    return MGC_OK;
}

mgc_status mgc__raftlog_mark_lost(mgc__raftlog *log)
{
    mgc__raftlog_hard hard = log->hard;

    log->lost = true;
    return mgc__raftlog_set_hard(log, &hard);
}
