/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the fuzzers' inputs leave behind goes, so that each begins with nothing. */

#ifndef VADTRACE_TESTS_FUZZ_REGIONS_H
#define VADTRACE_TESTS_FUZZ_REGIONS_H

#include "core/base/check.h"
#include "core/core.h"
#include "core/vm/parking.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"

/* Parked regions are free already, but vad_find_from answers them: they end first. */
static inline struct vad *first_region(void)
{
	struct vad *vad;

	lock_acquire(&vm_lock);
	parking_clear_all();
	vad = vad_find_from(0);
	lock_release(&vm_lock);
	return vad;
}

static inline void release_regions(const struct vm_request *request)
{
	struct vad *vad;

	while ((vad = first_region())) {
		void *base = (void *)vad_base(vad);
		size_t nothing = 0;

		check(vm_free(&base, &nothing, MEM_RELEASE, request) >= 0,
		      "a region that cannot be released");
	}
}

#endif
