/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stdio.h>

#include "io/memory.h"

enum { ARENA_BLOCK = 64 << 10, ERROR_TEXT_MAX = 1024 };

struct mgc__arena_block {
    struct mgc__arena_block *before;
    max_align_t bytes[];
};

void *mgc__io_alloc(mgc_ctx *ctx, size_t n, size_t size)
{
    if (n == 0 || size == 0) n = size = 1;
    if (n > SIZE_MAX / size) return NULL;
    void *block = mgc_ctx_resize(ctx, NULL, n * size);
    if (block != NULL) memset(block, 0, n * size);
    return block;
}

bool mgc__io_grow(mgc_ctx *ctx, void **block, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return true;
    size_t wanted = *cap < 8 ? 8 : *cap;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2 / size) return false;
        wanted *= 2;
    }
    void *grown = mgc_ctx_resize(ctx, *block, wanted * size);
    if (grown == NULL) return false;
    *block = grown;
    *cap = wanted;
    return true;
}

mgc_status mgc__io_no_memory(mgc_ctx *ctx, const char *what)
{
    return mgc__io_fail(ctx, MGC_E_NO_MEMORY, "io: no memory for %s", what);
}

/* vsnprintf as in the "C" locale, whatever the host's is; only this thread sees the change. */
static int vformat(char *text, size_t room, const char *format, va_list args)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t hosts = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0;
    int len = vsnprintf(text, room, format, args);

    if (hosts != (locale_t)0) uselocale(hosts);
    if (plain != (locale_t)0) freelocale(plain);
    return len;
}

mgc_status mgc__io_fail(mgc_ctx *ctx, mgc_status status, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vformat(text, sizeof text, format, args);
    va_end(args);
    return mgc_ctx_fail(ctx, status, text);
}

void *mgc__arena_alloc(mgc__arena *arena, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / 2 / size) return NULL;
    size_t want = (n * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (arena->last == NULL || want > arena->size - arena->used) {
        size_t room = want > ARENA_BLOCK ? want : ARENA_BLOCK;
        struct mgc__arena_block *block = mgc_ctx_resize(arena->ctx, NULL, sizeof *block + room);
        if (block == NULL) return NULL;
        block->before = arena->last;
        arena->last = block;
        arena->size = room;
        arena->used = 0;
    }
    void *piece = (unsigned char *)arena->last->bytes + arena->used;
    arena->used += want;
    memset(piece, 0, want);
    return piece;
}

char *mgc__arena_copy(mgc__arena *arena, const char *text, size_t len)
{
    char *copy = mgc__arena_alloc(arena, len + 1, 1);

    if (copy != NULL && len > 0) memcpy(copy, text, len);
    return copy;
}

void mgc__arena_free(mgc__arena *arena)
{
    while (arena->last != NULL) {
        struct mgc__arena_block *before = arena->last->before;
        mgc_ctx_release(arena->ctx, arena->last);
        arena->last = before;
    }
    arena->used = arena->size = 0;
}

static bool text_reserve(mgc__text *text, size_t len)
{
    if (text->failed || len > SIZE_MAX / 4 ||
        !mgc__io_grow(text->ctx, (void **)&text->bytes, &text->cap, text->len + len + 1, 1))
        text->failed = true;
    return !text->failed;
}

void mgc__text_put(mgc__text *text, const char *bytes, size_t len)
{
    if (!text_reserve(text, len)) return;
    if (len > 0) memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void mgc__text_add(mgc__text *text, const char *bytes)
{
    mgc__text_put(text, bytes, strlen(bytes));
}

void mgc__text_number(mgc__text *text, double x)
{
    char number[MGC_NUMBER_TEXT];

    mgc__text_put(text, number, mgc_number_format(x, number));
}

void mgc__text_vprintf(mgc__text *text, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vformat(NULL, 0, format, args);
    if (len >= 0 && text_reserve(text, (size_t)len)) {
        vformat(text->bytes + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

void mgc__text_printf(mgc__text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mgc__text_vprintf(text, format, args);
    va_end(args);
}

void mgc__text_free(mgc__text *text)
{
    mgc_ctx_release(text->ctx, text->bytes);
    text->bytes = NULL;
    text->len = text->cap = 0;
}
