/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* ends WAY: uses memory and ends that way. "children": starts itself in each way and tells what
 * became of it. "child": uses one's memory. "busy-child": starts one that is busy.
 * "environment": what of the tracer's is in sight. */

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void use_memory(void)
{
	char *region = VirtualAlloc(NULL, 0x20000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	memset(region, 1, 0x20000);
	for (int i = 0; i < 1000; i++)
		free(realloc(malloc((size_t)i), 2000));
	VirtualFree(region, 0, MEM_RELEASE);
}

static DWORD WINAPI exit_process(void *unused)
{
	use_memory();
	ExitProcess(9);
}

static DWORD WINAPI allocate_for_ever(void *unused)
{
	for (;;)
		use_memory();
	return 0;
}

/* --- Ways ------------------------------------------------------------------------------------ */

static void end_by_exit(void)
{
	exit(3);
}

static void end_by_exit_process(void)
{
	ExitProcess(4);
}

static void end_by_terminate(void)
{
	TerminateProcess(GetCurrentProcess(), 5);
}

static void end_by_abort(void)
{
	abort();
}

static void end_by_crash(void)
{
	*(volatile char *)0x10 = 1;
}

static void end_by_raise(void)
{
	RaiseException(0xe0001234, EXCEPTION_NONCONTINUABLE, 0, NULL);
}

static void end_by_thread(void)
{
	CreateThread(NULL, 0, exit_process, NULL, 0, NULL);
	Sleep(INFINITE);
}

/* While others allocate. */
static void end_by_busy(void)
{
	for (int i = 0; i < 3; i++)
		CreateThread(NULL, 0, allocate_for_ever, NULL, 0, NULL);
	Sleep(50);
	exit(6);
}

static void end_by_busy_terminate(void)
{
	for (int i = 0; i < 3; i++)
		CreateThread(NULL, 0, allocate_for_ever, NULL, 0, NULL);
	Sleep(50);
	TerminateProcess(GetCurrentProcess(), 7);
}

static DWORD WINAPI do_nothing(void *unused)
{
	return 0;
}

/* While others have not quite started. Not among the children: Wine itself may complain. */
static void end_by_starting(void)
{
	for (int i = 0; i < 64; i++)
		CreateThread(NULL, 0, do_nothing, NULL, 0, NULL);
	ExitProcess(8);
}

static void end_by_main_thread(void)
{
	CreateThread(NULL, 0, exit_process, NULL, 0, NULL);
	ExitThread(1);
}

static const struct {
	const char *name;
	void (*end)(void);
} ways[] = {
	{ "exit", end_by_exit },
	{ "exit-process", end_by_exit_process },
	{ "terminate", end_by_terminate },
	{ "abort", end_by_abort },
	{ "crash", end_by_crash },
	{ "raise", end_by_raise },
	{ "thread", end_by_thread },
	{ "busy", end_by_busy },
	{ "busy-terminate", end_by_busy_terminate },
	{ "starting", end_by_starting },
	{ "main-thread", end_by_main_thread },
};
#define WAYS (sizeof ways / sizeof ways[0])

/* --- Children -------------------------------------------------------------------------------- */

/* The child's exit code; its output comes through a pipe. */
static DWORD run_child(const char *program, const char *way)
{
	STARTUPINFOA start = { .cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES };
	SECURITY_ATTRIBUTES inherited = { sizeof inherited, NULL, TRUE };
	PROCESS_INFORMATION child;
	char line[1000];
	HANDLE output;
	DWORD code = 0, count;

	snprintf(line, sizeof line, "\"%s\" %s", program, way);
	CreatePipe(&output, &start.hStdOutput, &inherited, 0);
	start.hStdError = start.hStdOutput;
	if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))
		return 0xffff;
	CloseHandle(start.hStdOutput);
	while (ReadFile(output, line, sizeof line, &count, NULL) && count)
		printf("%.*s", (int)count, line);
	WaitForSingleObject(child.hProcess, INFINITE);
	GetExitCodeProcess(child.hProcess, &code);
	CloseHandle(child.hProcess);
	CloseHandle(child.hThread);
	CloseHandle(output);
	return code;
}

/* Not while others allocate: Wine's own heap may be left locked by a thread that the exit kills,
 * and then the exit waits for ever. */
static void run_children(const char *program)
{
	use_memory();
	for (size_t i = 0; i < WAYS; i++) {
		if (ways[i].end != end_by_busy && ways[i].end != end_by_starting)
			printf("%s: 0x%lx\n", ways[i].name, run_child(program, ways[i].name));
	}
	printf("environment: 0x%lx\n", run_child(program, "environment"));
}

/* Memory of a child that is used from here: allocated, written, read, protected, released. */
static void use_child(const char *program)
{
	STARTUPINFOA start = { .cb = sizeof start };
	PROCESS_INFORMATION child;
	MEMORY_BASIC_INFORMATION info;
	char line[1000], back[8] = { 0 }, *remote;
	DWORD old = 0;

	snprintf(line, sizeof line, "\"%s\" exit", program);
	CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &start, &child);
	remote = VirtualAllocEx(child.hProcess, NULL, 0x10000, MEM_RESERVE | MEM_COMMIT,
				PAGE_READWRITE);
	printf("written: %d\n", WriteProcessMemory(child.hProcess, remote, "letters", 8, NULL));
	printf("read: %d %s\n", ReadProcessMemory(child.hProcess, remote, back, 8, NULL), back);
	printf("protected: %d 0x%lx\n",
	       VirtualProtectEx(child.hProcess, remote, 0x1000, PAGE_READONLY, &old), old);
	VirtualQueryEx(child.hProcess, remote, &info, sizeof info);
	printf("queried: 0x%lx, %lu bytes\n", info.Protect, (unsigned long)info.RegionSize);
	printf("released: %d\n", VirtualFreeEx(child.hProcess, remote, 0, MEM_RELEASE));
	ResumeThread(child.hThread);
	WaitForSingleObject(child.hProcess, INFINITE);
	GetExitCodeProcess(child.hProcess, &old);
	printf("its code: %lu\n", old);
}

/* --- Environment ----------------------------------------------------------------------------- */

static void print_environment(void)
{
	static const char *const hidden[] = { "LD_PRELOAD=", "VADTRACE_", "LTTNG_" };
	char *all = GetEnvironmentStringsA();

	for (char *p = all; *p; p += strlen(p) + 1) {
		for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
			if (!strncmp(p, hidden[i], strlen(hidden[i])))
				printf("in sight: %s\n", p);
		}
	}
	FreeEnvironmentStringsA(all);
	printf("environment seen\n");
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "exit";

	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
	use_memory();
	printf("before %s\n", way);
	fflush(stdout);
	for (size_t i = 0; i < WAYS; i++) {
		if (!strcmp(way, ways[i].name))
			ways[i].end();
	}
	if (!strcmp(way, "children"))
		run_children(argv[0]);
	else if (!strcmp(way, "busy-child"))
		return (int)run_child(argv[0], "busy");
	else if (!strcmp(way, "child"))
		use_child(argv[0]);
	else
		print_environment();
	return 0;
}
