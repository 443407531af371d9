/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The way out, from functions of this program, which stand for ours, and from the C library's,
 * which stand for Wine's. Their callers are only written onto a stack: none is called. */

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/lib/tap.h"
#include "trace/stack/own.h"
#include "trace/trace.h"

/* At its first instruction, the return address is at rsp. */
static __attribute__((noinline)) int function_of_ours(void)
{
	__asm__ volatile("" ::: "memory");
	return 1;
}

/* Only the library's is asked for: what an address in this program is taken for is the test's. */
static void own_is_this_program(void)
{
	uintptr_t here = (uintptr_t)function_of_ours;

	own_host = (struct own_object){ here - 0x100000, here + 0x100000 };
}

/* Code of no module: as Windows' code is to the ELF unwinder. */
static uint64_t windows_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 0 : (uintptr_t)page + 100;
}

static uint64_t address_of(int (*function)(void))
{
	return (uintptr_t)function;
}

static uint64_t address_of_labs(void)
{
	return (uintptr_t)labs;
}

/* Of a function that was interrupted at its beginning, called from there. */
static uint64_t *from(uint64_t rip, uint64_t *stack)
{
	return trace_find_return(rip, (uintptr_t)stack, 0);
}

static void test_one_frame(uint64_t windows)
{
	uint64_t stack[4] = { windows };

	ok(from(address_of(function_of_ours), stack) == stack,
	   "our function returns to Windows code by the word that the call left");
	ok(from(address_of_labs(), stack) == NULL,
	   "of another library's function that is not known");
}

/* A function of another library, called by ours, and the other way round. */
static void test_two_frames(uint64_t windows)
{
	uint64_t inner_other[4] = { address_of(function_of_ours) + 1, windows };
	uint64_t inner_ours[4] = { address_of_labs() + 1, windows };

	ok(from(address_of_labs(), inner_other) == inner_other + 1,
	   "who is called by ours comes back to it first");
	ok(from(address_of(function_of_ours), inner_ours) == NULL,
	   "whoever returns there decides, not who was interrupted");
}

static void test_no_way(uint64_t windows)
{
	uint64_t stack[4] = { windows };

	ok(from(windows, stack) == NULL, "Windows code needs no way out");
}

int main(void)
{
	uint64_t windows = windows_code();

	own_is_this_program();
	ok(windows != 0, "a page for code");
	test_one_frame(windows);
	test_two_frames(windows);
	test_no_way(windows);
	return tap_done();
}
