/* SPDX-License-Identifier: Apache-2.0 */
/* The context: error text, hooks, cancel flag, memory. */
#define _DEFAULT_SOURCE /* madvise() */
#include <stdatomic.h>
#include <stdio.h>

#include "base/base.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { ERROR_TEXT_MAX = 1024, LOG_TEXT_MAX = 1024 };

struct mgc_ctx {
    mgc_allocator mem;
    mgc_ctx_opts opts;
    mgc_ctx *parent;       /* the one whose cancel flag counts, or NULL */
    _Atomic int cancelled; /* lock-free, so that a signal handler may set it */
    char error[ERROR_TEXT_MAX];
    bool remembers;                  /* memory has been zeroed */
    uint8_t memory[MGC__CTX_MEMORY]; /* of the crypto room; last, and not touched before it is asked for: workers never do */
};

/* Blocks of two large pages and more hold one in full wherever they begin. */
enum { LARGE_PAGE = 2 << 20 };

/* Where the kernel gives large pages to who asks, vectors of many megabytes are first touched in one fault instead of 512: a
 * tenth of a first solve over fifty scenarios.  What the kernel answers changes nothing else. */
static void *ask_for_large_pages(void *block, size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    uintptr_t first = ((uintptr_t)block + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;

    if (block != NULL && size >= 2 * (size_t)LARGE_PAGE)
        (void)madvise((void *)first, ((uintptr_t)block + size - first) / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#else
    (void)size;
#endif
    return block;
}

static void *default_alloc(void *user, size_t size)
{
    (void)user;
    return ask_for_large_pages(malloc(size), size);
}

/* Zeroed: what comes fresh from the kernel is, and is not touched before it is used. */
static void *default_zeroed(size_t size)
{
    return ask_for_large_pages(calloc(1, size), size);
}

static void *default_resize(void *user, void *block, size_t size)
{
    (void)user;
    return block != NULL ? realloc(block, size) : ask_for_large_pages(malloc(size), size);
}

static void default_release(void *user, void *block)
{
    (void)user;
    free(block);
}

static const mgc_allocator default_allocator = {default_alloc, default_resize, default_release, NULL};
static const mgc_ctx_opts ctx_defaults = {.struct_size = sizeof(mgc_ctx_opts), .log_level = MGC_LOG_INFO};

void mgc_ctx_opts_init(mgc_ctx_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &ctx_defaults, sizeof ctx_defaults);
}

mgc_status mgc_ctx_create(const mgc_ctx_opts *opts, mgc_ctx **out)
{
    mgc_ctx_opts o = ctx_defaults;
    mgc_status st;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    st = mgc__opts_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_ctx_opts, reserved0), opts);
    if (st != MGC_OK) return st;
    if (o.reserved0 != 0) return MGC_E_INVALID_ARG;

    mgc_allocator mem = o.allocator != NULL ? *o.allocator : default_allocator;
    if (mem.alloc == NULL || mem.resize == NULL || mem.release == NULL) return MGC_E_INVALID_ARG;
    mgc_ctx *ctx = mem.alloc(mem.user, sizeof *ctx);
    if (ctx == NULL) return MGC_E_NO_MEMORY;
    memset(ctx, 0, offsetof(struct mgc_ctx, memory));
    ctx->mem = mem;
    ctx->opts = o;
    ctx->opts.allocator = NULL;
    atomic_init(&ctx->cancelled, 0);
    *out = ctx;
    return MGC_OK;
}

mgc_status mgc__ctx_child(mgc_ctx *parent, mgc_ctx **out)
{
    mgc_ctx_opts o = parent->opts;

    o.allocator = &parent->mem;
    mgc_status st = mgc_ctx_create(&o, out);
    if (st != MGC_OK) return mgc__no_memory(parent, "a worker's context");
    (*out)->parent = parent;
    return MGC_OK;
}

void mgc_ctx_destroy(mgc_ctx *ctx)
{
    if (ctx == NULL) return;
    ctx->mem.release(ctx->mem.user, ctx);
}

uint8_t *mgc__ctx_memory(mgc_ctx *ctx)
{
    if (!ctx->remembers) memset(ctx->memory, 0, sizeof ctx->memory);
    ctx->remembers = true;
    return ctx->memory;
}

const char *mgc_ctx_error(const mgc_ctx *ctx)
{
    return ctx != NULL ? ctx->error : "";
}

void mgc__error_forget(mgc_ctx *ctx)
{
    if (ctx != NULL) ctx->error[0] = '\0';
}

void mgc_ctx_cancel(mgc_ctx *ctx)
{
    if (ctx != NULL) atomic_store(&ctx->cancelled, 1);
}

void mgc_ctx_cancel_reset(mgc_ctx *ctx)
{
    if (ctx != NULL) atomic_store(&ctx->cancelled, 0);
}

int32_t mgc_ctx_cancelled(const mgc_ctx *ctx)
{
    for (; ctx != NULL; ctx = ctx->parent)
        if (atomic_load(&ctx->cancelled) != 0) return 1;
    return 0;
}

mgc_status mgc__fail(mgc_ctx *ctx, mgc_status status, const char *format, ...)
{
    va_list args;

    if (ctx == NULL) return status;
    va_start(args, format);
    mgc__vformat(ctx->error, sizeof ctx->error, format, args);
    va_end(args);
    return status;
}

mgc_status mgc__no_memory(mgc_ctx *ctx, const char *what)
{
    return mgc__fail(ctx, MGC_E_NO_MEMORY, "no memory for %s", what);
}

void mgc__log(mgc_ctx *ctx, uint32_t level, const char *format, ...)
{
    char text[LOG_TEXT_MAX];
    va_list args;

    if (ctx == NULL || ctx->opts.log == NULL || level > ctx->opts.log_level) return;
    va_start(args, format);
    mgc__vformat(text, sizeof text, format, args);
    va_end(args);
    ctx->opts.log(ctx->opts.user, level, text);
}

uint64_t mgc__now_ms(const mgc_ctx *ctx)
{
    return mgc__has_clock(ctx) ? ctx->opts.now_ms(ctx->opts.user) : 0;
}

bool mgc__has_clock(const mgc_ctx *ctx)
{
    return ctx->opts.now_ms != NULL;
}

void *mgc__alloc(mgc_ctx *ctx, size_t n, size_t size)
{
    if (n == 0 || size == 0) n = size = 1;
    if (n > SIZE_MAX / size) return NULL;
    if (ctx->mem.alloc == default_alloc) return default_zeroed(n * size);
    void *block = ctx->mem.alloc(ctx->mem.user, n * size);
    if (block != NULL) memset(block, 0, n * size);
    return block;
}

void *mgc__resize(mgc_ctx *ctx, void *block, size_t n, size_t size)
{
    if (n == 0 || size == 0) n = size = 1;
    if (n > SIZE_MAX / size) return NULL;
    return ctx->mem.resize(ctx->mem.user, block, n * size);
}

void mgc__free(mgc_ctx *ctx, void *block)
{
    if (block != NULL) ctx->mem.release(ctx->mem.user, block);
}

char *mgc__strdup(mgc_ctx *ctx, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mgc__alloc(ctx, size, 1);

    if (copy != NULL) memcpy(copy, text, size);
    return copy;
}

bool mgc__grow(mgc_ctx *ctx, void **block, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return true;
    size_t wanted = *cap < 8 ? 8 : *cap;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2) return false;
        wanted *= 2;
    }
    void *grown = mgc__resize(ctx, *block, wanted, size);
    if (grown == NULL) return false;
    *block = grown;
    *cap = wanted;
    return true;
}
