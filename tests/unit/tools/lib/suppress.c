/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Suppressions: which pattern matches which text. */

#include "tools/lib/suppress.h"

#include "tests/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_patterns(void)
{
	static const struct {
		const char *pattern, *text;
		bool is_match;
	} rows[] = {
		{ "foo", "foo", true },
		{ "foo", "xfoox", true },
		{ "foo", "fo", false },
		{ "^foo", "foox", true },
		{ "^foo", "xfoo", false },
		{ "foo$", "xfoo", true },
		{ "foo$", "foox", false },
		{ "^foo$", "foo", true },
		{ "^foo$", "fooo", false },
		{ "f*o", "fxxo", true },
		{ "f*o$", "fxoxo", true },
		{ "^f*b*z", "foobarbaz", true },
		{ "^f*b*z$", "foobarbaq", false },
		{ "*", "", true },
		{ "a*", "b", false },
		{ "std::*::push_back", "std::vector<int>::push_back(int&&)", true },
		{ "libfoo.so", "libfoo.so.1", true },
		{ "**b", "aab", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(suppression_matches(rows[i].pattern, rows[i].text) == rows[i].is_match,
		   "row %zu: '%s' and '%s'", i, rows[i].pattern, rows[i].text);
}

static bool read_text(struct suppressions *suppressions, const char *text)
{
	char path[] = "/tmp/vadtrace-suppress-XXXXXX";
	int fd = mkstemp(path);
	bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	is_good = is_good && suppressions_read(suppressions, path);
	unlink(path);
	return is_good;
}

static void test_files(void)
{
	struct suppressions suppressions = { 0 };
	const char *const texts[] = { "main", NULL, "libz.so" };

	ok(read_text(&suppressions, "# a comment\n\nleak:libx\n  leak:libz  \n"), "a file is read");
	ok_equal(suppressions.count, 2, "its two patterns");
	ok(suppressions_find(&suppressions, texts, 3) == &suppressions.list[1],
	   "one of them matches");
	ok(!suppressions_find(&suppressions, texts, 1), "but not the first text");
	ok(!read_text(&suppressions, "race:foo\n"), "other words are refused");
	ok(!read_text(&suppressions, "leak:\n"), "an empty pattern too");
	ok(!suppressions_read(&suppressions, "/nonexistent/file"), "a file that is not there");
	suppressions_free(&suppressions);
}

int main(void)
{
	test_patterns();
	test_files();
	return tap_done();
}
