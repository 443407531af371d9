/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where regions are placed: below a limit, aligned, and by a pager whose ranges are whole. */

#include <errno.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"

#define MIB ((size_t)1 << 20)

/* Linux's pages, but at multiples of 64 KiB and given back as they were taken. */
static struct {
	uintptr_t base;
	size_t size_bytes;
} taken[64];
static int broken_rules, gets, gets_below;

static void note(uintptr_t base, size_t size_bytes)
{
	for (int i = 0; i < 64; i++) {
		if (!taken[i].base) {
			taken[i].base = base;
			taken[i].size_bytes = size_bytes;
			return;
		}
	}
	broken_rules++;
}

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	intptr_t got;

	gets++;
	if ((uintptr_t)address % 0x10000)
		broken_rules++;
	if (address) {
		got = pager_linux.get(address, size_bytes, state);
	} else {
		got = pager_linux.get(NULL, size_bytes + 0x10000, state & ~MEM_TOP_DOWN);
		if (got >= 0) {
			uintptr_t base = ((uintptr_t)got + 0xffff) & ~(uintptr_t)0xffff;

			os_unmap((void *)got, base - (uintptr_t)got);
			os_unmap((char *)base + size_bytes, (uintptr_t)got + 0x10000 - base);
			got = (intptr_t)base;
		}
	}
	if (got >= 0)
		note((uintptr_t)got, size_bytes);
	return got;
}

static intptr_t get_below(uintptr_t limit, size_t size_bytes, uint32_t state)
{
	uintptr_t base = (limit - size_bytes) & ~(uintptr_t)0xffff;
	intptr_t got = -EEXIST;

	gets_below++;
	for (; got == -EEXIST && base; base -= 0x10000)
		got = get((void *)base, size_bytes, state);
	return got;
}

static int put(void *address, size_t size_bytes)
{
	for (int i = 0; i < 64; i++) {
		if (taken[i].base == (uintptr_t)address && taken[i].size_bytes == size_bytes) {
			taken[i].base = 0;
			return pager_linux.put(address, size_bytes);
		}
	}
	broken_rules++;
	return -1;
}

static int set(void *address, size_t size_bytes, uint32_t state)
{
	return pager_linux.set(address, size_bytes, state);
}

static int drop(void *address, size_t size_bytes)
{
	return pager_linux.drop(address, size_bytes);
}

static const struct pager whole = { .get = get, .put = put, .set = set, .drop = drop };
static const struct pager whole_below = {
	.get = get, .get_below = get_below, .put = put, .set = set, .drop = drop
};

static const struct {
	size_t size_bytes;
	struct vm_request request;
} rows[] = {
	{ 0x1000, { .limit = 0 } },
	{ 0x1000, { .limit = (uintptr_t)1 << 31 } },
	{ 0x30000, { .limit = (uintptr_t)1 << 31 } },
	{ 0x30000, { .limit = ((uintptr_t)1 << 32) - 12345 } },
	{ 0x1000, { .alignment_bytes = 4 * MIB } },
	{ 4 * MIB, { .alignment_bytes = 4 * MIB } },
	{ 5 * MIB, { .alignment_bytes = 4 * MIB } },
	{ MIB, { .alignment_bytes = 2 * MIB, .limit = (uintptr_t)1 << 32 } },
	{ 64 * MIB, { .limit = (uintptr_t)1 << 30 } },
};
#define ROWS (sizeof rows / sizeof rows[0])

static bool is_well_placed(uintptr_t base, size_t size_bytes, const struct vm_request *request)
{
	return base % 0x10000 == 0 &&
	       (!request->alignment_bytes || base % request->alignment_bytes == 0) &&
	       (!request->limit || base + size_bytes <= request->limit);
}

static void test_pager(const struct pager *whose, const char *name)
{
	void *bases[ROWS][3];

	for (size_t row = 0; row < ROWS; row++) {
		struct vm_request request = rows[row].request;

		request.pager = whose;
		for (int i = 0; i < 3; i++) {
			size_t size_bytes = rows[row].size_bytes;

			bases[row][i] = NULL;
			ok(vm_allocate(&bases[row][i], &size_bytes, MEM_RESERVE | MEM_COMMIT,
				       PAGE_READWRITE, &request) >= 0,
			   "%s, row %zu: a region is given", name, row);
			ok(is_well_placed((uintptr_t)bases[row][i], size_bytes, &request),
			   "%s, row %zu: it lies right (%p)", name, row, bases[row][i]);
			*(volatile char *)bases[row][i] = 1;
		}
	}
	vm_check();
	for (size_t row = 0; row < ROWS; row++) {
		for (int i = 0; i < 3; i++) {
			size_t size_bytes = 0;
			struct vm_request request = { .api = API_VirtualFree };

			ok(vm_owns(bases[row][i]) &&
				   vm_free(&bases[row][i], &size_bytes, MEM_RELEASE, &request) >= 0,
			   "%s, row %zu: it is released", name, row);
		}
	}
}

static void test_no_room(const struct pager *whose)
{
	const struct vm_request request = { .pager = whose, .limit = 0x20000 };
	void *base = NULL;
	size_t size_bytes = 0x40000;

	ok_equal((unsigned)vm_allocate(&base, &size_bytes, MEM_RESERVE, PAGE_READWRITE, &request),
		 (unsigned)STATUS_NO_MEMORY, "there is no room below so low a limit");
}

static void test_no_resize(void)
{
	const struct vm_request request = { .pager = &whole };
	void *base = NULL;
	size_t size_bytes = 0x10000, nothing = 0;

	vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &request);
	ok_equal((unsigned)vm_resize(base, 0x10000, 0x20000, &base, &request),
		 (unsigned)STATUS_NOT_SUPPORTED, "a whole range keeps its size");
	ok(vm_discard(base, 0x10000, &request) >= 0, "its pages can be given back");
	vm_free(&base, &nothing, MEM_RELEASE, &request);
}

int main(void)
{
	test_pager(&pager_linux, "Linux");
	test_pager(&whole, "whole ranges");
	test_pager(&whole_below, "whole ranges, with limits");
	ok(gets_below >= 12, "the pager's own way is asked");
	test_no_room(&pager_linux);
	test_no_room(&whole);
	test_no_resize();
	ok_equal(broken_rules, 0, "ranges are given back as they were taken");
	for (int i = 0; i < 64; i++)
		ok(!taken[i].base, "nothing is left of range %d", i);
	vm_check();
	return tap_done();
}
