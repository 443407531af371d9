/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* manifest_write and manifest_read: what goes in comes out, and damaged files are told. */

#include "tools/lib/manifest.h"

#include "tests/lib/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/vadtrace-manifest.XXXXXX";

static void put(const char *text, size_t length)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/vadtrace.json", folder);
	file = fopen(path, "w");
	if (file) {
		fwrite(text, 1, length, file);
		fclose(file);
	}
}

static void test_round_trip(void)
{
	static char *command[] = {
		"prog", "a b", "", "quote\" back\\ new\nline", "\xff\xfe", NULL
	};
	const struct manifest written = {
		.format_version = MANIFEST_FORMAT_VERSION,
		.schema_version = 7,
		.vadtrace_version = "1.2.3",
		.session = "vadtrace-1-2",
		.mode = "observe",
		.command = command,
		.executable = "/bin/prog",
		.cwd = "/w",
		.host = { "node", "Linux", "6.1", "x86_64" },
		.pid = 4242,
		.start_realtime_ns = UINT64_C(0xfedcba9876543210),
		.start_monotonic_ns = UINT64_MAX,
		.duration_ns = 5,
		.clock = { "tsc", 1, 24, UINT64_MAX - 1, 30 },
		.options = { true, true, true, 9, 1 << 20, 4096, 8, "net://host", 3 << 20,
			     1 << 25 },
		.end = { true, -1, 11 },
		.loss = { 3, 4, 2, true },
		.snapshot = { 2, "rss", 77, UINT64_MAX },
		.stopped = "disk full",
		.complete = true,
	};
	struct manifest read;

	ok_equal(manifest_write(folder, &written), 0, "writes");
	ok_equal(manifest_read(folder, &read), 0, "reads");
	ok_equal(read.schema_version, 7, "schema version");
	ok(!strcmp(read.session, "vadtrace-1-2") && !strcmp(read.mode, "observe"), "texts");
	for (int i = 0; command[i]; i++)
		ok(read.command[i] && !strcmp(read.command[i], command[i]), "word %d", i);
	ok(!read.command[5], "no more words");
	ok(!strcmp(read.host.machine, "x86_64"), "host");
	ok_equal(read.pid, 4242, "pid");
	ok_equal(read.start_realtime_ns, written.start_realtime_ns, "a time above INT64_MAX");
	ok_equal(read.start_monotonic_ns, UINT64_MAX, "the largest time");
	ok(!strcmp(read.clock.source, "tsc"), "the clock's source");
	ok(read.clock.resolution_ns == 1 && read.clock.reading_ns == 24 &&
		   read.clock.realtime_offset_ns == UINT64_MAX - 1 &&
		   read.clock.uncertainty_ns == 30,
	   "its figures");
	ok(read.options.children && read.options.discard && read.options.plain, "truths");
	ok_equal(read.options.min_size_bytes, 1 << 20, "sizes");
	ok_equal(read.options.commit_limit_bytes, 3 << 20, "a limit");
	ok(read.options.relay_url && !strcmp(read.options.relay_url, "net://host"), "relay");
	ok(read.end.known && read.end.signal == 11 && read.end.exit_status == -1, "end");
	ok(read.loss.known && read.loss.events_discarded == 3 && read.loss.blocked_buffers == 2,
	   "loss");
	ok_equal(read.options.snapshot_bytes, 1 << 25, "a window");
	ok_equal(read.snapshot.number, 2, "a snapshot");
	ok(!strcmp(read.snapshot.reason, "rss"), "its reason");
	ok(read.snapshot.begin_ns == 77 && read.snapshot.end_ns == UINT64_MAX, "its window");
	ok(read.complete && !strcmp(read.stopped, "disk full"), "state");
	manifest_free(&read);
	ok(!read.command && !read.session, "freed");
}

static const struct {
	const char *text;
	int status;
	const char *name;
} damaged[] = {
	{ "", -EBADMSG, "an empty file" },
	{ "{", -EBADMSG, "a file cut short" },
	{ "[]", -EBADMSG, "another kind" },
	{ "null", -EBADMSG, "nothing" },
	{ "12", -EBADMSG, "a number" },
	{ "{}", -EBADMSG, "no version" },
	{ "{\"format_version\":\"1\"}", -EBADMSG, "a version that is text" },
	{ "{\"format_version\":0}", -EBADMSG, "version 0" },
	{ "{\"format_version\":2}", -ENOTSUP, "a later version" },
	{ "{\"format_version\":1}", 0, "all keys missing" },
	{ "{\"format_version\":1,\"command\":{},\"end\":[],\"lttng\":1,\"options\":null,"
	  "\"host\":\"x\",\"pid\":\"y\",\"session\":5,\"complete\":1}",
	  0, "all keys of another type" },
	{ "{\"format_version\":1,\"command\":[1,null,\"x\"]}", 0, "words of other types" },
};

static void test_damaged(void)
{
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct manifest read;

		put(damaged[i].text, strlen(damaged[i].text));
		ok_equal(manifest_read(folder, &read), damaged[i].status, "row %zu: %s", i,
			 damaged[i].name);
		if (!damaged[i].status)
			ok(read.session && read.command && read.command[0] && read.host.node &&
				   read.clock.source && read.stopped && !read.complete,
			   "row %zu: nothing is NULL", i);
		manifest_free(&read);
	}
}

static void test_folders(void)
{
	struct manifest read;

	ok_equal(manifest_read("/no/such/folder", &read), -ENOENT, "no folder");
	put("{\"format_version\":1}\0trailing", 29);
	ok_equal(manifest_read(folder, &read), 0, "bytes after the end");
	manifest_free(&read);
}

int main(void)
{
	char path[128];

	if (!mkdtemp(folder))
		return 1;
	test_round_trip();
	test_damaged();
	test_folders();
	snprintf(path, sizeof(path), "%s/vadtrace.json", folder);
	unlink(path);
	ok(rmdir(folder) == 0, "no other file was left");
	return tap_done();
}
