/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A signal that is ignored stays so: nohup's child is not to be stopped. */

#include "tools/lib/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static struct sigaction before[SIGNALS];
static atomic_int came; /* its number; 0: none */

static void note(int number)
{
	atomic_store_explicit(&came, number, memory_order_relaxed);
}

void interrupt_begin(void)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	for (int i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	}
}

bool interrupt_came(void)
{
	return atomic_load_explicit(&came, memory_order_relaxed) != 0;
}

void interrupt_end(void)
{
	int number = atomic_exchange(&came, 0);

	for (int i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
	if (number)
		raise(number);
}
