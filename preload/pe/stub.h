/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The machine code of a hook (call.h says what it does), and of a function as it was. */

#ifndef VADTRACE_PRELOAD_PE_STUB_H
#define VADTRACE_PRELOAD_PE_STUB_H

#include <stdint.h>

#include "preload/pe/emit.h"
#include "preload/pe/hook.h"
#include "preload/pe/plan/plan.h"

/* Where the addresses of these functions lie, near the stubs. */
struct stub_slots {
	uint64_t enter, leave, raise_status;
};

/* What one hook may take at most of each. */
#define STUB_CODE_BYTES_MAX 448
#define STUB_TABLE_BYTES_MAX 72
/* What the hooks of a DLL share of the tables: the slots, the UNWIND_INFO of all stubs and of all
 * that comes before them, and the row of the near code. */
#define STUB_COMMON_BYTES 80
/* Functions of a hook that have unwind information: trampoline, stub, gate, quick way. */
#define STUB_ROWS_MAX 4

/* What a gate looks at, each time. */
struct gate {
	const bool *is_open;
	const volatile int *const *wanted;
};

/* To the original while *is_open and !**wanted, else to the stub. A leaf: it has no frame, but a
 * row of its own, because it probes the stack as deep as the stub. */
void gate_emit(struct emitter *code, const struct gate *gate, uint64_t original, uint64_t stub);

/* Asks the quick function first, which is near. A leaf that probes, too: nobody knows how to walk
 * the quick function itself, so no stack may overflow in it. */
void quick_emit(struct emitter *code, uint64_t quick);
void leaf_emit_unwind(struct emitter *tables);

/* A stub for the function whose original is at `original`; `call_hook` goes into hook_call.hook. */
void stub_emit(struct emitter *code, const struct hook *call_hook, uint64_t original,
	       const struct stub_slots *slots);
void stub_emit_unwind(struct emitter *tables);

/* The instructions that gave way, and a jump to the rest of the function. `base`: the image's. */
void trampoline_emit(struct emitter *code, const struct plan *plan, uint64_t base,
		     struct plan_unwind *moved);
/* UNWIND_INFO of a trampoline of `size_bytes`, from what trampoline_emit gave; it must have slots.
 */
void trampoline_emit_unwind(struct emitter *tables, const struct plan_unwind *moved,
			    size_t size_bytes);

#endif
