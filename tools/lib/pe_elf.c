/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Sections of the file that is made, in this order:
 *
 *   code sections   NOBITS, at image base + RVA
 *   .debug_*        the bytes of the Windows file
 *   .symtab .strtab .shstrtab
 *
 * One loadable segment spans the whole image. libelf writes it; what it points at stays mapped
 * until then. */

#include "tools/lib/pe_elf.h"
#include "tools/lib/xalloc.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A string table that grows. */
struct strings {
	char *text;
	size_t bytes, capacity;
};

struct writer {
	const struct pe *pe;
	Elf *elf;
	struct strings names;   /* .strtab */
	struct strings headers; /* .shstrtab */
	size_t *places;         /* by section of the Windows file: its section here, 0: none */
	GElf_Sym *symbols;
	size_t symbol_count;
};

static uint32_t add_string(struct strings *strings, const char *text, size_t length)
{
	uint32_t at = (uint32_t)strings->bytes;

	while (strings->bytes + length + 1 > strings->capacity) {
		strings->capacity = strings->capacity ? 2 * strings->capacity : 4096;
		strings->text = xreallocarray(strings->text, strings->capacity, 1);
	}
	memcpy(strings->text + strings->bytes, text, length);
	strings->text[strings->bytes + length] = '\0';
	strings->bytes += length + 1;
	return at;
}

/* A section with its data; NULL: libelf refused. */
static Elf_Scn *add_section(struct writer *writer, const char *name, const GElf_Shdr *wanted,
			    const void *bytes, Elf_Type type)
{
	Elf_Scn *section = elf_newscn(writer->elf);
	Elf_Data *data = section ? elf_newdata(section) : NULL;
	GElf_Shdr header = *wanted;

	if (!data)
		return NULL;
	data->d_buf = (void *)(uintptr_t)bytes;
	data->d_size = wanted->sh_size;
	data->d_type = type;
	data->d_align = wanted->sh_addralign;
	header.sh_name = add_string(&writer->headers, name, strlen(name));
	return gelf_update_shdr(section, &header) ? section : NULL;
}

static bool add_code(struct writer *writer, size_t number)
{
	const struct pe_section *from = &writer->pe->sections[number];
	GElf_Shdr header = {
		.sh_type = SHT_NOBITS,
		.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
		.sh_addr = writer->pe->image_base + from->rva,
		.sh_size = from->size_bytes,
		.sh_addralign = 1,
	};
	Elf_Scn *section = add_section(writer, from->name, &header, NULL, ELF_T_BYTE);

	writer->places[number] = section ? elf_ndxscn(section) : 0;
	return section;
}

static bool add_debug(struct writer *writer, const struct pe_section *from)
{
	GElf_Shdr header = { .sh_type = SHT_PROGBITS,
			     .sh_size = from->data_bytes,
			     .sh_addralign = 1 };

	return add_section(writer, from->name, &header, from->data, ELF_T_BYTE);
}

static bool add_sections(struct writer *writer)
{
	for (size_t i = 0; i < writer->pe->section_count; i++) {
		const struct pe_section *from = &writer->pe->sections[i];

		if (from->is_code && !add_code(writer, i))
			return false;
		if (!strncmp(from->name, ".debug_", 7) && from->data && !add_debug(writer, from))
			return false;
	}
	return true;
}

static size_t place_of(const struct writer *writer, uint32_t rva)
{
	const struct pe *pe = writer->pe;

	for (size_t i = 0; i < pe->section_count; i++)
		if (writer->places[i] && rva >= pe->sections[i].rva &&
		    rva - pe->sections[i].rva < pe->sections[i].size_bytes)
			return writer->places[i];
	return 0;
}

static void take_symbols(struct writer *writer)
{
	struct pe_symbols symbols;

	pe_find_symbols(writer->pe, &symbols);
	writer->symbols = xcalloc(symbols.count + 1, sizeof(*writer->symbols));
	writer->symbol_count = symbols.count + 1;
	for (size_t i = 0; i < symbols.count; i++) {
		const struct pe_symbol *from = &symbols.list[i];

		writer->symbols[i + 1] = (GElf_Sym){
			.st_name = add_string(&writer->names, from->name, from->length),
			.st_info = GELF_ST_INFO(STB_GLOBAL, STT_FUNC),
			.st_shndx = (GElf_Section)place_of(writer, from->rva),
			.st_value = writer->pe->image_base + from->rva,
			.st_size = from->size_bytes,
		};
	}
	free(symbols.list);
}

static bool add_symbols(struct writer *writer)
{
	GElf_Shdr table = { .sh_type = SHT_SYMTAB,
			    .sh_size = writer->symbol_count * sizeof(GElf_Sym),
			    .sh_entsize = sizeof(GElf_Sym),
			    .sh_addralign = 8,
			    .sh_info = 1 };
	GElf_Shdr names = { .sh_type = SHT_STRTAB,
			    .sh_size = writer->names.bytes,
			    .sh_addralign = 1 };
	Elf_Scn *strings = add_section(writer, ".strtab", &names, writer->names.text, ELF_T_BYTE);

	if (!strings)
		return false;
	table.sh_link = (GElf_Word)elf_ndxscn(strings);
	return add_section(writer, ".symtab", &table, writer->symbols, ELF_T_SYM);
}

/* Last, when all names are known. */
static bool add_header_names(struct writer *writer, GElf_Ehdr *header)
{
	GElf_Shdr names = { .sh_type = SHT_STRTAB, .sh_addralign = 1 };
	Elf_Scn *section = elf_newscn(writer->elf);
	Elf_Data *data = section ? elf_newdata(section) : NULL;

	if (!data)
		return false;
	names.sh_name = add_string(&writer->headers, ".shstrtab", strlen(".shstrtab"));
	names.sh_size = writer->headers.bytes;
	data->d_buf = writer->headers.text;
	data->d_size = writer->headers.bytes;
	data->d_align = 1;
	header->e_shstrndx = (GElf_Half)elf_ndxscn(section);
	return gelf_update_shdr(section, &names) && gelf_update_ehdr(writer->elf, header);
}

static bool add_segment(struct writer *writer)
{
	GElf_Phdr segment = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = writer->pe->image_base,
		.p_paddr = writer->pe->image_base,
		.p_memsz = writer->pe->image_bytes,
		.p_align = 4096,
	};

	return gelf_newphdr(writer->elf, 1) && gelf_update_phdr(writer->elf, 0, &segment);
}

static bool write_all(struct writer *writer)
{
	GElf_Ehdr header = { .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT };

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	add_string(&writer->names, "", 0);
	add_string(&writer->headers, "", 0);
	if (!gelf_newehdr(writer->elf, ELFCLASS64) || !add_segment(writer) || !add_sections(writer))
		return false;
	take_symbols(writer);
	return add_symbols(writer) && add_header_names(writer, &header) &&
	       elf_update(writer->elf, ELF_C_WRITE) > 0;
}

int pe_elf_create(const struct pe *pe)
{
	struct writer writer = { .pe = pe };
	int fd = memfd_create("windows-file", MFD_CLOEXEC);
	bool is_written = false;

	if (fd < 0)
		return -1;
	elf_version(EV_CURRENT);
	writer.places = xcalloc(pe->section_count + 1, sizeof(*writer.places));
	writer.elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (writer.elf)
		is_written = write_all(&writer);
	elf_end(writer.elf);
	free(writer.places);
	free(writer.symbols);
	free(writer.names.text);
	free(writer.headers.text);
	if (is_written)
		return fd;
	close(fd);
	return -1;
}
