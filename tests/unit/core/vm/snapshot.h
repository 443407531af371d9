/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the address space looks like at a moment, as text: the system's list of mappings,
 * VirtualQuery from the first address to the last, and core's totals. Two moments are compared line
 * by line. Nothing here allocates, so that to look changes nothing. */

#ifndef VADTRACE_TESTS_UNIT_CORE_VM_SNAPSHOT_H
#define VADTRACE_TESTS_UNIT_CORE_VM_SNAPSHOT_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/os/os.h"
#include "core/types.h"
#include "core/vm/charge.h"
#include "core/vm/virtual.h"

struct snapshot {
	size_t length;
	char text[1 << 18];
};

__attribute__((format(printf, 2, 3), unused)) static void snapshot_add(struct snapshot *snapshot,
								       const char *format, ...)
{
	size_t room = sizeof snapshot->text - snapshot->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(snapshot->text + snapshot->length, room, format, arguments);
	va_end(arguments);
	snapshot->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void snapshot_add_maps(struct snapshot *snapshot)
{
	int fd = os_open("/proc/self/maps", O_RDONLY, /* mode */ 0);
	ssize_t got;

	do {
		got = os_read(fd, snapshot->text + snapshot->length,
			      sizeof snapshot->text - snapshot->length - 1);
		snapshot->length += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	os_close(fd);
	snapshot->text[snapshot->length] = '\0';
}

static void snapshot_add_walk(struct snapshot *snapshot)
{
	MEMORY_BASIC_INFORMATION info;

	for (char *at = NULL; vm_query(at, &info) >= 0;
	     at = (char *)info.BaseAddress + info.RegionSize)
		snapshot_add(snapshot, "query %p+%zx of %p: %x %x %x %x\n", info.BaseAddress,
			     info.RegionSize, info.AllocationBase, info.AllocationProtect,
			     info.State, info.Protect, info.Type);
}

static void snapshot_add_charge(struct snapshot *snapshot)
{
	struct charge totals;

	charge_read(&totals);
	snapshot_add(snapshot, "reserved %llx committed %llx guarded %llx\n",
		     (unsigned long long)totals.reserved_bytes,
		     (unsigned long long)totals.committed_bytes,
		     (unsigned long long)totals.guarded_bytes);
	for (int bit = 0; bit < CHARGE_PROTECTIONS; bit++)
		snapshot_add(snapshot, "protection %x: %llx\n", 1u << bit,
			     (unsigned long long)totals.protected_bytes[bit]);
}

__attribute__((unused)) static void snapshot_take(struct snapshot *snapshot)
{
	snapshot->length = 0;
	snapshot_add_maps(snapshot);
	snapshot_add_walk(snapshot);
	snapshot_add_charge(snapshot);
}

/* Prints the first line that differs. */
__attribute__((unused)) static bool snapshot_is_same(const struct snapshot *expected,
						     const struct snapshot *got)
{
	const char *a = expected->text, *b = got->text;

	while (*a && *b) {
		size_t length = strcspn(a, "\n");

		if (strcspn(b, "\n") != length || memcmp(a, b, length) != 0)
			break;
		a += length + (a[length] == '\n');
		b += length + (b[length] == '\n');
	}
	if (!*a && !*b)
		return true;
	printf("# expected: %.*s\n# got:      %.*s\n", (int)strcspn(a, "\n"), a,
	       (int)strcspn(b, "\n"), b);
	return false;
}

#endif
