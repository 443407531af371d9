/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Nodes of memory on machines that are folders of files, and a region that prefers one: the
 * system's list shows it, and shows it again after a decommit. Linked with os_fake.c. */

#include "core/vm/numa.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/core.h"
#include "core/os/os.h"
#include "core/os/os_fake.h"
#include "tests/lib/tap.h"

#define GRANULE 0x10000
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char folder[] = "/tmp/vadtrace-numa-XXXXXX";

static const char *const folders[] = {
	"/sys",
	"/sys/devices",
	"/sys/devices/system",
	"/sys/devices/system/node",
	"/sys/devices/system/node/node0",
	"/sys/devices/system/node/node2",
	"/sys/devices/system/node/node17",
};

static const struct {
	const char *path, *text;
} files[] = {
	{ "/sys/devices/system/node/online", "0,2,17\n" },
	{ "/sys/devices/system/node/node0/cpulist", "0-3,8-9\n" },
	{ "/sys/devices/system/node/node0/meminfo",
	  "Node 0 MemTotal:       2048 kB\nNode 0 MemFree:        1024 kB\n" },
	{ "/sys/devices/system/node/node2/cpulist", "\n" },
	{ "/sys/devices/system/node/node2/meminfo", "Node 2 MemFree:           0 kB\n" },
	{ "/sys/devices/system/node/node17/cpulist", "63-70\n" },
	{ "/sys/devices/system/node/node17/meminfo", "Node 17 MemFree:   104857600 kB\n" },
};

static const char *inside(const char *path)
{
	static char text[256];

	snprintf(text, sizeof text, "%s%s", folder, path);
	return text;
}

static bool make_machine(void)
{
	bool is_made = mkdtemp(folder) != NULL;

	for (size_t i = 0; i < COUNT(folders); i++)
		is_made = is_made && mkdir(inside(folders[i]), 0700) == 0;
	for (size_t i = 0; i < COUNT(files) && is_made; i++) {
		FILE *file = fopen(inside(files[i].path), "w");

		is_made = file && fputs(files[i].text, file) >= 0 && fclose(file) == 0;
	}
	return is_made;
}

static void remove_machine(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(inside(files[i].path));
	for (size_t i = COUNT(folders); i-- > 0;)
		rmdir(inside(folders[i]));
	rmdir(folder);
}

static void test_nodes(void)
{
	ULONG highest = 0;
	uint64_t number = 0;

	ok_equal(numa_nodes(), 1 | 1 << 2 | 1 << 17, "three nodes");
	ok(GetNumaHighestNodeNumber(&highest) && highest == 17, "the highest number");
	ok(numa_processors(0, &number) && number == 0x30f, "processors of the first");
	ok(numa_processors(2, &number) && number == 0, "memory without processors");
	ok(numa_processors(17, &number) && number == UINT64_C(1) << 63, "what is past the 64th");
	ok(numa_free_bytes(0, &number) && number == 1024 * 1024, "free memory of the first");
	ok(numa_free_bytes(2, &number) && number == 0, "of one that is full");
	ok(numa_free_bytes(17, &number) && number == UINT64_C(100) << 30, "of the last");
	ok(!numa_processors(1, &number) && !numa_free_bytes(1, &number), "there is no second");
	ok(!numa_processors(4711, &number) && !numa_free_bytes(64, &number), "nor what has no bit");
}

static void test_faces(void)
{
	GROUP_AFFINITY mask;
	ULONGLONG free_bytes;

	SetLastError(0xdeadbeef);
	ok(!GetNumaNodeProcessorMaskEx(1, &mask) && GetLastError() == ERROR_INVALID_PARAMETER,
	   "a node that is not there has no processors");
	ok(!GetNumaAvailableMemoryNodeEx(18, &free_bytes) &&
		   GetLastError() == ERROR_INVALID_PARAMETER,
	   "and no memory");
	ok(GetNumaNodeProcessorMaskEx(0, &mask) && mask.Mask == 0x30f && mask.Group == 0, "a mask");
	ok(!GetNumaHighestNodeNumber(NULL) && GetLastError() == ERROR_NOACCESS, "NULL is answered");
}

/* Whether the system's list says of the range at `base` that it prefers the first node. */
static bool is_preferring(const void *base)
{
	char line[512], beginning[32];
	FILE *list = fopen("/proc/self/numa_maps", "r");
	bool is_found = false;

	snprintf(beginning, sizeof beginning, "%lx ", (unsigned long)base);
	while (list && fgets(line, sizeof line, list)) {
		if (strncmp(line, beginning, strlen(beginning)) == 0)
			is_found = strstr(line, "prefer:0") || strstr(line, "prefer (many):0");
	}
	if (list)
		fclose(list);
	return is_found;
}

static void test_region(void)
{
	HANDLE self = GetCurrentProcess();
	char *base = VirtualAllocExNuma(self, NULL, 4 * GRANULE, MEM_RESERVE, PAGE_READWRITE, 0);

	if (access("/proc/self/numa_maps", R_OK) != 0)
		tap_todo = "the system shows no nodes";
	ok(base && is_preferring(base), "a reserved region prefers its node");
	VirtualAlloc(base, 4 * GRANULE, MEM_COMMIT, PAGE_READWRITE);
	ok(is_preferring(base), "a committed one too");
	VirtualFree(base, 0, MEM_DECOMMIT);
	ok(is_preferring(base), "and after a decommit");
	VirtualFree(base, 0, MEM_RELEASE);
	base = VirtualAllocExNuma(self, NULL, GRANULE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, 2);
	ok(base != NULL, "a node that the system refuses is a wish that is not granted");
	base[0] = 1;
	VirtualFree(base, 0, MEM_RELEASE);
	SetLastError(0xdeadbeef);
	ok(!VirtualAllocExNuma(self, NULL, GRANULE, MEM_RESERVE, PAGE_READWRITE, 1) &&
		   GetLastError() == ERROR_INVALID_PARAMETER,
	   "a node that is not there is refused");
}

/* What the system is asked for on a machine of three nodes: numbers 0, 2 and 17. */
static void test_asked(void)
{
	static const DWORD nodes[] = { 17, 2, 0 };
	HANDLE self = GetCurrentProcess();

	for (size_t i = 0; i < COUNT(nodes); i++) {
		char *base = VirtualAllocExNuma(self, NULL, 2 * GRANULE, MEM_RESERVE | MEM_COMMIT,
						PAGE_READWRITE, nodes[i]);

		ok(base && os_fake_preference.address == base &&
			   os_fake_preference.size_bytes == 2 * GRANULE,
		   "row %zu: the region's pages", i);
		ok_equal(os_fake_preference.nodes, UINT64_C(1) << nodes[i], "row %zu: that node",
			 i);
		os_fake_preference = (struct os_fake_preference){ NULL, 0, 0 };
		VirtualAllocExNuma(self, base, GRANULE, MEM_COMMIT, PAGE_READWRITE, 2);
		ok(!os_fake_preference.nodes || os_fake_preference.nodes == UINT64_C(1) << nodes[i],
		   "row %zu: no other one when pages of it are committed", i);
		VirtualFree(base, 0, MEM_RELEASE);
	}
	os_fake_preference = (struct os_fake_preference){ NULL, 0, 0 };
	VirtualFree(VirtualAlloc(NULL, GRANULE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), 0,
		    MEM_RELEASE);
	ok(!os_fake_preference.address, "VirtualAlloc asks for none");
}

/* Without files there is one node; known nodes are remembered, so another process looks. */
static void test_nothing(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		os_fake_root("/nonexistent");
		_exit(numa_nodes() == 1 && os_fake_calls() > 0 ? 0 : 1);
	}
	ok(waitpid(child, &status, 0) == child && status == 0, "a system that says nothing");
}

int main(void)
{
	test_nothing();
	ok(make_machine(), "a machine of files");
	os_fake_root(folder);
	test_nodes();
	test_faces();
	os_fake_root(NULL);
	test_region();
	test_asked();
	remove_machine();
	return tap_done();
}
