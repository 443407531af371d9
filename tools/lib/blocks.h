/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The live blocks of a process, by address: open addressing, 32 bytes a block. */

#ifndef VADTRACE_TOOLS_LIB_BLOCKS_H
#define VADTRACE_TOOLS_LIB_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block that is not counted is known only so that its release is: it was inherited from the
 * parent of a fork, or allocated outside of what the user asked to see.
 *  - address is not 0. */
struct block {
	uint64_t address : 48;
	uint64_t heap : 16; /* number in the process's list of heaps */
	uint64_t size_bytes : 48;
	uint64_t api : 16;
	uint64_t time_ns;
	uint32_t site; /* number in the process's list of sites */
	uint32_t thread : 30;
	uint32_t is_counted : 1;
	uint32_t is_inherited : 1; /* then it is not counted */
};

_Static_assert(sizeof(struct block) == 32, "two blocks fill a cache line");

/* - slots is 0 or a power of two, at most 3/4 of them used;
 * - a slot with address 0 is empty. */
struct blocks {
	struct block *table;
	size_t slots, count;
};

void blocks_free(struct blocks *blocks);

/* The block at the address, or NULL. Valid until the next change. */
struct block *blocks_find(const struct blocks *blocks, uint64_t address);
/* Adds the block; when one is there already it is replaced, copied to *old, and the result is true.
 */
bool blocks_add(struct blocks *blocks, const struct block *block, struct block *old);
/* Removes the block and copies it to *old. False: there is none. */
bool blocks_remove(struct blocks *blocks, uint64_t address, struct block *old);

/* A copy for a fork's child: all blocks are inherited. */
void blocks_inherit(struct blocks *to, const struct blocks *from);

/* Executes the invariants of the struct: for tests. */
bool blocks_check(const struct blocks *blocks);

#endif
