/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the host owes core, passed on to the parts that need it, locks in rank order. */

#include "core/host.h"

#include "core/base/hints.h"
#include "core/base/lock.h"
#include "core/base/object.h"
#include "core/handle/table.h"
#include "core/heap/heap.h"
#include "core/process/agent.h"
#include "core/tls/fls.h"
#include "core/vm/charge.h"
#include "core/vm/parking.h"
#include "core/vm/virtual.h"
#include "core/vm/writewatch.h"

/* All state of core is right from its first byte on: nothing has to run before the first call. */
CORE_API void core_start(void)
{
}

CORE_API void core_fork_prepare(void)
{
	object_fork_prepare();
	storage_fork_prepare();
	heap_fork_prepare();
	vm_fork_prepare();
	lock_fork_begin();
}

CORE_API void core_fork_parent(void)
{
	lock_fork_end();
	vm_fork_parent();
	heap_fork_parent();
	storage_fork_parent();
	object_fork_parent();
}

CORE_API void core_fork_child(void)
{
	lock_fork_end();
	vm_fork_child();
	heap_fork_child();
	storage_fork_child();
	object_fork_child();
	fls_fork_child();
	handle_fork_child();
	agent_fork_child();
}

CORE_API void core_set_commit_limit(uint64_t limit_bytes)
{
	charge_set_limit(limit_bytes);
}

CORE_API uint64_t core_commit_charge(void)
{
	struct charge totals;

	charge_read(&totals);
	return totals.committed_bytes;
}

bool core_blocks_signals(void)
{
	return lock_is_any_held();
}

void core_leave_signals_to_host(void)
{
	lock_leave_signals_to_host();
}

bool core_hold_signal_back(uint64_t *mask)
{
	return lock_hold_signal_back(mask);
}

CORE_API bool core_write_begins(const void *call, const void *address, size_t size_bytes)
{
	if (likely(!watch_foresees()))
		return false;
	watch_expect(call, address, size_bytes);
	return true;
}

CORE_API void core_write_ends(const void *call)
{
	watch_expect_no_more(call);
}

CORE_API void core_thread_ends(void)
{
	fls_thread_ends();
}

CORE_API void core_thread_exit(void)
{
	storage_thread_exit();
	heap_thread_exit();
	parking_thread_exit();
}
