/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A Windows file (PE32+) as far as symbolisation goes. Every field of the file may be wrong: what
 * does not lie in the file is as if it were not there. Source: Microsoft's "PE Format". */

#ifndef VADTRACE_TOOLS_LIB_PE_H
#define VADTRACE_TOOLS_LIB_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pe_section {
	const char *name; /* long names resolved */
	uint32_t rva, size_bytes;
	const uint8_t *data; /* NULL: none in the file */
	uint32_t data_bytes;
	bool is_code;
};

/* The file, mapped.
 *  - sections, and the strings in them, live until pe_close. */
struct pe {
	const uint8_t *bytes;
	size_t size_bytes;
	uint64_t image_base; /* where the file's addresses believe it to be */
	uint32_t image_bytes;
	uint32_t time_stamp;
	struct pe_section *sections;
	size_t section_count;
	uint32_t directories_at, directory_count;
	uint32_t symbols_at, symbol_count;
};

/* A name for code. */
struct pe_symbol {
	const char *name; /* not terminated */
	size_t length;
	uint32_t rva;
	uint32_t size_bytes; /* 0: unknown */
};

/* A list that the caller frees. */
struct pe_symbols {
	struct pe_symbol *list;
	size_t count, capacity;
};

/* Maps the file. False: it cannot be read, or is no PE32+ file. The descriptor may be closed. */
bool pe_open(struct pe *pe, int fd);
void pe_close(struct pe *pe);

/* What tells builds apart, as symbol servers have it: time stamp and image size, in hexadecimal.
 */
enum { PE_IDENTITY_BYTES = 20 };
void pe_identity(uint32_t time_stamp, uint32_t image_bytes, char identity[PE_IDENTITY_BYTES]);

/* Names of functions from the export table and the COFF symbols, by address, each with an end that
 * .pdata or the next name gives. */
void pe_find_symbols(const struct pe *pe, struct pe_symbols *symbols);

/* Whether the file has DWARF of its own. */
bool pe_has_dwarf(const struct pe *pe);

/* The PDB as the linker named it, with the folders of the machine where it was made; NULL: none. */
const char *pe_pdb_name(const struct pe *pe);

#endif
