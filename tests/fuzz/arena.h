/* SPDX-License-Identifier: Apache-2.0 */
/* Memory whose contents can be saved and put back at the same addresses: a world is built once, and every input begins with it.
 *
 * Blocks lie one after the other, and once an image was restored no place is used twice before the next time; between two blocks and where one was
 * released lie bytes that AddressSanitizer refuses, so that it sees what it would see with malloc. */
#ifndef TESTS_FUZZ_ARENA_H
#define TESTS_FUZZ_ARENA_H

#include <stddef.h>

#include "mgchain/base.h"

enum { ARENA_IMAGES = 8 };

extern const mgc_allocator arena_allocator;

/* Both between calls of the library only; an image may be restored as often as wanted.  What was allocated by
 * arena_keep_once() is not restored. */
void arena_save(size_t image);
void arena_restore(size_t image);

/* The first block of this size or more, allocated before anything was saved, keeps what is written to it: a table of what was
 * verified is as true for the next input. */
void arena_keep_once(size_t size);

#endif
