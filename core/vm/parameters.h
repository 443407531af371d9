/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The extended parameters of VirtualAlloc2, checked before any state is looked at. */

#ifndef VADTRACE_CORE_VM_PARAMETERS_H
#define VADTRACE_CORE_VM_PARAMETERS_H

#include "core/types.h"
#include "core/vm/virtual.h"

/* Writes what the parameters ask for into `request`; `base` is the address that is asked for, or
 * NULL. STATUS_INVALID_PARAMETER: a type that is unknown or there twice, requirements that cannot
 * be or that come with an address, a node that the machine does not have. STATUS_INVALID_HANDLE: a
 * partition, or a section of physical pages: nobody has one. STATUS_NOT_SUPPORTED: attributes. */
NTSTATUS parameters_read(const MEM_EXTENDED_PARAMETER *parameters, uint32_t count, const void *base,
			 struct vm_request *request);

#endif
