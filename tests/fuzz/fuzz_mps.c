/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an MPS text: refused with a place, or read, written in both formats and read again as the same program. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "mgchain/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int32_t keep(void *user, const char *text, size_t len)
{
    mgc__buf_put(user, text, len);
    return ((mgc__buf *)user)->status == MGC_OK ? MGC_CB_DONE : MGC_E_NO_MEMORY;
}

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_mps: %s\n", what);
    abort();
}

static bool same_column(const mgc_program *a, const mgc_program *b, uint32_t j, bool exact)
{
    double cost[2], lower[2], upper[2];
    int32_t integer[2];

    must(mgc_program_get_column(a, j, &cost[0], &lower[0], &upper[0], &integer[0]) == MGC_OK &&
             mgc_program_get_column(b, j, &cost[1], &lower[1], &upper[1], &integer[1]) == MGC_OK, "a column is lost");
    return integer[0] == integer[1] &&
           (!exact || (cost[0] == cost[1] && lower[0] == lower[1] && upper[0] == upper[1]));
}

static void there_and_back(mgc_ctx *ctx, const mgc_program *p, uint32_t format)
{
    bool exact = format == MGC_MPS_FREE;
    mgc_program *back;
    mgc__buf text;

    mgc__buf_init(&text, ctx, (size_t)1 << 26);
    mgc_status st = mgc_program_write_mps_as(p, format, keep, &text);
    must(st == MGC_OK || st == MGC_E_RANGE, "a program that was read cannot be written");
    if (st == MGC_OK) {
        st = mgc_program_read_mps(ctx, (const char *)text.bytes, text.len, "again", &back);
        /* rounding may cross the bounds of a column or row */
        must(st == MGC_OK || (!exact && st == MGC_E_SYNTAX), "what was written cannot be read");
        if (st == MGC_OK) {
            must(mgc_program_columns(p) == mgc_program_columns(back) && mgc_program_rows(p) == mgc_program_rows(back) &&
                     mgc_program_nonzeros(p) == mgc_program_nonzeros(back), "sizes differ");
            for (uint32_t j = 0; j < mgc_program_columns(p); j++) must(same_column(p, back, j, exact), "a column differs");
        }
        mgc_program_destroy(back);
    }
    mgc__buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mgc_ctx *ctx;
    mgc_program *p;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 0;
    mgc_status st = mgc_program_read_mps(ctx, (const char *)data, size, "fuzz", &p);
    must((st == MGC_OK) == (p != NULL), "status and program disagree");
    must(st == MGC_OK || mgc_ctx_error(ctx)[0] != '\0', "a refusal says nothing");
    if (st == MGC_OK) {
        there_and_back(ctx, p, MGC_MPS_FREE);
        there_and_back(ctx, p, MGC_MPS_FIXED);
    }
    mgc_program_destroy(p);
    mgc_ctx_destroy(ctx);
    return 0;
}
