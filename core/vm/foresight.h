/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where in watched regions the kernel may be writing for the program at this moment. Called with
 * vm_lock held. */

#ifndef VADTRACE_CORE_VM_FORESIGHT_H
#define VADTRACE_CORE_VM_FORESIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vm/rules.h"

/* For the calling thread's call whose frame holds the address `call`. What calls of this thread
 * further in have left behind is forgotten. Without a free place nothing is kept. */
void foresight_add(uintptr_t call, const struct vm_range *range);
void foresight_remove(uintptr_t call);
/* The next part of `range`, from *place on (0 at first), where the kernel may be writing. False: no
 * more. */
bool foresight_next(size_t *place, const struct vm_range *range, struct vm_range *part);

#endif
