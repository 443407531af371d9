/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Numbers for random tests. The seed is printed, and taken from VADTRACE_SEED to repeat a run. */

#ifndef VADTRACE_TESTS_UNIT_CORE_RANDOM_H
#define VADTRACE_TESTS_UNIT_CORE_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

__attribute__((unused)) static void random_start(void)
{
	const char *seed = getenv("VADTRACE_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	printf("# VADTRACE_SEED=%llu\n", (unsigned long long)random_state);
}

/* 64 bits (splitmix64's published constants). */
__attribute__((unused)) static uint64_t random_next(void)
{
	uint64_t value = random_state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

__attribute__((unused)) static uint64_t random_below(uint64_t limit)
{
	return random_next() % limit;
}

#endif
