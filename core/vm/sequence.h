/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reading vm's records without vm_lock. Writers hold vm_lock and bracket each change; readers copy
 * what they see and ask afterwards whether anything was changed meanwhile.
 *
 * A reader follows a pointer only after it has asked: then the pointer led to a record of the
 * moment when the reading began, and the memory of records is never unmapped (arena.h). So a reader
 * may see nonsense, but neither faults nor walks in circles, and throws the nonsense away. */

#ifndef VADTRACE_CORE_VM_SEQUENCE_H
#define VADTRACE_CORE_VM_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/hints.h"

/* Odd while a change is under way. Guarded by: vm_lock; readers: atomic. */
extern uintptr_t vm_sequence;
/* Brackets may contain each other. Guarded by: vm_lock. */
extern uint32_t vm_change_depth;

static inline void sequence_begin_change(void)
{
	if (vm_change_depth++)
		return;
	__atomic_store_n(&vm_sequence, vm_sequence + 1, __ATOMIC_RELAXED);
	thread_fence(__ATOMIC_RELEASE);
}

static inline void sequence_end_change(void)
{
	if (--vm_change_depth)
		return;
	__atomic_store_n(&vm_sequence, vm_sequence + 1, __ATOMIC_RELEASE);
}

/* False: a change is under way. */
static inline bool sequence_begin_reading(uintptr_t *sequence)
{
	*sequence = __atomic_load_n(&vm_sequence, __ATOMIC_ACQUIRE);
	return !(*sequence & 1);
}

/* Whether all that was read since is of one moment. */
static inline bool sequence_is_same(uintptr_t sequence)
{
	thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&vm_sequence, __ATOMIC_RELAXED) == sequence;
}

#endif
