/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where parked regions are found again: a few places for each thread, in shards that no two threads
 * share while there are as many shards.
 *
 *   thread -> shard:  | vad | vad |  0  |  0  | ...   places
 *                        |
 *                        v   life: generation << 2 | state
 *
 * A place is a hint, the vad's life is the truth: what a place names may be in use again, or be
 * another region by now. All of a shard's words change by compare-and-swap. Guarded by: nothing;
 * the second half of the file by vm_lock. Knows no heap, no event but a late one. */

#include "core/vm/parking.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/base/check.h"
#include "core/base/hints.h"
#include "core/event.h"
#include "core/os/os.h"
#include "core/types.h"
#include "core/vm/glimpse.h"
#include "core/vm/sequence.h"
#include "core/vm/space.h"
#include "core/vm/tell.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

#define SHARD_BITS 6
#define SHARDS (1 << SHARD_BITS)
#define SCRAMBLE UINT64_C(0x9e3779b97f4a7c15)
#define PLACES 8
#define SHARD_BYTES_MAX ((uint64_t)2 << 20)
#define STATE_BITS 2
/* Vads lie at multiples of 128 bytes. */
#define TAG_MASK ((uintptr_t)127)

#define peek(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* What one thread has parked.
 *  - owner is its token (os.h), 0 while nobody has come here; it stays when the thread ends, and
 * the next one with that token goes on here;
 *  - bytes is the sum of its parked regions, but for steps that are under way.
 * Guarded by: nothing; atomic. */
struct shard {
	uintptr_t owner;
	uintptr_t places[PLACES]; /* vads, each with the low bits of its generation; 0: none */
	uint64_t bytes;
	bool has_begun; /* its first region was made. Guarded by: vm_lock */
} __attribute__((aligned(128)));

static struct shard shards[SHARDS];

/* Whether a region was ever admitted. */
static bool is_used;

enum { NOT_ASKED, BY_MARKERS, BY_PROTECTION };
static int means;

/* --- The kernel ------------------------------------------------------------------------------ */

/* An emulator may take the advice and do nothing. */
static bool try_on(void *page)
{
	return os_advise(page, OS_PAGE_SIZE, MADV_GUARD_INSTALL) == 0 && !os_can_read(page) &&
	       os_advise(page, OS_PAGE_SIZE, MADV_GUARD_REMOVE) == 0 && os_can_read(page);
}

static int ask_kernel(void)
{
	intptr_t page = os_map(NULL, OS_PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, /* fd */ -1, /* offset */ 0);
	bool has_markers;

	if (page < 0)
		return NOT_ASKED;
	has_markers = try_on((void *)page);
	os_unmap((void *)page, OS_PAGE_SIZE);
	return has_markers ? BY_MARKERS : BY_PROTECTION;
}

bool parking_is_by_markers(void)
{
	int answer = __atomic_load_n(&means, __ATOMIC_RELAXED);

	if (unlikely(answer == NOT_ASKED)) {
		answer = ask_kernel();
		__atomic_store_n(&means, answer, __ATOMIC_RELAXED);
	}
	return answer == BY_MARKERS;
}

/* Closed before it is emptied: nobody can write there between. After a failure either may be done,
 * and the region can only be released. */
static int guard(uintptr_t base, size_t size_bytes)
{
	int error;

	if (parking_is_by_markers())
		return os_advise((void *)base, size_bytes, MADV_GUARD_INSTALL);
	error = os_protect((void *)base, size_bytes, PROT_NONE);
	return error < 0 ? error : os_advise((void *)base, size_bytes, MADV_DONTNEED);
}

static int unguard(uintptr_t base, size_t size_bytes)
{
	if (parking_is_by_markers())
		return os_advise((void *)base, size_bytes, MADV_GUARD_REMOVE);
	return os_protect((void *)base, size_bytes, PROT_READ | PROT_WRITE);
}

/* --- Lives ----------------------------------------------------------------------------------- */

static uint64_t life_of(const struct vad *vad)
{
	return __atomic_load_n(&vad->life, __ATOMIC_ACQUIRE);
}

static enum vad_life state_of(uint64_t life)
{
	return (enum vad_life)(life & ((1 << STATE_BITS) - 1));
}

/* The same generation in another state. */
static uint64_t in_state(uint64_t life, enum vad_life state)
{
	return (life >> STATE_BITS << STATE_BITS) | (uint64_t)state;
}

static uint64_t next_generation(uint64_t life, enum vad_life state)
{
	return in_state(life + (1 << STATE_BITS), state);
}

/* False: somebody else was first, and *life is what it is now. */
static bool step(struct vad *vad, uint64_t *life, uint64_t next)
{
	return __atomic_compare_exchange_n(&vad->life, life, next, /* weak */ false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Where it lies; right if its life has not changed afterwards. */
static RACES_ON_PURPOSE void look_at(const struct vad *vad, uintptr_t *base, size_t *size_bytes)
{
	uint64_t first_page = peek(vad->pages.first_page);

	*base = first_page * OS_PAGE_SIZE;
	*size_bytes = (peek(vad->pages.end_page) - first_page) * OS_PAGE_SIZE;
}

/* --- Shards ---------------------------------------------------------------------------------- */

/* Whether the shard is the thread's, which takes it when nobody has it. */
static bool is_of_thread(struct shard *shard, uintptr_t token)
{
	uintptr_t owner = peek(shard->owner);

	if (owner == 0)
		__atomic_compare_exchange_n(&shard->owner, &owner, token, /* weak */ false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return peek(shard->owner) == token;
}

/* More threads than shards share them. */
static struct shard *shard_of_thread(void)
{
	uintptr_t token = os_thread_token();
	size_t first = (size_t)(token * SCRAMBLE >> (64 - SHARD_BITS));

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &shards[(first + i) % SHARDS];

		if (is_of_thread(shard, token))
			return shard;
	}
	return &shards[first];
}

static void count(struct shard *shard, uint64_t bytes)
{
	__atomic_fetch_add(&shard->bytes, bytes, __ATOMIC_RELAXED);
}

bool parking_is_used(void)
{
	return peek(is_used);
}

uint64_t parking_bytes(void)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < SHARDS; i++)
		bytes += peek(shards[i].bytes);
	return bytes;
}

static struct vad *vad_in(uintptr_t place)
{
	return (struct vad *)(place & ~TAG_MASK);
}

static uintptr_t place_of(const struct vad *vad, uint64_t life)
{
	return (uintptr_t)vad | ((uintptr_t)(life >> STATE_BITS) & TAG_MASK);
}

static bool change_place(uintptr_t *place, uintptr_t from, uintptr_t to)
{
	return __atomic_compare_exchange_n(place, &from, to, /* weak */ false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* Whether the region is what it was when the place was taken, and not in use. */
static bool is_kept(uintptr_t place)
{
	struct vad *vad = vad_in(place);
	uint64_t life = vad ? life_of(vad) : LIFE_HELD;

	return place == place_of(vad, life) &&
	       (state_of(life) == LIFE_CHANGING || state_of(life) == LIFE_PARKED);
}

/* Takes a place for a vad that is being released; false: all are taken. */
static bool take_place(struct shard *shard, const struct vad *vad, uint64_t life)
{
	for (size_t i = 0; i < PLACES; i++) {
		uintptr_t other = __atomic_load_n(&shard->places[i], __ATOMIC_ACQUIRE);

		if (!is_kept(other) && change_place(&shard->places[i], other, place_of(vad, life)))
			return true;
	}
	return false;
}

/* --- Release --------------------------------------------------------------------------------- */

/* It is the thread's own meanwhile. False: as before, or ended by others under our hands. */
static bool park(struct vad *vad, uint64_t changing, uintptr_t base, size_t size_bytes)
{
	struct shard *shard = shard_of_thread();

	if (peek(shard->bytes) + size_bytes > SHARD_BYTES_MAX ||
	    !take_place(shard, vad, changing) || guard(base, size_bytes) < 0)
		return false;
	__atomic_store_n(&vad->parked_in, (uint8_t)(shard - shards), __ATOMIC_RELAXED);
	count(shard, size_bytes);
	if (!step(vad, &changing, in_state(changing, LIFE_PARKED)))
		count(shard, -(uint64_t)size_bytes);
	return true;
}

size_t parking_put(uintptr_t base)
{
	struct vad *vad = parking_is_used() ? glimpse_vad(base / OS_PAGE_SIZE) : NULL;
	uint64_t life = vad ? life_of(vad) : LIFE_HELD, changing;
	uintptr_t found_base;
	size_t size_bytes;

	if (state_of(life) != LIFE_PLAIN)
		return 0;
	look_at(vad, &found_base, &size_bytes);
	changing = in_state(life, LIFE_CHANGING);
	if (found_base != base || !step(vad, &life, changing))
		return 0;
	if (park(vad, changing, base, size_bytes))
		return size_bytes;
	step(vad, &changing, in_state(changing, LIFE_HELD));
	return 0;
}

/* --- Allocation ------------------------------------------------------------------------------ */

/* In vm_lock. */
static void end_region(struct vad *vad)
{
	space_give_back(vad->pager, vad_base(vad), vad_end(vad) - vad_base(vad));
	vad_remove(vad);
	vad_give_back(vad);
}

/* Somebody began to listen since the caller has looked: told here, or by tell_untold, which comes
 * after that beginning; whichever is first. */
static void tell_late(struct vad *vad, uint64_t life, uint16_t api)
{
	lock_acquire(&vm_lock);
	if (step(vad, &life, in_state(life, LIFE_HELD)) && !vad->is_told) {
		vad->is_told = true;
		tell_reserve(vad, api);
	}
	lock_release(&vm_lock);
}

/* The kernel does not open it: not told, so nobody knows that it was taken. */
static void give_up(struct vad *vad, uint64_t life)
{
	lock_acquire(&vm_lock);
	if (step(vad, &life, next_generation(life, LIFE_HELD)))
		end_region(vad);
	lock_release(&vm_lock);
}

/* The vad that a place names, when it is parked and of this size. It is the thread's own then, and
 * the place is kept for it. */
static struct vad *claim(uintptr_t *place, size_t size_bytes, uintptr_t *base, uint64_t *life)
{
	uintptr_t named = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	struct vad *vad = vad_in(named);
	size_t found_bytes;
	uint8_t parked_in;

	*life = vad ? life_of(vad) : LIFE_HELD;
	if (state_of(*life) != LIFE_PARKED || named != place_of(vad, *life))
		return NULL;
	look_at(vad, base, &found_bytes);
	parked_in = peek(vad->parked_in);
	if (found_bytes != size_bytes || !step(vad, life, next_generation(*life, LIFE_CHANGING)))
		return NULL;
	*life = next_generation(*life, LIFE_CHANGING);
	count(&shards[parked_in], -(uint64_t)size_bytes);
	change_place(place, named, place_of(vad, *life));
	return vad;
}

/* False: it has no region for the program, be it that somebody else has taken the addresses. */
static bool open_region(struct vad *vad, uint64_t life, uintptr_t base, size_t size_bytes,
			uint16_t api)
{
	uint64_t plain = in_state(life, LIFE_PLAIN);

	if (unguard(base, size_bytes) < 0) {
		give_up(vad, life);
		return false;
	}
	if (!step(vad, &life, plain))
		return false;
	if (unlikely(event_is_wanted()))
		tell_late(vad, plain, api);
	return true;
}

bool parking_take(size_t size_bytes, uint16_t api, uintptr_t *base)
{
	struct shard *shard = parking_is_used() ? shard_of_thread() : NULL;

	for (size_t i = 0; shard && i < PLACES; i++) {
		uint64_t life;
		bool is_open;
		struct vad *vad = claim(&shard->places[i], size_bytes, base, &life);

		if (!vad)
			continue;
		is_open = open_region(vad, life, *base, size_bytes, api);
		change_place(&shard->places[i], place_of(vad, life), 0);
		return is_open;
	}
	return false;
}

/* --- With vm_lock ---------------------------------------------------------------------------- */

static bool is_plain(const struct vad *vad)
{
	return vad->pager == &pager_linux && vad->origin == VAD_ORIGIN_VIRTUAL &&
	       vad->owner == EVENT_OWNER_PROGRAM && vad->protect == PAGE_READWRITE && !vad->watch &&
	       !vad->was_placeholder && !vad->numa_node && !vad->is_told &&
	       !vad->pages.changes.root && vad->pages.first_state == (MEM_COMMIT | PAGE_READWRITE);
}

/* The first thread lies where its regions lie. */
bool parking_begins(void)
{
	static bool is_any;
	struct shard *shard = shard_of_thread();
	bool is_first = !shard->has_begun, begins = is_any && is_first;

	shard->has_begun = true;
	is_any = true;
	return begins;
}

void parking_admit(struct vad *vad)
{
	uint64_t life = life_of(vad);

	if (vad_end(vad) - vad_base(vad) > PARKING_REGION_BYTES_MAX || !is_plain(vad))
		return;
	__atomic_store_n(&is_used, true, __ATOMIC_RELAXED);
	step(vad, &life, in_state(life, LIFE_PLAIN));
}

void parking_check(const struct vad *vad)
{
	check(vad_life(vad) == LIFE_HELD ||
		      (is_plain(vad) && vad_end(vad) - vad_base(vad) <= PARKING_REGION_BYTES_MAX),
	      "a region that can be released without the lock is not plain");
}

bool parking_hold(struct vad *vad)
{
	uint64_t life = life_of(vad);

	while (state_of(life) == LIFE_PLAIN) {
		if (step(vad, &life, next_generation(life, LIFE_HELD)))
			return true;
	}
	return state_of(life) == LIFE_HELD;
}

/* Whoever parked it, it is not in his shard any more. */
static void uncount(const struct vad *vad)
{
	count(&shards[peek(vad->parked_in)], vad_base(vad) - vad_end(vad));
}

void parking_take_over(struct vad *vad)
{
	uint64_t life = life_of(vad);

	while (!step(vad, &life, next_generation(life, LIFE_HELD)))
		continue;
	if (state_of(life) == LIFE_PARKED)
		uncount(vad);
}

static bool end_if_parked(struct vad *vad)
{
	uint64_t life = life_of(vad);

	if (state_of(life) != LIFE_PARKED || !step(vad, &life, next_generation(life, LIFE_HELD)))
		return false;
	uncount(vad);
	end_region(vad);
	return true;
}

void parking_clear(uintptr_t base, uintptr_t end)
{
	struct vad *vad = parking_is_used() ? vad_find_from(base) : NULL, *next;

	check_debug(lock_is_mine(&vm_lock), "parked ranges ended without the lock");
	for (; vad && vad_base(vad) < end; vad = next) {
		next = vad_next(vad);
		end_if_parked(vad);
	}
}

void parking_hold_all(uintptr_t base, uintptr_t end)
{
	struct vad *vad = parking_is_used() ? vad_find_from(base) : NULL;

	for (; vad && vad_base(vad) < end; vad = vad_next(vad))
		parking_hold(vad);
}

static bool clear_shard(struct shard *shard)
{
	bool is_any = false;

	for (size_t i = 0; i < PLACES; i++) {
		struct vad *vad = vad_in(peek(shard->places[i]));

		is_any |= vad && end_if_parked(vad);
	}
	return is_any;
}

bool parking_clear_all(void)
{
	bool is_any = false;

	for (size_t i = 0; parking_is_used() && i < SHARDS; i++)
		is_any |= clear_shard(&shards[i]);
	return is_any;
}

void parking_thread_exit(void)
{
	struct shard *shard = parking_is_used() ? shard_of_thread() : NULL;

	if (!shard || !peek(shard->bytes))
		return;
	lock_acquire(&vm_lock);
	clear_shard(shard);
	lock_release(&vm_lock);
}

/* What was being released is released, and what nobody has got yet; each is in a place that was
 * taken for it. */
static void end_if_kept(uintptr_t place)
{
	if (!is_kept(place))
		return;
	parking_take_over(vad_in(place));
	end_region(vad_in(place));
}

void parking_fork_child(void)
{
	for (size_t i = 0; parking_is_used() && i < SHARDS * PLACES; i++) {
		uintptr_t *place = &shards[i / PLACES].places[i % PLACES];

		end_if_kept(*place);
		*place = 0;
	}
	for (size_t i = 0; i < SHARDS; i++)
		shards[i].bytes = 0;
}
