/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where symbols and sections begin and end, libdwfl's answer may change, and nowhere else. Each
 * range between has one, which is asked for at most once:
 *
 *      [ outer -----------------)        [ only ---)       | label
 *               [ inner --)
 *      |outer   |asked    |asked|nothing |only     |nothing|asked
 *
 * Not asked is a symbol that has a size and alone covers the range, and nothing behind one: libdwfl
 * takes no symbol without a size from before it. Which of several it prefers is its business. */

#include "tools/lib/symbol_table.h"
#include "tools/lib/xalloc.h"

#include <stdbool.h>
#include <stdlib.h>

/* Where a symbol begins (change is 1) or ends (-1), or a section does (0). */
struct edge {
	GElf_Addr address;
	const char *name; /* of the symbol, if it has a size */
	int change;
};

struct edges {
	struct edge *list;
	size_t count, capacity;
};

/* Ends where the next one begins. */
struct range {
	GElf_Addr begin;
	const char *name; /* once it is known; NULL: nothing covers it */
	bool is_known;
};

/* The ranges are sorted, of each begin one. */
struct symbol_table {
	Dwfl_Module *module;
	struct range *ranges;
	size_t count;
	bool is_filled;
};

static void add_edge(struct edges *edges, GElf_Addr address, const char *name, int change)
{
	edges->list = xgrow(edges->list, edges->count, &edges->capacity, sizeof(*edges->list));
	edges->list[edges->count++] = (struct edge){ address, name, change };
}

/* A symbol without a size is good for its section, to which libdwfl counts the address of its end
 * too. */
static void add_sections(struct edges *edges, Dwfl_Module *module)
{
	GElf_Addr bias = 0;
	Elf *elf = dwfl_module_getelf(module, &bias);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header)) {
			GElf_Addr begin = header.sh_addr + bias;

			add_edge(edges, begin, NULL, 0);
			add_edge(edges, begin + header.sh_size + 1, NULL, 0);
		}
}

/* Without a size it has a range of one byte: its own address is special. No look-up meets an end
 * beyond the last address. */
static void add_symbol(struct edges *edges, const char *name, GElf_Addr begin, uint64_t size_bytes)
{
	GElf_Addr end = begin + (size_bytes ? size_bytes : 1);
	const char *known = size_bytes ? name : NULL;

	add_edge(edges, begin, known, 1);
	if (end > begin)
		add_edge(edges, end, known, -1);
}

/* Those that libdwfl looks at. */
static bool is_place(const GElf_Sym *symbol, const char *name)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return name && *name && symbol->st_shndx != SHN_UNDEF && type != STT_SECTION &&
	       type != STT_FILE && type != STT_TLS;
}

static void add_symbols(struct edges *edges, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);

	for (int i = 1; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr begin;
		const char *name =
			dwfl_module_getsym_info(module, i, &symbol, &begin, NULL, NULL, NULL);

		if (is_place(&symbol, name))
			add_symbol(edges, name, begin, symbol.st_size);
	}
}

static int compare(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->change - b->change;
}

static void add_range(struct symbol_table *table, const struct range *range)
{
	if (table->count && table->ranges[table->count - 1].begin == range->begin)
		table->count--;
	table->ranges[table->count++] = *range;
}

static void make_ranges(struct symbol_table *table, const struct edges *edges)
{
	struct range range = { .is_known = false };
	int covering = 0;

	table->ranges = xcalloc(edges->count + 1, sizeof(*table->ranges));
	for (size_t i = 0; i < edges->count; i++) {
		const struct edge *edge = &edges->list[i];
		bool is_begin = edge->change > 0;

		covering += edge->change;
		if (edge->change) {
			range.is_known = edge->name && covering == is_begin;
			range.name = is_begin ? edge->name : NULL;
		}
		range.begin = edge->address;
		add_range(table, &range);
	}
	table->ranges = xreallocarray(table->ranges, table->count + 1, sizeof(*table->ranges));
}

static void fill(struct symbol_table *table)
{
	struct edges edges = { .list = NULL };

	add_symbols(&edges, table->module);
	add_sections(&edges, table->module);
	if (edges.count)
		qsort(edges.list, edges.count, sizeof(*edges.list), compare);
	make_ranges(table, &edges);
	free(edges.list);
	table->is_filled = true;
}

struct symbol_table *symbol_table_create(Dwfl_Module *module)
{
	struct symbol_table *table = xcalloc(1, sizeof(*table));

	table->module = module;
	return table;
}

void symbol_table_destroy(struct symbol_table *table)
{
	if (!table)
		return;
	free(table->ranges);
	free(table);
}

/* NULL: it is before all symbols. */
static struct range *find_range(const struct symbol_table *table, GElf_Addr address)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->ranges[middle].begin <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &table->ranges[low - 1] : NULL;
}

const char *symbol_table_find(struct symbol_table *table, GElf_Addr address)
{
	GElf_Sym symbol;
	GElf_Off offset;

	if (!table->is_filled)
		fill(table);
	struct range *range = find_range(table, address);
	if (!range)
		return NULL;
	if (!range->is_known)
		range->name = dwfl_module_addrinfo(table->module, address, &offset, &symbol, NULL,
						   NULL, NULL);
	range->is_known = true;
	return range->name;
}
