/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One call at a time, and who asked for it.
 *
 *   GlobalAlloc ----- outermost: the program's call; events inside have its name and its stack
 *     RtlAllocateHeap ---- nested: may be answered by core, is no call of its own
 *       core ... NtAllocateVirtualMemory's original ---- by no hook
 *
 * While nobody listens nothing is kept: a call goes to its handler or to Wine. Else the record of
 * the outermost call, on the program's stack, also says who called, and the tracer has its address.
 * An exception may take the thread out of a call without a word: a call that comes from above the
 * outermost one, or finds its record overwritten, is an outermost one again. On another stack (a
 * fiber's) it is one, too. No state of its own but for the process's beginning. */

#include "preload/wine/dispatch.h"

#include <assert.h>
#include <stdatomic.h>

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/event.h"
#include "preload/config.h"
#include "preload/pe/call.h"
#include "preload/pe/hook.h"
#include "preload/process.h"
#include "preload/start.h"
#include "preload/wine/compare_handle.h"
#include "preload/wine/compare_heap.h"
#include "preload/wine/compare_tls.h"
#include "preload/wine/heap.h"
#include "preload/wine/model.h"
#include "preload/wine/pager_wine.h"
#include "preload/wine/program.h"
#include "preload/wine/quick.h"
#include "preload/wine/serve.h"
#include "preload/wine/spare.h"
#include "preload/wine/teb.h"
#include "preload/recorder.h"

#define MARK UINT64_C(0x5641447472616365)

/* Who called is read by the tracer out of the record. */
#define CALLER_OFFSET offsetof(struct hook_call, caller)
static_assert(sizeof(struct trace_caller) == 10 * sizeof(uint64_t) &&
		      offsetof(struct hook_call, kept) == CALLER_OFFSET + 2 * sizeof(uint64_t) &&
		      offsetof(struct trace_caller, rbx) == 2 * sizeof(uint64_t) &&
		      offsetof(struct trace_caller, r12) == 6 * sizeof(uint64_t),
	      "caller and kept are a trace_caller");

static enum config_mode mode;
static bool is_settled;
static bool are_hooks_told;

/* NULL where Wine answers in all modes. */
#define HANDLER_route(id, name) [id] = serve_##name,
#define HANDLER_pass(id, name)
#define HANDLER_ROW(id, name, dll, export, arguments, how) HANDLER_##how(id, name)
static const serve_function handlers[HOOK_IDS_MAX] = { API_HOOKS(HANDLER_ROW) };

enum config_mode serve_mode(void)
{
	return mode;
}

uint32_t *serve_silence(struct hook_call *call)
{
	return call->outer ? &call->outer->silence : &call->silence;
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

/* Core answers in a Wine that it is known to get along with, and where all hooks stand. */
static enum config_mode possible_mode(enum config_mode wanted)
{
	bool can_route = hook_can_route() && hook_knows_wine(hook_wine_version());

	return wanted == CONFIG_ROUTE && !can_route ? CONFIG_OBSERVE : wanted;
}

/* By the first call of all, on the process's only thread. A launcher's calls all go to Wine, which
 * is what observing comes to while nobody listens. */
static void begin(void)
{
	static _Atomic bool has_begun;

	if (atomic_exchange(&has_begun, true))
		return;
	wine_begin();
	program_find_launcher();
	mode = program_is_launcher() ? CONFIG_OBSERVE : possible_mode(config_get()->mode);
	heap_begin(mode);
	if (program_is_launcher())
		return;
	process_trace(mode == config_get()->mode ? config_get()->mode_name : "observe",
		      hook_wine_version());
	tracer->start_windows();
	if (event_is_wanted())
		model_begin();
}

/* Whether the DLLs with hooks have all been mapped. */
static bool are_hooks_known(void)
{
	static size_t known;

	while (known < HOOK_COUNT && hook_place_at(known).state != HOOK_WAITS)
		known++;
	return known == HOOK_COUNT;
}

/* What ntdll keeps of our function tables, for ever, is no memory of the program's. */
static _Alignas(16) char own_memory[1024];
static size_t own_bytes;
/* The thread that calls on our own account; 0: none. */
static _Atomic uint64_t own_thread;

static void register_unwind(void)
{
	own_thread = teb_thread_id();
	hook_register_unwind();
	own_thread = 0;
}

/* False: it is no allocation, or there is no room. */
static bool serve_own_call(struct hook_call *call)
{
	uint64_t size_bytes = (call->arguments[2] + 15) & ~UINT64_C(15);
	char *block = own_memory + own_bytes;

	if (call->hook->api != API_HeapAlloc || size_bytes > sizeof(own_memory) - own_bytes)
		return false;
	own_bytes += size_bytes;
	return serve_answer(call, (uintptr_t)block);
}

/* What has to wait until the process has its heap and its DLLs. Calls hooked functions itself. */
static void settle(void)
{
	begin();
	if (!teb_process_heap() || !are_hooks_known())
		return;
	is_settled = true;
	register_unwind();
	if (mode == CONFIG_ROUTE)
		quick_open();
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

	tracer->hook(&told);
}

static void tell_hooks(void)
{
	are_hooks_told = true;
	for (size_t i = 0; i < HOOK_COUNT; i++)
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
	return call->mark == mark_of(call) && hook_holds(((const uint64_t *)call)[-1]);
}

static bool is_nested_in(const struct hook_call *outer, const struct hook_call *call)
{
	return outer > call && outer->stack_base == teb_stack_base() && is_under_way(outer);
}

/* The record that the tracer was given; NULL for none. */
static struct hook_call *call_of(const struct trace_caller *caller)
{
	return caller ? (struct hook_call *)((char *)caller - CALLER_OFFSET) : NULL;
}

static const struct trace_caller *caller_of(const struct hook_call *call)
{
	return call ? (const struct trace_caller *)((const char *)call + CALLER_OFFSET) : NULL;
}

static void note_caller(struct hook_call *call)
{
	call->caller[0] = call->return_address;
	call->caller[1] = hook_caller_stack(call);
}

/* The process begins, or goes on to: what is found there is told with the stack of this call. */
static void settle_in(struct hook_call *call)
{
	const struct trace_caller *before;

	note_caller(call);
	before = tracer->set_caller(caller_of(call));
	settle();
	tracer->set_caller(before);
}

/* Makes this the thread's outermost call, unless it is nested in another one: gives that one. */
static struct hook_call *open(struct hook_call *call, enum api api)
{
	struct hook_call *outer;

	note_caller(call);
	outer = call_of(tracer->set_caller(caller_of(call)));
	if (outer && is_nested_in(outer, call)) {
		tracer->set_caller(caller_of(outer));
		return outer;
	}
	call->mark = mark_of(call);
	call->stack_base = teb_stack_base();
	return NULL;
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
	tracer->call(&told);
}

/* The end of an outermost call. */
static void finish(struct hook_call *call, enum api api)
{
	if (!is_told_as_block(api))
		tell(call, api);
	call->mark = 0;
	tracer->set_caller(NULL);
}

/* What Wine answers in all modes is compared where the program itself called it. */
static bool compare(struct hook_call *call)
{
	serve_after after = NULL;

	if (call->outer || !compare_is_wanted())
		return false;
	after = compare_handle(call);
	return serve_pass(call, after ? after : compare_tls(call));
}

static bool serve(struct hook_call *call, enum api api)
{
	serve_function handler = handlers[call->hook->api];

	return handler ? handler(call, api) : mode == CONFIG_VERIFY && compare(call);
}

static bool serve_told(struct hook_call *call, enum api api)
{
	struct hook_call *outer = open(call, api);

	if (outer) {
		call->outer = outer;
		call->api = outer->api;
		return serve(call, (enum api)call->api);
	}
	if (!serve(call, api))
		return false;
	finish(call, api);
	return true;
}

static __attribute__((noinline)) bool attend(struct hook_call *call, enum api api)
{
	if (!is_settled)
		settle_in(call);
	if (unlikely(own_thread != 0) && own_thread == teb_thread_id() && serve_own_call(call))
		return true;
	if (!event_is_wanted())
		return serve(call, api);
	if (!are_hooks_told && is_settled)
		tell_hooks();
	return serve_told(call, api);
}

/* --- From the stubs -------------------------------------------------------------------------- */

static inline bool enter(struct hook_call *call)
{
	enum api api = call->hook->api;

	if (unlikely(serve_thread == SERVE_NONE))
		serve_decide();
	if (unlikely(!is_settled || event_is_wanted()))
		return attend(call, api);
	return serve(call, api);
}

static inline bool leave(struct hook_call *call)
{
	serve_after after = (serve_after)(uintptr_t)call->after;

	if (after)
		after(call, (enum api)call->api);
	if (call->mark == mark_of(call))
		finish(call, call->hook->api);
	return true;
}

HOOK_ABI bool dispatch_enter(struct hook_call *call)
{
	call->raise = 0;
	call->silence = 0;
	call->after = call->mark = 0;
	call->api = call->hook->api;
	call->outer = NULL;
	if (unlikely(spare_is_needed(call)))
		return spare_run(enter, call);
	return enter(call);
}

HOOK_ABI void dispatch_leave(struct hook_call *call)
{
	if (likely(!call->after && !call->mark))
		return;
	if (unlikely(spare_is_needed(call)))
		spare_run(leave, call);
	else
		leave(call);
}

void dispatch_start(void)
{
	hook_set_dispatch(dispatch_enter, dispatch_leave);
	hook_set_gate(&is_settled, &event_gate);
	quick_start();
}
