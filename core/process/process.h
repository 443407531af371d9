/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The calls on a process that a handle names: the engine of vm for this one, the same engine in the
 * other process for another. `process` is (HANDLE)-1, or a handle of process_open's; it allows what
 * it was opened for and nothing else: STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_ACCESS_DENIED. Arguments and answers are those of vm/virtual.h beside these. */

#ifndef VADTRACE_CORE_PROCESS_PROCESS_H
#define VADTRACE_CORE_PROCESS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/object.h"
#include "core/process/identity.h"
#include "core/process/protocol.h"
#include "core/types.h"
#include "core/vm/virtual.h"

/* A process that handles lead to. Never changed once it is open. */
struct process {
	struct object object;
	struct identity identity;
	bool is_own; /* the process that opened it */
};

/* NtOpenProcess. The generic rights become the process's own; PROCESS_QUERY_INFORMATION brings the
 * limited one with it, as on Windows. STATUS_INVALID_CID: there is no such process. */
NTSTATUS process_open(uint32_t access, uint32_t id, HANDLE *handle);
/* CloseHandle. A pseudo handle needs no closing, and does no harm. */
NTSTATUS process_close(HANDLE handle);
/* Needs either of the query rights. */
NTSTATUS process_id(HANDLE process, uint32_t *id);

/* NtDuplicateObject among the handles of this process, which both process handles must lead to
 * (else STATUS_NOT_SUPPORTED) and allow PROCESS_DUP_HANDLE. `options` are DUPLICATE_*; `duplicate`
 * may be NULL. The pseudo handle becomes a real one. */
NTSTATUS process_duplicate(HANDLE source_process, HANDLE source, HANDLE target_process,
			   HANDLE *duplicate, uint32_t access, uint32_t options);

/* Has the process do what `request` says, this one by itself. The handle must allow `access`. */
NTSTATUS process_ask(HANDLE process, uint32_t access, struct protocol_request *request,
		     struct protocol_reply *reply);
/* The same for a range, which on success becomes the one that the process has taken. */
NTSTATUS process_ask_range(HANDLE process, struct protocol_request *request, void **base,
			   size_t *size_bytes);
/* Whether the handle is one of the calling process. It must allow `access`. */
NTSTATUS process_is_this(HANDLE process, uint32_t access, bool *is_own);

/* Both need PROCESS_VM_OPERATION. */
NTSTATUS process_allocate(HANDLE process, void **base, size_t *size_bytes, uint32_t type,
			  uint32_t protect, const struct vm_request *request);
NTSTATUS process_free(HANDLE process, void **base, size_t *size_bytes, uint32_t free_type,
		      const struct vm_request *request);
/* Needs PROCESS_VM_OPERATION. */
NTSTATUS process_protect(HANDLE process, void **base, size_t *size_bytes, uint32_t protect,
			 uint32_t *old_protect, const struct vm_request *request);
/* Needs `access`: PROCESS_QUERY_INFORMATION unless the answer is for a function that needs another.
 */
NTSTATUS process_query(HANDLE process, uint32_t access, const void *address,
		       MEMORY_BASIC_INFORMATION *info);

/* Copies from, or to, memory of the process: PROCESS_VM_READ; PROCESS_VM_WRITE and
 * PROCESS_VM_OPERATION. *count, if wanted, is written in any case. STATUS_PARTIAL_COPY: *count
 * bytes were copied, then came a page that does not allow it; STATUS_ACCESS_VIOLATION: the caller's
 * own buffer does not. */
NTSTATUS process_read(HANDLE process, const void *address, void *buffer, size_t size_bytes,
		      size_t *count);
NTSTATUS process_write(HANDLE process, void *address, const void *buffer, size_t size_bytes,
		       size_t *count);
/* process_write as WriteProcessMemory does it: pages of code (PAGE_EXECUTE, PAGE_EXECUTE_READ) that
 * VirtualProtect could make writable are written, too; STATUS_ACCESS_VIOLATION when the first page
 * may be read only. */
NTSTATUS process_patch(HANDLE process, void *address, const void *buffer, size_t size_bytes,
		       size_t *count);

#endif
