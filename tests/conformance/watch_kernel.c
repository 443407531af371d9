/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What becomes of a watched page that the kernel writes to without the C library's reading calls.
 * With the kernel's account of written pages it is listed, whatever wrote. By protection the kernel
 * is refused (EFAULT), nothing is written and nothing listed, and the program can write there
 * first; only who writes past all protections (a debugger) is not seen. What only reads is never
 * listed. */

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/core.h"
#include "core/vm/writewatch.h"
#include "tests/lib/tap.h"

#define PAGE 0x1000
#define PAGES 4

enum outcome {
	LISTED,  /* written and listed */
	REFUSED, /* EFAULT, as before, not listed */
	UNSEEN,  /* written and not listed */
	READ,    /* served, nothing written */
};

/* What a row's call comes to: 0, or its errno; ENOSYS: the system does not have it. */
static char *watched;
static int pipe_ends[2];

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static int call_ioctl(char *at)
{
	return error_of(ioctl(pipe_ends[0], FIONREAD, at));
}

static int call_uname(char *at)
{
	return error_of(uname((struct utsname *)at));
}

static int call_fstat(char *at)
{
	return error_of(syscall(SYS_fstat, 0, at));
}

static int call_getcwd(char *at)
{
	return error_of(syscall(SYS_getcwd, at, PAGE));
}

static int call_getdents(char *at)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY), error;

	error = error_of(syscall(SYS_getdents64, fd, at, PAGE));
	close(fd);
	return error;
}

static int call_readlink(char *at)
{
	return error_of(readlink("/proc/self/exe", at, PAGE));
}

static int call_getsockopt(char *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), error;
	socklen_t length = sizeof(int);

	error = error_of(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, at, &length));
	close(fd);
	return error;
}

static int call_raw_read(char *at)
{
	return error_of(syscall(SYS_read, pipe_ends[0], at, 8));
}

static int call_vmsplice(char *at)
{
	struct iovec piece = { at, 8 };

	return error_of(vmsplice(pipe_ends[0], &piece, 1, 0));
}

static int call_process_vm_readv(char *at)
{
	char text[] = "eight...";
	struct iovec local = { at, 8 }, remote = { text, 8 };

	return error_of(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

/* The library's clock writes by itself, without the kernel. */
static int call_clock(char *at)
{
	return error_of(clock_gettime(CLOCK_MONOTONIC, (struct timespec *)at));
}

/* One read of the pipe by a ring; the kernel writes for it later, or at once. */
static int ring_read(int ring, const struct io_uring_params *params, char *at)
{
	size_t ring_bytes = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	char *queues = mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
			    IORING_OFF_SQ_RING);
	struct io_uring_sqe *entry =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	const struct io_uring_cqe *done;
	int result = -ENOSYS;

	if (queues == MAP_FAILED || entry == MAP_FAILED)
		return ENOSYS;
	entry[0] = (struct io_uring_sqe){ .opcode = IORING_OP_READ,
					  .fd = pipe_ends[0],
					  .addr = (uintptr_t)at,
					  .len = 8,
					  .off = (uint64_t)-1 };
	((unsigned *)(queues + params->sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(queues + params->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1) {
		done = (const struct io_uring_cqe *)(queues + params->cq_off.cqes);
		result = done->res;
	}
	munmap(queues, ring_bytes);
	munmap(entry, PAGE);
	return result < 0 ? -result : 0;
}

static int call_io_uring(char *at)
{
	struct io_uring_params params = { .flags = 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params), error = ENOSYS;

	if (ring < 0 || !(params.features & IORING_FEAT_SINGLE_MMAP))
		return ENOSYS;
	error = ring_read(ring, &params, at);
	close(ring);
	return error;
}

static int call_proc_mem(char *at)
{
	int fd = open("/proc/self/mem", O_WRONLY), error;

	if (fd < 0)
		return ENOSYS;
	error = error_of(pwrite(fd, "eight...", 8, (off_t)(uintptr_t)at));
	close(fd);
	return error;
}

/* A debugger of ours stops us and writes one word. */
static int debug(pid_t parent, char *at)
{
	int error;

	if (ptrace(PTRACE_ATTACH, parent, NULL, NULL) != 0)
		return ENOSYS;
	while (waitpid(parent, NULL, 0) < 0 && errno == EINTR)
		continue;
	error = error_of(ptrace(PTRACE_POKEDATA, parent, at, 0x2e2e2e7468676965));
	ptrace(PTRACE_DETACH, parent, NULL, NULL);
	return error;
}

static int call_ptrace(char *at)
{
	pid_t parent = getpid(), child;
	int status = 0;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(debug(parent, at));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ENOSYS;
}

static int call_write(char *at)
{
	int fd = open("/dev/null", O_WRONLY), error;

	error = error_of(write(fd, at, 8));
	close(fd);
	return error;
}

static int call_send(char *at)
{
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
		return ENOSYS;
	error = error_of(send(ends[0], at, 8, 0));
	close(ends[0]);
	close(ends[1]);
	return error;
}

static int call_vmsplice_out(char *at)
{
	struct iovec piece = { at, 8 };
	int ends[2], error;

	if (pipe(ends))
		return ENOSYS;
	error = error_of(vmsplice(ends[1], &piece, 1, 0));
	close(ends[0]);
	close(ends[1]);
	return error;
}

static int call_process_vm_writev(char *at)
{
	char text[8];
	struct iovec local = { at, 8 }, remote = { text, 8 };

	return error_of(process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
}

static const struct {
	const char *name;
	int (*call)(char *at);
	enum outcome by_protection; /* by the kernel's account: LISTED, or READ */
} rows[] = {
	{ "ioctl", call_ioctl, REFUSED },
	{ "uname", call_uname, REFUSED },
	{ "fstat", call_fstat, REFUSED },
	{ "getcwd", call_getcwd, REFUSED },
	{ "getdents64", call_getdents, REFUSED },
	{ "readlink", call_readlink, REFUSED },
	{ "getsockopt", call_getsockopt, REFUSED },
	{ "read as a bare system call", call_raw_read, REFUSED },
	{ "vmsplice out of a pipe", call_vmsplice, REFUSED },
	{ "process_vm_readv", call_process_vm_readv, REFUSED },
	{ "io_uring", call_io_uring, REFUSED },
	{ "clock_gettime", call_clock, LISTED },
	{ "/proc/self/mem", call_proc_mem, UNSEEN },
	{ "ptrace", call_ptrace, UNSEEN },
	{ "write", call_write, READ },
	{ "send", call_send, READ },
	{ "vmsplice into a pipe", call_vmsplice_out, READ },
	{ "process_vm_writev from there", call_process_vm_writev, READ },
};

#define ROWS (sizeof rows / sizeof rows[0])

/* The pages that were written, as bits; none is from now on. */
static unsigned take_list(void)
{
	PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	DWORD granularity;
	unsigned bits = 0;

	if (GetWriteWatch(WRITE_WATCH_FLAG_RESET, watched, PAGES * PAGE, pages, &count,
			  &granularity) != 0)
		return ~0u;
	for (ULONG_PTR i = 0; i < count; i++)
		bits |= 1u << (((char *)pages[i] - watched) / PAGE);
	return bits;
}

static int is_changed(const char *at)
{
	for (int i = 0; i < PAGE; i++)
		if (at[i] != '-')
			return 1;
	return 0;
}

/* Page 2, which is there and was not written since the list was taken. */
static char *set_up(void)
{
	char *at = watched + 2 * PAGE;

	memset(at, '-', PAGE);
	take_list();
	return at;
}

static void test_row(size_t row, enum outcome outcome)
{
	char *at = set_up();
	int error = rows[row].call(at);

	if (error == ENOSYS || error == EPERM) {
		printf("ok %d - %s # SKIP the system does not let us\n", ++tap_count,
		       rows[row].name);
		return;
	}
	ok_equal(error, outcome == REFUSED ? EFAULT : 0, "%s: served or refused", rows[row].name);
	ok_equal(take_list(), outcome == LISTED ? 4 : 0, "%s: listed or not", rows[row].name);
	ok_equal(is_changed(at), outcome == LISTED || outcome == UNSEEN, "%s: written or not",
		 rows[row].name);
	if (outcome != REFUSED)
		return;
	at[PAGE - 1] = '-';
	ok_equal(rows[row].call(at), 0, "%s: served when the program writes there first",
		 rows[row].name);
	ok(take_list() == 4 && is_changed(at), "%s: and listed", rows[row].name);
}

int main(void)
{
	enum watch_means means;

	watched = VirtualAlloc(NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
			       PAGE_READWRITE);
	means = watch_means();
	printf("# %s\n", means == WATCH_BY_PROTECTION ? "by protection" : "by the kernel");
	for (size_t row = 0; row < ROWS; row++) {
		enum outcome outcome = rows[row].by_protection;

		if (means == WATCH_BY_SYSTEM && outcome != READ)
			outcome = LISTED;
		if (pipe(pipe_ends) || write(pipe_ends[1], "eight...eight...", 16) != 16)
			return 99;
		test_row(row, outcome);
		close(pipe_ends[0]);
		close(pipe_ends[1]);
	}
	VirtualFree(watched, 0, MEM_RELEASE);
	return tap_done();
}
