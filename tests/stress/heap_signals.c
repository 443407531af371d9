/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A timer's handler allocates and frees while it interrupts the same on the same thread; now and
 * then it leaves by siglongjmp, also from the alternate stack. */

#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>

#include "core/heap/heap.h"
#include "tests/lib/tap.h"

#define SLOTS 400
#define HANDLER_SLOTS 16
#define SIGNALS 1500

static unsigned char *slots[SLOTS];
static size_t sizes[SLOTS];
static unsigned char *handler_blocks[HANDLER_SLOTS];
static volatile sig_atomic_t signals, jumps, failures, may_jump;
static sigjmp_buf restart;

/* As in renew below: with SA_NODEFER another handler can interrupt this one, and jump. */
static void use_in_handler(int number)
{
	int slot = number % HANDLER_SLOTS;
	size_t size_bytes = (size_t)(number * 37 % 3000) + 1;
	unsigned char *block = handler_blocks[slot];

	if (block && block[0] != (unsigned char)(0x80 | slot))
		failures = failures + 1;
	handler_blocks[slot] = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	heap_free(block);
	block = heap_malloc(size_bytes);
	if (block)
		memset(block, 0x80 | slot, size_bytes);
	else
		failures = failures + 1;
	atomic_signal_fence(memory_order_seq_cst);
	handler_blocks[slot] = block;
}

static void on_timer(int signal_number)
{
	(void)signal_number;
	signals = signals + 1;
	use_in_handler(signals);
	if (!may_jump || signals % 8)
		return;
	jumps = jumps + 1;
	siglongjmp(restart, 1);
}

static void start_timer(int flags)
{
	struct sigaction action = { .sa_handler = on_timer, .sa_flags = flags };
	struct itimerval interval = { .it_interval = { 0, 1000 }, .it_value = { 0, 1000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
}

static void stop_timer(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

/* The slot is empty while its block is being changed: a jump out of there loses the block, as it
 * would with any allocator, and nothing else. */
static void renew(unsigned slot, size_t size_bytes)
{
	unsigned char *block = slots[slot];

	if (block && (block[0] != (unsigned char)slot || block[sizes[slot] - 1] != block[0]))
		failures = failures + 1;
	slots[slot] = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	heap_free(block);
	block = heap_malloc(size_bytes);
	memset(block, (int)slot, size_bytes);
	sizes[slot] = size_bytes;
	atomic_signal_fence(memory_order_seq_cst);
	slots[slot] = block;
}

/* Handlers jump only while there is where to. */
static void churn(bool jumps_out)
{
	static unsigned random_state = 1;

	sigsetjmp(restart, 1);
	may_jump = jumps_out;
	while (signals < SIGNALS) {
		for (int i = 0; i < 2000; i++) {
			random_state = random_state * 1103515245 + 12345;
			renew(random_state / 65536 % SLOTS,
			      random_state % 97 == 0 ? random_state / 65536 + 1
						     : random_state / 65536 % 700 + 1);
		}
	}
	may_jump = false;
}

/* Whether a call after all this is served by the thread's own front again: one that is still
 * taken for interrupted goes elsewhere and does not get its last block back. */
static bool is_back_to_normal(void)
{
	void *first = heap_malloc(48), *second;

	heap_free(first);
	second = heap_malloc(48);
	heap_free(second);
	return first == second;
}

static void run(const char *name, int flags, bool jumps_out)
{
	signals = 0;
	jumps = 0;
	start_timer(flags);
	churn(jumps_out);
	stop_timer();
	ok(!jumps_out || jumps > 10, "%s: it jumped out (%d times)", name, (int)jumps);
	ok_equal(failures, 0, "%s: every block stays whole", name);
	ok(is_back_to_normal(), "%s: the thread has its own front again", name);
	heap_check();
}

int main(void)
{
	static char stack_bytes[65536];
	stack_t stack = { .ss_sp = stack_bytes, .ss_size = sizeof(stack_bytes) };

#ifdef __SANITIZE_THREAD__
	tap_skip_all("the thread sanitizer delays signals and cannot be jumped out of");
#endif
	run("return", 0, false);
	run("jump", SA_NODEFER, true);
	sigaltstack(&stack, NULL);
	run("return from the alternate stack", SA_ONSTACK, false);
	run("jump from the alternate stack", SA_ONSTACK | SA_NODEFER, true);
	heap_trim();
	heap_check();
	return tap_done();
}
