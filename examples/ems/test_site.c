/* SPDX-License-Identifier: Apache-2.0 */
/* A site to try an EMS on: meters and a battery behind Modbus TCP, which live through a quarter hour whenever the
 * register REG_PERIOD is written.  Prints its port, serves one client, and writes what its connection's meter saw to
 * FILE: period, Wh.
 *
 *   test_site FILE */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plant.h"

enum { PERIODS = 96, CAPACITY_WH = 200000, BATTERY_W = 60000 };

struct site {
    long load_w, sun_w, battery_wh, import_wh, export_wh;
};

/* The weather and the people, which no forecast knows: seen from the quarter hour that begins. */
static void weather(struct site *s, int t)
{
    double day = t / (double)PERIODS, cloud = t % 11 < 3 ? 0.45 : 0.95;

    s->load_w = lrint(1000 * (45 + 20 * sin(6.28 * (day - 0.35)) + 8 * sin(t * 1.7)));
    s->sun_w = lrint(1000 * fmax(0, 110 * sin(3.14159 * (day - 0.25) * 2)) * (day > 0.25 && day < 0.75 ? cloud : 0));
}

/* The battery does what it was told as far as it can; the grid does the rest. */
static long live(struct site *s, long setpoint_w)
{
    if (setpoint_w > BATTERY_W) setpoint_w = BATTERY_W;
    if (setpoint_w < -BATTERY_W) setpoint_w = -BATTERY_W;
    long out_wh = setpoint_w / 4;
    if (out_wh > s->battery_wh) out_wh = s->battery_wh;
    if (s->battery_wh - out_wh > CAPACITY_WH) out_wh = s->battery_wh - CAPACITY_WH;
    s->battery_wh -= out_wh;
    long net_wh = lrint((double)(s->load_w - s->sun_w) / 4) - out_wh;
    if (net_wh > 0) s->import_wh += net_wh;
    else s->export_wh -= net_wh;
    return net_wh;
}

static void put(uint16_t *registers, long value)
{
    registers[0] = (uint16_t)((uint32_t)value >> 16);
    registers[1] = (uint16_t)value;
}

static void show(const struct site *s, uint16_t *in)
{
    put(in + REG_LOAD_W, s->load_w);
    put(in + REG_SUN_W, s->sun_w);
    put(in + REG_BATTERY_WH, s->battery_wh);
    put(in + REG_IMPORT_WH, s->import_wh);
    put(in + REG_EXPORT_WH, s->export_wh);
}

static void serve(modbus_t *bus, modbus_mapping_t *map, FILE *file)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    struct site s = {.battery_wh = 100000};
    int period = 0, len;

    weather(&s, 0);
    show(&s, map->tab_input_registers);
    while ((len = modbus_receive(bus, request)) >= 0) {
        if (len > 0 && modbus_reply(bus, request, len, map) < 0) return;
        if (map->tab_registers[REG_PERIOD] != period + 1) continue;
        long setpoint_w =
            (int32_t)((uint32_t)map->tab_registers[REG_SETPOINT_W] << 16 | map->tab_registers[REG_SETPOINT_W + 1]);
        fprintf(file, "%d,%ld\n", period, live(&s, setpoint_w));
        fflush(file);
        weather(&s, ++period);
        show(&s, map->tab_input_registers);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    FILE *file = argc == 2 ? fopen(argv[1], "w") : NULL;
    modbus_t *bus = modbus_new_tcp("127.0.0.1", 0); /* port 0: any that is free */
    modbus_mapping_t *map = modbus_mapping_new(0, 0, HOLDING_REGISTERS, INPUT_REGISTERS);
    int door = file != NULL && bus != NULL && map != NULL ? modbus_tcp_listen(bus, 1) : -1, ok = 0;

    if (door >= 0 && getsockname(door, (struct sockaddr *)&name, &size) == 0) {
        printf("%d\n", ntohs(name.sin_port));
        fflush(stdout);
        ok = modbus_tcp_accept(bus, &door) >= 0;
    }
    if (ok) serve(bus, map, file);
    else fprintf(stderr, "test_site: %s\n", modbus_strerror(errno));
    if (door >= 0) close(door);
    modbus_mapping_free(map);
    modbus_free(bus);
    if (file != NULL) fclose(file);
    return ok ? 0 : 1;
}
