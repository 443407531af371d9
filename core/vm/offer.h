/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Memory that a program has offered (OfferVirtualMemory): the system may take its pages when memory
 * is scarce, and it is told so when it wants them back. All are called with vm_lock held. */

#ifndef VADTRACE_CORE_VM_OFFER_H
#define VADTRACE_CORE_VM_OFFER_H

#include <stdbool.h>

#include "core/vm/rules.h"
#include "core/vm/vad.h"

/* The pages of the range, which is committed, are offered. What cannot be told to be lost later is
 * not: its contents are kept. */
void offer_begin(struct vad *vad, const struct vm_range *range);
/* They are the program's again. *is_intact: none of them has been taken. STATUS_NO_MEMORY: no room
 * for a change of mappings; they are offered still. */
NTSTATUS offer_end(struct vad *vad, const struct vm_range *range, bool *is_intact);
/* The contents of the range are gone, or about to go, by the program's own will. */
void offer_forget(const struct vad *vad, const struct vm_range *range);
/* The region becomes two: what the second one has, which begins at that page of the first. */
struct offers *offer_split(struct offers *offers, size_t first_page);
/* What is true of the marks of a region; vm_check. */
void offer_check(const struct vad *vad);
/* Of a region that is gone. NULL is allowed. */
void offer_free(struct offers *offers);

#endif
