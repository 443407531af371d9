/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The events of lttng_ust_libc are those of LTTng's own wrapper of malloc. A reallocation is told
 * when it ends, as there. Between its begin and its end another thread may be given the old
 * address: then the old block is released before that, and the end is told as an allocation. */

#include "tools/export/plain.h"
#include "tools/export/ctf_file.h"
#include "tools/export/ctf_text.h"
#include "tools/lib/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/api.h"

/* A reallocation that has not ended; old_address 0 and is_open: the old block was told as freed. */
struct moving {
	uint32_t tid;
	bool is_open;
	uint64_t old_address;
};

/* One process image.
 *  - callers[n] is the innermost frame of stack n, 0: unknown. */
struct source {
	struct ctf_file file;
	bool is_open;
	uint64_t *callers;
	size_t caller_count;
	struct moving *movings;
	size_t moving_count, moving_capacity;
};

struct plain {
	char *folder;
	unsigned char uuid[16];
	struct source *sources;
	size_t count, capacity;
	uint64_t event_count;
	int error;
};

enum { CALLERS_MAX = 1 << 28 };

struct plain *plain_create(const char *folder, const unsigned char uuid[16])
{
	struct plain *plain = xcalloc(1, sizeof(*plain));

	plain->folder = xstrdup(folder);
	memcpy(plain->uuid, uuid, sizeof(plain->uuid));
	return plain;
}

static void begin_process(struct plain *plain, const struct trace_event *event)
{
	const struct trace_process *image = event->image;
	char *path = xasprintf("%s/process_%u_%u", plain->folder, image->pid, event->process);
	struct source *source;

	if (event->process != plain->count)
		return;
	plain->sources =
		xgrow(plain->sources, plain->count, &plain->capacity, sizeof(*plain->sources));
	source = &plain->sources[plain->count++];
	memset(source, 0, sizeof(*source));
	int error = ctf_file_open(&source->file, path, plain->uuid, event->process);
	free(path);
	source->is_open = !error;
	if (error) {
		plain->error = plain->error ? plain->error : error;
		return;
	}
	source->file.vpid = image->pid;
	source->file.last_ns = event->time_ns;
	snprintf(source->file.procname, sizeof(source->file.procname), "%s", image->comm);
}

static void define_stack(struct source *source, const struct trace_event *event)
{
	size_t count = source->caller_count;

	if (event->stack >= CALLERS_MAX || !event->frames.count)
		return;
	if (event->stack >= count) {
		count = event->stack + event->stack / 2 + 64;
		source->callers = xreallocarray(source->callers, count, sizeof(uint64_t));
		memset(source->callers + source->caller_count, 0,
		       (count - source->caller_count) * sizeof(uint64_t));
		source->caller_count = count;
	}
	source->callers[event->stack] = event->frames.addresses[0];
}

/* At the time of the event before it: definitions come before they are due. */
static void define_module(struct plain *plain, struct source *source,
			  const struct trace_event *event)
{
	const struct trace_module *module = event->module;
	struct ctf_file *file = &source->file;

	ctf_file_event(file, CTF_BIN_INFO, file->last_ns, file->vpid, 0);
	ctf_file_u64(file, module->start);
	ctf_file_u64(file, module->end - module->start);
	ctf_file_text(file, module->path);
	ctf_file_u8(file, module->base != 0);
	ctf_file_u8(file, 0);
	ctf_file_u8(file, 0);
	plain->event_count++;
}

static void begin_event(struct plain *plain, struct source *source, const struct trace_event *event,
			uint16_t number)
{
	uint64_t ip = event->stack < source->caller_count ? source->callers[event->stack] : 0;

	ctf_file_event(&source->file, number, event->time_ns, event->tid, ip);
	plain->event_count++;
}

static void tell_free(struct plain *plain, struct source *source, const struct trace_event *event,
		      uint64_t address)
{
	begin_event(plain, source, event, CTF_FREE);
	ctf_file_u64(&source->file, address);
}

static void tell_aligned(struct plain *plain, struct source *source,
			 const struct trace_event *event, uint64_t address)
{
	bool is_posix = event->api == API_posix_memalign;

	begin_event(plain, source, event, is_posix ? CTF_POSIX_MEMALIGN : CTF_MEMALIGN);
	if (is_posix)
		ctf_file_u64(&source->file, address);
	ctf_file_u64(&source->file, event->extra);
	ctf_file_u64(&source->file, event->size_bytes);
	if (is_posix)
		ctf_file_u32(&source->file, address ? 0 : 12 /* ENOMEM */);
	else
		ctf_file_u64(&source->file, address);
}

static void tell_allocation(struct plain *plain, struct source *source,
			    const struct trace_event *event, uint64_t address)
{
	switch (event->api) {
	case API_memalign:
	case API_aligned_alloc:
	case API_posix_memalign:
	case API_valloc:
	case API_pvalloc:
		tell_aligned(plain, source, event, address);
		return;
	case API_calloc:
		begin_event(plain, source, event, CTF_CALLOC);
		ctf_file_u64(&source->file, 1);
		break;
	default:
		begin_event(plain, source, event, CTF_MALLOC);
		break;
	}
	ctf_file_u64(&source->file, event->size_bytes);
	ctf_file_u64(&source->file, address);
}

static struct moving *find_moving(struct source *source, uint32_t tid)
{
	for (size_t i = 0; i < source->moving_count; i++)
		if (source->movings[i].tid == tid)
			return &source->movings[i];
	source->movings = xgrow(source->movings, source->moving_count, &source->moving_capacity,
				sizeof(*source->movings));
	source->movings[source->moving_count] = (struct moving){ .tid = tid };
	return &source->movings[source->moving_count++];
}

/* The address is given out: whose block is just being moved away from there has lost it. */
static void release_moving(struct plain *plain, struct source *source,
			   const struct trace_event *event)
{
	for (size_t i = 0; i < source->moving_count; i++) {
		struct moving *moving = &source->movings[i];

		if (!moving->is_open || !moving->old_address ||
		    moving->old_address != event->address || moving->tid == event->tid)
			continue;
		tell_free(plain, source, event, moving->old_address);
		moving->old_address = 0;
	}
}

static void allocate(struct plain *plain, struct source *source, const struct trace_event *event)
{
	release_moving(plain, source, event);
	tell_allocation(plain, source, event, event->address);
}

static void begin_realloc(struct source *source, const struct trace_event *event)
{
	struct moving *moving = find_moving(source, event->tid);

	moving->is_open = true;
	moving->old_address = event->address;
}

/* A new address 0 is a block that was freed, or is too small to be recorded. */
static void end_realloc(struct plain *plain, struct source *source, const struct trace_event *event,
			uint64_t address)
{
	struct moving *moving = find_moving(source, event->tid);
	uint64_t old = moving->is_open ? moving->old_address : 0;

	moving->is_open = false;
	release_moving(plain, source, event);
	if (!address && event->kind == EVENT_REALLOC_END) {
		if (old)
			tell_free(plain, source, event, old);
		return;
	}
	begin_event(plain, source, event, CTF_REALLOC);
	ctf_file_u64(&source->file, old);
	ctf_file_u64(&source->file, event->size_bytes);
	ctf_file_u64(&source->file, address);
}

static void tell_heap(struct plain *plain, struct source *source, const struct trace_event *event)
{
	bool is_create = event->kind == EVENT_HEAP_CREATE;

	begin_event(plain, source, event, is_create ? CTF_HEAP_CREATE : CTF_HEAP_DESTROY);
	ctf_file_u64(&source->file, event->heap);
	if (is_create) {
		ctf_file_u32(&source->file, event->type);
		ctf_file_u64(&source->file, event->size_bytes);
	}
	ctf_file_u16(&source->file, event->api);
	ctf_file_u32(&source->file, event->stack);
}

static void tell_range(struct plain *plain, struct source *source, const struct trace_event *event)
{
	struct ctf_file *file = &source->file;

	begin_event(plain, source, event, (uint16_t)(CTF_VAD + event->kind - EVENT_VAD_RESERVE));
	ctf_file_u64(file, event->address);
	ctf_file_u64(file, event->size_bytes);
	ctf_file_u32(file, event->type);
	ctf_file_u32(file, event->protect);
	ctf_file_u64(file, event->extra);
	ctf_file_u8(file, (uint8_t)event->owner);
	ctf_file_u16(file, event->api);
	ctf_file_u32(file, event->stack);
}

static void apply(struct plain *plain, struct source *source, const struct trace_event *event)
{
	switch (event->kind) {
	case EVENT_ALLOCATE:
		allocate(plain, source, event);
		break;
	case EVENT_ALLOCATE_FAILED:
		tell_allocation(plain, source, event, 0);
		break;
	case EVENT_FREE:
		tell_free(plain, source, event, event->address);
		break;
	case EVENT_REALLOC_BEGIN:
		begin_realloc(source, event);
		break;
	case EVENT_REALLOC_END:
		end_realloc(plain, source, event, event->address);
		break;
	case EVENT_REALLOC_FAILED:
		end_realloc(plain, source, event, 0);
		break;
	case EVENT_HEAP_CREATE:
	case EVENT_HEAP_DESTROY:
		tell_heap(plain, source, event);
		break;
	case TRACE_STACK:
		define_stack(source, event);
		break;
	case TRACE_MODULE:
		define_module(plain, source, event);
		break;
	default:
		if (event->kind >= EVENT_VAD_RESERVE && event->kind <= EVENT_VAD_RECLAIM)
			tell_range(plain, source, event);
		break;
	}
}

static void close_source(struct plain *plain, struct source *source)
{
	int error = source->is_open ? ctf_file_close(&source->file) : 0;

	plain->error = plain->error ? plain->error : error;
	source->is_open = false;
	free(source->callers);
	free(source->movings);
	source->callers = NULL;
	source->movings = NULL;
	source->caller_count = source->moving_count = source->moving_capacity = 0;
}

void plain_apply(void *context, const struct trace_event *event)
{
	struct plain *plain = context;

	if (event->kind == TRACE_PROCESS)
		begin_process(plain, event);
	if (event->process >= plain->count || !plain->sources[event->process].is_open)
		return;
	if (event->kind == TRACE_END)
		close_source(plain, &plain->sources[event->process]);
	else
		apply(plain, &plain->sources[event->process], event);
}

int plain_finish(struct plain *plain, uint64_t *count)
{
	int error;

	for (size_t i = 0; i < plain->count; i++)
		close_source(plain, &plain->sources[i]);
	error = plain->error;
	*count = plain->event_count;
	free(plain->sources);
	free(plain->folder);
	free(plain);
	return error;
}
