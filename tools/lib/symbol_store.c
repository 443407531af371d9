/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The file, little endian, every part 8 bytes aligned:
 *
 *   header      magic, checksum of all that follows it, counts, size of the strings
 *   locations   by rising offset: offset, first frame, number of frames, had debug information
 *   frames      function and file (places in the strings, 0: none), line, flags
 *   strings     one "" first, then the build-id, then all others, each with its 0
 *
 * It is written beside its place and renamed. Of two writers at once the last wins; what the other
 * had found out is found out again. */

#include "tools/lib/symbol_store.h"
#include "tools/lib/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_MAGIC UINT64_C(0x31304d5953444156) /* "VADSYM01": the last digits are the version */

enum { STORE_BYTES_MAX = 1 << 28, BUILD_ID_DIGITS_MIN = 16, BUILD_ID_DIGITS_MAX = 128 };
enum { FRAME_INLINED = 1, FRAME_NAMED = 2 };

struct header {
	uint64_t magic;
	uint64_t checksum;
	uint64_t location_count, frame_count, string_bytes;
};

struct location {
	uint64_t offset;
	uint32_t first;
	uint16_t count;
	uint16_t has_debug;
};

struct frame {
	uint32_t function, file;
	int32_t line;
	uint32_t flags;
};

_Static_assert(sizeof(struct header) == 40 && sizeof(struct location) == 16 &&
		       sizeof(struct frame) == 16,
	       "the file's layout");

/* - bytes is NULL when there is no file, or none that is good; header, locations, frames_read and
 *   strings lie in it. */
struct symbol_store {
	char *folder, *build_id;
	void *bytes;
	size_t size_bytes;
	const struct header *header;
	const struct location *locations;
	const struct frame *frames_read;
	const char *strings;
	bool is_plain_good;
	struct location *added;
	size_t added_count, added_capacity;
	struct stored_frame *frames; /* of what was added */
	size_t frame_count, frame_capacity;
};

bool symbol_store_is_name(const char *build_id)
{
	size_t length = strlen(build_id);

	return length >= BUILD_ID_DIGITS_MIN && length <= BUILD_ID_DIGITS_MAX &&
	       strspn(build_id, "0123456789abcdef") == length;
}

/* FNV-1a, by words: the parts are 8 bytes aligned. */
static uint64_t checksum(const void *bytes, size_t size_bytes)
{
	const unsigned char *at = bytes;
	uint64_t sum = UINT64_C(0xcbf29ce484222325), word;

	for (size_t i = 0; i + sizeof(word) <= size_bytes; i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x100000001b3);
		sum ^= sum >> 29;
	}
	return sum;
}

static bool is_good_frame(const struct header *header, const struct frame *frame)
{
	return frame->function < header->string_bytes && frame->file < header->string_bytes;
}

static bool has_good_parts(const struct symbol_store *store)
{
	const struct header *header = store->header;

	for (size_t i = 0; i < header->location_count; i++) {
		const struct location *at = &store->locations[i];

		if (!at->count || at->count > STORED_FRAMES_MAX ||
		    at->first > header->frame_count ||
		    at->count > header->frame_count - at->first ||
		    (i && at[-1].offset >= at->offset))
			return false;
	}
	for (size_t i = 0; i < header->frame_count; i++)
		if (!is_good_frame(header, &store->frames_read[i]))
			return false;
	return true;
}

/* Whether the file is what it says: only then its parts are used. */
static bool take_parts(struct symbol_store *store)
{
	const struct header *header = store->bytes;
	size_t left = store->size_bytes - sizeof(*header);

	if (header->magic != STORE_MAGIC || header->checksum != checksum(header + 1, left) ||
	    header->location_count > left / sizeof(struct location))
		return false;
	left -= header->location_count * sizeof(struct location);
	if (header->frame_count > left / sizeof(struct frame))
		return false;
	left -= header->frame_count * sizeof(struct frame);
	store->header = header;
	store->locations = (const void *)(header + 1);
	store->frames_read = (const void *)(store->locations + header->location_count);
	store->strings = (const void *)(store->frames_read + header->frame_count);
	return header->string_bytes == left && left > strlen(store->build_id) + 1 &&
	       !store->strings[left - 1] && !store->strings[0] &&
	       !strcmp(store->strings + 1, store->build_id) && has_good_parts(store);
}

static bool is_own_file(const struct stat *status)
{
	return S_ISREG(status->st_mode) && status->st_uid == geteuid() &&
	       status->st_size > (off_t)sizeof(struct header) &&
	       status->st_size <= STORE_BYTES_MAX && status->st_size % 8 == 0;
}

static bool read_bytes(struct symbol_store *store, int fd)
{
	struct stat status;

	if (fstat(fd, &status) || !is_own_file(&status))
		return false;
	store->size_bytes = (size_t)status.st_size;
	store->bytes = xmalloc(store->size_bytes);
	return read(fd, store->bytes, store->size_bytes) == (ssize_t)store->size_bytes;
}

/* The file's time says when it was last of use. */
static void read_file(struct symbol_store *store)
{
	char *path = xasprintf("%s/%s", store->folder, store->build_id);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0 && read_bytes(store, fd) && take_parts(store)) {
		futimens(fd, NULL);
	} else {
		free(store->bytes);
		store->bytes = NULL;
		store->header = NULL;
	}
	if (fd >= 0)
		close(fd);
	free(path);
}

struct symbol_store *symbol_store_open(const char *folder, const char *build_id, bool is_plain_good)
{
	struct symbol_store *store = xcalloc(1, sizeof(*store));

	store->folder = xstrdup(folder);
	store->build_id = xstrdup(build_id);
	store->is_plain_good = is_plain_good;
	read_file(store);
	return store;
}

void symbol_store_close(struct symbol_store *store)
{
	if (!store)
		return;
	free(store->bytes);
	free(store->folder);
	free(store->build_id);
	free(store->added);
	free(store->frames);
	free(store);
}

static size_t location_count(const struct symbol_store *store)
{
	return store->header ? (size_t)store->header->location_count : 0;
}

static bool is_useful(const struct symbol_store *store, const struct location *location)
{
	return location->has_debug || store->is_plain_good;
}

static struct stored_frame get_frame(const struct symbol_store *store, const struct frame *frame)
{
	return (struct stored_frame){
		.function = store->strings + frame->function,
		.file = frame->file ? store->strings + frame->file : NULL,
		.line = frame->line,
		.is_inlined = frame->flags & FRAME_INLINED,
		.is_named = frame->flags & FRAME_NAMED,
	};
}

size_t symbol_store_find(const struct symbol_store *store, uint64_t offset,
			 struct stored_frame frames[STORED_FRAMES_MAX])
{
	size_t low = 0, high = location_count(store);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (store->locations[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == location_count(store) || store->locations[low].offset != offset ||
	    !is_useful(store, &store->locations[low]))
		return 0;
	for (size_t i = 0; i < store->locations[low].count; i++)
		frames[i] = get_frame(store, &store->frames_read[store->locations[low].first + i]);
	return store->locations[low].count;
}

void symbol_store_add(struct symbol_store *store, uint64_t offset,
		      const struct stored_frame *frames, size_t count, bool has_debug)
{
	if (!count || count > STORED_FRAMES_MAX || store->frame_count > UINT32_MAX / 2)
		return;
	store->added = xgrow(store->added, store->added_count, &store->added_capacity,
			     sizeof(*store->added));
	store->added[store->added_count++] = (struct location){
		.offset = offset,
		.first = (uint32_t)store->frame_count,
		.count = (uint16_t)count,
		.has_debug = has_debug,
	};
	for (size_t i = 0; i < count; i++) {
		store->frames = xgrow(store->frames, store->frame_count, &store->frame_capacity,
				      sizeof(*store->frames));
		store->frames[store->frame_count++] = frames[i];
	}
}

/* A file in the making.
 *  - slots finds a string's place by its text: 0 is an empty slot. */
struct draft {
	struct location *locations;
	size_t location_count;
	struct frame *frames;
	size_t frame_count, frame_capacity;
	char *strings;
	size_t string_bytes, string_capacity;
	uint32_t *slots;
	size_t slot_count, string_count;
};

static uint32_t *find_string(struct draft *draft, const char *text)
{
	size_t slot = hash_text(text) & (draft->slot_count - 1);

	while (draft->slots[slot] && strcmp(draft->strings + draft->slots[slot], text))
		slot = (slot + 1) & (draft->slot_count - 1);
	return &draft->slots[slot];
}

static void enlarge_slots(struct draft *draft)
{
	uint32_t *old = draft->slots;
	size_t old_count = draft->slot_count;

	draft->slot_count = old_count ? old_count * 2 : 1024;
	draft->slots = xcalloc(draft->slot_count, sizeof(*draft->slots));
	for (size_t i = 0; i < old_count; i++)
		if (old[i])
			*find_string(draft, draft->strings + old[i]) = old[i];
	free(old);
}

static uint32_t append_text(struct draft *draft, const char *text)
{
	size_t length = strlen(text) + 1, place = draft->string_bytes;

	while (place + length > draft->string_capacity) {
		draft->string_capacity = draft->string_capacity ? draft->string_capacity * 2 : 4096;
		draft->strings = xreallocarray(draft->strings, draft->string_capacity, 1);
	}
	memcpy(draft->strings + place, text, length);
	draft->string_bytes += length;
	return (uint32_t)place;
}

/* "" is place 0. */
static uint32_t add_string(struct draft *draft, const char *text)
{
	uint32_t *slot;

	if (!*text)
		return 0;
	if (2 * (draft->string_count + 1) > draft->slot_count)
		enlarge_slots(draft);
	slot = find_string(draft, text);
	if (!*slot) {
		draft->string_count++;
		*slot = append_text(draft, text);
	}
	return *slot;
}

static void add_frame(struct draft *draft, const struct stored_frame *frame)
{
	draft->frames = xgrow(draft->frames, draft->frame_count, &draft->frame_capacity,
			      sizeof(*draft->frames));
	draft->frames[draft->frame_count++] = (struct frame){
		.function = add_string(draft, frame->function),
		.file = frame->file ? add_string(draft, frame->file) : 0,
		.line = frame->line,
		.flags = (frame->is_inlined ? FRAME_INLINED : 0) |
			 (frame->is_named ? FRAME_NAMED : 0),
	};
}

static void add_location(struct draft *draft, const struct location *location)
{
	draft->locations[draft->location_count] = *location;
	draft->locations[draft->location_count++].first = (uint32_t)draft->frame_count;
}

static void copy_old(struct draft *draft, const struct symbol_store *store,
		     const struct location *location)
{
	add_location(draft, location);
	for (size_t i = 0; i < location->count; i++) {
		struct stored_frame frame =
			get_frame(store, &store->frames_read[location->first + i]);

		add_frame(draft, &frame);
	}
}

static void copy_new(struct draft *draft, const struct symbol_store *store,
		     const struct location *location)
{
	add_location(draft, location);
	for (size_t i = 0; i < location->count; i++)
		add_frame(draft, &store->frames[location->first + i]);
}

static int compare(const void *left, const void *right)
{
	const struct location *a = left, *b = right;

	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Old and new ones, by offset; of two the new one counts. */
static void merge_locations(struct draft *draft, struct symbol_store *store)
{
	size_t old = 0, old_count = location_count(store);

	qsort(store->added, store->added_count, sizeof(*store->added), compare);
	draft->locations = xcalloc(old_count + store->added_count + 1, sizeof(struct location));
	for (size_t i = 0; i < store->added_count; i++) {
		const struct location *added = &store->added[i];

		if (i && store->added[i - 1].offset == added->offset)
			continue;
		while (old < old_count && store->locations[old].offset < added->offset)
			copy_old(draft, store, &store->locations[old++]);
		old += old < old_count && store->locations[old].offset == added->offset;
		copy_new(draft, store, added);
	}
	while (old < old_count)
		copy_old(draft, store, &store->locations[old++]);
}

static void free_draft(struct draft *draft)
{
	free(draft->locations);
	free(draft->frames);
	free(draft->strings);
	free(draft->slots);
}

/* The whole file in memory. */
static unsigned char *make_file(struct symbol_store *store, size_t *size_bytes)
{
	struct draft draft = { 0 };
	struct header header = { .magic = STORE_MAGIC };
	unsigned char *bytes, *at;

	append_text(&draft, "");
	append_text(&draft, store->build_id);
	merge_locations(&draft, store);
	while (draft.string_bytes % 8)
		append_text(&draft, "");
	header.location_count = draft.location_count;
	header.frame_count = draft.frame_count;
	header.string_bytes = draft.string_bytes;
	size_t locations_bytes = draft.location_count * sizeof(struct location);
	size_t frames_bytes = draft.frame_count * sizeof(struct frame);
	*size_bytes = sizeof(header) + locations_bytes + frames_bytes + draft.string_bytes;
	bytes = xmalloc(*size_bytes);
	at = bytes + sizeof(header);
	memcpy(at, draft.locations, locations_bytes);
	if (frames_bytes)
		memcpy(at + locations_bytes, draft.frames, frames_bytes);
	memcpy(at + locations_bytes + frames_bytes, draft.strings, draft.string_bytes);
	header.checksum = checksum(at, *size_bytes - sizeof(header));
	memcpy(bytes, &header, sizeof(header));
	free_draft(&draft);
	return bytes;
}

static int write_all(int fd, const unsigned char *bytes, size_t size_bytes)
{
	while (size_bytes) {
		ssize_t put = write(fd, bytes, size_bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -ENOSPC;
		bytes += put;
		size_bytes -= (size_t)put;
	}
	return 0;
}

/* Writes the file to a name of its own, and gives it the right one. */
static int write_file(struct symbol_store *store, char *draft, const char *path)
{
	size_t size_bytes;
	unsigned char *bytes;
	int fd = mkostemp(draft, O_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	bytes = make_file(store, &size_bytes);
	error = size_bytes > STORE_BYTES_MAX ? -EFBIG : write_all(fd, bytes, size_bytes);
	free(bytes);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(draft, path))
		error = -errno;
	if (error)
		unlink(draft);
	return error;
}

int symbol_store_save(struct symbol_store *store)
{
	char *path = xasprintf("%s/%s", store->folder, store->build_id);
	char *draft = xasprintf("%s/" SYMBOL_STORE_DRAFT "XXXXXX", store->folder);
	int error = store->added_count ? write_file(store, draft, path) : 0;

	free(draft);
	free(path);
	return error;
}
