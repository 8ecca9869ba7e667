/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_transport.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

/* Messages go to alliance/FROM/TO.  The broker vouches for FROM: in its access list, each member's client (by
 * certificate or password) may write below its own number alone and read what ends in it:
 *
 *   user member-1
 *   topic write alliance/1/#
 *   topic read  alliance/+/1
 *
 * What a member claims beyond that is checked by the node: blocks and votes are signed. */
enum { TOPIC_MAX = 64, KEEPALIVE_S = 10, AT_MOST_ONCE = 0 };

struct bus {
    struct mosquitto *mq;
    uint32_t member;
    mgc_node *node;    /* while polling */
    mgc_status status; /* of what was handed in while polling */
};

/* Best effort is all that is asked: the node repeats what matters, so the cheapest quality of service will do and
 * nothing is retained.  bytes are copied by the client library before it returns. */
static int32_t bus_send(void *user, uint32_t to, const uint8_t *bytes, size_t len)
{
    struct bus *bus = user;
    char topic[TOPIC_MAX];

    snprintf(topic, sizeof topic, "alliance/%u/%u", (unsigned)bus->member, (unsigned)to);
    return mosquitto_publish(bus->mq, NULL, topic, (int)len, bytes, AT_MOST_ONCE, false) == MOSQ_ERR_SUCCESS
               ? MGC_CB_DONE
               : MGC_E_IO;
}

static void on_connect(struct mosquitto *mq, void *user, int refused)
{
    struct bus *bus = user;
    char topic[TOPIC_MAX];

    snprintf(topic, sizeof topic, "alliance/+/%u", (unsigned)bus->member);
    if (refused == 0) mosquitto_subscribe(mq, NULL, topic, AT_MOST_ONCE); /* again after every reconnect */
}

static void on_message(struct mosquitto *mq, void *user, const struct mosquitto_message *message)
{
    struct bus *bus = user;
    unsigned from, to;

    (void)mq;
    if (bus->node == NULL || message->payload == NULL || message->payloadlen <= 0) return;
    if (sscanf(message->topic, "alliance/%u/%u", &from, &to) != 2 || to != bus->member) return;
    /* may send at once */
    mgc_status st = mgc_node_receive(bus->node, from, message->payload, (size_t)message->payloadlen);
    if (st != MGC_OK) bus->status = st;
}

mgc_status mqtt_transport_poll(void *user, mgc_node *node, int timeout_ms)
{
    struct bus *bus = user;

    bus->node = node;
    bus->status = MGC_OK;
    int answer = mosquitto_loop(bus->mq, timeout_ms, 1);
    if (answer != MOSQ_ERR_SUCCESS) answer = mosquitto_reconnect(bus->mq);
    bus->node = NULL;
    if (bus->status != MGC_OK) return bus->status;
    return answer == MOSQ_ERR_SUCCESS ? MGC_OK : MGC_E_IO;
}

void mqtt_transport_close(void *user)
{
    struct bus *bus = user;

    if (bus == NULL) return;
    if (bus->mq != NULL) mosquitto_disconnect(bus->mq);
    mosquitto_destroy(bus->mq);
    mosquitto_lib_cleanup();
    free(bus);
}

void *mqtt_transport_open(uint32_t member, const char *host, int port, mgc_transport_ops *ops)
{
    struct bus *bus = calloc(1, sizeof *bus);
    char name[32];

    if (bus == NULL) return NULL;
    mosquitto_lib_init();
    bus->member = member;
    snprintf(name, sizeof name, "member-%u", (unsigned)member);
    bus->mq = mosquitto_new(name, true, bus);
    if (bus->mq != NULL) {
        mosquitto_connect_callback_set(bus->mq, on_connect);
        mosquitto_message_callback_set(bus->mq, on_message);
    }
    int answer = bus->mq == NULL ? MOSQ_ERR_NOMEM : mosquitto_connect(bus->mq, host, port, KEEPALIVE_S);
    if (answer != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "mqtt: %s:%d: %s\n", host, port, mosquitto_strerror(answer));
        mqtt_transport_close(bus);
        return NULL;
    }
    *ops = (mgc_transport_ops){.struct_size = sizeof *ops, .version = 1, .send = bus_send};
    return bus;
}
