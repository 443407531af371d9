/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Both figures are the best of many tries: whoever is interrupted in one of them makes it longer,
 * never shorter. */

#include "tools/record/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SOURCE_FILE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

enum { ROUNDS = 32, READINGS = 512, SLOW_NS = 150 };

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The kernel's word, "tsc" for one; "" when it does not tell. */
static char *read_source(void)
{
	static char source[64];
	FILE *file = fopen(SOURCE_FILE, "re");

	if (!file)
		return source;
	if (!fgets(source, sizeof(source), file))
		source[0] = '\0';
	fclose(file);
	source[strcspn(source, "\n")] = '\0';
	return source;
}

static uint64_t measure_reading(void)
{
	uint64_t best_ns = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin_ns = read_ns(CLOCK_MONOTONIC), took_ns;

		for (int i = 1; i < READINGS; i++)
			read_ns(CLOCK_MONOTONIC);
		took_ns = read_ns(CLOCK_MONOTONIC) - begin_ns;
		best_ns = took_ns < best_ns ? took_ns : best_ns;
	}
	return (best_ns + READINGS / 2) / READINGS;
}

/* The time of day between two readings of ours that are as near to each other as can be. */
static void compare_clocks(struct manifest_clock *clock)
{
	uint64_t least_ns = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t before_ns = read_ns(CLOCK_MONOTONIC);
		uint64_t realtime_ns = read_ns(CLOCK_REALTIME);
		uint64_t apart_ns = read_ns(CLOCK_MONOTONIC) - before_ns;

		if (apart_ns >= least_ns)
			continue;
		least_ns = apart_ns;
		clock->realtime_offset_ns = realtime_ns - (before_ns + apart_ns / 2);
		clock->uncertainty_ns = (apart_ns + 1) / 2;
	}
}

void clock_calibrate(struct manifest_clock *clock)
{
	struct timespec step = { 0 };

	clock_getres(CLOCK_MONOTONIC, &step);
	clock->source = read_source();
	clock->resolution_ns = (uint64_t)step.tv_sec * 1000000000u + (uint64_t)step.tv_nsec;
	clock->reading_ns = measure_reading();
	compare_clocks(clock);
}

bool clock_is_slow(const struct manifest_clock *clock)
{
	return clock->reading_ns > SLOW_NS;
}
