/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Does this ELF file load a preloaded object, and does it use the malloc that we replace?
 *
 *   header    class, machine, type
 *   PT_INTERP the loader: glibc's, musl's, none (static)
 *   dynamic   needed objects, soname (the loader itself may be run as a program)
 *   symbols   allocators that are linked into the executable
 *
 * Knows nothing of paths, scripts or permissions. */

#include "tools/record/target_elf.h"

#include <gelf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The name that glibc's loader has on x86-64, wherever it is installed. */
#define GLIBC_LOADER "ld-linux-x86-64.so.2"

/* What the walk over one file finds.
 *  - elf lives as long as the walk;
 *  - a name is NULL until it was met. */
struct walk {
	Elf *elf;
	GElf_Ehdr header;
	int segment_count;
	bool is_dynamic;
	bool is_pie;
	bool needs_sanitizer;
	const char *soname;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum target_problem check_header(const struct walk *walk)
{
	if (walk->header.e_machine == EM_386 || walk->header.e_machine == EM_ARM ||
	    (walk->header.e_machine == EM_X86_64 && gelf_getclass(walk->elf) == ELFCLASS32))
		return TARGET_32_BIT;
	if (walk->header.e_machine != EM_X86_64)
		return TARGET_FOREIGN;
	if (walk->header.e_type != ET_EXEC && walk->header.e_type != ET_DYN)
		return TARGET_NOT_A_PROGRAM;
	return TARGET_OK;
}

static void read_loader(struct target *target, int file, const GElf_Phdr *segment)
{
	size_t length = segment->p_filesz;

	if (length >= sizeof(target->loader))
		length = sizeof(target->loader) - 1;
	if (pread(file, target->loader, length, (off_t)segment->p_offset) != (ssize_t)length)
		length = 0;
	target->loader[length] = '\0';
}

static void read_segments(struct target *target, struct walk *walk, int file)
{
	size_t count = 0;
	GElf_Phdr segment;

	elf_getphdrnum(walk->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(walk->elf, (int)i, &segment))
			continue;
		walk->segment_count++;
		if (segment.p_type == PT_INTERP)
			read_loader(target, file, &segment);
		else if (segment.p_type == PT_DYNAMIC)
			walk->is_dynamic = true;
	}
}

/* Runtimes that other libraries must not come before: those of gcc, and of clang -shared-libsan. */
static bool is_sanitizer(const char *name)
{
	static const char *const runtimes[] = { "libasan.so", "libtsan.so", "libclang_rt.asan",
						"libclang_rt.tsan" };

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		if (!strncmp(name, runtimes[i], strlen(runtimes[i])))
			return true;
	return false;
}

static void read_dynamic_entry(struct walk *walk, const GElf_Dyn *entry, size_t strings)
{
	const char *name = NULL;

	if (entry->d_tag == DT_NEEDED || entry->d_tag == DT_SONAME)
		name = elf_strptr(walk->elf, strings, entry->d_un.d_val);
	if (entry->d_tag == DT_NEEDED && name)
		walk->needs_sanitizer |= is_sanitizer(name);
	else if (entry->d_tag == DT_SONAME)
		walk->soname = name;
	else if (entry->d_tag == DT_FLAGS_1 && entry->d_un.d_val & DF_1_PIE)
		walk->is_pie = true;
}

static void read_dynamic(struct walk *walk, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		read_dynamic_entry(walk, &entry, header->sh_link);
}

static void note_symbol(struct target *target, const char *name)
{
	static const char *const allocators[] = {
		"je_malloc", "je_mallocx", "mallocx", "tc_malloc", "mi_malloc", "rpmalloc",
	};

	if (!strcmp(name, "malloc"))
		target->notes |= TARGET_NOTE_OWN_MALLOC;
	for (size_t i = 0; i < sizeof(allocators) / sizeof(allocators[0]); i++)
		if (!strcmp(name, allocators[i]))
			target->notes |= TARGET_NOTE_ALLOCATOR;
}

static void read_symbols(struct target *target, struct walk *walk, Elf_Scn *section,
			 const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;

	for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
		const char *name;

		if (symbol.st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol.st_info) != STT_FUNC)
			continue;
		name = elf_strptr(walk->elf, header->sh_link, symbol.st_name);
		if (name)
			note_symbol(target, name);
	}
}

static void read_sections(struct target *target, struct walk *walk)
{
	size_t names = 0;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	elf_getshdrstrndx(walk->elf, &names);
	while ((section = elf_nextscn(walk->elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == SHT_DYNAMIC)
			read_dynamic(walk, section, &header);
		else if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
			read_symbols(target, walk, section, &header);
		name = elf_strptr(walk->elf, names, header.sh_name);
		if (name && !strcmp(name, ".go.buildinfo"))
			target->notes |= TARGET_NOTE_GO;
	}
}

static enum target_problem check_loader(const struct target *target, const struct walk *walk)
{
	const char *name = base_name(target->loader);

	/* The loader run as a program honours LD_PRELOAD for the one that it loads. */
	if (!*name && walk->soname && !strcmp(walk->soname, GLIBC_LOADER))
		return TARGET_OK;
	if (!*name && walk->is_dynamic && !walk->is_pie && walk->soname)
		return TARGET_NOT_A_PROGRAM;
	if (!*name)
		return walk->is_dynamic ? TARGET_STATIC_PIE : TARGET_STATIC;
	if (!strncmp(name, "ld-musl", 7))
		return TARGET_MUSL;
	if (strcmp(name, GLIBC_LOADER))
		return TARGET_OTHER_LIBC;
	return access(target->loader, X_OK) < 0 ? TARGET_NO_LOADER : TARGET_OK;
}

static enum target_problem examine(struct target *target, struct walk *walk, int file)
{
	enum target_problem problem;

	if (elf_kind(walk->elf) != ELF_K_ELF || !gelf_getehdr(walk->elf, &walk->header))
		return TARGET_NOT_A_PROGRAM;
	problem = check_header(walk);
	if (problem)
		return problem;
	read_segments(target, walk, file);
	if (!walk->segment_count)
		return TARGET_NOT_A_PROGRAM;
	read_sections(target, walk);
	problem = check_loader(target, walk);
	return !problem && walk->needs_sanitizer ? TARGET_SANITIZER : problem;
}

void target_examine_elf(struct target *target, int file)
{
	struct walk walk = { 0 };

	elf_version(EV_CURRENT);
	walk.elf = elf_begin(file, ELF_C_READ, NULL);
	target->problem = examine(target, &walk, file);
	elf_end(walk.elf);
}
