/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Memory for the code and the tables of one DLL's hooks, near the DLL. It is written first and
 * executable then, never both. */

#ifndef VADTRACE_PRELOAD_PE_REGION_H
#define VADTRACE_PRELOAD_PE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/pe/emit.h"

/*  - [base, base + size_bytes) is mapped, size_bytes 0 when there is none;
 *  - code, then tables, each whole pages. */
struct region {
	uint64_t base;
	size_t size_bytes;
	struct emitter code, tables;
};

/* Gets memory that all of [image, image + image_bytes) can reach with 32-bit distances. */
bool region_open(struct region *region, uint64_t image, size_t image_bytes, size_t code_bytes,
		 size_t table_bytes);

/* Makes the code executable, and nothing writable. False when the system refuses. */
bool region_seal(struct region *region);

void region_close(struct region *region);

#endif
