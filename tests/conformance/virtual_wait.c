/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Waiting for memory resource notifications and processes (synchapi.h): results, last errors, what
 * is refused. The same source is a native test of core and a Windows program. */

#include "tests/conformance/child.h"

#ifndef _WIN32
#include <time.h>
#endif

#define SHORT_MS 20
/* How coarse Windows' count of milliseconds is. */
#define TICK_MS 16

static HANDLE own_process;

static uint64_t now_ms(void)
{
#ifdef _WIN32
	return GetTickCount64();
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
#endif
}

/* What a wait has to answer. */
struct expected {
	DWORD result;
	DWORD error; /* UNTOUCHED unless the wait fails */
};

static void ok_wait(DWORD result, struct expected expected, const char *what)
{
	const char *excuse = tap_todo;
	DWORD error = GetLastError();

	ok_equal(result, expected.result, "%s", what);
	tap_todo = excuse;
	ok_equal(error, expected.error, "%s: last error", what);
}

/* By both functions for one handle, and both for several. */
static void test_one(HANDLE handle, DWORD timeout_ms, struct expected expected, const char *what)
{
	SetLastError(UNTOUCHED);
	ok_wait(WaitForSingleObject(handle, timeout_ms), expected, what);
	SetLastError(UNTOUCHED);
	ok_wait(WaitForSingleObjectEx(handle, timeout_ms, FALSE), expected, what);
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjects(1, &handle, FALSE, timeout_ms), expected, what);
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjectsEx(1, &handle, TRUE, timeout_ms, FALSE), expected, what);
}

/* What the queries say, and a wait for the first of the two; again if memory changed meanwhile. */
static DWORD query_and_wait(HANDLE *handles, BOOL *states)
{
	BOOL before[2] = { -1, -1 };
	DWORD first;

	do {
		for (int i = 0; i < 2; i++)
			QueryMemoryResourceNotification(handles[i], &before[i]);
		first = WaitForMultipleObjects(2, handles, FALSE, 0);
		for (int i = 0; i < 2; i++)
			QueryMemoryResourceNotification(handles[i], &states[i]);
	} while (memcmp(before, states, sizeof before) != 0);
	return first;
}

/* A machine has never too little memory and plenty of it at once, so one of the two is waited for
 * in vain; the other as its query says. */
static void test_notifications(void)
{
	HANDLE handles[2] = { CreateMemoryResourceNotification(LowMemoryResourceNotification),
			      CreateMemoryResourceNotification(HighMemoryResourceNotification) };
	BOOL states[2] = { -1, -1 };
	DWORD first = query_and_wait(handles, states), expected = WAIT_TIMEOUT;

	ok((states[0] & ~1) == 0 && (states[1] & ~1) == 0, "the queries");
	if (states[0] || states[1])
		expected = WAIT_OBJECT_0 + (states[0] ? 0 : 1);
	ok_equal(first, expected, "a wait agrees with them");
	test_one(handles[states[0] ? 1 : 0], SHORT_MS, (struct expected){ WAIT_TIMEOUT, UNTOUCHED },
		 "what is not signaled");
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjects(2, handles, TRUE, SHORT_MS),
		(struct expected){ WAIT_TIMEOUT, UNTOUCHED }, "both");
	CloseHandle(handles[0]);
	CloseHandle(handles[1]);
}

static void test_timeout(void)
{
	uint64_t start;

	test_one(own_process, 0, (struct expected){ WAIT_TIMEOUT, UNTOUCHED },
		 "a process that runs, at a look");
	test_one(own_process, SHORT_MS, (struct expected){ WAIT_TIMEOUT, UNTOUCHED },
		 "a process that runs");
	SetLastError(UNTOUCHED);
	ok_wait(WaitForSingleObject(GetCurrentProcess(), SHORT_MS),
		(struct expected){ WAIT_TIMEOUT, UNTOUCHED }, "its pseudo handle");
	start = now_ms();
	WaitForSingleObject(own_process, 10 * SHORT_MS);
	ok(now_ms() - start >= 10 * SHORT_MS - TICK_MS, "a wait does not end before its time");
}

static void test_bad_handles(void)
{
	HANDLE closed = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	HANDLE weak = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, GetCurrentProcessId());
	const struct expected invalid = { WAIT_FAILED, ERROR_INVALID_HANDLE };

	CloseHandle(closed);
	test_one(closed, INFINITE, invalid, "a closed handle");
	test_one(NULL, INFINITE, invalid, "no handle");
	test_one((HANDLE)0x7ffff7f0, INFINITE, invalid, "a number that is none");
	test_one(weak, INFINITE, (struct expected){ WAIT_FAILED, ERROR_ACCESS_DENIED },
		 "without SYNCHRONIZE");
	CloseHandle(weak);
}

static void test_bad_arrays(void)
{
	HANDLE handles[MAXIMUM_WAIT_OBJECTS + 1];
	const struct expected refused = { WAIT_FAILED, ERROR_INVALID_PARAMETER };

	for (size_t i = 0; i < COUNT(handles); i++)
		handles[i] = own_process;
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjects(0, handles, FALSE, 0), refused, "no handles");
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjects(COUNT(handles), handles, FALSE, 0), refused,
		"one more than MAXIMUM_WAIT_OBJECTS");
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, handles, FALSE, 0),
		(struct expected){ WAIT_TIMEOUT, UNTOUCHED }, "as many as there may be");
	SetLastError(UNTOUCHED);
	/* WaitForMultipleObjects: "The array can contain handles to objects of different types. It
	 * may not contain multiple copies of the same handle." */
	todo_wine("It may not contain multiple copies of the same handle.");
	ok_wait(WaitForMultipleObjects(2, handles, TRUE, 0), refused, "one handle twice, for all");
	handles[1] = NULL;
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjects(2, handles, FALSE, INFINITE),
		(struct expected){ WAIT_FAILED, ERROR_INVALID_HANDLE }, "a bad one among others");
}

static void test_end(const char *program)
{
	HANDLE handles[2] = { own_process };

	handles[1] = child_begin(program, SYNCHRONIZE);
	ok(child_ask(CHILD_MINIMUM, 0) != 0, "a child");
	test_one(handles[1], SHORT_MS, (struct expected){ WAIT_TIMEOUT, UNTOUCHED }, "it runs");
	child_end();
	SetLastError(UNTOUCHED);
	ok_wait(WaitForMultipleObjects(2, handles, FALSE, INFINITE),
		(struct expected){ WAIT_OBJECT_0 + 1, UNTOUCHED }, "the child has ended");
	test_one(handles[1], INFINITE, (struct expected){ WAIT_OBJECT_0, UNTOUCHED },
		 "it has, for good");
	ok_equal(WaitForMultipleObjects(2, handles, TRUE, SHORT_MS), WAIT_TIMEOUT, "all have not");
	CloseHandle(handles[1]);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child_run();
	own_process = OpenProcess(SYNCHRONIZE, FALSE, GetCurrentProcessId());
	test_notifications();
	test_timeout();
	test_bad_handles();
	test_bad_arrays();
	test_end(argv[0]);
	CloseHandle(own_process);
	return tap_done();
}
