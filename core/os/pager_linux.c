/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Pages from Linux: private anonymous mappings.
 *
 *   reserve  mmap PROT_NONE: the system charges nothing
 *   commit   mprotect: charged by the system's overcommit rules, zero filled when first touched
 *   drop     a fresh PROT_NONE mapping over the old one: contents and charge are gone
 *
 * Neighbours of equal protection become one mapping of the kernel's (vm.max_map_count counts
 * those), so nothing here sets a flag that would keep them apart. No state, no lock. */

#include "core/os/pager.h"

#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "core/os/os.h"
#include "core/types.h"

#ifndef MADV_COLD
#define MADV_COLD 20
#endif

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define PROTECT_KIND_MASK 0xffu

static const struct {
	uint32_t protect;
	int prot;
} protections[] = {
	{ PAGE_NOACCESS, PROT_NONE },
	{ PAGE_READONLY, PROT_READ },
	{ PAGE_READWRITE, PROT_READ | PROT_WRITE },
	{ PAGE_WRITECOPY, PROT_READ | PROT_WRITE },
	/* Code that may not be read is a thing that Windows' hardware does not have either. */
	{ PAGE_EXECUTE, PROT_READ | PROT_EXEC },
	{ PAGE_EXECUTE_READ, PROT_READ | PROT_EXEC },
	{ PAGE_EXECUTE_READWRITE, PROT_READ | PROT_WRITE | PROT_EXEC },
	{ PAGE_EXECUTE_WRITECOPY, PROT_READ | PROT_WRITE | PROT_EXEC },
};

int pager_prot_of_state(uint32_t state)
{
	if (!(state & MEM_COMMIT) || state & PAGE_GUARD)
		return PROT_NONE;
	for (size_t i = 0; i < sizeof protections / sizeof protections[0]; i++) {
		if (protections[i].protect == (state & PROTECT_KIND_MASK))
			return protections[i].prot;
	}
	return PROT_NONE;
}

uint32_t pager_protect_of_mapping(int prot, bool is_private_file)
{
	static const uint32_t by_prot[8] = {
		[PROT_NONE] = PAGE_NOACCESS,
		[PROT_READ] = PAGE_READONLY,
		[PROT_WRITE] = PAGE_READWRITE,
		[PROT_READ | PROT_WRITE] = PAGE_READWRITE,
		[PROT_EXEC] = PAGE_EXECUTE,
		[PROT_EXEC | PROT_READ] = PAGE_EXECUTE_READ,
		[PROT_EXEC | PROT_WRITE] = PAGE_EXECUTE_READWRITE,
		[PROT_EXEC | PROT_READ | PROT_WRITE] = PAGE_EXECUTE_READWRITE,
	};
	uint32_t protect = by_prot[prot & (PROT_READ | PROT_WRITE | PROT_EXEC)];

	if (is_private_file && prot & PROT_WRITE)
		return protect == PAGE_READWRITE ? PAGE_WRITECOPY : PAGE_EXECUTE_WRITECOPY;
	return protect;
}

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	int flags = ANONYMOUS | (address ? MAP_FIXED_NOREPLACE : 0);
	intptr_t got = os_map(address, size_bytes, pager_prot_of_state(state), flags, /* fd */ -1,
			      /* offset */ 0);

	/* Kernels before 4.17 take the address for a wish. */
	if (address && got >= 0 && got != (intptr_t)address) {
		os_unmap((void *)got, size_bytes);
		return -EEXIST;
	}
	return got;
}

static int put(void *address, size_t size_bytes)
{
	return os_unmap(address, size_bytes);
}

static int set(void *address, size_t size_bytes, uint32_t state)
{
	return os_protect(address, size_bytes, pager_prot_of_state(state));
}

static int drop(void *address, size_t size_bytes)
{
	intptr_t got = os_map(address, size_bytes, PROT_NONE, ANONYMOUS | MAP_FIXED, /* fd */ -1,
			      /* offset */ 0);

	return got < 0 ? (int)got : 0;
}

static int discard(void *address, size_t size_bytes)
{
	return os_advise(address, size_bytes, MADV_DONTNEED);
}

/* Advice only: a kernel without it, or pages locked in memory, are no failure. */
static int reset(void *address, size_t size_bytes)
{
	os_advise(address, size_bytes, MADV_COLD);
	return 0;
}

static intptr_t resize(void *address, size_t old_size_bytes, size_t new_size_bytes,
		       void *new_address)
{
	int flags = new_address ? MREMAP_MAYMOVE | MREMAP_FIXED : 0;

	return os_remap(address, old_size_bytes, new_size_bytes, flags, new_address);
}

const struct pager pager_linux = {
	.get = get,
	.put = put,
	.set = set,
	.drop = drop,
	.discard = discard,
	.reset = reset,
	.resize = resize,
	.has_parts = true,
	.features = PAGE_GUARD | MEM_WRITE_WATCH | MEM_RESERVE_PLACEHOLDER,
};

const struct pager *pager = &pager_linux;
