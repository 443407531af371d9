/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A walk that comes again is guessed: which one came next the last time. Where all its words are
 * what they were, it is this one. Else it is a walk by rules, from the inside out, until it meets a
 * frame of the last walk of all:
 *
 *   inner  | step | step | step | = remembered | read again | ... | outermost
 *           `----- fresh ------'  `-- still right while their words are --'
 *
 * Where the rule is CFI_COMPLEX, libunwind walks the whole stack instead (some 500 ns per frame).
 * Where it is CFI_REGISTERS, the stack of PE code is walked again with all registers.
 * Code without unwind information is assumed to keep frame pointers; in a Windows program, where
 * many compilers keep none, only what follows a call is believed to be a return address. */

#include "trace/stack/stack_elf.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <signal.h>
#include <stddef.h>

#include "trace/bracket.h"
#include "trace/stack/rules.h"
#include "trace/stack/stack_mixed.h"
#include "trace/system.h"

/* A larger gap between a frame pointer and the frame is not believed. */
#define GUESS_MAX (16u << 20)
/* In a Windows program most code keeps no frame pointer. */
#define GUESS_MAX_WINDOWS (256u << 10)
/* libunwind needs some 8 KiB for a step; less than this may be left on a signal stack. */
#define UNWIND_STACK_MIN (32u * 1024)

/* One frame, and where its caller's rbp was found. */
struct registers {
	uintptr_t pc, rsp, rbp;
	uintptr_t rbp_place;
	bool is_exact;          /* pc is not a return address */
	uintptr_t system_frame; /* of the callback that was left last; 0: none */
};

/* A walk under way.
 *  - fresh_count frames have been found;
 *  - at is the next one;
 *  - only the `candidates` outermost frames of `old` can be `at`: the others are further in. */
struct walk {
	struct registers at;
	struct history *history;
	struct history_walk *old;
	uint32_t candidates;
	uint32_t fresh_count, capacity;
	bool is_complex, needs_registers;
	bool is_guessed; /* `at` */
};

static bool is_started;
static uint32_t unwinding_count, fork_in_progress;

void stack_start(const void *host)
{
	is_started = rules_start();
	own_start(host);
}

void stack_forget(uintptr_t start, uintptr_t end)
{
	rules_forget(start, end);
	unw_flush_cache(unw_local_addr_space, (unw_word_t)start, (unw_word_t)end);
}

static bool step_standard(struct registers *at, struct cfi_rule rule, struct stack_bounds *bounds)
{
	uintptr_t cfa =
		(rule.is_cfa_of_rbp ? at->rbp : at->rsp) + (uintptr_t)(int64_t)rule.cfa_offset;

	if (rule.is_cfa_loaded && !bounds_load(bounds, cfa, &cfa))
		return false;
	if (cfa <= at->rsp)
		return false;
	if (rule.rbp != CFI_RBP_KEPT) {
		at->rbp_place = (rule.rbp == CFI_RBP_AT_CFA ? cfa : at->rbp) +
				(uintptr_t)(int64_t)rule.rbp_offset;
		if (!bounds_load(bounds, at->rbp_place, &at->rbp))
			return false;
	}
	at->rsp = cfa;
	at->is_exact = false;
	return bounds_load(bounds, cfa - 8, &at->pc);
}

/* rsp points at the ucontext: 40 bytes of head, then r8..r15 rdi rsi rbp rbx rdx rax rcx rsp rip.
 */
static bool step_signal(struct registers *at, struct stack_bounds *bounds)
{
	uintptr_t context = at->rsp;

	_Static_assert(offsetof(ucontext_t, uc_mcontext.gregs) == 40, "the kernel's signal frame");
	at->is_exact = true;
	return bounds_load(bounds, context + 40 + 8 * REG_RBP, &at->rbp) &&
	       bounds_load(bounds, context + 40 + 8 * REG_RIP, &at->pc) &&
	       bounds_load(bounds, context + 40 + 8 * REG_RSP, &at->rsp);
}

/* Where a system call has called the program back, its own caller is next. */
static bool step_callback(struct registers *at)
{
	struct mixed_system_call call = { .frame = at->system_frame };

	if (!mixed_leave_callback(&call) || call.rsp <= at->rsp)
		return false;
	*at = (struct registers){ call.pc, call.rsp, call.rbp, 0, false, call.frame };
	return true;
}

/* The processor's frame of a trap, or one that a system call's dispatcher has made. */
static bool step_stored(struct registers *at, struct cfi_rule rule, struct stack_bounds *bounds)
{
	uintptr_t base = rule.is_cfa_of_rbp ? at->rbp : at->rsp;

	at->is_exact = false;
	at->rbp_place = base + (uintptr_t)(int64_t)rule.rbp_offset;
	return bounds_load(bounds, at->rbp_place, &at->rbp) &&
	       bounds_load(bounds, base + (uintptr_t)cfi_stored_rip(rule), &at->pc) &&
	       bounds_load(bounds, base + (uintptr_t)cfi_stored_rsp(rule), &at->rsp);
}

static bool step_machine(struct registers *at, struct cfi_rule rule, struct stack_bounds *bounds)
{
	uintptr_t trap =
		(rule.is_cfa_of_rbp ? at->rbp : at->rsp) + (uintptr_t)(int64_t)rule.cfa_offset;

	if (rule.rbp == CFI_RBP_AT_CFA &&
	    !bounds_load(bounds, trap + (uintptr_t)(int64_t)rule.rbp_offset, &at->rbp))
		return false;
	at->is_exact = true;
	return bounds_load(bounds, trap, &at->pc) && bounds_load(bounds, trap + 24, &at->rsp);
}

/* Generated code: its frame pointer, if that looks like one. */
static bool step_guessed(struct registers *at, struct stack_bounds *bounds)
{
	uintptr_t frame = at->rbp;

	if (frame < at->rsp ||
	    frame - at->rsp > (mixed_has_windows() ? GUESS_MAX_WINDOWS : GUESS_MAX))
		return false;
	if (!bounds_load(bounds, frame, &at->rbp) || !bounds_load(bounds, frame + 8, &at->pc))
		return false;
	at->rbp_place = frame;
	at->rsp = frame + 16;
	at->is_exact = false;
	return true;
}

/* Moves `at` to the caller. `link` says how the same can be found again. */
static bool step(struct registers *at, struct stack_bounds *bounds, struct cfi_rule rule,
		 enum frame_link *link)
{
	at->rbp_place = 0;
	switch (rule.kind) {
	case CFI_STANDARD:
		*link = rule.is_cfa_loaded ? LINK_STEP : LINK_WORDS;
		return step_standard(at, rule, bounds);
	case CFI_NO_INFO:
		*link = LINK_WORDS;
		return step_guessed(at, bounds);
	case CFI_NO_MODULE: /* a module can appear there */
		return step_guessed(at, bounds);
	case CFI_SIGNAL:
		return step_signal(at, bounds);
	case CFI_STORED:
		return step_stored(at, rule, bounds);
	case CFI_MACHINE:
		return step_machine(at, rule, bounds);
	case CFI_CALLBACK:
		return step_callback(at);
	case CFI_END:
		*link = LINK_END;
	}
	return false;
}

/* Whether libunwind has room: always, except on a small signal stack. */
static bool has_room(void)
{
	stack_t stack = { .ss_sp = NULL };
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	system_call4(SYS_sigaltstack, 0, (long)&stack, 0, 0);
	return !(stack.ss_flags & SS_ONSTACK) || here - (uintptr_t)stack.ss_sp > UNWIND_STACK_MIN;
}

static uint32_t unwind(uintptr_t frame, uint64_t *frames, uint32_t capacity)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t pc, rsp;
	uint32_t count = 0;

	if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0)
		return 0;
	while (count < capacity && unw_step(&cursor) > 0) {
		if (unw_get_reg(&cursor, UNW_REG_IP, &pc) != 0 || pc == 0 ||
		    unw_get_reg(&cursor, UNW_REG_SP, &rsp) != 0)
			break;
		if (count > 0 || (rsp > frame && !own_has(pc)))
			frames[count++] = pc;
	}
	return count;
}

static uint32_t unwind_unless_forking(const struct stack_start *start, uint64_t *frames,
				      uint32_t capacity)
{
	uint32_t count = 0;

	__atomic_fetch_add(&unwinding_count, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&fork_in_progress, __ATOMIC_SEQ_CST))
		count = unwind(start->frame, frames, capacity);
	__atomic_fetch_sub(&unwinding_count, 1, __ATOMIC_SEQ_CST);
	return count;
}

/* The whole walk again, with libunwind. */
static __attribute__((noinline)) uint32_t walk_complex(const struct stack_start *start,
						       uint64_t *frames, uint32_t capacity)
{
	uint32_t count = 0;
	uintptr_t before;
	uint64_t mask;

	if (!has_room())
		return 0;
	mask = system_block_signals();
	before = bracket_call_out((uintptr_t)__builtin_frame_address(0), BRACKET_TO_LIBUNWIND);
	count = unwind_unless_forking(start, frames, capacity);
	bracket_call_ended(before);
	system_restore_signals(mask);
	return count;
}

/* The frame that `at` is, remembered: its position plus one; 0 when there is none. */
static inline uint32_t find_remembered(struct walk *walk, const struct registers *at)
{
	const struct history_frame *frame;

	while (walk->candidates > 0 && walk->old->frames[walk->candidates - 1].rsp < at->rsp)
		walk->candidates--;
	if (walk->candidates == 0)
		return 0;
	frame = &walk->old->frames[walk->candidates - 1];
	return history_is_at(frame, at->rsp, at->rbp, at->is_exact) &&
			       *history_pc(walk->old, walk->candidates - 1) == at->pc
		       ? walk->candidates
		       : 0;
}

static bool has_space(const struct walk *walk)
{
	return walk->fresh_count < HISTORY_FRAMES_MAX && walk->fresh_count < walk->capacity;
}

static uint8_t use_of_rbp(struct cfi_rule rule, uint8_t link)
{
	if (link == LINK_END)
		return RBP_RELOADED;
	if (link != LINK_WORDS || rule.kind != CFI_STANDARD || rule.is_cfa_of_rbp ||
	    rule.rbp == CFI_RBP_AT_RBP)
		return RBP_USED;
	return rule.rbp == CFI_RBP_AT_CFA ? RBP_RELOADED : RBP_KEPT;
}

/* How the caller of `frame` is found again, now that a step has led to `at`. */
static void set_link(struct history_frame *frame, const struct registers *at, struct cfi_rule rule,
		     bool is_found, enum frame_link link)
{
	frame->rbp_place = at->rbp_place;
	frame->link = is_found || link == LINK_END ? (uint8_t)link : LINK_STEP;
	frame->rbp_use = use_of_rbp(rule, frame->link);
	if (is_found && at->pc == 0 && link == LINK_WORDS) {
		frame->link = LINK_ZERO;
		frame->rbp_use = rule.is_cfa_of_rbp ? RBP_USED : RBP_RELOADED;
		frame->rbp_place = at->rsp - 8;
	}
}

/* Whether `at`, which was guessed or is in no module, is added. */
static bool is_believed(const struct walk *walk, struct cfi_rule rule)
{
	return walk->at.is_exact || !mixed_has_windows() || rule.follows_call;
}

static struct history_frame *add(struct walk *walk)
{
	const struct registers *at = &walk->at;
	struct history_fresh *fresh = &walk->history->fresh[walk->fresh_count++];

	fresh->pc = at->pc;
	fresh->frame.rsp = at->rsp;
	fresh->frame.rbp = at->rbp;
	fresh->frame.is_exact = at->is_exact;
	return &fresh->frame;
}

/* Adds `at` and moves to its caller; false when there is none. */
static bool add_and_step(struct walk *walk)
{
	struct registers *at = &walk->at;
	struct cfi_rule rule = rules_find(at->pc - !at->is_exact, at->is_exact);
	enum frame_link link = LINK_STEP;
	struct history_frame *frame;
	bool is_found;

	if (__builtin_expect(walk->is_guessed || rule.kind == CFI_NO_MODULE, 0) &&
	    !is_believed(walk, rule))
		return false;
	frame = add(walk);
	is_found = step(at, &walk->history->bounds, rule, &link);
	set_link(frame, at, rule, is_found, link);
	walk->is_guessed = rule.kind == CFI_NO_INFO || rule.kind == CFI_NO_MODULE;
	walk->is_complex = rule.kind == CFI_COMPLEX;
	walk->needs_registers = rule.kind == CFI_REGISTERS;
	return is_found && at->pc != 0;
}

/* Adds the remembered frames from `position` to, but without, `end`, and moves there. What was
 * not looked at, the rbp of some, is read again. */
static void add_remembered(struct walk *walk, uint32_t position, uint32_t end)
{
	struct history_walk *old = walk->old;
	uintptr_t rbp = walk->at.rbp;

	for (; position > end && has_space(walk); position--) {
		const struct history_frame *frame = &old->frames[position];
		struct history_fresh *fresh = &walk->history->fresh[walk->fresh_count];

		fresh->pc = *history_pc(old, position);
		fresh->frame = *frame;
		fresh->frame.rbp = rbp;
		if (frame->rbp_place != 0 &&
		    !bounds_load(&walk->history->bounds, frame->rbp_place, &rbp))
			break;
		walk->fresh_count++;
	}
	walk->at = (struct registers){
		*history_pc(old, position),     old->frames[position].rsp, rbp, 0,
		old->frames[position].is_exact, walk->at.system_frame
	};
	walk->candidates = position;
	walk->is_guessed = false;
}

/* From a remembered frame on. True: the whole outer part stays, up to the end of the stack. */
static bool follow(struct walk *walk, uint32_t position)
{
	struct history_walk *old = walk->old;
	uint32_t end = history_follow(old, position, &walk->history->bounds);
	uint32_t kept = position + 1, total = walk->fresh_count + kept;

	if (end == 0 && history_has_end(old, &walk->history->bounds) &&
	    total <= HISTORY_FRAMES_MAX && total <= walk->capacity)
		return true;
	add_remembered(walk, position, end);
	return false;
}

/* Whether a word of the stack is where it can be read without a question. */
static inline bool is_known(struct stack_bounds known, uintptr_t address)
{
	return (address & 7) == 0 && address - known.low < known.high - known.low;
}

/* What one usual step leads to: by a quick code over words that are known to be there. False: it
 * is none. `at` is what `from` becomes. */
static inline __attribute__((always_inline)) bool step_usual(const struct registers *from,
							     uint32_t code,
							     struct stack_bounds known,
							     struct registers *at)
{
	uintptr_t cfa = rules_quick_cfa(code, from->rsp, from->rbp);
	uintptr_t saved = rules_quick_saved(code);

	if (code == 0 || cfa <= from->rsp || !is_known(known, cfa - 8))
		return false;
	*at = (struct registers){ .pc = *(const uintptr_t *)(cfa - 8),
				  .rsp = cfa,
				  .rbp = from->rbp };
	if (saved) {
		at->rbp_place = cfa - 8 - 8 * saved;
		if (!is_known(known, at->rbp_place))
			return false;
		at->rbp = *(const uintptr_t *)at->rbp_place;
	}
	return at->pc != 0;
}

static inline uint8_t use_of_rbp_quickly(uint32_t code)
{
	if (code & 1)
		return RBP_USED;
	return rules_quick_saved(code) ? RBP_RELOADED : RBP_KEPT;
}

static inline bool is_usual(const struct walk *walk)
{
	return !walk->at.is_exact && !walk->is_guessed && walk->at.system_frame == 0;
}

/* Adds `at`, which is usual, and moves to its caller; false, and nothing done: ask add_and_step. */
static inline __attribute__((always_inline)) bool add_usual_one(struct walk *walk,
								struct registers *at,
								struct stack_bounds known)
{
	uint32_t code = rules_look(at->pc - 1);
	struct history_fresh *fresh = &walk->history->fresh[walk->fresh_count];
	struct registers next;

	if (!step_usual(at, code, known, &next))
		return false;
	fresh->pc = at->pc;
	fresh->frame = (struct history_frame){ .rsp = at->rsp,
					       .rbp = at->rbp,
					       .rbp_place = next.rbp_place,
					       .link = LINK_WORDS,
					       .rbp_use = use_of_rbp_quickly(code) };
	walk->fresh_count++;
	*at = next;
	return true;
}

/* As find_remembered and add_and_step in turn, for what most frames are. Ends where either of them
 * has something else to do. */
static void add_usual(struct walk *walk)
{
	struct stack_bounds known = walk->history->bounds;
	struct registers at = walk->at;
	uint32_t room = HISTORY_FRAMES_MAX < walk->capacity ? HISTORY_FRAMES_MAX : walk->capacity;

	while (walk->fresh_count < room && !find_remembered(walk, &at) &&
	       add_usual_one(walk, &at, known))
		;
	walk->at = at;
}

/* Adds `at`, be it remembered, and moves to its caller. */
static bool step_out(struct walk *walk)
{
	if (is_usual(walk) && add_usual_one(walk, &walk->at, walk->history->bounds))
		return true;
	return add_and_step(walk);
}

/* Finds the frames; how many outer ones of `old` follow them. */
static uint32_t find_frames(struct walk *walk)
{
	do {
		uint32_t found;

		if (is_usual(walk))
			add_usual(walk);
		found = find_remembered(walk, &walk->at);
		if (found && follow(walk, found - 1))
			return found;
	} while (has_space(walk) && step_out(walk) && has_space(walk));
	return 0;
}

static struct stack_trace result_of(struct history_walk *walk)
{
	return (struct stack_trace){
		.frames = walk->pcs + HISTORY_FRAMES_MAX - walk->count,
		.count = walk->count,
		.hash = walk->count ? walk->frames[walk->count - 1].hash : 0,
		.known = &walk->known,
	};
}

/* libunwind's frames, where it has found more of them: where both agree they are the same. */
static struct stack_trace result_of_complex(const struct stack_start *start, uint32_t capacity,
					    struct stack_trace own)
{
	uint64_t *frames = start->history->unwound;
	uint32_t count = walk_complex(start, frames, capacity);

	if (count <= own.count)
		return own;
	return (struct stack_trace){ frames, count, stack_hash(frames, count), NULL };
}

/* For developers: the wrong stack of an event is hard to find later. */
static void check_remembered(const struct history_walk *walk)
{
#ifdef VADTRACE_CHECKS
	if (!history_is_valid(walk))
		__builtin_trap();
#endif
}

static bool load(void *bounds, uint64_t address, uint64_t *value)
{
	uintptr_t word;

	if (!bounds_load(bounds, address, &word))
		return false;
	*value = word;
	return true;
}

static struct pe_context context_of(const struct trace_caller *caller)
{
	return (struct pe_context){ caller->rip,
				    { [PE_RBX] = caller->rbx,
				      [PE_RSP] = caller->rsp,
				      [PE_RBP] = caller->rbp,
				      [6] = caller->rsi,
				      [7] = caller->rdi,
				      [12] = caller->r12,
				      [13] = caller->r13,
				      [14] = caller->r14,
				      [15] = caller->r15 } };
}

/* The whole walk again, through PE code only, with all registers. */
static __attribute__((noinline)) uint32_t walk_registers(const struct stack_start *start,
							 uint64_t *frames, uint32_t capacity)
{
	struct pe_context context = context_of(start->caller);
	struct pe_frame frame;
	bool is_exact = false;
	uint32_t count = 0;

	while (count < capacity && context.rip != 0) {
		uint64_t stack = context.registers[PE_RSP];

		frames[count++] = context.rip;
		if (!mixed_find_frame(context.rip - !is_exact, is_exact, &frame) ||
		    !pe_frame_apply(&frame, &context, load, &start->history->bounds))
			break;
		is_exact = frame.kind == PE_MACHINE;
		if (context.registers[PE_RSP] <= stack && !is_exact)
			break;
	}
	return count;
}

static struct stack_trace result_of_registers(const struct stack_start *start, uint32_t capacity,
					      struct stack_trace own)
{
	uint64_t *frames = start->history->unwound;
	uint32_t count = start->caller ? walk_registers(start, frames, capacity) : 0;

	if (count <= own.count)
		return own;
	return (struct stack_trace){ frames, count, stack_hash(frames, count), NULL };
}

/* The first frame. */
static inline struct registers first_of(const struct stack_start *start)
{
	const uintptr_t *frame = (const uintptr_t *)start->frame;
	const struct trace_caller *caller = start->caller;

	if (__builtin_expect(caller != NULL, 0))
		return (struct registers){ caller->rip, caller->rsp, caller->rbp, 0, false, 0 };
	return (struct registers){ frame[1], start->frame + 16, frame[0], 0, false, 0 };
}

static struct stack_trace nothing(const struct stack_start *start)
{
	return (struct stack_trace){ .frames = start->history->unwound };
}

/* Steps over our own frames, and remembers the way if rsp alone leads it. False: it has no end, or
 * one that only libunwind finds. */
static __attribute__((noinline)) bool learn_way(struct history *history, struct registers *at,
						struct cfi_rule *rule)
{
	struct own_frame first = { at->pc, at->rsp, at->rbp };
	struct own_way way = { .count = 0 };
	bool is_by_rsp = true;

	for (int i = 0; i < HISTORY_FRAMES_MAX && own_has(at->pc); i++) {
		enum frame_link link = LINK_STEP;

		*rule = rules_find(at->pc - 1, /* is_exact */ false);
		if (!step(at, &history->bounds, *rule, &link))
			return false;
		is_by_rsp &= use_of_rbp(*rule, (uint8_t)link) != RBP_USED;
		own_way_add(&way, &first, &(struct own_frame){ at->pc, at->rsp, at->rbp },
			    at->rbp_place);
	}
	if (is_by_rsp)
		own_keep(&history->own_ways, &way, first.pc);
	return !own_has(at->pc);
}

/* Moves out of our own object. */
static inline bool leave_own(struct history *history, struct registers *at, struct cfi_rule *rule)
{
	struct own_frame frame = { at->pc, at->rsp, at->rbp };

	if (!own_leave(&history->own_ways, &frame))
		return learn_way(history, at, rule);
	*at = (struct registers){ frame.pc, frame.rsp, frame.rbp, 0, false, 0 };
	return true;
}

/* Whether a walk from here would find what the last one found: it begins at the same registers,
 * all words are what they were, and it ends where the stack does or the capacity. */
static inline bool is_as_before(struct history_walk *old, const struct registers *at,
				struct stack_bounds *bounds, uint32_t capacity)
{
	uint32_t inner = old->count - 1;
	const struct history_frame *first = &old->frames[inner];

	return old->count > 0 && history_is_at(first, at->rsp, at->rbp, at->is_exact) &&
	       *history_pc(old, inner) == at->pc && old->count <= capacity &&
	       history_follow(old, inner, bounds) == 0 &&
	       (old->count == capacity || history_has_end(old, bounds));
}

/* Of two walks the one that was not found for longer. */
static uint8_t older(const struct history *history, struct history_pair places)
{
	uint32_t one = history->turn - history->turns[places.one];
	uint32_t other = history->turn - history->turns[places.other];

	return one > other ? places.one : places.other;
}

static bool is_kept(struct history *history, uint8_t index, uint32_t hash,
		    const struct registers *first, uint32_t capacity)
{
	return history->hashes[index] == hash &&
	       is_as_before(&history->walks[index], first, &history->bounds, capacity);
}

/* Remembers what was found, unless it is remembered already. Where. */
static uint8_t keep(struct walk *walk, uint32_t kept, const struct registers *first)
{
	struct history *history = walk->history;
	uint32_t hash = history_hash(walk->old, kept, history->fresh, walk->fresh_count);
	struct history_pair places = history_places(hash, first->rsp);
	uint8_t index;

	if (is_kept(history, places.one, hash, first, walk->capacity))
		return places.one;
	if (is_kept(history, places.other, hash, first, walk->capacity))
		return places.other;
	index = older(history, places);
	history->hashes[index] = hash;
	history->turns[index] = history->turn;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	history_replace(&history->walks[index], walk->old, kept, history->fresh, walk->fresh_count);
	check_remembered(&history->walks[index]);
	return index;
}

/* The guess was wrong. */
static __attribute__((noinline)) struct stack_trace walk_anew(const struct stack_start *start,
							      uint32_t capacity,
							      const struct registers *at,
							      uint8_t *guess)
{
	struct history *history = start->history;
	struct history_walk *old = &history->walks[history->last];
	struct walk walk = {
		.at = *at,
		.history = history,
		.old = old,
		.candidates = old->count,
		.capacity = capacity,
	};
	uint32_t kept = find_frames(&walk);
	uint8_t index = history->last;
	struct stack_trace found;

	history->turn = (history->turn + 2) | 1;
	if (walk.fresh_count > 0 || kept < old->count)
		index = keep(&walk, kept, at);
	history->turns[index] = history->turn;
	*guess = index;
	history->last = index;
	found = result_of(&history->walks[index]);
	if (walk.is_complex)
		return result_of_complex(start, capacity, found);
	if (walk.needs_registers)
		return result_of_registers(start, capacity, found);
	return found;
}

struct stack_trace stack_walk(const struct stack_start *start, uint32_t capacity)
{
	struct registers at = first_of(start);
	struct cfi_rule rule = { .kind = CFI_UNKNOWN };
	struct history *history = start->history;
	uint64_t epoch = rules_epoch();
	struct history_walk *old;
	uint8_t *guess;

	if (!is_started || capacity == 0)
		return nothing(start);
	if (own_has(at.pc) && !leave_own(history, &at, &rule))
		return rule.kind == CFI_COMPLEX ? result_of_complex(start, capacity, nothing(start))
						: nothing(start);
	if (at.pc == 0)
		return nothing(start);
	if (__builtin_expect(history->epoch != epoch, 0))
		history_renew(history, epoch);
	guess = history_guess(history, start->frame, at.pc);
	old = &history->walks[*guess];
	if (is_as_before(old, &at, &history->bounds, capacity)) {
		history->last = *guess;
		return result_of(old);
	}
	return walk_anew(start, capacity, &at, guess);
}

uint64_t stack_find_caller(const struct stack_start *start)
{
	struct registers at = first_of(start);
	struct cfi_rule rule = { .kind = CFI_UNKNOWN };

	if (!is_started || (own_has(at.pc) && !leave_own(start->history, &at, &rule)))
		return 0;
	return at.pc;
}

uint32_t stack_unwind(const struct stack_start *start, uint64_t *frames, uint32_t capacity)
{
	return start->caller ? walk_registers(start, frames, capacity)
			     : walk_complex(start, frames, capacity);
}

void stack_fork_begin(void)
{
	__atomic_store_n(&fork_in_progress, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 10000; i++) {
		if (__atomic_load_n(&unwinding_count, __ATOMIC_SEQ_CST) == 0)
			break;
		system_sleep_ns(10000);
	}
}

void stack_fork_end(bool is_child)
{
	if (is_child) {
		__atomic_store_n(&unwinding_count, 0, __ATOMIC_SEQ_CST);
		rules_fork_child();
	}
	__atomic_store_n(&fork_in_progress, 0, __ATOMIC_SEQ_CST);
}
