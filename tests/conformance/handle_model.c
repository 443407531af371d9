/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Random calls on Global and Local memory against a model that knows of each handle what it is, its
 * size, its contents and how often it is locked. The same source is a native test of core and a
 * Windows program. */

#include "tests/conformance/common.h"
#include "tests/unit/core/random.h"

#define SLOTS 300
#define STEPS 60000
#define SIZE_MAX_BYTES 3000
#define LOCKS_MAX 255

/* One piece of memory; handle NULL: none. */
struct slot {
	HGLOBAL handle;
	BOOL is_moveable, is_discardable;
	SIZE_T size; /* 0 and moveable: discarded */
	UINT locks;
	unsigned char pattern;
};

static struct slot slots[SLOTS];
static int failures;

static void expect(BOOL is_true, const char *what, int step)
{
	if (is_true || failures++ > 10)
		return;
	ok(FALSE, "step %d: %s", step, what);
}

/* Natively and on Windows the handle's own word, else the memory itself. */
static unsigned char *memory_of(const struct slot *slot)
{
	return slot->is_moveable ? *(unsigned char **)slot->handle : slot->handle;
}

static BOOL holds_pattern(const struct slot *slot, SIZE_T count)
{
	const unsigned char *bytes = memory_of(slot);

	for (SIZE_T i = 0; i < count; i++) {
		if (bytes[i] != slot->pattern)
			return FALSE;
	}
	return TRUE;
}

static void fill(struct slot *slot)
{
	slot->pattern = (unsigned char)(random_below(255) + 1);
	if (slot->size)
		memset(memory_of(slot), slot->pattern, slot->size);
}

static void allocate(struct slot *slot, int step)
{
	UINT flags = random_below(4) ? GMEM_MOVEABLE : GMEM_FIXED;

	slot->is_moveable = flags == GMEM_MOVEABLE;
	slot->is_discardable = slot->is_moveable && random_below(2);
	slot->size = random_below(SIZE_MAX_BYTES) + (slot->is_moveable ? 0 : 1);
	slot->locks = 0;
	if (random_below(2))
		slot->handle = GlobalAlloc(flags | (slot->is_discardable ? GMEM_DISCARDABLE : 0),
					   slot->size);
	else
		slot->handle = LocalAlloc(flags | (slot->is_discardable ? LMEM_DISCARDABLE : 0),
					  slot->size);
	expect(slot->handle != NULL, "memory is given", step);
	if (slot->handle)
		fill(slot);
}

static void release(struct slot *slot, int step)
{
	expect(holds_pattern(slot, slot->size), "the contents are there to the end", step);
	expect(!(random_below(2) ? GlobalFree(slot->handle) : LocalFree(slot->handle)),
	       "it is freed", step);
	slot->handle = NULL;
}

static void resize(struct slot *slot, int step)
{
	SIZE_T size = random_below(SIZE_MAX_BYTES) + 1;
	SIZE_T kept = size < slot->size ? size : slot->size;
	UINT flags = random_below(2) ? GMEM_MOVEABLE : 0;
	HGLOBAL changed = random_below(2) ? GlobalReAlloc(slot->handle, size, flags)
					  : LocalReAlloc(slot->handle, size, flags);
	BOOL may_stay_away = !flags && (slot->locks || !slot->is_moveable);

	expect(changed || may_stay_away, "it is resized", step);
	if (!changed) {
		expect(holds_pattern(slot, slot->size), "what is not resized stays", step);
		return;
	}
	expect(changed == slot->handle || !slot->is_moveable, "the handle stays", step);
	slot->handle = changed;
	slot->size = size;
	expect(holds_pattern(slot, kept), "the contents survive", step);
	fill(slot);
}

static void discard(struct slot *slot, int step)
{
	HGLOBAL discarded;

	if (!slot->is_moveable)
		return;
	discarded = random_below(2) ? GlobalDiscard(slot->handle) : LocalDiscard(slot->handle);
	expect(discarded == (slot->locks ? NULL : slot->handle), "discarded unless it is locked",
	       step);
	if (discarded)
		slot->size = 0;
}

static void lock(struct slot *slot, int step)
{
	LPVOID memory = random_below(2) ? GlobalLock(slot->handle) : LocalLock(slot->handle);
	BOOL has_memory = slot->size || !slot->is_moveable;

	expect(memory == (has_memory ? (LPVOID)memory_of(slot) : NULL), "the memory is given",
	       step);
	if (memory && slot->is_moveable && slot->locks < LOCKS_MAX)
		slot->locks++;
}

static void unlock(struct slot *slot, int step)
{
	BOOL is_locked;

	if (!slot->is_moveable)
		return;
	SetLastError(UNTOUCHED);
	is_locked = random_below(2) ? GlobalUnlock(slot->handle) : LocalUnlock(slot->handle);
	expect(is_locked == (slot->locks > 1), "whether it is still locked", step);
	expect(GetLastError() == (slot->locks > 1    ? UNTOUCHED
				  : slot->locks == 1 ? ERROR_SUCCESS
						     : ERROR_NOT_LOCKED),
	       "the error of unlocking", step);
	if (slot->locks)
		slot->locks--;
}

static void look(const struct slot *slot, int step)
{
	UINT flags = slot->locks | (slot->is_discardable ? GMEM_DISCARDABLE : 0) |
		     (slot->is_moveable && !slot->size ? GMEM_DISCARDED : 0);

	expect(GlobalSize(slot->handle) == slot->size, "the size", step);
	expect(LocalSize(slot->handle) == slot->size, "the size as local memory", step);
	expect(GlobalFlags(slot->handle) == flags, "the flags", step);
	if (slot->size)
		expect(GlobalHandle(memory_of(slot)) == slot->handle, "the handle of the memory",
		       step);
	expect(holds_pattern(slot, slot->size), "the contents", step);
}

static void take_step(int step)
{
	static void (*const actions[])(struct slot *, int) = { release, resize, resize, discard,
							       lock,    lock,   unlock, unlock };
	struct slot *slot = &slots[random_below(SLOTS)];

	if (!slot->handle) {
		allocate(slot, step);
		return;
	}
	look(slot, step);
	actions[random_below(COUNT(actions))](slot, step);
}

/* No two handles are one. */
static void check_distinct(void)
{
	for (int i = 0; i < SLOTS; i++) {
		for (int j = 0; j < i; j++)
			expect(!slots[i].handle || slots[i].handle != slots[j].handle,
			       "a handle of two", i);
	}
}

int main(void)
{
	random_start();
	for (int step = 0; step < STEPS; step++)
		take_step(step);
	check_distinct();
	for (int i = 0; i < SLOTS; i++) {
		if (slots[i].handle)
			release(&slots[i], STEPS + i);
	}
	ok(failures == 0, "%d random steps are as the model says", STEPS);
	return tap_done();
}
