/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/base.h"

void mgc__buf_init(mgc__buf *buf, mgc_ctx *ctx, size_t max)
{
    *buf = (mgc__buf){.ctx = ctx, .max = max, .status = MGC_OK};
}

void mgc__buf_free(mgc__buf *buf)
{
    mgc__free(buf->ctx, buf->bytes);
    buf->bytes = NULL;
    buf->len = buf->cap = 0;
}

static bool reserve(mgc__buf *buf, size_t len)
{
    if (buf->status != MGC_OK) return false;
    if (len > buf->max - buf->len) {
        buf->status = MGC_E_TOO_LARGE;
        return false;
    }
    if (!mgc__grow(buf->ctx, (void **)&buf->bytes, &buf->cap, buf->len + len + 1, 1)) {
        buf->status = MGC_E_NO_MEMORY;
        return false;
    }
    return true;
}

void mgc__buf_put(mgc__buf *buf, const void *bytes, size_t len)
{
    if (!reserve(buf, len) || len == 0) return;
    memcpy(buf->bytes + buf->len, bytes, len);
    buf->len += len;
}

void mgc__buf_printf(mgc__buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = mgc__vformat(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->status = MGC_E_INTERNAL;
        return;
    }
    if (!reserve(buf, (size_t)len)) return;
    va_start(args, format);
    mgc__vformat((char *)buf->bytes + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}
