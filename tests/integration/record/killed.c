/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* killed FILE THREADS MICROSECONDS: each thread allocates and frees for ever, and notes in the
 * file, which is mapped and so survives any end, how far it is: before each allocation, and after
 * it. Some time after each has begun, SIGKILL. FILE has a struct note for each thread. Also a
 * Windows program. */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS_MAX = 16, BLOCKS = 32, SIZE_MIN = 4096 };

/* - of the thread's allocations, `returned` have returned and `begun` have begun: as many, or one
 *   more. */
struct note {
	uint64_t tid, begun, returned;
	uint64_t unused[5];
};

_Static_assert(sizeof(struct note) == 64, "killed.py reads it");

struct worker {
	volatile struct note *note;
	void *blocks[BLOCKS];
};

#ifdef _WIN32
#include <windows.h>

#define allocate(size) HeapAlloc(GetProcessHeap(), 0, size)
#define release(block) HeapFree(GetProcessHeap(), 0, block)

static void *map(const char *path, size_t size_bytes)
{
	HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE,
				  FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, CREATE_ALWAYS, 0, NULL);
	HANDLE mapping = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, (DWORD)size_bytes, NULL);

	return mapping ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, size_bytes) : NULL;
}

typedef DWORD result;

static void begin(result WINAPI (*function)(void *), void *argument)
{
	CloseHandle(CreateThread(NULL, 0, function, argument, 0, NULL));
}

static void wait_us(unsigned microseconds)
{
	LARGE_INTEGER frequency, now, end;

	QueryPerformanceFrequency(&frequency);
	QueryPerformanceCounter(&end);
	end.QuadPart += microseconds * frequency.QuadPart / 1000000;
	do
		Sleep(0);
	while (QueryPerformanceCounter(&now) && now.QuadPart < end.QuadPart);
}
#else
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define allocate(size) malloc(size)
#define release(block) free(block)

static void *map(const char *path, size_t size_bytes)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	void *view;

	if (file < 0 || ftruncate(file, (off_t)size_bytes) < 0)
		return NULL;
	view = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	return view == MAP_FAILED ? NULL : view;
}

typedef void *result;
#define WINAPI

static void begin(result (*function)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, argument) != 0)
		abort();
}

static void wait_us(unsigned microseconds)
{
	usleep(microseconds);
}
#endif

/* Asks the kernel, also in a Windows program: the trace has the kernel's numbers. */
static uint64_t ask_kernel(uint64_t call, uint64_t first, uint64_t second)
{
	__asm__ volatile("syscall" : "+a"(call) : "D"(first), "S"(second) : "rcx", "r11", "memory");
	return call;
}

enum { CALL_GETPID = 39, CALL_KILL = 62, CALL_GETTID = 186, KILL = 9 };

/* The same in killed.py. */
static size_t size_of(uint64_t number)
{
	return SIZE_MIN + number * 37 % 500;
}

static result WINAPI work(void *argument)
{
	struct worker *worker = argument;
	volatile struct note *note = worker->note;

	note->tid = ask_kernel(CALL_GETTID, 0, 0);
	for (uint64_t number = 0;; number++) {
		void **block = &worker->blocks[number % BLOCKS];

		release(*block);
		note->begun = number + 1;
		*block = allocate(size_of(number));
		note->returned = number + 1;
	}
	return 0;
}

static void await(const volatile struct note *note)
{
	while (note->returned == 0)
		wait_us(100);
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	int threads = argc == 4 ? atoi(argv[2]) : 0;
	struct note *notes;

	if (threads < 1 || threads > THREADS_MAX) {
		fputs("usage: killed FILE THREADS MICROSECONDS\n", stderr);
		return 2;
	}
	notes = map(argv[1], (size_t)threads * sizeof(*notes));
	if (!notes)
		return 1;
	for (int i = 0; i < threads; i++) {
		workers[i].note = &notes[i];
		begin(work, &workers[i]);
	}
	for (int i = 0; i < threads; i++)
		await(&notes[i]);
	wait_us((unsigned)atoi(argv[3]));
	ask_kernel(CALL_KILL, ask_kernel(CALL_GETPID, 0, 0), KILL);
	return 1;
}
