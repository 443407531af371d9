/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Generated code of a Windows program: the function tables that it gave to RtlAddFunctionTable, as
 * far as Wine's list of them can be found and read. Callbacks of RtlInstallFunctionTableCallback
 * are not called: of such code no more than its place is known. */

#ifndef VADTRACE_TRACE_FUNCTIONS_PE_H
#define VADTRACE_TRACE_FUNCTIONS_PE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/stack/stack_pe.h"

/* ntdll.dll's data, where Wine keeps the list's head. */
void functions_pe_start(uint64_t data, uint32_t size_bytes);

/* The table of the code at `pc`. Without a lock. */
bool functions_pe_find(uint64_t pc, struct pe_image *image);

/* A number that changes when a table is added, or the last one deleted; 0 before the first one was
 * seen. */
uint64_t functions_pe_version(void);

/* Memory is given back: what is known of generated code there is forgotten. */
void functions_pe_forget(uint64_t start, uint64_t end);

#endif
