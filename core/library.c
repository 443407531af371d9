/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* libvadcore.so as its own host: tells core about fork and about threads that end. Only in that
 * library; the preload is a host of its own. */

#include <pthread.h>

#include "core/host.h"

static pthread_key_t exit_key;

static void thread_exits(void *value)
{
	core_thread_exit();
}

__attribute__((constructor)) static void start(void)
{
	core_start();
	pthread_atfork(core_fork_prepare, core_fork_parent, core_fork_child);
	pthread_key_create(&exit_key, thread_exits);
}
