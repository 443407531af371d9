/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Each function of a pager (pager.h) refused, in a call that needs it: with a pager that cuts as
 * Linux's does, and one whose ranges come and go whole, as Wine's do. The call fails with the
 * documented error, and mappings, VirtualQuery's answers, totals and events are as before; or it
 * comes to all that it would have come to. */

#include <errno.h>

#include "core/base/status.h"
#include "core/os/pager.h"
#include "core/vm/charge.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/vm/replay.h"
#include "tests/unit/core/vm/snapshot.h"
#include "tests/unit/core/vm/window.h"

enum function { GET, GET_BELOW, PUT, SET, DROP, DISCARD, RESET, RESIZE, ASK, FUNCTIONS };

static enum function refused;
static int refusing_call, refusing_error, calls;

/* The error if this call is the one to be refused, else 0. */
static int refusal(enum function function)
{
	return function == refused && ++calls == refusing_call ? refusing_error : 0;
}

static void refuse(enum function function, int call, int error)
{
	refused = function;
	refusing_call = call;
	refusing_error = error;
	calls = 0;
}

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	int error = refusal(GET);

	return error ? error : pager_linux.get(address, size_bytes, state);
}

/* Whoever asks for a place below the window has the window's last quarter. */
static intptr_t get_below(uintptr_t limit, size_t size_bytes, uint32_t state)
{
	int error = refusal(GET_BELOW);
	uintptr_t place = (limit - size_bytes) & ~(uintptr_t)0xffff;

	return error ? error : pager_linux.get((void *)place, size_bytes, state);
}

static int put(void *address, size_t size_bytes)
{
	int error = refusal(PUT);

	return error ? error : pager_linux.put(address, size_bytes);
}

/* A part may have changed when it fails. */
static int set(void *address, size_t size_bytes, uint32_t state)
{
	int error = refusal(SET);

	if (error)
		pager_linux.set(address, PAGE, state);
	return error ? error : pager_linux.set(address, size_bytes, state);
}

static int drop(void *address, size_t size_bytes)
{
	int error = refusal(DROP);

	return error ? error : pager_linux.drop(address, size_bytes);
}

static int discard(void *address, size_t size_bytes)
{
	int error = refusal(DISCARD);

	return error ? error : pager_linux.discard(address, size_bytes);
}

static int reset(void *address, size_t size_bytes)
{
	int error = refusal(RESET);

	return error ? error : pager_linux.reset(address, size_bytes);
}

static intptr_t resize(void *address, size_t old_size_bytes, size_t new_size_bytes,
		       void *new_address)
{
	int error = refusal(RESIZE);

	return error ? error
		     : pager_linux.resize(address, old_size_bytes, new_size_bytes, new_address);
}

static int ask(void)
{
	return refusal(ASK);
}

#define PAGER(parts)                                                                      \
	{                                                                                 \
		.get = get, .get_below = get_below, .put = put, .set = set, .drop = drop, \
		.discard = discard, .reset = reset, .resize = resize, .ask = ask,         \
		.has_parts = (parts), .features = MEM_RESERVE_PLACEHOLDER                 \
	}
static const struct pager cutting = PAGER(true), whole = PAGER(false);
_Static_assert(sizeof(struct pager) == (FUNCTIONS + 1) * sizeof(void (*)(void)),
	       "a new function of the pager's has a wrapper and a row here");

static struct vm_request elsewhere;

/* Pages 0-15: a region as the window's. Pages 16-31: one that is all committed. Pages 32-47:
 * another, so that it cannot grow where it is. */
static void set_up(void)
{
	lay_out_region(16);
	allocate(16, 16, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	memset(window + 16 * PAGE, 'y', 16 * PAGE);
	allocate(32, 16, MEM_RESERVE, PAGE_READWRITE);
}

static void tear_down(void)
{
	MEMORY_BASIC_INFORMATION info;

	for (char *at = window; at < window + PAGES * PAGE; at += info.RegionSize) {
		void *base;
		size_t none = 0;

		if (vm_query(at, &info) < 0)
			return;
		base = info.AllocationBase;
		if (info.State != MEM_FREE)
			vm_free(&base, &none, MEM_RELEASE, &request);
	}
}

static long reserve_below(void)
{
	void *base = NULL;
	size_t size_bytes = 8 * PAGE;

	return vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE,
			   &elsewhere);
}

static long commit(void)
{
	return allocate(2, 12, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
}

static long protect(void)
{
	return change(6, 4, PAGE_EXECUTE_READ);
}

static long grow(void)
{
	void *moved = NULL;
	size_t none = 0;
	long status = vm_resize(window + 16 * PAGE, 16 * PAGE, 24 * PAGE, &moved, &request);

	return status < 0 ? status : vm_free(&moved, &none, MEM_RELEASE, &request);
}

static const struct row {
	enum function function;
	int error;
	const char *name;
	long (*operate)(void);
	long refused;             /* 0: it comes to all the same */
	const struct pager *only; /* the one that is asked; NULL: both are */
} rows[] = {
	{ GET, -ENOMEM, "reserve", reserve, STATUS_NO_MEMORY, NULL },
	{ GET, -EAGAIN, "reserve", reserve, STATUS_NO_MEMORY, NULL },
	{ GET_BELOW, -ENOMEM, "reserve below", reserve_below, STATUS_NO_MEMORY, &whole },
	{ PUT, -EINVAL, "release", release, STATUS_INVALID_PARAMETER, NULL },
	{ SET, -ENOMEM, "commit", commit, STATUS_COMMITMENT_LIMIT, NULL },
	{ SET, -EACCES, "commit", commit, STATUS_ACCESS_DENIED, NULL },
	{ SET, -ENOMEM, "protect", protect, STATUS_NO_MEMORY, NULL },
	{ DROP, -ENOMEM, "decommit", decommit, STATUS_NO_MEMORY, NULL },
	{ DISCARD, -EAGAIN, "discard", discard_pages, STATUS_NO_MEMORY, NULL },
	{ RESET, -EAGAIN, "reset", reset_pages, 0, NULL },
	{ RESIZE, -ENOMEM, "resize", grow, STATUS_NO_MEMORY, &cutting },
	{ ASK, -EPERM, "commit", commit, STATUS_ACCESS_DENIED, NULL },
	{ ASK, -EPERM, "decommit", decommit, STATUS_ACCESS_DENIED, NULL },
	{ ASK, -EPERM, "release", release, STATUS_ACCESS_DENIED, NULL },
};

static struct snapshot before, after, now;

/* With the events' account of the window, and its contents. */
static void look(struct snapshot *snapshot)
{
	snapshot_take(snapshot);
	snapshot_add(snapshot, "impossible events: %d\n", replay.impossible);
	for (int page = 0; page < PAGES; page++) {
		uint32_t state = replay.state[page];
		bool is_read = pager_prot_of_state(state) & PROT_READ;

		snapshot_add(snapshot, "page %d: event %x, contents %x\n", page, state,
			     is_read ? window[page * (long)PAGE + 1] : 0);
	}
	vm_check();
}

/* Whether the n-th refusal is as the row says; *was_refused: it came to one. */
static bool is_right(const struct row *row, int call, bool *was_refused)
{
	long got;
	bool is_same;

	set_up();
	look(&before);
	refuse(row->function, call, row->error);
	got = row->operate();
	*was_refused = calls >= call;
	refuse(FUNCTIONS, 0, 0);
	look(&now);
	if (got < 0 && got != row->refused)
		printf("# answered %lx\n", got);
	if (got < 0)
		is_same = *was_refused && got == row->refused && snapshot_is_same(&before, &now);
	else
		is_same = snapshot_is_same(&after, &now);
	tear_down();
	return is_same;
}

static void test_row(size_t number, const char *pager_name)
{
	const struct row *row = &rows[number];
	bool is_all_right = true, was_refused = true;
	int call = 0;

	set_up();
	is_all_right = row->operate() >= 0;
	look(&after);
	tear_down();
	while (is_all_right && was_refused)
		is_all_right = is_right(row, ++call, &was_refused);
	ok(is_all_right && call > 1, "%s, row %zu: %s, %d refusals", pager_name, number, row->name,
	   call - 1);
}

static void test_pager(const struct pager *whose, const char *name)
{
	request = (struct vm_request){ .api = API_VirtualAlloc, .pager = whose };
	elsewhere = request;
	elsewhere.limit = (uintptr_t)window + PAGES * PAGE;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!rows[i].only || rows[i].only == whose)
			test_row(i, name);
}

int main(void)
{
	window = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)window, PAGES);
	test_pager(&cutting, "cuts");
	test_pager(&whole, "whole");
	return tap_done();
}
