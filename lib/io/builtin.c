/* SPDX-License-Identifier: Apache-2.0 */
/* The case that needs no files. */
#include "io/builtin.h"
#include "io/case.h"

mgc_status mgc_builtin_file(uint32_t index, const char **name, const uint8_t **bytes, size_t *len)
{
    if (name == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    if (index >= mgc__builtin_count) return MGC_E_NOT_FOUND;
    *name = mgc__builtin[index].name;
    *bytes = mgc__builtin[index].bytes;
    *len = mgc__builtin[index].len;
    return MGC_OK;
}

static int32_t open_builtin(void *user, const char *name, const uint8_t **bytes, size_t *len)
{
    (void)user;
    for (size_t i = 0; i < mgc__builtin_count; i++) {
        if (strcmp(mgc__builtin[i].name, name) != 0) continue;
        *bytes = mgc__builtin[i].bytes;
        *len = mgc__builtin[i].len;
        return MGC_CB_DONE;
    }
    return MGC_E_NOT_FOUND;
}

mgc_status mgc_case_builtin(mgc_ctx *ctx, const mgc_case_opts *opts, mgc_case **out)
{
    mgc_case_opts o = {.struct_size = sizeof o};

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    mgc_status status = mgc_struct_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_case_opts, no_check), opts);
    if (status != MGC_OK) return status;
    o.open = open_builtin;
    o.close = NULL;
    o.base_dir = NULL;
    o.filename = mgc__builtin[0].name;
    return mgc_case_load_text(ctx, (const char *)mgc__builtin[0].bytes, mgc__builtin[0].len, &o, out);
}
