/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A pager whose answers were given to it. One answer per thread, no lock; touches no page. */

#include "core/os/pager_model.h"

#include <errno.h>

#include "core/base/thread.h"

/* What get() answers: the address, or -ECANCELED for all that was refused. */
static CORE_TLS intptr_t current;

void pager_model_answer(const struct model_answer *answer)
{
	current = answer->verdict == MODEL_REFUSED ? -ECANCELED : (intptr_t)answer->address;
}

static int ask(void)
{
	return current == -ECANCELED ? -ECANCELED : 0;
}

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	(void)address;
	(void)size_bytes;
	(void)state;
	return current;
}

static intptr_t get_below(uintptr_t limit, size_t size_bytes, uint32_t state)
{
	(void)limit;
	return get(NULL, size_bytes, state);
}

static int agree(void *address, size_t size_bytes)
{
	(void)address;
	(void)size_bytes;
	return ask();
}

static int set(void *address, size_t size_bytes, uint32_t state)
{
	(void)state;
	return agree(address, size_bytes);
}

const struct pager pager_model = {
	.get = get,
	.get_below = get_below,
	.put = agree,
	.set = set,
	.drop = agree,
	.discard = agree,
	.reset = agree,
	.ask = ask,
	/* Another memory manager has them. */
	.features = ~0u,
};
