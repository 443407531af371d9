/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Kernel objects and the handles to them: what OpenProcess and its like give, and CloseHandle takes
 * back. A handle carries the access that it was opened with; several may lead to one object.
 *
 * A value is 4 more than a multiple of 8: a multiple of 4 as in Windows, whose two lowest bits are
 * the program's own and count for nothing, and never the address of a heap. A value that was closed
 * is given out again last of all. Takes LOCK_RANK_OBJECTS; from any thread. */

#ifndef VADTRACE_CORE_BASE_OBJECT_H
#define VADTRACE_CORE_BASE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/types.h"

enum object_type {
	OBJECT_ANY = 0, /* for object_get: whatever it is */
	OBJECT_PROCESS = 1,
	OBJECT_NOTIFICATION, /* CreateMemoryResourceNotification's */
};

/* What the body of an object begins with. All zero but for the functions, which may be NULL, before
 * the first handle is made.
 *  - references is the number of handles, and of object_get without their object_put;
 *  - when it falls to zero, `destroy` is called with the body, without any lock;
 *  - is_signaled, called likewise, tells whether a wait for the object is over; NULL: nobody can
 *    wait for it.
 * Guarded by: the lock of object.c. */
struct object {
	uint32_t references;
	uint32_t type; /* enum object_type */
	void (*destroy)(void *body);
	bool (*is_signaled)(const void *body);
};

/* A new handle to `body`, which begins with a struct object. NULL when there is no memory or there
 * are a million handles; then a body without other handles is still the caller's. */
HANDLE object_open(enum object_type type, void *body, uint32_t access);

/* The body, with a reference that object_put gives back, when the handle leads to an object of that
 * type and allows all of `access`. Else STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH (both
 * are ERROR_INVALID_HANDLE) or STATUS_ACCESS_DENIED. */
NTSTATUS object_get(HANDLE handle, enum object_type type, uint32_t access, void **body);
void object_put(void *body);

/* Another handle to the same object; with the same access when `access` is NULL. */
NTSTATUS object_duplicate(HANDLE handle, const uint32_t *access, HANDLE *duplicate);

/* The handle leads nowhere from now on. STATUS_INVALID_HANDLE. */
NTSTATUS object_close(HANDLE handle);

/* Handles that are open. */
uint32_t object_count(void);

/* Around fork: the child has the handles of its parent. */
void object_fork_prepare(void);
void object_fork_parent(void);
void object_fork_child(void);

void object_check(void);

#endif
