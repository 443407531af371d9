/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The POSIX memory calls: results, errno, and what the kernel says of the ranges afterwards. */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define MARK 12345

static char *area; /* 64 pages, nothing else is in them */

static void show(const char *what, intptr_t result)
{
	int error = errno;

	if (result == -1)
		printf("%s: -1 errno %d\n", what, error);
	else if ((char *)result >= area && (char *)result <= area + 64 * PAGE)
		printf("%s: area + %zd pages\n", what, ((char *)result - area) / PAGE);
	else
		printf("%s: %s\n", what, result == 0 ? "0" : "elsewhere");
}

#define SHOW(expression)                                   \
	do {                                               \
		errno = MARK;                              \
		show(#expression, (intptr_t)(expression)); \
	} while (0)

/* Prints the area's ranges as the kernel sees them. */
static void show_maps(const char *title)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[500], flags[8];
	unsigned long begin, end, low = (unsigned long)area;

	printf("%s:", title);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, flags) != 3 || end <= low ||
		    begin >= low + 64 * PAGE)
			continue;
		begin = begin < low ? low : begin;
		end = end > low + 64 * PAGE ? low + 64 * PAGE : end;
		printf(" %lu-%lu %s", (begin - low) / PAGE, (end - low) / PAGE, flags);
	}
	printf("\n");
	fclose(file);
}

static char *at(int page)
{
	return area + (ptrdiff_t)page * PAGE;
}

static void new_area(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (area ? MAP_FIXED : 0);

	area = mmap(area, 64 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
}

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void cut(void)
{
	SHOW(munmap(at(10), PAGE));
	SHOW(munmap(at(10), PAGE));
	SHOW(munmap(at(0), 2 * PAGE));
	SHOW(munmap(at(5), 10 * PAGE));
	SHOW(munmap(at(60), 4 * PAGE));
	SHOW(munmap(at(30), 1));
	SHOW(munmap(at(31) + 1, PAGE));
	SHOW(munmap(at(31), 0));
	SHOW(munmap((void *)-PAGE, PAGE));
	show_maps("cut");
	SHOW(munmap(at(0), 64 * PAGE));
	show_maps("gone");
}

static void fixed(void)
{
	new_area();
	SHOW(mmap(at(3), 4 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0));
	SHOW(mmap(at(3), PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	SHOW(munmap(at(20), 5 * PAGE));
	SHOW(mmap(at(20), 5 * PAGE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	SHOW(mmap(at(24), 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	SHOW(mmap(at(1) + 5, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	SHOW(mmap(NULL, 0, RW, ANON, -1, 0));
	SHOW(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0));
	SHOW(mmap(NULL, PAGE, RW, MAP_PRIVATE, 9999, 0));
	SHOW(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	SHOW(mmap(NULL, PAGE, RW, ANON, -1, 1));
	SHOW(mmap(NULL, SIZE_MAX, RW, ANON, -1, 0));
	SHOW(mmap64(at(40), PAGE, PROT_READ | PROT_EXEC, ANON | MAP_FIXED, -1, 0));
	show_maps("fixed");
}

static void protect(void)
{
	new_area();
	SHOW(mprotect(at(2), 3 * PAGE, PROT_NONE));
	SHOW(mprotect(at(3), PAGE, RW));
	SHOW(mprotect(at(8), 1, PROT_READ));
	SHOW(mprotect(at(8) + 1, PAGE, PROT_READ));
	SHOW(mprotect(at(9), 0, PROT_READ));
	SHOW(mprotect(at(12), PAGE, 0x1000));
	SHOW(munmap(at(50), PAGE));
	SHOW(mprotect(at(48), 5 * PAGE, PROT_READ));
	SHOW(mprotect(at(62), 2 * PAGE, PROT_READ | PROT_GROWSDOWN));
	show_maps("protect");
}

static void remap(void)
{
	char *moved;

	new_area();
	memset(at(0), 'x', 64 * PAGE);
	SHOW(mremap(at(0), 64 * PAGE, 60 * PAGE, 0));
	SHOW(mremap(at(0), 60 * PAGE, 62 * PAGE, 0));
	SHOW(mremap(at(4), 2 * PAGE, 3 * PAGE, 0));
	SHOW(mremap(at(4), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(30)));
	SHOW(mremap(at(10), 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(11)));
	SHOW(mremap(at(40), PAGE, PAGE, MREMAP_FIXED, at(50)));
	SHOW(mremap(at(1) + 1, PAGE, PAGE, 0));
	SHOW(mremap(at(1), PAGE, 0, 0));
	SHOW(mremap(at(1), PAGE, PAGE, 0x100));
	SHOW(mremap(at(4), PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	moved = mremap(at(45), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	printf("not unmapped: %d\n", moved != MAP_FAILED && *moved == 'x');
	SHOW(munmap(moved, 2 * PAGE));
	moved = mremap(at(52), 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
	printf("moved: %c %c, new part %d\n", moved[0], moved[2 * PAGE - 1], moved[50 * PAGE]);
	SHOW(munmap(moved, 100 * PAGE));
	show_maps("remap");
}

static void advise(void)
{
	new_area();
	memset(at(0), 'y', 64 * PAGE);
	SHOW(madvise(at(0), 2 * PAGE, MADV_DONTNEED));
	SHOW(madvise(at(4), 2 * PAGE, MADV_FREE));
	SHOW(madvise(at(6), PAGE, MADV_REMOVE));
	SHOW(madvise(at(7), PAGE, MADV_WILLNEED));
	SHOW(madvise(at(8) + 1, PAGE, MADV_DONTNEED));
	SHOW(madvise(at(8), PAGE, 9999));
	SHOW(madvise(at(9), 0, MADV_DONTNEED));
	SHOW(munmap(at(20), PAGE));
	SHOW(madvise(at(18), 5 * PAGE, MADV_DONTNEED));
	printf("contents: %d %d %d %d\n", *at(0), *at(3), *at(19), *at(22));
	SHOW(posix_madvise(at(30), PAGE, POSIX_MADV_NORMAL));
	SHOW(mlock(at(30), PAGE));
	SHOW(munlock(at(30), PAGE));
	SHOW(mlock(at(20), PAGE));
	SHOW(msync(at(30), PAGE, MS_SYNC));
	SHOW(msync(at(20), PAGE, MS_SYNC));
	SHOW(msync(at(30) + 1, PAGE, MS_SYNC));
}

static void files(void)
{
	int fd = memfd_create("test", 0);
	char *view;

	printf("ftruncate: %d\n", ftruncate(fd, 8 * PAGE));
	new_area();
	SHOW(mmap(at(0), 8 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0));
	SHOW(mmap(at(10), 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 4 * PAGE));
	SHOW(mmap(at(12), PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 5));
	strcpy(at(4), "through another view");
	printf("view: %s\n", at(10));
	SHOW(mprotect(at(10), PAGE, RW));
	SHOW(munmap(at(4), PAGE));
	SHOW(madvise(at(2), PAGE, MADV_REMOVE));
	view = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	SHOW(munmap(view, 3 * PAGE));
	close(fd);
	SHOW(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	fd = open("/proc/self/exe", O_RDONLY);
	SHOW(mmap(at(20), PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0));
	SHOW(mmap(at(21), PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	SHOW(mprotect(at(21), PAGE, RW));
	close(fd);
	show_maps("files");
}

static void shared(void)
{
	int id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600);
	char *view;

	if (id < 0) {
		printf("no System V memory\n");
		return;
	}
	new_area();
	SHOW(shmat(id, at(4), 0));
	SHOW(shmat(id, at(16), SHM_REMAP));
	SHOW(shmat(id, at(30) + 5, SHM_REMAP | SHM_RND));
	SHOW(shmat(id, at(40) + 5, SHM_REMAP));
	SHOW(shmat(-1, NULL, 0));
	view = shmat(id, NULL, 0);
	strcpy(view, "shared");
	printf("views: %s %s\n", at(16), at(30));
	SHOW(shmdt(view));
	SHOW(shmdt(view));
	SHOW(shmdt(at(16)));
	SHOW(shmdt(at(31)));
	shmctl(id, IPC_RMID, NULL);
	show_maps("shared");
}

static void breaks(void)
{
	char *start = sbrk(0), *old;

	errno = MARK;
	old = sbrk(10 * PAGE);
	printf("sbrk up: %d, errno %d\n", old == start, errno);
	memset(old, 'b', 10 * PAGE);
	printf("sbrk 0: %zd\n", (char *)sbrk(0) - start);
	old = sbrk(-4 * PAGE);
	printf("sbrk down: %zd, now %zd\n", old - start, (char *)sbrk(0) - start);
	printf("brk: %d, now %zd\n", brk(start + 2 * PAGE), (char *)sbrk(0) - start);
	errno = MARK;
	printf("sbrk far: %d", sbrk(INTPTR_MAX) == (void *)-1);
	printf(" errno %d\n", errno);
	errno = MARK;
	printf("sbrk below nothing: %d", sbrk(INTPTR_MIN) == (void *)-1);
	printf(" errno %d\n", errno);
	errno = MARK;
	printf("brk far: %d", brk((void *)(INTPTR_MAX & -PAGE)));
	printf(" errno %d\n", errno);
	printf("now %zd\n", (char *)sbrk(0) - start);
	/* The C library's allocator may live there, too. */
	for (int i = 0; i < 100; i++) {
		char *block = malloc(50000), *more = sbrk(16);

		memset(block, i, 50000);
		memset(more, i, 16);
		if (i % 2)
			free(block);
	}
}

/* What bypasses the C library must not confuse what goes through it. */
static void bypasses(void)
{
	new_area();
	SHOW(syscall(SYS_munmap, at(8), 4 * PAGE));
	SHOW(syscall(SYS_mmap, at(20), 2 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0));
	SHOW(syscall(SYS_mprotect, at(30), PAGE, PROT_NONE));
	SHOW(mprotect(at(20), PAGE, RW));
	SHOW(munmap(at(6), 4 * PAGE));
	SHOW(mmap(at(8), PAGE, RW, ANON | MAP_FIXED, -1, 0));
	SHOW(madvise(at(29), 3 * PAGE, MADV_DONTNEED));
	show_maps("bypasses");
}

static void large_and_growing(void)
{
	char *stack = mmap(NULL, 16 * PAGE, RW, ANON | MAP_GROWSDOWN | MAP_STACK, -1, 0);
	char *large = mmap(NULL, 2 << 20, RW, ANON | MAP_HUGETLB, -1, 0);
	char *lazy = mmap(NULL, (size_t)64 << 30, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	printf("growing: %d\n", stack != MAP_FAILED);
	memset(stack, 1, 16 * PAGE);
	printf("unmap: %d\n", munmap(stack, 16 * PAGE));
	if (large != MAP_FAILED)
		munmap(large, 2 << 20);
	printf("64 GiB reserved: %d\n", lazy != MAP_FAILED);
	for (size_t i = 0; i < 100; i++)
		if (mprotect(lazy + (i << 29), PAGE, RW) != 0 || !memset(lazy + (i << 29), 1, PAGE))
			printf("commit %zu failed\n", i);
	printf("unmap: %d\n", munmap(lazy, (size_t)64 << 30));
}

/* As many ranges as the system allows, then all calls must still answer as they do. */
static void many(void)
{
	static char *pages[70000];
	int count = 0, more;

	while (count < 70000) {
		char *page = mmap(NULL, PAGE, count % 2 ? RW : PROT_READ,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			break;
		pages[count++] = page;
	}
	printf("many: %s, errno %d\n", count > 50000 ? "many" : "few", count < 70000 ? errno : 0);
	more = malloc(100) != NULL;
	for (int i = 0; i < count; i++)
		more &= munmap(pages[i], PAGE) == 0;
	printf("after many: %d\n", more);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	new_area();
	cut();
	fixed();
	protect();
	remap();
	advise();
	files();
	shared();
	breaks();
	bypasses();
	large_and_growing();
	many();
	return 0;
}
