/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Thread and fiber local storage. */

#include "tests/conformance/pe.h"

#define SLOTS 1088

static DWORD tls_index, fls_index;
static volatile LONG callback_count;
static PVOID callback_value;

static void CALLBACK fls_callback(PVOID value)
{
	InterlockedIncrement(&callback_count);
	callback_value = value;
}

static DWORD WINAPI other_thread(PVOID unused)
{
	ok(TlsGetValue(tls_index) == NULL, "another thread's value is zero");
	ok(TlsSetValue(tls_index, (PVOID)2), "and can be set");
	ok(FlsGetValue(fls_index) == NULL, "another thread's fiber value is zero");
	ok(FlsSetValue(fls_index, (PVOID)22), "and can be set");
	return 0;
}

static void run_thread(LPTHREAD_START_ROUTINE function)
{
	HANDLE thread = CreateThread(NULL, 0, function, NULL, 0, NULL);

	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
}

static void test_values(void)
{
	tls_index = TlsAlloc();
	fls_index = FlsAlloc(fls_callback);
	ok(tls_index < SLOTS && fls_index != FLS_OUT_OF_INDEXES, "slots are given");
	ok(TlsGetValue(tls_index) == NULL && FlsGetValue(fls_index) == NULL, "with zero in them");
	ok(TlsSetValue(tls_index, (PVOID)1), "a value is set");
	ok(FlsSetValue(fls_index, (PVOID)11), "a fiber value is set");
	SetLastError(UNTOUCHED);
	ok(TlsGetValue(tls_index) == (PVOID)1, "it is there");
	ok_equal(GetLastError(), ERROR_SUCCESS, "and the last error is cleared");
	SetLastError(UNTOUCHED);
	ok(FlsGetValue(fls_index) == (PVOID)11, "the fiber value, too");
	ok_equal(GetLastError(), ERROR_SUCCESS, "and the last error is cleared");
	run_thread(other_thread);
	ok(callback_count == 1 && callback_value == (PVOID)22, "the callback of the ended thread");
	ok(TlsGetValue(tls_index) == (PVOID)1, "this thread's value is as it was");
}

static void test_ends(void)
{
	ok(FlsFree(fls_index), "a fiber slot is freed");
	ok(callback_count == 2 && callback_value == (PVOID)11, "its callback");
	ok(TlsFree(tls_index), "a slot is freed");
	ok_error(!TlsFree(tls_index), ERROR_INVALID_PARAMETER, "it is not freed twice");
	ok_error(!FlsFree(fls_index), ERROR_INVALID_PARAMETER, "nor is a fiber slot");
	ok_error(!TlsSetValue(SLOTS, NULL), ERROR_INVALID_PARAMETER, "no such slot to set");
	ok_error(!TlsGetValue(SLOTS), ERROR_INVALID_PARAMETER, "no such slot to read");
	ok_error(!FlsSetValue(0, NULL), ERROR_INVALID_PARAMETER, "no such fiber slot to set");
	ok_error(!FlsGetValue(0), ERROR_INVALID_PARAMETER, "no such fiber slot to read");
}

/* All slots, of which the process needs some itself. */
static void test_many(void)
{
	static DWORD slots[SLOTS];
	DWORD count = 0, slot;
	BOOL is_kept = TRUE;

	while (count < SLOTS && (slot = TlsAlloc()) != TLS_OUT_OF_INDEXES)
		slots[count++] = slot;
	ok(count > SLOTS - 64, "nearly all slots are given");
	ok_error(TlsAlloc() == TLS_OUT_OF_INDEXES, ERROR_NO_MORE_ITEMS, "then there is none");
	for (DWORD i = 0; i < count; i++)
		TlsSetValue(slots[i], (PVOID)(ULONG_PTR)(i + 1));
	for (DWORD i = 0; i < count; i++)
		is_kept &= TlsGetValue(slots[i]) == (PVOID)(ULONG_PTR)(i + 1);
	ok(is_kept, "each has its own value");
	for (DWORD i = 0; i < count; i++)
		TlsFree(slots[i]);
	slot = TlsAlloc();
	ok(TlsGetValue(slot) == NULL, "a slot that is given again is zero");
	TlsFree(slot);
}

/* Programs read the slots in the thread's block themselves. */
static void test_layout(void)
{
	DWORD slot = TlsAlloc();
	PVOID *slots = (PVOID *)((char *)NtCurrentTeb() + 0x1480);

	TlsSetValue(slot, (PVOID)0x1234);
	ok(slot >= 64 || slots[slot] == (PVOID)0x1234, "the first 64 slots are in the TEB");
	TlsFree(slot);
}

int main(void)
{
	test_values();
	test_ends();
	test_many();
	test_layout();
	return tap_done();
}
