/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Headers, sections, exports, COFF symbols and .pdata of a PE32+ file. All reads go through view(),
 * which checks them against the file's end. */

#include "tools/lib/pe.h"
#include "tools/lib/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	DIRECTORY_EXPORT = 0,
	DIRECTORY_EXCEPTION = 3,
	DIRECTORY_DEBUG = 6,
	SECTION_BYTES = 40,
	SYMBOL_BYTES = 18,
	DEBUG_BYTES = 28,
	DEBUG_TYPE_CODEVIEW = 2,
	CODEVIEW_BYTES = 24,
	MACHINE_AMD64 = 0x8664,
	MAGIC_PE32_PLUS = 0x20b,
	SECTION_IS_CODE = 0x20,
	CLASS_EXTERNAL = 2,
	CLASS_STATIC = 3,
	TYPE_FUNCTION = 0x20,
	NAMES_MAX = 1 << 20,
};

/* The bytes of the file; NULL when they are not all there. */
static const uint8_t *view(const struct pe *pe, uint64_t offset, uint64_t size_bytes)
{
	if (offset > pe->size_bytes || size_bytes > pe->size_bytes - offset)
		return NULL;
	return pe->bytes + offset;
}

static uint32_t read16(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read32(const uint8_t *at)
{
	return read16(at) | read16(at + 2) << 16;
}

static uint64_t read64(const uint8_t *at)
{
	return read32(at) | (uint64_t)read32(at + 4) << 32;
}

/* Bytes of the loaded image; NULL when the file does not hold them all. */
static const uint8_t *view_rva(const struct pe *pe, uint32_t rva, uint64_t size_bytes)
{
	for (size_t i = 0; i < pe->section_count; i++) {
		const struct pe_section *section = &pe->sections[i];

		if (section->data && rva >= section->rva &&
		    rva - section->rva <= section->data_bytes &&
		    size_bytes <= section->data_bytes - (rva - section->rva))
			return section->data + (rva - section->rva);
	}
	return NULL;
}

/* A terminated string of the image; NULL: it has no end. */
static const char *string_rva(const struct pe *pe, uint32_t rva)
{
	for (size_t i = 0; i < pe->section_count; i++) {
		const struct pe_section *section = &pe->sections[i];

		if (!section->data || rva < section->rva ||
		    rva - section->rva >= section->data_bytes)
			continue;
		const uint8_t *at = section->data + (rva - section->rva);
		if (memchr(at, 0, section->data_bytes - (rva - section->rva)))
			return (const char *)at;
	}
	return NULL;
}

/* The string table follows the COFF symbols. NULL: no such string. */
static const char *table_string(const struct pe *pe, uint32_t offset)
{
	uint64_t at = (uint64_t)pe->symbols_at + (uint64_t)pe->symbol_count * SYMBOL_BYTES + offset;

	if (!pe->symbols_at || at >= pe->size_bytes ||
	    !memchr(pe->bytes + at, 0, pe->size_bytes - at))
		return NULL;
	return (const char *)pe->bytes + at;
}

/* Up to eight characters, or "/" and where in the string table the name is. */
static const char *section_name(const struct pe *pe, const uint8_t *header, char *room)
{
	const char *name = NULL;

	memcpy(room, header, 8);
	room[8] = '\0';
	if (room[0] == '/')
		name = table_string(pe, (uint32_t)strtoul(room + 1, NULL, 10));
	return name ? name : room;
}

enum { NAME_ROOM = 9 };

/* The names that are not in the string table lie behind the sections. */
static bool read_sections(struct pe *pe, uint32_t at, size_t count)
{
	const uint8_t *headers = view(pe, at, (uint64_t)count * SECTION_BYTES);
	char *rooms;

	if (!headers)
		return false;
	pe->sections = xcalloc(1, count * (sizeof(*pe->sections) + NAME_ROOM) + 1);
	pe->section_count = count;
	rooms = (char *)(pe->sections + count);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *header = headers + i * SECTION_BYTES;
		struct pe_section *section = &pe->sections[i];
		uint32_t raw_bytes = read32(header + 16);

		section->name = section_name(pe, header, rooms + i * NAME_ROOM);
		section->size_bytes = read32(header + 8);
		section->rva = read32(header + 12);
		section->data_bytes = section->size_bytes && section->size_bytes < raw_bytes
					      ? section->size_bytes
					      : raw_bytes;
		section->data =
			raw_bytes ? view(pe, read32(header + 20), section->data_bytes) : NULL;
		section->is_code = read32(header + 36) & SECTION_IS_CODE;
	}
	return true;
}

static bool read_headers(struct pe *pe)
{
	const uint8_t *dos = view(pe, 0, 64);
	const uint8_t *coff, *optional;
	uint32_t at, optional_bytes;

	if (!dos || memcmp(dos, "MZ", 2))
		return false;
	at = read32(dos + 60);
	coff = view(pe, at, 24);
	if (!coff || memcmp(coff, "PE\0\0", 4) || read16(coff + 4) != MACHINE_AMD64)
		return false;
	optional_bytes = read16(coff + 20);
	optional = view(pe, (uint64_t)at + 24, optional_bytes);
	if (!optional || optional_bytes < 112 || read16(optional) != MAGIC_PE32_PLUS)
		return false;
	pe->time_stamp = read32(coff + 8);
	pe->symbols_at = read32(coff + 12);
	pe->symbol_count = read32(coff + 16);
	pe->image_base = read64(optional + 24);
	pe->image_bytes = read32(optional + 56);
	pe->directories_at = at + 24 + 112;
	pe->directory_count = read32(optional + 108);
	if (pe->directory_count > (optional_bytes - 112) / 8)
		pe->directory_count = (optional_bytes - 112) / 8;
	return read_sections(pe, at + 24 + optional_bytes, read16(coff + 6));
}

bool pe_open(struct pe *pe, int fd)
{
	struct stat status;
	void *bytes;

	memset(pe, 0, sizeof(*pe));
	if (fstat(fd, &status) || status.st_size <= 0)
		return false;
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	pe->bytes = bytes;
	pe->size_bytes = (size_t)status.st_size;
	if (read_headers(pe))
		return true;
	pe_close(pe);
	return false;
}

void pe_close(struct pe *pe)
{
	if (pe->bytes)
		munmap((void *)(uintptr_t)pe->bytes, pe->size_bytes);
	free(pe->sections);
	memset(pe, 0, sizeof(*pe));
}

void pe_identity(uint32_t time_stamp, uint32_t image_bytes, char identity[PE_IDENTITY_BYTES])
{
	snprintf(identity, PE_IDENTITY_BYTES, "%08x%x", time_stamp, image_bytes);
}

/* The directory's bytes, as far as they lie in one section. */
static const uint8_t *directory(const struct pe *pe, uint32_t number, uint32_t *rva,
				uint32_t *bytes)
{
	const uint8_t *entry =
		number < pe->directory_count ? view(pe, pe->directories_at + 8 * number, 8) : NULL;

	if (!entry)
		return NULL;
	*rva = read32(entry);
	*bytes = read32(entry + 4);
	return *rva ? view_rva(pe, *rva, *bytes) : NULL;
}

static bool is_code(const struct pe *pe, uint32_t rva)
{
	for (size_t i = 0; i < pe->section_count; i++)
		if (pe->sections[i].is_code && rva >= pe->sections[i].rva &&
		    rva - pe->sections[i].rva < pe->sections[i].size_bytes)
			return true;
	return false;
}

static void add_symbol(struct pe_symbols *symbols, const char *name, size_t length, uint32_t rva)
{
	if (!length)
		return;
	symbols->list =
		xgrow(symbols->list, symbols->count, &symbols->capacity, sizeof(*symbols->list));
	symbols->list[symbols->count++] =
		(struct pe_symbol){ .name = name, .length = length, .rva = rva };
}

/* A forwarder's address lies in the export directory itself, which is no code. */
static void add_exports(const struct pe *pe, struct pe_symbols *symbols)
{
	uint32_t rva, bytes;
	const uint8_t *exports = directory(pe, DIRECTORY_EXPORT, &rva, &bytes);

	if (!exports || bytes < 40)
		return;
	uint32_t function_count = read32(exports + 20), name_count = read32(exports + 24);
	if (function_count > NAMES_MAX || name_count > NAMES_MAX)
		return;
	const uint8_t *functions = view_rva(pe, read32(exports + 28), 4 * (uint64_t)function_count);
	const uint8_t *names = view_rva(pe, read32(exports + 32), 4 * (uint64_t)name_count);
	const uint8_t *ordinals = view_rva(pe, read32(exports + 36), 2 * (uint64_t)name_count);
	if (!functions || !names || !ordinals)
		return;
	for (uint32_t i = 0; i < name_count; i++) {
		const char *name = string_rva(pe, read32(names + 4 * (size_t)i));
		uint32_t ordinal = read16(ordinals + 2 * (size_t)i);

		if (name && ordinal < function_count &&
		    is_code(pe, read32(functions + 4 * (size_t)ordinal)))
			add_symbol(symbols, name, strlen(name),
				   read32(functions + 4 * (size_t)ordinal));
	}
}

static void add_coff_symbol(const struct pe *pe, struct pe_symbols *symbols, const uint8_t *entry)
{
	uint32_t section = read16(entry + 12), class = entry[16];
	const char *name = (const char *)entry;
	size_t length = strnlen(name, 8);

	if (section == 0 || section > pe->section_count || read16(entry + 14) != TYPE_FUNCTION ||
	    (class != CLASS_EXTERNAL && class != CLASS_STATIC))
		return;
	if (read32(entry) == 0) {
		name = table_string(pe, read32(entry + 4));
		length = name ? strlen(name) : 0;
	}
	uint32_t rva = pe->sections[section - 1].rva + read32(entry + 8);
	if (is_code(pe, rva))
		add_symbol(symbols, name, length, rva);
}

static void add_coff_symbols(const struct pe *pe, struct pe_symbols *symbols)
{
	const uint8_t *table = view(pe, pe->symbols_at, (uint64_t)pe->symbol_count * SYMBOL_BYTES);

	if (!pe->symbols_at || !table)
		return;
	for (uint64_t i = 0; i < pe->symbol_count; i++) {
		const uint8_t *entry = table + i * SYMBOL_BYTES;

		add_coff_symbol(pe, symbols, entry);
		i += entry[17]; /* what belongs to it */
	}
}

static int compare_symbols(const void *left, const void *right)
{
	const struct pe_symbol *a = left, *b = right;

	return a->rva < b->rva ? -1 : a->rva > b->rva;
}

/* The end of the function that .pdata has at this address, else where the next one begins there. */
static uint32_t pdata_end(const uint8_t *table, size_t count, uint32_t rva)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (read32(table + 12 * middle) <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && rva < read32(table + 12 * (low - 1) + 4))
		return read32(table + 12 * (low - 1) + 4);
	return low < count ? read32(table + 12 * low) : UINT32_MAX;
}

static uint32_t section_end(const struct pe *pe, uint32_t rva)
{
	for (size_t i = 0; i < pe->section_count; i++)
		if (rva >= pe->sections[i].rva &&
		    rva - pe->sections[i].rva < pe->sections[i].size_bytes)
			return pe->sections[i].rva + pe->sections[i].size_bytes;
	return rva;
}

/* A name ends where .pdata says, at the next name, or with its section: whichever comes first. */
static void set_sizes(const struct pe *pe, struct pe_symbols *symbols)
{
	uint32_t rva, bytes = 0;
	const uint8_t *table = directory(pe, DIRECTORY_EXCEPTION, &rva, &bytes);
	uint32_t next = UINT32_MAX;

	for (size_t i = symbols->count; i-- > 0;) {
		struct pe_symbol *symbol = &symbols->list[i];
		uint32_t end = section_end(pe, symbol->rva);
		uint32_t function_end = table ? pdata_end(table, bytes / 12, symbol->rva) : end;

		if (i + 1 < symbols->count && symbols->list[i + 1].rva != symbol->rva)
			next = symbols->list[i + 1].rva;
		if (function_end < end)
			end = function_end;
		if (next < end)
			end = next;
		symbol->size_bytes = end > symbol->rva ? end - symbol->rva : 0;
	}
}

void pe_find_symbols(const struct pe *pe, struct pe_symbols *symbols)
{
	memset(symbols, 0, sizeof(*symbols));
	add_exports(pe, symbols);
	add_coff_symbols(pe, symbols);
	if (symbols->count)
		qsort(symbols->list, symbols->count, sizeof(*symbols->list), compare_symbols);
	set_sizes(pe, symbols);
}

bool pe_has_dwarf(const struct pe *pe)
{
	for (size_t i = 0; i < pe->section_count; i++)
		if (pe->sections[i].data && !strcmp(pe->sections[i].name, ".debug_info"))
			return true;
	return false;
}

/* "RSDS", a GUID, an age, and the name. */
static const char *codeview_name(const struct pe *pe, uint32_t offset, uint32_t bytes)
{
	const uint8_t *record = view(pe, offset, bytes);

	if (!record || bytes <= CODEVIEW_BYTES || memcmp(record, "RSDS", 4) ||
	    !memchr(record + CODEVIEW_BYTES, 0, bytes - CODEVIEW_BYTES))
		return NULL;
	return (const char *)record + CODEVIEW_BYTES;
}

const char *pe_pdb_name(const struct pe *pe)
{
	const char *name = NULL;
	uint32_t rva, bytes;
	const uint8_t *entry = directory(pe, DIRECTORY_DEBUG, &rva, &bytes);

	for (; entry && bytes >= DEBUG_BYTES && !name; entry += DEBUG_BYTES, bytes -= DEBUG_BYTES)
		if (read32(entry + 12) == DEBUG_TYPE_CODEVIEW)
			name = codeview_name(pe, read32(entry + 24), read32(entry + 16));
	return name;
}
