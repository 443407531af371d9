/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* libdwfl finds a module's debug information (in the file, in /usr/lib/debug by build-id, in
 * .gnu_debugdata) and its symbol tables; dwarf.c reads functions and lines. A Windows file becomes
 * an ELF file in memory first (pe_elf.c), and may have a PDB (pdb.c).
 *
 * A recorded build-id must match. Symbols are kept per location; of the opened modules only the
 * OPEN_MAX used last stay, so memory does not grow with the number of modules. */

#include "tools/lib/symbols.h"
#include "tools/lib/dwarf.h"
#include "tools/lib/pdb.h"
#include "tools/lib/pe_elf.h"
#include "tools/lib/symbol_cache.h"
#include "tools/lib/symbol_store.h"
#include "tools/lib/symbol_table.h"
#include "tools/lib/xalloc.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/schema/schema.h"

enum { OPEN_MAX = 24 };

/* libstdc++'s demangler; its header is for C++ only. */
char *__cxa_demangle(const char *name, char *buffer, size_t *size, int *status);

/* A module's file, opened.
 *  - dwfl is NULL while it is closed or when it cannot be used. */
struct module_file {
	Dwfl *dwfl;
	Dwfl_Module *module;
	Dwarf_Addr bias; /* libdwfl's addresses minus the file's own */
	Dwarf_Addr dwarf_bias;
	uint64_t image_base; /* of a Windows file, whose locations are RVAs; else 0 */
	struct dwarf_index *index;
	struct symbol_table *table;
	struct pdb *pdb;  /* NULL: none */
	const char *name; /* interned, without folders */
	uint64_t used;    /* when, in look-ups */
	bool is_missing, has_debug;
	struct symbol_store *store; /* NULL: nothing is remembered of it */
	bool was_recalled;          /* store is what it will be */
};

struct symbols {
	const struct stacks *stacks;
	struct symbol **list; /* by location; NULL: not looked up yet */
	size_t capacity;
	struct module_file *files; /* by file */
	size_t file_capacity;
	size_t open_count, missing_count;
	uint64_t clock;
	char **strings; /* interned: open addressing */
	size_t string_count, string_slots;
	char *cache_folder; /* NULL: nothing is remembered */
	struct symbols_recall recall;
};

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

struct symbols *symbols_create(const struct stacks *stacks)
{
	struct symbols *symbols = xcalloc(1, sizeof(*symbols));

	symbols->stacks = stacks;
	symbols->string_slots = 1024;
	symbols->strings = xcalloc(symbols->string_slots, sizeof(char *));
	/* libdwfl would ask servers, and a report wait for them. */
	unsetenv("DEBUGINFOD_URLS");
	return symbols;
}

static void close_file(struct symbols *symbols, struct module_file *file)
{
	if (!file->dwfl)
		return;
	dwarf_index_destroy(file->index);
	symbol_table_destroy(file->table);
	pdb_close(file->pdb);
	dwfl_end(file->dwfl);
	file->dwfl = NULL;
	file->index = NULL;
	file->table = NULL;
	file->pdb = NULL;
	symbols->open_count--;
}

static void free_symbol(struct symbol *symbol)
{
	if (symbol)
		free(symbol->frames);
	free(symbol);
}

void symbols_destroy(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->file_capacity; i++) {
		close_file(symbols, &symbols->files[i]);
		symbol_store_close(symbols->files[i].store);
	}
	free(symbols->cache_folder);
	for (size_t i = 0; i < symbols->capacity; i++)
		free_symbol(symbols->list[i]);
	for (size_t i = 0; i < symbols->string_slots; i++)
		free(symbols->strings[i]);
	free(symbols->files);
	free(symbols->list);
	free(symbols->strings);
	free(symbols);
}

static size_t find_string(const struct symbols *symbols, const char *text)
{
	size_t slot = hash_text(text) & (symbols->string_slots - 1);

	while (symbols->strings[slot] && strcmp(symbols->strings[slot], text))
		slot = (slot + 1) & (symbols->string_slots - 1);
	return slot;
}

static void enlarge_strings(struct symbols *symbols)
{
	char **old = symbols->strings;
	size_t old_slots = symbols->string_slots;

	symbols->string_slots *= 2;
	symbols->strings = xcalloc(symbols->string_slots, sizeof(char *));
	for (size_t i = 0; i < old_slots; i++)
		if (old[i])
			symbols->strings[find_string(symbols, old[i])] = old[i];
	free(old);
}

static const char *intern(struct symbols *symbols, const char *text)
{
	size_t slot = find_string(symbols, text);

	if (symbols->strings[slot])
		return symbols->strings[slot];
	if (2 * ++symbols->string_count > symbols->string_slots) {
		enlarge_strings(symbols);
		slot = find_string(symbols, text);
	}
	return symbols->strings[slot] = xstrdup(text);
}

static const char *intern_function(struct symbols *symbols, const char *name)
{
	int status;
	char *plain = !strncmp(name, "_Z", 2) ? __cxa_demangle(name, NULL, NULL, &status) : NULL;
	const char *function = intern(symbols, plain ? plain : name);

	free(plain);
	return function;
}

static bool has_build_id(Dwfl_Module *module, const char *wanted)
{
	const unsigned char *bits;
	GElf_Addr address;
	int length = dwfl_module_build_id(module, &bits, &address);

	if (!*wanted)
		return true;
	if (length <= 0 || strlen(wanted) != 2 * (size_t)length)
		return false;
	for (int i = 0; i < length; i++) {
		char digits[3];

		snprintf(digits, sizeof(digits), "%02x", bits[i]);
		if (memcmp(digits, wanted + 2 * (ptrdiff_t)i, 2))
			return false;
	}
	return true;
}

/* Only a regular file is opened: a recorded path may by now be a pipe or a device. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd >= 0 && (fstat(fd, &status) || !S_ISREG(status.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The file as libdwfl can read it, which takes the descriptor. */
static bool open_dwfl(struct module_file *file, const char *path, int fd)
{
	file->dwfl = dwfl_begin(&callbacks);
	file->module = file->dwfl ? dwfl_report_offline(file->dwfl, "", path, fd) : NULL;
	if (file->dwfl)
		dwfl_report_end(file->dwfl, NULL, NULL);
	if (!file->module)
		close(fd);
	return file->module && dwfl_module_getelf(file->module, &file->bias);
}

static bool is_windows_build(const struct pe *pe, const char *build_id)
{
	char identity[PE_IDENTITY_BYTES];

	pe_identity(pe->time_stamp, pe->image_bytes, identity);
	return !strcmp(identity, build_id + strlen(VADTRACE_PE_BUILD_ID));
}

static bool open_windows(struct module_file *file, const char *path, int fd, const char *build_id)
{
	struct pe pe;
	int elf = -1;

	if (pe_open(&pe, fd)) {
		if (is_windows_build(&pe, build_id))
			elf = pe_elf_create(&pe);
		if (elf >= 0 && !pe_has_dwarf(&pe))
			file->pdb = pdb_open(&pe, path);
		file->image_base = pe.image_base;
		pe_close(&pe);
	}
	close(fd);
	return elf >= 0 && open_dwfl(file, path, elf);
}

static bool open_path(struct symbols *symbols, struct module_file *file, const char *path,
		      const char *build_id)
{
	int fd = open_regular(path);
	bool is_open;

	if (fd < 0)
		return false;
	if (!strncmp(build_id, VADTRACE_PE_BUILD_ID, strlen(VADTRACE_PE_BUILD_ID)))
		is_open = open_windows(file, path, fd, build_id);
	else
		is_open = open_dwfl(file, path, fd) && has_build_id(file->module, build_id);
	if (!is_open) {
		pdb_close(file->pdb);
		dwfl_end(file->dwfl);
		file->dwfl = NULL;
		file->pdb = NULL;
		return false;
	}
	Dwarf *dwarf = dwfl_module_getdwarf(file->module, &file->dwarf_bias);
	file->has_debug = dwarf != NULL;
	file->index = dwarf_index_create(dwarf);
	file->table = symbol_table_create(file->module);
	symbols->open_count++;
	return true;
}

/* The module itself may be gone while its debug information is there. */
static bool open_debug_file(struct symbols *symbols, struct module_file *file, const char *build_id)
{
	if (strlen(build_id) < 3 || strchr(build_id, ':'))
		return false;
	char *path = xasprintf("/usr/lib/debug/.build-id/%.2s/%s.debug", build_id, build_id + 2);
	bool is_open = open_path(symbols, file, path, build_id);

	free(path);
	return is_open;
}

static void close_oldest(struct symbols *symbols)
{
	struct module_file *oldest = NULL;

	for (size_t i = 0; i < symbols->file_capacity; i++) {
		struct module_file *file = &symbols->files[i];

		if (file->dwfl && (!oldest || file->used < oldest->used))
			oldest = file;
	}
	close_file(symbols, oldest);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct module_file *need_file(struct symbols *symbols, uint32_t number)
{
	const struct stacks_file *known = &symbols->stacks->files[number];
	struct module_file *file = &symbols->files[number];

	file->used = ++symbols->clock;
	if (file->dwfl || file->is_missing)
		return file;
	if (symbols->open_count >= OPEN_MAX)
		close_oldest(symbols);
	if (open_path(symbols, file, known->path, known->build_id) ||
	    open_debug_file(symbols, file, known->build_id))
		return file;
	file->is_missing = true;
	symbols->missing_count += number != 0 && known->path[0] == '/';
	return file;
}

static void add_frame(struct symbol *symbol, const struct symbol_frame *frame)
{
	symbol->frames = xreallocarray(symbol->frames, symbol->count + 1, sizeof(*symbol->frames));
	symbol->frames[symbol->count++] = *frame;
}

static const char *offset_name(struct symbols *symbols, const struct module_file *file,
			       uint64_t offset)
{
	char *text = *file->name ? xasprintf("%s+0x%" PRIx64, file->name, offset)
				 : xasprintf("0x%" PRIx64, offset);
	const char *name = intern(symbols, text);

	free(text);
	return name;
}

static void add_dwarf_frame(struct symbols *symbols, struct symbol *symbol,
			    const struct module_file *file, const struct dwarf_frame *level,
			    const char *fallback, bool is_last)
{
	const char *name = level->function ? level->function : fallback;
	struct symbol_frame frame = {
		.function = intern_function(symbols, name ? name : "?"),
		.file = level->file ? intern(symbols, level->file) : NULL,
		.module = file->name,
		.line = level->line,
		.is_inlined = !is_last,
		.is_named = name != NULL,
	};

	add_frame(symbol, &frame);
}

static bool are_named(const struct dwarf_frame *levels, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!levels[i].function)
			return false;
	return count;
}

/* A return address belongs to the call before it. */
static void find_frames(struct symbols *symbols, struct symbol *symbol,
			const struct stacks_location *location)
{
	const struct module_file *file = need_file(symbols, location->file);
	uint64_t address = location->offset - 1 + file->image_base;
	struct dwarf_frame levels[DWARF_FRAMES_MAX];
	size_t count = 0;

	if (file->pdb)
		count = pdb_find(file->pdb, location->offset - 1, levels);
	if (file->dwfl && !count)
		count = dwarf_index_find(file->index, address + file->bias - file->dwarf_bias,
					 levels);
	const char *name = NULL;
	if (file->dwfl && !are_named(levels, count))
		name = symbol_table_find(file->table, address + file->bias);
	if (count && !levels[count - 1].function && !name)
		count = 0;
	for (size_t i = 0; i < count; i++)
		add_dwarf_frame(symbols, symbol, file, &levels[i], name, i + 1 == count);
	if (count)
		return;
	struct symbol_frame frame = {
		.function = name ? intern_function(symbols, name)
				 : offset_name(symbols, file, location->offset),
		.module = file->name,
		.is_named = name != NULL,
	};
	add_frame(symbol, &frame);
}

static void make_room(struct symbols *symbols)
{
	size_t locations = symbols->stacks->location_count, files = symbols->stacks->file_count;

	if (locations > symbols->capacity) {
		symbols->list = xreallocarray(symbols->list, locations, sizeof(struct symbol *));
		memset(symbols->list + symbols->capacity, 0,
		       (locations - symbols->capacity) * sizeof(struct symbol *));
		symbols->capacity = locations;
	}
	if (files > symbols->file_capacity) {
		symbols->files = xreallocarray(symbols->files, files, sizeof(*symbols->files));
		memset(symbols->files + symbols->file_capacity, 0,
		       (files - symbols->file_capacity) * sizeof(*symbols->files));
		symbols->file_capacity = files;
	}
}

/* The module's name, and what earlier reports knew of it. */
static struct module_file *need_store(struct symbols *symbols, uint32_t number)
{
	const struct stacks_file *known = &symbols->stacks->files[number];
	struct module_file *file = &symbols->files[number];

	if (!file->name)
		file->name = intern(symbols, base_name(known->path));
	if (file->was_recalled)
		return file;
	file->was_recalled = true;
	if (symbols->cache_folder && symbol_store_is_name(known->build_id))
		file->store = symbol_store_open(
			symbols->cache_folder, known->build_id,
			!symbol_cache_has_debug_file(known->path, known->build_id));
	return file;
}

static bool recall(struct symbols *symbols, struct symbol *symbol, const struct module_file *file,
		   uint64_t offset)
{
	struct stored_frame stored[STORED_FRAMES_MAX];
	size_t count = file->store ? symbol_store_find(file->store, offset, stored) : 0;

	for (size_t i = 0; i < count; i++) {
		struct symbol_frame frame = {
			.function = *stored[i].function ? intern(symbols, stored[i].function)
							: offset_name(symbols, file, offset),
			.file = stored[i].file ? intern(symbols, stored[i].file) : NULL,
			.module = file->name,
			.line = stored[i].line,
			.is_inlined = stored[i].is_inlined,
			.is_named = stored[i].is_named,
		};

		add_frame(symbol, &frame);
	}
	symbols->recall.found += count != 0;
	return count != 0;
}

/* Of a file that is missing nothing was found out. */
static void remember(struct symbols *symbols, const struct symbol *symbol,
		     const struct module_file *file, uint64_t offset)
{
	struct stored_frame stored[STORED_FRAMES_MAX];

	if (!file->store || !file->dwfl || symbol->count > STORED_FRAMES_MAX)
		return;
	for (size_t i = 0; i < symbol->count; i++) {
		const struct symbol_frame *frame = &symbol->frames[i];
		bool is_offset = !frame->is_named && symbol->count == 1;

		stored[i] =
			(struct stored_frame){ is_offset ? "" : frame->function, frame->file,
					       frame->line, frame->is_inlined, frame->is_named };
	}
	symbol_store_add(file->store, offset, stored, symbol->count, file->has_debug);
	symbols->recall.added++;
}

const struct symbol *symbols_find(struct symbols *symbols, uint32_t location)
{
	const struct stacks_location *place = &symbols->stacks->locations[location];

	make_room(symbols);
	struct symbol *symbol = symbols->list[location];
	if (symbol)
		return symbol;
	symbol = symbols->list[location] = xcalloc(1, sizeof(*symbol));
	const struct module_file *file = need_store(symbols, place->file);
	if (!recall(symbols, symbol, file, place->offset)) {
		find_frames(symbols, symbol, place);
		remember(symbols, symbol, file, place->offset);
	}
	return symbol;
}

void symbols_use_cache(struct symbols *symbols, const char *folder)
{
	symbols->cache_folder = xstrdup(folder);
}

static int save_all(struct symbols *symbols)
{
	int error = symbol_cache_make(symbols->cache_folder);

	for (size_t i = 0; i < symbols->file_capacity && !error; i++)
		if (symbols->files[i].store)
			error = symbol_store_save(symbols->files[i].store);
	symbol_cache_trim(symbols->cache_folder, SYMBOL_CACHE_BYTES);
	return error;
}

struct symbols_recall symbols_save_cache(struct symbols *symbols)
{
	if (symbols->recall.added)
		symbols->recall.error = save_all(symbols);
	return symbols->recall;
}

size_t symbols_missing_count(const struct symbols *symbols)
{
	return symbols->missing_count;
}
