/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Wine links all heaps to the first one that it made, its process heap, and takes that for granted
 * when it destroys one. Where core has made the process heap Wine has none: it gets one that nobody
 * uses.
 *
 *   RtlGetProcessHeaps of Wine's:  the one that nobody uses | the others ...
 */

#include "preload/wine/other_heaps.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "preload/pe/hook.h"

/* Of Wine's list, so many are asked for. */
#define HEAPS_MAX 128

static pthread_once_t is_begun = PTHREAD_ONCE_INIT;
static _Atomic bool has_first;

static void make_first(void)
{
	void *(HOOK_ABI * create)(uint32_t, void *, size_t, size_t, void *, void *);

	create = (void *(HOOK_ABI *)(uint32_t, void *, size_t, size_t, void *,
				     void *))hook_original(API_RtlCreateHeap);
	has_first = create && create(HEAP_GROWABLE, NULL, 0, 0, NULL, NULL);
}

void other_heaps_prepare(void)
{
	(void)pthread_once(&is_begun, make_first);
}

uint32_t other_heaps_list(uint32_t count, HANDLE *heaps)
{
	uint32_t(HOOK_ABI * list)(uint32_t, HANDLE *);
	HANDLE all[HEAPS_MAX];
	uint32_t total;

	list = (uint32_t(HOOK_ABI *)(uint32_t, HANDLE *))hook_original(API_GetProcessHeaps);
	if (!has_first || !list)
		return 0;
	total = list(HEAPS_MAX, all);
	for (uint32_t i = 1; i < total && total <= HEAPS_MAX && i <= count; i++)
		heaps[i - 1] = all[i];
	return total > 0 ? total - 1 : 0;
}
