/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* symbol_table FILE...: the names in these files are those that libdwfl's own search finds: around
 * the begin, the middle and the end of symbols and sections, and anywhere. Each address is asked
 * for in rising and in falling order, as what was answered is kept. */

#include "tools/lib/symbol_table.h"
#include "tools/lib/pe_elf.h"

#include "tests/lib/tap.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { SYMBOLS_MAX = 300, ANYWHERE_COUNT = 300, ADDRESSES_MAX = 16384 };

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static struct {
	GElf_Addr list[ADDRESSES_MAX];
	size_t count;
} addresses;

static void add_around(GElf_Addr address)
{
	for (int i = -1; i <= 1 && addresses.count < ADDRESSES_MAX; i++)
		addresses.list[addresses.count++] = address + (GElf_Addr)(int64_t)i;
}

static void add_span(GElf_Addr begin, uint64_t size_bytes)
{
	add_around(begin);
	add_around(begin + size_bytes / 2);
	add_around(begin + size_bytes);
}

static void add_symbols(Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);

	for (int i = 1; i < count; i += count / SYMBOLS_MAX + 1) {
		GElf_Sym symbol;
		GElf_Addr begin;

		if (dwfl_module_getsym_info(module, i, &symbol, &begin, NULL, NULL, NULL))
			add_span(begin, symbol.st_size);
	}
}

static void add_sections(Dwfl_Module *module)
{
	GElf_Addr bias = 0;
	Elf *elf = dwfl_module_getelf(module, &bias);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header))
			add_span(header.sh_addr + bias, header.sh_size);
}

static void add_anywhere(Dwfl_Module *module)
{
	GElf_Addr begin = 0, end = 0;
	uint64_t random = 1;

	dwfl_module_info(module, NULL, &begin, &end, NULL, NULL, NULL, NULL);
	for (int i = 0; i < ANYWHERE_COUNT; i++) {
		random = random * UINT64_C(6364136223846793005) + 1;
		add_around(begin + (random >> 16) % (end - begin + 0x10000));
	}
	add_around(0);
	add_around(UINT64_MAX);
}

static bool is_same(struct symbol_table *table, Dwfl_Module *module, GElf_Addr address)
{
	GElf_Off offset;
	GElf_Sym symbol;
	const char *found = symbol_table_find(table, address);
	const char *wanted =
		dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);

	if (strcmp(found ? found : "", wanted ? wanted : "") == 0)
		return true;
	printf("# 0x%jx: %s, libdwfl says %s\n", (uintmax_t)address, found ? found : "nothing",
	       wanted ? wanted : "nothing");
	return false;
}

static unsigned differences(Dwfl_Module *module, bool is_rising)
{
	struct symbol_table *table = symbol_table_create(module);
	unsigned wrong = 0;

	for (size_t i = 0; i < addresses.count; i++)
		wrong += !is_same(table, module,
				  addresses.list[is_rising ? i : addresses.count - 1 - i]);
	symbol_table_destroy(table);
	return wrong;
}

static void test_module(const char *path, Dwfl_Module *module)
{
	addresses.count = 0;
	add_symbols(module);
	add_sections(module);
	add_anywhere(module);
	ok(dwfl_module_getsymtab(module) > 1, "%s has symbols: %d", path,
	   dwfl_module_getsymtab(module));
	ok_equal(differences(module, true), 0, "%s: the names are libdwfl's", path);
	ok_equal(differences(module, false), 0, "%s: and from the end", path);
}

/* The descriptor of the file itself or of one that is made of a Windows file. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct pe pe;

	if (fd < 0 || !pe_open(&pe, fd))
		return fd;
	int elf = pe_elf_create(&pe);
	pe_close(&pe);
	close(fd);
	return elf;
}

static void test_file(const char *path)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *module = dwfl_report_offline(dwfl, "", path, open_file(path));

	dwfl_report_end(dwfl, NULL, NULL);
	if (ok(module != NULL, "%s can be read", path))
		test_module(path, module);
	dwfl_end(dwfl);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		test_file(argv[i]);
	return tap_done();
}
