/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A Windows program whose stacks are walked by the object that was preloaded into its process, and
 * by Windows' own unwinder: both find the same. */

#include "tests/unit/trace/stack/mixed.h"

#include <malloc.h>
#include <windows.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

static const struct mixed_table *table;
static uint32_t deepest;

/* The stack as RtlVirtualUnwind finds it. */
static void unwind(CONTEXT *context, struct mixed_stack *stack)
{
	stack->count = 0;
	while (context->Rip && stack->count < MIXED_FRAMES) {
		DWORD64 base, frame;
		void *data;
		RUNTIME_FUNCTION *function = RtlLookupFunctionEntry(context->Rip, &base, NULL);

		stack->frames[stack->count++] = context->Rip;
		if (function) {
			RtlVirtualUnwind(0, base, context->Rip, function, context, &data, &frame,
					 NULL);
			continue;
		}
		context->Rip = *(DWORD64 *)context->Rsp;
		context->Rsp += 8;
	}
}

static struct mixed_caller caller_of(const CONTEXT *context)
{
	return (struct mixed_caller){ context->Rip, context->Rsp, context->Rbx, context->Rbp,
				      context->Rsi, context->Rdi, context->R12, context->R13,
				      context->R14, context->R15 };
}

static void print(const char *who, const struct mixed_stack *stack)
{
	for (uint32_t i = 0; i < stack->count; i++) {
		char name[64];

		table->name(stack->frames[i], name);
		printf("# %s %u: %s 0x%llx\n", who, i, name, (unsigned long long)stack->frames[i]);
	}
}

static int is_same(const struct mixed_stack *one, const struct mixed_stack *other)
{
	return one->count == other->count &&
	       memcmp(one->frames, other->frames, one->count * sizeof(one->frames[0])) == 0;
}

/* Compares the stacks from here; three times, since the walker remembers. */
static void compare(const char *where)
{
	struct mixed_stack expected, got;
	struct mixed_caller caller;
	CONTEXT context;
	int matches = 0;

	RtlCaptureContext(&context);
	caller = caller_of(&context);
	unwind(&context, &expected);
	for (int i = 0; i < 3; i++) {
		table->walk(&caller, &got);
		matches += is_same(&got, &expected);
	}
	if (!ok(matches == 3, "%s: %u frames", where, expected.count)) {
		print("expected", &expected);
		print("got", &got);
	}
	if (expected.count > deepest)
		deepest = expected.count;
}

/* Functions of different kinds, each around the next. */
typedef void (*inner)(const char *where);

static void plain(const char *where)
{
	compare(where);
}

static void with_alloca(const char *where)
{
	volatile char *memory = alloca(strlen(where) * 100);

	memory[0] = 1;
	compare(where);
	memory[1] = 2;
}

static void with_large_frame(const char *where)
{
	volatile char memory[300000];

	memory[0] = 1;
	with_alloca(where);
	memory[1] = memory[0];
}

static double with_floats(const char *where, double a, double b, double c)
{
	double d = a * b, e = b * c, f = a / c;

	compare(where);
	return a + b + c + d + e + f;
}

static long with_registers(const char *where, long a, long b, long c)
{
	long d = a * b, e = b * c, f = a + c, g = a - b;

	compare(where);
	return a + b + c + d * e + f * g;
}

static void recurse(const char *where, int depth)
{
	if (depth == 0)
		compare(where);
	else
		recurse(where, depth - 1);
	__asm__ volatile("" ::: "memory");
}

static int from_qsort(const void *one, const void *other)
{
	static int count;

	if (count++ == 0)
		compare("called by msvcrt");
	return *(const int *)one - *(const int *)other;
}

static DWORD WINAPI in_thread(void *where)
{
	with_large_frame(where);
	return 0;
}

static void *main_fiber;

static void WINAPI in_fiber(void *where)
{
	compare(where);
	SwitchToFiber(main_fiber);
}

static LONG WINAPI handle(EXCEPTION_POINTERS *pointers)
{
	if (pointers->ExceptionRecord->ExceptionCode != STATUS_ACCESS_VIOLATION)
		return EXCEPTION_CONTINUE_SEARCH;
	compare("in an exception's handler");
	pointers->ContextRecord->Rip += 3;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static void raise_exception(void)
{
	void *handler = AddVectoredExceptionHandler(1, handle);

	/* mov (%rax), %rax: three bytes */
	__asm__ volatile("movq (%%rax), %%rax" : : "a"(8) : "memory");
	RemoveVectoredExceptionHandler(handler);
}

static void run_in_thread(void)
{
	HANDLE thread = CreateThread(NULL, 0, in_thread, "in a thread", 0, NULL);

	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
}

static void run_in_fiber(void)
{
	void *fiber;

	main_fiber = ConvertThreadToFiber(NULL);
	fiber = CreateFiber(0, in_fiber, "in a fiber");
	SwitchToFiber(fiber);
	DeleteFiber(fiber);
	ConvertFiberToThread();
}

/* The PE side of a mapping's stack ends as the stack from here does. */
static void map_memory(void)
{
	struct mixed_stack expected, got;
	CONTEXT context;
	uint32_t elf_count, tail;
	char name[64];
	void *memory;

	RtlCaptureContext(&context);
	unwind(&context, &expected);
	memory = VirtualAlloc(NULL, MIXED_SIZE, MEM_RESERVE, PAGE_READWRITE);
	ok(memory != NULL, "memory is reserved");
	elf_count = table->last_mapping(&got);
	table->name(got.frames[elf_count ? elf_count - 1 : 0], name);
	ok(elf_count > 0 && strcmp(name, "ntdll.so") == 0, "the stack begins in ntdll.so");
	table->name(got.frames[elf_count], name);
	ok(strcmp(name, "ntdll.dll") == 0, "it goes on in ntdll.dll");
	tail = expected.count - 1;
	if (!ok(got.count > elf_count + tail &&
			memcmp(&got.frames[got.count - tail], &expected.frames[1],
			       tail * sizeof(expected.frames[0])) == 0,
		"and up to the program's start")) {
		print("expected", &expected);
		print("got", &got);
	}
	VirtualFree(memory, 0, MEM_RELEASE);
}

/* Generated code: push %rbx; sub $32, %rsp; call *%rcx; add $32, %rsp; pop %rbx; ret; and, behind
 * it, what Windows is told of it. */
static const BYTE generated[] = { 0x53, 0x48, 0x83, 0xec, 0x20, 0xff, 0xd1, 0x48,
				  0x83, 0xc4, 0x20, 0x5b, 0xc3, 0xcc, 0xcc, 0xcc,
				  1,    5,    2,    0,    5,    0x32, 1,    0x30 };

typedef void (*generated_code)(void (*function)(void));

static void *generate(void)
{
	DWORD before;
	void *code = VirtualAlloc(NULL, 0x1000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	memcpy(code, generated, sizeof(generated));
	VirtualProtect(code, 0x1000, PAGE_EXECUTE_READ, &before);
	return code;
}

static void release(void *code)
{
	table->release((uintptr_t)code, (uintptr_t)code + 0x1000);
	VirtualFree(code, 0, MEM_RELEASE);
}

static void compare_under_code(void)
{
	compare("code with a table");
}

static void run_code_with_table(void)
{
	static RUNTIME_FUNCTION function = { .EndAddress = 13, .UnwindData = 16 };
	void *code = generate();

	ok(RtlAddFunctionTable(&function, 1, (DWORD64)(uintptr_t)code), "a table is added");
	((generated_code)code)(compare_under_code);
	((generated_code)code)(compare_under_code);
	RtlDeleteFunctionTable(&function);
	release(code);
}

static void *unknown_code;

/* Nobody knows how to go on from there: the stack ends, or goes on as it should. */
static void walk_under_code(void)
{
	struct mixed_stack got;
	struct mixed_caller caller;
	CONTEXT context;

	RtlCaptureContext(&context);
	caller = caller_of(&context);
	table->walk(&caller, &got);
	if (!ok(got.count == 2 && got.frames[1] - (uintptr_t)unknown_code < 16,
		"code without a table ends the stack"))
		print("got", &got);
}

static void run_code_without_table(void)
{
	unknown_code = generate();
	((generated_code)unknown_code)(walk_under_code);
	((generated_code)unknown_code)(walk_under_code);
}

static void compare_at_once(void)
{
	compare("code whose table came later");
}

/* No time passes until it is noticed. */
static void run_code_with_late_table(void)
{
	static RUNTIME_FUNCTION function = { .EndAddress = 13, .UnwindData = 16 };
	DWORD64 base = (uintptr_t)unknown_code;

	ok(RtlAddFunctionTable(&function, 1, base), "a table is added later");
	((generated_code)unknown_code)(compare_at_once);
	RtlDeleteFunctionTable(&function);
	release(unknown_code);
}

void compare_under_rbx(void)
{
	compare("a frame register that few compilers use");
}

void frame_of_rbx(void);
__asm__(".text\n"
	".def frame_of_rbx; .scl 2; .type 32; .endef\n"
	".globl frame_of_rbx\n"
	".seh_proc frame_of_rbx\n"
	"frame_of_rbx:\n"
	"	pushq %rbx\n"
	"	.seh_pushreg %rbx\n"
	"	subq $0x40, %rsp\n"
	"	.seh_stackalloc 0x40\n"
	"	leaq 0x20(%rsp), %rbx\n"
	"	.seh_setframe %rbx, 0x20\n"
	"	.seh_endprologue\n"
	"	subq $0x200, %rsp\n"
	"	call compare_under_rbx\n"
	"	leaq 0x20(%rbx), %rsp\n"
	"	popq %rbx\n"
	"	ret\n"
	".seh_endproc\n");

/* Whether `got` ends as the stack whose first frame is not compared. */
static int has_tail(const struct mixed_stack *got, const struct mixed_stack *outer)
{
	uint32_t tail = outer->count - 1;

	return got->count > tail && memcmp(&got->frames[got->count - tail], &outer->frames[1],
					   tail * sizeof(outer->frames[0])) == 0;
}

static struct mixed_stack around_window, in_window;

static LRESULT CALLBACK take_message(HWND window, UINT message, WPARAM wide, LPARAM narrow)
{
	CONTEXT context;
	struct mixed_caller caller;

	if (message == WM_NCCREATE) {
		RtlCaptureContext(&context);
		caller = caller_of(&context);
		table->walk(&caller, &in_window);
		table->walk(&caller, &in_window);
	}
	return DefWindowProcW(window, message, wide, narrow);
}

/* A window's procedure is called out of the system call that makes the window. */
static void call_back(void)
{
	WNDCLASSW class = { .lpfnWndProc = take_message, .lpszClassName = L"mixed" };
	CONTEXT context;

	RegisterClassW(&class);
	RtlCaptureContext(&context);
	unwind(&context, &around_window);
	CreateWindowW(L"mixed", L"", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
	if (!ok(has_tail(&in_window, &around_window), "a window's procedure: %u frames",
		in_window.count)) {
		print("expected", &around_window);
		print("got", &in_window);
	}
}

static void tell_time(void)
{
	struct mixed_caller caller;
	CONTEXT context;

	RtlCaptureContext(&context);
	caller = caller_of(&context);
	printf("# %llu ns per walk\n", (unsigned long long)table->time(&caller));
}

static void tell_time_at(int depth)
{
	if (depth == 0)
		tell_time();
	else
		tell_time_at(depth - 1);
	__asm__ volatile("" ::: "memory");
}

int main(void)
{
	MEMORY_BASIC_INFORMATION information;
	int numbers[4] = { 4, 3, 2, 1 };

	table = (const struct mixed_table *)MIXED_TABLE;
	if (!VirtualQuery(table, &information, sizeof(information)) ||
	    IsBadReadPtr(table, sizeof(*table)) || table->magic != MIXED_MAGIC)
		tap_skip_all("the object is not preloaded");
	plain("a plain function");
	with_alloca("a frame register");
	with_large_frame("a large frame");
	ok(with_floats("saved floats", 1, 2, 3) > 0, "the floats are kept");
	ok(with_registers("saved registers", 1, 2, 3) != 0, "the registers are kept");
	recurse("recursion", 20);
	qsort(numbers, 4, sizeof(numbers[0]), from_qsort);
	run_code_with_table();
	run_code_without_table();
	run_code_with_late_table();
	frame_of_rbx();
	frame_of_rbx();
	run_in_thread();
	run_in_fiber();
	raise_exception();
	map_memory();
	map_memory();
	call_back();
	ok(deepest > 20, "deep stacks were compared");
	tell_time_at(10);
	return tap_done();
}
