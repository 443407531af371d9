/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The ELF half of target.h. */

#ifndef VADTRACE_TOOLS_RECORD_TARGET_ELF_H
#define VADTRACE_TOOLS_RECORD_TARGET_ELF_H

#include "tools/record/target.h"

/* Reads the open file's headers and symbols; sets problem, notes and loader. */
void target_examine_elf(struct target *target, int file);

#endif
