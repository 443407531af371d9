/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The file is made when its first slot is wanted and grows by chunks. Each chunk's blocks are
 * allocated before it is mapped, so that a full disk shows here and not as SIGBUS. The descriptor
 * is open only while a chunk is added: a program that closes or replaces descriptors cannot hurt
 * it. */

#include "trace/live.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "trace/memory.h"
#include "trace/system.h"

#define CHUNK_SLOTS_FIRST 16u
#define CHUNK_SLOTS_MAX 512u
#define CHUNKS_MAX 4096u

/* Mapped slots, side by side. */
struct chunk {
	struct live_slot *slots;
	uint32_t count;
	bool is_shared;
};

static char folder[PATH_MAX];
static char path[PATH_MAX + 48];
static uint64_t file_size;
static struct chunk *chunks;
static uint32_t chunk_count;
static uint32_t used_slots;            /* of the last chunk */
static struct live_process *described; /* the file's first slot; NULL: there is no file */

void live_start(const char *live_folder)
{
	if (live_folder && live_folder[0] == '/' && strlen(live_folder) < sizeof(folder))
		memcpy(folder, live_folder, strlen(live_folder) + 1);
}

static char *append_number(char *text, uint64_t value)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count > 0)
		*text++ = digits[--count];
	return text;
}

static void make_path(void)
{
	size_t length = strlen(folder);
	char *at;

	memcpy(path, folder, length);
	at = path + length;
	*at++ = '/';
	at = append_number(at, system_pid());
	*at++ = '.';
	at = append_number(at, system_now_ns());
	*at = 0;
}

/* Gives the file real blocks for [from, from + size); some file systems must be written to. */
static bool allocate_blocks(long file, uint64_t from, uint64_t size)
{
	static const char zeros[LIVE_SLOT_SIZE];
	long result = system_call4(SYS_fallocate, file, 0, (long)from, (long)size);

	if (result != -95 /* EOPNOTSUPP */)
		return result == 0;
	for (uint64_t at = 0; at < size; at += sizeof(zeros))
		if (system_call4(SYS_pwrite64, file, (long)zeros, sizeof(zeros),
				 (long)(from + at)) != (long)sizeof(zeros))
			return false;
	return true;
}

/* Whether the process may have a file of this size: past its limit it would get a signal. */
static bool is_allowed(uint64_t size)
{
	struct rlimit limit = { .rlim_cur = 0 };

	system_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit);
	return size <= limit.rlim_cur;
}

/* The next chunk of the file, or NULL. */
static struct live_slot *map_file(uint32_t count)
{
	uint64_t size = (uint64_t)count * LIVE_SLOT_SIZE;
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (path[0] ? 0 : O_CREAT | O_EXCL);
	long file, address = -1;

	if (!folder[0] || !is_allowed(file_size + size))
		return NULL;
	if (!path[0])
		make_path();
	file = system_call4(SYS_openat, AT_FDCWD, (long)path, flags, 0600);
	if (file >= 0 && allocate_blocks(file, file_size, size))
		address = system_call6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED,
				       file, (long)file_size);
	if (file >= 0)
		system_call4(SYS_close, file, 0, 0, 0);
	if (file < 0 && (flags & O_CREAT))
		path[0] = 0;
	if (address < 0 && address > -4096)
		return NULL;
	file_size += size;
	return (struct live_slot *)address;
}

static void describe_process(struct live_slot *slot)
{
	slot->header.pid = system_pid();
	slot->header.magic = LIVE_MAGIC;
	__atomic_store_n(&described, (struct live_process *)(void *)slot, __ATOMIC_RELEASE);
}

void live_tell_commit(uint64_t commit_bytes)
{
	struct live_process *process = __atomic_load_n(&described, __ATOMIC_ACQUIRE);

	if (process)
		__atomic_store_n(&process->commit_bytes, commit_bytes, __ATOMIC_RELAXED);
}

static bool add_chunk(void)
{
	uint32_t count = chunk_count ? 2 * chunks[chunk_count - 1].count : CHUNK_SLOTS_FIRST;
	struct chunk chunk = { .count = count < CHUNK_SLOTS_MAX ? count : CHUNK_SLOTS_MAX };

	if (!chunks)
		chunks = memory_map(CHUNKS_MAX * sizeof(*chunks));
	if (!chunks || chunk_count == CHUNKS_MAX)
		return false;
	chunk.slots = map_file(chunk.count);
	chunk.is_shared = chunk.slots != NULL;
	if (!chunk.slots)
		chunk.slots = memory_map((size_t)chunk.count * LIVE_SLOT_SIZE);
	if (!chunk.slots)
		return false;
	chunks[chunk_count++] = chunk;
	used_slots = 0;
	if (chunk.is_shared && file_size == (uint64_t)chunk.count * LIVE_SLOT_SIZE)
		describe_process(&chunk.slots[used_slots++]);
	return true;
}

bool live_take_pair_locked(struct live_slot *pair[2])
{
	bool is_full = chunk_count == 0 || used_slots + 2 > chunks[chunk_count - 1].count;

	if (is_full && !add_chunk())
		return false;
	for (int i = 0; i < 2; i++) {
		struct live_slot *slot = &chunks[chunk_count - 1].slots[used_slots++];

		slot->header.pid = system_pid();
		slot->header.magic = LIVE_MAGIC;
		pair[i] = slot;
	}
	return true;
}

void live_remove(void)
{
	if (path[0])
		system_call4(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0);
	path[0] = 0;
	file_size = 0;
	if (chunk_count)
		used_slots = chunks[chunk_count - 1].count;
}

void live_fork_child(void)
{
	for (uint32_t i = 0; i < chunk_count; i++)
		memory_unmap(chunks[i].slots, (size_t)chunks[i].count * LIVE_SLOT_SIZE);
	described = NULL;
	chunk_count = 0;
	used_slots = 0;
	file_size = 0;
	path[0] = 0;
}
