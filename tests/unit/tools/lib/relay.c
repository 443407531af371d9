/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Relay: all that one thread puts reaches the other, in order, with its strings and arrays, however
 * slow either is. */

#include "tools/lib/relay.h"

#include "tests/lib/tap.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 2000, RECORDS = 100, LONG_TEXT = 600000 };

static char long_text[LONG_TEXT + 1];

/* Puts one event of a kind that has parts; they are gone when this returns. */
static void put_with_parts(struct relay *relay, uint64_t round)
{
	char text[32];
	uint64_t words[3] = { round, round + 1, round + 2 };

	snprintf(text, sizeof(text), "text %llu", (unsigned long long)round);
	struct trace_process process = { .pid = 7,
					 .session = text,
					 .mode = "",
					 .exe = text,
					 .command_line = round % 500 ? text : long_text,
					 .comm = text,
					 .wine = NULL };
	struct trace_module module = { .id = round, .path = text, .build_id = text };
	struct trace_call call = { round, 5, words, 3 };
	struct trace_hook hook = { text, text, text, NULL };
	struct trace_difference difference = { text, 1, 2, words, 3 };
	struct trace_event events[] = {
		{ .kind = TRACE_PROCESS, .image = &process },
		{ .kind = TRACE_MODULE, .module = &module },
		{ .kind = TRACE_MODULE_GONE, .module = &module },
		{ .kind = TRACE_THREAD, .name = text },
		{ .kind = TRACE_STACK, .frames = { words, 3 } },
		{ .kind = TRACE_CALL, .call = &call },
		{ .kind = TRACE_HOOK, .hook = &hook },
		{ .kind = TRACE_DIFFERENCE, .difference = &difference },
		{ .kind = EVENT_VAD_RESERVE, .address = round },
	};
	struct trace_event *event = &events[round % 9];

	event->time_ns = round;
	relay_put_event(relay, event);
	memset(text, 'x', sizeof(text) - 1);
	memset(words, 0xff, sizeof(words));
}

static void *put_all(void *argument)
{
	struct relay *relay = argument;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t count = round % RECORDS;
		struct trace_record *room;

		put_with_parts(relay, round);
		room = count ? relay_room(relay, (uint32_t)round, count) : NULL;
		for (uint64_t i = 0; i < count; i++)
			room[i] = (struct trace_record){ .time_ns = round, .address_api = i };
	}
	relay_end(relay);
	return NULL;
}

/* What the telling thread saw. */
struct seen {
	uint64_t events, records, wrong;
};

static bool is_text(const char *text, uint64_t round)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "text %llu", (unsigned long long)round);
	return !strcmp(text, expected);
}

static bool are_words(const uint64_t *words, size_t count, uint64_t round)
{
	return count == 3 && words[0] == round && words[1] == round + 1 && words[2] == round + 2;
}

static bool has_parts(const struct trace_event *event)
{
	uint64_t round = event->time_ns;

	switch (event->kind) {
	case TRACE_PROCESS:
		return event->image->pid == 7 && is_text(event->image->session, round) &&
		       is_text(event->image->comm, round) && !event->image->wine &&
		       (round % 500 ? is_text(event->image->command_line, round)
				    : strlen(event->image->command_line) == LONG_TEXT);
	case TRACE_MODULE:
	case TRACE_MODULE_GONE:
		return event->module->id == round && is_text(event->module->path, round) &&
		       is_text(event->module->build_id, round);
	case TRACE_THREAD:
		return is_text(event->name, round);
	case TRACE_STACK:
		return are_words(event->frames.addresses, event->frames.count, round);
	case TRACE_CALL:
		return event->call->error == 5 &&
		       are_words(event->call->arguments, event->call->argument_count, round);
	case TRACE_HOOK:
		return is_text(event->hook->function, round) && !event->hook->reason;
	case TRACE_DIFFERENCE:
		return is_text(event->difference->what, round) && event->difference->core == 2 &&
		       are_words(event->difference->arguments, 3, round);
	default:
		return event->address == round;
	}
}

static void take_event(void *context, const struct trace_event *event)
{
	struct seen *seen = context;

	seen->wrong += event->time_ns != seen->events || !has_parts(event);
	seen->events++;
}

/* They come behind the event of their round. */
static void take_records(void *context, uint32_t process, const struct trace_record *records,
			 size_t count)
{
	struct seen *seen = context;

	seen->wrong += process + 1 != seen->events || count != process % RECORDS;
	for (size_t i = 0; i < count; i++)
		seen->wrong += records[i].time_ns != process || records[i].address_api != i;
	seen->records += count;
}

static void test_all(void)
{
	struct relay *relay = relay_create();
	struct seen seen = { 0 };
	pthread_t thread;

	pthread_create(&thread, NULL, put_all, relay);
	relay_tell(relay, take_event, take_records, &seen);
	pthread_join(thread, NULL);
	ok_equal(seen.events, ROUNDS, "all events");
	ok_equal(seen.records, ROUNDS / RECORDS * (RECORDS * (RECORDS - 1) / 2), "all records");
	ok_equal(seen.wrong, 0, "in order and with their parts");
	relay_destroy(relay);
}

static void test_nothing(void)
{
	struct relay *relay = relay_create();
	struct seen seen = { 0 };

	relay_end(relay);
	relay_tell(relay, take_event, take_records, &seen);
	ok_equal(seen.events + seen.records, 0, "nothing was put, nothing is told");
	relay_destroy(relay);
}

int main(void)
{
	memset(long_text, 'a', LONG_TEXT);
	test_all();
	test_nothing();
	return tap_done();
}
