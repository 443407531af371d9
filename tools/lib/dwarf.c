/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Sorted address ranges of compilation units, and of the functions of those units that were asked
 * for. libdw's own look-up needs .debug_aranges, which clang does not write.
 *
 *   units      [0x1000-0x1800 -> unit 3] [0x1800-0x2000 -> unit 0] ...
 *   functions  of unit 3: [0x1000-0x1040 -> DIE] ...      made at the first look-up in it
 *
 * Below a function the DIE tree is walked down along the blocks that hold the address. */

#include "tools/lib/dwarf.h"
#include "tools/lib/xalloc.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>

/* - [start, end) is not empty. */
struct range {
	Dwarf_Addr start, end;
	Dwarf_Off die;
	size_t unit; /* in ranges of units */
};

/* - ranges are sorted by start once they are complete. */
struct ranges {
	struct range *list;
	size_t count, capacity;
};

struct unit {
	Dwarf_Die die;
	struct ranges functions;
	bool is_indexed;
};

struct dwarf_index {
	Dwarf *dwarf;
	struct unit *units;
	size_t unit_count, unit_capacity;
	struct ranges ranges; /* of the units */
};

static void add_ranges(struct ranges *ranges, Dwarf_Die *die, size_t unit)
{
	struct range range = { .die = dwarf_dieoffset(die), .unit = unit };
	Dwarf_Addr base;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &range.start, &range.end)) > 0) {
		if (range.start >= range.end)
			continue;
		ranges->list = xgrow(ranges->list, ranges->count, &ranges->capacity,
				     sizeof(*ranges->list));
		ranges->list[ranges->count++] = range;
	}
}

static int compare_ranges(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

static void sort_ranges(struct ranges *ranges)
{
	if (ranges->count)
		qsort(ranges->list, ranges->count, sizeof(*ranges->list), compare_ranges);
}

static const struct range *find_range(const struct ranges *ranges, Dwarf_Addr address)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->list[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || ranges->list[low - 1].end <= address)
		return NULL;
	return &ranges->list[low - 1];
}

static void add_unit(struct dwarf_index *index, Dwarf_Die *die)
{
	index->units = xgrow(index->units, index->unit_count, &index->unit_capacity,
			     sizeof(*index->units));
	index->units[index->unit_count] = (struct unit){ .die = *die };
	add_ranges(&index->ranges, die, index->unit_count);
	index->unit_count++;
}

struct dwarf_index *dwarf_index_create(Dwarf *dwarf)
{
	struct dwarf_index *index = xcalloc(1, sizeof(*index));
	Dwarf_CU *unit = NULL;
	Dwarf_Die die, split;
	uint8_t type;

	index->dwarf = dwarf;
	while (dwarf && dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, &split) == 0) {
		if (type == DW_UT_skeleton && split.addr)
			add_unit(index, &split);
		else if (type != DW_UT_type && dwarf_tag(&die) == DW_TAG_compile_unit)
			add_unit(index, &die);
	}
	sort_ranges(&index->ranges);
	return index;
}

void dwarf_index_destroy(struct dwarf_index *index)
{
	for (size_t i = 0; i < index->unit_count; i++)
		free(index->units[i].functions.list);
	free(index->units);
	free(index->ranges.list);
	free(index);
}

enum { NESTING_MAX = 64 };

/* Functions with code, in namespaces and classes too. */
static void collect_functions(struct ranges *functions, Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;

	if (depth > NESTING_MAX || dwarf_child(parent, &die))
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
			add_ranges(functions, &die, 0);
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
			collect_functions(functions, &die, depth + 1);
			break;
		default:
			break;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

static bool find_function(struct unit *unit, Dwarf_Addr address, Dwarf_Die *function)
{
	if (!unit->is_indexed) {
		collect_functions(&unit->functions, &unit->die, 0);
		sort_ranges(&unit->functions);
		unit->is_indexed = true;
	}
	const struct range *range = find_range(&unit->functions, address);
	Dwarf *dwarf = dwarf_cu_getdwarf(unit->die.cu);
	return range && dwarf_offdie(dwarf, range->die, function);
}

/* The child that holds the address and can hold an inlined call. */
static bool find_inner(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *inner)
{
	if (dwarf_child(parent, inner))
		return false;
	do {
		int tag = dwarf_tag(inner);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(inner, address) > 0)
			return true;
	} while (dwarf_siblingof(inner, inner) == 0);
	return false;
}

/* The function and its inlined calls around the address, outermost first. */
static size_t find_chain(Dwarf_Die *function, Dwarf_Addr address, Dwarf_Die chain[DWARF_FRAMES_MAX])
{
	Dwarf_Die at = *function, inner;
	size_t count = 0;

	chain[count++] = *function;
	for (int depth = 0; depth < NESTING_MAX && find_inner(&at, address, &inner); depth++) {
		if (dwarf_tag(&inner) == DW_TAG_inlined_subroutine && count < DWARF_FRAMES_MAX)
			chain[count++] = inner;
		at = inner;
	}
	return count;
}

static const char *function_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return dwarf_formstring(&attribute);
	return dwarf_attr_integrate(die, DW_AT_name, &attribute) ? dwarf_formstring(&attribute)
								 : NULL;
}

static void find_line(Dwarf_Die *unit, Dwarf_Addr address, struct dwarf_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);

	if (!line)
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
	dwarf_lineno(line, &frame->line);
}

/* Where an inlined function was called, for the frame of its caller. */
static void find_call(Dwarf_Die *unit, Dwarf_Die *inlined, struct dwarf_frame *caller)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word value;
	size_t count;

	if (dwarf_getsrcfiles(unit, &files, &count) == 0 &&
	    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &value) == 0 &&
	    value < count)
		caller->file = dwarf_filesrc(files, value, NULL, NULL);
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &value) == 0)
		caller->line = (int)value;
}

size_t dwarf_index_find(struct dwarf_index *index, Dwarf_Addr address,
			struct dwarf_frame frames[DWARF_FRAMES_MAX])
{
	const struct range *range = find_range(&index->ranges, address);
	struct dwarf_frame none = { 0 };
	Dwarf_Die function, chain[DWARF_FRAMES_MAX];
	size_t count = 0;

	if (!range)
		return 0;
	struct unit *unit = &index->units[range->unit];
	if (find_function(unit, address, &function))
		count = find_chain(&function, address, chain);
	frames[0] = none;
	find_line(&unit->die, address, &frames[0]);
	for (size_t i = 0; i < count; i++) {
		Dwarf_Die *die = &chain[count - 1 - i];

		frames[i].function = function_name(die);
		if (i + 1 == count)
			break;
		frames[i + 1] = none;
		find_call(&unit->die, die, &frames[i + 1]);
	}
	return count ? count : 1;
}
