/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The cache of symbols: what was kept is found, what is damaged is as if it were not there, and the
 * folder does not grow beyond its bound. */

#include "tools/lib/symbol_store.h"

#include "tests/lib/tap.h"
#include "tools/lib/symbol_cache.h"
#include "tools/lib/xalloc.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char id[] = "0123456789abcdef0123456789abcdef01234567";
static char folder[] = "/tmp/vadtrace-store.XXXXXX";

/* The store keeps no strings: these stay. */
enum { OFFSETS = 200 };
static char names[OFFSETS][20];

static void make_names(void)
{
	for (unsigned i = 0; i < OFFSETS; i++)
		snprintf(names[i], sizeof(names[i]), "function_%u", i);
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

/* Adds locations first, first + 1, ...: each a function of its own inlined into another. */
static void add(struct symbol_store *store, uint64_t first, size_t count, bool has_debug)
{
	for (size_t i = 0; i < count; i++) {
		struct stored_frame frames[2] = {
			{ names[first + i], "a/file.c", (int)i + 1, .is_inlined = true,
			  .is_named = true },
			{ "", NULL, 0, .is_named = false },
		};

		symbol_store_add(store, first + i, frames, 2, has_debug);
	}
}

static int make(uint64_t first, size_t count, bool has_debug)
{
	struct symbol_store *store = symbol_store_open(folder, id, /* plain */ true);
	int error;

	add(store, first, count, has_debug);
	error = symbol_store_save(store);
	symbol_store_close(store);
	return error;
}

/* How many of the offsets below `end` are found as `add` made them. */
static size_t count_good(bool is_plain_good, uint64_t end)
{
	struct symbol_store *store = symbol_store_open(folder, id, is_plain_good);
	struct stored_frame frames[STORED_FRAMES_MAX];
	size_t good = 0;

	for (uint64_t offset = 0; offset < end; offset++) {
		size_t count = symbol_store_find(store, offset, frames);

		good += count == 2 && !strcmp(frames[0].function, names[offset]) &&
			!strcmp(frames[0].file, "a/file.c") && frames[0].is_inlined &&
			frames[0].is_named && !*frames[1].function && !frames[1].file &&
			!frames[1].is_named;
	}
	symbol_store_close(store);
	return good;
}

static void test_round_trip(void)
{
	ok_equal(count_good(true, 100), 0, "an empty folder knows nothing");
	ok_equal(make(20, 10, /* debug */ true), 0, "saved");
	ok_equal(count_good(true, 100), 10, "found");
	ok_equal(make(5, 3, true), 0, "some below");
	ok_equal(make(50, 7, true), 0, "some above");
	ok_equal(make(25, 10, true), 0, "some again");
	ok_equal(count_good(true, 100), 3 + 7 + 15, "old and new ones are together");
	ok_equal(make(70, 5, /* debug */ false), 0, "some without debug information");
	ok_equal(count_good(true, 100), 30, "which are good while there is none");
	ok_equal(count_good(false, 100), 25, "and not when there is");
}

static void test_names(void)
{
	ok(symbol_store_is_name(id), "a build-id is a name");
	ok(!symbol_store_is_name(""), "no build-id");
	ok(!symbol_store_is_name("pe:0123456789abcdef"), "a Windows file's");
	ok(!symbol_store_is_name("../../etc/passwd-abcdef"), "a path");
	ok(!symbol_store_is_name("0123456789ABCDEF0123"), "capitals");
	ok(!symbol_store_is_name("01234567"), "too short to tell all files apart");
}

static char *read_file(const char *path, size_t *size_bytes)
{
	FILE *file = fopen(path, "r");
	char *bytes = xmalloc(1 << 20);

	*size_bytes = file ? fread(bytes, 1, 1 << 20, file) : 0;
	if (file)
		fclose(file);
	return bytes;
}

static void write_file(const char *path, const char *bytes, size_t size_bytes)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(bytes, 1, size_bytes, file) != size_bytes || fclose(file))
		abort();
}

/* Each byte wrong in turn, each length too short. */
static void test_damage(void)
{
	char *path = path_of(id);
	size_t size_bytes, believed = 0;
	char *bytes = read_file(path, &size_bytes);

	for (size_t i = 0; i < size_bytes; i++) {
		bytes[i] ^= 0x41;
		write_file(path, bytes, size_bytes);
		bytes[i] ^= 0x41;
		believed += count_good(true, 100) != 0;
	}
	ok_equal(believed, 0, "no file with a wrong byte is believed");
	for (size_t i = 0; i < size_bytes; i++) {
		write_file(path, bytes, i);
		believed += count_good(true, 100) != 0;
	}
	ok_equal(believed, 0, "none that is cut");
	ok_equal(make(0, 4, true), 0, "a damaged one is written anew");
	ok_equal(count_good(true, 100), 4, "and good then");
	write_file(path, bytes, size_bytes);
	ok_equal(count_good(true, 100), 30, "the right bytes are believed");
	free(bytes);
	free(path);
}

/* A name of another module, and a link to somewhere else. */
static void test_misnamed(void)
{
	static const char other[] = "ffffffffffffffff0123456789abcdef01234567";
	char *from = path_of(id), *to = path_of(other);
	struct stored_frame frames[STORED_FRAMES_MAX];
	struct symbol_store *store;

	ok_equal(rename(from, to), 0, "a file under another module's name");
	store = symbol_store_open(folder, other, true);
	ok_equal(symbol_store_find(store, 20, frames), 0, "is not believed");
	symbol_store_close(store);
	ok_equal(symlink(to, from), 0, "a link");
	ok_equal(count_good(true, 100), 0, "is not followed");
	ok(!rename(to, from) && count_good(true, 100) == 30, "under its name it is");
	free(from);
	free(to);
}

static void *write_often(void *argument)
{
	uint64_t first = (uint64_t)(uintptr_t)argument;

	for (int i = 0; i < 50; i++)
		make(first, 5, true);
	return NULL;
}

static void test_writers(void)
{
	pthread_t threads[4];
	size_t half = 0;

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, write_often, (void *)(100 + 10 * i));
	for (int i = 0; i < 50; i++)
		half += count_good(true, 100) != 30;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ok_equal(half, 0, "who reads while others write finds a whole file");
	ok_equal(count_good(true, 100), 30, "whose old part stays");
	ok(count_good(true, 200) >= 35, "and one writer's part at least is added");
}

static void test_unwritable(void)
{
	char *none = path_of("no/such/folder");
	struct symbol_store *store = symbol_store_open(none, id, true);

	add(store, 0, 1, true);
	ok(symbol_store_save(store) < 0, "a folder that is not there: an error, no more");
	symbol_store_close(store);
	ok_equal(symbol_cache_make(none), 0, "it can be made");
	ok_equal(symbol_cache_make(none), 0, "twice");
	free(none);
}

static bool is_there(const char *name)
{
	char *path = path_of(name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

static void make_aged(const char *name, size_t size_bytes, time_t age_seconds)
{
	struct timespec times[2] = { { .tv_sec = time(NULL) - age_seconds },
				     { .tv_sec = time(NULL) - age_seconds } };
	char *path = path_of(name), *bytes = xcalloc(1, size_bytes);

	write_file(path, bytes, size_bytes);
	utimensat(AT_FDCWD, path, times, 0);
	free(bytes);
	free(path);
}

static void remove_store(void)
{
	char *path = path_of(id);

	unlink(path);
	free(path);
}

static void test_trim(void)
{
	make_aged("aaaaaaaaaaaaaaaa", 1000, 300);
	make_aged("bbbbbbbbbbbbbbbb", 1000, 200);
	make_aged("cccccccccccccccc", 1000, 400);
	make_aged("somebody's own", 100000, 900);
	make_aged(SYMBOL_STORE_DRAFT "aaaaaa", 10, 100000);
	make_aged(SYMBOL_STORE_DRAFT "bbbbbb", 10, 10);
	symbol_cache_trim(folder, SYMBOL_CACHE_BYTES);
	ok(is_there("aaaaaaaaaaaaaaaa") && is_there("cccccccccccccccc"),
	   "within the bound all stay");
	ok(!is_there(SYMBOL_STORE_DRAFT "aaaaaa"), "what a killed writer left goes");
	ok(is_there(SYMBOL_STORE_DRAFT "bbbbbb"), "what is being written stays");
	remove_store();
	symbol_cache_trim(folder, 2000);
	ok(!is_there("cccccccccccccccc") && is_there("aaaaaaaaaaaaaaaa"),
	   "the longest unused goes first");
	symbol_cache_trim(folder, 1999);
	ok(!is_there("aaaaaaaaaaaaaaaa") && is_there("bbbbbbbbbbbbbbbb"), "then the next");
	ok(is_there("somebody's own"), "nothing else is touched");
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	make_names();
	test_round_trip();
	test_names();
	test_damage();
	test_misnamed();
	test_writers();
	test_unwritable();
	test_trim();
	char *command = xasprintf("rm -rf '%s'", folder);
	int status = system(command);
	free(command);
	return tap_done() || status;
}
