/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A Windows program whose exceptions, stack walks and overflows go through hooked functions. It
 * prints the same with hooks and without, but for two words:
 *
 *   raises   GetNumaHighestNodeNumber raises STATUS_NO_MEMORY
 *   serves   GetLargePageMinimum gives 0x5e4e
 *
 * and a third, which plain Wine does not survive, because its heap's lock may be held then:
 *
 *   overflows   stacks overflow in the hooked functions; with hooks, it is their stubs that do */

#include <windows.h>

#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"

#define TOO_MUCH ((SIZE_T)1 << 60)

/* Calls function(argument). An exception ends the call: it is noted, and 1 is given. `kept` gets
 * what rbx, rsi, rdi, r12 and r15 hold after it, of what they had before. */
uint64_t guarded_call(void (*function)(void *), void *argument, uint64_t *kept);
extern const char guarded_landing[];

__asm__(".text\n"
	".globl guarded_call\n"
	".seh_proc guarded_call\n"
	"guarded_call:\n"
	"	push %rbx\n	.seh_pushreg %rbx\n"
	"	push %rsi\n	.seh_pushreg %rsi\n"
	"	push %rdi\n	.seh_pushreg %rdi\n"
	"	push %r12\n	.seh_pushreg %r12\n"
	"	push %r15\n	.seh_pushreg %r15\n"
	"	sub $0x30, %rsp\n	.seh_stackalloc 0x30\n"
	"	.seh_endprologue\n"
	"	.seh_handler guarded_handler, @except\n"
	"	mov %r8, 0x28(%rsp)\n"
	"	mov %rcx, %rax\n"
	"	mov %rdx, %rcx\n"
	"	mov $0xb1, %ebx; mov $0xb2, %esi; mov $0xb3, %edi; mov $0xb4, %r12; mov $0xb5, "
	"%r15\n"
	"	call *%rax\n"
	"	xor %eax, %eax\n"
	"guarded_landing:\n"
	"	mov 0x28(%rsp), %r8\n"
	"	mov %rbx, (%r8); mov %rsi, 8(%r8); mov %rdi, 16(%r8)\n"
	"	mov %r12, 24(%r8); mov %r15, 32(%r8)\n"
	"	add $0x30, %rsp\n"
	"	pop %r15; pop %r12; pop %rdi; pop %rsi; pop %rbx\n"
	"	ret\n"
	".seh_endproc\n");

static struct {
	DWORD code;
	unsigned int
		frames_of_caller; /* of allocate(), as a walk in a vectored handler sees them */
} seen;

EXCEPTION_DISPOSITION guarded_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context,
				      void *dispatcher)
{
	if (record->ExceptionFlags & 0x66) /* unwinding */
		return ExceptionContinueSearch;
	seen.code = record->ExceptionCode;
	RtlUnwind(frame, (void *)guarded_landing, record, (void *)1);
	return ExceptionContinueSearch;
}

static void check_guarded(void (*function)(void *), void *argument, DWORD code, const char *name)
{
	static const uint64_t expected[5] = { 0xb1, 0xb2, 0xb3, 0xb4, 0xb5 };
	uint64_t kept[5] = { 0 };

	memset(&seen, 0, sizeof(seen));
	ok(guarded_call(function, argument, kept) == (code != 0), "%s: ends as it should", name);
	ok_equal(seen.code, code, "%s: the exception", name);
	ok(memcmp(kept, expected, sizeof(kept)) == 0, "%s: registers are as before", name);
}

/* --- Exceptions ------------------------------------------------------------------------------ */

static __attribute__((noinline)) void allocate(void *heap)
{
	(void)HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, TOO_MUCH);
	__asm__ volatile("nop");
}

static __attribute__((noinline)) void allocate_again(void *heap)
{
	void *block = HeapAlloc(heap, 0, 16);

	(void)HeapReAlloc(heap, HEAP_GENERATE_EXCEPTIONS, block, TOO_MUCH);
	__asm__ volatile("nop");
}

/* These read memory that is not there, behind instructions that were moved. */
static void lock_nothing(void *heap)
{
	(void)HeapWalk(heap, (PROCESS_HEAP_ENTRY *)16);
	__asm__ volatile("nop");
}

static void ask_nothing(void *heap)
{
	GlobalMemoryStatus((MEMORYSTATUS *)16);
	__asm__ volatile("nop");
}

static void ask_node(void *argument)
{
	(void)GetNumaHighestNodeNumber(argument);
	__asm__ volatile("nop");
}

static LONG CALLBACK look_back(EXCEPTION_POINTERS *pointers)
{
	void *frames[60];
	USHORT count = RtlCaptureStackBackTrace(0, 60, frames, NULL);

	for (USHORT i = 0; i < count; i++)
		seen.frames_of_caller += (uintptr_t)frames[i] - (uintptr_t)allocate < 64 ||
					 (uintptr_t)frames[i] - (uintptr_t)allocate_again < 128;
	return EXCEPTION_CONTINUE_SEARCH;
}

static void test_exceptions(void)
{
	HANDLE heap = GetProcessHeap();
	void *handler;

	check_guarded(allocate, heap, STATUS_NO_MEMORY, "HeapAlloc raises");
	check_guarded(allocate_again, heap, STATUS_NO_MEMORY, "HeapReAlloc raises");
	check_guarded(lock_nothing, heap, STATUS_ACCESS_VIOLATION, "HeapWalk faults");
	check_guarded(ask_nothing, heap, STATUS_ACCESS_VIOLATION, "GlobalMemoryStatus faults");
	handler = AddVectoredExceptionHandler(1, look_back);
	check_guarded(allocate, heap, STATUS_NO_MEMORY, "HeapAlloc raises, and is walked");
	ok_equal(seen.frames_of_caller, 1, "the caller of HeapAlloc is on the stack");
	check_guarded(allocate_again, heap, STATUS_NO_MEMORY, "HeapReAlloc raises, and is walked");
	ok_equal(seen.frames_of_caller, 1, "the caller of HeapReAlloc is on the stack");
	RemoveVectoredExceptionHandler(handler);
}

/* --- Stacks that overflow -------------------------------------------------------------------- */

struct deep {
	unsigned int step; /* bytes of a frame, so that the end comes in different places */
	unsigned int which;
	void *block;
};

static __attribute__((noinline)) void call_one(const struct deep *deep)
{
	switch (deep->which) {
	case 0: /* its entry is a place for hooks */
		HeapFree(GetProcessHeap(), 0, HeapAlloc(GetProcessHeap(), 0, 24));
		break;
	case 1: /* the others' instructions move */
		(void)HeapSize(GetProcessHeap(), 0, deep->block);
		break;
	case 2:
		(void)GlobalFlags(deep->block);
		break;
	default:
		(void)HeapValidate(GetProcessHeap(), 0, deep->block);
		break;
	}
}

/* Ends by overflow only; the compiler is not to know. */
static volatile int goes_on = 1;

static __attribute__((noinline)) void descend(void *argument)
{
	struct deep *deep = argument;
	volatile char *frame = __builtin_alloca(deep->step);

	frame[0] = 1;
	call_one(deep);
	if (goes_on)
		descend(deep);
	frame[0]++;
}

/* There is little stack left: the handler only looks whether the code that overflowed is known to
 * those who walk stacks, and leaves the thread. */
static LONG CALLBACK end_overflow(EXCEPTION_POINTERS *pointers)
{
	ULONG64 base;

	if (pointers->ExceptionRecord->ExceptionCode != STATUS_STACK_OVERFLOW)
		return EXCEPTION_CONTINUE_SEARCH;
	ExitThread(RtlLookupFunctionEntry(pointers->ContextRecord->Rip, &base, NULL) ? 1 : 2);
}

static DWORD CALLBACK overflow(void *deep)
{
	descend(deep);
	return 0;
}

static unsigned int count_overflows(unsigned int which)
{
	void *handler = AddVectoredExceptionHandler(1, end_overflow);
	unsigned int count = 0;

	for (unsigned int step = 16; step <= 400; step += 48) {
		struct deep deep = { step, which, HeapAlloc(GetProcessHeap(), 0, 24) };
		HANDLE thread = CreateThread(NULL, 65536, overflow, &deep,
					     STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
		DWORD status = 0;

		WaitForSingleObject(thread, INFINITE);
		GetExitCodeThread(thread, &status);
		count += status == 1;
		if (status != 1)
			printf("# call %u, step %u: status %lu\n", which, step, status);
		CloseHandle(thread);
	}
	RemoveVectoredExceptionHandler(handler);
	return count;
}

static void test_overflows(void)
{
	for (unsigned int which = 0; which < 4; which++)
		ok_equal(count_overflows(which), 9, "call %u: overflows are caught", which);
}

/* --- Contents -------------------------------------------------------------------------------- */

static BOOL is_zero(const char *block, SIZE_T size)
{
	for (SIZE_T i = 0; i < size; i++)
		if (block[i])
			return FALSE;
	return TRUE;
}

/* A block is zero when that was asked for, up to its last byte, and its neighbours are untouched.
 */
static void test_zero(void)
{
	enum { COUNT = 16 };
	unsigned int dirty = 0, hurt = 0;
	char *blocks[COUNT];

	for (SIZE_T size = 0; size < 600; size++) {
		for (unsigned int i = 0; i < COUNT; i++) {
			blocks[i] = HeapAlloc(GetProcessHeap(), 0, size);
			memset(blocks[i], 0x77, size);
		}
		for (unsigned int i = 0; i < COUNT; i += 2)
			HeapFree(GetProcessHeap(), 0, blocks[i]);
		for (unsigned int i = 0; i < COUNT; i += 2) {
			blocks[i] = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
			dirty += !is_zero(blocks[i], size);
		}
		for (unsigned int i = 0; i < COUNT; i++) {
			hurt += i % 2 && size > 0 &&
				(blocks[i][0] != 0x77 || blocks[i][size - 1] != 0x77);
			hurt += HeapSize(GetProcessHeap(), 0, blocks[i]) != size;
			hurt += !HeapFree(GetProcessHeap(), 0, blocks[i]);
		}
	}
	ok_equal(dirty, 0, "blocks that are to be zero are");
	ok_equal(hurt, 0, "their neighbours are as they were");
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	ULONG node;

	check_guarded(ask_node, &node, strcmp(word, "raises") == 0 ? STATUS_NO_MEMORY : 0,
		      "GetNumaHighestNodeNumber");
	ok_equal(GetLargePageMinimum(), strcmp(word, "serves") == 0 ? 0x5e4e : 0x200000,
		 "GetLargePageMinimum");
	test_zero();
	test_exceptions();
	if (strcmp(word, "overflows") == 0)
		test_overflows();
	return tap_done();
}
