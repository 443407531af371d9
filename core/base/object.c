/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The table of handles.
 *
 *   chunks  [ . | . | NULL | ... ]                 a chunk is made when the ones before it are full
 *             |   `-> [ slot | slot | ...  ]
 *             `-> [ slot | slot | ... 128  ]       handle = number of the slot * 8 + 4
 *
 *   free slots   first -> slot -> ... -> last      taken at the front, given back at the end
 *
 * Chunks are never given back. Knows nothing of what the objects are. Guarded by: objects_lock. */

#include "core/base/object.h"

#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/hints.h"
#include "core/base/lock.h"
#include "core/base/status.h"

#define CHUNK_SLOTS 128u
#define CHUNKS 8192u
#define HANDLE_STEP 8u
#define HANDLE_FIRST 4u
#define HANDLE_TAG_BITS ((uintptr_t)3)

/* One handle.
 *  - object is NULL when it is free; then next_free is the number of the next free slot plus 1, 0
 *    at the end;
 *  - access is what the handle allows. */
struct slot {
	struct object *object;
	uint32_t access;
	uint32_t next_free;
};

static struct lock objects_lock = LOCK_INITIALIZER(LOCK_RANK_OBJECTS);
static struct slot *chunks[CHUNKS];
static uint32_t slot_count; /* in all chunks */
static uint32_t open_count;
static uint32_t first_free, last_free; /* number plus 1; 0: none */

static struct slot *slot_at(uint32_t number)
{
	return &chunks[number / CHUNK_SLOTS][number % CHUNK_SLOTS];
}

static HANDLE handle_of(uint32_t number)
{
	return (HANDLE)((uintptr_t)number * HANDLE_STEP + HANDLE_FIRST);
}

/* The slot of an open handle, or NULL. */
static struct slot *find_locked(HANDLE handle)
{
	uintptr_t value = (uintptr_t)handle & ~HANDLE_TAG_BITS;
	uintptr_t number = (value - HANDLE_FIRST) / HANDLE_STEP;
	struct slot *slot;

	if (value % HANDLE_STEP != HANDLE_FIRST || number >= slot_count)
		return NULL;
	slot = slot_at((uint32_t)number);
	return slot->object ? slot : NULL;
}

static void free_slot_locked(uint32_t number)
{
	*slot_at(number) = (struct slot){ .object = NULL };
	if (last_free)
		slot_at(last_free - 1)->next_free = number + 1;
	else
		first_free = number + 1;
	last_free = number + 1;
}

static bool grow_locked(void)
{
	struct slot *chunk;

	if (slot_count == CHUNKS * CHUNK_SLOTS)
		return false;
	chunk = arena_allocate(CHUNK_SLOTS * sizeof *chunk);
	if (!chunk)
		return false;
	chunks[slot_count / CHUNK_SLOTS] = chunk;
	slot_count += CHUNK_SLOTS;
	for (uint32_t number = slot_count - CHUNK_SLOTS; number < slot_count; number++)
		free_slot_locked(number);
	return true;
}

static HANDLE open_locked(struct object *object, uint32_t access)
{
	uint32_t number;
	struct slot *slot;

	if (!first_free && !grow_locked())
		return NULL;
	number = first_free - 1;
	slot = slot_at(number);
	first_free = slot->next_free;
	if (!first_free)
		last_free = 0;
	*slot = (struct slot){ .object = object, .access = access };
	object->references++;
	open_count++;
	return handle_of(number);
}

HANDLE object_open(enum object_type type, void *body, uint32_t access)
{
	struct object *object = body;
	HANDLE handle;

	lock_acquire(&objects_lock);
	handle = open_locked(object, access);
	if (handle)
		object->type = type;
	lock_release(&objects_lock);
	return handle;
}

static NTSTATUS get_locked(HANDLE handle, enum object_type type, uint32_t access, void **body)
{
	const struct slot *slot = find_locked(handle);

	if (!slot)
		return STATUS_INVALID_HANDLE;
	if (type != OBJECT_ANY && slot->object->type != type)
		return STATUS_OBJECT_TYPE_MISMATCH;
	if (access & ~slot->access)
		return STATUS_ACCESS_DENIED;
	slot->object->references++;
	*body = slot->object;
	return STATUS_SUCCESS;
}

NTSTATUS object_get(HANDLE handle, enum object_type type, uint32_t access, void **body)
{
	NTSTATUS status;

	lock_acquire(&objects_lock);
	status = get_locked(handle, type, access, body);
	lock_release(&objects_lock);
	return status;
}

/* Whether that was the last reference: then nobody else can find the object any more. */
static bool drop_locked(struct object *object)
{
	check_debug(object->references > 0, "an object given back too often");
	return --object->references == 0;
}

static void destroy(struct object *object)
{
	if (object->destroy)
		object->destroy(object);
}

void object_put(void *body)
{
	struct object *object = body;
	bool is_last;

	lock_acquire(&objects_lock);
	is_last = drop_locked(object);
	lock_release(&objects_lock);
	if (is_last)
		destroy(object);
}

NTSTATUS object_duplicate(HANDLE handle, const uint32_t *access, HANDLE *duplicate)
{
	const struct slot *slot;
	HANDLE opened = NULL;

	lock_acquire(&objects_lock);
	slot = find_locked(handle);
	if (slot)
		opened = open_locked(slot->object, access ? *access : slot->access);
	lock_release(&objects_lock);
	if (!slot)
		return STATUS_INVALID_HANDLE;
	if (!opened)
		return STATUS_NO_MEMORY;
	*duplicate = opened;
	return STATUS_SUCCESS;
}

NTSTATUS object_close(HANDLE handle)
{
	struct object *object = NULL, *last = NULL;
	struct slot *slot;

	lock_acquire(&objects_lock);
	slot = find_locked(handle);
	if (slot) {
		object = slot->object;
		free_slot_locked((uint32_t)((uintptr_t)handle / HANDLE_STEP));
		open_count--;
		if (drop_locked(object))
			last = object;
	}
	lock_release(&objects_lock);
	if (last)
		destroy(last);
	return object ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

uint32_t object_count(void)
{
	return __atomic_load_n(&open_count, __ATOMIC_RELAXED);
}

void object_fork_prepare(void)
{
	lock_acquire(&objects_lock);
}

void object_fork_parent(void)
{
	lock_release(&objects_lock);
}

void object_fork_child(void)
{
	lock_fork_adopt(&objects_lock);
	lock_release(&objects_lock);
}

static void check_free_slots_locked(void)
{
	uint32_t count = 0;

	for (uint32_t next = first_free; next; next = slot_at(next - 1)->next_free) {
		check(!slot_at(next - 1)->object, "a free handle that leads somewhere");
		check(++count <= slot_count, "free handles in a circle");
		check(slot_at(next - 1)->next_free || next == last_free, "a lost end of handles");
	}
	check(count == slot_count - open_count, "a handle that is neither open nor free");
}

void object_check(void)
{
	lock_acquire(&objects_lock);
	check_free_slots_locked();
	for (uint32_t number = 0; number < slot_count; number++)
		check(!slot_at(number)->object || slot_at(number)->object->references > 0,
		      "a handle to an object that is gone");
	lock_release(&objects_lock);
}
