/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Looks, and sleeps between: what is waited for is a figure of the system's or another process, and
 * nobody calls us when those change.
 *
 *   look . look .. look .... look ........ look     1, 2, 4 ... 64, 100, 100 milliseconds
 *
 * No state, no lock. Knows nothing of what the objects are. */

#include "core/base/wait.h"

#include "core/base/object.h"
#include "core/base/status.h"
#include "core/os/os.h"

#define NS_PER_MS UINT64_C(1000000)
#define NAP_FIRST_NS NS_PER_MS
#define NAP_MAX_NS (100 * NS_PER_MS)
/* GetCurrentProcess's: a process that does not end while it waits. */
#define CURRENT_PROCESS ((HANDLE)(intptr_t)-1)

/* When a wait is over without success; `is_endless`: never. */
struct deadline {
	bool is_endless;
	uint64_t end_ns;
};

static NTSTATUS look_at(HANDLE handle, bool *is_signaled)
{
	struct object *object;
	NTSTATUS status;
	void *body;

	*is_signaled = false;
	if (handle == CURRENT_PROCESS)
		return STATUS_SUCCESS;
	status = object_get(handle, OBJECT_ANY, SYNCHRONIZE, &body);
	if (!status_is_success(status))
		return status;
	object = body;
	if (object->is_signaled)
		*is_signaled = object->is_signaled(body);
	else
		status = STATUS_OBJECT_TYPE_MISMATCH;
	object_put(body);
	return status;
}

/* Every handle is looked at, so that a bad one is an error whatever the others are. STATUS_TIMEOUT:
 * not yet. */
static NTSTATUS look(const HANDLE *handles, size_t count, bool is_for_all, uint32_t *index)
{
	size_t signaled_count = 0, first = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_signaled;
		NTSTATUS status = look_at(handles[i], &is_signaled);

		if (!status_is_success(status))
			return status;
		if (is_signaled && signaled_count++ == 0)
			first = i;
	}
	if (signaled_count < (is_for_all ? count : 1))
		return STATUS_TIMEOUT;
	*index = (uint32_t)first;
	return STATUS_SUCCESS;
}

/* Sleeps for `nap_ns`, or as long as there is time; false: there is none. */
static bool sleep_until(const struct deadline *deadline, uint64_t nap_ns)
{
	uint64_t now_ns;

	if (!deadline->is_endless) {
		now_ns = os_clock_ns();
		if (now_ns >= deadline->end_ns)
			return false;
		nap_ns = nap_ns < deadline->end_ns - now_ns ? nap_ns : deadline->end_ns - now_ns;
	}
	os_sleep(nap_ns);
	return true;
}

NTSTATUS wait_for(const HANDLE *handles, size_t count, bool is_for_all, uint32_t timeout_ms,
		  uint32_t *index)
{
	const struct deadline deadline = { timeout_ms == INFINITE,
					   os_clock_ns() + timeout_ms * NS_PER_MS };
	uint64_t nap_ns = NAP_FIRST_NS;
	NTSTATUS status;

	while ((status = look(handles, count, is_for_all, index)) == STATUS_TIMEOUT) {
		if (!sleep_until(&deadline, nap_ns))
			break;
		nap_ns = nap_ns * 2 < NAP_MAX_NS ? nap_ns * 2 : NAP_MAX_NS;
	}
	return status;
}
