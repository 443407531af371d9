/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* stress [STEPS]: four threads that make, change and end memory of every kind at random, each byte
 * filled with what only its owner can know. What is found changed is told; the output is the same
 * in every run. Things are also handed from thread to thread, which then end what others made. */

#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define SLOTS 64
#define PAGE 0x1000

/* One thing with contents: `size` bytes that repeat `seed`. */
struct thing {
	const struct kind *kind;
	void *handle; /* what is given back in the end */
	unsigned char *bytes;
	size_t size;
	unsigned seed;
};

/* What can be done with one kind of memory. resize: may be NULL. */
struct kind {
	const char *name;
	void (*make)(struct thing *thing);
	void (*resize)(struct thing *thing, size_t size);
	void (*end)(struct thing *thing);
};

struct worker {
	unsigned number, random;
	struct thing things[SLOTS];
	unsigned made[16], resized, handed, failures;
};

static HANDLE shared_heap;
static struct thing *volatile exchange[8];

static unsigned next_random(struct worker *worker)
{
	worker->random = worker->random * 1103515245u + 12345u;
	return worker->random >> 8;
}

/* --- Kinds of memory ------------------------------------------------------------------------- */

static void make_heap(struct thing *thing)
{
	thing->bytes = HeapAlloc(GetProcessHeap(), 0, thing->size);
}

static void resize_heap(struct thing *thing, size_t size)
{
	thing->bytes = HeapReAlloc(GetProcessHeap(), 0, thing->bytes, size);
}

static void end_heap(struct thing *thing)
{
	if (HeapSize(GetProcessHeap(), 0, thing->bytes) != thing->size ||
	    !HeapFree(GetProcessHeap(), 0, thing->bytes))
		printf("HeapFree fails\n");
}

static void make_shared(struct thing *thing)
{
	thing->bytes = HeapAlloc(shared_heap, HEAP_ZERO_MEMORY, thing->size);
	for (size_t i = 0; thing->bytes && i < thing->size; i++) {
		if (thing->bytes[i]) {
			printf("not zeroed\n");
			return;
		}
	}
}

static void resize_shared(struct thing *thing, size_t size)
{
	thing->bytes = HeapReAlloc(shared_heap, 0, thing->bytes, size);
}

static void end_shared(struct thing *thing)
{
	if (!HeapFree(shared_heap, 0, thing->bytes))
		printf("HeapFree of the shared heap fails\n");
}

/* A heap of its own. */
static void make_private(struct thing *thing)
{
	thing->handle = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);
	thing->bytes = HeapAlloc(thing->handle, 0, thing->size);
	for (int i = 0; i < 20; i++)
		HeapAlloc(thing->handle, 0, 100 * i);
}

static void resize_private(struct thing *thing, size_t size)
{
	thing->bytes = HeapReAlloc(thing->handle, 0, thing->bytes, size);
}

static void end_private(struct thing *thing)
{
	if (!HeapValidate(thing->handle, 0, NULL) || !HeapDestroy(thing->handle))
		printf("HeapDestroy fails\n");
}

static void make_global(struct thing *thing)
{
	thing->handle = GlobalAlloc(GMEM_MOVEABLE, thing->size);
	thing->bytes = GlobalLock(thing->handle);
}

static void resize_global(struct thing *thing, size_t size)
{
	GlobalUnlock(thing->handle);
	thing->handle = GlobalReAlloc(thing->handle, size, GMEM_MOVEABLE);
	thing->bytes = GlobalLock(thing->handle);
}

static void end_global(struct thing *thing)
{
	if (GlobalHandle(thing->bytes) != thing->handle || GlobalSize(thing->handle) != thing->size)
		printf("GlobalHandle or GlobalSize is wrong\n");
	GlobalUnlock(thing->handle);
	if (GlobalFree(thing->handle))
		printf("GlobalFree fails\n");
}

static void make_local(struct thing *thing)
{
	thing->bytes = LocalAlloc(LMEM_FIXED, thing->size);
}

static void resize_local(struct thing *thing, size_t size)
{
	thing->bytes = LocalReAlloc(thing->bytes, size, LMEM_MOVEABLE);
}

static void end_local(struct thing *thing)
{
	if (LocalFree(thing->bytes))
		printf("LocalFree fails\n");
}

static void make_malloc(struct thing *thing)
{
	thing->bytes = malloc(thing->size);
}

static void resize_malloc(struct thing *thing, size_t size)
{
	thing->bytes = realloc(thing->bytes, size);
}

static void end_malloc(struct thing *thing)
{
	free(thing->bytes);
}

/* The thing lies at the end of a reservation of which no more is committed. */
static void make_virtual(struct thing *thing)
{
	size_t pages = (thing->size + PAGE - 1) / PAGE * PAGE;
	char *base = VirtualAlloc(NULL, pages + 16 * PAGE, MEM_RESERVE, PAGE_NOACCESS);

	thing->handle = base;
	thing->bytes = VirtualAlloc(base + 16 * PAGE, pages, MEM_COMMIT, PAGE_READWRITE);
}

static void end_virtual(struct thing *thing)
{
	MEMORY_BASIC_INFORMATION info;
	DWORD old = 0;

	if (!VirtualQuery(thing->bytes, &info, sizeof info) || info.State != MEM_COMMIT ||
	    info.AllocationBase != thing->handle || info.Protect != PAGE_READWRITE)
		printf("VirtualQuery is wrong\n");
	if (!VirtualProtect(thing->bytes, thing->size, PAGE_READONLY, &old) ||
	    old != PAGE_READWRITE)
		printf("VirtualProtect is wrong\n");
	if (!VirtualFree(thing->bytes, 1, MEM_DECOMMIT) ||
	    !VirtualFree(thing->handle, 0, MEM_RELEASE))
		printf("VirtualFree fails\n");
}

static void make_view(struct thing *thing)
{
	thing->handle = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
					   (DWORD)thing->size, NULL);
	thing->bytes = MapViewOfFile(thing->handle, FILE_MAP_WRITE, 0, 0, 0);
}

/* A second view shows the same. */
static void end_view(struct thing *thing)
{
	unsigned char *second = MapViewOfFile(thing->handle, FILE_MAP_READ, 0, 0, thing->size);

	if (!second || memcmp(second, thing->bytes, thing->size))
		printf("two views differ\n");
	if (!UnmapViewOfFile(thing->bytes) || !UnmapViewOfFile(second))
		printf("UnmapViewOfFile fails\n");
	CloseHandle(thing->handle);
}

static const struct kind kinds[] = {
	{ "process heap", make_heap, resize_heap, end_heap },
	{ "shared heap", make_shared, resize_shared, end_shared },
	{ "private heap", make_private, resize_private, end_private },
	{ "global", make_global, resize_global, end_global },
	{ "local", make_local, resize_local, end_local },
	{ "malloc", make_malloc, resize_malloc, end_malloc },
	{ "virtual", make_virtual, NULL, end_virtual },
	{ "view", make_view, NULL, end_view },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* --- Things ---------------------------------------------------------------------------------- */

static void fill(struct thing *thing)
{
	for (size_t i = 0; i < thing->size; i++)
		thing->bytes[i] = (unsigned char)(thing->seed + i * 7);
}

static int is_whole(const struct thing *thing, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (thing->bytes[i] != (unsigned char)(thing->seed + i * 7))
			return 0;
	}
	return 1;
}

static void check(struct worker *worker, const struct thing *thing, size_t size, const char *when)
{
	if (is_whole(thing, size))
		return;
	worker->failures++;
	printf("%s is damaged %s\n", thing->kind->name, when);
}

/* Mostly small, at times large. */
static size_t random_size(struct worker *worker)
{
	unsigned shift = next_random(worker) % 100;

	if (shift < 80)
		return 1 + next_random(worker) % 500;
	return 1 + next_random(worker) % (shift < 97 ? 20000u : 1500000u);
}

static void make(struct worker *worker, struct thing *thing)
{
	unsigned kind = next_random(worker) % KINDS;

	thing->kind = &kinds[kind];
	thing->size = random_size(worker);
	thing->seed = next_random(worker);
	thing->kind->make(thing);
	worker->made[kind]++;
	if (thing->bytes) {
		fill(thing);
		return;
	}
	printf("%s: no memory\n", thing->kind->name);
	thing->kind = NULL;
}

static void end(struct worker *worker, struct thing *thing)
{
	check(worker, thing, thing->size, "at its end");
	thing->kind->end(thing);
	thing->kind = NULL;
}

static void resize(struct worker *worker, struct thing *thing)
{
	size_t size = random_size(worker), kept = size < thing->size ? size : thing->size;

	if (!thing->kind->resize)
		return;
	thing->kind->resize(thing, size);
	worker->resized++;
	check(worker, thing, kept, "by its resize");
	thing->size = size;
	fill(thing);
}

/* Puts a thing where another thread may take it, and ends the one that was there. */
static void hand_over(struct worker *worker, struct thing *thing)
{
	struct thing *copy = malloc(sizeof *copy), *other;

	*copy = *thing;
	thing->kind = NULL;
	other = InterlockedExchangePointer((PVOID volatile *)&exchange[next_random(worker) % 8],
					   copy);
	worker->handed++;
	if (!other)
		return;
	end(worker, other);
	free(other);
}

/* --- Threads --------------------------------------------------------------------------------- */

static void step(struct worker *worker)
{
	struct thing *thing = &worker->things[next_random(worker) % SLOTS];
	unsigned what = next_random(worker) % 8;

	if (!thing->kind)
		make(worker, thing);
	else if (what < 4)
		end(worker, thing);
	else if (what < 7)
		resize(worker, thing);
	else
		hand_over(worker, thing);
}

static unsigned step_count = 4000;

static DWORD WINAPI work(void *argument)
{
	struct worker *worker = argument;

	for (unsigned i = 0; i < step_count; i++)
		step(worker);
	for (unsigned i = 0; i < SLOTS; i++) {
		if (worker->things[i].kind)
			end(worker, &worker->things[i]);
	}
	return 0;
}

static void run(struct worker *workers)
{
	HANDLE threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].number = i;
		workers[i].random = 4711 * (i + 1);
		threads[i] = CreateThread(NULL, 0, work, &workers[i], 0, NULL);
	}
	WaitForMultipleObjects(THREADS, threads, /* all */ TRUE, INFINITE);
	for (unsigned i = 0; i < 8; i++) {
		if (!exchange[i])
			continue;
		end(&workers[0], exchange[i]);
		free(exchange[i]);
	}
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS];
	unsigned failures = 0;

	if (argc > 1)
		step_count = (unsigned)atoi(argv[1]);
	shared_heap = HeapCreate(0, 0, 0);
	run(workers);
	for (unsigned i = 0; i < THREADS; i++) {
		printf("thread %u:", i);
		for (unsigned k = 0; k < KINDS; k++)
			printf(" %s %u,", kinds[k].name, workers[i].made[k]);
		printf(" resized %u, handed over %u\n", workers[i].resized, workers[i].handed);
		failures += workers[i].failures;
	}
	if (!HeapValidate(shared_heap, 0, NULL) || !HeapValidate(GetProcessHeap(), 0, NULL))
		printf("a heap is not valid\n");
	HeapDestroy(shared_heap);
	printf("%u damaged\n", failures);
	return failures != 0;
}
