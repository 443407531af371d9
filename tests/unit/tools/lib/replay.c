/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Replay: lists of events with figures known by hand, and random lists against a naive model; all
 * once more with blocks that are numbered before, as another thread does it. */

#include "tools/lib/numbers.h"
#include "tools/lib/replay.h"

#include "core/types.h"
#include "tests/lib/tap.h"

#include <string.h>

static struct replay replay;
static struct replay_process *process;
static uint64_t now_ns;

/* Blocks' happenings that wait to be applied at once: as many as chunk_count. 0: none waits. */
enum { CHUNK_MAX = 100 };
static struct trace_record chunk[CHUNK_MAX];
static size_t chunk_count, usual_count, chunk_used;
static uint32_t chunk_process;
static struct numbers *numbers; /* NULL: blocks have none */

static void flush(void)
{
	struct trace_record copies[CHUNK_MAX];

	if (numbers)
		numbers_give(numbers, chunk_process, chunk, chunk_used, copies);
	replay_apply_records(&replay, chunk_process, numbers ? copies : chunk, chunk_used);
	chunk_used = 0;
}

static void put_in_chunk(const struct trace_event *event)
{
	struct trace_record *record;

	if (event->process != chunk_process)
		flush();
	chunk_process = event->process;
	record = &chunk[chunk_used++];
	*record = (struct trace_record){ 0 };
	record->address_api = event->address | (uint64_t)event->api << 48;
	record->size_kind = event->size_bytes | (uint64_t)event->kind << 56;
	record->time_ns = event->time_ns;
	record->heap = event->heap;
	record->stack = event->stack;
	record->tid = event->tid;
	if (chunk_used == chunk_count)
		flush();
}

static void apply(struct trace_event event)
{
	event.time_ns = now_ns += 10;
	if (chunk_count && event.kind <= EVENT_ALLOCATE_FAILED) {
		put_in_chunk(&event);
		return;
	}
	flush();
	if (numbers)
		numbers_note_event(numbers, &event);
	replay_apply(&replay, &event);
}

static void begin_child(uint32_t number, uint32_t pid, uint32_t reason, uint32_t parent,
			uint64_t fork_ns)
{
	struct trace_process image = { .pid = pid,
				       .reason = reason,
				       .parent = parent,
				       .fork_ns = fork_ns,
				       .session = "",
				       .mode = "route",
				       .exe = "/bin/x",
				       .command_line = "x",
				       .comm = "x" };

	apply((struct trace_event){ .kind = TRACE_PROCESS, .process = number, .image = &image });
}

static void begin_image(uint32_t number, uint32_t pid, uint32_t reason, uint32_t parent)
{
	begin_child(number, pid, reason, parent, /* fork */ 0);
}

static void begin(const struct replay_filter *filter)
{
	static const struct replay_filter everything;

	now_ns = 1000;
	if (numbers) {
		numbers_destroy(numbers);
		numbers = numbers_create();
	}
	replay_init(&replay, filter ? filter : &everything);
	begin_image(0, 10, TRACE_REASON_START, TRACE_NO_PROCESS);
	process = replay.processes[0];
	chunk_count = usual_count;
}

static void finish(void)
{
	flush();
	replay_finish(&replay);
	ok(replay_check(process), "the figures add up");
}

static void define(uint32_t stack, uint64_t address)
{
	uint64_t addresses[] = { address, 0x1000 };

	apply((struct trace_event){
		.kind = TRACE_STACK, .stack = stack, .frames = { addresses, 2 } });
}

static void call(uint16_t kind, uint32_t tid, uint64_t address, uint64_t size, uint32_t stack)
{
	apply((struct trace_event){ .kind = kind,
				    .tid = tid,
				    .address = address,
				    .size_bytes = size,
				    .stack = stack,
				    .api = 1 });
}

static void test_basic(void)
{
	begin(NULL);
	define(1, 0x2000);
	define(2, 0x3000);
	call(EVENT_ALLOCATE, 10, 0x100, 50, 1);
	call(EVENT_ALLOCATE, 10, 0x200, 70, 2);
	call(EVENT_FREE, 10, 0x100, 0, 0);
	call(EVENT_ALLOCATE, 10, 0x300, 20, 1);
	call(EVENT_FREE, 10, 0x300, 0, 0); /* at once: temporary */
	call(EVENT_FREE, 10, 0x999, 0, 0); /* never seen */
	call(EVENT_ALLOCATE_FAILED, 10, 0, 1 << 30, 1);
	finish();
	ok_equal(process->totals.counts.calls, 3, "calls");
	ok_equal(process->totals.counts.bytes, 140, "bytes");
	ok_equal(process->totals.free_calls, 2, "frees");
	ok_equal(process->totals.unknown_frees, 1, "unknown frees");
	ok_equal(process->totals.failed_calls, 1, "failed");
	ok_equal(process->totals.counts.temporary, 1, "temporary");
	ok_equal(process->totals.peak_bytes, 120, "peak");
	ok_equal(process->totals.peak_blocks, 2, "blocks at the peak");
	ok_equal(process->totals.counts.live_bytes, 70, "live");
	ok_equal(process->sites[1].peak_bytes, 50, "peak's part of the first site");
	ok_equal(process->sites[2].peak_bytes, 70, "peak's part of the second site");
	ok_equal(process->sites[1].counts.live_bytes, 0, "the first site has no leak");
	ok_equal(process->sites[2].counts.live_bytes, 70, "the second has");
	replay_free(&replay);
}

static void test_realloc(void)
{
	begin(NULL);
	call(EVENT_ALLOCATE, 10, 0x100, 50, 0);
	call(EVENT_ALLOCATE, 10, 0x180, 1, 0);
	call(EVENT_REALLOC_BEGIN, 10, 0x100, 0, 0);
	call(EVENT_ALLOCATE, 11, 0x100, 8, 0); /* the address is free again */
	call(EVENT_REALLOC_END, 10, 0x200, 500, 0);
	ok_equal(process->totals.counts.live_bytes, 509, "live after a realloc that moved");
	ok_equal(process->totals.double_live, 0, "no address lives twice");
	call(EVENT_REALLOC_BEGIN, 10, 0x200, 0, 0);
	call(EVENT_REALLOC_FAILED, 10, 0x200, 0, 0);
	ok_equal(process->totals.counts.live_bytes, 509, "a failed realloc changes nothing");
	ok_equal(process->totals.peak_bytes, 509, "and is no peak");
	call(EVENT_REALLOC_BEGIN, 10, 0x200, 0, 0);
	call(EVENT_REALLOC_END, 10, 0, 0, 0);
	ok_equal(process->totals.counts.live_bytes, 9, "a realloc to below the limit ends it");
	call(EVENT_REALLOC_BEGIN, 10, 0, 0, 0);
	call(EVENT_REALLOC_END, 10, 0x300, 5, 0);
	ok_equal(process->totals.counts.live_bytes, 14, "realloc of nothing allocates");
	call(EVENT_ALLOCATE, 10, 0x300, 5, 0);
	ok_equal(process->totals.double_live, 1, "an address that lives twice is counted");
	ok_equal(process->totals.counts.live_bytes, 14, "and once only is it live");
	ok_equal(process->totals.realloc_calls, 2, "reallocations");
	finish();
	replay_free(&replay);
}

static void test_temporary(void)
{
	begin(NULL);
	call(EVENT_ALLOCATE, 10, 0x100, 1, 0);
	call(EVENT_ALLOCATE, 11, 0x200, 1, 0);
	call(EVENT_FREE, 10, 0x100, 0, 0);
	ok_equal(process->totals.counts.temporary, 1, "another thread's call is no next call");
	call(EVENT_FREE, 10, 0x200, 0, 0);
	ok_equal(process->totals.counts.temporary, 1, "freed by another thread: not temporary");
	call(EVENT_ALLOCATE, 10, 0x100, 1, 0);
	call(EVENT_REALLOC_BEGIN, 10, 0x100, 0, 0);
	call(EVENT_REALLOC_FAILED, 10, 0x100, 0, 0);
	ok_equal(process->totals.counts.temporary, 1, "a failed realloc releases nothing");
	call(EVENT_FREE, 10, 0x100, 0, 0);
	ok_equal(process->totals.counts.temporary, 1, "a call lay between");
	call(EVENT_ALLOCATE, 10, 0x100, 1, 0);
	call(EVENT_REALLOC_BEGIN, 10, 0x100, 0, 0);
	call(EVENT_REALLOC_END, 10, 0x100, 9, 0);
	ok_equal(process->totals.counts.temporary, 2, "a realloc releases the old block");
	finish();
	replay_free(&replay);
}

static void test_heaps(void)
{
	begin(NULL);
	apply((struct trace_event){ .kind = EVENT_HEAP_CREATE, .heap = 0x7000 });
	for (uint64_t i = 1; i <= 100; i++)
		apply((struct trace_event){ .kind = EVENT_ALLOCATE,
					    .address = i * 16,
					    .size_bytes = 2,
					    .heap = i % 2 ? 0x7000 : 0 });
	apply((struct trace_event){ .kind = EVENT_HEAP_DESTROY, .heap = 0x7000 });
	ok_equal(process->totals.destroyed_blocks, 50, "blocks go with their heap");
	ok_equal(process->totals.counts.live_bytes, 100, "the process heap's stay");
	apply((struct trace_event){ .kind = EVENT_HEAP_CREATE, .heap = 0x7000 });
	ok_equal(process->heap_count, 3, "the same handle, another heap");
	finish();
	replay_free(&replay);
}

static void test_fork_and_exec(void)
{
	begin(NULL);
	call(EVENT_ALLOCATE, 10, 0x100, 50, 0);
	apply((struct trace_event){ .kind = EVENT_VAD_RESERVE,
				    .address = 0x10000,
				    .size_bytes = 0x4000,
				    .type = MEM_RESERVE });
	begin_image(1, 11, TRACE_REASON_FORK, 0);
	struct replay_process *child = replay.processes[1];
	ok_equal(child->totals.inherited_bytes, 50, "a child inherits its parent's blocks");
	ok_equal(child->totals.counts.live_bytes, 0, "which are not its own");
	ok_equal(child->space.total.reserved_bytes, 0x4000, "and its address space");
	apply((struct trace_event){ .kind = EVENT_FREE, .process = 1, .address = 0x100 });
	ok_equal(child->totals.inherited_frees, 1, "it may release them");
	ok_equal(child->totals.unknown_frees, 0, "that is no unknown release");
	ok_equal(process->totals.counts.live_bytes, 50, "the parent's block lives on");
	begin_image(2, 12, TRACE_REASON_FORK, 0);
	struct replay_process *late = replay.processes[2];
	apply((struct trace_event){
		.kind = EVENT_ALLOCATE, .process = 2, .address = 0x100, .size_bytes = 7 });
	ok_equal(late->totals.double_live, 0, "what the parent got after the fork is no fault");
	ok_equal(late->totals.counts.live_bytes, 7, "and gives way to the child's own block");
	apply((struct trace_event){
		.kind = EVENT_ALLOCATE, .process = 2, .address = 0x100, .size_bytes = 7 });
	ok_equal(late->totals.double_live, 1, "of the child's own blocks it is one");
	apply((struct trace_event){ .kind = EVENT_FREE, .process = 2, .address = 0x900 });
	apply((struct trace_event){ .kind = TRACE_EXIT, .process = 2 });
	apply((struct trace_event){ .kind = EVENT_FREE, .process = 2, .address = 0xa00 });
	ok_equal(late->totals.unknown_frees, 1, "what LTTng releases last is not the program's");
	begin_image(3, 10, TRACE_REASON_EXEC, 0);
	ok_equal(replay.processes[3]->blocks.count, 0, "exec leaves nothing");
	finish();
	ok(replay_check(child) && replay_check(late), "the children's figures add up");
	replay_free(&replay);
}

static void mark(uint64_t fork_ns)
{
	apply((struct trace_event){ .kind = TRACE_FORK, .extra = fork_ns });
}

/* The marker comes before the child, or after it, or never. */
static void test_fork_markers(void)
{
	begin(NULL);
	call(EVENT_ALLOCATE, 10, 0x100, 50, 0);
	mark(111);
	call(EVENT_FREE, 10, 0x100, 0, 0);
	call(EVENT_ALLOCATE, 10, 0x200, 7, 0);
	begin_child(1, 11, TRACE_REASON_FORK, 0, 111);
	begin_child(2, 12, TRACE_REASON_FORK, 0, 222);
	ok_equal(replay.processes[2]->totals.inherited_blocks, 0, "a child waits for its marker");
	mark(222);
	call(EVENT_FREE, 10, 0x200, 0, 0);
	begin_child(3, 13, TRACE_REASON_FORK, 0, 333);
	apply((struct trace_event){ .kind = EVENT_FREE, .process = 3, .address = 0x200 });
	ok_equal(replay.processes[1]->totals.inherited_bytes, 50, "as of the first marker");
	ok_equal(replay.processes[2]->totals.inherited_bytes, 7, "as of the second");
	ok_equal(replay.processes[3]->totals.unknown_frees, 1, "without a marker, as of now");
	apply((struct trace_event){ .kind = EVENT_FREE, .process = 1, .address = 0x100 });
	apply((struct trace_event){ .kind = EVENT_FREE, .process = 1, .address = 0x200 });
	ok_equal(replay.processes[1]->totals.inherited_frees, 1, "what was live at the fork");
	ok_equal(replay.processes[1]->totals.unknown_frees, 1, "and what came after it");
	apply((struct trace_event){
		.kind = EVENT_ALLOCATE, .process = 2, .address = 0x200, .size_bytes = 1 });
	ok_equal(replay.processes[2]->totals.double_live, 1, "with a marker, it is evidence");
	mark(444);
	finish();
	ok_equal(replay.memory_count, 1, "a marker whose child never comes");
	replay_free(&replay);
}

/* A trace that begins in the middle: no block of before is known. */
static void test_snapshot(void)
{
	struct replay_filter window = { .begin_ns = 1 };

	begin(NULL);
	window.begin_ns = process->start_ns + 1;
	finish();
	replay_free(&replay);
	begin(&window);
	call(EVENT_FREE, 10, 0x100, 0, 0);
	call(EVENT_REALLOC_BEGIN, 10, 0x200, 0, 0);
	call(EVENT_REALLOC_END, 10, 0x300, 7, 0);
	call(EVENT_FREE, 10, 0x300, 0, 0);
	ok_equal(process->totals.older_frees, 2, "releases of blocks from before the window");
	ok_equal(process->totals.unknown_frees, 0, "which are not unknown");
	ok_equal(process->totals.counts.calls, 1, "what happens in it counts");
	ok_equal(process->totals.free_calls, 1, "its release too");
	finish();
	replay_free(&replay);
}

static void test_filters(void)
{
	struct replay_filter window = { .from_ns = 35, .to_ns = 55 };
	struct replay_filter thread = { .thread = "worker" };

	begin(&window);
	call(EVENT_ALLOCATE, 10, 0x100, 1, 0); /* 10 ns after the start */
	call(EVENT_ALLOCATE, 10, 0x200, 2, 0);
	call(EVENT_ALLOCATE, 10, 0x300, 4, 0);
	call(EVENT_ALLOCATE, 10, 0x400, 8, 0);
	call(EVENT_FREE, 10, 0x100, 0, 0);
	call(EVENT_ALLOCATE, 10, 0x500, 16, 0);
	ok_equal(process->totals.counts.bytes, 8, "only what the window holds");
	ok_equal(process->totals.unknown_frees, 0, "an earlier block is known all the same");
	finish();
	replay_free(&replay);
	begin(&thread);
	apply((struct trace_event){ .kind = TRACE_THREAD, .tid = 12, .name = "worker" });
	call(EVENT_ALLOCATE, 10, 0x100, 1, 0);
	call(EVENT_ALLOCATE, 12, 0x200, 2, 0);
	call(EVENT_FREE, 10, 0x200, 0, 0);
	call(EVENT_FREE, 12, 0x100, 0, 0);
	ok_equal(process->totals.counts.bytes, 2, "only what the thread allocated");
	ok_equal(process->totals.free_calls, 1, "and the releases of that");
	finish();
	replay_free(&replay);
}

static void test_tracer(void)
{
	struct trace_module module = { .id = 1,
				       .start = 0x5000,
				       .end = 0x6000,
				       .path = "/lib/liblttng-ust.so.1",
				       .build_id = "" };

	begin(NULL);
	apply((struct trace_event){ .kind = TRACE_MODULE, .module = &module });
	define(1, 0x5100);
	define(2, 0x7100);
	call(EVENT_ALLOCATE, 10, 0x100, 1, 1);
	call(EVENT_ALLOCATE, 10, 0x200, 2, 2);
	ok_equal(process->totals.counts.bytes, 2, "LTTng's own blocks are not the program's");
	ok_equal(process->totals.tracer_bytes, 1, "but are told");
	finish();
	replay_free(&replay);
}

/* The naive model: an array of blocks by slot, and everything counted anew for each question. */
enum { SLOTS = 200, SITES = 7, THREADS = 3, STEPS = 20000 };

static struct {
	uint64_t size;
	uint32_t site;
} model[SLOTS];

static uint64_t model_live(uint32_t site)
{
	uint64_t bytes = 0;

	for (int i = 0; i < SLOTS; i++)
		if (!site || model[i].site == site)
			bytes += model[i].size;
	return bytes;
}

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

static void step(uint64_t *peak, uint64_t at_peak[SITES + 1])
{
	unsigned slot = (unsigned)(next_random() % SLOTS);
	uint32_t tid = 10 + (uint32_t)(next_random() % THREADS);
	uint32_t site = 1 + (uint32_t)(next_random() % SITES);
	uint64_t size = 1 + next_random() % 1000;

	if (model[slot].size && next_random() % 2) {
		call(EVENT_FREE, tid, (slot + 1) * 16, 0, 0);
		model[slot].size = 0;
		return;
	}
	if (model[slot].size) {
		call(EVENT_REALLOC_BEGIN, tid, (slot + 1) * 16, 0, 0);
		call(EVENT_REALLOC_END, tid, (slot + 1) * 16, size, site);
	} else {
		call(EVENT_ALLOCATE, tid, (slot + 1) * 16, size, site);
	}
	model[slot].size = size;
	model[slot].site = site;
	if (model_live(0) <= *peak)
		return;
	*peak = model_live(0);
	for (uint32_t i = 1; i <= SITES; i++)
		at_peak[i] = model_live(i);
}

/* One event at a time (0), or in chunks of so many records. */
static void test_random(const struct replay_filter *filter, size_t records)
{
	uint64_t peak = 0, at_peak[SITES + 1] = { 0 };

	memset(model, 0, sizeof(model));
	begin(filter);
	chunk_count = records;
	for (uint32_t site = 1; site <= SITES; site++)
		define(site, 0x2000 + site);
	for (int i = 0; i < STEPS; i++)
		step(&peak, at_peak);
	finish();
	ok_equal(process->totals.peak_bytes, peak, "random: the peak");
	ok_equal(process->totals.counts.live_bytes, model_live(0), "random: live");
	for (uint32_t site = 1; site <= SITES; site++) {
		ok_equal(process->sites[site].peak_bytes, at_peak[site],
			 "random: site %u at the peak", site);
		ok_equal(process->sites[site].counts.live_bytes, model_live(site),
			 "random: site %u live", site);
	}
	ok_equal(process->totals.double_live + process->totals.unknown_frees, 0,
		 "random: nothing unknown");
	ok_equal(process->end_ns, now_ns, "random: the last moment");
	chunk_count = usual_count;
	replay_free(&replay);
}

/* What the figures of a process were. */
struct figures {
	struct replay_totals totals;
	struct replay_counts sites[SITES + 1], sizes[REPLAY_SIZE_CLASSES];
	uint64_t peaks[SITES + 1];
	size_t blocks;
	uint64_t bytes;
};

static void take_figures(struct figures *figures)
{
	memset(figures, 0, sizeof(*figures));
	figures->totals = process->totals;
	for (size_t i = 0; i <= SITES; i++) {
		figures->sites[i] = process->sites[i].counts;
		figures->peaks[i] = process->sites[i].peak_bytes;
	}
	memcpy(figures->sizes, process->sizes, sizeof(figures->sizes));
	figures->blocks = process->blocks.count;
	figures->bytes = process->blocks.size_bytes;
}

static bool was_numbered;

/* One call of a program that does everything wrong, or of a damaged trace. */
static void wild_step(void)
{
	static const uint16_t kinds[] = { EVENT_ALLOCATE,       EVENT_ALLOCATE,
					  EVENT_ALLOCATE,       EVENT_FREE,
					  EVENT_FREE,           EVENT_REALLOC_BEGIN,
					  EVENT_REALLOC_END,    EVENT_REALLOC_FAILED,
					  EVENT_ALLOCATE_FAILED };
	uint16_t kind = kinds[next_random() % (sizeof(kinds) / sizeof(kinds[0]))];

	call(kind, 10 + (uint32_t)(next_random() % THREADS), next_random() % 40 * 16,
	     next_random() % 1000, (uint32_t)(next_random() % (SITES + 1)));
}

/* Of `steps` calls; `kind`, unless 0, is an event in the middle that ends the numbers. */
static void run_wild(uint64_t seed, int steps, uint16_t kind, struct figures *figures)
{
	random_state = seed;
	begin(NULL);
	chunk_count = CHUNK_MAX;
	for (uint32_t site = 1; site <= SITES; site++)
		define(site, 0x2000 + site);
	for (int i = 0; i < steps; i++) {
		if (kind && i == steps / 2)
			apply((struct trace_event){ .kind = kind, .address = 16, .api = 1 });
		wild_step();
	}
	finish();
	take_figures(figures);
	was_numbered = process->blocks.numbered != NULL;
	replay_free(&replay);
}

static void test_numbers(void)
{
	static const uint16_t kinds[] = { 0, EVENT_HEAP_ERROR, EVENT_HEAP_DESTROY, TRACE_FORK };
	static struct figures without, with;

	for (uint64_t i = 0; i < 4; i++) {
		numbers = NULL;
		run_wild(77 + i, STEPS, kinds[i], &without);
		numbers = numbers_create();
		run_wild(77 + i, STEPS, kinds[i], &with);
		numbers_destroy(numbers);
		numbers = NULL;
		ok(was_numbered == !kinds[i], "wild calls, %d: the blocks %s numbers", (int)i,
		   kinds[i] ? "lost their" : "had");
		ok(without.totals.double_live && without.totals.unknown_frees &&
			   without.totals.counts.temporary && without.blocks,
		   "wild calls, %d: all that can go wrong does", (int)i);
		ok(!memcmp(&without, &with, sizeof(with)),
		   "wild calls, %d: the same figures with numbered blocks", (int)i);
	}
	chunk_count = 0;
}

static void test_all(void)
{
	/* A filter that leaves nothing out, but has to be asked each time. */
	static const struct replay_filter late = { .to_ns = UINT64_MAX };

	test_basic();
	test_realloc();
	test_temporary();
	test_heaps();
	test_fork_and_exec();
	test_fork_markers();
	test_filters();
	test_snapshot();
	test_tracer();
	test_random(NULL, 0);
	test_random(NULL, 1);
	test_random(NULL, CHUNK_MAX);
	test_random(&late, CHUNK_MAX);
}

int main(void)
{
	test_all();
	numbers = numbers_create();
	usual_count = 1;
	test_all();
	numbers_destroy(numbers);
	usual_count = 0;
	test_numbers();
	return tap_done();
}
