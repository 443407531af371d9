/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The one listener, and the gate that says whether it listens. Two words, changed rarely and read
 * by everybody without a lock: a new sink is in place before its gate can be seen. */

#include "core/event.h"

#include "core/base/hints.h"

static const volatile int closed_gate;
static event_sink current_sink;

const volatile int *event_gate = &closed_gate;

CORE_API void event_set_sink(event_sink sink, const volatile int *gate)
{
	if (!sink || !gate) {
		__atomic_store_n(&event_gate, &closed_gate, __ATOMIC_RELEASE);
		__atomic_store_n(&current_sink, NULL, __ATOMIC_RELEASE);
		return;
	}
	__atomic_store_n(&current_sink, sink, __ATOMIC_RELEASE);
	__atomic_store_n(&event_gate, gate, __ATOMIC_RELEASE);
}

void event_emit(const struct event *event)
{
	event_sink sink = __atomic_load_n(&current_sink, __ATOMIC_ACQUIRE);

	if (sink && event_is_wanted())
		sink(event);
}
