/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The snapshot of modules.
 *
 *   snapshot -> count, | module * | module * | ...     sorted by start, without overlaps
 *
 * Readers load the pointer and take no lock. Writers hold modules_lock, build the next snapshot and
 * publish it. Snapshots and modules are never freed: libunwind may be reading them; a program that
 * loads and unloads for ever costs some KiB each time. */

#include "trace/modules.h"

#include <dlfcn.h>
#include <limits.h>
#include <string.h>

#include "trace/memory.h"
#include "trace/modules_pe.h"
#include "trace/provider/provider.h"
#include "trace/stack/depot.h"
#include "trace/stack/stack_elf.h"
#include "trace/stack/stack_mixed.h"
#include "trace/system.h"

#define PAGE 4096u
#define BUILD_ID_MAX 32u

struct snapshot {
	uint64_t adds, subs; /* as dl_iterate_phdr counts them */
	uint32_t count;
	struct module *modules[];
};

static struct snapshot *current;
static struct memory_lock modules_lock;
static uint32_t last_id;
static uint32_t generation = 1;
static uint32_t last_refresh;
static char program_path[PATH_MAX];

static const struct snapshot *snapshot_get(void)
{
	return __atomic_load_n(&current, __ATOMIC_ACQUIRE);
}

static struct module *find(const struct snapshot *snapshot, uint64_t address)
{
	uint32_t low = 0, high = snapshot ? snapshot->count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (snapshot->modules[middle]->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!snapshot || low == snapshot->count || snapshot->modules[low]->start > address)
		return NULL;
	return snapshot->modules[low];
}

const char *trace_find_module(uint64_t address, uint64_t *offset)
{
	const struct module *module;

	modules_learn(&address, 1);
	module = modules_find(address);
	if (!module)
		return NULL;
	*offset = address - module->base;
	return module->path;
}

const struct module *modules_find(uint64_t address)
{
	return find(snapshot_get(), address);
}

/* The next snapshot: without `gone`, with `added`; either may be NULL. */
static void publish_locked(const struct module *gone, struct module *added)
{
	const struct snapshot *old = current;
	uint32_t capacity = (old ? old->count : 0) + 1, i = 0;
	struct snapshot *next = memory_take(sizeof(*next) + capacity * sizeof(next->modules[0]));

	if (!next)
		return;
	next->adds = (old ? old->adds : 0) + (added != NULL);
	next->subs = (old ? old->subs : 0) + (gone != NULL);
	for (; old && i < old->count; i++) {
		if (added && old->modules[i]->start > added->start) {
			next->modules[next->count++] = added;
			added = NULL;
		}
		if (old->modules[i] != gone)
			next->modules[next->count++] = old->modules[i];
	}
	if (added)
		next->modules[next->count++] = added;
	__atomic_store_n(&current, next, __ATOMIC_RELEASE);
}

const char *modules_keep(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memory_take(size);

	return copy ? memcpy(copy, text, size) : "";
}

static const char *path_of(const char *name)
{
	return name[0] ? modules_keep(name) : program_path;
}

static const char *hexadecimal(const uint8_t *bytes, uint32_t count)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * BUILD_ID_MAX + 1];
	uint32_t i;

	for (i = 0; i < count && i < BUILD_ID_MAX; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * i] = 0;
	return modules_keep(text);
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* The build-id among the notes of one segment; NULL when it is not there. */
static const char *build_id_in(const char *notes, uint64_t size, uint64_t alignment)
{
	uint64_t at = 0;

	alignment = alignment == 8 ? 8 : 4;
	while (at + sizeof(ElfW(Nhdr)) <= size) {
		const ElfW(Nhdr) *note = (const void *)(notes + at);
		uint64_t name = at + sizeof(*note);
		uint64_t text = align_up(name + note->n_namesz, alignment);
		uint64_t next = align_up(text + note->n_descsz, alignment);

		if (next > align_up(size, alignment) || text + note->n_descsz > size)
			break;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    memcmp(notes + name, "GNU", 4) == 0)
			return hexadecimal((const uint8_t *)notes + text, note->n_descsz);
		at = next;
	}
	return NULL;
}

/* Whether the whole segment is in memory: notes can also lie in a file only. */
static bool is_loaded(const struct module *module, const ElfW(Phdr) * wanted)
{
	for (uint16_t i = 0; i < module->segment_count; i++) {
		const ElfW(Phdr) *segment = &module->segments[i];

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) &&
		    wanted->p_vaddr >= segment->p_vaddr &&
		    wanted->p_vaddr + wanted->p_filesz <= segment->p_vaddr + segment->p_filesz)
			return true;
	}
	return false;
}

static const char *build_id_of(const struct module *module)
{
	for (uint16_t i = 0; i < module->segment_count; i++) {
		const ElfW(Phdr) *segment = &module->segments[i];
		const char *found = NULL;

		if (segment->p_type == PT_NOTE && is_loaded(module, segment))
			found = build_id_in((const char *)(module->base + segment->p_vaddr),
					    segment->p_filesz, segment->p_align);
		if (found)
			return found;
	}
	return "";
}

static void find_range(struct module *module)
{
	uint64_t first = UINT64_MAX, end = 0;

	for (uint16_t i = 0; i < module->segment_count; i++) {
		const ElfW(Phdr) *segment = &module->segments[i];

		if (segment->p_type != PT_LOAD)
			continue;
		first = segment->p_vaddr < first ? segment->p_vaddr : first;
		end = segment->p_vaddr + segment->p_memsz > end
			      ? segment->p_vaddr + segment->p_memsz
			      : end;
	}
	if (end == 0)
		return;
	module->start = (module->base + first) & ~(uint64_t)(PAGE - 1);
	module->end = align_up(module->base + end, PAGE);
}

/* NULL when there is no memory, or nothing is loaded. */
static struct module *make(const char *name, uint64_t base, const ElfW(Phdr) * segments,
			   uint16_t count)
{
	struct module *module = memory_take(sizeof(*module));
	ElfW(Phdr) *copy = memory_take(count * sizeof(*copy));

	if (!module || !copy)
		return NULL;
	memcpy(copy, segments, count * sizeof(*copy));
	module->base = base;
	module->segments = copy;
	module->segment_count = count;
	find_range(module);
	if (module->end == 0)
		return NULL;
	module->name = modules_keep(name ? name : "");
	module->path = path_of(module->name);
	module->build_id = build_id_of(module);
	return module;
}

static void emit_elf(const struct module *module)
{
	struct provider_module event = {
		.module = module->id,
		.base = module->base,
		.start = module->start,
		.end = module->end,
		.path = module->path,
		.build_id = module->build_id,
	};

	provider_module(&event);
}

static void emit_pe(const struct module *module)
{
	struct provider_pe_module event = {
		.module = module->id,
		.base = module->base,
		.start = module->start,
		.end = module->end,
		.path = module->path,
		.name = module->pe->name,
		.pdb = module->pe->pdb,
		.pdb_id = module->pe->pdb_id,
		.timestamp = module->pe->timestamp,
		.image_size = module->pe->image_size,
	};

	provider_pe_module(&event);
}

static void emit(struct module *module)
{
	uint32_t now = __atomic_load_n(&generation, __ATOMIC_RELAXED);

	if (__atomic_load_n(&module->generation, __ATOMIC_ACQUIRE) == now)
		return;
	if (module->pe)
		emit_pe(module);
	else
		emit_elf(module);
	__atomic_store_n(&module->generation, now, __ATOMIC_RELEASE);
}

void modules_emit_all(void)
{
	const struct snapshot *snapshot = snapshot_get();

	for (uint32_t i = 0; snapshot && i < snapshot->count; i++)
		emit(snapshot->modules[i]);
}

static void forget(const struct module *module)
{
	stack_forget(module->start, module->end);
	depot_forget(module->start, module->end);
	if (__atomic_load_n(&module->generation, __ATOMIC_ACQUIRE) == generation)
		provider_module_gone(module->id);
}

/* The first known module that overlaps `added` but is another. */
static struct module *find_overlap(const struct module *added)
{
	const struct snapshot *snapshot = current;

	for (uint32_t i = 0; snapshot && i < snapshot->count; i++)
		if (snapshot->modules[i]->start < added->end &&
		    snapshot->modules[i]->end > added->start)
			return snapshot->modules[i];
	return NULL;
}

static bool is_same(const struct module *one, const struct module *other)
{
	if (one->base != other->base || one->start != other->start ||
	    strcmp(one->path, other->path) != 0 || !one->pe != !other->pe)
		return false;
	return one->pe ? one->pe->timestamp == other->pe->timestamp
		       : strcmp(one->build_id, other->build_id) == 0;
}

/* 16 overlapped ones at most. */
struct module *modules_add(struct module *added, uint64_t address)
{
	struct module *gone[16];
	uint32_t gone_count = 0;
	uint64_t mask = memory_lock(&modules_lock);
	struct module *overlap;
	bool is_known = false;

	while ((overlap = find_overlap(added)) && gone_count < 16) {
		is_known = is_same(overlap, added);
		if (is_known)
			break;
		publish_locked(overlap, NULL);
		gone[gone_count++] = overlap;
	}
	if (!is_known) {
		added->id = ++last_id;
		added->seen = last_refresh;
		publish_locked(NULL, added);
	}
	memory_unlock(&modules_lock, mask);
	for (uint32_t i = 0; i < gone_count; i++)
		forget(gone[i]);
	return find(snapshot_get(), address);
}

static bool is_known_locked(const struct module *wanted)
{
	for (uint32_t i = 0; current && i < current->count; i++)
		if (current->modules[i] == wanted)
			return true;
	return false;
}

void modules_remove(const struct module *gone)
{
	uint64_t mask = memory_lock(&modules_lock);
	bool is_known = is_known_locked(gone);

	if (is_known)
		publish_locked(gone, NULL);
	memory_unlock(&modules_lock, mask);
	if (is_known)
		forget(gone);
}

/* Whether the loader still has this module at the address: it may be gone without our notice. */
static bool is_current(const struct module *module, uint64_t address)
{
	struct dl_find_object object;

	if (module->pe)
		return modules_pe_is_current(module);
	return _dl_find_object((void *)address, &object) == 0 &&
	       object.dlfo_link_map->l_addr == module->base &&
	       strcmp(object.dlfo_link_map->l_name, module->name) == 0;
}

/* The module that the loader has at `address`, made known; NULL when it has none there. */
static struct module *discover(uint64_t address)
{
	struct dl_find_object object;
	const ElfW(Ehdr) * header;
	struct module *module;

	if (_dl_find_object((void *)address, &object) != 0)
		return mixed_has_windows() ? modules_pe_discover(address) : NULL;
	header = object.dlfo_map_start;
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > PAGE)
		return NULL;
	module = make(object.dlfo_link_map->l_name, object.dlfo_link_map->l_addr,
		      (const void *)((const char *)header + header->e_phoff), header->e_phnum);
	return module ? modules_add(module, address) : find(snapshot_get(), address);
}

static bool has(const struct module *module, uint64_t address)
{
	return module && address - module->start < module->end - module->start;
}

/* Frames of one module mostly follow each other: it is looked at once. */
void modules_learn(const uint64_t *frames, uint32_t count)
{
	struct module *module = NULL;

	for (uint32_t i = 0; i < count; i++) {
		if (has(module, frames[i]))
			continue;
		module = find(snapshot_get(), frames[i]);
		if (!module || !is_current(module, frames[i]))
			module = discover(frames[i]);
		if (module)
			emit(module);
	}
}

static uint64_t start_of(const struct dl_phdr_info *info)
{
	struct module module = { .base = info->dlpi_addr,
				 .segments = info->dlpi_phdr,
				 .segment_count = info->dlpi_phnum };

	find_range(&module);
	return module.start;
}

static int meet(struct dl_phdr_info *info, size_t size, void *refresh)
{
	struct module *known = find(snapshot_get(), start_of(info));
	uint32_t stamp = *(uint32_t *)refresh;

	if (!known || known->base != info->dlpi_addr ||
	    strcmp(known->name, info->dlpi_name ? info->dlpi_name : "") != 0) {
		known = make(info->dlpi_name, info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);
		if (known)
			modules_add(known, known->start);
	}
	known = find(snapshot_get(), start_of(info));
	if (known && known->seen < stamp)
		__atomic_store_n(&known->seen, stamp, __ATOMIC_RELAXED);
	return 0;
}

/* The first module that was known before this refresh and not met by it, now taken out. The loader
 * lists one of its namespaces only; is_current asks all. */
static struct module *take_vanished(uint32_t stamp)
{
	uint64_t mask = memory_lock(&modules_lock);
	struct module *vanished = NULL;

	for (uint32_t i = 0; current && i < current->count && !vanished; i++)
		if (__atomic_load_n(&current->modules[i]->seen, __ATOMIC_RELAXED) < stamp &&
		    !is_current(current->modules[i], current->modules[i]->start))
			vanished = current->modules[i];
	if (vanished)
		publish_locked(vanished, NULL);
	memory_unlock(&modules_lock, mask);
	return vanished;
}

void modules_refresh(void)
{
	uint32_t stamp = __atomic_add_fetch(&last_refresh, 1, __ATOMIC_SEQ_CST);
	struct module *vanished;

	dl_iterate_phdr(meet, &stamp);
	while ((vanished = take_vanished(stamp)))
		forget(vanished);
}

void modules_start(void)
{
	system_read_link("/proc/self/exe", program_path, sizeof(program_path));
	modules_refresh();
}

int modules_iterate(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data)
{
	const struct snapshot *snapshot = snapshot_get();
	int result = 0;

	for (uint32_t i = 0; snapshot && i < snapshot->count && result == 0; i++) {
		const struct module *module = snapshot->modules[i];
		struct dl_phdr_info info = {
			.dlpi_addr = module->base,
			.dlpi_name = module->name,
			.dlpi_phdr = module->segments,
			.dlpi_phnum = module->segment_count,
			.dlpi_adds = snapshot->adds,
			.dlpi_subs = snapshot->subs,
		};

		if (!module->pe)
			result = callback(&info, sizeof(info), data);
	}
	return result;
}

void modules_restart(void)
{
	__atomic_fetch_add(&generation, 1, __ATOMIC_RELEASE);
}

void modules_fork_child(void)
{
	modules_lock.word = 0;
	modules_pe_fork_child();
	modules_restart();
}
