/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the machine has is Wine's to say; of the page file, which is what can be committed, a
 * process with a limit has no more than that. */

#include "core/vm/charge.h"
#include "preload/wine/guest.h"
#include "preload/wine/serve.h"

static void cut_by_limit(struct hook_call *call, enum api api)
{
	MEMORYSTATUSEX memory;
	uint64_t limit_bytes, available_bytes;

	(void)api;
	if (!(uint32_t)call->result || !guest_read(&memory, call->arguments[0], sizeof(memory)))
		return;
	limit_bytes = memory.ullTotalPageFile;
	available_bytes = memory.ullAvailPageFile;
	charge_cut(&limit_bytes, &available_bytes);
	memory.ullTotalPageFile = limit_bytes;
	memory.ullAvailPageFile = available_bytes;
	guest_write(call->arguments[0], &memory, sizeof(memory));
}

/* GlobalMemoryStatusEx(status); GlobalMemoryStatus asks it. */
bool serve_GlobalMemoryStatusEx(struct hook_call *call, enum api api)
{
	(void)api;
	return charge_limit() ? serve_pass(call, cut_by_limit) : false;
}
