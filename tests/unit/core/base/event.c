/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The sink hears what is emitted while its gate is open, and nothing else. */

#include "core/event.h"

#include "tests/lib/tap.h"

static int heard;
static uint64_t last_address;

static void listen(const struct event *event)
{
	heard++;
	last_address = event->address;
}

static void emit(uint64_t address)
{
	event_emit(&(struct event){ .kind = EVENT_ALLOCATE, .address = address });
}

int main(void)
{
	static volatile int gate;

	ok(!event_is_wanted(), "nobody listens at first");
	emit(1);
	event_set_sink(listen, &gate);
	ok(!event_is_wanted(), "a closed gate: not wanted");
	emit(2);
	ok_equal(heard, 0, "nothing was heard so far");
	gate = 1;
	ok(event_is_wanted(), "an open gate: wanted");
	emit(3);
	ok(heard == 1 && last_address == 3, "one event was heard");
	event_set_sink(NULL, NULL);
	ok(!event_is_wanted(), "without a sink: not wanted");
	emit(4);
	ok_equal(heard, 1, "nothing more was heard");
	return tap_done();
}
