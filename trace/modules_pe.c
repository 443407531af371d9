/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Images are looked for in /proc/self/maps: the last one that begins at or before the address.
 *
 *   7b000000-7b001000 r--p 00000000 ... kernelbase.dll     "MZ" at a multiple of 64 KiB
 *   7b001000-7b0a0000 r-xp 00001000 ... kernelbase.dll     sections, of the file or copied from it
 *
 * All reading of images goes through the kernel, which answers where there is nothing: a program
 * may unmap, protect or overwrite its images at any time.
 *
 * The scan's buffers are guarded by scan_lock. Ranges without an image are one atomic word each
 * and may be lost. */

#include "trace/modules_pe.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "trace/functions_pe.h"
#include "trace/memory.h"
#include "trace/modules.h"
#include "trace/system.h"

#define PAGE 4096u
#define PAGE_BITS 12
#define IMAGE_ALIGNMENT UINT64_C(0x10000)
#define HEADER_MAX 4096u
#define MACHINE_X86_64 0x8664u
#define MAGIC_PE32_PLUS 0x20bu
#define FUNCTION_SIZE 12u
#define NAME_MAX_SIZE 256u
#define DEBUG_ENTRIES_MAX 16u
#define DEBUG_CODEVIEW 2u
#define CODEVIEW_RSDS UINT32_C(0x53445352)

#define GAPS 64u
#define GAP_PAGES_BITS 28
#define GAP_LIFE_NS UINT64_C(1000000000)

enum directory { DIRECTORY_EXPORT = 0, DIRECTORY_EXCEPTION = 3, DIRECTORY_DEBUG = 6 };

struct directory_entry {
	uint32_t rva, size_bytes;
};

/* From the PE signature on. */
struct header {
	uint32_t signature;
	uint16_t machine, section_count;
	uint32_t timestamp, symbols, symbol_count;
	uint16_t optional_size, characteristics;
	uint16_t magic;
	uint8_t linker[2];
	uint32_t sizes[4], code_base;
	uint64_t image_base;
	uint32_t section_alignment, file_alignment;
	uint16_t versions[6];
	uint32_t reserved, image_size, headers_size, checksum;
	uint16_t subsystem, dll_characteristics;
	uint64_t stack_heap[4];
	uint32_t loader_flags, directory_count;
	struct directory_entry directories[DIRECTORY_DEBUG + 1];
};
_Static_assert(offsetof(struct header, image_size) == 24 + 56, "as Windows has it");
_Static_assert(offsetof(struct header, directories) == 24 + 112, "as Windows has it");

struct section {
	char name[8];
	uint32_t size_bytes, rva, file_size, file_offset;
	uint32_t unused[3], characteristics;
};
_Static_assert(sizeof(struct section) == 40, "as Windows has it");

struct export_directory {
	uint32_t characteristics, timestamp;
	uint16_t major, minor;
	uint32_t name, ordinal_base, function_count, name_count, functions, names, ordinals;
};
_Static_assert(sizeof(struct export_directory) == 40, "as Windows has it");

struct debug_entry {
	uint32_t characteristics, timestamp;
	uint16_t major, minor;
	uint32_t type, size_bytes, rva, file_offset;
};
_Static_assert(sizeof(struct debug_entry) == 28, "as Windows has it");

struct codeview {
	uint32_t signature, data1;
	uint16_t data2, data3;
	uint8_t data4[8];
	uint32_t age;
};
_Static_assert(sizeof(struct codeview) == 24, "as Windows has it");

/* One line of /proc/self/maps. */
struct mapping {
	uint64_t start, end, offset;
	bool is_readable;
	const char *path; /* "" for none */
};

/* A scan: reads the file in pieces; `text` holds [at, used). */
struct scan {
	long file;
	size_t at, used;
	char text[2 * PATH_MAX];
};

/* A range without an image: its first page and the number of pages, or 0; and how long that is
 * believed. */
struct gap {
	uint64_t pages;
	uint64_t until_ns;
};

static struct memory_lock scan_lock;
static struct scan scan;
static char image_path[PATH_MAX];
static struct gap gaps[GAPS];
static uint32_t next_gap;

static bool is_in_gap(uint64_t address)
{
	uint64_t page = address >> PAGE_BITS, now_ns = 0;

	for (uint32_t i = 0; i < GAPS; i++) {
		uint64_t pages = __atomic_load_n(&gaps[i].pages, __ATOMIC_RELAXED);
		uint64_t count = pages & ((UINT64_C(1) << GAP_PAGES_BITS) - 1);

		if (page - (pages >> GAP_PAGES_BITS) >= count)
			continue;
		if (now_ns == 0)
			now_ns = system_now_ns();
		if (now_ns < __atomic_load_n(&gaps[i].until_ns, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void remember_gap_locked(uint64_t start, uint64_t end)
{
	struct gap *gap = &gaps[next_gap++ % GAPS];
	uint64_t count = (end - start) >> PAGE_BITS, limit = (UINT64_C(1) << GAP_PAGES_BITS) - 1;
	uint64_t word = start >> PAGE_BITS << GAP_PAGES_BITS | (count < limit ? count : limit);

	__atomic_store_n(&gap->pages, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&gap->until_ns, system_now_ns() + GAP_LIFE_NS, __ATOMIC_RELEASE);
	__atomic_store_n(&gap->pages, word, __ATOMIC_RELEASE);
}

static void forget_gaps(void)
{
	for (uint32_t i = 0; i < GAPS; i++)
		__atomic_store_n(&gaps[i].pages, 0, __ATOMIC_RELAXED);
}

static bool has_code(const struct header *header)
{
	return header->signature == 0x4550 && header->machine == MACHINE_X86_64 &&
	       header->magic == MAGIC_PE32_PLUS &&
	       header->optional_size >= offsetof(struct header, directories) - 24;
}

/* The header of the image at `base`, and where it is; false when there is none. Directories that
 * it does not have are empty. */
static bool read_header(uint64_t base, struct header *header, uint32_t *offset)
{
	uint16_t magic;

	if (!system_read_memory(base, &magic, sizeof(magic)) || magic != 0x5a4d ||
	    !system_read_memory(base + 0x3c, offset, sizeof(*offset)) || *offset >= HEADER_MAX ||
	    !system_read_memory(base + *offset, header, sizeof(*header)) || !has_code(header))
		return false;
	for (uint32_t i = header->directory_count; i <= DIRECTORY_DEBUG; i++)
		header->directories[i] = (struct directory_entry){ 0, 0 };
	return true;
}

static struct directory_entry directory(const struct header *header, enum directory which)
{
	struct directory_entry entry = header->directories[which];

	if (entry.rva >= header->image_size || entry.size_bytes > header->image_size - entry.rva)
		return (struct directory_entry){ 0, 0 };
	return entry;
}

/* A text of the image, kept; "" when it cannot be read. */
static const char *keep_text(uint64_t address, uint32_t capacity)
{
	char text[NAME_MAX_SIZE + 1];
	uint32_t room = capacity < NAME_MAX_SIZE ? capacity : NAME_MAX_SIZE;

	if (!system_read_memory(address, text, room)) {
		/* It may stand before the end of what is mapped. */
		room = PAGE - (uint32_t)(address % PAGE);
		if (room > NAME_MAX_SIZE || !system_read_memory(address, text, room))
			return "";
	}
	text[room] = 0;
	return modules_keep(text);
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool read_exports(uint64_t base, const struct header *header,
			 struct export_directory *exports)
{
	struct directory_entry entry = directory(header, DIRECTORY_EXPORT);

	return entry.size_bytes >= sizeof(*exports) &&
	       system_read_memory(base + entry.rva, exports, sizeof(*exports));
}

/* The name that the image exports under, else its file's. */
static const char *name_of(uint64_t base, const struct header *header, const char *path)
{
	struct export_directory exports;
	const char *name = "";

	if (read_exports(base, header, &exports) && exports.name != 0 &&
	    exports.name < header->image_size)
		name = keep_text(base + exports.name, header->image_size - exports.name);
	return name[0] ? name : file_name(path);
}

/* How the n-th exported name compares with `name`, which is shorter than 32 bytes; 1 also when it
 * cannot be read. */
static int compare_export(uint64_t base, const struct export_directory *exports, uint32_t n,
			  const char *name)
{
	char text[32];
	uint32_t rva;

	if (!system_read_memory(base + exports->names + 4 * (uint64_t)n, &rva, sizeof(rva)) ||
	    !system_read_memory(base + rva, text, sizeof(text)))
		return 1;
	text[sizeof(text) - 1] = 0;
	return strcmp(text, name);
}

static uint64_t export_address(uint64_t base, const struct export_directory *exports, uint32_t n)
{
	uint32_t rva = 0;
	uint16_t ordinal;

	if (!system_read_memory(base + exports->ordinals + 2 * (uint64_t)n, &ordinal,
				sizeof(ordinal)) ||
	    !system_read_memory(base + exports->functions + 4 * (uint64_t)ordinal, &rva,
				sizeof(rva)))
		return 0;
	return rva ? base + rva : 0;
}

/* The names are sorted. 0 when it is not there. */
static uint64_t find_export(uint64_t base, const struct header *header, const char *name)
{
	struct export_directory exports;
	uint32_t low = 0, high;

	if (!read_exports(base, header, &exports))
		return 0;
	high = exports.name_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare_export(base, &exports, middle, name);

		if (order == 0)
			return export_address(base, &exports, middle);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static char *put_hexadecimal(char *text, uint32_t value, unsigned digits)
{
	static const char letters[] = "0123456789ABCDEF";

	while (digits > 0)
		*text++ = letters[value >> (4 * --digits) & 15];
	return text;
}

static const char *pdb_id_of(const struct codeview *codeview)
{
	char text[32 + 8 + 1], *at = text;
	unsigned age_digits = 1;

	at = put_hexadecimal(at, codeview->data1, 8);
	at = put_hexadecimal(at, codeview->data2, 4);
	at = put_hexadecimal(at, codeview->data3, 4);
	for (unsigned i = 0; i < sizeof(codeview->data4); i++)
		at = put_hexadecimal(at, codeview->data4[i], 2);
	while (age_digits < 8 && codeview->age >> (4 * age_digits))
		age_digits++;
	*put_hexadecimal(at, codeview->age, age_digits) = 0;
	return modules_keep(text);
}

static bool find_codeview(uint64_t base, const struct header *header, struct debug_entry *entry)
{
	struct directory_entry debug = directory(header, DIRECTORY_DEBUG);
	uint32_t count = debug.size_bytes / (uint32_t)sizeof(*entry);

	for (uint32_t i = 0; i < count && i < DEBUG_ENTRIES_MAX; i++) {
		if (!system_read_memory(base + debug.rva + i * sizeof(*entry), entry,
					sizeof(*entry)))
			return false;
		if (entry->type == DEBUG_CODEVIEW && entry->rva != 0 &&
		    entry->rva < header->image_size && entry->size_bytes > sizeof(struct codeview))
			return true;
	}
	return false;
}

static void read_pdb(uint64_t base, const struct header *header, struct module_pe *pe)
{
	struct debug_entry entry;
	struct codeview codeview;

	pe->pdb = pe->pdb_id = "";
	if (!find_codeview(base, header, &entry) ||
	    !system_read_memory(base + entry.rva, &codeview, sizeof(codeview)) ||
	    codeview.signature != CODEVIEW_RSDS)
		return;
	pe->pdb = keep_text(base + entry.rva + sizeof(codeview),
			    entry.size_bytes - (uint32_t)sizeof(codeview));
	pe->pdb_id = pdb_id_of(&codeview);
}

/* What only ntdll has: where system calls call back, and the list of function tables. */
static void read_ntdll(uint64_t base, const struct header *header, struct module_pe *pe)
{
	uint64_t at = base + pe->header + 24 + header->optional_size;
	struct section section;

	pe->image.callback = find_export(base, header, "KiUserCallbackDispatcher");
	for (uint16_t i = 0; i < header->section_count; i++, at += sizeof(section)) {
		if (!system_read_memory(at, &section, sizeof(section)))
			return;
		if (memcmp(section.name, ".data\0\0", sizeof(section.name)) == 0)
			functions_pe_start(base + section.rva, section.size_bytes);
	}
}

static void read_table(uint64_t base, const struct header *header, struct pe_image *image)
{
	struct directory_entry table = directory(header, DIRECTORY_EXCEPTION);

	*image = (struct pe_image){ .base = base,
				    .start = base,
				    .end = base + header->image_size,
				    .read = system_read_memory };
	if (table.rva == 0 || table.size_bytes < FUNCTION_SIZE)
		return;
	image->table = base + table.rva;
	image->count = table.size_bytes / FUNCTION_SIZE;
}

/* NULL when there is no memory. */
static struct module *make(uint64_t base, const struct header *header, uint32_t offset,
			   const char *path)
{
	struct module *module = memory_take(sizeof(*module));
	struct module_pe *pe = memory_take(sizeof(*pe));

	if (!module || !pe)
		return NULL;
	module->base = module->start = base;
	module->end = base + ((header->image_size + PAGE - 1) & ~(uint64_t)(PAGE - 1));
	module->name = module->path = modules_keep(path);
	module->build_id = "";
	module->pe = pe;
	pe->timestamp = header->timestamp;
	pe->image_size = header->image_size;
	pe->header = offset;
	pe->name = name_of(base, header, module->path);
	read_pdb(base, header, pe);
	read_table(base, header, &pe->image);
	if (strcmp(pe->name, "ntdll.dll") == 0)
		read_ntdll(base, header, pe);
	return module;
}

static bool open_scan(void)
{
	scan.at = scan.used = 0;
	scan.file = system_call4(SYS_openat, AT_FDCWD, (long)"/proc/self/maps",
				 O_RDONLY | O_CLOEXEC, 0);
	return scan.file >= 0;
}

static bool fill(void)
{
	long count;

	memmove(scan.text, scan.text + scan.at, scan.used - scan.at);
	scan.used -= scan.at;
	scan.at = 0;
	count = system_call4(SYS_read, scan.file, (long)(scan.text + scan.used),
			     (long)(sizeof(scan.text) - scan.used), 0);
	scan.used += count > 0 ? (size_t)count : 0;
	return count > 0;
}

/* The next line, 0-terminated, without its end; NULL after the last one. */
static const char *next_line(void)
{
	char *line, *end;

	while (!(end = memchr(scan.text + scan.at, '\n', scan.used - scan.at)))
		if (!fill())
			return NULL;
	line = scan.text + scan.at;
	*end = 0;
	scan.at = (size_t)(end + 1 - scan.text);
	return line;
}

static uint64_t take_hexadecimal(const char **text)
{
	uint64_t value = 0;

	for (;; (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			value = value * 16 + (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

static bool next_mapping(struct mapping *mapping)
{
	const char *line = next_line();

	if (!line)
		return false;
	mapping->start = take_hexadecimal(&line);
	line += *line == '-';
	mapping->end = take_hexadecimal(&line);
	line += *line == ' ';
	mapping->is_readable = *line == 'r';
	line += strcspn(line, " ");
	line += *line == ' ';
	mapping->offset = take_hexadecimal(&line);
	mapping->path = strchr(line, '/');
	if (!mapping->path)
		mapping->path = "";
	return true;
}

/* Keeps its path, if an image begins there. */
static bool is_image_start(const struct mapping *mapping, struct header *header, uint32_t *offset)
{
	size_t size = strlen(mapping->path) + 1;

	if (!mapping->is_readable || mapping->start % IMAGE_ALIGNMENT != 0 ||
	    mapping->offset != 0 || size > sizeof(image_path) ||
	    !read_header(mapping->start, header, offset))
		return false;
	memcpy(image_path, mapping->path, size);
	return true;
}

/* The image at `address`, or NULL; what was found to be no image is remembered. */
static struct module *scan_locked(uint64_t address)
{
	struct mapping mapping = { .start = 0 }, here = { .start = 0 };
	struct header header = { .image_size = 0 }, found;
	uint64_t base = 0;
	uint32_t offset = 0, found_offset;

	if (!open_scan())
		return NULL;
	while (next_mapping(&mapping) && mapping.start <= address) {
		here = mapping;
		if (is_image_start(&mapping, &found, &found_offset)) {
			base = mapping.start;
			header = found;
			offset = found_offset;
		}
	}
	system_call4(SYS_close, scan.file, 0, 0, 0);
	if (base && address - base < header.image_size)
		return make(base, &header, offset, image_path);
	if (address < here.end)
		remember_gap_locked(here.start, here.end);
	return NULL;
}

struct module *modules_pe_discover(uint64_t address)
{
	struct module *module;
	uint64_t mask;

	if (is_in_gap(address))
		return NULL;
	mask = memory_lock(&scan_lock);
	module = scan_locked(address);
	memory_unlock(&scan_lock, mask);
	return module ? modules_add(module, address) : NULL;
}

bool modules_pe_find(uint64_t pc, struct pe_image *image)
{
	const struct module *module = modules_find(pc);

	if (!module && functions_pe_find(pc, image))
		return true;
	if (!module)
		module = modules_pe_discover(pc);
	if (!module || !module->pe)
		return false;
	*image = module->pe->image;
	return true;
}

bool modules_pe_is_current(const struct module *module)
{
	const struct module_pe *pe = module->pe;
	struct header header;

	return system_read_memory(module->base + pe->header, &header, sizeof(header)) &&
	       has_code(&header) && header.timestamp == pe->timestamp &&
	       header.image_size == pe->image_size;
}

void modules_pe_gone(uint64_t base)
{
	const struct module *module = modules_find(base);

	forget_gaps();
	if (module && module->pe && module->base == base)
		modules_remove(module);
}

void modules_pe_fork_child(void)
{
	scan_lock.word = 0;
}
