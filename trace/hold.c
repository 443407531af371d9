/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/*   hold_begin ....... a signal: the host asks, the mask that the code goes on with blocks all ...
 *   ... hold_end: the mask from before, and the signal, which the host has sent again, comes */

#include "trace/hold.h"

#include "trace/trace.h"

_Thread_local struct hold hold_own;
bool hold_is_by_host;

void hold_start(bool is_by_host)
{
	hold_is_by_host = is_by_host;
}

void hold_fork_child(void)
{
	hold_own = (struct hold){ .depth = 0 };
}

void hold_let_in(void)
{
	hold_own.is_blocking = false;
	system_restore_signals(hold_own.mask);
}

bool trace_hold_signal_back(uint64_t *mask)
{
	if (hold_own.depth == 0)
		return false;
	if (!hold_own.is_blocking)
		hold_own.mask = *mask;
	hold_own.is_blocking = true;
	*mask = ~UINT64_C(0);
	return true;
}
