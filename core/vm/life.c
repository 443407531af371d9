/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vm over fork, and the check of all its records. */

#include "core/base/arena.h"
#include "core/vm/awe.h"
#include "core/vm/disposition.h"
#include "core/vm/parking.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"
#include "core/vm/writewatch.h"

void vm_fork_prepare(void)
{
	lock_acquire(&vm_lock);
	watch_fork_prepare();
	disposition_fork_prepare();
	arena_fork_prepare();
}

void vm_fork_parent(void)
{
	arena_fork_parent();
	disposition_fork_parent();
	lock_release(&vm_lock);
}

void vm_fork_child(void)
{
	arena_fork_child();
	disposition_fork_child();
	lock_fork_adopt(&vm_lock);
	watch_fork_child();
	awe_fork_child();
	parking_fork_child();
	lock_release(&vm_lock);
}

void vm_check(void)
{
	lock_acquire(&vm_lock);
	vad_check();
	awe_check();
	lock_release(&vm_lock);
}
