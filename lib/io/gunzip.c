/* SPDX-License-Identifier: Apache-2.0 */
/* Gzip streams (RFC 1952), one after the other, unpacked up to a limit. */
#include <zlib.h>

#include "io/case.h"

enum { GUNZIP_CHUNK = 256 << 10 };

static voidpf take(voidpf user, uInt n, uInt size)
{
    return mgc__io_alloc(user, n, size);
}

static void give(voidpf user, voidpf block)
{
    mgc_ctx_release(user, block);
}

bool mgc__is_gzip(const uint8_t *bytes, size_t len)
{
    return len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* One member after the other until the input is used up. */
static mgc_status inflate_all(z_stream *z, mgc_ctx *ctx, size_t max, char **out, size_t *out_len)
{
    size_t cap = 0;

    for (;;) {
        if (!mgc__io_grow(ctx, (void **)out, &cap, *out_len + GUNZIP_CHUNK + 1, 1)) return MGC_E_NO_MEMORY;
        z->next_out = (Bytef *)*out + *out_len;
        z->avail_out = GUNZIP_CHUNK;
        int result = inflate(z, Z_NO_FLUSH);
        *out_len += GUNZIP_CHUNK - z->avail_out;
        if (*out_len > max) return MGC_E_TOO_LARGE;
        if (result == Z_MEM_ERROR) return MGC_E_NO_MEMORY;
        if (result == Z_STREAM_END) {
            if (z->avail_in == 0) return MGC_OK;
            if (!mgc__is_gzip(z->next_in, z->avail_in) || inflateReset(z) != Z_OK) return MGC_E_SYNTAX;
        } else if (result != Z_OK || (z->avail_in == 0 && z->avail_out > 0)) {
            return MGC_E_SYNTAX; /* damaged, or it ends too early */
        }
    }
}

mgc_status mgc__gunzip(mgc_ctx *ctx, const uint8_t *bytes, size_t len, size_t max, char **out, size_t *out_len)
{
    z_stream z = {.zalloc = take,
                  .zfree = give,
                  .opaque = ctx,
                  .next_in = (z_const Bytef *)(uintptr_t)bytes,
                  .avail_in = (uInt)len};

    *out = NULL;
    *out_len = 0;
    if (len > max) return MGC_E_TOO_LARGE;
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return MGC_E_NO_MEMORY;
    mgc_status status = inflate_all(&z, ctx, max, out, out_len);
    inflateEnd(&z);
    if (status == MGC_OK) {
        (*out)[*out_len] = '\0';
        return MGC_OK;
    }
    mgc_ctx_release(ctx, *out);
    *out = NULL;
    *out_len = 0;
    return status;
}
