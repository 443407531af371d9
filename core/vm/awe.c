/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Windows and what is mapped in them, from both sides:
 *
 *   window   page   0     1     2     3          frame word
 *            number 7     -     8     -          7: page 0's address    8: page 2's    9: none
 *
 * A call marks all its pages and frames, which finds those that are named twice and tells a frame
 * that only moves from one that is in use elsewhere; then asks the system run by run, and puts all
 * back when it refuses one; then writes everything down, which cannot fail. Guarded by: vm_lock. */

#include "core/vm/awe.h"

#include <errno.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/status.h"
#include "core/vm/frames.h"
#include "core/vm/machine.h"
#include "core/vm/mapping.h"
#include "core/vm/numa.h"
#include "core/vm/region.h"

#define COUNT_MAX (OS_USER_END / OS_PAGE_SIZE)
/* Of a window's slot: no frame has such a number. */
#define SLOT_MARK ((uintptr_t)1 << 63)
#define STATE_MAPPED (MEM_COMMIT | PAGE_READWRITE)

/* The frames in one region.
 *  - numbers[i] is the frame at page i, 0 when there is none; its word has that page's address;
 *  - mapped_count of them are not 0.
 * Guarded by: vm_lock. */
struct awe_window {
	size_t page_count;
	size_t mapped_count;
	uintptr_t numbers[];
};

/* One call: arrays of `count` each, in memory of ours. */
struct job {
	size_t count;
	uintptr_t *pages;   /* addresses */
	uintptr_t *numbers; /* the frame that each page gets; 0: none */
	uintptr_t *before;  /* the one that it had */
	const struct vm_request *request;
};

/* --- Addresses ------------------------------------------------------------------------------- */

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	return pager_linux.get(address, size_bytes, state);
}

static int put(void *address, size_t size_bytes)
{
	return pager_linux.put(address, size_bytes);
}

static int refuse_state(void *address, size_t size_bytes, uint32_t state)
{
	(void)address, (void)size_bytes, (void)state;
	return -EINVAL;
}

static int refuse_drop(void *address, size_t size_bytes)
{
	(void)address, (void)size_bytes;
	return -EEXIST;
}

static int refuse_discard(void *address, size_t size_bytes)
{
	(void)address, (void)size_bytes;
	return -EINVAL;
}

static int reset(void *address, size_t size_bytes)
{
	(void)address, (void)size_bytes;
	return 0;
}

const struct pager awe_pager = {
	.get = get,
	.put = put,
	.set = refuse_state,
	.drop = refuse_drop,
	.discard = refuse_discard,
	.reset = reset,
	.has_parts = true,
	.features = MEM_PHYSICAL,
};

/* --- Windows --------------------------------------------------------------------------------- */

static size_t window_bytes(size_t page_count)
{
	return sizeof(struct awe_window) + page_count * sizeof(uintptr_t);
}

/* The region's window, made when it is first needed; NULL: no memory. */
static struct awe_window *window_of(struct vad *vad)
{
	size_t page_count = vad->pages.end_page - vad->pages.first_page;

	if (!vad->window) {
		vad->window = arena_pages(window_bytes(page_count));
		if (vad->window)
			vad->window->page_count = page_count;
	}
	return vad->window;
}

static void window_free(struct awe_window *window)
{
	arena_pages_free(window, window_bytes(window->page_count));
}

void awe_end(struct awe_window *window)
{
	if (!window)
		return;
	for (size_t i = 0; window->mapped_count; i++) {
		if (!window->numbers[i])
			continue;
		*frames_find(window->numbers[i]) = FRAME_IS_TAKEN;
		window->mapped_count--;
	}
	window_free(window);
}

static struct vad *find_vad(uintptr_t page)
{
	struct vad *vad = vad_find(page);

	return vad && vad->origin == VAD_ORIGIN_VIRTUAL && vad->pager == &awe_pager ? vad : NULL;
}

/* Of a page in a window that is there. */
static uintptr_t *slot_of(const struct vad *vad, uintptr_t page)
{
	return &vad->window->numbers[(page - vad_base(vad)) / OS_PAGE_SIZE];
}

static uintptr_t *find_slot(uintptr_t page)
{
	return slot_of(find_vad(page), page);
}

/* --- What a call may do ---------------------------------------------------------------------- */

static void unmark_pages(const struct job *job, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*find_slot(job->pages[i]) &= ~SLOT_MARK;
}

static NTSTATUS mark_page(uintptr_t page)
{
	struct vad *vad = find_vad(page);
	uintptr_t *slot;

	if (!vad)
		return STATUS_INVALID_PARAMETER;
	if (!window_of(vad))
		return STATUS_NO_MEMORY;
	slot = slot_of(vad, page);
	if (*slot & SLOT_MARK)
		return STATUS_INVALID_PARAMETER;
	*slot |= SLOT_MARK;
	return STATUS_SUCCESS;
}

static NTSTATUS mark_pages(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		NTSTATUS status = mark_page(job->pages[i]);

		if (!status_is_success(status)) {
			unmark_pages(job, i);
			return status;
		}
	}
	return STATUS_SUCCESS;
}

static void unmark_frames(const uintptr_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (numbers[i])
			*frames_find(numbers[i]) &= ~FRAME_MARK;
	}
}

/* A frame that is mapped may be mapped anew only if this call ends that mapping. */
static bool is_free_to_map(frame_word word)
{
	uintptr_t page = frame_mapped_at(word);

	return !page || *find_slot(page) & SLOT_MARK;
}

static bool mark_frame(uintptr_t number)
{
	frame_word *word = frames_find(number);

	if (!word || *word & FRAME_MARK)
		return false;
	*word |= FRAME_MARK;
	return true;
}

static NTSTATUS check_frames(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		if (!job->numbers[i])
			continue;
		if (!mark_frame(job->numbers[i])) {
			unmark_frames(job->numbers, i);
			return STATUS_INVALID_PARAMETER;
		}
		if (!is_free_to_map(*frames_find(job->numbers[i]))) {
			unmark_frames(job->numbers, i + 1);
			return STATUS_INVALID_PARAMETER;
		}
	}
	unmark_frames(job->numbers, job->count);
	return STATUS_SUCCESS;
}

static NTSTATUS check_job(const struct job *job)
{
	NTSTATUS status = mark_pages(job);

	if (!status_is_success(status))
		return status;
	status = check_frames(job);
	unmark_pages(job, job->count);
	return status;
}

/* --- What it does ---------------------------------------------------------------------------- */

/* The end of the run from `i` on that one system call can map. */
static size_t end_of_run(const struct job *job, const uintptr_t *numbers, size_t i, size_t end)
{
	size_t j = i + 1;

	while (j < end && job->pages[j] == job->pages[j - 1] + OS_PAGE_SIZE &&
	       (numbers[i] ? frames_are_neighbours(numbers[j - 1], numbers[j]) : !numbers[j]))
		j++;
	return j;
}

/* Maps pages up to `end`, and says at which it stopped. */
static int place(const struct job *job, const uintptr_t *numbers, size_t end, size_t *stopped)
{
	int error = 0;

	for (size_t i = 0, j; i < end; i = j) {
		void *address = (void *)job->pages[i];

		j = end_of_run(job, numbers, i, end);
		if (numbers[i])
			error = frames_map(numbers[i], j - i, address);
		else
			error = pager_linux.drop(address, (j - i) * OS_PAGE_SIZE);
		*stopped = i;
		if (error < 0)
			return error;
	}
	return 0;
}

static void record_pages(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		struct vad *vad = find_vad(job->pages[i]);

		if (!job->before[i])
			continue;
		*frames_find(job->before[i]) = FRAME_IS_TAKEN;
		*slot_of(vad, job->pages[i]) = 0;
		vad->window->mapped_count--;
	}
	for (size_t i = 0; i < job->count; i++) {
		struct vad *vad = find_vad(job->pages[i]);

		if (!job->numbers[i])
			continue;
		*frames_find(job->numbers[i]) = job->pages[i] | FRAME_IS_TAKEN;
		*slot_of(vad, job->pages[i]) = job->numbers[i];
		vad->window->mapped_count++;
	}
}

/* The states of the pages, a run at a time, inside one region each. */
static void record_states(const struct job *job)
{
	for (size_t i = 0, j; i < job->count; i = j) {
		struct vad *vad = find_vad(job->pages[i]);
		bool is_mapped = job->numbers[i] != 0;

		for (j = i + 1; j < job->count; j++) {
			if (job->pages[j] != job->pages[j - 1] + OS_PAGE_SIZE ||
			    job->pages[j] == vad_end(vad) || (job->numbers[j] != 0) != is_mapped)
				break;
		}
		mapping_set_state(vad, job->pages[i], job->pages[j - 1] + OS_PAGE_SIZE,
				  is_mapped ? STATE_MAPPED : MEM_RESERVE, job->request->api);
	}
}

/* All of the job's pages lie in windows. */
static NTSTATUS apply(const struct job *job)
{
	size_t stopped = 0;
	int error;

	for (size_t i = 0; i < job->count; i++)
		job->before[i] = *find_slot(job->pages[i]);
	if (!pagestate_prepare_many(job->count))
		return STATUS_NO_MEMORY;
	error = place(job, job->numbers, job->count, &stopped);
	if (error < 0) {
		place(job, job->before, stopped, &stopped);
		return status_from_os(error);
	}
	record_pages(job);
	record_states(job);
	pagestate_drop_spares();
	return STATUS_SUCCESS;
}

static bool job_begin(struct job *job, size_t count, const struct vm_request *request)
{
	uintptr_t *arrays = arena_pages(3 * count * sizeof *arrays);

	*job = (struct job){ .count = count,
			     .pages = arrays,
			     .numbers = arrays + count,
			     .before = arrays + 2 * count,
			     .request = request };
	return arrays != NULL;
}

static void job_end(const struct job *job, size_t count)
{
	arena_pages_free(job->pages, 3 * count * sizeof *job->pages);
}

/* --- Calls ----------------------------------------------------------------------------------- */

static NTSTATUS read_mapping(const struct awe_mapping *mapping, const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		uintptr_t address = mapping->addresses
					    ? (uintptr_t)mapping->addresses[i]
					    : (uintptr_t)mapping->base + i * OS_PAGE_SIZE;

		job->pages[i] = address & ~(OS_PAGE_SIZE - 1);
		if (!mapping->numbers)
			continue;
		job->numbers[i] = mapping->numbers[i];
		if (!job->numbers[i])
			return STATUS_INVALID_PARAMETER;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS map_locked(const struct job *job)
{
	NTSTATUS status = check_job(job);

	return status_is_success(status) ? apply(job) : status;
}

NTSTATUS awe_map(const struct awe_mapping *mapping, const struct vm_request *request)
{
	struct job job;
	NTSTATUS status;

	if (mapping->count == 0)
		return STATUS_SUCCESS;
	if (mapping->count > COUNT_MAX)
		return STATUS_INVALID_PARAMETER;
	if (!job_begin(&job, mapping->count, request))
		return STATUS_NO_MEMORY;
	status = read_mapping(mapping, &job);
	if (status_is_success(status)) {
		lock_acquire(&vm_lock);
		status = map_locked(&job);
		lock_release(&vm_lock);
	}
	job_end(&job, mapping->count);
	return status;
}

/* The end of the run of consecutive numbers from `i` on. */
static size_t end_of_numbers(const uintptr_t *numbers, size_t i, size_t end)
{
	size_t j = i + 1;

	while (j < end && frames_are_neighbours(numbers[j - 1], numbers[j]))
		j++;
	return j;
}

static void give_back_locked(const uintptr_t *numbers, size_t begin, size_t end)
{
	for (size_t i = begin, j; i < end; i = j) {
		j = end_of_numbers(numbers, i, end);
		frames_give_back(numbers[i], j - i);
	}
}

/* Gets memory for frames, run by run; returns for how many there was. */
static size_t populate(const uintptr_t *numbers, size_t count, uint16_t node)
{
	for (size_t i = 0, j; i < count; i = j) {
		uintptr_t base = frames_address(numbers[i]);

		j = end_of_numbers(numbers, i, count);
		numa_bind(base, base + (j - i) * OS_PAGE_SIZE, node);
		if (frames_populate(numbers[i], j - i) < 0)
			return i;
	}
	return count;
}

/* More than there is memory for is not even tried: the system might end the process for it. */
static size_t possible_count(size_t wanted)
{
	struct machine_memory memory;
	size_t most = COUNT_MAX;

	if (machine_memory(&memory) == 0)
		most = memory.available / OS_PAGE_SIZE;
	return wanted < most ? wanted : most;
}

static size_t take(uintptr_t *numbers, size_t wanted, uint16_t node)
{
	size_t taken, got;

	lock_acquire(&vm_lock);
	taken = frames_take(numbers, wanted);
	lock_release(&vm_lock);
	got = populate(numbers, taken, node);
	if (got < taken) {
		lock_acquire(&vm_lock);
		give_back_locked(numbers, got, taken);
		lock_release(&vm_lock);
	}
	return got;
}

NTSTATUS awe_allocate(uintptr_t *numbers, size_t *count, uint16_t node)
{
	size_t wanted = possible_count(*count), got;
	uintptr_t *copy;

	if (*count == 0)
		return STATUS_SUCCESS;
	copy = wanted ? arena_pages(wanted * sizeof *copy) : NULL;
	if (!copy)
		return STATUS_NO_MEMORY;
	got = take(copy, wanted, node);
	for (size_t i = 0; i < got; i++)
		numbers[i] = copy[i];
	arena_pages_free(copy, wanted * sizeof *copy);
	if (got == 0)
		return STATUS_NO_MEMORY;
	*count = got;
	return STATUS_SUCCESS;
}

/* How many of the numbers, from the first one on, are held and named once. */
static size_t count_held(const uintptr_t *numbers, size_t count)
{
	size_t held = 0;

	while (held < count && mark_frame(numbers[held]))
		held++;
	unmark_frames(numbers, held);
	return held;
}

/* A job that unmaps those of the frames that are mapped. */
static void list_mapped(const uintptr_t *numbers, size_t count, struct job *job)
{
	job->count = 0;
	for (size_t i = 0; i < count; i++) {
		uintptr_t page = frame_mapped_at(*frames_find(numbers[i]));

		if (page)
			job->pages[job->count++] = page;
	}
}

static NTSTATUS free_locked(const uintptr_t *numbers, size_t *count, struct job *job)
{
	size_t held = count_held(numbers, *count);
	NTSTATUS status = held == *count ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, unmapped;

	list_mapped(numbers, held, job);
	unmapped = apply(job);
	*count = 0;
	if (!status_is_success(unmapped))
		return unmapped;
	give_back_locked(numbers, 0, held);
	*count = held;
	return status;
}

NTSTATUS awe_free(const uintptr_t *numbers, size_t *count, const struct vm_request *request)
{
	size_t asked = *count, freed = asked;
	uintptr_t *copy;
	struct job job;
	NTSTATUS status;

	if (asked == 0)
		return STATUS_SUCCESS;
	*count = 0;
	if (asked > COUNT_MAX)
		return STATUS_INVALID_PARAMETER;
	copy = arena_pages(asked * sizeof *copy);
	if (!copy)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < asked; i++)
		copy[i] = numbers[i];
	status = job_begin(&job, asked, request) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	if (status_is_success(status)) {
		lock_acquire(&vm_lock);
		status = free_locked(copy, &freed, &job);
		lock_release(&vm_lock);
		job_end(&job, asked);
		*count = freed;
	}
	arena_pages_free(copy, asked * sizeof *copy);
	return status;
}

/* --- Fork, check ----------------------------------------------------------------------------- */

static void empty_window(struct vad *vad)
{
	pager_linux.drop((void *)vad_base(vad), vad_end(vad) - vad_base(vad));
	pagestate_set(&vad->pages, vad->pages.first_page, vad->pages.end_page, MEM_RESERVE);
	window_free(vad->window);
	vad->window = NULL;
}

void awe_fork_child(void)
{
	if (frames_count() == 0)
		return;
	for (struct vad *vad = vad_find_from(0); vad; vad = vad_next(vad)) {
		if (vad->pager == &awe_pager && vad->window)
			empty_window(vad);
	}
	frames_forget();
}

static void check_window(const struct vad *vad)
{
	size_t mapped = 0;

	for (size_t i = 0; i < vad->window->page_count; i++) {
		uintptr_t page = vad_base(vad) + i * OS_PAGE_SIZE, number = vad->window->numbers[i];
		uint32_t state = pagestate_run(&vad->pages, region_page(page)).state;

		check(state == (number ? STATE_MAPPED : MEM_RESERVE), "a window's page state");
		if (!number)
			continue;
		check(frames_find(number) && frame_mapped_at(*frames_find(number)) == page,
		      "a frame is not where its window has it");
		mapped++;
	}
	check(mapped == vad->window->mapped_count, "a window's frames are miscounted");
}

void awe_check(void)
{
	frames_check();
	for (const struct vad *vad = vad_find_from(0); vad; vad = vad_next(vad)) {
		if (vad->pager == &awe_pager && vad->window)
			check_window(vad);
	}
}
