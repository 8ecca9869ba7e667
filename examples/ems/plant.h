/* SPDX-License-Identifier: Apache-2.0 */
/* A site's meters and its battery over Modbus TCP.  The register map is the site's own: change it here and nowhere
 * else. */
#ifndef EXAMPLES_EMS_PLANT_H
#define EXAMPLES_EMS_PLANT_H

#include <stdint.h>

/* 32-bit values take two registers, the high word first, signed in two's complement. */
enum {
    /* input registers */
    REG_LOAD_W = 0,
    REG_SUN_W = 2,
    REG_BATTERY_WH = 4,
    REG_IMPORT_WH = 6, /* registers of the meter at the connection: they only grow */
    REG_EXPORT_WH = 8,
    INPUT_REGISTERS = 10,
    /* holding registers */
    REG_SETPOINT_W = 0, /* > 0 discharges */
    REG_PERIOD =
        2, /* of the test site alone: writing it lets a quarter hour pass.  In a plant time passes by itself */
    HOLDING_REGISTERS = 3
};

typedef struct plant plant;

typedef struct plant_reading {
    double load_kw, sun_kw, battery_kwh;
    int64_t import_wh, export_wh;
} plant_reading;

/* NULL on failure, the reason on stderr. */
plant *plant_connect(const char *host, int port);
void plant_close(plant *p);

/* 0, or -1 with the reason on stderr after some attempts: then the plant keeps its last set point, and it is for the
 * plant's own controller to fall back to something safe. */
int plant_read(plant *p, plant_reading *reading);
int plant_set_battery(plant *p, double discharge_kw);
int plant_pass_time(plant *p, int period);

#endif
