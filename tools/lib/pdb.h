/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Functions and lines from a Windows file's PDB, by asking LLVM's llvm-symbolizer, when the user
 * has that program, and the PDB beside the Windows file or where it was linked. */

#ifndef VADTRACE_TOOLS_LIB_PDB_H
#define VADTRACE_TOOLS_LIB_PDB_H

#include "tools/lib/dwarf.h"
#include "tools/lib/pe.h"

struct pdb;

/* Starts llvm-symbolizer for the file; NULL: the file has no PDB here, or there is no such program.
 */
struct pdb *pdb_open(const struct pe *pe, const char *path);
void pdb_close(struct pdb *pdb);

/* The levels of the address, as dwarf_index_find. The strings are valid until the next call. */
size_t pdb_find(struct pdb *pdb, uint64_t rva, struct dwarf_frame frames[DWARF_FRAMES_MAX]);

#endif
