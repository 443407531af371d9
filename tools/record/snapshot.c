/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The order makes it exact:
 *
 *   end_ns := now - copy the slots of all threads - LTTng writes its window - the rest
 *
 * A record up to end_ns is in a slot when the slots are copied, or was handed to LTTng before. A
 * slot that was emptied in between is in both places, and known by its begin_ns (schema/live.h).
 * begin_ns is the latest of the times at which the streams begin whose older packets were
 * overwritten: packets are numbered, so that is known. */

#include "tools/record/snapshot.h"

#include "tools/lib/cli.h"
#include "tools/lib/packets.h"
#include "tools/lib/snapshots.h"
#include "tools/record/memory.h"
#include "tools/record/session.h"
#include "trace/schema/live.h"
#include "trace/schema/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OPEN_FOLDERS_MAX = 16, COPY_BYTES = 65536 };

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool write_all(int file, const void *bytes, size_t size_bytes)
{
	const char *at = bytes;

	while (size_bytes) {
		ssize_t done = write(file, at, size_bytes);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		size_bytes -= (size_t)done;
	}
	return true;
}

/* The threads' slots. */

static uint64_t begin_of(const struct live_slot *slot)
{
	return __atomic_load_n(&slot->header.begin_ns, __ATOMIC_ACQUIRE);
}

/* The slot as it was at one moment. False: it holds nothing, or has just been emptied into LTTng,
 * and what came since is later than the snapshot. */
static bool read_slot(const struct live_slot *slot, struct live_slot *copy)
{
	uint64_t begin_ns = begin_of(slot);
	uint32_t used = __atomic_load_n(&slot->header.used_words, __ATOMIC_ACQUIRE);

	if (!used || used > LIVE_SLOT_WORDS)
		return false;
	memset(copy, 0, sizeof(*copy));
	memcpy(copy->words, slot->words, used * sizeof(slot->words[0]));
	copy->header = slot->header;
	copy->header.begin_ns = begin_ns;
	copy->header.used_words = used;
	/* The processor reads in order; the compiler has to. */
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
	return copy->header.tid && begin_of(slot) == begin_ns &&
	       __atomic_load_n(&slot->header.used_words, __ATOMIC_ACQUIRE) >= used;
}

static bool copy_slots(int to, const struct live_slot *slots, size_t count)
{
	static struct live_slot copy;

	for (size_t i = 0; i < count; i++)
		if (read_slot(&slots[i], &copy) && !write_all(to, &copy, sizeof(copy)))
			return false;
	return true;
}

/* The file only grows, and its writer allocates before it maps. */
static bool copy_mapped(int to, int from)
{
	struct stat status;
	size_t count;
	void *slots;
	bool is_copied;

	if (fstat(from, &status))
		return false;
	count = (size_t)status.st_size / LIVE_SLOT_SIZE;
	if (!count)
		return true;
	slots = mmap(NULL, count * LIVE_SLOT_SIZE, PROT_READ, MAP_SHARED, from, 0);
	if (slots == MAP_FAILED)
		return false;
	is_copied = copy_slots(to, slots, count);
	munmap(slots, count * LIVE_SLOT_SIZE);
	return is_copied;
}

/* A file that is gone is one whose process has ended in order, and has emptied it. */
static bool copy_live_file(int from_folder, int to_folder, const char *name)
{
	int from = openat(from_folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = from < 0 ? -1 : openat(to_folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool is_copied = from < 0 ? errno == ENOENT : to >= 0 && copy_mapped(to, from);

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return is_copied;
}

static bool copy_live(const char *live, const char *part)
{
	char path[PATH_MAX];
	DIR *list = opendir(live);
	struct dirent *entry;
	int to = -1;
	bool is_copied = list && join(path, part, VADTRACE_LIVE_FOLDER) && !mkdir(path, 0777) &&
			 (to = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0;

	while (is_copied && (entry = readdir(list)))
		if (entry->d_name[0] != '.')
			is_copied = copy_live_file(dirfd(list), to, entry->d_name);
	if (list)
		closedir(list);
	if (to >= 0)
		close(to);
	return is_copied;
}

/* What the main session wrote: linked, or copied where links cannot be. */

static bool copy_file(const char *to_path, const char *from_path)
{
	static char buffer[COPY_BYTES];
	int from = open(from_path, O_RDONLY | O_CLOEXEC);
	int to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool is_copied = from >= 0 && to >= 0;
	ssize_t length = 1;

	while (is_copied && (length = read(from, buffer, sizeof(buffer))) > 0)
		is_copied = write_all(to, buffer, (size_t)length);
	if (from >= 0)
		close(from);
	if (to >= 0 && close(to))
		is_copied = false;
	return is_copied && length == 0;
}

/* For nftw, which has no argument of ours. */
static const char *tree_from, *tree_to;

static int link_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	char to[PATH_MAX];

	(void)status;
	(void)place;
	if ((size_t)snprintf(to, sizeof(to), "%s%s", tree_to, path + strlen(tree_from)) >=
	    sizeof(to))
		return -1;
	if (type == FTW_D)
		return mkdir(to, 0777);
	return type != FTW_F || !link(path, to) || copy_file(to, path) ? 0 : -1;
}

/* Nothing was completed yet: then there is nothing to link. */
static bool link_tree(const char *from, const char *to)
{
	tree_from = from;
	tree_to = to;
	return access(from, F_OK) || !nftw(from, link_entry, OPEN_FOLDERS_MAX, FTW_PHYS);
}

/* What of the window was written.
 *
 * LTTng leaves a packet out that a writer has not finished, be it that it lost its processor there:
 * then there is a gap in the numbers, or the last one is missing. */

enum { STREAMS_MAX = 1024, NAME_BYTES = 32, TRIES = 20, TRY_NS = 10000000 };

/* The streams of the window in memory, one for each processor, and the packets that they had
 * before LTTng was asked. */
struct extent {
	uint64_t packets[STREAMS_MAX];
};

static void name_stream(char name[NAME_BYTES], size_t number)
{
	snprintf(name, NAME_BYTES, SESSION_WINDOW_CHANNEL "_%zu", number);
}

static size_t stream_count(void)
{
	long count = sysconf(_SC_NPROCESSORS_CONF);

	return count < 1 ? 1 : count < STREAMS_MAX ? (size_t)count : STREAMS_MAX;
}

static void measure(struct extent *extent)
{
	for (size_t i = 0; i < stream_count(); i++) {
		char name[NAME_BYTES];

		name_stream(name, i);
		extent->packets[i] = memory_count_packets(session_window_name(), name);
	}
}

/* What was written of a stream.
 *  - end is one past the number of the last packet;
 *  - begin_ns is when its last run of packets without a gap begins, 0: with the first of all. */
struct written {
	uint64_t end, begin_ns;
	bool has_gap;
};

static struct written read_stream(const char *path)
{
	struct packets *packets = packets_open(path);
	struct written written = { 0 };
	struct packet packet;
	bool is_first = true;

	while (packets && packets_next(packets, &packet)) {
		uint64_t number = packet_u64(packet.bytes + PACKET_NUMBER_AT);

		if (number != written.end) {
			written.begin_ns = packet_u64(packet.bytes + PACKET_BEGIN_AT);
			written.has_gap |= !is_first;
		}
		written.end = number + 1;
		is_first = false;
	}
	packets_close(packets);
	return written;
}

/* Processes of several users have streams of the same name. */
static void add_stream(struct written *all, struct written one)
{
	if (one.end > all->end)
		all->end = one.end;
	if (one.begin_ns > all->begin_ns)
		all->begin_ns = one.begin_ns;
	all->has_gap |= one.has_gap;
}

/* For nftw, which has no argument of ours. */
static struct written written_streams[STREAMS_MAX];

static int look_at_stream(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	for (size_t i = 0; type == FTW_F && i < stream_count(); i++) {
		char name[NAME_BYTES];

		name_stream(name, i);
		if (!strcmp(path + place->base, name))
			add_stream(&written_streams[i], read_stream(path));
	}
	return 0;
}

/* Sets when the window begins. False: a packet is missing that was there. */
static bool look_at_window(const char *window, const struct extent *extent, uint64_t *begin_ns)
{
	bool is_whole = true;

	memset(written_streams, 0, sizeof(written_streams));
	nftw(window, look_at_stream, OPEN_FOLDERS_MAX, FTW_PHYS);
	*begin_ns = 0;
	for (size_t i = 0; i < stream_count(); i++) {
		is_whole &=
			!written_streams[i].has_gap && written_streams[i].end >= extent->packets[i];
		if (written_streams[i].begin_ns > *begin_ns)
			*begin_ns = written_streams[i].begin_ns;
	}
	return is_whole;
}

/* The snapshot. */

static bool ask_lttng(struct snapshot *snapshot, const char *window)
{
	static struct extent extent;
	struct timespec wait = { .tv_nsec = TRY_NS };

	for (int i = 0; i < TRIES; i++) {
		if (i)
			nanosleep(&wait, NULL);
		folder_remove_tree(window);
		measure(&extent);
		if (session_snapshot(window) != SESSION_OK)
			return false;
		if (look_at_window(window, &extent, &snapshot->begin_ns))
			return true;
	}
	cli_warn("snapshot %" PRIu32
		 ": a process stopped while it wrote; what it wrote last may be "
		 "missing",
		 snapshot->number);
	return true;
}

static bool write_window(struct snapshot *snapshot, const char *window, bool is_dead)
{
	static const struct extent nothing;

	if (!is_dead || !memory_rescue(session_window_name(), window))
		return ask_lttng(snapshot, window);
	look_at_window(window, &nothing, &snapshot->begin_ns);
	return true;
}

static bool copy_memory(struct snapshot *snapshot, const struct folder *folder, bool is_dead)
{
	char window[PATH_MAX];

	if (!join(window, snapshot->part, "window") || mkdir(snapshot->part, 0777))
		return false;
	snapshot->end_ns = now_ns();
	return copy_live(folder->live, snapshot->part) && write_window(snapshot, window, is_dead);
}

void snapshot_cancel(struct snapshot *snapshot)
{
	snapshot->is_open = false;
	folder_remove_tree(snapshot->part);
}

static bool fail(struct snapshot *snapshot)
{
	int error = errno;

	snapshot_cancel(snapshot);
	cli_error("snapshot %" PRIu32 " could not be written: %s", snapshot->number,
		  strerror(error));
	return false;
}

bool snapshot_begin(struct snapshot *snapshot, const struct folder *folder, const char *reason,
		    bool is_dead)
{
	snapshot->number++;
	snapshot->reason = reason;
	errno = ENAMETOOLONG;
	if ((size_t)snprintf(snapshot->part, sizeof(snapshot->part),
			     "%s/." SNAPSHOTS_PREFIX "%" PRIu32, folder->path,
			     snapshot->number) >= sizeof(snapshot->part) ||
	    !copy_memory(snapshot, folder, is_dead))
		return fail(snapshot);
	snapshot->is_open = true;
	return true;
}

static bool write_manifest(const struct snapshot *snapshot, const struct manifest *recording)
{
	struct manifest manifest = *recording;
	int error;

	manifest.snapshot.number = snapshot->number;
	manifest.snapshot.reason = (char *)snapshot->reason;
	manifest.snapshot.begin_ns = snapshot->begin_ns;
	manifest.snapshot.end_ns = snapshot->end_ns;
	manifest.duration_ns = snapshot->end_ns - recording->start_monotonic_ns;
	manifest.complete = true;
	error = manifest_write(snapshot->part, &manifest);
	errno = -error;
	return !error;
}

static bool give_name(const struct snapshot *snapshot, const struct folder *folder)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/" SNAPSHOTS_PREFIX "%" PRIu32, folder->path,
				snapshot->number) < sizeof(path) &&
	       !rename(snapshot->part, path);
}

bool snapshot_finish(struct snapshot *snapshot, const struct folder *folder,
		     const struct manifest *manifest)
{
	char base[PATH_MAX];

	if (!join(base, snapshot->part, "base") || !link_tree(folder->ust, base) ||
	    !write_manifest(snapshot, manifest) || !give_name(snapshot, folder))
		return fail(snapshot);
	snapshot->is_open = false;
	return true;
}

bool snapshot_is_requested(const struct folder *folder)
{
	char path[PATH_MAX];

	return join(path, folder->path, SNAPSHOTS_REQUEST) && !access(path, F_OK);
}

void snapshot_answer(const struct folder *folder)
{
	char path[PATH_MAX];

	if (join(path, folder->path, SNAPSHOTS_REQUEST))
		unlink(path);
}
