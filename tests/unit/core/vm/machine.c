/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* How much memory there is, on machines that are folders of files: with and without control groups
 * of either version. Linked with os_fake.c. */

#include "core/vm/machine.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/core.h"
#include "core/os/os_fake.h"
#include "core/vm/charge.h"
#include "tests/lib/core_fork.h"
#include "tests/lib/tap.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char folder[] = "/tmp/vadtrace-machine-XXXXXX";

#define V1 "/sys/fs/cgroup/memory"
#define V2 "/sys/fs/cgroup"
#define BOTH "/sys/fs/cgroup/unified"

/* 8 GiB, 6 of them available, 2 GiB of swap, 1 free. */
#define MEMINFO                         \
	"MemTotal:        8388608 kB\n" \
	"MemFree:         1048576 kB\n" \
	"MemAvailable:    6291456 kB\n" \
	"SwapCached:            0 kB\n" \
	"SwapTotal:       2097152 kB\n" \
	"SwapFree:        1048576 kB\n" \
	"CommitLimit:     4194304 kB\n" \
	"Committed_AS:    1048576 kB\n" \
	"HugePages_Total:       0\n"    \
	"Hugepagesize:       2048 kB\n"

struct file {
	const char *path;
	const char *text;
};

static const struct {
	const char *what;
	struct file files[8];
	uint64_t total, available, commit_limit, commit_available; /* MiB */
} machines[] = {
	{ "no control groups", { { "/proc/meminfo", MEMINFO } }, 8192, 6144, 10240, 7168 },
	{ "a limit of the system's for commitments",
	  { { "/proc/meminfo", MEMINFO }, { "/proc/sys/vm/overcommit_memory", "2\n" } },
	  8192,
	  6144,
	  4096,
	  3072 },
	{ "v1 without a limit",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "3:cpuset:/\n2:cpu,memory:/user\n1:name=systemd:/\n" },
	    { V1 "/user/memory.limit_in_bytes", "9223372036854771712\n" },
	    { V1 "/user/memory.usage_in_bytes", "1000\n" } },
	  8192,
	  6144,
	  10240,
	  7168 },
	{ "v1, file pages can go",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "2:memory:/user\n" },
	    { V1 "/user/memory.limit_in_bytes", "1073741824\n" },
	    { V1 "/user/memory.usage_in_bytes", "536870912\n" },
	    { V1 "/user/memory.stat",
	      "cache 1\ninactive_file 7\ntotal_inactive_file 268435456\n" } },
	  1024,
	  768,
	  1024 + 2048,
	  768 + 1024 },
	{ "v1, the group above has less, and no swap",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "2:memory:/user/one\n" },
	    { V1 "/user/one/memory.limit_in_bytes", "1073741824\n" },
	    { V1 "/user/memory.limit_in_bytes", "536870912\n" },
	    { V1 "/user/memory.usage_in_bytes", "134217728\n" },
	    { V1 "/user/memory.memsw.limit_in_bytes", "536870912\n" },
	    { V1 "/user/memory.memsw.usage_in_bytes", "134217728\n" } },
	  512,
	  384,
	  512,
	  384 },
	{ "v1, a path that cannot be seen from inside",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "2:memory:/docker/0123\n" },
	    { V1 "/memory.limit_in_bytes", "1073741824\n" },
	    { V1 "/memory.usage_in_bytes", "1073741825\n" } },
	  1024,
	  0,
	  1024 + 2048,
	  1024 },
	{ "v2",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/user.slice/one\n" },
	    { V2 "/user.slice/one/memory.max", "2147483648\n" },
	    { V2 "/user.slice/one/memory.current", "1073741824\n" },
	    { V2 "/user.slice/one/memory.stat", "anon 5\nfile 6\ninactive_file 536870912\n" },
	    { V2 "/user.slice/one/memory.swap.max", "1073741824\n" },
	    { V2 "/user.slice/one/memory.swap.current", "805306368\n" } },
	  2048,
	  1536,
	  3072,
	  1536 + 256 },
	{ "v2 without a limit here, with one above",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/user.slice/one\n" },
	    { V2 "/user.slice/one/memory.max", "max\n" },
	    { V2 "/user.slice/memory.max", "4294967296\n" },
	    { V2 "/user.slice/memory.current", "0\n" },
	    { V2 "/user.slice/memory.swap.max", "max\n" } },
	  4096,
	  4096,
	  4096 + 2048,
	  4096 + 1024 },
	{ "both, v2 beside v1",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "2:memory:/\n0::/one\n" },
	    { BOTH "/cgroup.procs", "1\n" },
	    { BOTH "/one/memory.max", "1073741824\n" },
	    { BOTH "/one/memory.current", "0\n" } },
	  1024,
	  1024,
	  1024 + 2048,
	  2048 },
	{ "an old kernel",
	  { { "/proc/meminfo", "MemTotal: 2048 kB\nMemFree: 1024 kB\n" } },
	  2,
	  1,
	  2,
	  1 },
};

static void write_file(const struct file *file)
{
	char path[512];
	FILE *stream;

	snprintf(path, sizeof path, "%s%s", folder, file->path);
	for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdir(path, 0700);
	}
	stream = fopen(path, "w");
	if (!stream || fputs(file->text, stream) < 0 || fclose(stream) != 0)
		printf("# %s: %s\n", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind, (void)walk;
	return remove(path);
}

static void set_up(const struct file *files, size_t count)
{
	mkdir(folder, 0700);
	for (size_t i = 0; i < count && files[i].path; i++)
		write_file(&files[i]);
	os_fake_root(folder);
}

static void tear_down(void)
{
	os_fake_root(NULL);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_machines(void)
{
	struct machine_memory memory;

	for (size_t i = 0; i < COUNT(machines); i++) {
		set_up(machines[i].files, COUNT(machines[i].files));
		ok_equal(machine_memory(&memory), 0, "%s", machines[i].what);
		ok_equal(memory.total, machines[i].total * MIB, "%s: total", machines[i].what);
		ok_equal(memory.available, machines[i].available * MIB, "%s: available",
			 machines[i].what);
		ok_equal(memory.commit_limit, machines[i].commit_limit * MIB, "%s: commit limit",
			 machines[i].what);
		ok_equal(memory.commit_available, machines[i].commit_available * MIB,
			 "%s: still to commit", machines[i].what);
		tear_down();
	}
}

static void test_nothing_told(void)
{
	struct machine_memory memory = { .total = 1 };
	MEMORYSTATUSEX status = { .dwLength = sizeof status, .ullTotalPhys = 1 };

	set_up(NULL, 0);
	ok_equal(machine_memory(&memory), -ENOENT, "a machine that tells nothing");
	ok(memory.total == 1, "nothing is written");
	ok(!GlobalMemoryStatusEx(&status) && status.ullTotalPhys == 1, "nor by the face");
	ok_equal(machine_large_page_bytes(), 0, "no large pages");
	ok(!machine_is_short_of_memory(), "no pressure");
	tear_down();
}

/* A limit of the process's own is the smaller one. */
static void test_process_limit(void)
{
	static const struct file file = { "/proc/meminfo", MEMINFO };
	MEMORYSTATUSEX status = { .dwLength = sizeof status };
	struct charge charge;

	set_up(&file, 1);
	charge_read(&charge);
	charge_set_limit(charge.committed_bytes + 3 * MIB);
	ok(GlobalMemoryStatusEx(&status), "with a limit of the process's own");
	ok_equal(status.ullTotalPageFile, charge.committed_bytes + 3 * MIB, "that is the limit");
	ok_equal(status.ullAvailPageFile, 3 * MIB, "what is left of it");
	ok_equal(status.ullAvailPhys, 6144 * MIB, "physical memory is as before");
	charge_set_limit(UINT64_MAX);
	GlobalMemoryStatusEx(&status);
	ok_equal(status.ullTotalPageFile, 10240 * MIB, "the system's is the smaller one");
	charge_set_limit(0);
	tear_down();
}

static const struct {
	const char *what;
	struct file files[4];
	BOOL is_low, is_high;
} pressures[] = {
	{ "plenty", { { "/proc/meminfo", MEMINFO } }, FALSE, TRUE },
	{ "between: 64 MiB and a bit",
	  { { "/proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 65537 kB\n" } },
	  FALSE,
	  FALSE },
	{ "64 MiB at most are low",
	  { { "/proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 65536 kB\n" } },
	  TRUE,
	  FALSE },
	{ "three times as much is high",
	  { { "/proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 196608 kB\n" } },
	  FALSE,
	  TRUE },
	{ "16 MiB of 2 GiB",
	  { { "/proc/meminfo", "MemTotal: 2097152 kB\nMemAvailable: 16384 kB\n" } },
	  TRUE,
	  FALSE },
	{ "17 MiB of 2 GiB",
	  { { "/proc/meminfo", "MemTotal: 2097152 kB\nMemAvailable: 17408 kB\n" } },
	  FALSE,
	  FALSE },
	{ "a control group that is full",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/one\n" },
	    { V2 "/one/memory.max", "4294967296\n" },
	    { V2 "/one/memory.current", "4294967290\n" } },
	  TRUE,
	  FALSE },
	{ "a machine that stands still",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/pressure/memory", "some avg10=40.00 avg60=0.00 avg300=0.00 total=0\n"
				       "full avg10=11.00 avg60=0.00 avg300=0.00 total=0\n" } },
	  TRUE,
	  FALSE },
	{ "one that gets on",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/pressure/memory", "some avg10=40.00 avg60=0.00 avg300=0.00 total=0\n"
				       "full avg10=10.99 avg60=99.00 avg300=0.00 total=0\n" } },
	  FALSE,
	  TRUE },
	{ "a control group that stands still",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/one\n" },
	    { V2 "/one/memory.pressure", "full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n" } },
	  TRUE,
	  FALSE },
};

static void test_notifications(void)
{
	HANDLE low = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	HANDLE high = CreateMemoryResourceNotification(HighMemoryResourceNotification);
	BOOL is_low, is_high;

	for (size_t i = 0; i < COUNT(pressures); i++) {
		set_up(pressures[i].files, COUNT(pressures[i].files));
		is_low = is_high = -1;
		ok(QueryMemoryResourceNotification(low, &is_low) &&
			   QueryMemoryResourceNotification(high, &is_high),
		   "%s", pressures[i].what);
		ok_equal(is_low, pressures[i].is_low, "%s: low", pressures[i].what);
		ok_equal(is_high, pressures[i].is_high, "%s: high", pressures[i].what);
		tear_down();
	}
	is_low = -1;
	set_up(NULL, 0);
	ok(!QueryMemoryResourceNotification(low, &is_low) && is_low == -1,
	   "nobody can say on a machine that tells nothing");
	tear_down();
}

/* --- Waiting for notifications -------------------------------------------------------------- */

#define SCARCE "MemTotal: 16777216 kB\nMemAvailable: 1024 kB\n"

static const struct file plenty = { "/proc/meminfo", MEMINFO };

/* A thread that waits for a handle. */
struct waiter {
	pthread_t thread;
	HANDLE handle;
	DWORD result, error;
	bool is_done;
};

static void *wait_endlessly(void *argument)
{
	struct waiter *waiter = argument;

	waiter->result = WaitForSingleObject(waiter->handle, INFINITE);
	waiter->error = GetLastError();
	__atomic_store_n(&waiter->is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void waiter_start(struct waiter *waiter, HANDLE handle)
{
	*waiter = (struct waiter){ .handle = handle };
	pthread_create(&waiter->thread, NULL, wait_endlessly, waiter);
}

static bool waiter_is_done(const struct waiter *waiter)
{
	return __atomic_load_n(&waiter->is_done, __ATOMIC_ACQUIRE);
}

/* The machine is another one from now on, whoever reads it at the moment. */
static void become(const char *meminfo)
{
	char path[512], new_path[512];

	write_file(&(struct file){ "/proc/new", meminfo });
	snprintf(new_path, sizeof new_path, "%s/proc/new", folder);
	snprintf(path, sizeof path, "%s/proc/meminfo", folder);
	rename(new_path, path);
}

static void test_wait(void)
{
	HANDLE low = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	HANDLE high = CreateMemoryResourceNotification(HighMemoryResourceNotification);
	struct waiter waiters[2];

	set_up(&plenty, 1);
	ok_equal(WaitForSingleObject(low, 1), WAIT_TIMEOUT, "memory is not scarce");
	ok_equal(WaitForSingleObject(high, INFINITE), WAIT_OBJECT_0, "there is plenty");
	waiter_start(&waiters[0], low);
	waiter_start(&waiters[1], low);
	ok(!waiter_is_done(&waiters[0]) && !waiter_is_done(&waiters[1]), "two threads wait");
	become(SCARCE);
	pthread_join(waiters[0].thread, NULL);
	pthread_join(waiters[1].thread, NULL);
	ok(waiters[0].result == WAIT_OBJECT_0 && waiters[1].result == WAIT_OBJECT_0,
	   "until it is scarce");
	ok_equal(WaitForSingleObject(high, 1), WAIT_TIMEOUT, "there is no plenty any more");
	become(MEMINFO);
	ok_equal(WaitForSingleObject(low, 0), WAIT_TIMEOUT, "and none is signaled for good");
	tear_down();
	set_up(NULL, 0);
	ok(WaitForSingleObject(low, 0) == WAIT_TIMEOUT &&
		   WaitForSingleObject(high, 0) == WAIT_TIMEOUT,
	   "on a machine that tells nothing neither comes");
	tear_down();
	CloseHandle(low);
	CloseHandle(high);
}

static void test_wait_closed(void)
{
	struct waiter waiter;
	HANDLE low = CreateMemoryResourceNotification(LowMemoryResourceNotification), again;

	set_up(&plenty, 1);
	waiter_start(&waiter, low);
	usleep(5000);
	ok(CloseHandle(low), "a handle is closed while a thread waits");
	pthread_join(waiter.thread, NULL);
	ok(waiter.result == WAIT_FAILED && waiter.error == ERROR_INVALID_HANDLE,
	   "which ends the wait");
	low = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	DuplicateHandle(GetCurrentProcess(), low, GetCurrentProcess(), &again, 0, FALSE,
			DUPLICATE_SAME_ACCESS);
	waiter_start(&waiter, again);
	CloseHandle(low);
	become(SCARCE);
	pthread_join(waiter.thread, NULL);
	ok(waiter.result == WAIT_OBJECT_0, "another handle to the same goes on");
	tear_down();
	CloseHandle(again);
}

static int signals;
static sigjmp_buf before_wait;

static void count_signal(int signal)
{
	(void)signal;
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
}

static void leave_wait(int signal)
{
	(void)signal;
	siglongjmp(before_wait, 1);
}

/* Handlers run while a thread waits: it would never be seen here otherwise. */
static void test_wait_signals(void)
{
	HANDLE low = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	struct waiter waiter;

	set_up(&plenty, 1);
	signal(SIGUSR1, count_signal);
	waiter_start(&waiter, low);
	for (int i = 1; i <= 10; i++) {
		pthread_kill(waiter.thread, SIGUSR1);
		while (__atomic_load_n(&signals, __ATOMIC_RELAXED) < i)
			usleep(1000);
	}
	ok(!waiter_is_done(&waiter), "a wait goes on after signals");
	become(SCARCE);
	pthread_join(waiter.thread, NULL);
	ok(waiter.result == WAIT_OBJECT_0, "and ends as ever");
	become(MEMINFO);
	signal(SIGALRM, leave_wait);
	if (sigsetjmp(before_wait, /* savesigs */ 1) == 0) {
		ualarm(5000, 0);
		WaitForSingleObject(low, INFINITE);
	}
	ok(WaitForSingleObject(low, 0) == WAIT_TIMEOUT, "a handler leaves a wait for good");
	ok(CloseHandle(low), "the handle is closed as ever");
	signal(SIGALRM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	tear_down();
}

/* While another thread waits. */
static void test_wait_fork(void)
{
	HANDLE low = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	struct waiter waiter;
	int status = -1;
	pid_t child;

	set_up(&plenty, 1);
	waiter_start(&waiter, low);
	fflush(stdout);
	child = core_fork();
	if (child == 0)
		_exit(WaitForSingleObject(low, 1) == WAIT_TIMEOUT && CloseHandle(low) ? 0 : 1);
	waitpid(child, &status, 0);
	ok_equal(status, 0, "a forked child waits with its parent's handle, and closes its own");
	become(SCARCE);
	pthread_join(waiter.thread, NULL);
	ok(waiter.result == WAIT_OBJECT_0, "the parent's thread waits as before");
	tear_down();
	CloseHandle(low);
}

static void test_processors(void)
{
	static const struct file lists[] = {
		{ "/sys/devices/system/cpu/online", "0\n" },
		{ "/sys/devices/system/cpu/online", "0-3,8-9\n" },
		{ "/sys/devices/system/cpu/online", "0-127\n" },
		{ "/sys/devices/system/cpu/online", "\n" },
	};
	static const struct {
		uint32_t count;
		uint64_t mask;
	} answers[] = { { 1, 1 }, { 6, 0x30f }, { 128, UINT64_MAX }, { 1, 1 } };
	uint64_t mask;

	for (size_t i = 0; i < COUNT(lists); i++) {
		set_up(&lists[i], 1);
		ok_equal(machine_processors(&mask), answers[i].count, "row %zu: processors", i);
		ok_equal(mask, answers[i].mask, "row %zu: which ones", i);
		tear_down();
	}
}

int main(void)
{
	if (!mkdtemp(folder))
		tap_skip_all("no folder for files");
	tear_down();
	test_machines();
	test_nothing_told();
	test_process_limit();
	test_notifications();
	test_wait();
	test_wait_closed();
	test_wait_signals();
	test_wait_fork();
	test_processors();
	return tap_done();
}
