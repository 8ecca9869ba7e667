/* SPDX-License-Identifier: Apache-2.0 */
/* Structs that grow: the caller's memory, our layout, years between the two compilers. */
#include "base/base.h"

mgc_status mgc__opts_read(void *dst, size_t dst_size, size_t v1_size, const void *src)
{
    const unsigned char *bytes = src;
    size_t src_size;

    if (src == NULL) return MGC_OK;
    memcpy(&src_size, src, sizeof src_size);
    if (src_size < v1_size || src_size > OPTS_SIZE_MAX) return MGC_E_ABI_SIZE;
    for (size_t i = dst_size; i < src_size; i++)
        if (bytes[i] != 0) return MGC_E_ABI_FUTURE;
    memcpy(dst, src, src_size < dst_size ? src_size : dst_size);
    memcpy(dst, &dst_size, sizeof dst_size);
    return MGC_OK;
}

void mgc__opts_init(void *caller, size_t size, const void *defaults, size_t defaults_size)
{
    if (caller == NULL || size < sizeof size || size > OPTS_SIZE_MAX) return;
    memset(caller, 0, size);
    memcpy(caller, defaults, size < defaults_size ? size : defaults_size);
    memcpy(caller, &size, sizeof size);
}

mgc_status mgc__info_write(void *caller, const void *info, size_t info_size, size_t v1_size)
{
    size_t size;

    if (caller == NULL) return MGC_OK;
    memcpy(&size, caller, sizeof size);
    if (size < v1_size || size > OPTS_SIZE_MAX) return MGC_E_ABI_SIZE;
    size_t n = size < info_size ? size : info_size;
    memcpy((unsigned char *)caller + sizeof size, (const unsigned char *)info + sizeof size,
           n - sizeof size);
    return MGC_OK;
}

mgc_status mgc__verdict(int32_t answer)
{
    if (answer == MGC_CB_DONE) return MGC_OK;
    if (answer == MGC_CB_STOP) return MGC_E_STOPPED;
    return answer < 0 ? answer : MGC_E_CALLBACK;
}
