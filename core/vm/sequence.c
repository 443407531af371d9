/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The words that readers without a lock look at. */

#include "core/vm/sequence.h"

uintptr_t vm_sequence;
uint32_t vm_change_depth;
