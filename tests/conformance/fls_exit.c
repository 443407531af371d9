/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The end of a process: the thread that ends it ends, too ("FlsCallback is called on fiber
 * deletion, thread exit, and when an FLS index is freed"), and what it has in FLS is given to the
 * callbacks, after the program's own atexit handlers. Other threads' values are not. The same
 * source is a native test of core and a Windows program.
 *
 * The callback ends the test's output: without it there is no plan. */

#include "tests/conformance/threads.h"

#define VALUE(n) ((PVOID)(ULONG_PTR)(n))

static DWORD fls_index, other_index;
static int baton, callback_count;
static int are_handlers_over;

static void at_exit(void)
{
	ok(callback_count == 0, "an atexit handler runs before the callbacks");
	ok(FlsGetValue(fls_index) == VALUE(1), "and finds the values");
	are_handlers_over = 1;
}

static void CALLBACK note_other(PVOID value)
{
	ok(value == VALUE(3), "a callback is given the value of the thread that ends the process");
	callback_count++;
}

/* Of two callbacks the one of the higher index comes last. */
static void CALLBACK note_last(PVOID value)
{
	ok(are_handlers_over, "a callback comes after the atexit handlers");
	ok(value == VALUE(1), "with this thread's value");
	ok_equal(callback_count, 1, "after that of a lower index, and not that of another thread");
	tap_done();
}

static void stay(void)
{
	FlsSetValue(fls_index, VALUE(2));
	FlsSetValue(other_index, VALUE(2));
	baton_pass(&baton, 1);
	baton_await(&baton, 2);
}

int main(void)
{
	static struct thread thread;

	other_index = FlsAlloc(note_other);
	fls_index = FlsAlloc(note_last);
	ok(other_index < fls_index, "two indexes");
	FlsSetValue(fls_index, VALUE(1));
	FlsSetValue(other_index, VALUE(3));
	thread_start(&thread, stay);
	baton_await(&baton, 1);
	atexit(at_exit);
	return 0;
}
