/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A second process, for native and Windows programs alike: this same program once more, which does
 * what it is told through a pipe until the pipe is closed.
 *
 *   if (argc > 1)
 *           return child_run();
 *   child = child_begin(argv[0], PROCESS_ALL_ACCESS);
 *   ok(child_ask(CHILD_READ, address) == 'x', "the child sees it");
 *   child_end();
 */

#ifndef VADTRACE_TESTS_CONFORMANCE_CHILD_H
#define VADTRACE_TESTS_CONFORMANCE_CHILD_H

#include "tests/conformance/common.h"

#ifndef _WIN32
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

enum child_command {
	CHILD_READ = 1, /* answers the byte at the address */
	CHILD_WRITE,    /* writes 'c' there */
	CHILD_STATE,    /* answers what VirtualQuery says: State, Protect shifted by 32 */
	CHILD_RESERVE,  /* answers the base of a new region of 64 KiB */
	CHILD_WATCH,    /* answers how many pages of the 64 KiB there were written */
	CHILD_CODE,     /* answers the address of a function */
	CHILD_PAGE,     /* answers what QueryWorkingSetEx says of the page */
	CHILD_MINIMUM,  /* answers the minimum working set */
	CHILD_MAP,      /* answers whether physical page number `address` can be mapped and used */
};

struct child_order {
	uint64_t command;
	uint64_t address;
};

#ifdef _WIN32
static HANDLE child_process, child_input, child_output;

static BOOL child_send(const void *bytes, DWORD size)
{
	DWORD count;

	return WriteFile(child_input, bytes, size, &count, NULL) && count == size;
}

static BOOL child_receive(void *bytes, DWORD size)
{
	DWORD count;

	return ReadFile(child_output, bytes, size, &count, NULL) && count == size;
}

/* The pipes' ends of the child are inherited, ours are not. */
static void child_start(const char *program)
{
	SECURITY_ATTRIBUTES inherited = { sizeof inherited, NULL, TRUE };
	STARTUPINFOA startup = { .cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES };
	PROCESS_INFORMATION information;
	char line[MAX_PATH + 16];
	uint64_t ready = 0;

	CreatePipe(&startup.hStdInput, &child_input, &inherited, 0);
	CreatePipe(&child_output, &startup.hStdOutput, &inherited, 0);
	SetHandleInformation(child_input, HANDLE_FLAG_INHERIT, 0);
	SetHandleInformation(child_output, HANDLE_FLAG_INHERIT, 0);
	startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
	(void)program;
	line[0] = '"';
	GetModuleFileNameA(NULL, line + 1, MAX_PATH);
	strcat(line, "\" child");
	if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &information))
		tap_skip_all("no second process");
	CloseHandle(startup.hStdInput);
	CloseHandle(startup.hStdOutput);
	CloseHandle(information.hThread);
	child_process = information.hProcess;
	child_receive(&ready, sizeof ready);
}

static DWORD child_id(void)
{
	return GetProcessId(child_process);
}

static void child_end(void)
{
	CloseHandle(child_input);
	WaitForSingleObject(child_process, INFINITE);
	CloseHandle(child_output);
	CloseHandle(child_process);
}

static BOOL child_get(void *bytes, DWORD size)
{
	DWORD count;

	return ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes, size, &count, NULL) && count == size;
}

static BOOL child_put(const void *bytes, DWORD size)
{
	DWORD count;

	return WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), bytes, size, &count, NULL);
}
#else
static pid_t child_pid;
static int child_input, child_output;

static BOOL child_send(const void *bytes, DWORD size)
{
	return write(child_input, bytes, size) == (ssize_t)size;
}

static BOOL child_receive(void *bytes, DWORD size)
{
	return read(child_output, bytes, size) == (ssize_t)size;
}

static void child_execute(const char *program, const int *input, const int *output)
{
	dup2(input[0], STDIN_FILENO);
	dup2(output[1], STDOUT_FILENO);
	close(input[0]);
	close(input[1]);
	close(output[0]);
	close(output[1]);
	execl(program, program, "child", (char *)NULL);
	_exit(127);
}

/* Its answer says that it serves. */
static void child_start(const char *program)
{
	int input[2], output[2];
	uint64_t ready = 0;

	if (pipe(input) || pipe(output))
		tap_skip_all("no pipes");
	child_pid = fork();
	if (child_pid == 0)
		child_execute(program, input, output);
	close(input[0]);
	close(output[1]);
	child_input = input[1];
	child_output = output[0];
	child_receive(&ready, sizeof ready);
}

static DWORD child_id(void)
{
	return (DWORD)child_pid;
}

static void child_end(void)
{
	close(child_input);
	waitpid(child_pid, NULL, 0);
	close(child_output);
}

static BOOL child_get(void *bytes, DWORD size)
{
	return read(STDIN_FILENO, bytes, size) == (ssize_t)size;
}

static BOOL child_put(const void *bytes, DWORD size)
{
	return write(STDOUT_FILENO, bytes, size) == (ssize_t)size;
}
#endif

static uint64_t child_ask(enum child_command command, const void *address)
{
	struct child_order order = { command, (uint64_t)(uintptr_t)address };
	uint64_t answer = 0;

	if (!child_send(&order, sizeof order) || !child_receive(&answer, sizeof answer))
		return UINT64_MAX;
	return answer;
}

/* Starts it; a handle with these rights, or NULL. */
static HANDLE child_begin(const char *program, DWORD access)
{
	child_start(program);
	return OpenProcess(access, /* inherit */ FALSE, child_id());
}

/* What CHILD_CODE names: nobody calls it. */
__attribute__((noinline, unused)) static int child_function(int number)
{
	return number * 3 + 1;
}

static uint64_t child_count_written(void *base)
{
	PVOID pages[GRANULE / PAGE];
	ULONG_PTR count = COUNT(pages);
	DWORD size = 0;

	return GetWriteWatch(0, base, GRANULE, pages, &count, &size) ? UINT64_MAX - 1 : count;
}

static uint64_t child_describe(void *address)
{
	PSAPI_WORKING_SET_EX_INFORMATION page = { .VirtualAddress = address };

	QueryWorkingSetEx(GetCurrentProcess(), &page, sizeof page);
	return page.VirtualAttributes.Flags;
}

static uint64_t child_minimum(void)
{
	SIZE_T minimum = 0, maximum = 0;

	GetProcessWorkingSetSize(GetCurrentProcess(), &minimum, &maximum);
	return minimum;
}

static uint64_t child_map(ULONG_PTR number)
{
	volatile char *window =
		VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
	uint64_t answer = window && MapUserPhysicalPages((void *)window, 1, &number);

	if (answer)
		window[1] = 'm';
	VirtualFree((void *)window, 0, MEM_RELEASE);
	return answer;
}

static uint64_t child_obey(const struct child_order *order)
{
	volatile char *address = (char *)(uintptr_t)order->address;
	MEMORY_BASIC_INFORMATION info;

	switch (order->command) {
	case CHILD_READ:
		return (unsigned char)*address;
	case CHILD_WRITE:
		*address = 'c';
		return 0;
	case CHILD_STATE:
		info = query((void *)address);
		return info.State | (uint64_t)info.Protect << 32;
	case CHILD_RESERVE:
		return (uintptr_t)VirtualAlloc(NULL, GRANULE, MEM_RESERVE, PAGE_READWRITE);
	case CHILD_WATCH:
		return child_count_written((void *)address);
	case CHILD_CODE:
		return (uintptr_t)child_function;
	case CHILD_PAGE:
		return child_describe((void *)address);
	case CHILD_MINIMUM:
		return child_minimum();
	case CHILD_MAP:
		return child_map((uintptr_t)address);
	}
	return UINT64_MAX;
}

static int child_run(void)
{
	struct child_order order;
	uint64_t answer = 0;

#ifndef _WIN32
	if (!core_serve())
		return 1;
#endif
	do {
		if (!child_put(&answer, sizeof answer) || !child_get(&order, sizeof order))
			return 0;
		answer = child_obey(&order);
	} while (answer != UINT64_MAX);
	return 1;
}

#endif
