/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Thread and fiber local storage (processthreadsapi.h, fibersapi.h). The same source is a native
 * test of core and a Windows program. */

#include "tests/conformance/threads.h"

#define TLS_SLOTS 1088
#define FLS_SLOTS 4080
/* What a process on Windows' functions may use itself. */
#define SLOTS_OF_SYSTEM 64
#define VALUE(n) ((PVOID)(ULONG_PTR)(n))

static DWORD tls_index, fls_index, other_fls_index;
static int baton;

/* What the callbacks were given. */
static struct {
	PVOID value;
	int is_in_thread;
} calls[64];
static int call_count;
static __thread int is_other_thread;

static void CALLBACK note(PVOID value)
{
	if (call_count < (int)COUNT(calls)) {
		calls[call_count].value = value;
		calls[call_count].is_in_thread = is_other_thread;
	}
	call_count++;
}

static BOOL was_called_with(int value, BOOL in_other_thread)
{
	for (int i = 0; i < call_count && i < (int)COUNT(calls); i++) {
		if (calls[i].value == VALUE(value) && calls[i].is_in_thread == in_other_thread)
			return TRUE;
	}
	return FALSE;
}

/* --- TLS ------------------------------------------------------------------------------------- */

static void see_own_values(void)
{
	ok(TlsGetValue(tls_index) == NULL, "another thread's value is zero");
	ok(TlsSetValue(tls_index, VALUE(2)), "and can be set");
	ok(TlsGetValue(tls_index) == VALUE(2), "for itself");
}

static void test_tls(void)
{
	tls_index = TlsAlloc();
	ok(tls_index < TLS_SLOTS, "an index is given");
	ok_error(TlsGetValue(tls_index) == NULL, ERROR_SUCCESS, "its value is zero, and no error");
	ok(TlsSetValue(tls_index, VALUE(1)), "a value is set");
	ok_error(TlsGetValue(tls_index) == VALUE(1), ERROR_SUCCESS, "it is there, and no error");
	SetLastError(UNTOUCHED);
	ok(TlsSetValue(tls_index, VALUE(3)), "another one");
	ok_equal(GetLastError(), UNTOUCHED, "sets no error");
	thread_run(see_own_values);
	ok(TlsGetValue(tls_index) == VALUE(3), "this thread's value is as it was");
	SetLastError(UNTOUCHED);
	ok(TlsFree(tls_index), "an index is freed");
	ok_equal(GetLastError(), UNTOUCHED, "and no error set");
}

static void test_wrong_tls(void)
{
	static const DWORD none[] = { TLS_SLOTS, TLS_SLOTS + 1, 100000, TLS_OUT_OF_INDEXES };
	DWORD index = TlsAlloc();

	ok(TlsFree(index), "an index is freed");
	ok_error(!TlsFree(index), ERROR_INVALID_PARAMETER, "it is not freed twice");
	ok(TlsSetValue(index, VALUE(1)), "whether an index is allocated, nobody asks");
	ok_error(TlsGetValue(index) == VALUE(1), ERROR_SUCCESS, "nor to read it");
	ok_equal(TlsAlloc(), index, "when it is given");
	ok(TlsGetValue(index) == NULL, "it is zero");
	TlsFree(index);
	for (size_t row = 0; row < COUNT(none); row++) {
		ok_error(!TlsFree(none[row]), ERROR_INVALID_PARAMETER, "row %zu: no index to free",
			 row);
		ok_error(!TlsSetValue(none[row], VALUE(1)), ERROR_INVALID_PARAMETER,
			 "row %zu: no index to set", row);
		ok_error(!TlsGetValue(none[row]), ERROR_INVALID_PARAMETER,
			 "row %zu: no index to read", row);
	}
}

/* A thread that lives on while the index is freed and given again. */
static void keep_value(void)
{
	TlsSetValue(tls_index, VALUE(77));
	baton_pass(&baton, 1);
	baton_await(&baton, 2);
	ok(TlsGetValue(tls_index) == NULL, "a thread that lives has zero in a new index");
	TlsSetValue(tls_index, VALUE(78));
	baton_pass(&baton, 3);
	baton_await(&baton, 4);
	ok(TlsGetValue(tls_index) == NULL, "and again");
}

static void test_zero_everywhere(void)
{
	struct thread thread;
	DWORD again;

	tls_index = TlsAlloc();
	thread_start(&thread, keep_value);
	for (int turn = 1; turn <= 3; turn += 2) {
		baton_await(&baton, turn);
		TlsSetValue(tls_index, VALUE(turn));
		TlsFree(tls_index);
		again = TlsAlloc();
		ok_equal(again, tls_index, "the index that was freed is given again");
		ok(TlsGetValue(again) == NULL, "its value is zero in this thread");
		baton_pass(&baton, turn + 1);
	}
	thread_join(&thread);
	TlsFree(tls_index);
}

/* The same of all slots, the first ones and those behind them, in threads that wait meanwhile. */
#define WAITING 3
#define MANY 200
static DWORD many[MANY];
static struct {
	int baton;
	BOOL is_zero;
} waiting[WAITING];
/* They take their numbers in the order in which they run. */
static int next_waiting;

static void set_many(void)
{
	int number = __atomic_fetch_add(&next_waiting, 1, __ATOMIC_SEQ_CST);
	BOOL is_zero = TRUE;

	for (int i = 0; i < MANY; i++)
		TlsSetValue(many[i], VALUE(i + 1));
	baton_pass(&waiting[number].baton, 1);
	baton_await(&waiting[number].baton, 2);
	for (int i = 0; i < MANY; i++)
		is_zero &= TlsGetValue(many[i]) == NULL;
	waiting[number].is_zero = is_zero;
}

static void allocate_many(void)
{
	for (int i = 0; i < MANY; i++)
		many[i] = TlsAlloc();
}

static void free_many(void)
{
	for (int i = 0; i < MANY; i++)
		TlsFree(many[i]);
}

static void test_zero_in_all_slots(void)
{
	struct thread threads[WAITING];

	allocate_many();
	ok(many[0] < 64 && many[MANY - 1] >= 64, "indexes of the first slots and of others");
	for (int i = 0; i < WAITING; i++)
		thread_start(&threads[i], set_many);
	for (int i = 0; i < WAITING; i++)
		baton_await(&waiting[i].baton, 1);
	free_many();
	allocate_many();
	for (int i = 0; i < WAITING; i++)
		baton_pass(&waiting[i].baton, 2);
	for (int i = 0; i < WAITING; i++)
		thread_join(&threads[i]);
	for (int i = 0; i < WAITING; i++)
		ok(waiting[i].is_zero, "thread %d waited, and has zero in %d new indexes", i, MANY);
	free_many();
}

/* All indexes, of which the process needs some itself. */
static void test_all_tls(void)
{
	static DWORD indexes[TLS_SLOTS];
	DWORD count = 0, index;
	BOOL is_kept = TRUE, is_empty = TRUE;

	while (count < TLS_SLOTS && (index = TlsAlloc()) != TLS_OUT_OF_INDEXES)
		indexes[count++] = index;
	ok(count > TLS_SLOTS - SLOTS_OF_SYSTEM, "1088 indexes are there (%lu)",
	   (unsigned long)count);
	ok_error(TlsAlloc() == TLS_OUT_OF_INDEXES, ERROR_NO_MORE_ITEMS, "then there is none");
	for (DWORD i = 0; i < count; i++)
		is_kept &= indexes[i] < TLS_SLOTS && TlsSetValue(indexes[i], VALUE(i + 1));
	for (DWORD i = 0; i < count; i++)
		is_kept &= TlsGetValue(indexes[i]) == VALUE(i + 1);
	ok(is_kept, "each has its own value");
	ok(TlsFree(indexes[count / 2]), "one is freed");
	ok_equal(TlsAlloc(), indexes[count / 2], "and given again");
	for (DWORD i = 0; i < count; i++)
		TlsFree(indexes[i]);
	for (DWORD i = 0; i < count; i++)
		indexes[i] = TlsAlloc();
	for (DWORD i = 0; i < count; i++)
		is_empty &= TlsGetValue(indexes[i]) == NULL;
	ok(is_empty, "all are zero when they are given again");
	for (DWORD i = 0; i < count; i++)
		TlsFree(indexes[i]);
}

#ifdef _WIN32
#define TEB_SLOTS 0x1480
#define TEB_EXPANSION 0x1780
#define PEB_BITMAP 0x78
#define PEB_EXPANSION_BITMAP 0x238
#define DIRECT_SLOTS 64

struct bitmap {
	ULONG bits;
	PULONG words;
};

static BOOL is_marked(DWORD index)
{
	char *peb = *(char **)((char *)NtCurrentTeb() + 0x60);
	BOOL is_direct = index < DIRECT_SLOTS;
	struct bitmap *map =
		*(struct bitmap **)(peb + (is_direct ? PEB_BITMAP : PEB_EXPANSION_BITMAP));

	if (!is_direct)
		index -= DIRECT_SLOTS;
	return map->words[index / 32] >> index % 32 & 1;
}

static PVOID in_block(DWORD index)
{
	char *teb = (char *)NtCurrentTeb();
	PVOID *slots = index < DIRECT_SLOTS ? (PVOID *)(teb + TEB_SLOTS)
					    : *(PVOID **)(teb + TEB_EXPANSION);

	return slots[index < DIRECT_SLOTS ? index : index - DIRECT_SLOTS];
}

/* Programs read the slots in the thread's block, and the process's bitmaps, themselves. */
static void test_layout(void)
{
	static DWORD indexes[DIRECT_SLOTS + 8];
	BOOL is_found = TRUE, are_marked = TRUE, are_cleared = TRUE;

	for (DWORD i = 0; i < COUNT(indexes); i++) {
		indexes[i] = TlsAlloc();
		TlsSetValue(indexes[i], VALUE(i + 1000));
		is_found &= in_block(indexes[i]) == VALUE(i + 1000);
		are_marked &= is_marked(indexes[i]);
	}
	ok(indexes[0] < DIRECT_SLOTS && indexes[COUNT(indexes) - 1] >= DIRECT_SLOTS,
	   "the first indexes are given first");
	ok(is_found, "the values are in the TEB");
	ok(are_marked, "the indexes are in the PEB's bitmaps");
	*(PVOID *)((char *)NtCurrentTeb() + TEB_SLOTS + 8 * indexes[0]) = VALUE(4711);
	ok(TlsGetValue(indexes[0]) == VALUE(4711), "what a program writes there is the value");
	for (DWORD i = 0; i < COUNT(indexes); i++) {
		TlsFree(indexes[i]);
		are_cleared &= !is_marked(indexes[i]);
	}
	ok(are_cleared, "a freed index is not in the bitmap any more");
}
#endif

/* --- FLS ------------------------------------------------------------------------------------- */

static void see_own_fls(void)
{
	is_other_thread = TRUE;
	ok(FlsGetValue(fls_index) == NULL, "another thread's fiber value is zero");
	ok(FlsSetValue(fls_index, VALUE(22)), "and can be set");
	ok(FlsGetValue(fls_index) == VALUE(22), "for itself");
	FlsSetValue(other_fls_index, VALUE(23));
}

static void test_fls(void)
{
	call_count = 0;
	fls_index = FlsAlloc(note);
	other_fls_index = FlsAlloc(NULL);
	ok(fls_index > 0 && fls_index < FLS_SLOTS && other_fls_index != fls_index,
	   "indexes are given");
	ok_error(FlsGetValue(fls_index) == NULL, ERROR_SUCCESS, "the value is zero, and no error");
	ok(FlsSetValue(fls_index, VALUE(11)), "a fiber value is set");
	ok_error(FlsGetValue(fls_index) == VALUE(11), ERROR_SUCCESS, "it is there, and no error");
	thread_run(see_own_fls);
	ok_equal(call_count, 1, "a thread ends: one callback");
	ok(was_called_with(22, TRUE), "with its value, in that thread");
	ok(FlsGetValue(fls_index) == VALUE(11), "this thread's value is as it was");
	ok(FlsFree(fls_index), "the index is freed");
	ok_equal(call_count, 2, "its callback is called once more");
	ok(was_called_with(11, FALSE), "with the value, in this thread");
	ok(FlsFree(other_fls_index), "an index without a callback is freed");
	ok_equal(call_count, 2, "nothing is called");
}

static void end_without_value(void)
{
	is_other_thread = TRUE;
	FlsSetValue(fls_index, VALUE(5));
	FlsSetValue(fls_index, NULL);
}

static void test_no_value(void)
{
	call_count = 0;
	fls_index = FlsAlloc(note);
	thread_run(end_without_value);
	ok_equal(call_count, 0, "no value, no callback, when a thread ends");
	ok(FlsFree(fls_index), "the index is freed");
	ok_equal(call_count, 0, "nor then");
}

static void keep_fls_value(void)
{
	is_other_thread = TRUE;
	FlsSetValue(fls_index, VALUE(is_other_thread + 40));
	baton_pass(&baton, 1);
	baton_await(&baton, 2);
	ok(FlsGetValue(fls_index) == NULL, "a thread that lives has lost its value");
}

/* The callback is called for the values of all threads, by the one that frees the index. */
static void test_free_with_threads(void)
{
	struct thread thread;

	call_count = 0;
	baton = 0;
	fls_index = FlsAlloc(note);
	FlsSetValue(fls_index, VALUE(40));
	thread_start(&thread, keep_fls_value);
	baton_await(&baton, 1);
	ok(FlsFree(fls_index), "an index is freed while two threads have values");
	ok_equal(call_count, 2, "both are given to the callback");
	ok(was_called_with(40, FALSE) && was_called_with(41, FALSE), "in this thread");
	ok_equal(FlsAlloc(NULL), fls_index, "the index is given again");
	baton_pass(&baton, 2);
	thread_join(&thread);
	ok_equal(call_count, 2, "and the thread ends without a callback");
	FlsFree(fls_index);
}

static void test_wrong_fls(void)
{
	static const DWORD none[] = { 0, FLS_SLOTS, FLS_SLOTS + 100, FLS_OUT_OF_INDEXES };
	DWORD index = FlsAlloc(NULL);

	FlsFree(index);
	ok_error(!FlsFree(index), ERROR_INVALID_PARAMETER, "an index is not freed twice");
	for (size_t row = 0; row < COUNT(none); row++) {
		ok_error(!FlsFree(none[row]), ERROR_INVALID_PARAMETER,
			 "row %zu: no fiber index to free", row);
		ok_error(!FlsSetValue(none[row], VALUE(1)), ERROR_INVALID_PARAMETER,
			 "row %zu: no fiber index to set", row);
		ok_error(!FlsGetValue(none[row]), ERROR_INVALID_PARAMETER,
			 "row %zu: no fiber index to read", row);
	}
	ok(FlsSetValue(index, VALUE(1)), "whether a fiber index is allocated, nobody asks");
	ok_error(FlsGetValue(index) == VALUE(1), ERROR_SUCCESS, "nor to read it");
	ok_equal(FlsAlloc(NULL), index, "when it is given");
	/* FlsAlloc: "If the function succeeds, the return value is an FLS index initialized to
	 * zero." */
	todo_wine("FlsAlloc: a new index is zero, also when it was set before");
	ok(!FlsGetValue(index), "it is zero");
	SetLastError(UNTOUCHED);
	ok(FlsFree(index), "it is freed");
	ok_equal(GetLastError(), UNTOUCHED, "and no error set");
}

static void test_all_fls(void)
{
	static DWORD indexes[FLS_SLOTS];
	DWORD count = 0, index;
	BOOL is_kept = TRUE;

	while (count < FLS_SLOTS && (index = FlsAlloc(NULL)) != FLS_OUT_OF_INDEXES)
		indexes[count++] = index;
	ok(count > FLS_SLOTS - SLOTS_OF_SYSTEM && count < FLS_SLOTS,
	   "4079 fiber indexes are there (%lu)", (unsigned long)count);
	ok_error(FlsAlloc(NULL) == FLS_OUT_OF_INDEXES, ERROR_NOT_ENOUGH_MEMORY,
		 "then there is none");
	for (DWORD i = 0; i < count; i++)
		is_kept &= FlsSetValue(indexes[i], VALUE(i + 1));
	for (DWORD i = 0; i < count; i++)
		is_kept &= FlsGetValue(indexes[i]) == VALUE(i + 1);
	ok(is_kept, "each has its own value");
	for (DWORD i = 0; i < count; i++)
		FlsFree(indexes[i]);
	ok_equal(FlsAlloc(NULL), indexes[0], "the lowest is given first");
	ok(FlsGetValue(indexes[0]) == NULL, "with zero in it");
	FlsFree(indexes[0]);
}

/* --- In callbacks ---------------------------------------------------------------------------- */

static void CALLBACK use_everything(PVOID value)
{
	DWORD index = TlsAlloc(), fiber = FlsAlloc(NULL);

	TlsSetValue(index, value);
	FlsSetValue(fiber, value);
	ok(TlsGetValue(index) == value && FlsGetValue(fiber) == value,
	   "a callback may use everything");
	ok(TlsGetValue(tls_index) == VALUE(91), "the thread's own values are still there");
	FlsFree(fiber);
	TlsFree(index);
	call_count++;
}

static void end_with_values(void)
{
	TlsSetValue(tls_index, VALUE(91));
	FlsSetValue(fls_index, VALUE(92));
}

static void test_callbacks(void)
{
	call_count = 0;
	tls_index = TlsAlloc();
	fls_index = FlsAlloc(use_everything);
	thread_run(end_with_values);
	ok_equal(call_count, 1, "the callback was there");
	FlsFree(fls_index);
	TlsFree(tls_index);
}

/* --- Callbacks that end what they are called for ---------------------------------------------- */

#ifndef _WIN32
/* No document has a word for either; Wine gives the same value to the callback for ever, and waits
 * for its own lock. */
static void CALLBACK free_own_index(PVOID value)
{
	ok(value == VALUE(93), "a callback is given the value");
	ok(FlsFree(fls_index), "and may free its index");
	call_count++;
}

static void set_own_value(void)
{
	FlsSetValue(fls_index, VALUE(93));
}

static void test_free_in_callback(void)
{
	call_count = 0;
	fls_index = FlsAlloc(free_own_index);
	thread_run(set_own_value);
	ok_equal(call_count, 1, "it is called once");
	ok_error(!FlsFree(fls_index), ERROR_INVALID_PARAMETER, "the index is free");
}

static int end_count;

static void CALLBACK count_end(PVOID value)
{
	__atomic_fetch_add(&end_count, 1, __ATOMIC_SEQ_CST);
}

static int ends(void)
{
	return __atomic_load_n(&end_count, __ATOMIC_SEQ_CST);
}

static void CALLBACK end_thread(PVOID value)
{
	count_end(value);
	pthread_exit(NULL);
}

static void set_both_values(void)
{
	FlsSetValue(fls_index, VALUE(94));
	FlsSetValue(other_fls_index, VALUE(95));
	TlsSetValue(tls_index, VALUE(96));
}

static void see_no_values(void)
{
	ok(!FlsGetValue(fls_index) && !FlsGetValue(other_fls_index) && !TlsGetValue(tls_index),
	   "the next thread finds none of its values");
}

static void test_end_in_callback(void)
{
	tls_index = TlsAlloc();
	fls_index = FlsAlloc(end_thread);
	other_fls_index = FlsAlloc(count_end);
	thread_run(set_both_values);
	ok_equal(ends(), 2, "a callback ends the thread, and the next one is called");
	thread_run(see_no_values);
	FlsFree(fls_index);
	FlsFree(other_fls_index);
	TlsFree(tls_index);
	ok_equal(ends(), 2, "and nothing is left for the end of the index");
}
#endif

int main(void)
{
	test_tls();
	test_wrong_tls();
	test_zero_everywhere();
	test_zero_in_all_slots();
	test_all_tls();
#ifdef _WIN32
	test_layout();
#endif
	test_fls();
	test_no_value();
	test_free_with_threads();
	test_wrong_fls();
	test_all_fls();
	test_callbacks();
#ifndef _WIN32
	test_free_in_callback();
	test_end_in_callback();
#endif
	return tap_done();
}
