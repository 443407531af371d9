/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Address Windowing Extensions (memoryapi.h; virtualallocexnuma.txt, MEM_PHYSICAL). The same source
 * is a native test of core and a Windows program; where nobody may have physical pages, only that
 * is tested. */

#include "tests/conformance/common.h"

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#define WINDOW_PAGES 64
#define WINDOW (WINDOW_PAGES * PAGE)
#define WINDOW_TYPE (MEM_RESERVE | MEM_PHYSICAL)
#define COUNT_TAKEN 16

#define self GetCurrentProcess()

static ULONG_PTR frames[COUNT_TAKEN];

static char *make_window(void)
{
	return VirtualAlloc(NULL, WINDOW, WINDOW_TYPE, PAGE_READWRITE);
}

static void release(void *base)
{
	VirtualFree(base, 0, MEM_RELEASE);
}

/* What no one has: Wine, and Windows without the privilege. */
static void test_without(void)
{
	typeof(&AllocateUserPhysicalPagesNuma) allocate_numa =
		FUNCTION("kernelbase.dll", AllocateUserPhysicalPagesNuma);
	typeof(&MapUserPhysicalPagesScatter) scatter =
		FUNCTION("kernel32.dll", MapUserPhysicalPagesScatter);
	ULONG_PTR count = 1, page = 0;
	PVOID address = NULL;

	ok(!AllocateUserPhysicalPages(self, &count, &page), "AllocateUserPhysicalPages");
	if (allocate_numa)
		ok(!allocate_numa(self, &count, &page, 0), "AllocateUserPhysicalPagesNuma");
	else
		skip_absent("AllocateUserPhysicalPagesNuma");
	count = 1;
	ok(!FreeUserPhysicalPages(self, &count, &page), "FreeUserPhysicalPages");
	ok(!MapUserPhysicalPages(NULL, 1, &page), "MapUserPhysicalPages");
	if (scatter)
		ok(!scatter(&address, 1, &page), "MapUserPhysicalPagesScatter");
	else
		skip_absent("MapUserPhysicalPagesScatter");
}

/* "This value must be used with MEM_RESERVE and no other values." "The page protection must be set
 * to PAGE_READWRITE." */
static void test_window_arguments(void)
{
	static const struct {
		DWORD type, protect;
	} rows[] = {
		{ MEM_PHYSICAL, PAGE_READWRITE },
		{ WINDOW_TYPE | MEM_COMMIT, PAGE_READWRITE },
		{ WINDOW_TYPE | MEM_WRITE_WATCH, PAGE_READWRITE },
		{ WINDOW_TYPE | MEM_COMMIT | MEM_LARGE_PAGES, PAGE_READWRITE },
		{ WINDOW_TYPE, PAGE_READONLY },
		{ WINDOW_TYPE, PAGE_NOACCESS },
		{ WINDOW_TYPE, PAGE_EXECUTE_READWRITE },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		ok_error(!VirtualAlloc(NULL, WINDOW, rows[i].type, rows[i].protect),
			 ERROR_INVALID_PARAMETER, "a window that cannot be");
}

/* The documented example: pages are taken, mapped, unmapped, given back. */
static void test_example(void)
{
	ULONG_PTR count = COUNT_TAKEN, numbers[COUNT_TAKEN];
	SYSTEM_INFO info;
	char *window;

	GetSystemInfo(&info);
	SetLastError(UNTOUCHED);
	ok(AllocateUserPhysicalPages(self, &count, numbers) && count == COUNT_TAKEN,
	   "pages are taken");
	window = VirtualAlloc(NULL, count * info.dwPageSize, WINDOW_TYPE, PAGE_READWRITE);
	ok(window && (ULONG_PTR)window % GRANULE == 0, "a window is reserved");
	ok(MapUserPhysicalPages(window, count, numbers), "they are mapped");
	ok(window[0] == 0 && window[COUNT_TAKEN * PAGE - 1] == 0, "and zero filled");
	strcpy(window + 5 * PAGE, "in the sixth page");
	ok(MapUserPhysicalPages(window, count, NULL), "unmapped");
	ok(query(window).State == MEM_RESERVE, "no address is left");
	ok(MapUserPhysicalPages(window, count, numbers), "mapped again");
	ok(!strcmp(window + 5 * PAGE, "in the sixth page"), "the contents were kept");
	ok(MapUserPhysicalPages(window, count, NULL), "unmapped again");
	ok(FreeUserPhysicalPages(self, &count, numbers) && count == COUNT_TAKEN, "given back");
	ok(VirtualFree(window, 0, MEM_RELEASE), "the window is released");
	ok_equal(GetLastError(), UNTOUCHED, "the last error stays");
}

static void expect(const void *address, const char *base, SIZE_T size, DWORD state,
		   const char *what)
{
	MEMORY_BASIC_INFORMATION info = query(address);

	ok(info.BaseAddress == address && info.AllocationBase == base && info.RegionSize == size &&
		   info.AllocationProtect == PAGE_READWRITE && info.Type == MEM_PRIVATE,
	   "%s: VirtualQuery", what);
	ok(info.State == state && info.Protect == (state == MEM_COMMIT ? PAGE_READWRITE : 0),
	   "%s: its state", what);
}

static void test_query(void)
{
	char *window = make_window();

	expect(window, window, WINDOW, MEM_RESERVE, "nothing mapped");
	MapUserPhysicalPages(window + 2 * PAGE, 3, frames);
	expect(window, window, 2 * PAGE, MEM_RESERVE, "before");
	expect(window + 2 * PAGE, window, 3 * PAGE, MEM_COMMIT, "three pages");
	expect(window + 5 * PAGE, window, WINDOW - 5 * PAGE, MEM_RESERVE, "behind");
	MapUserPhysicalPages(window + 3 * PAGE, 1, NULL);
	expect(window + 2 * PAGE, window, PAGE, MEM_COMMIT, "one");
	expect(window + 3 * PAGE, window, PAGE, MEM_RESERVE, "none");
	expect(window + 4 * PAGE, window, PAGE, MEM_COMMIT, "one again");
	release(window);
}

/* One page after the other through a window of one page. */
static void test_several_windows(void)
{
	char *first = make_window(), *second = make_window();

	for (int i = 0; i < COUNT_TAKEN; i++) {
		ok(MapUserPhysicalPages(first + 7 * PAGE, 1, &frames[i]), "page %d", i);
		first[7 * PAGE] = (char)('a' + i);
	}
	MapUserPhysicalPages(first + 7 * PAGE, 1, NULL);
	ok(MapUserPhysicalPages(second + PAGE, COUNT_TAKEN, frames), "all in another window");
	for (int i = 0; i < COUNT_TAKEN; i++)
		ok(second[(i + 1) * PAGE] == 'a' + i, "page %d has what was written", i);
	ok(VirtualFree(second, 0, MEM_RELEASE), "that window is released");
	ok(MapUserPhysicalPages(first, 2, frames + 3), "its pages are free to map");
	ok(first[0] == 'd' && first[PAGE] == 'e', "and keep their contents");
	release(first);
}

/* "Any existing address maps are automatically overwritten with the new translations, and the old
 * translations are unmapped." */
static void test_overwrite(void)
{
	char *window = make_window();
	ULONG_PTR turned[2] = { frames[1], frames[0] };

	MapUserPhysicalPages(window, 2, frames);
	window[0] = '0';
	window[PAGE] = '1';
	ok(MapUserPhysicalPages(window, 2, turned), "the same pages the other way round");
	ok(window[0] == '1' && window[PAGE] == '0', "have changed places");
	ok(MapUserPhysicalPages(window, 2, frames + 2), "other pages in their place");
	window[0] = '2';
	ok(MapUserPhysicalPages(window + 10 * PAGE, 2, frames), "are mapped elsewhere");
	ok(window[10 * PAGE] == '0' && window[11 * PAGE] == '1', "with their contents");
	release(window);
}

/* Nothing is mapped when one page cannot be. "In fact, two different AWE virtual addresses within
 * the same process are not allowed to map the same physical page." */
static void test_refusals(void)
{
	char *window = make_window(), *other = make_window();
	char *region = VirtualAlloc(NULL, WINDOW, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	ULONG_PTR twice[3] = { frames[2], frames[3], frames[2] };
	ULONG_PTR unknown[2] = { frames[2], (ULONG_PTR)-1 };
	ULONG_PTR none[2] = { frames[2], 0 };

	MapUserPhysicalPages(window, 2, frames);
	window[0] = 'x';
	ok_error(!MapUserPhysicalPages(other, 2, frames + 1), ERROR_INVALID_PARAMETER,
		 "a page that is mapped in another window");
	ok_error(!MapUserPhysicalPages(window + 4 * PAGE, 1, frames), ERROR_INVALID_PARAMETER,
		 "or elsewhere in this one");
	ok_error(!MapUserPhysicalPages(other, 3, twice), ERROR_INVALID_PARAMETER,
		 "a page that is named twice");
	ok_error(!MapUserPhysicalPages(other, 2, unknown), ERROR_INVALID_PARAMETER,
		 "a page that nobody has");
	ok_error(!MapUserPhysicalPages(other, 2, none), ERROR_INVALID_PARAMETER, "page 0");
	ok_error(!MapUserPhysicalPages(window + WINDOW - PAGE, 2, frames + 2),
		 ERROR_INVALID_PARAMETER, "past the window's end");
	ok_error(!MapUserPhysicalPages(region, 1, frames + 2), ERROR_INVALID_PARAMETER,
		 "a region that is no window");
	ok_error(!MapUserPhysicalPages(region, 1, NULL), ERROR_INVALID_PARAMETER,
		 "and nothing to unmap there");
	ok_error(!MapUserPhysicalPages(NULL, 1, frames + 2), ERROR_INVALID_PARAMETER, "nowhere");
	ok(window[0] == 'x' && query(window).RegionSize == 2 * PAGE, "all is as before");
	ok(query(other).State == MEM_RESERVE && query(other).RegionSize == WINDOW,
	   "in both windows");
	ok(MapUserPhysicalPages(window, 0, frames), "no pages at all");
	release(other);
	release(window);
	release(region);
}

/* What may be done with ordinary regions only. */
static void test_not_ordinary(void)
{
	char *window = make_window();
	DWORD old;

	MapUserPhysicalPages(window, 2, frames);
	window[0] = 'x';
	ok_error(!VirtualProtect(window, PAGE, PAGE_READONLY, &old), ERROR_INVALID_PARAMETER,
		 "page protection is limited to read/write");
	ok_error(!VirtualAlloc(window + 2 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE),
		 ERROR_INVALID_PARAMETER, "nothing is committed");
	ok_error(!VirtualFree(window, PAGE, MEM_DECOMMIT), ERROR_INVALID_ADDRESS,
		 "nor decommitted");
	ok_error(!VirtualFree(window, PAGE, MEM_RELEASE), ERROR_INVALID_PARAMETER,
		 "nor released in part");
	ok(window[0] == 'x' && query(window).RegionSize == 2 * PAGE, "all is as before");
	release(window);
}

static void test_scatter(void)
{
	char *window = make_window(), *other = make_window();
	PVOID places[4] = { window + 9 * PAGE, other + 3 * PAGE, window + 5 * PAGE,
			    window + 6 * PAGE };
	PVOID twice[2] = { window + 20 * PAGE, window + 20 * PAGE + 5 };
	PVOID outside[2] = { window + 20 * PAGE, &places };

	ok(MapUserPhysicalPagesScatter(places, 4, frames), "MapUserPhysicalPagesScatter");
	for (int i = 0; i < 4; i++)
		*(char *)places[i] = (char)('0' + i);
	expect(window + 5 * PAGE, window, 2 * PAGE, MEM_COMMIT, "two side by side");
	expect(other + 3 * PAGE, other, PAGE, MEM_COMMIT, "one in another window");
	ok_error(!MapUserPhysicalPagesScatter(twice, 2, frames + 4), ERROR_INVALID_PARAMETER,
		 "a place named twice");
	ok_error(!MapUserPhysicalPagesScatter(outside, 2, frames + 4), ERROR_INVALID_PARAMETER,
		 "a place that is no window's");
	ok(query(window + 20 * PAGE).State == MEM_RESERVE, "nothing is mapped");
	ok(MapUserPhysicalPagesScatter(places, 3, NULL), "three are unmapped");
	ok(query(window + 5 * PAGE).State == MEM_RESERVE &&
		   query(other + 3 * PAGE).State == MEM_RESERVE &&
		   query(window + 6 * PAGE).State == MEM_COMMIT,
	   "and one is not");
	ok(MapUserPhysicalPages(window, 3, frames), "mapped side by side");
	ok(window[0] == '0' && window[PAGE] == '1' && window[2 * PAGE] == '2', "the contents");
	release(other);
	release(window);
}

static void test_free(void)
{
	char *window = make_window();
	ULONG_PTR count = 4, numbers[4], again;

	AllocateUserPhysicalPages(self, &count, numbers);
	MapUserPhysicalPages(window, 4, numbers);
	memset(window, 'x', 4 * PAGE);
	count = 2;
	ok(FreeUserPhysicalPages(self, &count, numbers) && count == 2, "mapped pages are freed");
	ok(query(window).State == MEM_RESERVE && query(window).RegionSize == 2 * PAGE,
	   "and unmapped");
	ok(window[2 * PAGE] == 'x', "the others stay");
	count = 1;
	ok_error(!FreeUserPhysicalPages(self, &count, numbers), ERROR_INVALID_PARAMETER,
		 "what is free already");
	ok_equal(count, 0, "none was freed");
	again = numbers[0];
	numbers[0] = numbers[2];
	numbers[1] = again;
	count = 3;
	ok_error(!FreeUserPhysicalPages(self, &count, numbers), ERROR_INVALID_PARAMETER,
		 "one of three is not held");
	ok_equal(count, 1, "those before it were freed");
	ok_error(!MapUserPhysicalPages(window, 1, &again), ERROR_INVALID_PARAMETER,
		 "a freed page is not mapped");
	count = 1;
	ok(FreeUserPhysicalPages(self, &count, &numbers[3]), "the last one");
	count = 1;
	AllocateUserPhysicalPages(self, &count, numbers);
	MapUserPhysicalPages(window, 1, numbers);
	ok(window[0] == 0, "a page that was freed is zero when it comes back");
	FreeUserPhysicalPages(self, &count, numbers);
	release(window);
}

static void test_allocate_arguments(void)
{
	ULONG_PTR count = 0, number = UNTOUCHED;
	HANDLE asking = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, GetCurrentProcessId());

	ok(AllocateUserPhysicalPages(self, &count, &number) && count == 0 && number == UNTOUCHED,
	   "no pages");
	count = 1;
	ok_error(!AllocateUserPhysicalPages(asking, &count, &number), ERROR_ACCESS_DENIED,
		 "a handle that does not allow it");
	ok_error(!AllocateUserPhysicalPagesNuma(self, &count, &number, 4711),
		 ERROR_INVALID_PARAMETER, "a node that does not exist");
	ok(AllocateUserPhysicalPagesNuma(self, &count, &number, 0) && count == 1, "node 0");
	ok_error(!FreeUserPhysicalPages(asking, &count, &number), ERROR_ACCESS_DENIED,
		 "given back with that handle");
	count = 1;
	ok(FreeUserPhysicalPages(self, &count, &number), "given back");
	CloseHandle(asking);
}

/* Three chunks of the store and a bit: pages that are not neighbours there. */
static void test_many(void)
{
	static ULONG_PTR many[40000];
	ULONG_PTR count = COUNT(many);
	char *window = VirtualAlloc(NULL, COUNT(many) * PAGE, WINDOW_TYPE, PAGE_READWRITE);
	BOOL is_right = TRUE;

	if (!AllocateUserPhysicalPages(self, &count, many) || count < COUNT(many)) {
		skip_absent("so much free memory");
		FreeUserPhysicalPages(self, &count, many);
		release(window);
		return;
	}
	ok(MapUserPhysicalPages(window, count, many), "many pages at once");
	for (size_t i = 0; i < count; i++)
		*(size_t *)(window + i * PAGE) = i;
	MapUserPhysicalPages(window, count, NULL);
	for (size_t i = 0; i < count / 2; i++) {
		ULONG_PTR number = many[i];

		many[i] = many[count - 1 - i];
		many[count - 1 - i] = number;
	}
	ok(MapUserPhysicalPages(window, 1000, many), "the last ones, backwards");
	for (size_t i = 0; i < 1000; i++)
		is_right = is_right && *(size_t *)(window + i * PAGE) == count - 1 - i;
	ok(is_right, "each is in its place");
	ok(FreeUserPhysicalPages(self, &count, many) && count == COUNT(many), "all given back");
	ok(query(window).RegionSize == COUNT(many) * PAGE, "all unmapped");
	release(window);
}

#ifndef _WIN32
/* A child has the addresses, and none of the pages. */
static void test_fork(void)
{
	char *window = make_window();
	int status = -1;
	pid_t child;

	MapUserPhysicalPages(window, 2, frames);
	window[0] = 'x';
	child = fork();
	if (child == 0) {
		ULONG_PTR count = 1, number;
		BOOL is_right = query(window).State == MEM_RESERVE &&
				!MapUserPhysicalPages(window, 1, frames) &&
				AllocateUserPhysicalPages(self, &count, &number) &&
				MapUserPhysicalPages(window, 1, &number) && window[0] == 0;

		window[0] = 'y';
		_exit(is_right && FreeUserPhysicalPages(self, &count, &number) ? 0 : 1);
	}
	waitpid(child, &status, 0);
	ok_equal(status, 0, "a child begins with empty windows");
	ok(window[0] == 'x' && query(window).State == MEM_COMMIT, "the parent's are as before");
	release(window);
}
#else
static void test_fork(void)
{
}
#endif

int main(void)
{
	ULONG_PTR count = COUNT_TAKEN;

	test_window_arguments();
	if (!AllocateUserPhysicalPages(self, &count, frames)) {
		test_without();
		return tap_done();
	}
	test_example();
	test_query();
	test_several_windows();
	test_overwrite();
	test_refusals();
	test_not_ordinary();
	test_scatter();
	test_free();
	test_allocate_arguments();
	test_many();
	test_fork();
	ok(FreeUserPhysicalPages(self, &count, frames) && count == COUNT_TAKEN, "the end");
	return tap_done();
}
