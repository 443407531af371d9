/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A Windows file as an ELF file, for libdw: the code's place without the code, the DWARF sections
 * as they are, and the names of functions as a symbol table. Its addresses are the Windows file's
 * own: image base plus RVA. */

#ifndef VADTRACE_TOOLS_LIB_PE_ELF_H
#define VADTRACE_TOOLS_LIB_PE_ELF_H

#include "tools/lib/pe.h"

/* A file in memory, whose descriptor is the caller's to close; -1: it could not be made. */
int pe_elf_create(const struct pe *pe);

#endif
