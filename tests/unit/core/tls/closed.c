/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program that loads libvadcore by dlopen, and closes it while threads have values, heaps and
 * guard pages: the library stays for them. */

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/types.h"
#include "tests/lib/tap.h"

static struct {
	DWORD (*fls_alloc)(PFLS_CALLBACK_FUNCTION);
	BOOL (*fls_set)(DWORD, PVOID);
	LPVOID (*virtual_alloc)(LPVOID, SIZE_T, DWORD, DWORD);
	HANDLE (*process_heap)(void);
	LPVOID (*heap_alloc)(HANDLE, DWORD, SIZE_T);
} core;
static void *library;
static DWORD fls_index;
static int call_count;

static void note(PVOID value)
{
	call_count += value == &call_count;
}

static bool find(void *function, const char *name)
{
	*(void **)function = dlsym(library, name);
	return *(void **)function != NULL;
}

static bool load(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/core/.libs/libvadcore.so", getenv("VADTRACE_BUILDDIR"));
	library = dlopen(path, RTLD_NOW);
	return library && find(&core.fls_alloc, "FlsAlloc") && find(&core.fls_set, "FlsSetValue") &&
	       find(&core.virtual_alloc, "VirtualAlloc") &&
	       find(&core.process_heap, "GetProcessHeap") && find(&core.heap_alloc, "HeapAlloc");
}

static void *use_and_close(void *unused)
{
	char *page = core.virtual_alloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT,
					PAGE_READWRITE | PAGE_GUARD);
	char *block = core.heap_alloc(core.process_heap(), 0, 100);

	(void)unused;
	core.fls_set(fls_index, &call_count);
	ok(page && block && dlclose(library) == 0,
	   "the library is closed by a thread that uses it");
	block[99] = 1;
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int status = 0;
	pid_t child;

	if (!ok(load(), "libvadcore is loaded"))
		return tap_done();
	fls_index = core.fls_alloc(note);
	if (pthread_create(&thread, NULL, use_and_close, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
	ok_equal(call_count, 1, "the thread ends, and the callback is called");
	child = fork();
	if (child == 0)
		_exit(0);
	ok(waitpid(child, &status, 0) == child && status == 0, "the process forks");
	return tap_done();
}
