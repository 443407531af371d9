/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Each system call of a call on heaps, handles and thread local storage, refused in turn, alone and
 * with all that come behind it: the call
 * has its documented error, or raises where it was asked to, and all is as it was; or it does
 * without. Afterwards the same call works. Linked with os_fake.c; each refusal is in a process of
 * its own, for what is done only once. */

#include "core/os/os_fake.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/handle/table.h"
#include "core/heap/heap.h"
#include "core/host.h"
#include "core/tls/storage.h"
#include "tests/conformance/exceptions.h"

#define CALLS_MAX 60
#define SMALL 100
#define LARGE 5000000

/* What there is before each call. */
static HANDLE heap, code_heap;
static char *small, *large;
static HGLOBAL moveable;
static DWORD tls_index, fls_index;

static void set_up(void)
{
	heap = HeapCreate(0, 0, 0);
	code_heap = HeapCreate(HEAP_CREATE_ENABLE_EXECUTE, 0, 0);
	small = memset(HeapAlloc(heap, 0, SMALL), 's', SMALL);
	large = memset(HeapAlloc(heap, 0, LARGE), 'l', LARGE);
	moveable = GlobalAlloc(GMEM_MOVEABLE, SMALL);
	memset(GlobalLock(moveable), 'm', SMALL);
	GlobalUnlock(moveable);
	tls_index = TlsAlloc();
	fls_index = FlsAlloc(NULL);
}

static bool is_filled(const char *bytes, char value, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] != value)
			return false;
	}
	return true;
}

static bool is_small_there(void)
{
	return HeapSize(heap, 0, small) == SMALL && is_filled(small, 's', SMALL);
}

static bool is_large_there(void)
{
	return HeapSize(heap, 0, large) == LARGE && is_filled(large, 'l', LARGE);
}

static bool is_moveable_there(void)
{
	return GlobalSize(moveable) == SMALL && GlobalFlags(moveable) == 0 &&
	       is_filled(*(char **)moveable, 'm', SMALL);
}

/* --- The calls: whether they did what they should -------------------------------------------- */

static bool use_and_destroy(HANDLE made)
{
	bool is_used = made && HeapAlloc(made, 0, 10);

	return (!made || HeapDestroy(made)) && is_used;
}

static bool create(void)
{
	return use_and_destroy(HeapCreate(0, 0, 0));
}

static bool create_fixed(void)
{
	return use_and_destroy(HeapCreate(HEAP_CREATE_ENABLE_EXECUTE, 0x10000, 0x100000));
}

static bool allocate(SIZE_T size)
{
	void *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, size);

	return block && is_filled(block, 0, size) && HeapSize(heap, 0, block) == size &&
	       HeapFree(heap, 0, block);
}

static bool allocate_many(void)
{
	for (int i = 0; i < 60; i++) {
		if (!HeapAlloc(heap, 0, 100000))
			return false;
	}
	return true;
}

static bool allocate_span(void)
{
	return allocate(700000);
}

static bool allocate_large(void)
{
	return allocate(3 * LARGE);
}

static bool allocate_code(void)
{
	return HeapAlloc(code_heap, 0, 100) != NULL;
}

static bool grow_small(void)
{
	char *grown = HeapReAlloc(heap, 0, small, 2 * LARGE);

	return grown && is_filled(grown, 's', SMALL);
}

static bool grow_large(void)
{
	char *grown = HeapReAlloc(heap, 0, large, 4 * LARGE);

	return grown && is_filled(grown, 'l', LARGE) && HeapSize(heap, 0, grown) == 4 * LARGE;
}

static bool shrink_large(void)
{
	char *shrunk = HeapReAlloc(heap, 0, large, LARGE / 4);

	return shrunk && is_filled(shrunk, 'l', LARGE / 4);
}

static bool allocate_global(void)
{
	HGLOBAL handle = GlobalAlloc(GHND, LARGE);

	return handle && !GlobalFree(handle);
}

static bool allocate_local(void)
{
	HLOCAL handle = LocalAlloc(LPTR, LARGE);

	return handle && !LocalFree(handle);
}

static bool grow_global(void)
{
	return GlobalReAlloc(moveable, LARGE, GMEM_MOVEABLE) == moveable &&
	       is_filled(*(char **)moveable, 'm', SMALL) && GlobalSize(moveable) == LARGE;
}

static bool set_tls(void)
{
	return TlsSetValue(tls_index, heap) && TlsGetValue(tls_index) == heap;
}

static bool set_fls(void)
{
	return FlsSetValue(fls_index, heap) && FlsGetValue(fls_index) == heap;
}

static bool allocate_indexes(void)
{
	return TlsFree(TlsAlloc()) && FlsFree(FlsAlloc(NULL));
}

/* Whatever the system says, these have nothing to refuse. */

static bool free_large(void)
{
	return HeapFree(heap, 0, large);
}

static bool free_global(void)
{
	return !GlobalFree(moveable);
}

static bool destroy(void)
{
	return HeapDestroy(heap);
}

static bool compact(void)
{
	HeapCompact(heap, 0);
	return HeapValidate(heap, 0, NULL);
}

static bool look(void)
{
	PROCESS_HEAP_ENTRY entry = { 0 };
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };

	HeapLock(heap);
	while (HeapWalk(heap, &entry))
		;
	return HeapUnlock(heap) && HeapSummary(heap, 0, &summary) && is_small_there();
}

static void raise_for_want(void *unused)
{
	(void)unused;
	HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, 3 * LARGE);
}

/* Whether a block was given; else the exception is the documented one, in place of an error. */
static bool allocate_or_raise(void)
{
	DWORD code = exception_of(raise_for_want, NULL);

	if (code == (DWORD)STATUS_NO_MEMORY)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	return code == 0;
}

enum { MAY_FAIL, NEVER_FAILS };

static const struct {
	const char *name;
	bool (*call)(void);
	int kind;
} rows[] = {
	{ "HeapCreate", create, MAY_FAIL },
	{ "HeapCreate, fixed and executable", create_fixed, MAY_FAIL },
	{ "HeapAlloc, many", allocate_many, MAY_FAIL },
	{ "HeapAlloc, a span", allocate_span, NEVER_FAILS },
	{ "HeapAlloc, large", allocate_large, MAY_FAIL },
	{ "HeapAlloc, executable", allocate_code, MAY_FAIL },
	{ "HeapAlloc, raising", allocate_or_raise, MAY_FAIL },
	{ "HeapReAlloc of a small block", grow_small, MAY_FAIL },
	{ "HeapReAlloc of a large block", grow_large, MAY_FAIL },
	{ "HeapReAlloc, shrinking", shrink_large, MAY_FAIL },
	{ "HeapFree of a large block", free_large, NEVER_FAILS },
	{ "HeapDestroy", destroy, NEVER_FAILS },
	{ "HeapCompact", compact, NEVER_FAILS },
	{ "HeapLock, HeapWalk, HeapSummary", look, NEVER_FAILS },
	{ "GlobalAlloc", allocate_global, MAY_FAIL },
	{ "LocalAlloc", allocate_local, MAY_FAIL },
	{ "GlobalReAlloc", grow_global, MAY_FAIL },
	{ "GlobalFree", free_global, NEVER_FAILS },
	{ "TlsSetValue", set_tls, MAY_FAIL },
	{ "FlsSetValue", set_fls, MAY_FAIL },
	{ "TlsAlloc, FlsAlloc", allocate_indexes, NEVER_FAILS },
};

/* --- One refusal, in a child ----------------------------------------------------------------- */

/* What the child says: the first of these that is not as it should be, or how it went. */
enum outcome {
	ALL_DONE,    /* there were not that many calls */
	DID_WITHOUT, /* refused, and done nevertheless */
	REFUSED,     /* with its error, and all as before */
	WRONG_ERROR,
	WRONG_FAILURE, /* of what cannot fail */
	CHANGED,       /* something is not as before */
	BROKEN_AFTER,  /* the call does not work afterwards */
	OUTCOMES
};

static bool is_as_before(uint32_t handles, DWORD heaps)
{
	return is_small_there() && is_large_there() && is_moveable_there() &&
	       handle_count() == handles && GetProcessHeaps(0, NULL) == heaps &&
	       HeapValidate(heap, 0, NULL);
}

static void check_all(void)
{
	heap_check();
	handle_check();
	storage_check();
}

static enum outcome try_refusal(size_t row, int number, bool is_lasting)
{
	uint32_t handles;
	DWORD heaps;
	bool is_done;

	set_up();
	handles = handle_count();
	heaps = GetProcessHeaps(0, NULL);
	SetLastError(UNTOUCHED);
	(is_lasting ? os_fake_fail_from : os_fake_fail)(number, -ENOMEM);
	is_done = rows[row].call();
	if (os_fake_calls() < number)
		return is_done ? ALL_DONE : WRONG_FAILURE;
	os_fake_fail(0, 0);
	check_all();
	if (is_done)
		return DID_WITHOUT;
	if (rows[row].kind != MAY_FAIL)
		return WRONG_FAILURE;
	if (GetLastError() != ERROR_NOT_ENOUGH_MEMORY)
		return WRONG_ERROR;
	if (!is_as_before(handles, heaps))
		return CHANGED;
	return rows[row].call() ? REFUSED : BROKEN_AFTER;
}

static enum outcome try_apart(size_t row, int number, bool is_lasting)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit((int)try_refusal(row, number, is_lasting));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : OUTCOMES;
}

static void test_row(size_t row, bool is_lasting)
{
	int counts[OUTCOMES + 1] = { 0 }, number;

	for (number = 1; number < CALLS_MAX && !counts[ALL_DONE]; number++)
		counts[try_apart(row, number, is_lasting)]++;
	ok_equal(counts[ALL_DONE], 1, "row %zu: %s: all its calls were refused, %s", row,
		 rows[row].name, is_lasting ? "for good" : "once");
	ok_equal(counts[WRONG_ERROR], 0, "row %zu: each failure has its error", row);
	ok_equal(counts[WRONG_FAILURE], 0, "row %zu: none was not to be", row);
	ok_equal(counts[CHANGED], 0, "row %zu: all is as before", row);
	ok_equal(counts[BROKEN_AFTER], 0, "row %zu: and works then", row);
	ok_equal(counts[OUTCOMES], 0, "row %zu: nobody died", row);
	ok(rows[row].kind != MAY_FAIL || !is_lasting || counts[REFUSED] > 0,
	   "row %zu: some were refused", row);
}

int main(void)
{
	AddVectoredExceptionHandler(/* first */ FALSE, catch_exception);
	for (size_t row = 0; row < COUNT(rows); row++) {
		test_row(row, /* is_lasting */ false);
		test_row(row, /* is_lasting */ true);
	}
	return tap_done();
}
