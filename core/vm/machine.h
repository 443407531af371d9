/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* How much memory there is for this process: the machine's, or less where a control group (v1 or
 * v2) or one above it sets a limit. Takes no lock; reads the system's files each time. */

#ifndef VADTRACE_CORE_VM_MACHINE_H
#define VADTRACE_CORE_VM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All in bytes.
 *  - available <= total, commit_available <= commit_limit. */
struct machine_memory {
	uint64_t total;            /* physical memory */
	uint64_t available;        /* of it, what can be used without paging */
	uint64_t commit_limit;     /* physical memory and swap; the system's limit if it has one */
	uint64_t commit_available; /* of it, what can still be committed */
};

/* 0, or -errno when the system tells nothing; then nothing is written. */
int machine_memory(struct machine_memory *memory);
/* Tasks of this control group, else of the machine, wait for memory so much that in the last ten
 * seconds work stood still for more than a tenth of the time. False where the system does not
 * tell. */
bool machine_is_short_of_memory(void);
/* Bytes of a large page, the system's default size; 0: it has none. */
size_t machine_large_page_bytes(void);
/* Bytes of addresses that the process has mapped. */
uint64_t machine_mapped_bytes(void);
/* Processors that are online: how many, and a bit for each of the first 64. */
uint32_t machine_processors(uint64_t *mask);

#endif
