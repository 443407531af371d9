/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Symbols of this very program, which is built with -g -O2: an inlined call, its caller and its
 * lines; and what is said when the file is not the one that was recorded. */

#include "tools/lib/symbols.h"

#include "tests/lib/tap.h"

#include <link.h>
#include <string.h>
#include <unistd.h>

static volatile uint64_t where;

__attribute__((noinline)) static void note_return_address(void)
{
	where = (uint64_t)(uintptr_t)__builtin_return_address(0);
	__asm__ volatile("");
}

enum { CALL_LINE = __LINE__ + 4 };

__attribute__((always_inline)) static inline void inlined_helper(void)
{
	note_return_address();
	__asm__ volatile("");
}

enum { OUTER_LINE = __LINE__ + 4 };

__attribute__((noinline)) static void outer_function(void)
{
	inlined_helper();
	__asm__ volatile("");
}

static int take_base(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	*(uint64_t *)base = info->dlpi_addr;
	return 1;
}

static const struct symbol *find(struct stacks *stacks, struct symbols *symbols, const char *path,
				 const char *build_id)
{
	uint64_t base = 0;

	dl_iterate_phdr(take_base, &base);
	uint32_t file = stacks_add_file(stacks, path, build_id);
	return symbols_find(symbols, stacks_add_location(stacks, file, where - base));
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = text ? strlen(text) : 0;

	return length >= strlen(end) && !strcmp(text + length - strlen(end), end);
}

static void test_inlined(struct stacks *stacks, struct symbols *symbols, const char *path)
{
	const struct symbol *symbol = find(stacks, symbols, path, "");

	if (!ok(symbol->count == 2, "an inlined call and its function"))
		return;
	ok(!strcmp(symbol->frames[0].function, "inlined_helper"), "the inlined function: %s",
	   symbol->frames[0].function);
	ok(symbol->frames[0].is_inlined && !symbol->frames[1].is_inlined, "which one is inlined");
	ok_equal(symbol->frames[0].line, CALL_LINE, "the line of the call in it");
	ok(ends_with(symbol->frames[0].file, "symbols.c"), "its file");
	ok(!strcmp(symbol->frames[1].function, "outer_function"), "the real function: %s",
	   symbol->frames[1].function);
	ok_equal(symbol->frames[1].line, OUTER_LINE, "the line where it was inlined");
	ok(find(stacks, symbols, path, "") == symbol, "the second look-up is the first");
}

static void test_missing(struct stacks *stacks, struct symbols *symbols, const char *path)
{
	const struct symbol *other = find(stacks, symbols, path, "0123456789abcdef");
	const struct symbol *gone = find(stacks, symbols, "/nonexistent/libgone.so", "");

	ok(!strncmp(strchr(other->frames[0].function, '+') ?: "", "+0x", 3),
	   "another build-id: no names, %s", other->frames[0].function);
	ok(!strncmp(gone->frames[0].function, "libgone.so+0x", 13), "a file that is gone: %s",
	   gone->frames[0].function);
	ok(!gone->frames[0].is_named && !gone->frames[0].file, "which is no name");
	ok_equal(symbols_missing_count(symbols), 2, "both are counted");
	const struct symbol *none = symbols_find(symbols, stacks_add_location(stacks, 0, 0x1234));
	ok(!strcmp(none->frames[0].function, "0x1234"), "no module at all: %s",
	   none->frames[0].function);
}

int main(void)
{
	struct stacks stacks;
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length < 0)
		tap_skip_all("no /proc");
	path[length] = '\0';
	stacks_init(&stacks);
	struct symbols *symbols = symbols_create(&stacks);
	outer_function();
	test_inlined(&stacks, symbols, path);
	test_missing(&stacks, symbols, path);
	symbols_destroy(symbols);
	stacks_free(&stacks);
	return tap_done();
}
