/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Size classes: every size falls into the smallest class that holds it, and little is wasted. */

#include "core/heap/classes.h"

#include <stdbool.h>

#include "core/heap/layout.h"
#include "tests/lib/tap.h"

static bool classes_rise(void)
{
	for (uint32_t c = 1; c < CLASS_COUNT; c++) {
		if (class_bytes(c) <= class_bytes(c - 1) || class_bytes(c) % 16)
			return false;
	}
	return class_bytes(0) == 16 && class_bytes(CLASS_COUNT - 1) == CLASS_BYTES_MAX;
}

static bool each_size_fits(void)
{
	for (size_t size = 0; size <= CLASS_BYTES_MAX; size++) {
		uint32_t c = class_of_size(size);

		if (c >= CLASS_COUNT || class_bytes(c) < size)
			return false;
		if (c > 0 && class_bytes(c - 1) >= size)
			return false;
	}
	return true;
}

/* Smaller sizes are rounded to 16, as their alignment asks. */
static bool little_is_wasted(void)
{
	for (size_t size = 129; size <= CLASS_BYTES_MAX; size++) {
		if ((class_bytes(class_of_size(size)) - size) * 8 > size)
			return false;
	}
	return true;
}

static bool direct_sizes_share_a_class(void)
{
	for (size_t size = 0; size <= DIRECT_BYTES_MAX; size++) {
		if (class_of_size(size) != class_of_size(direct_index(size) * 16))
			return false;
	}
	return true;
}

static bool spans_hold_enough(void)
{
	for (uint32_t c = 0; c < CLASS_COUNT; c++) {
		size_t span = class_slices(c) * SLICE_BYTES;

		if (span / class_bytes(c) < 8 || class_slices(c) > SLICES_PER_SPAN_MAX)
			return false;
		if (span % class_bytes(c) * 8 > span)
			return false;
	}
	return true;
}

/* The multiplication that replaces a remainder, for every offset in a span. */
static bool divider_finds_starts(size_t block_bytes, size_t span)
{
	struct page page = { .start = (char *)SEGMENT_BYTES,
			     .block_bytes = block_bytes,
			     .divider = page_divider(block_bytes) };

	for (size_t offset = 0; offset < span; offset++) {
		if (page_divides(&page, offset) != (offset % block_bytes == 0))
			return false;
	}
	return true;
}

/* The same, and whether the block has been carved: for no, one, half and all blocks of a span, and
 * for offsets from before its start. */
static bool product_tells_carved(size_t block_bytes, size_t span)
{
	const uint32_t limit = (uint32_t)(span / block_bytes);
	const uint32_t counts[] = { 0, 1, limit / 2, limit - 1, limit };
	struct page page = { .start = (char *)SEGMENT_BYTES,
			     .block_bytes = block_bytes,
			     .divider = page_divider(block_bytes) };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		page_set_carved(&page, counts[i]);
		for (ptrdiff_t offset = -(ptrdiff_t)SLICE_BYTES; offset < (ptrdiff_t)span;
		     offset++) {
			bool is_carved = offset >= 0 && (size_t)offset < counts[i] * block_bytes;

			if (page_has_block(&page, page.start + offset) !=
			    (is_carved && (size_t)offset % block_bytes == 0))
				return false;
		}
	}
	return true;
}

int main(void)
{
	ok(classes_rise(), "classes rise, from 16 bytes to 128 KiB");
	ok(each_size_fits(), "each size has the smallest class that holds it");
	ok(little_is_wasted(), "no class wastes more than an eighth");
	ok(direct_sizes_share_a_class(), "the direct index keeps sizes of one class together");
	ok(spans_hold_enough(), "spans hold eight blocks, and waste at most an eighth");
	for (uint32_t c = 0; c < CLASS_COUNT; c++)
		ok(divider_finds_starts(class_bytes(c), class_slices(c) * SLICE_BYTES),
		   "class %u: the divider finds where blocks start", c);
	for (uint32_t c = 0; c < CLASS_COUNT; c++)
		ok(product_tells_carved(class_bytes(c), class_slices(c) * SLICE_BYTES),
		   "class %u: one comparison tells whether a carved block starts here", c);
	return tap_done();
}
