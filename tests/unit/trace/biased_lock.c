/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The owner and others at once: what the lock guards is never in two hands. */

#include "trace/biased_lock.h"

#include <pthread.h>
#include <stdint.h>

#include "tests/lib/tap.h"
#include "trace/system.h"

#define TAKES 300000
#define OTHERS 2
#define PATIENCE_NS UINT64_C(5000000)

static struct biased_lock lock;
static volatile uint64_t first, second; /* equal, but for whoever holds the lock */
static uint32_t torn, taken, claimed, is_over;

static void use(uint32_t *count)
{
	torn += first != second;
	first++;
	__asm__ volatile("pause");
	second++;
	(*count)++;
}

static void *claim_often(void *unused)
{
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		if (biased_lock_claim(&lock, PATIENCE_NS)) {
			use(&claimed);
			biased_lock_unclaim(&lock);
		}
		system_sleep_ns(1000);
	}
	return NULL;
}

static void test_both(const char *how)
{
	pthread_t others[OTHERS];

	torn = taken = claimed = is_over = 0;
	first = second = 0;
	for (int i = 0; i < OTHERS; i++)
		pthread_create(&others[i], NULL, claim_often, NULL);
	while (taken < TAKES || __atomic_load_n(&claimed, __ATOMIC_RELAXED) < 2000)
		if (biased_lock_enter(&lock, 0)) {
			use(&taken);
			biased_lock_leave(&lock);
		}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < OTHERS; i++)
		pthread_join(others[i], NULL);
	ok_equal(torn, 0, "%s: never in two hands", how);
	ok_equal(first, taken + claimed, "%s: %u takes and %u claims", how, taken, claimed);
}

static void test_levels(void)
{
	ok(biased_lock_is_free(&lock), "free at first");
	ok(biased_lock_enter(&lock, 1), "a handler takes it");
	ok(!biased_lock_enter(&lock, 2), "a handler in it does not");
	ok(!biased_lock_is_free(&lock), "it is not free");
	ok(!biased_lock_claim(&lock, 1000000), "nor does another");
	ok(lock.level == 2 && lock.claim == 0, "who gave up leaves no claim");
	biased_lock_leave_level(&lock, 0);
	ok(!biased_lock_is_free(&lock), "the end of another level leaves it alone");
	biased_lock_leave_level(&lock, 1);
	ok(biased_lock_claim(&lock, PATIENCE_NS), "released, another takes it");
	ok(!biased_lock_enter(&lock, 0), "its owner does not wait for ever");
	ok(!biased_lock_claim(&lock, 1000000), "nor does a second other");
	biased_lock_unclaim(&lock);
	ok(biased_lock_enter(&lock, 0), "the owner takes it again");
	biased_lock_leave(&lock);
}

int main(void)
{
	test_levels();
	test_both("without the kernel's barriers");
	biased_lock_start();
	biased_lock_barrier();
	test_both(biased_lock_is_plain ? "with them" : "without them (the kernel has none)");
	test_levels();
	return tap_done();
}
