/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Each function of the contract with the machine (os.h, os_watch.h), refused by the system in a
 * call that needs it, each of its calls in turn. The call fails with the documented error, and the
 * system's mappings, VirtualQuery's answers, core's totals, locks, contents and events are as
 * before; or it comes to all that it would have come to. Linked with os_fake.c; each refusal is in
 * a process of its own, for what is done only once. */

#include "core/os/os_fake.h"

#include <errno.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/heap/heap.h"
#include "core/os/os_watch.h"
#include "core/os/pager.h"
#include "core/vm/advise.h"
#include "core/vm/lockpages.h"
#include "core/vm/numa.h"
#include "core/vm/posix.h"
#include "core/vm/working_set.h"
#include "core/vm/writewatch.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/vm/replay.h"
#include "tests/unit/core/vm/snapshot.h"
#include "tests/unit/core/vm/window.h"

#define CALLS_MAX 100

/* --- What the rows do: an error (NTSTATUS or -errno), or at least 0 -------------------------- */

static long commit(void)
{
	return allocate(2, 20, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
}

static long protect(void)
{
	return change(6, 4, PAGE_NOACCESS);
}

static long offer(void)
{
	return advise_offer(window + 4 * PAGE, 4 * PAGE, VmOfferPriorityLow, &request);
}

/* What was offered counts as lost when the system has taken it; a discard that was refused has not
 * made it less. */
static long discard_offered(void)
{
	long status = discard_pages();
	bool is_intact = true;

	if (status >= 0)
		return status;
	os_advise(window + 4 * PAGE, 4 * PAGE, MADV_DONTNEED);
	advise_reclaim(window + 4 * PAGE, 4 * PAGE, &is_intact, &request);
	memset(window + 4 * PAGE, 'x', 4 * PAGE);
	return is_intact ? 0 : status;
}

static void prepare_offer(void)
{
	offer();
}

static long prefetch(void)
{
	return advise_prefetch(window + 4 * PAGE, 4 * PAGE);
}

static long protect_part(void)
{
	return posix_mprotect(window + 30 * PAGE, 4 * PAGE, PROT_READ, API_mprotect);
}

static bool is_first_page_protected(void)
{
	return replay.state[30] == (MEM_COMMIT | PAGE_READONLY) &&
	       replay.state[31] == MEM_RESERVE &&
	       replay.state[32] == (MEM_COMMIT | PAGE_READWRITE) && os_can_read(window + 30 * PAGE);
}

static long drop_part(void)
{
	return posix_advise(window + 32 * PAGE, 2 * PAGE, MADV_DONTNEED, API_madvise);
}

static long move(void)
{
	return posix_mremap(window + 32 * PAGE, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			    window + 10 * PAGE, API_mremap);
}

static char *old_break;

static void prepare_break(void)
{
	old_break = (char *)posix_brk(NULL, API_brk);
}

static long grow_break(void)
{
	char *wanted = old_break + 10 * PAGE;

	return (char *)posix_brk(wanted, API_brk) == wanted ? 0 : -ENOMEM;
}

static void undo_break(void)
{
	posix_brk(old_break, API_brk);
}

static int segment;

/* It is gone with the last process that has it, and can be attached until then. */
static void make_segment(void)
{
	segment = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600);
	ok(segment >= 0 && shmat(segment, NULL, 0) != (void *)-1, "a shared segment");
	shmctl(segment, IPC_RMID, NULL);
}

static long attach(void)
{
	return posix_shmat(segment, window + 48 * PAGE, 0, API_shmat);
}

static long detach(void)
{
	return posix_shmdt(window + 48 * PAGE, API_shmdt);
}

static void prepare_detach(void)
{
	attach();
}

static void undo_attach(void)
{
	detach();
}

static long lock_pages(void)
{
	void *base = window + 4 * PAGE;
	size_t size_bytes = 6 * PAGE;

	return lockpages_lock(&base, &size_bytes);
}

static long unlock_pages(void)
{
	void *base = window + 4 * PAGE;
	size_t size_bytes = 6 * PAGE;

	return lockpages_unlock(&base, &size_bytes);
}

static void prepare_lock(void)
{
	lock_pages();
}

static char folder[] = "/tmp/vadtrace-refusals-XXXXXX";
static const char *const folders[] = { "/sys", "/sys/devices", "/sys/devices/system",
				       "/sys/devices/system/node" };

/* A machine of two nodes, for as long as its nodes are looked for. */
static void prepare_nodes(void)
{
	char path[256];
	FILE *file;

	if (!mkdtemp(folder))
		return;
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s%s", folder, folders[i]);
		mkdir(path, 0700);
	}
	snprintf(path, sizeof path, "%s%s/online", folder, folders[3]);
	file = fopen(path, "w");
	if (file && fputs("0-1\n", file) >= 0)
		fclose(file);
	os_fake_root(folder);
	numa_nodes();
	os_fake_root(NULL);
	unlink(path);
	for (int i = 4; i-- > 0;) {
		snprintf(path, sizeof path, "%s%s", folder, folders[i]);
		rmdir(path);
	}
	rmdir(folder);
}

static long reserve_on_node(void)
{
	const struct vm_request node = { .node = 2 };
	void *base = window + 48 * PAGE;
	size_t size_bytes = 8 * PAGE;

	return vm_allocate(&base, &size_bytes, MEM_RESERVE, PAGE_READWRITE, &node);
}

/* An answer that the system does not give is not made up for ever. */
static long count_nodes(void)
{
	uint64_t hasty = numa_nodes();

	return hasty != 0 && numa_nodes() != 0 ? 0 : -1;
}

static long query_page(void)
{
	PSAPI_WORKING_SET_EX_INFORMATION page = { .VirtualAddress = window + 5 * PAGE };
	NTSTATUS status = working_set_query(&page, 1);

	if (status_is_success(status) && !page.VirtualAttributes.Valid)
		return -1;
	return status;
}

static long query_foreign(void)
{
	MEMORY_BASIC_INFORMATION info;
	NTSTATUS status = vm_query((const void *)query_foreign, &info);

	if (status_is_success(status) && info.State != MEM_COMMIT)
		return -1;
	return status;
}

static long compare_all(void)
{
	return posix_take_in_maps();
}

static long tell_memory(void)
{
	MEMORYSTATUSEX memory = { .dwLength = sizeof memory };

	return GlobalMemoryStatusEx(&memory) ? 0 : -(long)GetLastError();
}

static long guard(void)
{
	return allocate(16, 1, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
}

static LONG pass_on(EXCEPTION_POINTERS *pointers)
{
	(void)pointers;
	return EXCEPTION_CONTINUE_SEARCH;
}

static long handle(void)
{
	return AddVectoredExceptionHandler(0, pass_on) ? 0 : -(long)GetLastError();
}

static long reserve_watched(void)
{
	return allocate(48, 8, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE);
}

static void prepare_watched(void)
{
	reserve_watched();
	window[50 * PAGE] = 1;
}

static long list_written(void)
{
	void *pages[8];
	size_t count = 8;
	NTSTATUS status =
		vm_get_write_watch(window + 48 * PAGE, 8 * PAGE, /* resets */ false, pages, &count);

	if (status_is_success(status) && (count != 1 || pages[0] != window + 50 * PAGE))
		return -1;
	return status;
}

/* More than what malloc keeps for itself. */
static void *large_block;

static long allocate_block(void)
{
	large_block = heap_malloc(9000000);
	return large_block ? 0 : -ENOMEM;
}

static void free_block(void)
{
	heap_free(large_block);
	large_block = NULL;
}

/* Its words are nobody's business here. */
static void prepare_silence(void)
{
	close(STDERR_FILENO);
}

static long break_invariant(void)
{
	check_fail("an invariant that a test breaks");
}

static void prepare_guard(void)
{
	signal(SIGSEGV, SIG_DFL);
	guard();
}

static long touch_reserved(void)
{
	return *(volatile char *)(window + 20 * PAGE);
}

/* --- The rows -------------------------------------------------------------------------------- */

#define IS_FIRST 1     /* what is done once in a process: nobody has called it before */
#define LEAVES_OTHER 2 /* comes to the same for the window's owner, but not for the system */
#define IS_PARTIAL 4   /* the system has done the first page, and the record says so */

struct row {
	enum os_fake_call call;
	int error; /* the system's */
	const char *name;
	long (*operate)(void);
	long refused; /* what a refused call answers; 0: it comes to all the same */
	void (*prepare)(void);
	void (*undo)(void); /* what clear_window does not */
	unsigned flags;
	int ends_by; /* the signal that ends the process, refused or not */
};

#define ROW(function, answer, what, operation, expected, ...)                  \
	{                                                                      \
		.call = OS_FAKE_##function, .error = (answer), .name = (what), \
		.operate = (operation), .refused = (expected), __VA_ARGS__     \
	}
static const struct row rows[] = {
	ROW(map, -ENOMEM, "reserve", reserve, STATUS_NO_MEMORY),
	ROW(map, -EAGAIN, "reserve", reserve, STATUS_NO_MEMORY),
	ROW(map, -EPERM, "reserve", reserve, STATUS_CONFLICTING_ADDRESSES),
	ROW(map, -ENOMEM, "decommit", decommit, STATUS_NO_MEMORY),
	ROW(map, -ENOMEM, "mmap over others", map_over, -ENOMEM),
	ROW(map, -EAGAIN, "mmap over others", map_over, -EAGAIN),
	ROW(map, -EPERM, "mmap over others", map_over, -EPERM),
	ROW(map, -ENOMEM, "malloc", allocate_block, 0, .undo = free_block, .flags = IS_FIRST),
	ROW(unmap, -ENOMEM, "munmap", unmap_part, -ENOMEM),
	ROW(unmap, -EINVAL, "munmap", unmap_part, -EINVAL),
	ROW(unmap, -ENOMEM, "release", release, 0, .flags = LEAVES_OTHER),
	ROW(protect, -ENOMEM, "commit", commit, STATUS_COMMITMENT_LIMIT),
	ROW(protect, -EACCES, "commit", commit, STATUS_ACCESS_DENIED),
	ROW(protect, -ENOMEM, "protect", protect, STATUS_NO_MEMORY),
	ROW(protect, -EPERM, "protect", protect, STATUS_ACCESS_DENIED),
	ROW(protect, -ENOMEM, "mprotect", protect_one, -ENOMEM),
	ROW(protect, -EACCES, "mprotect", protect_one, -EACCES),
	ROW(protect, -ENOMEM, "mprotect of several", protect_part, -ENOMEM, .flags = IS_PARTIAL),
	ROW(advise, -EAGAIN, "reset", reset_pages, 0),
	ROW(advise, -EAGAIN, "discard", discard_pages, STATUS_NO_MEMORY),
	ROW(advise, -EAGAIN, "discard of offered pages", discard_offered, STATUS_NO_MEMORY,
	    .prepare = prepare_offer),
	ROW(advise, -EAGAIN, "offer", offer, 0),
	ROW(advise, -EBADF, "prefetch", prefetch, 0),
	ROW(advise, -EAGAIN, "madvise", drop_part, -EAGAIN),
	ROW(remap, -ENOMEM, "mremap to an address", move, -ENOMEM),
	ROW(remap, -EAGAIN, "mremap to a smaller size", shrink, -EAGAIN),
	ROW(break, -ENOMEM, "brk", grow_break, -ENOMEM, .prepare = prepare_break,
	    .undo = undo_break),
	ROW(shm_attach, -ENOMEM, "shmat", attach, -ENOMEM, .undo = undo_attach),
	ROW(shm_detach, -EINVAL, "shmdt", detach, -EINVAL, .prepare = prepare_detach),
	ROW(lock_pages, -ENOMEM, "VirtualLock", lock_pages, STATUS_WORKING_SET_QUOTA),
	ROW(lock_pages, -EPERM, "VirtualLock", lock_pages, STATUS_WORKING_SET_QUOTA),
	ROW(unlock_pages, -ENOMEM, "VirtualUnlock", unlock_pages, STATUS_NO_MEMORY,
	    .prepare = prepare_lock),
	ROW(sync_pages, -EINVAL, "VirtualUnlock", unlock_pages, STATUS_NOT_LOCKED,
	    .prepare = prepare_lock),
	ROW(prefer_nodes, -EPERM, "VirtualAllocExNuma", reserve_on_node, 0,
	    .prepare = prepare_nodes, .flags = IS_FIRST),
	ROW(node_of_page, -ENOMEM, "QueryWorkingSetEx", query_page, 0),
	ROW(signal_action, -EPERM, "a guard page", guard, STATUS_ACCESS_DENIED, .flags = IS_FIRST),
	ROW(signal_action, -EPERM, "AddVectoredExceptionHandler", handle,
	    -(long)ERROR_ACCESS_DENIED, .flags = IS_FIRST),
	ROW(signal_raise, -EPERM, "the end by a fault", touch_reserved, 0, .prepare = prepare_guard,
	    .flags = IS_FIRST, .ends_by = SIGSEGV),
	ROW(open, -EMFILE, "QueryWorkingSetEx", query_page, STATUS_TOO_MANY_OPENED_FILES),
	ROW(open, -ENOMEM, "VirtualQuery of others' memory", query_foreign, STATUS_NO_MEMORY),
	ROW(open, -EMFILE, "taking in all mappings", compare_all, -EMFILE),
	ROW(open, -EMFILE, "GlobalMemoryStatusEx", tell_memory, -(long)ERROR_TOO_MANY_OPEN_FILES),
	ROW(open, -ENOMEM, "the number of nodes", count_nodes, 0, .flags = IS_FIRST),
	ROW(open, -EMFILE, "offer", offer, 0, .flags = LEAVES_OTHER),
	ROW(read, -ENOMEM, "VirtualQuery of others' memory", query_foreign, STATUS_NO_MEMORY),
	ROW(read, -ENOMEM, "taking in all mappings", compare_all, -ENOMEM),
	ROW(read, -EINTR, "taking in all mappings", compare_all, 0),
	ROW(read, -ENOMEM, "GlobalMemoryStatusEx", tell_memory, -(long)ERROR_NOT_ENOUGH_MEMORY),
	ROW(read_at, -ENOMEM, "QueryWorkingSetEx", query_page, STATUS_NO_MEMORY),
	ROW(read_at, -ENOMEM, "offer", offer, 0),
	ROW(write, -ENOSPC, "the end by a broken invariant", break_invariant, 0,
	    .prepare = prepare_silence, .flags = IS_FIRST, .ends_by = SIGABRT),
	ROW(close, -EIO, "QueryWorkingSetEx", query_page, 0),
	ROW(close, -EIO, "taking in all mappings", compare_all, 0),
	ROW(watch_open, -EMFILE, "a watched region", reserve_watched, 0, .flags = IS_FIRST),
	ROW(watch_open, -EPERM, "a watched region", reserve_watched, 0, .flags = IS_FIRST),
	ROW(watch_register, -ENOMEM, "a watched region", reserve_watched, STATUS_NO_MEMORY),
	ROW(written_open, -EMFILE, "GetWriteWatch", list_written, STATUS_TOO_MANY_OPENED_FILES,
	    .prepare = prepare_watched),
	ROW(written_scan, -ENOMEM, "GetWriteWatch", list_written, STATUS_NO_MEMORY,
	    .prepare = prepare_watched),
};

/* Where the system has no account of written pages, nothing is asked of it. */
static bool is_of_watch(enum os_fake_call call)
{
	return call == OS_FAKE_watch_open || call == OS_FAKE_watch_register ||
	       call == OS_FAKE_written_open || call == OS_FAKE_written_scan;
}

/* --- One refusal ----------------------------------------------------------------------------- */

enum verdict { CAME_TO_ALL, FAILED, WRONG };

static struct snapshot before, after, now;

/* The window's pages: what is locked, what the events say, the contents of what can be read. */
static void add_pages(struct snapshot *snapshot)
{
	snapshot_add(snapshot, "impossible events: %d\n", replay.impossible);
	for (int page = 0; page < PAGES; page++) {
		const char *at = window + page * (long)PAGE;

		snapshot_add(snapshot, "page %d: event %x", page, replay.state[page]);
		if (pager_prot_of_state(replay.state[page]) & PROT_READ)
			snapshot_add(snapshot, " locked %d contents %x",
				     lockpages_is_locked((uintptr_t)at), at[1]);
		snapshot_add(snapshot, "\n");
	}
}

static const char *pages_of(const struct snapshot *snapshot)
{
	return strstr(snapshot->text, "impossible events");
}

static void look(struct snapshot *snapshot)
{
	os_fake_fail(0, 0);
	snapshot_take(snapshot);
	add_pages(snapshot);
	vm_check();
}

static void begin(const struct row *row)
{
	lay_out_window();
	if (row->prepare)
		row->prepare();
}

/* What it comes to when nothing is refused. */
static bool rehearse(const struct row *row)
{
	bool is_success;

	begin(row);
	is_success = row->operate() >= 0;
	look(&after);
	if (row->undo)
		row->undo();
	clear_window();
	return is_success;
}

static enum verdict judge(const struct row *row, int number)
{
	long got;
	int refusals;

	if (!(row->flags & IS_FIRST) && !rehearse(row))
		return WRONG;
	begin(row);
	look(&before);
	refusals = os_fake_refusals(row->call);
	os_fake_fail_one(row->call, number, row->error);
	got = row->operate();
	look(&now);
	if (got < 0 && (os_fake_refusals(row->call) == refusals || got != row->refused)) {
		printf("# answered %lx\n", got);
		return WRONG;
	}
	if (got < 0 && row->flags & IS_PARTIAL)
		return is_first_page_protected() ? FAILED : WRONG;
	if (got < 0)
		return snapshot_is_same(&before, &now) ? FAILED : WRONG;
	if (row->flags & IS_FIRST)
		return CAME_TO_ALL;
	if (row->flags & LEAVES_OTHER)
		return strcmp(pages_of(&after), pages_of(&now)) == 0 ? CAME_TO_ALL : WRONG;
	return snapshot_is_same(&after, &now) ? CAME_TO_ALL : WRONG;
}

/* In a process of its own, which the signal of the row ends, if it has one. */
static enum verdict judge_in_child(const struct row *row, int number)
{
	pid_t child;
	int status = 0;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		enum verdict verdict = judge(row, number);

		fflush(stdout);
		_exit((int)verdict);
	}
	waitpid(child, &status, 0);
	if (row->ends_by)
		return WIFSIGNALED(status) && WTERMSIG(status) == row->ends_by ? CAME_TO_ALL
									       : WRONG;
	return WIFEXITED(status) ? (enum verdict)WEXITSTATUS(status) : WRONG;
}

/* The first call refused, then the second, until there are no more. */
static void test_row(size_t number_of_row)
{
	const struct row *row = &rows[number_of_row];
	int verdicts[WRONG + 1] = { 0 }, refusals, call;

	for (call = 1; call < CALLS_MAX; call++) {
		refusals = os_fake_refusals(row->call);
		verdicts[judge_in_child(row, call)]++;
		if (os_fake_refusals(row->call) == refusals)
			break;
	}
	if (call == 1 && is_of_watch(row->call)) {
		printf("ok %d - # SKIP the system has no account of written pages\n", ++tap_count);
		return;
	}
	ok(call > 1 && call < CALLS_MAX && !verdicts[WRONG] && !verdicts[FAILED] == !row->refused,
	   "row %zu: %s, %d refusals with %d, %d of them fail", number_of_row, row->name, call - 1,
	   row->error, verdicts[FAILED]);
}

static bool has_row(enum os_fake_call call)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].call == call)
			return true;
	}
	return false;
}

static void test_all_have_rows(void)
{
#define HAS_ROW(name) ok(has_row(OS_FAKE_##name), "os_" #name " has a row");
	OS_FAKE_MEMORY_CALLS(HAS_ROW)
#undef HAS_ROW
}

int main(void)
{
	os_fake_share();
	window = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)window, PAGES);
	posix_take_in_maps();
	make_segment();
	lay_out_window();
	clear_window();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		test_row(i);
	test_all_have_rows();
	return tap_done();
}
