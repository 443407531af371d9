/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Functions, inlined calls and lines of one module's DWARF, by address. */

#ifndef VADTRACE_TOOLS_LIB_DWARF_H
#define VADTRACE_TOOLS_LIB_DWARF_H

#include <elfutils/libdw.h>
#include <stddef.h>

/* One level of an address: the innermost inlined function first, the real function last. */
struct dwarf_frame {
	const char *function; /* linkage name where there is one; NULL: unknown */
	const char *file;     /* NULL: unknown */
	int line;             /* 0: unknown */
};

enum { DWARF_FRAMES_MAX = 64 };

struct dwarf_index;

/* The index keeps `dwarf`, which must live longer; strings come from it. Never fails: a module
 * without DWARF has an empty index. */
struct dwarf_index *dwarf_index_create(Dwarf *dwarf);
void dwarf_index_destroy(struct dwarf_index *index);

/* The levels of the address, which is the file's own (without load bias). Returns how many: 0 when
 * no compilation unit covers it. */
size_t dwarf_index_find(struct dwarf_index *index, Dwarf_Addr address,
			struct dwarf_frame frames[DWARF_FRAMES_MAX]);

#endif
