/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A pager that does nothing: the system has already done what is asked, or will not do it. With it
 * core keeps the model of regions that another memory manager serves, and says what it would have
 * answered itself.
 *
 * Per thread: the answer is set before each call of vm, and holds until the next one. What the
 * system did, and core's engine does not know or would refuse, is taken in by vm_take_in.
 *
 * What ends (release, decommit) is modelled before the system is asked, because its addresses may
 * be somebody else's at once; when the system refuses after all, vm_take_in puts the model right.
 * What begins is modelled after. */

#ifndef VADTRACE_CORE_OS_PAGER_MODEL_H
#define VADTRACE_CORE_OS_PAGER_MODEL_H

#include <stdint.h>

#include "core/os/pager.h"

enum model_verdict {
	MODEL_DONE,    /* the system agreed: every request succeeds, a new range is at `address` */
	MODEL_REFUSED, /* it did not: what core itself would do is answered with
			  STATUS_CANCELLED (or success, when there is nothing to do); what it
			  would refuse too, with its own error; nothing changes */
};

struct model_answer {
	enum model_verdict verdict;
	uintptr_t address; /* where the system placed the range */
};

void pager_model_answer(const struct model_answer *answer);
extern const struct pager pager_model;

#endif
