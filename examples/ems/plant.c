/* SPDX-License-Identifier: Apache-2.0 */
#include "plant.h"

#include <errno.h>
#include <math.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>

enum { ATTEMPTS = 3, TIMEOUT_S = 2 };

struct plant {
    modbus_t *bus;
};

void plant_close(plant *p)
{
    if (p == NULL) return;
    if (p->bus != NULL) modbus_close(p->bus);
    modbus_free(p->bus);
    free(p);
}

plant *plant_connect(const char *host, int port)
{
    plant *p = calloc(1, sizeof *p);

    if (p == NULL) return NULL;
    p->bus = modbus_new_tcp(host, port);
    if (p->bus == NULL || modbus_set_response_timeout(p->bus, TIMEOUT_S, 0) != 0 || modbus_connect(p->bus) != 0) {
        fprintf(stderr, "plant: %s:%d: %s\n", host, port, modbus_strerror(errno));
        plant_close(p);
        return NULL;
    }
    return p;
}

/* A request that failed is repeated on a fresh connection: an answer that comes late must not be taken for the next
 * one's. */
static int again(plant *p, const char *what, int attempt)
{
    if (attempt + 1 == ATTEMPTS) return fprintf(stderr, "plant: %s: %s\n", what, modbus_strerror(errno)), 0;
    modbus_close(p->bus);
    return modbus_connect(p->bus) == 0;
}

static int32_t word32(const uint16_t *registers)
{
    return (int32_t)((uint32_t)registers[0] << 16 | registers[1]);
}

/* All in one request, so that the values belong together. */
int plant_read(plant *p, plant_reading *r)
{
    uint16_t in[INPUT_REGISTERS];
    int attempt = 0;

    while (modbus_read_input_registers(p->bus, 0, INPUT_REGISTERS, in) != INPUT_REGISTERS)
        if (!again(p, "read", attempt++)) return -1;
    *r = (plant_reading){.load_kw = word32(in + REG_LOAD_W) / 1000.0,
                         .sun_kw = word32(in + REG_SUN_W) / 1000.0,
                         .battery_kwh = word32(in + REG_BATTERY_WH) / 1000.0,
                         .import_wh = word32(in + REG_IMPORT_WH),
                         .export_wh = word32(in + REG_EXPORT_WH)};
    return 0;
}

int plant_set_battery(plant *p, double discharge_kw)
{
    uint32_t watt = (uint32_t)(int32_t)lrint(discharge_kw * 1000);
    uint16_t out[2] = {(uint16_t)(watt >> 16), (uint16_t)watt};
    int attempt = 0;

    while (modbus_write_registers(p->bus, REG_SETPOINT_W, 2, out) != 2)
        if (!again(p, "set point", attempt++)) return -1;
    return 0;
}

int plant_pass_time(plant *p, int period)
{
    if (modbus_write_register(p->bus, REG_PERIOD, (uint16_t)period) == 1) return 0; /* once only: time passes once */
    fprintf(stderr, "plant: period: %s\n", modbus_strerror(errno));
    return -1;
}
