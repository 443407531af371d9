/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A snapshot whose window is not whole is taken again. LTTng is a function here, which leaves
 * packets out as it does where a writer has not finished one. */

#include "tools/record/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/tap.h"
#include "tools/lib/packets.h"
#include "tools/record/memory.h"
#include "tools/record/session.h"

enum { PACKET_BYTES = 4096, PACKETS_MAX = 8, BEGIN_NS = 1000 };

/* How LTTng writes the window: the numbers of the packets, up to a 0 behind the first.
 *  - torn_times: so often `torn` is written before `whole`;
 *  - in_memory: packets that the stream has begun before LTTng is asked. */
struct window {
	const char *name;
	uint64_t torn[PACKETS_MAX], whole[PACKETS_MAX];
	uint32_t torn_times;
	uint64_t in_memory;
	uint32_t asked;
	uint64_t begin_ns;
};

static const struct window windows[] = {
	{ "all there is", { 0 }, { 0, 1, 2 }, 0, 3, 1, 0 },
	{ "older ones overwritten", { 0 }, { 5, 6, 7 }, 0, 8, 1, BEGIN_NS + 5 },
	{ "one in the middle left out", { 5, 7, 8 }, { 5, 6, 7, 8 }, 1, 9, 2, BEGIN_NS + 5 },
	{ "the last left out", { 5, 6, 7 }, { 5, 6, 7, 8 }, 3, 9, 4, BEGIN_NS + 5 },
	{ "newer ones meanwhile", { 5, 6 }, { 7, 8, 9, 10 }, 1, 9, 2, BEGIN_NS + 7 },
	{ "never whole", { 5, 7, 8 }, { 5, 7, 8 }, 0, 9, 20, BEGIN_NS + 7 },
};

static const struct window *window;
static uint32_t asked, removed;

const char *session_window_name(void)
{
	return "test";
}

uint64_t memory_count_packets(const char *session, const char *stream)
{
	return strcmp(stream, SESSION_WINDOW_CHANNEL "_0") == 0 ? window->in_memory : 0;
}

bool memory_rescue(const char *session, const char *to)
{
	return false;
}

/* As snapshot.c names what it writes. */
static void name_stream(char path[PATH_MAX], const char *folder)
{
	if (snprintf(path, PATH_MAX, "%s/" SESSION_WINDOW_CHANNEL "_0", folder) >= PATH_MAX)
		path[0] = '\0';
}

/* What was written before is gone when LTTng writes again. */
void folder_remove_tree(const char *folder)
{
	char path[PATH_MAX];

	removed++;
	name_stream(path, folder);
	unlink(path);
	rmdir(folder);
}

static void put_u64(unsigned char *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void write_packet(FILE *file, uint64_t number)
{
	static unsigned char packet[PACKET_BYTES];
	const uint32_t magic = PACKET_MAGIC;

	memcpy(packet, &magic, sizeof(magic));
	put_u64(packet + PACKET_BEGIN_AT, BEGIN_NS + number);
	put_u64(packet + PACKET_CONTENT_BITS_AT, PACKET_BYTES * 8);
	put_u64(packet + PACKET_BITS_AT, PACKET_BYTES * 8);
	put_u64(packet + PACKET_NUMBER_AT, number);
	fwrite(packet, sizeof(packet), 1, file);
}

enum session_result session_snapshot(const char *to)
{
	const uint64_t *numbers = asked++ < window->torn_times ? window->torn : window->whole;
	char path[PATH_MAX];
	FILE *file;

	name_stream(path, to);
	if (mkdir(to, 0700) || !(file = fopen(path, "we")))
		return SESSION_REFUSED;
	for (size_t i = 0; i < PACKETS_MAX && (i == 0 || numbers[i]); i++)
		write_packet(file, numbers[i]);
	fclose(file);
	return SESSION_OK;
}

static void remove_in(const char *folder, const char *name)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	remove(path);
}

static void test_window(const struct folder *folder)
{
	static struct snapshot snapshot;

	snapshot = (struct snapshot){ 0 };
	asked = removed = 0;
	ok(snapshot_begin(&snapshot, folder, "test", /* is_dead */ false), "%s: it is taken",
	   window->name);
	ok_equal(asked, window->asked, "%s: so often", window->name);
	ok_equal(removed, window->asked, "%s: what was torn is thrown away", window->name);
	ok_equal(snapshot.begin_ns, window->begin_ns, "%s: begins with its last whole run",
		 window->name);
	remove_in(snapshot.part, "window/" SESSION_WINDOW_CHANNEL "_0");
	remove_in(snapshot.part, "window");
	remove_in(snapshot.part, "live");
	rmdir(snapshot.part);
}

int main(void)
{
	static struct folder folder;
	char scratch[] = "/tmp/vadtrace-snapshot.XXXXXX";

	if (!mkdtemp(scratch))
		return 1;
	snprintf(folder.path, sizeof(folder.path), "%s", scratch);
	snprintf(folder.live, sizeof(folder.live), "%s/live", scratch);
	mkdir(folder.live, 0700);
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		window = &windows[i];
		test_window(&folder);
	}
	rmdir(folder.live);
	rmdir(scratch);
	return tap_done();
}
