/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Environments as programs hand them to exec, and what they become for a child that is traced. */

#include "preload/follow.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/tap.h"

#define OURS "/lib/our.so"
#define WORDS 10
#define ROOM_BYTES 4096
#define UNTOUCHED 0xa5

/* What the recorder's environment holds; LTTNG_HOME is ours by VADTRACE_UNSET. */
static const char *const recorded[] = {
	"HOME=/home",  "VADTRACE_PRELOAD=" OURS,      "VADTRACE_MODE=observe",
	"LTTNG_UST=1", "VADTRACE_UNSET=LTTNG_HOME,X", "LTTNG_HOME=/tmp",
	NULL,
};

/* All that is put in where nothing is. */
#define MODE "VADTRACE_MODE=observe"
#define REST "VADTRACE_UNSET=LTTNG_HOME,X", "LTTNG_HOME=/tmp"

static const struct {
	const char *given[WORDS];
	const char *expected[WORDS]; /* empty: as it is given */
} rows[] = {
	{ { NULL }, { "LD_PRELOAD=" OURS, "VADTRACE_PRELOAD=" OURS, MODE, REST } },
	{ { "A=1", "B" },
	  { "A=1", "B", "LD_PRELOAD=" OURS, "VADTRACE_PRELOAD=" OURS, MODE, REST } },
	/* Nothing is missing; our entry is at the begin, in the middle, at the end. */
	{ { "LD_PRELOAD=" OURS, "VADTRACE_PRELOAD=" OURS, MODE, REST }, { NULL } },
	{ { REST, MODE, "VADTRACE_PRELOAD=x", "LD_PRELOAD=a.so:" OURS " b.so" }, { NULL } },
	{ { REST, MODE, "VADTRACE_PRELOAD=x", "LD_PRELOAD=a.so " OURS }, { NULL } },
	/* What the program preloads stays, behind us and in its place. */
	{ { "LD_PRELOAD=a.so b.so", "VADTRACE_PRELOAD=" OURS, MODE, REST },
	  { "LD_PRELOAD=" OURS ":a.so b.so", "VADTRACE_PRELOAD=" OURS, MODE, REST } },
	{ { "A=1", "LD_PRELOAD=a.so", "B=2" },
	  { "A=1", "LD_PRELOAD=" OURS ":a.so", "B=2", "VADTRACE_PRELOAD=" OURS, MODE, REST } },
	{ { "LD_PRELOAD=", "VADTRACE_PRELOAD=" OURS, MODE, REST },
	  { "LD_PRELOAD=" OURS ":", "VADTRACE_PRELOAD=" OURS, MODE, REST } },
	/* Names and paths that only begin like ours, or end so. */
	{ { "LD_PRELOAD=" OURS ".2:/x" OURS, "VADTRACE_PRELOAD=" OURS, MODE, REST },
	  { "LD_PRELOAD=" OURS ":" OURS ".2:/x" OURS, "VADTRACE_PRELOAD=" OURS, MODE, REST } },
	{ { "LD_PRELOAD=" OURS, "VADTRACE_PRELOAD=" OURS, "VADTRACE_MODEL=1", "VADTRACE_MODE",
	    REST },
	  { "LD_PRELOAD=" OURS, "VADTRACE_PRELOAD=" OURS, "VADTRACE_MODEL=1", "VADTRACE_MODE", REST,
	    MODE } },
	/* What the program changed counts. */
	{ { "VADTRACE_MODE=route", "LTTNG_HOME=" },
	  { "VADTRACE_MODE=route", "LTTNG_HOME=", "LD_PRELOAD=" OURS, "VADTRACE_PRELOAD=" OURS,
	    "VADTRACE_UNSET=LTTNG_HOME,X" } },
};

static bool is_same(char *const got[], const char *const expected[])
{
	size_t word = 0;

	while (got[word] && expected[word] && strcmp(got[word], expected[word]) == 0)
		word++;
	if (got[word] || expected[word])
		printf("# word %zu: got %s, expected %s\n", word, got[word] ? got[word] : "none",
		       expected[word] ? expected[word] : "none");
	return !got[word] && !expected[word];
}

static bool is_untouched(const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != UNTOUCHED)
			return false;
	return true;
}

static void test_row(size_t row)
{
	static _Alignas(8) unsigned char room[ROOM_BYTES];
	char *given[WORDS];
	size_t size;

	memcpy(given, rows[row].given, sizeof(given));
	memset(room, UNTOUCHED, sizeof(room));
	size = follow_measure(given);
	if (!rows[row].expected[0]) {
		ok_equal(size, 0, "row %zu: nothing is missing", row);
		return;
	}
	ok(size > 0 && size < ROOM_BYTES, "row %zu: needs room", row);
	ok(is_same(follow_extend(given, room), rows[row].expected), "row %zu: extended", row);
	ok(is_untouched(room + size, ROOM_BYTES - size), "row %zu: in the room it asked for", row);
	ok(memcmp(given, rows[row].given, sizeof(given)) == 0, "row %zu: the given stays", row);
}

/* NULL counts as empty. */
static void test_null(void)
{
	static _Alignas(8) unsigned char room[ROOM_BYTES];
	char *empty[] = { NULL };

	ok_equal(follow_measure(NULL), follow_measure(empty), "NULL: room as for empty");
	ok(is_same(follow_extend(NULL, room), rows[0].expected), "NULL: extended as empty");
}

static void test_handing_on(void)
{
	char *complete[WORDS], *empty[] = { NULL };
	char *const *followed;

	memcpy(complete, rows[2].given, sizeof(complete));
	followed = FOLLOWED(true, (char *const *)complete);
	ok(followed == complete, "where nothing is missing, the environment is handed on");
	followed = FOLLOWED(false, (char *const *)empty);
	ok(followed == empty, "so it is for a program that is not to be traced");
	followed = FOLLOWED(true, (char *const *)empty);
	ok(is_same(followed, rows[0].expected), "else it is extended");
}

int main(void)
{
	char *own[WORDS], *empty[] = { NULL };

	environ = empty;
	follow_remember();
	ok_equal(follow_measure(empty), 0, "no recorder: nothing is put in");
	memcpy(own, recorded, sizeof(recorded));
	environ = own;
	ok_equal(follow_measure(empty), 0, "not remembered: nothing is put in");
	follow_remember();
	environ = empty;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		test_row(row);
	test_null();
	test_handing_on();
	return tap_done();
}
