/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A Windows program that executes functions instruction by instruction, notes what each one was
 * called with, and has every instruction's stack walked: the walk must find just that. Windows'
 * RtlVirtualUnwind walks, too; where it finds something else, its count is printed. */

#include "trace/stack/stack_pe.h"

#include <windows.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "trace/stack/stack_pe.c"

#define FRAMES 64
#define STEPS_MAX 300000
#define TRAP_FLAG 0x100u
/* Registers that a function must keep. */
#define KEPT_MASK (1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 | 0xf000u)

/* What a function found when it was called. */
struct called {
	uint64_t return_address, stack;
	uint64_t registers[PE_REGISTERS];
};

static struct called frames[FRAMES];
static int depth;
static uint64_t last_pc, last_stack;
static unsigned long steps, wrong, compared, wine_wrong, unknown;
static char first_wrong[200];
static volatile bool is_over;

static bool read_memory(uint64_t address, void *to, size_t size_bytes)
{
	memcpy(to, (const void *)(uintptr_t)address, size_bytes);
	return true;
}

static bool load(void *unused, uint64_t address, uint64_t *value)
{
	(void)unused;
	*value = *(const uint64_t *)(uintptr_t)address;
	return true;
}

static struct pe_image image_at(uint64_t base)
{
	const IMAGE_DOS_HEADER *dos = (const void *)(uintptr_t)base;
	const IMAGE_NT_HEADERS64 *header = (const void *)(uintptr_t)(base + dos->e_lfanew);
	const IMAGE_DATA_DIRECTORY *table =
		&header->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXCEPTION];

	return (struct pe_image){
		.base = base,
		.start = base,
		.end = base + header->OptionalHeader.SizeOfImage,
		.table = table->VirtualAddress ? base + table->VirtualAddress : 0,
		.count = table->Size / 12,
		.read = read_memory,
	};
}

/* The image of `pc`, remembered. */
static const struct pe_image *find_image(uint64_t pc)
{
	static struct pe_image known[16];
	static int count;
	void *base;

	for (int i = 0; i < count; i++)
		if (pc - known[i].start < known[i].end - known[i].start)
			return &known[i];
	if (count == 16 || !RtlPcToFileHeader((void *)(uintptr_t)pc, &base))
		return NULL;
	known[count] = image_at((uint64_t)(uintptr_t)base);
	return &known[count++];
}

static struct pe_context context_of(const CONTEXT *from)
{
	struct pe_context context = { .rip = from->Rip };

	/* They are stored in the processor's order. */
	memcpy(context.registers, &from->Rax, sizeof(context.registers));
	return context;
}

static bool is_as_called(const struct called *called, const struct pe_context *context)
{
	for (unsigned i = 0; i < PE_REGISTERS; i++)
		if ((KEPT_MASK >> i & 1) && context->registers[i] != called->registers[i])
			return false;
	return context->rip == called->return_address &&
	       context->registers[PE_RSP] == called->stack;
}

static void note_wrong(const CONTEXT *context, int up, const struct pe_frame *frame)
{
	const struct pe_image *image = find_image(context->Rip);

	if (wrong++ == 0)
		snprintf(first_wrong, sizeof(first_wrong),
			 "image 0x%llx, at 0x%llx, %d frames up: kind %d, base %d, stack %d",
			 image ? (unsigned long long)image->base : 0,
			 (unsigned long long)context->Rip, up, frame->kind, frame->base,
			 frame->caller_stack);
}

/* Assembly that moves the stack, but says nothing of itself: the compiler's probe of large frames.
 */
static bool is_known(uint64_t pc)
{
	const struct pe_image *image = find_image(pc);
	struct runtime_function function;

	return image && find_function(image, (uint32_t)(pc - image->base), &function) == FOUND;
}

/* From this instruction out, over all calls that were seen. */
static void check_walk(const CONTEXT *from)
{
	struct pe_context context = context_of(from);

	for (int i = depth - 1; i >= 0; i--) {
		bool is_exact = i == depth - 1;
		const struct pe_image *image = find_image(context.rip);
		struct pe_frame frame = { .kind = PE_NO_TABLE };

		compared++;
		if (image)
			frame = pe_frame_find(image, context.rip - !is_exact, is_exact);
		if (!pe_frame_apply(&frame, &context, load, NULL) ||
		    !is_as_called(&frames[i], &context)) {
			note_wrong(from, depth - 1 - i, &frame);
			return;
		}
	}
}

static void check_wine(const CONTEXT *from)
{
	CONTEXT context = *from;
	DWORD64 base, frame;
	void *data;
	RUNTIME_FUNCTION *function = RtlLookupFunctionEntry(context.Rip, &base, NULL);
	struct pe_context found;

	if (function) {
		RtlVirtualUnwind(0, base, context.Rip, function, &context, &data, &frame, NULL);
	} else {
		context.Rip = *(DWORD64 *)context.Rsp;
		context.Rsp += 8;
	}
	found = context_of(&context);
	wine_wrong += !is_as_called(&frames[depth - 1], &found);
}

static bool is_call(uint64_t pc)
{
	const uint8_t *at = (const uint8_t *)(uintptr_t)pc;

	at += (*at & 0xf0) == 0x40;
	return at[0] == 0xe8 || (at[0] == 0xff && (at[1] >> 3 & 7) == 2);
}

/* A function of ntdll that is nothing but a system call. */
static bool is_system_call(uint64_t pc)
{
	static const uint8_t begin[] = { 0x4c, 0x8b, 0xd1, 0xb8 };

	return memcmp((const void *)(uintptr_t)pc, begin, sizeof(begin)) == 0;
}

static void follow(const CONTEXT *context)
{
	struct pe_context now = context_of(context);

	if (depth > 0 && context->Rip == frames[depth - 1].return_address &&
	    context->Rsp == frames[depth - 1].stack) {
		depth--;
	} else if (last_pc && is_call(last_pc) && context->Rsp == last_stack - 8 &&
		   depth < FRAMES) {
		struct called *called = &frames[depth++];

		called->stack = last_stack;
		called->return_address = *(const uint64_t *)(uintptr_t)context->Rsp;
		memcpy(called->registers, now.registers, sizeof(now.registers));
	}
	last_pc = context->Rip;
	last_stack = context->Rsp;
}

static LONG CALLBACK take_step(EXCEPTION_POINTERS *pointers)
{
	CONTEXT *context = pointers->ContextRecord;

	if (pointers->ExceptionRecord->ExceptionCode != (DWORD)EXCEPTION_SINGLE_STEP)
		return EXCEPTION_CONTINUE_SEARCH;
	follow(context);
	if (depth > 0 && !is_known(context->Rip)) {
		unknown++;
	} else if (depth > 0) {
		check_walk(context);
		check_wine(context);
	}
	if (++steps >= STEPS_MAX || depth == FRAMES || is_system_call(context->Rip))
		is_over = true;
	if (!is_over)
		context->EFlags |= TRAP_FLAG;
	return EXCEPTION_CONTINUE_EXECUTION;
}

/* Another call of the stepped functions' from here, which touches all registers that it keeps. */
__attribute__((noinline)) int callee(int value)
{
	__asm__ volatile("xorl %%ebx, %%ebx; movl $1, %%esi; movl $2, %%edi; movl $3, %%r12d\n\t"
			 "movl $4, %%r13d; movl $5, %%r14d; movl $6, %%r15d"
			 :
			 :
			 : "rbx", "rsi", "rdi", "r12", "r13", "r14", "r15");
	return value + 1;
}

/* Functions whose prologues no compiler here would write. */
__asm__(".text\n"
	".def saves; .scl 2; .type 32; .endef\n"
	".globl saves\n"
	".seh_proc saves\n"
	"saves:\n"
	"	subq $0x48, %rsp\n"
	"	.seh_stackalloc 0x48\n"
	"	movq %rsi, 0x20(%rsp)\n"
	"	.seh_savereg %rsi, 0x20\n"
	"	movq %rdi, 0x50(%rsp)\n"
	"	.seh_savereg %rdi, 0x50\n"
	"	movaps %xmm6, 0x30(%rsp)\n"
	"	.seh_savexmm %xmm6, 0x30\n"
	"	.seh_endprologue\n"
	"	movl $1, %esi\n"
	"	movl $2, %edi\n"
	"	call callee\n"
	"	movaps 0x30(%rsp), %xmm6\n"
	"	movq 0x50(%rsp), %rdi\n"
	"	movq 0x20(%rsp), %rsi\n"
	"	addq $0x48, %rsp\n"
	"	ret\n"
	".seh_endproc\n"

	".def frame_of_rbx; .scl 2; .type 32; .endef\n"
	".globl frame_of_rbx\n"
	".seh_proc frame_of_rbx\n"
	"frame_of_rbx:\n"
	"	pushq %rbx\n"
	"	.seh_pushreg %rbx\n"
	"	pushq %r13\n"
	"	.seh_pushreg %r13\n"
	"	subq $0x98, %rsp\n"
	"	.seh_stackalloc 0x98\n"
	"	leaq 0x40(%rsp), %rbx\n"
	"	.seh_setframe %rbx, 0x40\n"
	"	movq %r14, 0x30(%rbx)\n"
	"	.seh_savereg %r14, 0x70\n"
	"	.seh_endprologue\n"
	"	subq $0x200, %rsp\n"
	"	movl $7, %r13d\n"
	"	movl $8, %r14d\n"
	"	call callee\n"
	"	subq $0x100, %rsp\n"
	"	call callee\n"
	"	movq 0x30(%rbx), %r14\n"
	"	leaq 0x58(%rbx), %rsp\n"
	"	popq %r13\n"
	"	popq %rbx\n"
	"	rep ret\n"
	".seh_endproc\n"

	".def far_saves; .scl 2; .type 32; .endef\n"
	".globl far_saves\n"
	".seh_proc far_saves\n"
	"far_saves:\n"
	"	pushq %rbp\n"
	"	.seh_pushreg %rbp\n"
	"	subq $0x90000, %rsp\n"
	"	.seh_stackalloc 0x90000\n"
	"	movq %r15, 0x8fff0(%rsp)\n"
	"	.seh_savereg %r15, 0x8fff0\n"
	"	movups %xmm7, 0x8ff00(%rsp)\n"
	"	.seh_savexmm %xmm7, 0x8ff00\n"
	"	.seh_endprologue\n"
	"	movl $7, %r15d\n"
	"	call callee\n"
	"	movups 0x8ff00(%rsp), %xmm7\n"
	"	movq 0x8fff0(%rsp), %r15\n"
	"	addq $0x90000, %rsp\n"
	"	popq %rbp\n"
	"	ret $0\n"
	".seh_endproc\n"

	/* A part with a push of its own, chained to the function that it belongs to. */
	".def chained; .scl 2; .type 32; .endef\n"
	".globl chained\n"
	"chained:\n"
	"	pushq %rdi\n"
	".Lpushed:\n"
	"	subq $0x20, %rsp\n"
	".Lwhole:\n"
	"	testl %ecx, %ecx\n"
	"	jz .Lrest\n"
	".Lpart:\n"
	"	movq %rsi, 0x18(%rsp)\n"
	".Lsaved:\n"
	"	movl $7, %esi\n"
	"	call callee\n"
	"	movq 0x18(%rsp), %rsi\n"
	".Lrest:\n"
	"	movl $8, %edi\n"
	"	call callee\n"
	"	addq $0x20, %rsp\n"
	"	popq %rdi\n"
	"	ret\n"
	".Lend:\n"
	"	nop\n"
	".section .xdata\n"
	"	.p2align 2\n"
	".Linfo:\n"
	"	.byte 1, .Lwhole-chained, 2, 0\n"
	"	.byte .Lwhole-chained, 0x32, .Lpushed-chained, 0x70\n"
	".Lpart_info:\n"
	"	.byte 0x21, .Lsaved-.Lpart, 2, 0\n"
	"	.byte .Lsaved-.Lpart, 0x64\n"
	"	.short 3\n"
	"	.rva chained, .Lpart, .Linfo\n"
	".Lrest_info:\n"
	"	.byte 0x21, 0, 0, 0\n"
	"	.rva chained, .Lpart, .Linfo\n"
	/* Version 2: one epilogue, at the end, from its first pop on. */
	".Llisted_info:\n"
	"	.byte 2, .Llisted_whole-listed, 4, 0\n"
	"	.byte .Llisted_end-.Llisted_pop, 0x16, 0, 0x06\n"
	"	.byte .Llisted_whole-listed, 0x32, .Llisted_pushed-listed, 0x30\n"
	".section .pdata\n"
	"	.rva chained, .Lpart, .Linfo\n"
	"	.rva .Lpart, .Lrest, .Lpart_info\n"
	"	.rva .Lrest, .Lend, .Lrest_info\n"
	"	.rva listed, .Llisted_end, .Llisted_info\n"
	".text\n"
	".def listed; .scl 2; .type 32; .endef\n"
	".globl listed\n"
	"listed:\n"
	"	pushq %rbx\n"
	".Llisted_pushed:\n"
	"	subq $0x20, %rsp\n"
	".Llisted_whole:\n"
	"	movl $1, %ebx\n"
	"	call callee\n"
	"	addq $0x20, %rsp\n"
	".Llisted_pop:\n"
	"	popq %rbx\n"
	"	ret\n"
	".Llisted_end:\n"
	"	nop\n");

int saves(int value);
int frame_of_rbx(int value);
int far_saves(int value);
int chained(int value);
int listed(int value);

#define OPTIMIZED __attribute__((noinline, optimize("O3,optimize-sibling-calls,inline")))

#ifdef __clang__
#undef OPTIMIZED
#define OPTIMIZED __attribute__((noinline))
#endif

static int (*volatile indirect)(int) = callee;

OPTIMIZED static int tail_call(int value)
{
	if (value > 1)
		callee(value);
	return callee(value + 3);
}

OPTIMIZED static int indirect_tail_call(int value)
{
	callee(value);
	return indirect(value + 3);
}

OPTIMIZED static int many(int a, int b, int c, int d, int e, int f, int g)
{
	int h = callee(a), i = callee(b), j = callee(c), k = callee(d);

	return h * a + i * b + j * c + k * d + e * callee(f) + g * callee(a + b);
}

OPTIMIZED static double floats(double a, double b)
{
	double c = a * b, d = a / b, e = callee(1) * a;

	return c + d * callee(2) + e * callee(3) + a * b;
}

static int dynamic(int count)
{
	char *memory = alloca((size_t)count);

	memset(memory, 1, (size_t)count);
	return callee(memory[count - 1]);
}

OPTIMIZED static int large(int value)
{
	volatile char memory[20000];

	memory[value] = 1;
	return callee(memory[value]);
}

OPTIMIZED static int branches(int value)
{
	switch (value) {
	case 1:
		return callee(7);
	case 2:
		return callee(8) * callee(9);
	case 3:
		if (callee(1) == 2)
			return value;
		break;
	case 4:
		return callee(2) ? callee(3) : -1;
	case 5:
		abort();
	}
	return value > 100 ? callee(value) : value;
}

static int recurse(int value)
{
	return value ? recurse(value - 1) + 1 : callee(0);
}

static int by_value(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

static void run_written(void)
{
	saves(1);
	frame_of_rbx(1);
	chained(0);
	chained(1);
	listed(1);
}

static void run_far(void)
{
	far_saves(1);
}

static void run_compiled(void)
{
	many(1, 2, 3, 4, 5, 6, 7);
	floats(1.5, 2.5);
	dynamic(100);
	large(5);
	recurse(10);
	for (int i = 0; i < 5; i++)
		branches(i);
	branches(1000);
}

static void run_tail_calls(void)
{
	tail_call(1);
	tail_call(2);
	indirect_tail_call(1);
}

static void run_msvcrt(void)
{
	int numbers[] = { 5, 2, 9, 1, 7, 3, 8, 4, 6, 0 };
	char text[64];

	qsort(numbers, 10, sizeof(numbers[0]), by_value);
	strtod("3.25e10", NULL);
	_snprintf(text, sizeof(text), "%d %s %f", 1, "two", 3.0);
	free(malloc(100));
}

static void run_kernel(void)
{
	WCHAR wide[32];
	char path[MAX_PATH];

	MultiByteToWideChar(CP_UTF8, 0, "text", -1, wide, 32);
	lstrcmpiW(L"one", L"other");
	GetEnvironmentVariableA("PATH", path, sizeof(path));
	HeapFree(GetProcessHeap(), 0, HeapAlloc(GetProcessHeap(), 0, 5000));
	GetLastError();
}

/* Execution goes on by steps from here, until is_over. */
static void set_trap_flag(void)
{
	__asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq" : : : "memory", "cc");
}

static void step_through(const char *name, void (*run)(void), unsigned long least)
{
	bool was_over;

	depth = 0;
	steps = wrong = compared = wine_wrong = unknown = 0;
	last_pc = 0;
	is_over = false;
	first_wrong[0] = 0;
	set_trap_flag();
	run();
	was_over = is_over;
	is_over = true;
	if (!ok(wrong == 0 && steps >= least, "%s: each instruction's stack", name))
		printf("# %s\n", first_wrong);
	printf("# %s: %lu steps (%lu without an entry), %lu frames, %lu wrong, %lu by Wine%s\n",
	       name, steps, unknown, compared, wrong, wine_wrong,
	       was_over ? ", up to a system call" : "");
}

/* A stack on which each word is its own address. */
#define STACK_BYTES (16u << 20)
static uint64_t *made_up_stack;

static CONTEXT made_up_context(uint64_t pc)
{
	CONTEXT context;
	uint64_t *registers = (uint64_t *)&context.Rax;

	memset(&context, 0, sizeof(context));
	for (unsigned i = 0; i < PE_REGISTERS; i++)
		registers[i] = (uintptr_t)made_up_stack + STACK_BYTES / 2 + 0x1000 * i;
	context.Rip = pc;
	context.Rsp = (uintptr_t)made_up_stack + 0x1000;
	return context;
}

/* Wine takes no jump for the end of an epilogue, not even one to another function. */
static bool is_jump(uint64_t pc)
{
	const uint8_t *at = (const uint8_t *)(uintptr_t)pc;

	at += (*at & 0xf0) == 0x40;
	return at[0] == 0xe9 || at[0] == 0xeb || at[0] == 0xff;
}

/* Whether both find the same caller. */
static bool is_agreed(const struct pe_image *image, uint64_t pc)
{
	CONTEXT wines = made_up_context(pc);
	struct pe_context ours = context_of(&wines), found;
	struct pe_frame frame = pe_frame_find(image, pc, /* is_exact */ true);
	DWORD64 base, establisher;
	void *data;
	RUNTIME_FUNCTION *function = RtlLookupFunctionEntry(pc, &base, NULL);

	if (!function || !pe_frame_apply(&frame, &ours, load, NULL))
		return false;
	RtlVirtualUnwind(0, base, pc, function, &wines, &data, &establisher, NULL);
	found = context_of(&wines);
	return memcmp(&found, &ours, sizeof(found)) == 0;
}

/* Around the prologue of one function: where each of its codes takes effect, and after all. */
static void compare_entry(const struct pe_image *image, const struct runtime_function *function)
{
	struct runtime_function resolved = *function;
	struct unwind_info info;
	unsigned slots;

	if (!resolve(image, &resolved) || !read_info(image, resolved.unwind, &info))
		return;
	for (unsigned i = 0; i <= info.count; i += slots) {
		uint32_t offset = i < info.count ? info.codes[i].offset : info.prologue_size;
		uint64_t pc = image->base + function->begin + offset;

		slots = i < info.count ? slots_of(&info, info.codes[i]) : 1;
		if (slots == 0 || function->begin + offset >= function->end || is_jump(pc))
			break;
		compared++;
		if (!is_agreed(image, pc) && wrong++ == 0)
			snprintf(first_wrong, sizeof(first_wrong), "at 0x%llx",
				 (unsigned long long)pc);
	}
}

static void compare_image(const char *name)
{
	/* Not to be run. */
	HMODULE module = LoadLibraryExA(name, NULL, DONT_RESOLVE_DLL_REFERENCES);
	struct runtime_function function;
	struct pe_image image;

	if (!ok(module != NULL, "%s is there", name))
		return;
	compared = wrong = 0;
	image = image_at((uint64_t)(uintptr_t)module);
	for (uint32_t i = 0; i < image.count; i++)
		if (read_function(&image, i, &function))
			compare_entry(&image, &function);
	if (!ok(wrong == 0 && compared > image.count, "%s: all %u functions", name, image.count))
		printf("# %s, the first of %lu\n", first_wrong, wrong);
	printf("# %s: %lu places\n", name, compared);
}

static void make_stack(void)
{
	made_up_stack = malloc(STACK_BYTES);
	for (uint32_t i = 0; i < STACK_BYTES / 8; i++)
		made_up_stack[i] = (uintptr_t)&made_up_stack[i];
}

int main(int count, char **arguments)
{
	static const char *const names[] = { "ntdll.dll",  "kernelbase.dll", "kernel32.dll",
					     "msvcrt.dll", "user32.dll",     "ole32.dll" };

	make_stack();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		compare_image(names[i]);
	/* Programs of other compilers. */
	for (int i = 1; i < count; i++)
		compare_image(arguments[i]);
	AddVectoredExceptionHandler(1, take_step);
	far_saves(1);
	step_through("written", run_written, 90);
	step_through("far", run_far, 20);
	step_through("compiled", run_compiled, 300);
	step_through("tail calls", run_tail_calls, 40);
	step_through("msvcrt", run_msvcrt, 1000);
	step_through("kernel32", run_kernel, 100);
	return tap_done();
}
