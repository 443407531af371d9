/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* TLS and FLS values when the system gives no memory: only a thread's first value needs any. */

#include <pthread.h>
#include <sys/resource.h>

#include "core/core.h"
#include "core/tls/storage.h"
#include "tests/lib/tap.h"

static void limit_memory(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_AS, &limit);
}

static DWORD tls_index, fls_index;

static void *set_first_value(void *unused)
{
	(void)unused;
	limit_memory(0);
	SetLastError(0);
	ok(TlsSetValue(tls_index, NULL), "no memory: nothing is a value that needs none");
	ok(!TlsSetValue(tls_index, &tls_index), "a thread's first value does");
	ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "the error");
	ok(!FlsSetValue(fls_index, &tls_index), "of FLS, too");
	ok(!TlsGetValue(tls_index) && !FlsGetValue(fls_index), "none is there");
	limit_memory(RLIM_INFINITY);
	ok(TlsSetValue(tls_index, &tls_index) && TlsGetValue(tls_index) == &tls_index,
	   "then it is set");
	limit_memory(0);
	ok(FlsSetValue(fls_index, &tls_index), "the second one needs no memory");
	limit_memory(RLIM_INFINITY);
	return NULL;
}

static void test_tls(void)
{
	pthread_t thread;

	tls_index = TlsAlloc();
	fls_index = FlsAlloc(NULL);
	if (pthread_create(&thread, NULL, set_first_value, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
}

int main(void)
{
	test_tls();
	storage_check();
	return tap_done();
}
