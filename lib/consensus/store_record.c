/* SPDX-License-Identifier: Apache-2.0 */
/* A record's header as 80 bytes, little-endian:
 *
 *   0 magic 2   2 group length 2   4 checksum of salt and the rest 4   8 sequence 8   16 index 8   24 term 8
 *   32 length 4   36 checksum of the body 4   40 offset / 8 4   44 type 1   45 flags 1   46 place in the group 2
 *   48 link 32
 *
 * The offset is in it so that a header that a disk wrote to a wrong place is not believed; the salt, so that a body
 * that looks like a record is not. */
#include "consensus/store_private.h"

static const uint32_t magic_of[2] = {0x4c49u, 0x4c52u}; /* "IL", "RL" */

static uint32_t checksum(const mgc__raftlog *log, const uint8_t *bytes)
{
    uint8_t salt[12];

    log_put64(salt, log->salt);
    memcpy(salt + 8, bytes, 4);
    return mgc__crc32c(mgc__crc32c(0, salt, sizeof salt), bytes + 8, LOG_HEADER - 8);
}

void mgc__raftlog_put_header(const mgc__raftlog *log, int copy, const log_header *h, uint8_t bytes[LOG_HEADER])
{
    assert(h->group_n > 0 && h->group_n <= LOG_GROUP_MAX && h->group_at < h->group_n);
    assert(h->offset % LOG_ALIGN == 0 && h->type < 256 && h->flags < 256);
    log_put32(bytes, magic_of[copy] | h->group_n << 16);
    log_put64(bytes + 8, h->sequence);
    log_put64(bytes + 16, h->index);
    log_put64(bytes + 24, h->term);
    log_put32(bytes + 32, h->len);
    log_put32(bytes + 36, h->body_crc);
    log_put32(bytes + 40, (uint32_t)(h->offset / LOG_ALIGN));
    log_put32(bytes + 44, h->type | h->flags << 8 | h->group_at << 16);
    memcpy(bytes + 48, h->link, 32);
    log_put32(bytes + 4, checksum(log, bytes));
}

bool mgc__raftlog_get_header(const mgc__raftlog *log, int copy, const uint8_t bytes[LOG_HEADER], log_header *h)
{
    uint32_t head = log_get32(bytes), kind = log_get32(bytes + 44);

    if ((head & 0xffff) != magic_of[copy] || log_get32(bytes + 4) != checksum(log, bytes)) return false;
    h->group_n = head >> 16;
    h->sequence = log_get64(bytes + 8);
    h->index = log_get64(bytes + 16);
    h->term = log_get64(bytes + 24);
    h->len = log_get32(bytes + 32);
    h->body_crc = log_get32(bytes + 36);
    h->offset = (uint64_t)log_get32(bytes + 40) * LOG_ALIGN;
    h->type = kind & 0xff;
    h->flags = kind >> 8 & 0xff;
    h->group_at = kind >> 16;
    memcpy(h->link, bytes + 48, 32);
    return h->group_at < h->group_n && h->len <= MGC__RAFTLOG_BODY_MAX && h->group_at <= h->sequence;
}
