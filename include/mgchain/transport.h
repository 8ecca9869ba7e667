/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file transport.h
 * How a node's messages reach other members: a table of calls that the host fills.
 */
#ifndef MGCHAIN_TRANSPORT_H
#define MGCHAIN_TRANSPORT_H

#include "mgchain/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Limit of one message: a block with its certificate and room for an envelope. */
enum { MGC_MESSAGE_BYTES_MAX = (1 << 24) + (1 << 16) };

/** The calls of a transport. */
typedef struct mgc_transport_ops {
    size_t struct_size;
    uint32_t version;   /**< meaning of the calls; 1 is current */
    uint32_t reserved0; /**< 0 */

    /**
     * Send bytes to a member.  Best effort: they may be lost, delayed, repeated or reordered; the host neither
     * retries nor waits.  Called from mgc_node_step() on its thread; may not call the node.  bytes are borrowed until
     * it returns.
     * @return MGC_CB_DONE; a negative status is counted and otherwise ignored, as if the message were lost
     */
    int32_t (*send)(void *user, uint32_t to, const uint8_t *bytes, size_t len);
} mgc_transport_ops;

#ifdef __cplusplus
}
#endif
#endif
