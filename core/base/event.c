/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The one listener, and the gate that says whether it listens. A few words, changed rarely and read
 * by everybody without a lock: a new sink is in place before its gate can be seen. */

#include "core/event.h"

#include "core/base/unheard.h"

static const volatile int closed_gate;
static event_sink current_sink;

const volatile int *event_gate = &closed_gate;

uintptr_t chunk_hints[CHUNK_HINTS];
static uintptr_t no_hints[CHUNK_HINTS];
struct unheard unheard = { .small_bytes_end = SMALL_BYTES_END, .hints = chunk_hints };

static void set_unheard(bool is_unheard)
{
	__atomic_store_n(&unheard.small_bytes_end, is_unheard ? SMALL_BYTES_END : 0,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&unheard.hints, is_unheard ? chunk_hints : no_hints, __ATOMIC_RELEASE);
}

CORE_API void event_set_sink(event_sink sink, const volatile int *gate)
{
	if (!sink || !gate) {
		__atomic_store_n(&event_gate, &closed_gate, __ATOMIC_RELEASE);
		__atomic_store_n(&current_sink, NULL, __ATOMIC_RELEASE);
		set_unheard(true);
		return;
	}
	__atomic_store_n(&current_sink, sink, __ATOMIC_RELEASE);
	__atomic_store_n(&event_gate, gate, __ATOMIC_RELEASE);
	set_unheard(false);
}

void event_emit(const struct event *event)
{
	event_sink sink = __atomic_load_n(&current_sink, __ATOMIC_ACQUIRE);

	if (sink && event_is_wanted())
		sink(event);
}
