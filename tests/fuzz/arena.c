/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "arena.h"

#include <stdint.h>
#include <sys/mman.h>

#include "fuzz.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

#if WITH_ASAN
#include <sanitizer/asan_interface.h>
void __asan_get_shadow_mapping(size_t *scale, size_t *offset);
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* What copies whole images is not looked at by the sanitizers, nor counted as covered. */
#ifdef __clang__
#define UNSEEN __attribute__((no_sanitize("address", "undefined", "coverage"), noinline))
#else
#define UNSEEN __attribute__((no_sanitize_address, no_sanitize_undefined, noinline))
#endif

typedef uint64_t __attribute__((may_alias)) word;

enum { HEADER = 16, GRAIN = 16, CLASSES = 40, ARENA = 1 << 30, KEPT = 1 << 22, RELEASED = 0x5a, LIVE = 0xa5 };

static uint8_t *arena;     /* ARENA bytes, and behind them KEPT, which are not restored */
static size_t used, high;  /* high: the most since the last restore */
static size_t keep_size;   /* 0: nothing is to be kept any more */
static size_t kept;        /* bytes of the block that is */
static void *spare[CLASSES]; /* released before the first restore, by the power of two that they hold: images stay small */
static bool running;         /* there was a restore */
static struct image {
    word *bytes, *shadow;
    size_t used;
} images[ARENA_IMAGES];

/* --- copying ------------------------------------------------------------------------------------- */

UNSEEN static void copy_words(volatile word *to, const volatile word *from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = from[i];
}

#if WITH_ASAN
static word *shadow_of(const uint8_t *at)
{
    size_t scale, offset;

    __asan_get_shadow_mapping(&scale, &offset);
    return (word *)(((uintptr_t)at >> scale) + offset);
}
#endif

static void copy_shadow(struct image *image, int back)
{
#if WITH_ASAN
    size_t n = (image->used / 8 + 7) / 8;

    if (back) copy_words(shadow_of(arena), image->shadow, n);
    else copy_words(image->shadow, shadow_of(arena), n);
#else
    (void)image, (void)back;
#endif
}

/* --- blocks ---------------------------------------------------------------------------------------- */

static void begin(void)
{
    void *at = mmap(NULL, (size_t)ARENA + KEPT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    must(at != MAP_FAILED, "no room for an arena");
    arena = at;
    ASAN_POISON_MEMORY_REGION(arena, ARENA);
}

/* The header lies where nobody else may look. */
UNSEEN static word *header_of(void *block)
{
    return (word *)(void *)((uint8_t *)block - HEADER);
}
UNSEEN static size_t header_size(void *block)
{
    return header_of(block)[0];
}
UNSEEN static uint64_t header_state(void *block)
{
    return header_of(block)[1];
}
UNSEEN static void header_set(void *block, size_t size, uint64_t state)
{
    header_of(block)[0] = size;
    header_of(block)[1] = state;
}

static uint32_t class_of(size_t size)
{
    uint32_t c = 4;

    while (((size_t)1 << c) < size) c++;
    return c;
}

/* Their first bytes say which is next. */
UNSEEN static void *take_spare(uint32_t c)
{
    void *block = spare[c];

    if (block != NULL) spare[c] = (void *)(uintptr_t)*(word *)block;
    return block;
}

UNSEEN static void put_spare(void *block, uint32_t c)
{
    *(word *)block = (uintptr_t)spare[c];
    spare[c] = block;
}

static void *arena_alloc(void *user, size_t size)
{
    uint8_t *block;

    (void)user;
    if (arena == NULL) begin();
    if (keep_size != 0 && size >= keep_size && size <= KEPT - HEADER) {
        block = arena + ARENA + HEADER;
        keep_size = 0;
        kept = size;
        header_set(block, size, LIVE);
        return block;
    }
    if (size > ARENA - HEADER - GRAIN || used > ARENA - HEADER - GRAIN - size) return NULL;
    block = running ? NULL : take_spare(class_of(size));
    if (block == NULL) {
        size_t room = running ? size : (size_t)1 << class_of(size);
        if (room > ARENA - HEADER - GRAIN - used) return NULL;
        block = arena + used + HEADER;
        used += (HEADER + room + GRAIN - 1) / GRAIN * GRAIN;
        if (used > high) high = used;
    }
    header_set(block, size, LIVE);
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    return block;
}

static void arena_release(void *user, void *block)
{
    (void)user;
    must(header_state(block) == LIVE, "a block is released that is none");
    header_set(block, header_size(block), RELEASED);
    ASAN_POISON_MEMORY_REGION(block, header_size(block));
    if (!running && (uint8_t *)block < arena + ARENA) put_spare(block, class_of(header_size(block)));
}

static void *arena_resize(void *user, void *block, size_t size)
{
    void *other = arena_alloc(user, size);

    if (other == NULL || block == NULL) return other;
    must(header_state(block) == LIVE, "a block is resized that is none");
    memcpy(other, block, header_size(block) < size ? header_size(block) : size);
    arena_release(user, block);
    return other;
}

const mgc_allocator arena_allocator = {.alloc = arena_alloc, .resize = arena_resize, .release = arena_release};

/* --- images ---------------------------------------------------------------------------------------- */

void arena_keep_once(size_t size)
{
    keep_size = size;
}

void arena_save(size_t at)
{
    struct image *image = &images[at];

    must(at < ARENA_IMAGES && arena != NULL && image->bytes == NULL, "an image that there is");
    keep_size = 0;
    image->used = used;
    image->bytes = malloc(used + 8);
    image->shadow = malloc(used / 8 + 64);
    must(image->bytes != NULL && image->shadow != NULL, "no memory for an image");
    copy_words(image->bytes, (word *)(void *)arena, used / 8);
    copy_shadow(image, 0);
    high = used;
}

void arena_restore(size_t at)
{
    struct image *image = &images[at];

    must(at < ARENA_IMAGES && image->bytes != NULL, "an image that there is not");
    running = true;
    copy_words((word *)(void *)arena, image->bytes, image->used / 8);
    copy_shadow(image, 1);
    if (high > image->used) ASAN_POISON_MEMORY_REGION(arena + image->used, high - image->used);
    used = high = image->used;
    if (kept != 0) header_set(arena + ARENA + HEADER, kept, LIVE); /* an input may have closed what it belongs to */
    if (kept != 0) ASAN_UNPOISON_MEMORY_REGION(arena + ARENA + HEADER, kept);
}
