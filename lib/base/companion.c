/* SPDX-License-Identifier: Apache-2.0 */
/* The part of base that companion libraries and bindings may call. */
#include "base/base.h"

static_assert((int)MGC_NUMBER_TEXT == (int)MGC__DOUBLE_TEXT, "one size of a number's text");

void *mgc_ctx_resize(mgc_ctx *ctx, void *block, size_t size)
{
    return ctx != NULL ? mgc__resize(ctx, block, size, 1) : NULL;
}

void mgc_ctx_release(mgc_ctx *ctx, void *block)
{
    if (ctx != NULL) mgc__free(ctx, block);
}

mgc_status mgc_ctx_fail(mgc_ctx *ctx, mgc_status status, const char *text)
{
    return mgc__fail(ctx, status, "%s", text != NULL ? text : "");
}

mgc_status mgc_struct_read(void *dst, size_t dst_size, size_t first_size, const void *src)
{
    return dst != NULL ? mgc__opts_read(dst, dst_size, first_size, src) : MGC_E_INVALID_ARG;
}

mgc_status mgc_struct_write(void *dst, const void *src, size_t src_size, size_t first_size)
{
    return mgc__info_write(dst, src, src_size, first_size);
}

double mgc_number_parse(const char *text, const char **end)
{
    return mgc__parse_double(text, end);
}

size_t mgc_number_format(double x, char *text)
{
    return mgc__format_double(x, text);
}

const char *mgc_word_nearest(const char *word, const char *const *words, size_t n)
{
    return word != NULL && (words != NULL || n == 0) ? mgc__nearest(word, words, n) : NULL;
}
