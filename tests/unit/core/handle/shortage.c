/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Global memory when the system gives no more memory, or core's limit is reached: calls fail, and
 * all is as it was before. */

#include <string.h>

#include "core/core.h"
#include "core/handle/table.h"
#include "core/heap/heap.h"
#include "core/host.h"
#include "tests/lib/address_space.h"
#include "tests/lib/tap.h"

#define KEPT_BYTES 3000
#define HUGE_BYTES ((SIZE_T)1 << 30)
#define LEFT_BYTES ((rlim_t)64 << 20)

static bool is_kept(HGLOBAL handle)
{
	const char *memory = *(const char **)handle;

	for (int i = 0; i < KEPT_BYTES; i++) {
		if (memory[i] != 'k')
			return false;
	}
	return GlobalSize(handle) == KEPT_BYTES;
}

static void check_refusals(HGLOBAL kept, HGLOBAL empty)
{
	uint32_t count = handle_count();

	SetLastError(0);
	ok(!GlobalAlloc(GMEM_MOVEABLE, HUGE_BYTES), "no memory for a handle");
	ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "the error");
	ok_equal(handle_count(), count, "and no handle without memory");
	ok(!GlobalAlloc(GMEM_FIXED, HUGE_BYTES), "no fixed memory");
	ok(!GlobalReAlloc(kept, HUGE_BYTES, GMEM_MOVEABLE), "nothing grows");
	ok(is_kept(kept) && GlobalFlags(kept) == 0, "and stays as it was");
	ok(!GlobalReAlloc(empty, HUGE_BYTES, 0), "what is discarded stays so");
	ok_equal(GlobalFlags(empty), GMEM_DISCARDED, "and says so");
	ok(GlobalAlloc(GMEM_MOVEABLE, 0) != NULL, "a handle needs none");
}

static void test_memory(void)
{
	HGLOBAL kept = GlobalAlloc(GMEM_MOVEABLE, KEPT_BYTES);
	HGLOBAL empty = GlobalAlloc(GMEM_MOVEABLE, 0);

	memset(*(char **)kept, 'k', KEPT_BYTES);
	limit_memory(address_space_bytes() + LEFT_BYTES);
	check_refusals(kept, empty);
	limit_memory(RLIM_INFINITY);
	core_set_commit_limit(core_commit_charge() + (1 << 20));
	check_refusals(kept, empty);
	core_set_commit_limit(0);
	ok(GlobalReAlloc(kept, HUGE_BYTES / 8, GMEM_MOVEABLE) == kept, "then it grows again");
	ok(!GlobalFree(kept) && !GlobalFree(empty), "both are freed");
}

int main(void)
{
	test_memory();
	handle_check();
	heap_check();
	return tap_done();
}
