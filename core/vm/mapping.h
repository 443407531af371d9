/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* From what the system maps to what the tree holds. Called with vm_lock held. */

#ifndef VADTRACE_CORE_VM_MAPPING_H
#define VADTRACE_CORE_VM_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/vm/maps.h"
#include "core/vm/vad.h"

/* A range that the system has mapped, all of one kind. */
struct mapping {
	uintptr_t base;
	uintptr_t end;
	int prot; /* PROT_* */
	bool is_file;
	bool is_shared;
	uint64_t file_offset;
	uint8_t origin; /* enum vad_origin */
};

struct mapping mapping_of_line(const struct maps_line *line);
/* Writes a new mapping down and tells it; what the tree held there has ended, and is told so
 * unless it was before. Needs vad_prepare before. */
void mapping_record(const struct mapping *mapping, uint16_t api);
/* Writes down and tells that what the tree holds in [base, end) has this protection now. Needs
 * vad_prepare before. */
void mapping_protect(uintptr_t base, uintptr_t end, int prot, uint16_t api);
/* The same for a state, inside one vad; tells each run that changes. Needs pagestate_prepare
 * before.
 */
void mapping_set_state(struct vad *vad, uintptr_t base, uintptr_t end, uint32_t state,
		       uint16_t api);
/* Compares [base, end) with the system's list and puts the tree right; every difference is told.
 * 0 or -errno. */
int mapping_compare(uintptr_t base, uintptr_t end, uint16_t api);

#endif
