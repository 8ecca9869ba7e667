/* SPDX-License-Identifier: Apache-2.0 */
/* A transport of one's own: a node's messages over MQTT, through any broker. */
#ifndef EXAMPLES_MQTT_TRANSPORT_H
#define EXAMPLES_MQTT_TRANSPORT_H

#include <mgchain/mgchain.h>

/* Connect as a member and fill ops for mgc_node_set_transport(node, &ops, *user).  NULL on failure, the reason on
 * stderr. */
void *mqtt_transport_open(uint32_t member, const char *host, int port, mgc_transport_ops *ops);

/* Hand what has arrived to the node; wait for it up to timeout_ms.  Calls nothing else and runs on the caller's
 * thread.
 * @return MGC_OK; MGC_E_IO: the broker is gone (it is called again: reconnects); what mgc_node_receive() answers */
mgc_status mqtt_transport_poll(void *user, mgc_node *node, int timeout_ms);

/* NULL is fine. */
void mqtt_transport_close(void *user);

#endif
