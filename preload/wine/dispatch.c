/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One call at a time, and who asked for it.
 *
 *   GlobalAlloc ----- outermost: the program's call; events inside have its name and its stack
 *     RtlAllocateHeap ---- nested: may be answered by core, is no call of its own
 *       core ... NtAllocateVirtualMemory's original ---- by no hook
 *
 * While nobody listens nothing is kept: a call goes to its handler or to Wine. Else the thread
 * remembers its outermost call, by the place of its record on the stack. An exception may take the
 * thread out of a call without a word: a call that comes from above the remembered one, or finds
 * its record overwritten, is an outermost one again. On another stack (a fiber's) it is one, too.
 * Thread state only; guarded by nothing. */

#include "preload/wine/dispatch.h"

#include <stdatomic.h>

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/event.h"
#include "preload/config.h"
#include "preload/pe/call.h"
#include "preload/pe/hook.h"
#include "preload/process.h"
#include "preload/start.h"
#include "preload/wine/heap.h"
#include "preload/wine/model.h"
#include "preload/wine/serve.h"
#include "preload/wine/teb.h"
#include "trace/trace.h"

enum note { NOTE_AFTER = 0, NOTE_MARK = 1 };

#define MARK UINT64_C(0x5641447472616365)

/* The calling thread's outermost call.
 *  - call is NULL when it has none;
 *  - caller is what events inside it are told with. */
struct current {
	struct hook_call *call;
	uintptr_t stack_base;
	enum api api;
	struct trace_caller caller;
};

static _Thread_local struct current current;
static enum config_mode mode;
static bool is_settled;
static bool are_hooks_told;

#define HANDLER_route(name) serve_##name
#define HANDLER_pass(name) NULL
#define HANDLER_ROW(id, name, dll, export, arguments, how) [id] = HANDLER_##how(name),
static const serve_function handlers[] = { API_HOOKS(HANDLER_ROW) };

enum config_mode serve_mode(void)
{
	return mode;
}

bool serve_set_last_error(NTSTATUS status)
{
	if (status == STATUS_SUCCESS)
		return true;
	teb_set_last_status(status);
	teb_set_last_error(status_to_win32(status));
	return false;
}

/* --- The process begins ---------------------------------------------------------------------- */

/* By the first call of all, on the process's only thread. */
static void begin(void)
{
	static _Atomic bool has_begun;

	if (atomic_exchange(&has_begun, true))
		return;
	mode = config_get()->mode;
	if (mode == CONFIG_ROUTE && !hook_can_route())
		mode = CONFIG_OBSERVE;
	heap_begin(mode);
	process_trace(mode == config_get()->mode ? config_get()->mode_name : "observe");
	trace_start_windows();
	if (event_is_wanted())
		model_begin();
}

/* Whether the DLLs with hooks have all been mapped. */
static bool are_hooks_known(void)
{
	static size_t known;

	while (known < hook_count() && hook_place_at(known).state != HOOK_WAITS)
		known++;
	return known == hook_count();
}

/* What has to wait until the process has its heap and its DLLs. Calls hooked functions itself. */
static void settle(void)
{
	begin();
	if (!teb_process_heap() || !are_hooks_known())
		return;
	is_settled = true;
	hook_register_unwind();
}

static const char *state_name(enum hook_state state)
{
	static const char *const names[] = {
		[HOOK_WAITS] = "not loaded",
		[HOOK_IS_SET] = "hooked",
		[HOOK_ABSENT] = "not present",
		[HOOK_LEFT] = "passed on",
	};

	return names[state];
}

static void tell_hook(size_t index)
{
	const struct hook *hook = hook_at(index);
	struct hook_place place = hook_place_at(index);
	bool is_answered = hook->is_routed && mode == CONFIG_ROUTE;
	const struct trace_hook told = {
		.function = hook->export,
		.dll = hook->dll,
		.state = state_name(place.state),
		.reason = place.state != HOOK_IS_SET ? place.reason
			  : is_answered              ? "core answers"
						     : "Wine answers",
		.address = place.address,
		.api = hook->api,
	};

	trace_hook(&told);
}

static void tell_hooks(void)
{
	are_hooks_told = true;
	for (size_t i = 0; i < hook_count(); i++)
		tell_hook(i);
}

/* --- A call that is told --------------------------------------------------------------------- */

static uint64_t mark_of(const struct hook_call *call)
{
	return (uintptr_t)call ^ MARK;
}

/* Whether the outermost call is still under way: then the stub waits for the original, whose return
 * address lies below the record. */
static bool is_under_way(const struct hook_call *call)
{
	return call->note[NOTE_MARK] == mark_of(call) && hook_holds(((const uint64_t *)call)[-1]);
}

static bool is_nested(const struct hook_call *call)
{
	return current.call && current.call > call && current.stack_base == teb_stack_base() &&
	       is_under_way(current.call);
}

static void open(struct hook_call *call, enum api api)
{
	call->note[NOTE_MARK] = mark_of(call);
	current.call = call;
	current.stack_base = teb_stack_base();
	current.api = api;
	current.caller = (struct trace_caller){
		.rip = call->return_address,
		.rsp = hook_caller_stack(call),
		.rbx = call->kept[0],
		.rbp = call->kept[1],
		.rsi = call->kept[2],
		.rdi = call->kept[3],
		.r12 = call->kept[4],
		.r13 = call->kept[5],
		.r14 = call->kept[6],
		.r15 = call->kept[7],
	};
	trace_set_caller(&current.caller);
}

/* A record of the block that it gave or took is the trace of such a call. */
static bool is_told_as_block(enum api api)
{
	return api == API_HeapAlloc || api == API_HeapReAlloc || api == API_HeapFree;
}

static void tell(const struct hook_call *call, enum api api)
{
	uint64_t arguments[HOOK_ARGUMENTS_MAX];
	const struct trace_call told = {
		.api = (uint16_t)api,
		.argument_count = call->hook->arguments,
		.arguments = arguments,
		.result = call->result,
		.error = teb_last_error(),
	};

	for (unsigned int i = 0; i < call->hook->arguments; i++)
		arguments[i] = hook_argument(call, i);
	trace_call(&told);
}

/* The end of an outermost call. */
static void finish(struct hook_call *call, enum api api)
{
	if (!is_told_as_block(api))
		tell(call, api);
	call->note[NOTE_MARK] = 0;
	if (current.call != call)
		return;
	current.call = NULL;
	trace_set_caller(NULL);
}

static bool serve(struct hook_call *call, enum api api)
{
	serve_function handler = handlers[call->hook->api];

	return handler && handler(call, api);
}

static bool serve_told(struct hook_call *call, enum api api)
{
	if (is_nested(call))
		return serve(call, current.api);
	open(call, api);
	if (!serve(call, api))
		return false;
	finish(call, api);
	return true;
}

static __attribute__((noinline)) bool attend(struct hook_call *call, enum api api)
{
	if (!is_settled)
		settle();
	if (!event_is_wanted())
		return serve(call, api);
	if (!are_hooks_told && is_settled)
		tell_hooks();
	return serve_told(call, api);
}

HOOK_ABI bool dispatch_enter(struct hook_call *call)
{
	enum api api = call->hook->api;

	call->raise = 0;
	call->note[NOTE_AFTER] = call->note[NOTE_MARK] = 0;
	if (unlikely(serve_thread == SERVE_NONE))
		serve_decide();
	if (unlikely(!is_settled || event_is_wanted()))
		return attend(call, api);
	return serve(call, api);
}

HOOK_ABI void dispatch_leave(struct hook_call *call)
{
	serve_after after = (serve_after)(uintptr_t)call->note[NOTE_AFTER];
	bool is_outermost = call->note[NOTE_MARK] == mark_of(call);
	enum api api = call->hook->api;

	if (after)
		after(call, is_outermost || !current.call ? api : current.api);
	if (is_outermost)
		finish(call, api);
}

void dispatch_start(void)
{
	hook_set_dispatch(dispatch_enter, dispatch_leave);
}
