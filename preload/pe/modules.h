/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Notices the DLLs that are to be hooked while Wine's ntdll.so maps them: it maps an image section
 * by section, the headers first and with mmap, and sets the protections last. */

#ifndef VADTRACE_PRELOAD_PE_MODULES_H
#define VADTRACE_PRELOAD_PE_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* After a successful mmap of the process. Cheap for all that is no image. */
void pe_map_noticed(void *address, size_t size_bytes, int fd, off_t offset);

/* Before an mprotect. When it makes code of a noticed DLL executable, the hooks are set. */
void pe_protect_coming(void *address, size_t size_bytes, int prot);

/* Whether the address is in Wine's ELF half (ntdll.so): what that maps is not the program's. */
bool pe_is_wine_code(const void *address);

/* A function that Wine's ELF half exports; NULL: it does not, or is not known yet. */
void *pe_wine_function(const char *name);

#endif
