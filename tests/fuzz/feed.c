/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Random bytes for a fuzzer's target, where there is no fuzzer: the same ones each time. */

#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define INPUTS 20000
#define INPUT_BYTES_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int main(void)
{
	static uint8_t bytes[INPUT_BYTES_MAX];
	uint64_t calls = 0;

	setenv("VADTRACE_SEED", "1", /* overwrite */ 0);
	random_start();
	for (int i = 0; i < INPUTS; i++) {
		size_t size_bytes = random_below(INPUT_BYTES_MAX);

		for (size_t at = 0; at < size_bytes; at++)
			bytes[at] = (uint8_t)random_next();
		LLVMFuzzerTestOneInput(bytes, size_bytes);
		calls += size_bytes / 16;
	}
	ok(calls > INPUTS, "%d inputs, %llu calls: each keeps the rules", INPUTS,
	   (unsigned long long)calls);
	return tap_done();
}
