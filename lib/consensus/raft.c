/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholders until the core lands in the next commits. */
#include "consensus/raft.h"
void mgc_raft_opts_init(mgc_raft_opts *opts, size_t size)
{
    (void)opts;(void)size;
}
mgc_status mgc_raft_genesis(mgc_ctx *ctx, const mgc_raft_member *members, size_t n, mgc_raft_snap_meta *base)
{
    (void)ctx;(void)members;(void)n;(void)base;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_size(mgc_ctx *ctx, const mgc_raft_opts *opts, size_t *size)
{
    (void)ctx;(void)opts;(void)size;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_init(mgc_ctx *ctx, const mgc_raft_opts *opts, const mgc_raft_boot *boot, void *memory, size_t size, mgc_raft **out)
{
    (void)ctx;(void)opts;(void)boot;(void)memory;(void)size;(void)out;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_step(mgc_raft *raft, const mgc_raft_event *event, mgc_raft_output *out)
{
    (void)raft;(void)event;(void)out;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_get_info(const mgc_raft *raft, mgc_raft_info *info)
{
    (void)raft;(void)info;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_entry_get(const mgc_raft *raft, uint64_t index, mgc_raft_entry *entry)
{
    (void)raft;(void)index;(void)entry;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_snap_meta_at(const mgc_raft *raft, uint64_t index, mgc_raft_snap_meta *meta)
{
    (void)raft;(void)index;(void)meta;return MGC_E_UNSUPPORTED;
}
const mgc_raft_config *mgc_raft_config_now(const mgc_raft *raft)
{
    (void)raft;return NULL;
}
uint32_t mgc_raft_caretaker_target(const mgc_raft *raft)
{
    (void)raft;return 0;
}
mgc_status mgc_raft_payload_root(const uint8_t *bytes, size_t len, uint8_t *root)
{
    (void)bytes;(void)len;(void)root;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_encode(const mgc_raft_msg *msg, const mgc_raft_entry *entries, uint8_t *bytes, size_t cap, size_t *len)
{
    (void)msg;(void)entries;(void)bytes;(void)cap;(void)len;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_decode(const uint8_t *bytes, size_t len, mgc_raft_msg *msg, mgc_raft_entry *entries, size_t cap, mgc_raft_config *config)
{
    (void)bytes;(void)len;(void)msg;(void)entries;(void)cap;(void)config;return MGC_E_UNSUPPORTED;
}
mgc_status mgc_raft_signed_body(const mgc_raft_msg *msg, uint8_t *body, size_t *len, const char **tag)
{
    (void)msg;(void)body;(void)len;(void)tag;return MGC_E_UNSUPPORTED;
}
