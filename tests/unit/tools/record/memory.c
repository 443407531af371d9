/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What is seen of a buffer by its two positions, in a file that begins as LTTng's do. */

#include "tools/record/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/tap.h"
#include "tools/record/folder.h"

enum { SUBBUFFER_BYTES = 65536, SUBBUFFERS = 8, BUFFER_BYTES = SUBBUFFERS * SUBBUFFER_BYTES };
enum { PRODUCED_AT = 1024, CONSUMED_AT = 2048, FILE_BYTES = 4096 };

static char session[64], path[MEMORY_PATH_MAX + 16];

/* Nothing here removes a session's folder. */
void folder_remove_tree(const char *folder)
{
}

static void put(char *file, unsigned at, const void *value, size_t size)
{
	memcpy(file + at, value, size);
}

static void write_buffer(uint64_t produced, uint64_t consumed)
{
	static const uint8_t magic[16] = { 0x17, 0x7b, 0xf1, 0x77, 0xbf, 0x17, 0x7b, 0xf1,
					   0x77, 0xbf, 0x17, 0x7b, 0xf1, 0x77, 0xbf, 0x17 };
	const uint32_t places[2] = { PRODUCED_AT, CONSUMED_AT };
	const uint64_t sizes[3] = { BUFFER_BYTES, SUBBUFFER_BYTES, SUBBUFFERS };
	const uint16_t endian = 0x1234;
	const uint8_t word_bytes = 8;
	char file[FILE_BYTES] = { 0 };
	int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	put(file, 0, magic, sizeof(magic));
	put(file, 24, &endian, sizeof(endian));
	put(file, 30, &word_bytes, sizeof(word_bytes));
	put(file, 32, places, sizeof(places));
	put(file, 112, sizes, sizeof(sizes));
	put(file, PRODUCED_AT, &produced, sizeof(produced));
	put(file, CONSUMED_AT, &consumed, sizeof(consumed));
	ok(write(descriptor, file, sizeof(file)) == sizeof(file), "a buffer's file");
	close(descriptor);
}

/* In sub-buffers: what was consumed; and what lies behind it, with so many bytes more. */
static const struct {
	uint64_t consumed, behind, bytes;
	bool has_rest;
	uint64_t blocked;
} rows[] = {
	{ 0, 0, 0, false, 0 },
	{ 5, 0, 100, false, 0 },                   /* one that is still written to */
	{ 5, 1, 0, true, 0 },                      /* one that LTTng does not take */
	{ 5, 3, 100, true, 0 },                    /* there is room behind it */
	{ 5, 7, 100, true, 0 },                    /* also in the last sub-buffer */
	{ 5, 7, SUBBUFFER_BYTES - 9000, true, 0 }, /* and an event would still fit */
	{ 5, 7, SUBBUFFER_BYTES - 4000, true, 1 }, /* a batch would not */
	{ 5, 8, 0, true, 1 },                      /* full */
	{ 1000005, 8, 0, true, 1 },                /* after many rounds */
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t consumed = rows[i].consumed * SUBBUFFER_BYTES;

		write_buffer(consumed + rows[i].behind * SUBBUFFER_BYTES + rows[i].bytes, consumed);
		ok_equal(memory_has_rest(session), rows[i].has_rest, "row %zu: a rest", i);
		ok_equal(memory_count_blocked(session), rows[i].blocked, "row %zu: blocked", i);
		ok_equal(memory_count_consumed(session), consumed, "row %zu: taken out", i);
		memory_pass(session);
		ok_equal(memory_count_consumed(session),
			 consumed + rows[i].behind * SUBBUFFER_BYTES, "row %zu: and passed", i);
		ok(!memory_has_rest(session), "row %zu: it is passed over", i);
		ok_equal(memory_count_blocked(session), 0, "row %zu: and blocks nothing", i);
	}
}

int main(void)
{
	char folder[MEMORY_PATH_MAX];

	snprintf(session, sizeof(session), "vadtrace-test-memory-%d", (int)getpid());
	memory_path(session, folder);
	snprintf(path, sizeof(path), "%s/stream_0", folder);
	if (mkdir(folder, 0700) != 0)
		tap_skip_all("no shared memory here");
	ok(!memory_has_rest(session) && memory_count_blocked(session) == 0, "an empty session");
	test_rows();
	unlink(path);
	rmdir(folder);
	return tap_done();
}
