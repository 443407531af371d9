/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Write watch: GetWriteWatch and ResetWriteWatch list the pages that were written, by the program
 * or by the system on its behalf. */

#ifndef _WIN32
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/single_threaded.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "tests/conformance/exceptions.h"
#include "tests/conformance/nt.h"

#define PAGES 16
#define REGION (PAGES * PAGE)

static char *watched;

/* The pages that were written, as bits. */
static DWORD written(DWORD flags)
{
	PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	DWORD size = 0, bits = 0;

	if (GetWriteWatch(flags, watched, REGION, pages, &count, &size) || size != PAGE)
		return UNTOUCHED;
	for (ULONG_PTR i = 0; i < count; i++)
		bits |= 1u << (((char *)pages[i] - watched) / PAGE);
	return bits;
}

static void test_writes(void)
{
	DWORD old;

	ok_equal(written(0), 0, "nothing is written at first");
	watched[0] = 1;
	watched[5 * PAGE + 100] = 1;
	read_byte(watched + 7 * PAGE);
	ok_equal(written(0), 0x21, "pages that are written are listed, those that are read not");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x21, "they are listed again, and forgotten");
	ok_equal(written(0), 0, "forgotten");
	watched[PAGE - 1] = 1;
	ok_equal(written(0), 1, "written again");
	ok_equal(ResetWriteWatch(watched, REGION), 0, "reset");
	ok_equal(written(0), 0, "all are forgotten");
	watched[3 * PAGE] = 1;
	VirtualProtect(watched, REGION, PAGE_READONLY, &old);
	ok_equal(old, PAGE_READWRITE, "a watched page's protection does not show the watch");
	ok_equal(written(0), 8, "a protection keeps the list");
	VirtualProtect(watched, REGION, PAGE_READWRITE, &old);
	watched[4 * PAGE] = 1;
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x18, "and the watch");
}

static void test_limited(void)
{
	PVOID pages[2] = { 0 };
	ULONG_PTR count = 2;
	DWORD size = 0;

	for (int i = 0; i < PAGES; i++)
		watched[i * PAGE] = 1;
	ok_equal(GetWriteWatch(WRITE_WATCH_FLAG_RESET, watched, REGION, pages, &count, &size), 0,
		 "a list that is too short");
	ok(count == 2 && pages[0] == watched && pages[1] == watched + PAGE, "is filled");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0xfffc, "only what was listed is forgotten");
	watched[2 * PAGE] = watched[9 * PAGE] = 1;
	count = 2;
	GetWriteWatch(0, watched + 8 * PAGE, 4 * PAGE, pages, &count, &size);
	ok(count == 1 && pages[0] == watched + 9 * PAGE, "a part of the region");
	ResetWriteWatch(watched, 4 * PAGE);
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x200, "a part is reset");
}

/* Reads so many bytes of a file. */
static BOOL read_file(char *buffer, DWORD size)
{
#ifdef _WIN32
	char name[MAX_PATH];
	HANDLE file;
	DWORD count = 0;
	BOOL is_read;

	GetModuleFileNameA(NULL, name, sizeof name);
	file = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	is_read = ReadFile(file, buffer, size, &count, NULL) && count == size;
	CloseHandle(file);
	return is_read;
#else
	int file = open("/dev/zero", O_RDONLY);
	ssize_t count = read(file, buffer, size);

	close(file);
	return count == (ssize_t)size;
#endif
}

/* The system writes, too. */
static void test_file(void)
{
	char name[] = "memory";

	ok(read_file(watched + 2 * PAGE - 8, 16), "a file is read into watched pages");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 6, "which are listed");
	ok(ReadProcessMemory(GetCurrentProcess(), name, watched + 4 * PAGE, 4, NULL),
	   "memory is read into a watched page");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 16, "which is listed");
}

/* "since the region was allocated or the write-track state was reset": to give a page back is
 * neither. */
static void test_decommit(void)
{
	watched[0] = 1;
	VirtualFree(watched, 2 * PAGE, MEM_DECOMMIT);
	ok_equal(written(0), 1, "a page that is decommitted stays listed");
	VirtualAlloc(watched, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 1, "and when it is committed again");
	ok_equal(written(0), 0, "until it is reset");
	read_byte(watched);
	ok_equal(written(0), 0, "to read it is no write");
	watched[0] = 1;
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 1, "a page that is committed again is watched");
}

/* A region that is committed later, in parts. */
static void test_reserved(void)
{
	char *whole = watched;

	watched = VirtualAlloc(NULL, REGION, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE);
	ok_equal(written(0), 0, "nothing is written of what is only reserved");
	VirtualAlloc(watched + 4 * PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	VirtualAlloc(watched + 10 * PAGE, PAGE, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	ok_equal(written(0), 0, "a commit is no write");
	watched[5 * PAGE] = watched[10 * PAGE] = 1;
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x420, "what is written then is listed");
	watched[5 * PAGE] = 1;
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x20, "again");
	ok(VirtualFree(watched, 0, MEM_RELEASE), "released");
	watched = whole;
}

/* A guard page is not written by the touch that takes its guard off. */
static void test_guard(void)
{
	DWORD old;

	VirtualProtect(watched + PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, &old);
	ok_status(exception_of(write_byte, watched + PAGE), STATUS_GUARD_PAGE_VIOLATION, "a guard");
	ok_equal(written(0), 0, "the touch wrote nothing");
	ok_status(exception_of(write_byte, watched + PAGE), 0, "no guard any more");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 2, "a write");
	VirtualProtect(watched + PAGE, PAGE, PAGE_READONLY, &old);
	ok_status(exception_of(write_byte, watched + PAGE), STATUS_ACCESS_VIOLATION,
		  "a page that may not be written");
	/* GetWriteWatch: "Retrieves the addresses of the pages that are written to": a write that
	 * is refused writes to none. */
	todo_wine("lists it, unwritten as it is");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0, "is not");
	VirtualProtect(watched + PAGE, PAGE, PAGE_READWRITE, &old);
}

#define MANY 1000

static PVOID many_pages[MANY];

/* Lists the pages of a region that have one between them, at most `room`; whether it is those from
 * the `first` one on. */
static BOOL lists_every_second(char *region, DWORD flags, ULONG_PTR room, ULONG_PTR first,
			       ULONG_PTR expected)
{
	ULONG_PTR count = room;
	DWORD size;

	if (GetWriteWatch(flags, region, MANY * PAGE, many_pages, &count, &size) ||
	    count != expected)
		return FALSE;
	for (ULONG_PTR i = 0; i < count; i++) {
		if (many_pages[i] != region + (first + i) * 2 * PAGE)
			return FALSE;
	}
	return TRUE;
}

static void test_many(void)
{
	char *region = VirtualAlloc(NULL, MANY * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
				    PAGE_READWRITE);

	for (int i = 0; i < MANY; i += 2)
		region[i * PAGE] = 1;
	ok(lists_every_second(region, 0, MANY, 0, MANY / 2), "many pages, in their order");
	ok(lists_every_second(region, WRITE_WATCH_FLAG_RESET, 70, 0, 70), "the first ones");
	ok(lists_every_second(region, WRITE_WATCH_FLAG_RESET, 300, 70, 300), "the next ones");
	ok(lists_every_second(region, 0, MANY, 370, MANY / 2 - 370), "the rest");
	VirtualFree(region + 700 * PAGE, 200 * PAGE, MEM_DECOMMIT);
	ok(lists_every_second(region, 0, MANY, 370, MANY / 2 - 370), "a part is decommitted");
	ok(lists_every_second(region, WRITE_WATCH_FLAG_RESET, 10, 370, 10), "ten of them");
	ok(lists_every_second(region, WRITE_WATCH_FLAG_RESET, MANY, 380, MANY / 2 - 380),
	   "all of them");
	ok(lists_every_second(region, 0, MANY, 0, 0), "none is left");
	VirtualFree(region, 0, MEM_RELEASE);
}

#ifndef _WIN32
/* Every call of the C library that has the kernel write: so many bytes into a page of the region.
 * The socket's other end has sent bytes, the file has some. */
static int sockets[2], file;
static FILE *stream;

ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
size_t __fread_chk(void *, size_t, size_t, size_t, FILE *);

static BOOL call_vector(char *at, ssize_t (*call)(const struct iovec *, int))
{
	struct iovec pieces[2] = { { at, 4 }, { at + 8, 4 } };

	return call(pieces, 2) == 8;
}

static ssize_t vector_read(const struct iovec *pieces, int count)
{
	return readv(sockets[0], pieces, count);
}

static ssize_t vector_pread(const struct iovec *pieces, int count)
{
	return preadv(file, pieces, count, 0);
}

static ssize_t vector_pread_2(const struct iovec *pieces, int count)
{
	return preadv2(file, pieces, count, 0, 0);
}

static ssize_t vector_recvmsg(const struct iovec *pieces, int count)
{
	struct msghdr message = { .msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count };

	return recvmsg(sockets[0], &message, 0);
}

static ssize_t vector_recvmmsg(const struct iovec *pieces, int count)
{
	struct mmsghdr message = { .msg_hdr = { .msg_iov = (struct iovec *)pieces,
						.msg_iovlen = (size_t)count } };

	return recvmmsg(sockets[0], &message, 1, 0, NULL) == 1 ? (ssize_t)message.msg_len : -1;
}

static BOOL call(int row, char *at)
{
	switch (row) {
	case 0:
		return read(sockets[0], at, 8) == 8;
	case 1:
		return pread(file, at, 8, 0) == 8;
	case 2:
		return recv(sockets[0], at, 8, 0) == 8;
	case 3:
		return recvfrom(sockets[0], at, 8, 0, NULL, NULL) == 8;
	case 4:
		return call_vector(at, vector_read);
	case 5:
		return call_vector(at, vector_pread);
	case 6:
		return call_vector(at, vector_pread_2);
	case 7:
		return call_vector(at, vector_recvmsg);
	case 8:
		return call_vector(at, vector_recvmmsg);
	case 9:
		return getrandom(at, 8, 0) == 8;
	case 10:
		return fread(at, 1, PAGE, stream) == PAGE;
	case 11:
		return fgets(at, PAGE, stream) == at;
	case 12:
		return __read_chk(sockets[0], at, 8, 8) == 8;
	case 13:
		return __pread_chk(file, at, 8, 0, 8) == 8;
	case 14:
		return __recv_chk(sockets[0], at, 8, 8, 0) == 8;
	case 15:
		return __recvfrom_chk(sockets[0], at, 8, 8, 0, NULL, NULL) == 8;
	default:
		return __fread_chk(at, PAGE, 1, PAGE, stream) == PAGE;
	}
}

static void test_calls(void)
{
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets))
		return;
	file = open("/proc/self/exe", O_RDONLY);
	stream = fopen("/proc/self/exe", "r");
	setvbuf(stream, NULL, _IONBF, 0);
	for (int row = 0; row <= 16; row++) {
		ResetWriteWatch(watched, REGION);
		ok(send(sockets[1], "eight...", 8, 0) == 8 && call(row, watched + 3 * PAGE),
		   "call %d of the C library is served", row);
		recv(sockets[0], watched, 8, MSG_DONTWAIT);
		ok((written(WRITE_WATCH_FLAG_RESET) & ~1u) == 8, "call %d is noticed", row);
	}
	fclose(stream);
	close(file);
	close(sockets[0]);
	close(sockets[1]);
}

/* What the child lists, as its exit status. */
static int in_child(int page)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		watched[page * PAGE] = 1;
		_exit((int)written(WRITE_WATCH_FLAG_RESET) | (int)written(0));
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The tracer has threads: beside them more than was written may be listed in the child. */
static void test_fork(void)
{
	int may_be_more = __libc_single_threaded ? 0 : 0xff;

	written(WRITE_WATCH_FLAG_RESET);
	watched[PAGE] = watched[6 * PAGE] = 1;
	ok_equal(in_child(3) | may_be_more, 0x4a | may_be_more, "a child's list goes on");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x42, "its parent's is not touched");
	ok_equal(in_child(3) | may_be_more, 8 | may_be_more, "a child's list of what was reset");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0, "nor is its parent's");
}

/* A program that closes all that it does not know. */
static void test_closed(void)
{
	watched[2 * PAGE] = 1;
	for (int fd = 3; fd < 2000; fd++)
		close(fd);
	ok((written(WRITE_WATCH_FLAG_RESET) & 4) != 0, "a page is listed all the same");
	ok_equal(written(0), 0, "nothing is written");
	watched[9 * PAGE] = 1;
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x200, "the watch goes on");
}
#endif

static void test_arguments(void)
{
	PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	DWORD size;
	char *plain = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	ok_error(GetWriteWatch(0, plain, PAGE, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "memory without a watch");
	ok_error(ResetWriteWatch(plain, PAGE) == ~0u, ERROR_INVALID_PARAMETER,
		 "reset of memory without a watch");
	ok_error(GetWriteWatch(0, watched, REGION + PAGE, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "more than the region");
	ok_error(GetWriteWatch(0, watched, 0, pages, &count, &size) == ~0u, ERROR_INVALID_PARAMETER,
		 "no size");
	ok_error(GetWriteWatch(0x80, watched, REGION, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "an unknown flag");
	count = 0;
	ok_error(GetWriteWatch(0, watched, REGION, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "room for nothing");
	VirtualFree(plain, 0, MEM_RELEASE);
}

static void test_nt(void)
{
	PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	ULONG size = 0;

	watched[6 * PAGE] = 1;
	ok_status(NtGetWriteWatch((HANDLE)-1, WRITE_WATCH_FLAG_RESET, watched, REGION, pages,
				  &count, &size),
		  STATUS_SUCCESS, "NtGetWriteWatch");
	ok(count == 1 && pages[0] == watched + 6 * PAGE && size == PAGE, "its list");
	watched[0] = 1;
	ok_status(NtResetWriteWatch((HANDLE)-1, watched, REGION), STATUS_SUCCESS,
		  "NtResetWriteWatch");
	ok_equal(written(0), 0, "forgotten");
	ok_status(NtResetWriteWatch((HANDLE)-1, watched, 0), STATUS_INVALID_PARAMETER, "no size");
}

int main(void)
{
	watched = VirtualAlloc(NULL, REGION, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
			       PAGE_READWRITE);
	ok(watched != NULL, "a watched region");
	test_writes();
	test_limited();
	test_file();
	test_decommit();
	test_reserved();
	test_guard();
	test_many();
	test_arguments();
	test_nt();
#ifndef _WIN32
	test_calls();
	test_fork();
	test_closed();
#endif
	ok(VirtualFree(watched, 0, MEM_RELEASE), "released");
	return tap_done();
}
