/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* POSIX calls and VirtualAlloc's in one window of the address space, one after the other. After
 * each step four accounts of every page are the same: the system's (/proc/self/smaps), the tree's,
 * that of a reader of the events, and VirtualQuery's; so are the totals, what QueryWorkingSetEx
 * says is in memory and what VirtualLock says is locked. First steps whose outcome is known, then
 * random ones. */

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/os/pager.h"
#include "core/vm/charge.h"
#include "core/vm/lockpages.h"
#include "core/vm/posix.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"
#include "core/vm/working_set.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"
#include "tests/unit/core/vm/replay.h"

#define PAGES 64
#define PAGE OS_PAGE_SIZE
#define STEPS 1000

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define MOVES (MREMAP_MAYMOVE | MREMAP_FIXED)

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static const struct vm_request request = { .api = API_VirtualAlloc };
static struct charge others; /* totals of what is not in the window */
static char *window;
static int file, zeros; /* of its own, and /dev/zero */

static char *page_at(uint64_t page)
{
	return window + page * PAGE;
}

/* --- What the system says -------------------------------------------------------------------- */

struct system_page {
	bool is_mapped, is_shared, is_file;
	int prot;
	bool is_locked;
	char flags[128]; /* of its mapping: " rd wr mr mw me ac " */
};

static struct {
	struct system_page pages[PAGES];
	/* Of mappings in the window; what may not be accessed is reserved, for core. */
	uint64_t resident_kib, accessible_kib, dirty_kib, swapped_kib;
} system_says;

/* The pages of the window that a mapping has; none: *first == *end. */
static void pages_of(uintptr_t base, uintptr_t end, uint64_t *first, uint64_t *last)
{
	uintptr_t low = (uintptr_t)window, high = (uintptr_t)page_at(PAGES);

	base = base > low ? base : low;
	end = end < high ? end : high;
	*first = base < end ? (base - low) / PAGE : 0;
	*last = base < end ? (end - low) / PAGE : 0;
}

static void read_first_line(const struct system_page *page, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		system_says.pages[i] = *page;
}

static void read_field(const char *line, uint64_t first, uint64_t end)
{
	unsigned long kib = 0;

	if (sscanf(line, "Rss: %lu", &kib) == 1) {
		system_says.resident_kib += kib;
		system_says.accessible_kib += system_says.pages[first].prot ? kib : 0;
	} else if (sscanf(line, "Private_Dirty: %lu", &kib) == 1)
		system_says.dirty_kib += kib;
	else if (sscanf(line, "Swap: %lu", &kib) == 1)
		system_says.swapped_kib += kib;
	if (strncmp(line, "VmFlags:", 8) != 0)
		return;
	for (uint64_t i = first; i < end; i++) {
		struct system_page *page = &system_says.pages[i];

		snprintf(page->flags, sizeof page->flags, "%.*s ", (int)strcspn(line + 8, "\n"),
			 line + 8);
		page->is_locked = strstr(page->flags, " lo ") != NULL;
	}
}

static bool read_mapping(const char *line, uint64_t *first, uint64_t *end)
{
	unsigned long base, last, inode;
	char mode[5];
	struct system_page page = { .is_mapped = true };

	if (sscanf(line, "%lx-%lx %4s %*s %*s %lu", &base, &last, mode, &inode) != 4)
		return false;
	page.prot = (mode[0] == 'r' ? PROT_READ : 0) | (mode[1] == 'w' ? PROT_WRITE : 0) |
		    (mode[2] == 'x' ? PROT_EXEC : 0);
	page.is_shared = mode[3] == 's';
	page.is_file = inode != 0;
	pages_of(base, last, first, end);
	read_first_line(&page, *first, *end);
	return true;
}

/* Mappings lie in the window or outside of it: nobody else has any beside it. */
static void ask_system(void)
{
	FILE *list = fopen("/proc/self/smaps", "re");
	uint64_t first = 0, end = 0;
	char line[512];

	memset(&system_says, 0, sizeof system_says);
	while (list && fgets(line, sizeof line, list)) {
		if (!read_mapping(line, &first, &end) && first < end)
			read_field(line, first, end);
	}
	if (list)
		fclose(list);
}

/* --- What core says -------------------------------------------------------------------------- */

static uint32_t state_in_tree(int page)
{
	const struct vad *vad = vad_find((uintptr_t)page_at((uint64_t)page));

	return vad ? pagestate_run(&vad->pages, (uintptr_t)page_at((uint64_t)page) / PAGE).state
		   : 0;
}

static int difference(int page, const char *what, unsigned long core, unsigned long system)
{
	printf("# page %d, %s: core 0x%lx, system 0x%lx\n", page, what, core, system);
	return 1;
}

static int page_differences(int page)
{
	const struct system_page *system = &system_says.pages[page];
	uint32_t state = state_in_tree(page);
	int prot = pager_prot_of_state(state);

	if ((state != 0) != system->is_mapped)
		return difference(page, "a mapping", state, system->is_mapped);
	if (state && prot != system->prot)
		return difference(page, "protection", (unsigned long)prot,
				  (unsigned long)system->prot);
	if (state != replay.state[page])
		return difference(page, "events", state, replay.state[page]);
	return 0;
}

static int query_differences(int page)
{
	const struct system_page *system = &system_says.pages[page];
	uint32_t state = state_in_tree(page);
	MEMORY_BASIC_INFORMATION info;

	if (vm_query(page_at((uint64_t)page), &info) < 0)
		return difference(page, "no query", 0, 0);
	if ((info.State == MEM_FREE) == system->is_mapped)
		return difference(page, "query", info.State, system->is_mapped);
	if (!system->is_mapped)
		return 0;
	if ((info.Type != MEM_PRIVATE) != (system->is_shared || system->is_file))
		return difference(page, "type", info.Type, system->is_shared);
	if (info.State != (state & MEM_COMMIT ? MEM_COMMIT : MEM_RESERVE))
		return difference(page, "committed", info.State, state);
	if (lockpages_is_locked((uintptr_t)page_at((uint64_t)page)) != system->is_locked)
		return difference(page, "locked", !system->is_locked, system->is_locked);
	return 0;
}

/* Pages that QueryWorkingSetEx says are in memory; the page of zeros that all share is, too. */
static uint64_t count_resident(void)
{
	PSAPI_WORKING_SET_EX_INFORMATION pages[PAGES];
	uint64_t count = 0;

	for (int i = 0; i < PAGES; i++)
		pages[i].VirtualAddress = page_at((uint64_t)i);
	if (working_set_query(pages, PAGES) < 0)
		return UINT64_MAX;
	for (int i = 0; i < PAGES; i++)
		count += pages[i].VirtualAttributes.Valid;
	return count;
}

/* Committed bytes of the protections that are one for the system. */
static uint64_t bytes_in_totals(const struct charge *totals, int prot)
{
	uint64_t sum = 0;

	for (int bit = 0; bit < CHARGE_PROTECTIONS; bit++) {
		if (pager_prot_of_state(MEM_COMMIT | 1u << bit) == prot)
			sum += totals->protected_bytes[bit] - others.protected_bytes[bit];
	}
	return sum;
}

static int totals_differences(void)
{
	uint64_t pages[8] = { 0 }, all = 0;
	struct charge totals;
	int count = 0;

	charge_read(&totals);
	for (int i = 0; i < PAGES; i++) {
		all += system_says.pages[i].is_mapped;
		if (system_says.pages[i].is_mapped)
			pages[system_says.pages[i].prot]++;
	}
	for (int prot = 1; prot < 8; prot++) {
		if (bytes_in_totals(&totals, prot) != pages[prot] * PAGE)
			count += difference(prot, "bytes of this protection",
					    bytes_in_totals(&totals, prot), pages[prot] * PAGE);
	}
	if (totals.reserved_bytes - others.reserved_bytes != all * PAGE)
		count += difference(PAGES, "all addresses",
				    totals.reserved_bytes - others.reserved_bytes, all * PAGE);
	return count;
}

/* Pages may leave memory for the system's own reasons, and are counted as swapped then. One that
 * it is moving at the moment is nowhere for QueryWorkingSetEx, and back at once. */
static int resident_differences(void)
{
	uint64_t counted = 0, resident = 0;

	for (int i = 0; i < 100; i++) {
		counted = count_resident();
		resident = system_says.accessible_kib * 1024 / PAGE;
		if (counted != UINT64_MAX && (counted >= resident || system_says.swapped_kib))
			return 0;
		ask_system();
	}
	return difference(PAGES, "in memory", counted, resident);
}

static int differences(void)
{
	int count = 0;

	ask_system();
	lock_acquire(&vm_lock);
	vad_check();
	for (int i = 0; i < PAGES; i++)
		count += page_differences(i);
	lock_release(&vm_lock);
	for (int i = 0; i < PAGES; i++)
		count += query_differences(i);
	return count + totals_differences() + resident_differences() + replay.impossible;
}

/* --- Steps ----------------------------------------------------------------------------------- */

/* One call. Pages are numbers in the window. */
struct step {
	enum action {
		MAP, /* argument: prot; flags: MAP_*, MAP_FIXED is added; a file's from page 0 on */
		UNMAP,
		PROTECT, /* argument: prot */
		ADVISE,  /* argument: advice */
		REMAP,   /* argument: new count, flags: MREMAP_*, target */
		RESERVE, /* a region of VirtualAlloc's; argument: more types */
		COMMIT,  /* argument: protection */
		DECOMMIT,
		RELEASE,
		TOUCH, /* writes to each page */
		LOCK,
		UNLOCK,
		ACTIONS
	} action;
	int page, count, argument, flags, target;
};

static long do_virtual(const struct step *step, void *base, size_t size_bytes)
{
	size_t whole = 0;

	switch (step->action) {
	case RESERVE:
		return vm_allocate(&base, &size_bytes, MEM_RESERVE | (uint32_t)step->argument,
				   PAGE_READWRITE, &request);
	case COMMIT:
		return vm_allocate(&base, &size_bytes, MEM_COMMIT, (uint32_t)step->argument,
				   &request);
	case DECOMMIT:
		return vm_free(&base, &size_bytes, MEM_DECOMMIT, &request);
	case RELEASE:
		return vm_free(&base, &whole, MEM_RELEASE, &request);
	case LOCK:
		return lockpages_lock(&base, &size_bytes);
	case UNLOCK:
		return lockpages_unlock(&base, &size_bytes);
	default:
		/* By the system, for which a page behind the end of a file is only an error. */
		return os_read(zeros, base, size_bytes);
	}
}

/* At least 0: done. */
static long do_step(const struct step *step)
{
	void *base = page_at((uint64_t)step->page);
	size_t size_bytes = (size_t)step->count * PAGE;

	switch (step->action) {
	case MAP:
		return posix_mmap(base, size_bytes, step->argument, step->flags | MAP_FIXED,
				  step->flags & MAP_ANONYMOUS ? -1 : file, 0, API_mmap);
	case UNMAP:
		return posix_munmap(base, size_bytes, API_munmap);
	case PROTECT:
		return posix_mprotect(base, size_bytes, step->argument, API_mprotect);
	case ADVISE:
		return posix_advise(base, size_bytes, step->argument, API_madvise);
	case REMAP:
		return posix_mremap(base, size_bytes, (size_t)step->argument * PAGE, step->flags,
				    page_at((uint64_t)step->target), API_mremap);
	default:
		return do_virtual(step, base, size_bytes);
	}
}

#define ANY (-1)

/* In this order. `resident`, `dirty`: pages of the whole window in memory, and of these written by
 * this process alone, or ANY where the system decides. `flag`: a word of VmFlags that the step's
 * first page (or the target's) has then, with '!' has not. An advice that the system does not
 * know is left out, and a lock that it does not grant. */
static const struct {
	const char *name;
	struct step step;
	int resident, dirty;
	const char *flag;
} rows[] = {
	{ "map", { MAP, 0, 16, READ_WRITE, ANONYMOUS, 0 }, 0, 0, "wr" },
	{ "touch", { TOUCH, 0, 16, 0, 0, 0 }, 16, 16, NULL },
	{ "munmap of the middle", { UNMAP, 4, 2, 0, 0, 0 }, 14, 14, NULL },
	{ "munmap of the front and of nothing", { UNMAP, 2, 4, 0, 0, 0 }, 12, 12, NULL },
	{ "munmap where nothing is", { UNMAP, 3, 2, 0, 0, 0 }, 12, 12, NULL },
	{ "protect", { PROTECT, 8, 4, PROT_READ, 0, 0 }, 12, 12, "!wr" },
	{ "no access: the contents stay", { PROTECT, 9, 2, PROT_NONE, 0, 0 }, 12, 12, "!rd" },
	{ "access again", { PROTECT, 8, 4, READ_WRITE, 0, 0 }, 12, 12, "wr" },
	{ "code", { PROTECT, 12, 1, PROT_READ | PROT_EXEC, 0, 0 }, 12, 12, "ex" },
	{ "MADV_DONTNEED", { ADVISE, 6, 4, MADV_DONTNEED, 0, 0 }, 8, 8, NULL },
	{ "MADV_DONTFORK", { ADVISE, 6, 2, MADV_DONTFORK, 0, 0 }, 8, 8, "dc" },
	{ "MADV_DOFORK", { ADVISE, 6, 2, MADV_DOFORK, 0, 0 }, 8, 8, "!dc" },
	{ "MADV_WIPEONFORK", { ADVISE, 6, 2, MADV_WIPEONFORK, 0, 0 }, 8, 8, "wf" },
	{ "MADV_KEEPONFORK", { ADVISE, 6, 2, MADV_KEEPONFORK, 0, 0 }, 8, 8, "!wf" },
	{ "MADV_HUGEPAGE", { ADVISE, 6, 2, MADV_HUGEPAGE, 0, 0 }, 8, 8, "hg" },
	{ "MADV_NOHUGEPAGE", { ADVISE, 6, 2, MADV_NOHUGEPAGE, 0, 0 }, 8, 8, "nh" },
	{ "MADV_DONTDUMP", { ADVISE, 6, 2, MADV_DONTDUMP, 0, 0 }, 8, 8, "dd" },
	{ "MADV_SEQUENTIAL", { ADVISE, 6, 2, MADV_SEQUENTIAL, 0, 0 }, 8, 8, "sr" },
	{ "MADV_POPULATE_WRITE", { ADVISE, 6, 4, MADV_POPULATE_WRITE, 0, 0 }, 12, 12, NULL },
	{ "MADV_COLD", { ADVISE, 6, 4, MADV_COLD, 0, 0 }, ANY, ANY, NULL },
	{ "MADV_PAGEOUT", { ADVISE, 6, 4, MADV_PAGEOUT, 0, 0 }, ANY, ANY, NULL },
	{ "MADV_FREE", { ADVISE, 0, 2, MADV_FREE, 0, 0 }, ANY, ANY, NULL },
	{ "munmap of all", { UNMAP, 0, 16, 0, 0, 0 }, 0, 0, NULL },
	{ "MADV_DONTNEED with a hole", { ADVISE, 0, 16, MADV_DONTNEED, 0, 0 }, 0, 0, NULL },
	{ "populate by reading", { MAP, 0, 4, PROT_READ, ANONYMOUS, 0 }, 0, 0, "!wr" },
	{ "MADV_POPULATE_READ", { ADVISE, 0, 4, MADV_POPULATE_READ, 0, 0 }, 0, 0, NULL },
	{ "end of it", { UNMAP, 0, 4, 0, 0, 0 }, 0, 0, NULL },
	{ "a reservation", { RESERVE, 0, 32, 0, 0, 0 }, 0, 0, "!rd" },
	{ "commit", { COMMIT, 4, 8, PAGE_READWRITE, 0, 0 }, 0, 0, "wr" },
	{ "touch what is committed", { TOUCH, 4, 8, 0, 0, 0 }, 8, 8, NULL },
	{ "commit again", { COMMIT, 8, 8, PAGE_READONLY, 0, 0 }, 8, 8, "!wr" },
	{ "decommit", { DECOMMIT, 6, 4, 0, 0, 0 }, 4, 4, "!rd" },
	{ "VirtualLock", { LOCK, 10, 4, 0, 0, 0 }, ANY, ANY, "lo" },
	{ "VirtualUnlock", { UNLOCK, 10, 4, 0, 0, 0 }, ANY, ANY, "!lo" },
	{ "mprotect of a reservation", { PROTECT, 20, 2, READ_WRITE, 0, 0 }, ANY, ANY, "wr" },
	{ "MAP_FIXED into it", { MAP, 24, 4, READ_WRITE, ANONYMOUS, 0 }, ANY, ANY, "wr" },
	{ "MAP_FIXED across its end", { MAP, 30, 4, PROT_READ, ANONYMOUS, 0 }, ANY, ANY, NULL },
	{ "munmap across its parts", { UNMAP, 3, 24, 0, 0, 0 }, 0, 0, NULL },
	{ "all goes", { UNMAP, 0, PAGES, 0, 0, 0 }, 0, 0, NULL },
	{ "map to move", { MAP, 0, 8, READ_WRITE, ANONYMOUS, 0 }, 0, 0, NULL },
	{ "touch it", { TOUCH, 0, 8, 0, 0, 0 }, 8, 8, NULL },
	{ "mremap: shrink", { REMAP, 0, 8, 6, 0, 0 }, 6, 6, NULL },
	{ "mremap: grow", { REMAP, 0, 6, 10, 0, 0 }, 6, 6, NULL },
	{ "mremap: move", { REMAP, 0, 10, 10, MOVES, 20 }, 6, 6, NULL },
	{ "mremap: move and shrink", { REMAP, 20, 10, 4, MOVES, 40 }, 4, 4, NULL },
	{ "mremap: move and grow", { REMAP, 40, 4, 8, MOVES, 10 }, 4, 4, NULL },
	{ "mremap: a part moves", { REMAP, 12, 2, 2, MOVES, 30 }, 4, 4, NULL },
	{ "mremap over another", { REMAP, 30, 2, 2, MOVES, 10 }, 2, 2, NULL },
	{ "DONTUNMAP", { REMAP, 10, 2, 2, MOVES | MREMAP_DONTUNMAP, 50 }, 2, 2, NULL },
	{ "touch what was left", { TOUCH, 10, 2, 0, 0, 0 }, 4, 4, NULL },
	{ "nothing is left", { UNMAP, 0, PAGES, 0, 0, 0 }, 0, 0, NULL },
	{ "shared", { MAP, 0, 4, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, 0 }, 0, 0, "sh" },
	{ "touch the shared", { TOUCH, 0, 4, 0, 0, 0 }, 4, ANY, NULL },
	{ "old size 0: twice", { REMAP, 0, 0, 4, MOVES, 20 }, ANY, ANY, "sh" },
	{ "DONTUNMAP of shared",
	  { REMAP, 20, 4, 4, MOVES | MREMAP_DONTUNMAP, 40 },
	  ANY,
	  ANY,
	  NULL },
	{ "MADV_REMOVE", { ADVISE, 0, 2, MADV_REMOVE, 0, 0 }, ANY, ANY, NULL },
	{ "a file's, private", { MAP, 8, 4, READ_WRITE, MAP_PRIVATE, 0 }, ANY, ANY, NULL },
	{ "touch its copies", { TOUCH, 8, 4, 0, 0, 0 }, ANY, ANY, NULL },
	{ "MADV_DONTNEED: the file's", { ADVISE, 8, 2, MADV_DONTNEED, 0, 0 }, ANY, ANY, NULL },
	{ "a file's, shared", { MAP, 10, 4, READ_WRITE, MAP_SHARED, 0 }, ANY, ANY, "sh" },
	{ "no access to a file's", { PROTECT, 9, 4, PROT_NONE, 0, 0 }, ANY, ANY, "!rd" },
	{ "access again to a file's", { PROTECT, 8, 6, PROT_READ, 0, 0 }, ANY, ANY, "!wr" },
	{ "the end", { UNMAP, 0, PAGES, 0, 0, 0 }, 0, 0, NULL },
};

static bool has_flag(const char *flag, int page)
{
	bool wants = flag[0] != '!';
	char word[8];

	snprintf(word, sizeof word, " %s ", wants ? flag : flag + 1);
	return (strstr(system_says.pages[page].flags, word) != NULL) == wants;
}

static bool is_expected(size_t row)
{
	uint64_t resident = system_says.resident_kib + system_says.swapped_kib;
	const struct step *step = &rows[row].step;
	bool is_right = true;

	if (rows[row].resident != ANY && resident != (uint64_t)rows[row].resident * PAGE / 1024)
		is_right = !difference(step->page, "KiB in memory", resident,
				       (unsigned long)rows[row].resident * PAGE / 1024);
	if (rows[row].dirty != ANY && system_says.dirty_kib + system_says.swapped_kib !=
					      (uint64_t)rows[row].dirty * PAGE / 1024)
		is_right = !difference(step->page, "KiB written", system_says.dirty_kib,
				       (unsigned long)rows[row].dirty * PAGE / 1024);
	if (rows[row].flag &&
	    !has_flag(rows[row].flag, step->action == REMAP ? step->target : step->page)) {
		printf("# flags %s\n", system_says.pages[step->page].flags);
		is_right = false;
	}
	return is_right;
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		long answer = do_step(&rows[i].step);
		bool is_left_out = (answer == -EINVAL && rows[i].step.action == ADVISE) ||
				   (answer < 0 && rows[i].step.action == LOCK);

		ok_equal(differences(), 0, "row %zu: %s, all accounts are one", i, rows[i].name);
		ok(is_left_out || is_expected(i), "row %zu: %s, as the system does it", i,
		   rows[i].name);
	}
}

/* --- Random steps ---------------------------------------------------------------------------- */

static bool is_writable(int page, int count)
{
	for (int i = page; i < page + count; i++) {
		if (!(pager_prot_of_state(replay.state[i]) & PROT_WRITE))
			return false;
	}
	return true;
}

static const int prots[] = { PROT_NONE, PROT_READ, READ_WRITE, PROT_READ | PROT_EXEC };
static const int kinds[] = { ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED };
static const int advices[] = { MADV_DONTNEED, MADV_FREE,          MADV_REMOVE,   MADV_WILLNEED,
			       MADV_DONTFORK, MADV_WIPEONFORK,    MADV_HUGEPAGE, MADV_COLD,
			       MADV_DOFORK,   MADV_POPULATE_WRITE };
static const int moves[] = { 0, MREMAP_MAYMOVE | MREMAP_FIXED, MOVES | MREMAP_DONTUNMAP };
static const int protects[] = { PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE,
				PAGE_EXECUTE_READWRITE };

#define PICK(table) ((table)[random_below(sizeof(table) / sizeof((table)[0]))])

static struct step make_step(void)
{
	struct step step = { .action = (enum action)random_below(ACTIONS),
			     .page = (int)random_below(PAGES),
			     .target = (int)random_below(PAGES) };

	step.count =
		1 + (int)random_below((uint64_t)(PAGES - step.page < 16 ? PAGES - step.page : 16));
	switch (step.action) {
	case MAP:
		step.argument = PICK(prots);
		step.flags = PICK(kinds);
		break;
	case PROTECT:
		step.argument = PICK(prots);
		break;
	case ADVISE:
		step.argument = PICK(advices);
		break;
	case REMAP:
		step.flags = PICK(moves);
		step.argument = 1 + (int)random_below((uint64_t)(PAGES - (step.flags ? step.target
										     : step.page)));
		step.argument = step.flags & MREMAP_DONTUNMAP ? step.count : step.argument;
		step.count = random_below(8) ? step.count : 0;
		break;
	case RESERVE:
		step.page &= ~15;
		step.argument = random_below(2) ? MEM_COMMIT : 0;
		break;
	default:
		step.argument = PICK(protects);
		break;
	}
	return step;
}

static bool is_left_out(const struct step *step)
{
	bool moves_out = step->action == REMAP && step->flags & MREMAP_DONTUNMAP &&
			 step->target + step->argument > PAGES;

	return moves_out || (step->action == TOUCH && !is_writable(step->page, step->count));
}

static void test_random(void)
{
	int number, wrong = 0;
	struct step step;

	for (number = 0; number < STEPS && !wrong; number++) {
		step = make_step();
		if (is_left_out(&step))
			continue;
		do_step(&step);
		wrong = differences();
	}
	if (wrong)
		printf("# action %d of pages %d+%d, argument %d, flags 0x%x, target %d\n",
		       (int)step.action, step.page, step.count, step.argument, step.flags,
		       step.target);
	ok(!wrong, "all accounts are one after each of %d random steps", number);
	posix_munmap(window, PAGES * PAGE, API_munmap);
}

int main(void)
{
	random_start();
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	file = memfd_create("test", MFD_CLOEXEC);
	ok(ftruncate(file, (off_t)(PAGES * PAGE)) == 0, "a file");
	zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	window = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)window, PAGES);
	charge_read(&others);
	ok_equal(differences(), 0, "an empty window");
	test_rows();
	test_random();
	return tap_done();
}
