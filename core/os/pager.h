/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where vm gets its pages, protects them and gives them back. The Linux pager is the default; a
 * host that lives inside another memory manager installs its own before the first use.
 *
 * A state is MEM_RESERVE, or MEM_COMMIT with PAGE_* bits. Ranges are whole pages, inside one range
 * that get() gave. Answers are 0, a value, or -errno. */

#ifndef VADTRACE_CORE_OS_PAGER_H
#define VADTRACE_CORE_OS_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pager {
	/* A zero filled range in `state`; its address. With an address: exactly there, -EEXIST when
	 * anything is there already. NULL: where the system likes. */
	intptr_t (*get)(void *address, size_t size_bytes, uint32_t state);
	/* The range is free afterwards. On failure nothing has changed. */
	int (*put)(void *address, size_t size_bytes);
	/* Makes the range what `state` (committed) says; contents are kept. On failure a part may
	 * have changed: the caller sets it back. */
	int (*set)(void *address, size_t size_bytes, uint32_t state);
	/* Contents are lost, the range is reserved. On failure nothing has changed. */
	int (*drop)(void *address, size_t size_bytes);
	/* Contents become zero, the pages go back; committed they stay. */
	int (*discard)(void *address, size_t size_bytes);
	/* Contents are not needed soon. They are kept all the same. */
	int (*reset)(void *address, size_t size_bytes);
	/* Changes the size of a committed range, keeping contents: in place when new_address is
	 * NULL, else over the range there, which get() gave. On failure nothing has changed. */
	intptr_t (*resize)(void *address, size_t old_size_bytes, size_t new_size_bytes,
			   void *new_address);
};

extern const struct pager pager_linux;
extern const struct pager *pager;

/* The system's protection bits for a state. */
int pager_prot_of_state(uint32_t state);
/* The PAGE_* for the system's bits; what can be written in a private mapping of a file is copied.
 */
uint32_t pager_protect_of_mapping(int prot, bool is_private_file);

#endif
