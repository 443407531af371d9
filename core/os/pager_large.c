/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Private mappings of large pages. The system reserves them in its pool when it maps them, so that
 * no touch can fail later, and aligns them by itself. No state, no lock. */

#include "core/os/pager_large.h"

#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "core/os/os.h"
#include "core/types.h"

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (address ? MAP_FIXED_NOREPLACE : 0);

	return os_map(address, size_bytes, pager_prot_of_state(state), flags, /* fd */ -1,
		      /* offset */ 0);
}

static int put(void *address, size_t size_bytes)
{
	return os_unmap(address, size_bytes);
}

/* Whole large pages; the system refuses others. */
static int set(void *address, size_t size_bytes, uint32_t state)
{
	return os_protect(address, size_bytes, pager_prot_of_state(state));
}

/* They come and go with their region. */
static int drop(void *address, size_t size_bytes)
{
	(void)address, (void)size_bytes;
	return -EEXIST;
}

/* They are never paged out. */
static int reset(void *address, size_t size_bytes)
{
	(void)address, (void)size_bytes;
	return 0;
}

const struct pager pager_large = {
	.get = get,
	.put = put,
	.set = set,
	.drop = drop,
	.reset = reset,
	.features = MEM_LARGE_PAGES,
};
