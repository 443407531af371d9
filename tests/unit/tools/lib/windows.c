/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Calls, hooks and differences of a Windows process, through replay. */

#include "tools/lib/replay.h"

#include "tests/lib/tap.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)

static struct replay replay;

static void begin(const struct replay_filter *filter)
{
	struct trace_process image = { .pid = 7,
				       .parent = TRACE_NO_PROCESS,
				       .session = "",
				       .mode = "verify",
				       .exe = "",
				       .command_line = "",
				       .comm = "",
				       .wine = "8.0" };
	struct trace_event event = { .kind = TRACE_PROCESS, .time_ns = SECOND, .image = &image };

	replay_init(&replay, filter);
	replay_apply(&replay, &event);
}

static const struct windows *windows(void)
{
	return &replay.processes[0]->windows;
}

static void call(uint64_t time_ns, uint32_t tid, uint16_t api, uint64_t result, uint32_t error)
{
	struct trace_call call = { .result = result, .error = error };
	struct trace_event event = {
		.kind = TRACE_CALL, .time_ns = time_ns, .tid = tid, .api = api, .call = &call
	};

	replay_apply(&replay, &event);
}

static void test_calls(void)
{
	struct replay_filter all = { 0 };

	begin(&all);
	call(2 * SECOND, 1, API_VirtualFree, 1, 0);
	call(2 * SECOND, 1, API_VirtualFree, 0, 487);
	call(2 * SECOND, 1, API_GlobalUnlock, 0, 0);
	call(2 * SECOND, 1, API_NtFreeVirtualMemory, 0, 487);
	call(2 * SECOND, 1, API_NtFreeVirtualMemory, 0xc000009f, 0);
	ok_equal(windows()->calls[API_VirtualFree].calls, 2, "calls are counted");
	ok_equal(windows()->calls[API_VirtualFree].failed, 1, "0 with an error has failed");
	ok_equal(windows()->calls[API_GlobalUnlock].failed, 0, "0 without one has not");
	ok_equal(windows()->calls[API_NtFreeVirtualMemory].failed, 1,
		 "of a status, its sign tells");
	replay_free(&replay);
}

static void test_window(void)
{
	struct replay_filter some = { .from_ns = SECOND, .to_ns = 2 * SECOND, .thread = "5" };

	begin(&some);
	call(SECOND + 1, 5, API_VirtualFree, 1, 0);
	ok_equal(windows()->api_count, 0, "a call before the window");
	call(2 * SECOND, 5, API_VirtualFree, 1, 0);
	call(2 * SECOND, 6, API_VirtualFree, 1, 0);
	call(4 * SECOND, 5, API_VirtualFree, 1, 0);
	ok_equal(windows()->calls[API_VirtualFree].calls, 1, "one in it, of the thread");
	ok(!replay.processes[0]->is_in_window, "which does not open it for older events");
	replay_free(&replay);
}

static void hook(uint16_t api, const char *state)
{
	struct trace_hook hook = { "VirtualFree", "kernelbase", state, "" };
	struct trace_event event = { .kind = TRACE_HOOK, .api = api, .hook = &hook };

	replay_apply(&replay, &event);
}

static void test_hooks(void)
{
	struct replay_filter all = { 0 };

	begin(&all);
	hook(API_VirtualFree, "not loaded");
	hook(API_VirtualAlloc, "hooked");
	hook(API_VirtualFree, "hooked");
	ok_equal(windows()->hook_count, 2, "a hook is listed once");
	ok(!strcmp(windows()->hooks[0].state, "hooked"), "with its last state");
	replay_free(&replay);
}

static void differ(const char *what, uint64_t wine, uint64_t core, uint64_t argument)
{
	struct trace_difference difference = { what, wine, core, &argument, 1 };
	struct trace_event event = { .kind = TRACE_DIFFERENCE,
				     .api = API_VirtualFree,
				     .difference = &difference };

	replay_apply(&replay, &event);
}

static void test_differences(void)
{
	struct replay_filter all = { 0 };

	begin(&all);
	differ("status", 0xc000009f, 0xc00000a0, 1);
	differ("status", 0xc000009f, 0xc00000a0, 2);
	differ("status", 0xc000009f, 0xc0000018, 3);
	differ("base", 0x1000, 0x2000, 4);
	differ("base", 0x3000, 0x4000, 5);
	ok_equal(windows()->difference_count, 3, "grouped by cause");
	if (windows()->difference_count == 3) {
		const struct windows_difference *list = windows()->differences;

		ok_equal(list[0].count, 2, "the same two statuses are one cause");
		ok(list[0].argument_count == 1 && list[0].arguments[0] == 1,
		   "the first call is kept");
		ok_equal(list[2].count, 2, "of other outputs the values do not matter");
		ok_equal(list[2].wine, 0x1000, "the first ones are kept");
	}
	replay_free(&replay);
}

static void allocate(uint64_t address, uint64_t heap)
{
	struct trace_event event = { .kind = EVENT_ALLOCATE,
				     .time_ns = 2 * SECOND,
				     .tid = 1,
				     .address = address,
				     .heap = heap,
				     .size_bytes = 100 };

	replay_apply(&replay, &event);
	event.kind = EVENT_FREE;
	replay_apply(&replay, &event);
	event.address += 8;
	replay_apply(&replay, &event);
	event.kind = EVENT_ALLOCATE_FAILED;
	replay_apply(&replay, &event);
}

static void test_halves(bool counts_wine, uint64_t expected)
{
	struct replay_filter filter = { .counts_wine = counts_wine };
	const struct replay_totals *totals;

	begin(&filter);
	allocate(0x1000, 0x350000);
	allocate(0x2000, 0);
	totals = &replay.processes[0]->totals;
	ok_equal(totals->counts.calls, expected, "calls of Windows' heaps, and of Wine's half: %s",
		 counts_wine ? "counted" : "not counted");
	ok_equal(totals->free_calls, expected, "so the frees");
	ok_equal(totals->unknown_frees, expected, "the unknown frees");
	ok_equal(totals->failed_calls, expected, "and the failures");
	ok_equal(totals->wine_calls, 2 - expected, "the others are told apart");
	ok(replay_check(replay.processes[0]), "the figures add up");
	replay_free(&replay);
}

int main(void)
{
	test_halves(false, 1);
	test_halves(true, 2);
	test_calls();
	test_window();
	test_hooks();
	test_differences();
	return tap_done();
}
