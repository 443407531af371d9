/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Random calls on virtual memory, and after each few hundred of them a stop with everything that is
 * known of the address space:
 *
 *   call ...      what each call gave, without addresses: to be compared between runs
 *   run ...       what VirtualQuery says of the regions that were made, without addresses
 *   made ...      where they lie, their size, whether writes to them are watched
 *   own ...       what VirtualQuery says of all addresses
 *   wine ...      what Wine's ELF half says of them when another process asks: no hook is on its
 * way stop          it goes on when a line is read
 *
 *   model.exe SEED STEPS CALLS
 *   model.exe ask PROCESS            the other process */

#include <windows.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 0x1000u
#define GRANULE 0x10000u
#define REGIONS 40
#define PAGES_MAX 48u
#define TEXT_BYTES (1 << 19)

enum kind { NONE, PRIVATE, WATCHED, VIEW };

static struct region {
	enum kind kind;
	char *base;
	unsigned pages;
	HANDLE section;
} regions[REGIONS];

static unsigned long long state;
static char text[TEXT_BYTES];
static size_t text_used;

static unsigned draw(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % below;
}

/* Nothing is allocated and nothing is written before all is known. */
static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_used += (size_t)vsnprintf(text + text_used, TEXT_BYTES - text_used, format, arguments);
	va_end(arguments);
	if (text_used >= TEXT_BYTES)
		ExitProcess(3);
}

static void say_all(void)
{
	HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
	DWORD written;

	for (size_t at = 0; at < text_used; at += written)
		if (!WriteFile(output, text + at, (DWORD)(text_used - at), &written, NULL))
			ExitProcess(4);
	text_used = 0;
}

/* --- What is known --------------------------------------------------------------------------- */

static void say_space(const char *name, HANDLE process)
{
	MEMORY_BASIC_INFORMATION info;
	char *at = NULL;

	while (VirtualQueryEx(process, at, &info, sizeof info)) {
		say("%s %p %zx %lx %lx %lx %p %lx\n", name, info.BaseAddress, info.RegionSize,
		    info.State, info.State == MEM_COMMIT ? info.Protect : 0, info.Type,
		    info.AllocationBase, info.State == MEM_FREE ? 0 : info.AllocationProtect);
		at = (char *)info.BaseAddress + info.RegionSize;
	}
}

static void say_runs(unsigned index)
{
	struct region *region = &regions[index];
	MEMORY_BASIC_INFORMATION info;
	unsigned page = 0;

	while (page < region->pages &&
	       VirtualQuery(region->base + (size_t)page * PAGE, &info, sizeof info)) {
		say("run %u: %u pages from %u: %lx %lx %lx of %lx\n", index,
		    (unsigned)(info.RegionSize / PAGE), page, info.State,
		    info.State == MEM_COMMIT ? info.Protect : 0, info.Type, info.AllocationProtect);
		page += (unsigned)(info.RegionSize / PAGE);
	}
}

/* Wine prints its record of a region when a page of it gets its own protection once more. */
static void print_view(const struct region *region)
{
	MEMORY_BASIC_INFORMATION info;
	DWORD old;

	for (unsigned page = 0; page < region->pages; page += (unsigned)(info.RegionSize / PAGE)) {
		if (!VirtualQuery(region->base + (size_t)page * PAGE, &info, sizeof info))
			return;
		if (info.State != MEM_COMMIT)
			continue;
		VirtualProtect(info.BaseAddress, PAGE, info.Protect, &old);
		return;
	}
}

static HANDLE asked, answered;

/* The other process is there, and waits to be asked. */
static HANDLE start_other(void)
{
	char command[MAX_PATH + 40], *end;
	STARTUPINFOA startup = { .cb = sizeof startup };
	PROCESS_INFORMATION process;

	end = command + sprintf(command, "\"");
	end += GetModuleFileNameA(NULL, end, MAX_PATH);
	sprintf(end, "\" ask %lu", GetCurrentProcessId());
	if (!CreateProcessA(NULL, command, NULL, NULL, /* inherit */ TRUE, 0, NULL, NULL, &startup,
			    &process))
		ExitProcess(5);
	CloseHandle(process.hThread);
	WaitForSingleObject(answered, INFINITE);
	return process.hProcess;
}

static void stop(void)
{
	HANDLE other = start_other();
	char line[16];
	DWORD count;

	say("thread %04lx\n", GetCurrentThreadId());
	for (unsigned i = 0; i < REGIONS; i++)
		if (regions[i].kind != NONE) {
			print_view(&regions[i]);
			say_runs(i);
			say("made %p %x %d\n", regions[i].base, regions[i].pages * PAGE,
			    regions[i].kind == WATCHED);
		}
	say_space("own", GetCurrentProcess());
	SetEvent(asked);
	WaitForSingleObject(other, INFINITE);
	say("stop\n");
	say_all();
	if (!ReadFile(GetStdHandle(STD_INPUT_HANDLE), line, sizeof line, &count, NULL) || !count)
		ExitProcess(6);
	CloseHandle(other);
}

static int ask(DWORD id)
{
	HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, id);

	SetEvent(answered);
	WaitForSingleObject(asked, INFINITE);
	say_space("wine", process);
	say_all();
	return process ? 0 : 7;
}

/* --- The calls ------------------------------------------------------------------------------- */

static const DWORD protections[] = {
	PAGE_NOACCESS,  PAGE_READONLY,     PAGE_READWRITE,
	PAGE_READWRITE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
};

static DWORD draw_protection(void)
{
	return protections[draw(sizeof protections / sizeof protections[0])];
}

static void tell(const char *name, const struct region *region, bool result)
{
	DWORD error = GetLastError();

	say("call %s %d: %d %lu\n", name, (int)(region - regions), result, result ? 0 : error);
}

static void reserve(struct region *region)
{
	bool is_watched = draw(8) == 0;
	DWORD type = MEM_RESERVE | (draw(2) ? MEM_COMMIT : 0) | (draw(4) ? 0 : MEM_TOP_DOWN) |
		     (is_watched ? MEM_WRITE_WATCH : 0);
	unsigned pages = 1 + draw(PAGES_MAX);
	DWORD protect = draw_protection();

	region->base = VirtualAlloc(NULL, (size_t)pages * PAGE - draw(PAGE), type, protect);
	tell("reserve", region, region->base != NULL);
	if (!region->base)
		return;
	region->kind = is_watched ? WATCHED : PRIVATE;
	region->pages = pages;
}

static void map(struct region *region)
{
	bool is_reserved = draw(2);
	unsigned pages = GRANULE / PAGE * (1 + draw(3));
	DWORD size = pages * PAGE, access = draw(3) ? FILE_MAP_WRITE : FILE_MAP_READ;
	unsigned first = draw(2) ? GRANULE : 0;

	region->section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					     PAGE_READWRITE | (is_reserved ? SEC_RESERVE : 0), 0,
					     size + GRANULE, NULL);
	region->base = MapViewOfFile(region->section, access, 0, first, size);
	tell("map", region, region->base != NULL);
	if (!region->base) {
		CloseHandle(region->section);
		return;
	}
	region->kind = VIEW;
	region->pages = pages;
}

static void give_back(struct region *region)
{
	if (region->kind == VIEW) {
		tell("unmap", region, UnmapViewOfFile(region->base));
		CloseHandle(region->section);
	} else {
		tell("release", region, VirtualFree(region->base, 0, MEM_RELEASE));
	}
	region->kind = NONE;
}

/* A few bytes may be missing at both ends: the pages stay the same. */
static char *draw_part(const struct region *region, size_t *size_bytes)
{
	unsigned first = draw(region->pages), pages = 1 + draw(region->pages - first);
	unsigned inset = draw(3) ? 0 : 1 + draw(PAGE / 4);

	*size_bytes = (size_t)pages * PAGE - 2 * (size_t)inset;
	return region->base + (size_t)first * PAGE + inset;
}

static void change(struct region *region)
{
	unsigned what = draw(20);
	DWORD protect = draw_protection(), old;
	size_t size_bytes;
	char *part = draw_part(region, &size_bytes);

	SetLastError(0xdeadbeef);
	if (what < 7)
		tell("commit", region, VirtualAlloc(part, size_bytes, MEM_COMMIT, protect) != NULL);
	else if (what < 11 && region->kind != VIEW)
		tell("decommit", region, VirtualFree(part, size_bytes, MEM_DECOMMIT));
	else if (what < 17)
		tell("protect", region, VirtualProtect(part, size_bytes, protect, &old));
	else if (what < 18 && region->kind == PRIVATE)
		tell("guard", region,
		     VirtualProtect(part, size_bytes, PAGE_READWRITE | PAGE_GUARD, &old));
	else if (what < 19 && region->kind == PRIVATE)
		tell("reset", region,
		     VirtualAlloc(part, size_bytes, MEM_RESET, PAGE_NOACCESS) != NULL);
	else if (region->kind != VIEW)
		tell("release a part", region, VirtualFree(part, size_bytes, MEM_RELEASE));
}

/* Where it can be written, it is. */
static void touch(const struct region *region)
{
	MEMORY_BASIC_INFORMATION info;
	char *at = region->base + (size_t)draw(region->pages) * PAGE;

	if (VirtualQuery(at, &info, sizeof info) && info.State == MEM_COMMIT &&
	    (info.Protect == PAGE_READWRITE || info.Protect == PAGE_EXECUTE_READWRITE))
		*(volatile char *)at = 1;
}

static void do_something(void)
{
	struct region *region = &regions[draw(REGIONS)];

	if (region->kind == NONE && draw(4) == 0)
		map(region);
	else if (region->kind == NONE)
		reserve(region);
	else if (draw(12) == 0)
		give_back(region);
	else if (draw(8) == 0)
		touch(region);
	else
		change(region);
}

static HANDLE event(const char *name, const char *id)
{
	char full[64];

	snprintf(full, sizeof full, "vadtrace-model-%s-%s", name, id);
	return CreateEventA(NULL, /* manual */ FALSE, FALSE, full);
}

int main(int argc, char **argv)
{
	bool is_other = argc == 3 && strcmp(argv[1], "ask") == 0;
	char id[16];

	if (argc != 4 && !is_other)
		return 2;
	snprintf(id, sizeof id, "%lu",
		 is_other ? strtoul(argv[2], NULL, 10) : GetCurrentProcessId());
	asked = event("asked", id);
	answered = event("answered", id);
	if (is_other)
		return ask(strtoul(id, NULL, 10));
	state = strtoull(argv[1], NULL, 10) * 2654435761u + 1;
	for (int step = 0; step < atoi(argv[2]); step++) {
		for (int i = 0; i < atoi(argv[3]); i++)
			do_something();
		stop();
	}
	return 0;
}
