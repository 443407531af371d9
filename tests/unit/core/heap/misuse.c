/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Crimes against free and realloc, and against HeapFree and its kin once the program has asked for
 * an end on corruption: each ends its process by SIGABRT with one line on stderr. */

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/core.h"
#include "core/heap/blocks.h"
#include "core/heap/heap.h"
#include "tests/lib/tap.h"

static void free_twice(void)
{
	void *block = heap_malloc(40);

	heap_free(block);
	heap_free(block);
}

static void free_twice_with_others_between(void)
{
	void *a = heap_malloc(40), *b = heap_malloc(40), *c = heap_malloc(40);

	heap_free(a);
	heap_free(b);
	heap_free(c);
	heap_free(a);
	for (int i = 0; i < 4; i++)
		heap_malloc(40);
}

static void free_twice_in_an_emptied_page(void)
{
	char *blocks[64];

	for (int i = 0; i < 64; i++)
		blocks[i] = heap_malloc(2000);
	for (int i = 32; i < 63; i++)
		heap_free(blocks[i]);
	heap_free(blocks[40]);
	heap_trim();
}

static void free_interior(void)
{
	heap_free((char *)heap_malloc(100) + 16);
}

static void free_misaligned(void)
{
	heap_free((char *)heap_malloc(100) + 3);
}

static void free_interior_of_single(void)
{
	heap_free((char *)heap_malloc(300000) + 65536);
}

static void free_interior_of_large(void)
{
	heap_free((char *)heap_malloc(9000000) + 64);
}

static void free_deep_inside_large(void)
{
	heap_free((char *)heap_malloc(9000000) + 5000000);
}

static void free_single_twice(void)
{
	void *block = heap_malloc(300000);

	heap_free(block);
	heap_free(block);
}

static void free_foreign(void)
{
	static char foreign[64];

	heap_free(foreign);
}

static void realloc_freed(void)
{
	void *block = heap_malloc(40);
	volatile void *moved;

	heap_free(block);
	moved = heap_realloc(block, 4000);
	(void)moved;
}

static void write_after_free(void)
{
	void **block = heap_malloc(40);

	heap_free(block);
	*block = (void *)(uintptr_t)0x4141414141414141;
	heap_malloc(40);
	heap_malloc(40);
}

static void free_never_given(void)
{
	char *block = heap_malloc(16384);

	heap_free(block + 10 * 16384);
}

static HANDLE ending_heap(void)
{
	HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
	return HeapCreate(0, 0, 0);
}

static void heap_free_twice(void)
{
	HANDLE heap = ending_heap();
	LPVOID block = HeapAlloc(heap, 0, 40);

	HeapFree(heap, 0, block);
	HeapFree(heap, 0, block);
}

static void heap_free_elsewhere(void)
{
	HeapFree(GetProcessHeap(), 0, HeapAlloc(ending_heap(), 0, 40));
}

static void heap_resize_inside(void)
{
	HANDLE heap = ending_heap();

	HeapReAlloc(heap, 0, (char *)HeapAlloc(heap, 0, 400) + 16, 10);
}

static void heap_free_overrun(void)
{
	HANDLE heap = ending_heap();
	char *block = HeapAlloc(heap, 0, 100);

	memset(block + 100, 'x', 16);
	HeapFree(heap, 0, block);
}

static const struct {
	const char *name;
	void (*commit)(void);
	const char *message;
} crimes[] = {
	{ "double free", free_twice, "vadtrace: free(): the block was freed already: 0x" },
	{ "double free, later", free_twice_with_others_between,
	  "vadtrace: malloc(): a block was freed twice, or written to after free: 0x" },
	{ "double free in a page", free_twice_in_an_emptied_page,
	  "vadtrace: malloc(): a block was freed twice, or written to after free: 0x" },
	{ "free of an interior", free_interior, "vadtrace: free(): inside a block" },
	{ "free of a misaligned pointer", free_misaligned, "vadtrace: free(): inside a block" },
	{ "free inside a span of one block", free_interior_of_single,
	  "vadtrace: free(): inside a block" },
	{ "free inside a large block", free_interior_of_large, "vadtrace: free(): inside a block" },
	{ "free deep inside a large block", free_deep_inside_large,
	  "vadtrace: free(): no block starts at 0x" },
	{ "double free of a span", free_single_twice, "vadtrace: free(): no block starts at 0x" },
	{ "free of a foreign pointer", free_foreign, "vadtrace: free(): no block starts at 0x" },
	{ "free of a block never given", free_never_given,
	  "vadtrace: free(): no block starts at 0x" },
	{ "realloc of a freed block", realloc_freed,
	  "vadtrace: realloc(): the block was freed already: 0x" },
	{ "write to a freed block", write_after_free,
	  "vadtrace: malloc(): a block was freed twice, or written to after free: 0x" },
	{ "HeapFree twice", heap_free_twice,
	  "vadtrace: HeapFree(): the block was freed already: 0x" },
	{ "HeapFree from another heap", heap_free_elsewhere,
	  "vadtrace: HeapFree(): a block of another heap" },
	{ "HeapReAlloc of an interior", heap_resize_inside,
	  "vadtrace: HeapReAlloc(): inside a block" },
	{ "HeapFree of an overrun block", heap_free_overrun,
	  "vadtrace: HeapFree(): the program wrote past the end" },
};

static void run_child(void (*commit)(void), int message_fd)
{
	dup2(message_fd, STDERR_FILENO);
	commit();
	_exit(0);
}

static void try_crime(size_t row)
{
	char message[256] = "";
	int pipe_fds[2], status = 0;
	pid_t child;

	if (pipe(pipe_fds) != 0 || (child = fork()) < 0) {
		ok(false, "row %zu: a child can be made", row);
		return;
	}
	if (child == 0)
		run_child(crimes[row].commit, pipe_fds[1]);
	close(pipe_fds[1]);
	ok(read(pipe_fds[0], message, sizeof(message) - 1) > 0, "row %zu: something is said", row);
	close(pipe_fds[0]);
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "row %zu: %s aborts", row,
	   crimes[row].name);
	if (!ok(strncmp(message, crimes[row].message, strlen(crimes[row].message)) == 0,
		"row %zu: %s is told", row, crimes[row].name))
		printf("# %s\n", message);
}

/* No crime: what a program never wrote may say of itself that it is free. It is copied by a
 * reallocation, and by the next one to where it is from. */
static void reallocate_unwritten(size_t size_bytes)
{
	struct block *block = heap_malloc(size_bytes), *again;

	block->next = NULL;
	block->mark = block_mark(block);
	heap_free(block);
	again = heap_malloc(size_bytes);
	ok(again == block, "%zu bytes: the same memory is given again", size_bytes);
	ok(!block_is_marked_free(again), "%zu bytes: and does not look free", size_bytes);
	heap_free(again);
}

int main(void)
{
	reallocate_unwritten(40);
	reallocate_unwritten(20000);
	reallocate_unwritten(300000);
	reallocate_unwritten(5000000);
	for (size_t row = 0; row < sizeof(crimes) / sizeof(crimes[0]); row++)
		try_crime(row);
	return tap_done();
}
