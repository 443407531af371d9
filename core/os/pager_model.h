/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A pager that does nothing: the system has already done what is asked, or will not do it. With it
 * core keeps the model of regions that another memory manager serves, and says what it would have
 * answered itself.
 *
 * Per thread, for one call of vm: model_answer is set before. */

#ifndef VADTRACE_CORE_OS_PAGER_MODEL_H
#define VADTRACE_CORE_OS_PAGER_MODEL_H

#include <stdint.h>

#include "core/os/pager.h"

enum model_verdict {
	MODEL_DONE,    /* the system agreed: every request succeeds, get() gives `address` */
	MODEL_REFUSED, /* it did not: the first request fails with -ECANCELED, nothing changes */
};

struct model_answer {
	enum model_verdict verdict;
	uintptr_t address; /* where the system placed the range */
};

void pager_model_answer(const struct model_answer *answer);
extern const struct pager pager_model;

#endif
