/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The hooks that core/api.spec lists, as a table.
 *
 * This folder plans and touches nothing: bytes of a DLL in, what is to be done out. The preload
 * acts on it, `vadtrace doctor --wine` prints it. */

#ifndef VADTRACE_PRELOAD_PE_PLAN_HOOKS_H
#define VADTRACE_PRELOAD_PE_PLAN_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h" /* enum api */

/* A row of API_HOOKS. */
struct hook {
	const char *dll; /* without ".dll", lower case */
	const char *export;
	uint16_t api;      /* enum api */
	uint8_t arguments; /* of 8 bytes */
	bool is_routed;    /* core may answer */
	const char *name;  /* that programs know the function by: "HeapAlloc" of RtlAllocateHeap */
};

enum hook_state {
	HOOK_WAITS,  /* its DLL has not been mapped */
	HOOK_IS_SET, /* calls come to us */
	HOOK_ABSENT, /* the DLL does not have the export, or has it in another DLL */
	HOOK_LEFT,   /* it could not be hooked safely, and is as it was */
};

#define HOOK_COUNT_ROW(...) +1
enum { HOOK_COUNT = 0 API_HOOKS(HOOK_COUNT_ROW) };

/* index < HOOK_COUNT */
const struct hook *hook_at(size_t index);

/* Whether a file of this name is the DLL, "ntdll" say; "NTDLL.DLL" is. */
bool hook_is_in(const char *dll, const char *file_name);

/* Whether core may answer in the place of this Wine, "8.0" or "wine-8.0 (Debian ...)": one whose
 * heaps, tables and system calls are known. In any other the calls are told only. */
bool hook_knows_wine(const char *version);

#endif
