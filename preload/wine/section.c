/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Views of sections are Wine's in every mode; the model mirrors those of this process. A view is
 * recorded after Wine has mapped it, and ends before Wine unmaps it.
 *
 * NtMapViewOfSection and NtMapViewOfSectionEx differ in the places of their arguments; so do
 * NtUnmapViewOfSection and NtUnmapViewOfSectionEx in one more. */

#include "core/base/status.h"
#include "core/vm/view.h"
#include "preload/pe/hook.h"
#include "preload/wine/guest.h"
#include "preload/wine/pager_wine.h"
#include "preload/wine/serve.h"
#include "preload/recorder.h"

#define HANDLER(name) bool serve_##name(struct hook_call *call, enum api api)

#define THIS_PROCESS UINT64_MAX

/* Where the arguments of a mapping lie. */
struct places {
	unsigned int address, offset, size, protect;
};

static const struct places map_places = { .address = 2, .offset = 5, .size = 6, .protect = 9 };
static const struct places map_ex_places = { .address = 2, .offset = 3, .size = 4, .protect = 6 };

static void record(const struct hook_call *call, const struct places *places, enum api api)
{
	const struct vm_request request = { .api = (uint16_t)api };
	struct vm_view view = { .protect = (uint32_t)hook_argument(call, places->protect) };
	uint64_t offset = hook_argument(call, places->offset);
	MEMORY_BASIC_INFORMATION info;

	if (!status_is_success((NTSTATUS)call->result) ||
	    !guest_read(&view.base, hook_argument(call, places->address), sizeof(view.base)) ||
	    !guest_read(&view.size_bytes, hook_argument(call, places->size),
			sizeof(view.size_bytes)) ||
	    wine_query((void *)view.base, &info) != STATUS_SUCCESS)
		return;
	if (offset && !guest_read(&view.offset, offset, sizeof(view.offset)))
		view.offset = 0;
	view.is_image = info.Type == MEM_IMAGE;
	view.is_reserved = info.State == MEM_RESERVE;
	(void)vm_map_view(&view, &request);
}

static void mapped(struct hook_call *call, enum api api)
{
	record(call, &map_places, api);
}

static void mapped_ex(struct hook_call *call, enum api api)
{
	record(call, &map_ex_places, api);
}

/* NtMapViewOfSection(section, process, address, zero bits, commit, offset, size, inherit, type,
 * protect) */
HANDLER(NtMapViewOfSection)
{
	return serve_pass(call, call->arguments[1] == THIS_PROCESS ? mapped : NULL);
}

/* NtMapViewOfSectionEx(section, process, address, offset, size, type, protect, parameters, count)
 */
HANDLER(NtMapViewOfSectionEx)
{
	return serve_pass(call, call->arguments[1] == THIS_PROCESS ? mapped_ex : NULL);
}

static uint32_t unmap_by_wine(const struct hook_call *call)
{
	typedef uint32_t(HOOK_ABI * nt_unmap)(uint64_t, uint64_t, uint64_t);

	nt_unmap original = (nt_unmap)hook_original(call->hook->api);

	return original(call->arguments[0], call->arguments[1], call->arguments[2]);
}

static bool unmap(struct hook_call *call, enum api api)
{
	const struct vm_request request = { .api = (uint16_t)api };
	struct vm_view view;

	guest_forget();
	if (call->arguments[0] != THIS_PROCESS ||
	    vm_unmap_view((void *)call->arguments[1], &view, &request) != STATUS_SUCCESS)
		return false;
	if (view.is_image)
		tracer->image_gone(view.base);
	call->result = unmap_by_wine(call);
	if (!status_is_success((NTSTATUS)call->result))
		(void)vm_map_view(&view, &request);
	return true;
}

HANDLER(NtUnmapViewOfSection)
{
	return unmap(call, api);
}

HANDLER(NtUnmapViewOfSectionEx)
{
	return unmap(call, api);
}
