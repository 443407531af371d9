/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The hooks in ntdll, kernelbase and kernel32: which there are, and what became of each.
 *
 * A hook stands at the entry of a function, before any code of its DLL has run, and leads to a stub
 * near the DLL. The stub builds a struct hook_call (call.h) on the program's stack and asks the
 * dispatcher. All is set from ntdll.so's thread that maps the DLL; readers need no lock. */

#ifndef VADTRACE_PRELOAD_PE_HOOK_H
#define VADTRACE_PRELOAD_PE_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h" /* enum api */
#include "core/os/os.h"
#include "preload/pe/plan/hooks.h"

#define HOOK_ABI __attribute__((ms_abi))

struct hook_call; /* call.h */

/* Above every id of a function that has a hook. */
#define HOOK_IDS_MAX 512

struct hook_place {
	enum hook_state state;
	const char *reason; /* of HOOK_ABSENT and HOOK_LEFT: a fixed text; else "" */
	uint64_t address;   /* of the function's entry; 0: none */
};

/* What became of hook_at(index). */
struct hook_place hook_place_at(size_t index);

/* Who is asked at each call, and told after those that he left to the original (call.h). No hook is
 * set before somebody has said so: from a constructor, before Wine runs. */
typedef bool(HOOK_ABI *hook_enter)(struct hook_call *call);
typedef void(HOOK_ABI *hook_leave)(struct hook_call *call);
void hook_set_dispatch(hook_enter enter, hook_leave leave);
bool hook_is_wanted(void);

/* Code that runs in a copy beside each DLL: a jump between a DLL and our own object, which is
 * further away than 4 GiB, costs the processor five cycles.
 *  - code is size_bytes long, and runs anywhere that is as aligned: relative to itself it reaches
 *    nothing but itself, and in there, at `words_at`, the words;
 *  - the words have a page to themselves, and are copied when all hooks of the DLL are known. */
struct hook_near {
	const uint8_t *code;
	size_t size_bytes;
	const void *words_at;
	const void *words;
	size_t words_bytes;
};
#define HOOK_NEAR_ALIGNMENT OS_PAGE_SIZE

/* Set before Wine runs, and before any quick function. */
void hook_set_near(const struct hook_near *code);

/* Copies the words again, for all DLLs, while threads may read them: each 8 bytes as a whole, one
 * after the other. Where the system refuses, they stay as they are. */
void hook_write_near_words(void);

/* A function in the code of hook_set_near, and `rest` in its words. It has the arguments of the
 * hook's, three at most (four: cast), and is asked before the dispatcher. It answers, or leaves the
 * call to the dispatcher by calling *rest, which is the call as if there were no quick function.
 * Nobody sees what it answers, and it raises nothing. Set before Wine runs, for hooks that are
 * called all the time; of several of one API, the first one is quick.
 *  - probes: it needs no stack, or does HOOK_PROBE (call.h) first, so nothing has to be done before
 *    it. */
typedef uint64_t(HOOK_ABI *hook_rest)(uint64_t, uint64_t, uint64_t);
typedef uint64_t(HOOK_ABI *hook_rest_4)(uint64_t, uint64_t, uint64_t, uint64_t);
typedef hook_rest hook_quick;
void hook_set_quick(enum api api, hook_quick quick, hook_rest *rest, bool probes);

/* Hooks that core never answers (is_routed is false) lead to the original at once while *is_open,
 * and while the word that *wanted points at is 0: there is nothing to tell. Set before Wine runs.
 */
void hook_set_gate(const bool *is_open, const volatile int *const *wanted);

/* The function as it was: callable with Windows' calling convention. NULL unless HOOK_IS_SET. */
void *hook_original(enum api api);

/* A PE image is mapped at `base`, relocated, writable, and none of its code has run: sets all hooks
 * of the DLL. `name`: its file's name. Nothing happens for DLLs without hooks, and the second time.
 * The pages are left as writable or not as they were found. */
void hook_set_all(const char *name, void *base, size_t size_bytes);

/* Whether each function of ntdll that core is to answer is hooked or not there at all: with one
 * that is left alone, blocks of core's would reach Wine's heap, and core must answer none. */
bool hook_can_route(void);

/* Whether the address is in ntdll.dll: code of Wine's own. */
bool hook_is_in_ntdll(uint64_t address);

/* Whether the address is in a stub or trampoline of ours. */
bool hook_holds(uint64_t address);

/* What Wine calls its version; "unknown" when it does not say. Runs code of ntdll: on a thread of
 * the program. */
const char *hook_wine_version(void);

/* Makes Windows' exception handling see through our stubs (RtlAddFunctionTable). Called once on a
 * thread of the program, when its process heap exists. */
void hook_register_unwind(void);

#endif
