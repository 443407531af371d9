/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Memory resource notifications (memoryapi.h): whether memory is scarce, or there is plenty of it.
 *
 *   available  0 ----- low ------------ high -----------
 *                 low   |     neither    |      high
 *
 * "The default level of available memory that signals a low-memory-resource notification event is
 * approximately 32 MB per 4 GB, to a maximum of 64 MB. The default level that signals a
 * high-memory-resource notification event is three times the default low-memory value."
 *
 * A control group's memory is what counts where one has a limit; and memory is scarce, too, where
 * its tasks stand still for want of it, whatever is said to be available. */

#include "core/base/arena.h"
#include "core/base/hints.h"
#include "core/base/object.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/vm/machine.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define LOW_MAX (64 * MIB)
#define QUERY_ACCESS 1u
#define FULL_ACCESS (QUERY_ACCESS | SYNCHRONIZE)

/* Never changes once made. */
struct notification {
	struct object object;
	MEMORY_RESOURCE_NOTIFICATION_TYPE type;
};

static uint64_t low_level(uint64_t total)
{
	uint64_t level = total / (4 * GIB) * 32 * MIB + total % (4 * GIB) * 32 / (4 * 1024);

	return level < LOW_MAX ? level : LOW_MAX;
}

static NTSTATUS query(MEMORY_RESOURCE_NOTIFICATION_TYPE type, BOOL *state)
{
	struct machine_memory memory;
	int error = machine_memory(&memory);
	uint64_t low;
	bool is_low;

	if (error < 0)
		return status_from_os(error);
	low = low_level(memory.total);
	is_low = memory.available <= low || machine_is_short_of_memory();
	if (type == LowMemoryResourceNotification)
		*state = is_low;
	else
		*state = !is_low && memory.available >= 3 * low;
	return STATUS_SUCCESS;
}

/* What a machine that tells nothing is like is not known, so nobody is told that it has come. */
static bool is_signaled(const void *body)
{
	BOOL state = FALSE;

	return status_is_success(query(((const struct notification *)body)->type, &state)) && state;
}

static void destroy(void *body)
{
	arena_free(body, sizeof(struct notification));
}

CORE_API HANDLE CreateMemoryResourceNotification(MEMORY_RESOURCE_NOTIFICATION_TYPE NotificationType)
{
	struct notification *notification;
	HANDLE handle;

	if (NotificationType != LowMemoryResourceNotification &&
	    NotificationType != HighMemoryResourceNotification) {
		status_set_last_error(STATUS_INVALID_PARAMETER);
		return NULL;
	}
	notification = arena_allocate(sizeof *notification);
	if (!notification) {
		status_set_last_error(STATUS_NO_MEMORY);
		return NULL;
	}
	notification->object.destroy = destroy;
	notification->object.is_signaled = is_signaled;
	notification->type = NotificationType;
	handle = object_open(OBJECT_NOTIFICATION, notification, FULL_ACCESS);
	if (!handle) {
		destroy(notification);
		status_set_last_error(STATUS_NO_MEMORY);
	}
	return handle;
}

CORE_API BOOL QueryMemoryResourceNotification(HANDLE ResourceNotificationHandle,
					      PBOOL ResourceState)
{
	struct notification *notification;
	void *body;
	NTSTATUS status;

	if (!ResourceState)
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	status = object_get(ResourceNotificationHandle, OBJECT_NOTIFICATION, QUERY_ACCESS, &body);
	if (!status_is_success(status))
		return status_set_last_error(status);
	notification = body;
	status = query(notification->type, ResourceState);
	object_put(body);
	return status_set_last_error(status);
}
