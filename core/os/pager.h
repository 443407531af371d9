/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where vm gets its pages, protects them and gives them back. The Linux pager is the default; a
 * host that lives inside another memory manager installs its own before the first use.
 *
 * A state is MEM_RESERVE, or MEM_COMMIT with PAGE_* bits; get() may be given those with
 * MEM_RESERVE, too, for who wants to know what the range was allocated with. Ranges are whole
 * pages, inside one range that get() gave. Answers are 0, a value, or -errno. All are called with
 * vm_lock held; a pager may leave out those that say what NULL means. */

#ifndef VADTRACE_CORE_OS_PAGER_H
#define VADTRACE_CORE_OS_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pager {
	/* A zero filled range in `state`; its address. With an address: exactly there, -EEXIST when
	 * anything is there already. NULL: where the system likes; then `state` may hold
	 * MEM_TOP_DOWN, for as high as can be. */
	intptr_t (*get)(void *address, size_t size_bytes, uint32_t state);
	/* The same anywhere, ending at or below `limit`, at a multiple of 64 KiB. NULL: addresses
	 * are tried out with get(). */
	intptr_t (*get_below)(uintptr_t limit, size_t size_bytes, uint32_t state);
	/* The range is free afterwards. On failure nothing has changed. */
	int (*put)(void *address, size_t size_bytes);
	/* Makes the range what `state` (committed) says; contents are kept. On failure a part may
	 * have changed: the caller sets it back. */
	int (*set)(void *address, size_t size_bytes, uint32_t state);
	/* Contents are lost, the range is reserved. On failure nothing has changed. */
	int (*drop)(void *address, size_t size_bytes);
	/* Contents become zero, the pages go back; committed they stay. NULL: as Linux does. */
	int (*discard)(void *address, size_t size_bytes);
	/* Contents are not needed soon. They are kept all the same. NULL: as Linux does. */
	int (*reset)(void *address, size_t size_bytes);
	/* Changes the size of a committed range, keeping contents: in place when new_address is
	 * NULL, else over the range there, which get() gave. On failure nothing has changed. NULL:
	 * it cannot. */
	intptr_t (*resize)(void *address, size_t old_size_bytes, size_t new_size_bytes,
			   void *new_address);
	/* Asked before anything is told or changed: 0, or -errno when the call will be refused in
	 * any case. NULL: nobody knows. */
	int (*ask)(void);
	/* Whether put() also takes a part of what get() gave, and ranges lie at any page. When not,
	 * ranges lie at multiples of 64 KiB and are put whole. */
	bool has_parts;
	/* What core may make of its ranges: PAGE_GUARD, MEM_WRITE_WATCH,
	 * MEM_RESERVE_PLACEHOLDER. */
	uint32_t features;
};

extern const struct pager pager_linux;
extern const struct pager *pager; /* the default one */

static inline int pager_ask(const struct pager *whose)
{
	return whose->ask ? whose->ask() : 0;
}

static inline int pager_discard(const struct pager *whose, void *address, size_t size_bytes)
{
	return (whose->discard ? whose->discard : pager_linux.discard)(address, size_bytes);
}

static inline int pager_reset(const struct pager *whose, void *address, size_t size_bytes)
{
	return (whose->reset ? whose->reset : pager_linux.reset)(address, size_bytes);
}

/* The system's protection bits for a state; none for a guard page, whose first touch must be seen.
 */
int pager_prot_of_state(uint32_t state);
/* The PAGE_* for the system's bits; what can be written in a private mapping of a file is copied.
 */
uint32_t pager_protect_of_mapping(int prot, bool is_private_file);

#endif
