/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Our walk finds the frames that libunwind finds, in every kind of place that code can be called
 * from, and survives what libunwind need not. */

#include "trace/stack/stack_elf.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lib/tap.h"
#include "trace/bracket.h"

#define FRAMES_MAX 64
/* No compiler makes more of the function that calls generated code; functions lie in any order. */
#define CALLER_BYTES_MAX 400

static uint64_t ours[FRAMES_MAX];
static void *theirs[FRAMES_MAX + 1];
static uint32_t our_count, their_count;
static struct history history;
static volatile int sink;

/* The bracket's part: how often libunwind was called, and whether a call is open. */
static int unwinder_calls, open_calls;

uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee)
{
	unwinder_calls++;
	return (uintptr_t)open_calls++;
}

void bracket_call_ended(uintptr_t before)
{
	open_calls--;
}

static void walk(const struct stack_start *start)
{
	struct stack_trace trace = stack_walk(start, FRAMES_MAX);

	memset(ours, 0, sizeof(ours));
	memcpy(ours, trace.frames, trace.count * sizeof(ours[0]));
	our_count = trace.count;
}

/* Walks from here with both; the results begin with the caller. */
__attribute__((noinline)) static void capture(void)
{
	struct stack_start start = { .frame = (uintptr_t)__builtin_frame_address(0),
				     .history = &history };

	walk(&start);
	their_count = (uint32_t)unw_backtrace(theirs, FRAMES_MAX + 1) - 1;
	sink++;
}

/* libunwind may end earlier, or end with a null frame. */
static bool is_same(void)
{
	uint32_t count = their_count;

	while (count > 0 && !theirs[count])
		count--;
	for (uint32_t i = 0; i < count && i < our_count; i++)
		if (ours[i] != (uintptr_t)theirs[i + 1])
			return false;
	return our_count == count;
}

static void show(void)
{
	for (uint32_t i = 0; i < our_count || i < their_count; i++)
		printf("# %2u  %#14llx  %#14llx\n", i,
		       (unsigned long long)(i < our_count ? ours[i] : 0),
		       (unsigned long long)(uintptr_t)(i < their_count ? theirs[i + 1] : NULL));
}

static void check(const char *name, uint32_t least)
{
	if (!ok(is_same() && our_count >= least, "%s: the frames of libunwind, %u", name,
		our_count))
		show();
}

__attribute__((noinline)) static void recurse(unsigned depth)
{
	if (depth == 0)
		capture();
	else
		recurse(depth - 1);
	sink++;
}

static int compare(const void *left, const void *right)
{
	capture();
	return *(const int *)left - *(const int *)right;
}

static void test_plain(void)
{
	int numbers[] = { 3, 1, 2 };

	capture();
	check("main", 3);
	recurse(20);
	check("recursion", 21);
	recurse(3 * FRAMES_MAX);
	ok_equal(our_count, FRAMES_MAX, "deep recursion: the cap");
	qsort(numbers, 3, sizeof(numbers[0]), compare);
	check("a callback of libc", 5);
}

__attribute__((noinline)) static void use(volatile char *memory)
{
	memory[0] = 1;
	capture();
	sink += memory[0];
}

__attribute__((noinline)) static void realigned(int size)
{
	_Alignas(64) volatile char aligned[64];
	volatile char *dynamic = __builtin_alloca((size_t)size);

	dynamic[0] = 2;
	use(aligned);
	sink += dynamic[0];
}

__attribute__((noinline)) static void large_frame(void)
{
	volatile char large[3u << 20];

	large[0] = 1;
	use(large + sizeof(large) - 1);
	sink += large[0];
}

/* Its frame hangs on rbx: only a full unwinder can leave it. */
void call_over_rbx(void (*function)(void));
__asm__(".text\n"
	"call_over_rbx:\n"
	".cfi_startproc\n"
	"push %rbx\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset rbx, -16\n"
	"mov %rsp, %rbx\n"
	".cfi_def_cfa_register rbx\n"
	"sub $64, %rsp\n"
	"call *%rdi\n"
	"mov %rbx, %rsp\n"
	"pop %rbx\n"
	".cfi_def_cfa rsp, 8\n"
	"ret\n"
	".cfi_endproc\n");

static void test_frames(void)
{
	realigned(100 + sink % 2);
	check("a realigned frame with alloca", 4);
	large_frame();
	check("a frame of 3 MiB", 4);
	large_frame();
	check("a frame of 3 MiB, again", 4);
	call_over_rbx(capture);
	check("a frame that only libunwind can leave", 4);
}

static void handle(int number)
{
	capture();
}

static void handle_fault(int number, siginfo_t *info, void *context)
{
	capture();
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2; /* movb $0, (%rax) is 3 bytes */
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 1;
}

__attribute__((noinline)) static void fault(void)
{
	__asm__ volatile("movb $0, (%%rax)" : : "a"(8) : "memory");
}

static void test_signals(void)
{
	struct sigaction action = { .sa_handler = handle };
	stack_t alternate = { .ss_size = 65536 };

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	check("a signal handler", 5);
	alternate.ss_sp = mmap(NULL, alternate.ss_size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaltstack(&alternate, NULL);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	check("a handler on its own stack", 5);
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	action.sa_sigaction = handle_fault;
	sigaction(SIGSEGV, &action, NULL);
	fault();
	check("a fault's handler", 4);
	ok(ours[2] == (uintptr_t)theirs[3] && ours[2] >= (uintptr_t)fault &&
		   ours[2] < (uintptr_t)fault + 16,
	   "a fault's handler: the instruction itself is in the stack");
}

static void *thread(void *unused)
{
	history_clear(&history);
	recurse(3);
	return NULL;
}

static ucontext_t main_context, other_context;

static void coroutine(void)
{
	recurse(2);
}

static void test_stacks(void)
{
	static char stack[65536];
	pthread_t id;

	pthread_create(&id, NULL, thread, NULL);
	pthread_join(id, NULL);
	check("another thread", 6);
	getcontext(&other_context);
	other_context.uc_stack.ss_sp = stack;
	other_context.uc_stack.ss_size = sizeof(stack);
	other_context.uc_link = &main_context;
	makecontext(&other_context, coroutine, 0);
	swapcontext(&main_context, &other_context);
	check("a coroutine", 4);
	ok(unwinder_calls == 1 && open_calls == 0, "libunwind was called for one walk only");
}

/* Calls `function` from generated code, which keeps a frame pointer or destroys it. */
__attribute__((noinline)) static void call_generated(const uint8_t *code, size_t size,
						     void (*function)(void))
{
	uint8_t *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*generated)(void (*)(void));

	memcpy(memory, code, size);
	memcpy(&generated, &memory, sizeof(generated));
	generated(function);
	munmap(memory, 4096);
}

static void test_generated(void)
{
	/* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
	static const uint8_t keeps[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
	/* push %rbp; mov $imm,%rbp; call *%rdi; pop %rbp; ret */
	static uint8_t destroys[] = { 0x55, 0x48, 0xbd, 0,    0,    0,    0,   0,
				      0,    0,    0,    0xff, 0xd7, 0x5d, 0xc3 };
	uint64_t values[] = { 0, 8, 0x1234567, 0xdeadbeefdeadbeef, (uintptr_t)values, 0, 0 };

	call_generated(keeps, sizeof(keeps), capture);
	ok(our_count >= 4 && ours[1] > (uintptr_t)call_generated &&
		   ours[1] < (uintptr_t)call_generated + CALLER_BYTES_MAX,
	   "generated code with a frame pointer: its caller is found");
	values[5] = (uintptr_t)&our_count;
	values[6] = (uintptr_t)__builtin_frame_address(0) + (1u << 20);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		memcpy(destroys + 3, &values[i], sizeof(values[i]));
		our_count = 0;
		call_generated(destroys, sizeof(destroys), capture);
		ok(our_count >= 1, "generated code, row %zu: survived with a wrong frame pointer",
		   i);
	}
}

/* Walks with a return address and a frame pointer that were overwritten. */
__attribute__((noinline)) static void walk_damaged(uint64_t value)
{
	uintptr_t frame[3] = { value, value, value };
	struct stack_start start = { .frame = (uintptr_t)frame, .history = &history };

	walk(&start);
}

static void test_damaged(void)
{
	static const uint64_t values[] = { 0,
					   1,
					   0x1000,
					   0x4141414141414141,
					   UINT64_MAX,
					   UINT64_MAX - 7,
					   UINT64_C(0x7ffffffff000) };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		walk_damaged(values[i]);
		ok(our_count <= 2, "damaged stack, row %zu: ends", i);
	}
	walk_damaged((uintptr_t)capture + 4);
	ok(our_count <= FRAMES_MAX, "damaged stack: a false return address");
}

/* One random call tree: frames of four functions, walked here and there. Each walk must give what
 * one without any memory gives. */
static struct history empty;
static uint32_t seed = 1, wrong, walks;

static uint32_t draw(uint32_t limit)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % limit;
}

__attribute__((noinline)) static void compare_histories(void)
{
	struct stack_start start = { .frame = (uintptr_t)__builtin_frame_address(0),
				     .history = &history };
	struct stack_start anew = { .frame = start.frame, .history = &empty };
	struct stack_trace one = stack_walk(&start, 20), other;

	history_clear(&empty);
	other = stack_walk(&anew, 20);
	walks++;
	wrong += one.count != other.count || one.hash != other.hash ||
		 memcmp(one.frames, other.frames, one.count * sizeof(*one.frames)) != 0;
	for (int i = 0; i < HISTORY_WALKS; i++)
		wrong += !history_is_valid(&history.walks[i]);
}

static void branch(unsigned depth);

__attribute__((noinline)) static void branch_small(unsigned depth)
{
	branch(depth);
	sink++;
}

__attribute__((noinline)) static void branch_large(unsigned depth)
{
	volatile char *dynamic = __builtin_alloca(16 + 16 * draw(4));

	dynamic[0] = 1;
	branch(depth);
	sink += dynamic[0];
}

/* More values than registers that a call keeps: rbp is one of them, and different each time. */
__attribute__((noinline)) static void branch_busy(unsigned depth)
{
	uint32_t a = draw(999), b = draw(999), c = draw(999), d = draw(999), e = draw(999);

	branch(depth);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	branch(depth / 2);
	sink += (char)(a ^ b ^ c ^ d ^ e);
}

__attribute__((noinline)) static void branch(unsigned depth)
{
	static void (*const ways[])(unsigned) = { branch_small, branch_large, branch_busy };

	for (uint32_t i = draw(4); i > 0; i--) {
		compare_histories();
		if (depth > 0)
			ways[draw(3)](depth - 1);
	}
	compare_histories();
}

static void test_random(void)
{
	for (int i = 0; i < 200; i++)
		branch(draw(14));
	ok(walks > 1000, "%u walks of random call trees", walks);
	ok_equal(wrong, 0, "with a memory, the frames and the hash of a walk without");
}

/* A frame that uses rbp, and two outside it that leave it alone. */
__attribute__((noinline)) static void share_last(void)
{
	volatile char *dynamic = __builtin_alloca(16 + (size_t)(sink & 0));

	sink += (char)(uintptr_t)dynamic;
	compare_histories();
	sink++;
}

__attribute__((noinline)) static void share_plain(void)
{
	share_last();
	sink++;
}

__attribute__((noinline)) static void share_plainer(void)
{
	share_plain();
	compare_histories();
	sink++;
}

/* Two frames that share 64 bytes, so that all further in stays where it is: the words of the last
 * walk are still there, but it is another rbp that leads to them. */
__attribute__((noinline)) static void share_inner(unsigned size)
{
	volatile char *dynamic = __builtin_alloca(64 - size);

	sink += (char)(uintptr_t)dynamic;
	share_plainer();
	compare_histories();
	sink++;
}

__attribute__((noinline)) static void share_left(unsigned size)
{
	volatile char *dynamic = __builtin_alloca(size);

	sink += (char)(uintptr_t)dynamic;
	share_inner(size);
	sink++;
}

__attribute__((noinline)) static void share_right(unsigned size)
{
	volatile char *dynamic = __builtin_alloca(size);

	sink += (char)(uintptr_t)dynamic;
	share_inner(size);
	sink--;
}

/* The same place with any value in rbp. */
__attribute__((noinline)) static void share_busy(void)
{
	uint32_t a = draw(999), b = draw(999), c = draw(999), d = draw(999), e = draw(999);

	share_plainer();
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	share_plainer();
	sink += (char)(a ^ b ^ c ^ d ^ e);
}

__attribute__((noinline)) static void share_aside(unsigned size)
{
	volatile char *dynamic = __builtin_alloca(size);

	sink += (char)(uintptr_t)dynamic;
	share_busy();
	sink++;
}

static void test_shared(void)
{
	wrong = 0;
	for (unsigned i = 0; i < 64; i++) {
		share_left(i % 4 * 16);
		share_right(i / 4 % 4 * 16);
		share_aside(i % 16 * 16);
		share_aside(i % 16 * 16);
		share_left(i / 16 * 16);
	}
	ok_equal(wrong, 0, "words that no register leads to any more are not believed");
}

static uint32_t wrong_code(struct cfi_rule rule, bool has_code)
{
	uint32_t code = rules_quick_code(rule);
	uintptr_t cfa = 100000 + (rule.is_cfa_of_rbp ? 50000 : 0) + (uintptr_t)rule.cfa_offset;
	uintptr_t saved = rules_quick_saved(code);

	if (!has_code)
		return code != 0;
	return code == 0 || code > UINT16_MAX || rules_quick_cfa(code, 100000, 150000) != cfa ||
	       (saved ? cfa - 8 - 8 * saved : 0) !=
		       (rule.rbp == CFI_RBP_AT_CFA ? cfa + (uintptr_t)(int64_t)rule.rbp_offset : 0);
}

/* Every rule that has a code is what the code says. */
static void test_codes(void)
{
	uint32_t differences = 0;

	for (int64_t cfa = -24; cfa <= 40000; cfa += 4)
		for (int64_t saved = -88; saved <= 8; saved += 4) {
			bool has_cfa = cfa > 0 && cfa < 32768 && cfa % 8 == 0;
			bool has_rbp = saved >= -64 && saved <= -16 && saved % 8 == 0;
			struct cfi_rule rule = { .kind = CFI_STANDARD,
						 .is_cfa_of_rbp = saved % 16 == 0,
						 .cfa_offset = (int32_t)cfa };

			differences += wrong_code(rule, has_cfa);
			rule.rbp_offset = (int32_t)saved;
			rule.rbp = CFI_RBP_AT_CFA;
			differences += wrong_code(rule, has_cfa && has_rbp);
			rule.rbp = CFI_RBP_AT_RBP;
			differences += wrong_code(rule, false);
			rule.rbp = CFI_RBP_KEPT;
			rule.is_cfa_loaded = true;
			differences += wrong_code(rule, false);
			rule.is_cfa_loaded = false;
			rule.kind = CFI_STORED;
			differences += wrong_code(rule, false);
		}
	ok_equal(differences, 0, "the short codes of rules say the same");
}

/* All pcs of a walk are asked again after they were forgotten. */
static void test_forget(void)
{
	stack_forget(0, UINTPTR_MAX);
	recurse(5);
	check("after all was forgotten", 6);
	stack_fork_begin();
	recurse(5);
	stack_fork_end(/* is_child */ false);
	check("while a fork is under way", 6);
}

int main(void)
{
	stack_start(NULL);
	test_plain();
	test_frames();
	test_signals();
	test_stacks();
	test_generated();
	test_damaged();
	test_random();
	test_shared();
	test_codes();
	test_forget();
	return tap_done();
}
