/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Headers, exports, .pdata and relocations of a PE32+ image.
 *
 *   0      "MZ", at 0x3c the offset of
 *   pe     "PE\0\0", file header (20 bytes), optional header with the directories, sections
 *
 * Numbers are read with memcpy: nothing says that they are aligned. All tables that are searched
 * by halves are sorted by the format's own rules; in one that is not, something is not found, and
 * the search still ends. */

#include "preload/pe/plan/image.h"

#include <string.h>

#define MACHINE_X86_64 0x8664
#define MAGIC_PE32_PLUS 0x20b
#define FILE_HEADER_BYTES 24 /* with the signature */
#define DIRECTORIES_OFFSET 112
#define SECTION_BYTES 40
#define SECTION_IS_CODE 0x20000000u /* IMAGE_SCN_MEM_EXECUTE */
#define EXPORT_DIRECTORY_BYTES 40
#define FUNCTION_BYTES 12
#define RELOCATION_DIR64 10
#define RELOCATION_BLOCK_BYTES 8
#define PAGE_BYTES 4096

enum directory { DIRECTORY_EXPORT = 0, DIRECTORY_EXCEPTION = 3, DIRECTORY_RELOCATION = 5 };

static uint16_t read16(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint32_t read32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint64_t read64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* Bytes of the buffer, whatever they mean. */
static const uint8_t *raw(const struct pe_image *image, size_t offset, size_t size_bytes)
{
	if (offset > image->size_bytes || size_bytes > image->size_bytes - offset)
		return NULL;
	return image->bytes + offset;
}

static struct pe_range directory(const uint8_t *optional, uint32_t count, enum directory which)
{
	const uint8_t *row = optional + DIRECTORIES_OFFSET + (size_t)which * 8;

	if ((uint32_t)which >= count)
		return (struct pe_range){ 0, 0 };
	return (struct pe_range){ read32(row), read32(row + 4) };
}

static bool read_optional(struct pe_image *image, const uint8_t *optional, uint16_t size_bytes)
{
	uint32_t count;

	if (size_bytes < DIRECTORIES_OFFSET || read16(optional) != MAGIC_PE32_PLUS)
		return false;
	image->preferred_base = read64(optional + 24);
	image->image_bytes = read32(optional + 56);
	image->header_bytes = read32(optional + 60);
	count = read32(optional + 108);
	if (count > (uint32_t)(size_bytes - DIRECTORIES_OFFSET) / 8)
		count = (uint32_t)(size_bytes - DIRECTORIES_OFFSET) / 8;
	image->exports = directory(optional, count, DIRECTORY_EXPORT);
	image->functions = directory(optional, count, DIRECTORY_EXCEPTION);
	image->relocations = directory(optional, count, DIRECTORY_RELOCATION);
	return true;
}

bool pe_image_open(struct pe_image *image, const void *bytes, size_t size_bytes,
		   enum pe_layout layout)
{
	const uint8_t *at;
	uint16_t optional_bytes;
	size_t header;

	*image = (struct pe_image){ .bytes = bytes, .size_bytes = size_bytes, .layout = layout };
	at = raw(image, 0, 64);
	if (!at || at[0] != 'M' || at[1] != 'Z')
		return false;
	header = read32(at + 0x3c);
	at = raw(image, header, FILE_HEADER_BYTES);
	if (!at || memcmp(at, "PE\0", 4) != 0 || read16(at + 4) != MACHINE_X86_64)
		return false;
	image->section_count = read16(at + 6);
	optional_bytes = read16(at + 20);
	at = raw(image, header + FILE_HEADER_BYTES, optional_bytes);
	if (!at || !read_optional(image, at, optional_bytes))
		return false;
	image->sections = raw(image, header + FILE_HEADER_BYTES + optional_bytes,
			      (size_t)image->section_count * SECTION_BYTES);
	return image->sections != NULL;
}

/* --- Sections -------------------------------------------------------------------------------- */

struct section {
	uint32_t rva, size_bytes;
	uint32_t file_offset, file_bytes;
	uint32_t flags;
};

static struct section section_at(const struct pe_image *image, unsigned int index)
{
	const uint8_t *row = image->sections + (size_t)index * SECTION_BYTES;
	struct section section = {
		.size_bytes = read32(row + 8),
		.rva = read32(row + 12),
		.file_bytes = read32(row + 16),
		.file_offset = read32(row + 20),
		.flags = read32(row + 36),
	};

	if (section.size_bytes == 0)
		section.size_bytes = section.file_bytes;
	return section;
}

static bool find_section(const struct pe_image *image, uint32_t rva, struct section *found)
{
	for (unsigned int i = 0; i < image->section_count; i++) {
		*found = section_at(image, i);
		if (rva >= found->rva && rva - found->rva < found->size_bytes)
			return true;
	}
	return false;
}

/* In the file, what a section has beyond the file's bytes is zero and has no place. */
static const uint8_t *at_in_file(const struct pe_image *image, uint32_t rva, size_t size_bytes)
{
	struct section section;
	uint32_t offset;

	if (rva < image->header_bytes)
		return size_bytes <= image->header_bytes - rva ? raw(image, rva, size_bytes) : NULL;
	if (!find_section(image, rva, &section))
		return NULL;
	offset = rva - section.rva;
	if (offset > section.file_bytes || size_bytes > section.file_bytes - offset)
		return NULL;
	return raw(image, (size_t)section.file_offset + offset, size_bytes);
}

const uint8_t *pe_image_at(const struct pe_image *image, uint32_t rva, size_t size_bytes)
{
	return image->layout == PE_LAYOUT_FILE ? at_in_file(image, rva, size_bytes)
					       : raw(image, rva, size_bytes);
}

uint32_t pe_image_code_bytes(const struct pe_image *image, uint32_t rva)
{
	struct section section;

	if (!find_section(image, rva, &section) || !(section.flags & SECTION_IS_CODE))
		return 0;
	return section.size_bytes - (rva - section.rva);
}

/* --- Exports --------------------------------------------------------------------------------- */

/*  - names: name_count RVAs of strings in rising order; ordinals: as many indices into functions.
 */
struct export_table {
	const uint8_t *names, *ordinals, *functions;
	uint32_t name_count, function_count;
};

static bool read_exports(const struct pe_image *image, struct export_table *table)
{
	const uint8_t *at = pe_image_at(image, image->exports.rva, EXPORT_DIRECTORY_BYTES);

	if (!at || image->exports.size_bytes < EXPORT_DIRECTORY_BYTES)
		return false;
	table->function_count = read32(at + 20);
	table->name_count = read32(at + 24);
	table->functions = pe_image_at(image, read32(at + 28),
				       (size_t)table->function_count * sizeof(uint32_t));
	table->names =
		pe_image_at(image, read32(at + 32), (size_t)table->name_count * sizeof(uint32_t));
	table->ordinals =
		pe_image_at(image, read32(at + 36), (size_t)table->name_count * sizeof(uint16_t));
	return table->functions && table->names && table->ordinals;
}

/* As strcmp with the string at `rva`; a string that leaves the image ends there. */
static int compare_name(const struct pe_image *image, const char *name, uint32_t rva)
{
	for (;; name++, rva++) {
		const uint8_t *at = pe_image_at(image, rva, 1);
		uint8_t other = at ? *at : 0;

		if ((uint8_t)*name != other)
			return (uint8_t)*name < other ? -1 : 1;
		if (other == 0)
			return 0;
	}
}

static bool find_name(const struct pe_image *image, const struct export_table *table,
		      const char *name, uint32_t *index)
{
	uint32_t low = 0, high = table->name_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare_name(image, name, read32(table->names + (size_t)middle * 4));

		*index = middle;
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static enum pe_export_kind kind_of(const struct pe_image *image, uint32_t rva)
{
	const struct pe_range *exports = &image->exports;

	if (rva >= exports->rva && rva - exports->rva < exports->size_bytes)
		return PE_EXPORT_FORWARD;
	return pe_image_code_bytes(image, rva) > 0 ? PE_EXPORT_CODE : PE_EXPORT_OTHER;
}

struct pe_export pe_image_export(const struct pe_image *image, const char *name)
{
	struct pe_export found = { PE_EXPORT_ABSENT, 0 };
	struct export_table table;
	uint32_t index;

	if (!read_exports(image, &table) || !find_name(image, &table, name, &index))
		return found;
	index = read16(table.ordinals + (size_t)index * 2);
	if (index >= table.function_count)
		return found;
	found.rva = read32(table.functions + (size_t)index * 4);
	if (found.rva != 0)
		found.kind = kind_of(image, found.rva);
	return found;
}

/* --- .pdata ---------------------------------------------------------------------------------- */

static struct pe_function function_at(const uint8_t *rows, uint32_t index)
{
	const uint8_t *row = rows + (size_t)index * FUNCTION_BYTES;

	return (struct pe_function){ read32(row), read32(row + 4), read32(row + 8) };
}

/* How many rows begin at the address or below. */
static uint32_t count_below(const uint8_t *rows, uint32_t count, uint32_t rva)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (function_at(rows, middle).begin <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool pe_image_function(const struct pe_image *image, uint32_t rva, struct pe_function *function,
		       uint32_t *after)
{
	uint32_t count = image->functions.size_bytes / FUNCTION_BYTES;
	const uint8_t *rows =
		pe_image_at(image, image->functions.rva, (size_t)count * FUNCTION_BYTES);
	uint32_t below;

	*after = UINT32_MAX;
	if (!rows)
		return false;
	below = count_below(rows, count, rva);
	if (below < count)
		*after = function_at(rows, below).begin;
	if (below == 0)
		return false;
	*function = function_at(rows, below - 1);
	return rva < function->end;
}

/* --- Relocations ----------------------------------------------------------------------------- */

/* Whether a row of the block touches [rva, rva + size_bytes). */
static bool block_touches(const uint8_t *rows, uint32_t row_count, uint32_t page, uint32_t rva,
			  uint32_t size_bytes)
{
	for (uint32_t i = 0; i < row_count; i++) {
		uint16_t row = read16(rows + (size_t)i * 2);
		uint64_t address = (uint64_t)page + (row & 0xfff);

		if (row >> 12 == RELOCATION_DIR64 && address < (uint64_t)rva + size_bytes &&
		    rva < address + sizeof(uint64_t))
			return true;
	}
	return false;
}

static bool is_near(uint32_t page, uint32_t rva, uint32_t size_bytes)
{
	return (uint64_t)page < (uint64_t)rva + size_bytes &&
	       rva < (uint64_t)page + PAGE_BYTES + sizeof(uint64_t);
}

bool pe_image_is_relocated(const struct pe_image *image, uint32_t rva, uint32_t size_bytes)
{
	uint32_t left = image->relocations.size_bytes;
	const uint8_t *block = pe_image_at(image, image->relocations.rva, left);

	while (block && left >= RELOCATION_BLOCK_BYTES) {
		uint32_t page = read32(block), block_bytes = read32(block + 4);

		if (block_bytes < RELOCATION_BLOCK_BYTES || block_bytes > left)
			return false;
		if (is_near(page, rva, size_bytes) &&
		    block_touches(block + RELOCATION_BLOCK_BYTES,
				  (block_bytes - RELOCATION_BLOCK_BYTES) / 2, page, rva,
				  size_bytes))
			return true;
		block += block_bytes;
		left -= block_bytes;
	}
	return false;
}
