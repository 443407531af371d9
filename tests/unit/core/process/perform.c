/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Requests of any bytes: right ones are done, wrong ones refused, and nothing else happens. */

#include "core/process/perform.h"

#include <string.h>

#include "core/base/status.h"
#include "core/event.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define PAGE ((size_t)4096)
#define ROUNDS 100000

static struct protocol_request allocation(void)
{
	return (struct protocol_request){
		.mark = PROTOCOL_REQUEST_MARK,
		.operation = PROTOCOL_ALLOCATE,
		.api = API_VirtualAllocEx,
		.size_bytes = PAGE,
		.type = MEM_RESERVE | MEM_COMMIT,
		.protect = PAGE_READWRITE,
	};
}

static struct protocol_request release(uint64_t base)
{
	return (struct protocol_request){
		.mark = PROTOCOL_REQUEST_MARK,
		.operation = PROTOCOL_FREE,
		.api = API_VirtualFreeEx,
		.base = base,
		.type = MEM_RELEASE,
	};
}

static struct protocol_reply do_request(const struct protocol_request *request)
{
	struct protocol_reply reply;

	memset(&reply, 0xaa, sizeof reply);
	perform(request, sizeof *request, &reply);
	return reply;
}

static void test_right(void)
{
	struct protocol_request request = allocation();
	struct protocol_reply reply = do_request(&request);
	uint64_t base = reply.base;

	ok(reply.mark == PROTOCOL_REPLY_MARK && reply.status == STATUS_SUCCESS, "an allocation");
	ok(reply.size_bytes == PAGE && *(volatile char *)base == 0, "can be used");
	request = (struct protocol_request){
		.mark = PROTOCOL_REQUEST_MARK,
		.operation = PROTOCOL_PROTECT,
		.api = API_VirtualProtectEx,
		.base = base,
		.size_bytes = 1,
		.protect = PAGE_READONLY,
	};
	reply = do_request(&request);
	ok(reply.status == STATUS_SUCCESS && reply.old_protect == PAGE_READWRITE, "a protection");
	request = (struct protocol_request){
		.mark = PROTOCOL_REQUEST_MARK,
		.operation = PROTOCOL_QUERY,
		.api = API_VirtualQueryEx,
		.base = base + 17,
	};
	reply = do_request(&request);
	ok(reply.status == STATUS_SUCCESS && reply.info.AllocationBase == (void *)base &&
		   reply.info.Protect == PAGE_READONLY,
	   "a query");
	request = release(base);
	ok(do_request(&request).status == STATUS_SUCCESS, "a release");
	ok(do_request(&request).status == STATUS_MEMORY_NOT_ALLOCATED, "once");
}

/* Each row spoils one field of a right request. */
static const struct {
	const char *name;
	struct protocol_request difference;
} spoiled[] = {
	{ "another mark", { .mark = 1 } },
	{ "an operation that there is not", { .operation = 0x80 } },
	{ "another operation's function", { .operation = PROTOCOL_ALLOCATE ^ PROTOCOL_FREE } },
	{ "a function that there is not", { .api = 0x8000 } },
	{ "a function that is no call on another process",
	  { .api = API_VirtualAllocEx ^ API_VirtualAlloc } },
	{ "an alignment that is no power of two", { .alignment_bytes = 3 << 16 } },
	{ "an alignment without end", { .alignment_bytes = UINT64_C(1) << 63 } },
	{ "a lowest address that is none", { .lowest = UINT64_MAX } },
	{ "a limit that is no address", { .limit = UINT64_MAX } },
	{ "a truth that is neither", { .takes_placeholders = 2 } },
	{ "more words than there is room for", { .word_count = PROTOCOL_WORDS + 1 } },
	{ "a type that there is not", { .type = 1 } },
	{ "a protection that there is not", { .protect = 3 } },
	{ "a size without end", { .size_bytes = UINT64_MAX & ~UINT64_C(0xfff) } },
	{ "an address without end", { .base = UINT64_MAX } },
};

static void test_spoiled(void)
{
	for (size_t row = 0; row < sizeof spoiled / sizeof spoiled[0]; row++) {
		struct protocol_request request = allocation();
		const unsigned char *difference = (const void *)&spoiled[row].difference;
		unsigned char *bytes = (unsigned char *)&request;

		for (size_t i = 0; i < sizeof request; i++)
			bytes[i] ^= difference[i];
		ok(!status_is_success(do_request(&request).status), "row %zu: %s", row,
		   spoiled[row].name);
	}
}

static void test_sizes(void)
{
	_Alignas(8) unsigned char message[sizeof(struct protocol_request) + 8] = "";
	struct protocol_request request = allocation();
	struct protocol_reply reply;
	int accepted = 0;

	memcpy(message, &request, sizeof request);
	for (size_t size = 0; size <= sizeof message; size++) {
		perform(message, size, &reply);
		if (size != sizeof request && status_is_success(reply.status))
			accepted++;
	}
	ok(accepted == 0, "only the right size is a request's");
	perform(message, SIZE_MAX, &reply);
	ok(reply.status == STATUS_INVALID_PARAMETER, "the largest size is not");
}

/* Some bits of a right request are turned over, or all. What was reserved goes back at once. */
static void test_random(void)
{
	int wrong = 0, done = 0;

	random_start();
	for (int round = 0; round < ROUNDS; round++) {
		struct protocol_request request = allocation(), back;
		unsigned char *bytes = (unsigned char *)&request;
		struct protocol_reply reply;

		for (uint64_t flips = random_below(8); flips > 0; flips--)
			bytes[8 + random_below(sizeof request - 8)] ^=
				(unsigned char)(1u << random_below(8));
		reply = do_request(&request);
		wrong += reply.mark != PROTOCOL_REPLY_MARK;
		if (!status_is_success(reply.status) || request.operation != PROTOCOL_ALLOCATE)
			continue;
		back = release(reply.base);
		done += do_request(&back).status == STATUS_SUCCESS;
	}
	vm_check();
	ok(wrong == 0, "%d requests of any bits: each has a reply", ROUNDS);
	ok(done > 0, "%d of them were right", done);
}

int main(void)
{
	test_right();
	test_spoiled();
	test_sizes();
	test_random();
	return tap_done();
}
