/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A fork, as a host of core tells core of it. */

#ifndef VADTRACE_TESTS_LIB_CORE_FORK_H
#define VADTRACE_TESTS_LIB_CORE_FORK_H

#include <sys/types.h>
#include <unistd.h>

#include "core/host.h"

static inline pid_t core_fork(void)
{
	pid_t child;

	core_fork_prepare();
	child = fork();
	if (child)
		core_fork_parent();
	else
		core_fork_child();
	return child;
}

#endif
