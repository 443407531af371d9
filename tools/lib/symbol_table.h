/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Names in .symtab and .dynsym by address: what libdwfl's dwfl_module_addrinfo says, which looks at
 * all symbols each time. */

#ifndef VADTRACE_TOOLS_LIB_SYMBOL_TABLE_H
#define VADTRACE_TOOLS_LIB_SYMBOL_TABLE_H

#include <elfutils/libdwfl.h>

struct symbol_table;

/* The module must live longer, and the names live as long as it does. Symbols are read at the first
 * look-up. */
struct symbol_table *symbol_table_create(Dwfl_Module *module);
void symbol_table_destroy(struct symbol_table *table);

/* The symbol that covers the address, which is libdwfl's (with load bias); NULL: none. */
const char *symbol_table_find(struct symbol_table *table, GElf_Addr address);

#endif
