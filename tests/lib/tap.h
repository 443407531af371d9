/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Test output in TAP, for native and PE programs alike. A failed ok() says where and goes on.
 *
 *   int main(void)
 *   {
 *           ok(1 + 1 == 2, "row %d: a sum", 3);
 *           return tap_done();
 *   }
 *
 * todo_core: our own gap, todo_wine: a gap of Wine's, each before the ok() that it excuses. */

#ifndef VADTRACE_TESTS_LIB_TAP_H
#define VADTRACE_TESTS_LIB_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What the C library of a Windows program takes with __USE_MINGW_ANSI_STDIO. */
#ifdef _WIN32
#define TAP_PRINTF gnu_printf
#else
#define TAP_PRINTF printf
#endif

static int tap_count, tap_failures;
static const char *tap_todo;

__attribute__((format(TAP_PRINTF, 4, 5), unused)) static int tap_ok(int passed, const char *file,
								    int line, const char *format,
								    ...)
{
	va_list arguments;

	printf("%s %d - ", passed ? "ok" : "not ok", ++tap_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	if (tap_todo)
		printf(" # TODO %s", tap_todo);
	putchar('\n');
	if (!passed) {
		printf("# %s:%d\n", file, line);
		tap_failures += tap_todo == NULL;
	}
	fflush(stdout);
	tap_todo = NULL;
	return passed;
}

__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	fflush(stdout);
	return tap_failures ? 1 : 0;
}

/* The whole program has nothing to test here, for this reason. */
__attribute__((unused, noreturn)) static void tap_skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	exit(0);
}

#define ok(condition, ...) tap_ok(!!(condition), __FILE__, __LINE__, __VA_ARGS__)

/* Two unsigned values; prints both when they differ. */
#define ok_equal(got, expected, ...)                                                              \
	do {                                                                                      \
		unsigned long long tap_got = (unsigned long long)(got);                           \
		unsigned long long tap_expected = (unsigned long long)(expected);                 \
		if (!ok(tap_got == tap_expected, __VA_ARGS__))                                    \
			printf("# got %llu (0x%llx), expected %llu (0x%llx)\n", tap_got, tap_got, \
			       tap_expected, tap_expected);                                       \
	} while (0)

/* A Windows program is told by its environment when it is core that answers. */
#ifdef _WIN32
#define todo_core(reason) (tap_todo = getenv("TAP_CORE") ? (reason) : tap_todo)
#define todo_wine(reason) (tap_todo = (reason))
#else
#define todo_core(reason) (tap_todo = (reason))
#define todo_wine(reason) ((void)0)
#endif

#endif
