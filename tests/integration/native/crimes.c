/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One misuse per call: crimes NAME. Ends by a signal, or says that it went on. */

#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char *volatile block;
static volatile char seen;
static char local[64] __attribute__((aligned(16)));

static void free_twice(void)
{
	free(block);
	free(block);
}

static void free_large_twice(void)
{
	block = malloc(10 << 20);
	free(block);
	free(block);
}

static void free_inner(void)
{
	free(block + 16);
}

static void free_misaligned(void)
{
	free(block + 1);
}

static void free_static(void)
{
	block = local + 16;
	free(block);
}

static void free_stack(void)
{
	char bytes[64] __attribute__((aligned(16))) = { 0 };

	block = bytes + 16;
	free(block);
}

static void resize_freed(void)
{
	free(block);
	block = realloc(block, 5000);
	free(block);
	free(block);
}

static void size_freed(void)
{
	free(block);
	seen = (char)malloc_usable_size(block);
}

/* The first byte behind the block, which is none that its alignment leaves. */
static void write_behind(void)
{
	block = malloc(112);
	block[112] = 1;
	free(block);
}

static void write_behind_odd(void)
{
	block[101] = 1;
	free(block);
}

static void write_behind_and_keep(void)
{
	block[101] = 1;
}

static void write_behind_and_resize(void)
{
	block[101] = 1;
	block = realloc(block, 300);
}

static void write_before(void)
{
	block[-1] = 1;
	free(block);
}

static void write_freed(void)
{
	free(block);
	block[50] = 1;
}

static void read_freed(void)
{
	free(block);
	seen = block[50];
}

static void read_behind(void)
{
	block = malloc(112);
	seen = block[112];
	free(block);
}

/* A fault is the program's own: its handler says so. */
static void on_fault(int signal)
{
	static const char text[] = "handled\n";

	(void)signal;
	_exit(write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ? 1 : 3);
}

static void read_freed_and_handle(void)
{
	signal(SIGSEGV, on_fault);
	read_freed();
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{ "double", free_twice },
	{ "double-large", free_large_twice },
	{ "inner", free_inner },
	{ "misaligned", free_misaligned },
	{ "static", free_static },
	{ "stack", free_stack },
	{ "realloc-freed", resize_freed },
	{ "size-freed", size_freed },
	{ "behind", write_behind },
	{ "behind-odd", write_behind_odd },
	{ "behind-kept", write_behind_and_keep },
	{ "behind-realloc", write_behind_and_resize },
	{ "before", write_before },
	{ "write-freed", write_freed },
	{ "read-freed", read_freed },
	{ "read-behind", read_behind },
	{ "read-handled", read_freed_and_handle },
};

int main(int argc, char **argv)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	setvbuf(stdout, NULL, _IONBF, 0);
	block = malloc(100);
	printf("before\n");
	for (size_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		if (argc > 1 && strcmp(argv[1], crimes[i].name) == 0)
			crimes[i].commit();
	}
	printf("after\n");
	return 0;
}
