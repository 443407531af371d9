/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A ring of chunks, each with entries one behind the other. The reader fills one while the other
 * thread empties those before it.
 *
 *   chunk   head records records ...   head event strings ...        every part 8 bytes aligned
 *
 * What an event points at lies behind it in its chunk, which does not move while it has entries. */

#include "tools/lib/relay.h"
#include "tools/lib/xalloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* WOKEN_AT: a reader that waited for room goes on when no more chunks than these are full. To be
 * woken for each chunk, and for small ones, would cost more than they take to fill. */
enum { CHUNKS = 8, WOKEN_AT = CHUNKS / 2, CHUNK_BYTES = 1 << 17, ALIGNMENT = 8 };

/* Before an entry.
 *  - count is of records, or 0: an event. */
struct head {
	uint32_t process;
	uint32_t count;
	size_t size_bytes; /* of what follows */
};

struct chunk {
	unsigned char *bytes;
	size_t used, capacity;
};

/* - chunks [told, filled) are the telling thread's, the others the reading thread's; both numbers
 *   only grow, and filled - told is at most CHUNKS;
 * - chunk number n is chunks[n % CHUNKS].
 * Guarded by: lock, but for the chunks, which belong to one thread at a time. */
struct relay {
	pthread_mutex_t lock;
	pthread_cond_t is_filled, is_told;
	uint64_t filled, told;
	bool has_ended;
	uint64_t filling; /* what `filled` was at last: the reading thread's own */
	struct chunk chunks[CHUNKS];
};

struct relay *relay_create(void)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));

	pthread_mutex_init(&relay->lock, NULL);
	pthread_cond_init(&relay->is_filled, NULL);
	pthread_cond_init(&relay->is_told, NULL);
	return relay;
}

void relay_destroy(struct relay *relay)
{
	for (int i = 0; i < CHUNKS; i++)
		free(relay->chunks[i].bytes);
	pthread_cond_destroy(&relay->is_told);
	pthread_cond_destroy(&relay->is_filled);
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}

/* The chunk that is being filled goes to the other thread; the next one is free then. */
static void hand_over(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->filled++;
	pthread_cond_signal(&relay->is_filled);
	while (relay->filled - relay->told == CHUNKS)
		pthread_cond_wait(&relay->is_told, &relay->lock);
	relay->filling = relay->filled;
	pthread_mutex_unlock(&relay->lock);
	relay->chunks[relay->filling % CHUNKS].used = 0;
}

/* Room for an entry, behind its head. */
static unsigned char *add_entry(struct relay *relay, struct head head)
{
	struct chunk *chunk = &relay->chunks[relay->filling % CHUNKS];
	size_t needed = sizeof(head) + head.size_bytes;
	unsigned char *place;

	if (chunk->used && chunk->used + needed > chunk->capacity) {
		hand_over(relay);
		chunk = &relay->chunks[relay->filling % CHUNKS];
	}
	if (needed > chunk->capacity) {
		chunk->capacity = needed > CHUNK_BYTES ? needed : CHUNK_BYTES;
		free(chunk->bytes);
		chunk->bytes = xmalloc(chunk->capacity);
	}
	place = chunk->bytes + chunk->used;
	memcpy(place, &head, sizeof(head));
	chunk->used += needed;
	return place + sizeof(head);
}

struct trace_record *relay_room(struct relay *relay, uint32_t process, size_t count)
{
	struct head head = { process, (uint32_t)count, count * sizeof(struct trace_record) };

	return (struct trace_record *)add_entry(relay, head);
}

/* Where copies go.
 *  - at is NULL while only the room is measured. */
struct room {
	unsigned char *at;
	size_t used;
};

static void *put(struct room *room, const void *bytes, size_t size_bytes)
{
	unsigned char *place = room->at ? room->at + room->used : NULL;

	room->used += (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (place && size_bytes)
		memcpy(place, bytes, size_bytes);
	return place;
}

static const char *put_text(struct room *room, const char *text)
{
	return text ? put(room, text, strlen(text) + 1) : NULL;
}

static const uint64_t *put_words(struct room *room, const uint64_t *words, size_t count)
{
	return put(room, words, count * sizeof(*words));
}

static const struct trace_process *put_process(struct room *room, struct trace_process process)
{
	process.session = put_text(room, process.session);
	process.mode = put_text(room, process.mode);
	process.exe = put_text(room, process.exe);
	process.command_line = put_text(room, process.command_line);
	process.comm = put_text(room, process.comm);
	process.wine = put_text(room, process.wine);
	return put(room, &process, sizeof(process));
}

static const struct trace_module *put_module(struct room *room, struct trace_module module)
{
	module.path = put_text(room, module.path);
	module.build_id = put_text(room, module.build_id);
	return put(room, &module, sizeof(module));
}

static const struct trace_call *put_call(struct room *room, struct trace_call call)
{
	call.arguments = put_words(room, call.arguments, call.argument_count);
	return put(room, &call, sizeof(call));
}

static const struct trace_hook *put_hook(struct room *room, struct trace_hook hook)
{
	hook.function = put_text(room, hook.function);
	hook.dll = put_text(room, hook.dll);
	hook.state = put_text(room, hook.state);
	hook.reason = put_text(room, hook.reason);
	return put(room, &hook, sizeof(hook));
}

static const struct trace_difference *put_difference(struct room *room,
						     struct trace_difference difference)
{
	difference.what = put_text(room, difference.what);
	difference.arguments = put_words(room, difference.arguments, difference.argument_count);
	return put(room, &difference, sizeof(difference));
}

/* Copies what the event points at; the event points at the copies then. */
static void put_parts(struct room *room, struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_PROCESS:
		event->image = put_process(room, *event->image);
		break;
	case TRACE_MODULE:
	case TRACE_MODULE_GONE:
		event->module = put_module(room, *event->module);
		break;
	case TRACE_THREAD:
		event->name = put_text(room, event->name);
		break;
	case TRACE_STACK:
		event->frames.addresses =
			put_words(room, event->frames.addresses, event->frames.count);
		break;
	case TRACE_CALL:
		event->call = put_call(room, *event->call);
		break;
	case TRACE_HOOK:
		event->hook = put_hook(room, *event->hook);
		break;
	case TRACE_DIFFERENCE:
		event->difference = put_difference(room, *event->difference);
		break;
	case TRACE_STACKS:
		event->comparison = put(room, event->comparison, sizeof(*event->comparison));
		break;
	default:
		break;
	}
}

void relay_put_event(struct relay *relay, const struct trace_event *event)
{
	struct trace_event measured = *event, copy = *event;
	struct room room = { 0 };

	put_parts(&room, &measured);
	unsigned char *place =
		add_entry(relay, (struct head){ .size_bytes = sizeof(copy) + room.used });
	room = (struct room){ .at = place + sizeof(copy) };
	put_parts(&room, &copy);
	memcpy(place, &copy, sizeof(copy));
}

void relay_end(struct relay *relay)
{
	hand_over(relay);
	pthread_mutex_lock(&relay->lock);
	relay->has_ended = true;
	pthread_cond_signal(&relay->is_filled);
	pthread_mutex_unlock(&relay->lock);
}

/* The next chunk; NULL after the last. The one before is the reader's again. */
static struct chunk *take_chunk(struct relay *relay, bool is_first)
{
	struct chunk *chunk = NULL;

	pthread_mutex_lock(&relay->lock);
	if (!is_first) {
		relay->told++;
		if (relay->filled - relay->told <= WOKEN_AT)
			pthread_cond_signal(&relay->is_told);
	}
	while (relay->told == relay->filled && !relay->has_ended)
		pthread_cond_wait(&relay->is_filled, &relay->lock);
	if (relay->told != relay->filled)
		chunk = &relay->chunks[relay->told % CHUNKS];
	pthread_mutex_unlock(&relay->lock);
	return chunk;
}

static void tell_chunk(const struct chunk *chunk, reader_deliver deliver, reader_records records,
		       void *context)
{
	const unsigned char *at = chunk->bytes, *end = at + chunk->used;

	while (at < end) {
		const struct head *head = (const void *)at;

		at += sizeof(*head);
		if (head->count)
			records(context, head->process, (const void *)at, head->count);
		else
			deliver(context, (const void *)at);
		at += head->size_bytes;
	}
}

void relay_tell(struct relay *relay, reader_deliver deliver, reader_records records, void *context)
{
	struct chunk *chunk = take_chunk(relay, /* first */ true);

	while (chunk) {
		tell_chunk(chunk, deliver, records, context);
		chunk = take_chunk(relay, /* first */ false);
	}
}
