/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Vectored exception handlers: a list that many threads may walk while others change it.
 *
 *   first -> [function, users] <-> [function, users] <-> ... <- last
 *
 * A thread that calls a handler is one of its users, and so is the list. A removed one keeps its
 * place, unseen, until its last user is gone: who stands on it can go on from there. A handler that
 * is left by longjmp stays for ever, 48 bytes. Guarded by: handlers_lock, which is not held while a
 * handler runs. */

#include <errno.h>
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/hints.h"
#include "core/base/lock.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/vm/fault.h"
#include "core/win32/context.h"

/* One that was added.
 *  - is_listed until it is removed; then it is only passed by;
 *  - users: the list while it is listed, and each thread that is inside of function.
 * Guarded by: handlers_lock. */
struct handler {
	struct handler *next;
	struct handler *previous;
	PVECTORED_EXCEPTION_HANDLER function;
	uint32_t users;
	bool is_listed;
};

static struct lock handlers_lock = LOCK_INITIALIZER(LOCK_RANK_FAULT);
static struct handler *first_handler, *last_handler;

static void insert_locked(struct handler *handler, bool first)
{
	handler->next = first ? first_handler : NULL;
	handler->previous = first ? NULL : last_handler;
	*(handler->previous ? &handler->previous->next : &first_handler) = handler;
	*(handler->next ? &handler->next->previous : &last_handler) = handler;
}

static void release_locked(struct handler *handler)
{
	if (--handler->users)
		return;
	*(handler->previous ? &handler->previous->next : &first_handler) = handler->next;
	*(handler->next ? &handler->next->previous : &last_handler) = handler->previous;
	arena_free(handler, sizeof *handler);
}

/* The one after `handler` (NULL: the first one), which the thread leaves; NULL: no more. */
static struct handler *go_on(struct handler *handler)
{
	struct handler *next;

	lock_acquire(&handlers_lock);
	next = handler ? handler->next : first_handler;
	while (next && !next->is_listed)
		next = next->next;
	if (next)
		next->users++;
	if (handler)
		release_locked(handler);
	lock_release(&handlers_lock);
	return next;
}

static void leave(struct handler *handler)
{
	lock_acquire(&handlers_lock);
	release_locked(handler);
	lock_release(&handlers_lock);
}

/* Whether one of them lets the thread go on. */
static bool call_handlers(EXCEPTION_POINTERS *pointers)
{
	for (struct handler *handler = go_on(NULL); handler; handler = go_on(handler)) {
		if (handler->function(pointers) == EXCEPTION_CONTINUE_EXECUTION) {
			leave(handler);
			return true;
		}
	}
	return false;
}

static bool dispatch(const struct fault *fault, void *system)
{
	CONTEXT context;
	EXCEPTION_RECORD record = { .ExceptionCode = (DWORD)fault->status,
				    .NumberParameters = fault->is_raised ? 0 : 2 };
	EXCEPTION_POINTERS pointers = { &record, &context };
	int saved_errno = errno;
	bool is_handled;

	context_from_system(&context, system);
	record.ExceptionAddress = (PVOID)context.Rip;
	record.ExceptionInformation[0] = (ULONG_PTR)fault->access;
	record.ExceptionInformation[1] = fault->address;
	is_handled = call_handlers(&pointers);
	if (is_handled)
		context_to_system(&context, system);
	errno = saved_errno;
	return is_handled;
}

CORE_API PVOID AddVectoredExceptionHandler(ULONG First, PVECTORED_EXCEPTION_HANDLER Handler)
{
	NTSTATUS status = status_from_os(fault_enable());
	struct handler *handler;

	if (!status_set_last_error(status))
		return NULL;
	handler = arena_allocate(sizeof *handler);
	if (!handler) {
		status_set_last_error(STATUS_NO_MEMORY);
		return NULL;
	}
	handler->function = Handler;
	handler->users = 1;
	handler->is_listed = true;
	lock_acquire(&handlers_lock);
	insert_locked(handler, First != 0);
	lock_release(&handlers_lock);
	__atomic_store_n(&fault_dispatch, dispatch, __ATOMIC_RELEASE);
	return handler;
}

CORE_API ULONG RemoveVectoredExceptionHandler(PVOID Handle)
{
	struct handler *handler;

	lock_acquire(&handlers_lock);
	handler = first_handler;
	while (handler && (handler != Handle || !handler->is_listed))
		handler = handler->next;
	if (handler) {
		handler->is_listed = false;
		release_locked(handler);
	}
	lock_release(&handlers_lock);
	return handler != NULL;
}
