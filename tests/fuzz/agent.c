/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What another process may say to the one that serves it, out of arbitrary bytes:
 *
 *   | shape | operation | function | type | place | shift | size | protection | words | ... as it
 * comes
 *
 * The first byte says which fields are put right, else most inputs would be refused at the door; an
 * input of no request's size goes in as it is, too. Whatever it is: there is a whole reply, with a
 * status that means something, outputs are inside of the reply, and core's records keep their
 * invariants. */

#include <stdint.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/status.h"
#include "core/event.h"
#include "core/os/os.h"
#include "core/process/perform.h"
#include "core/vm/awe.h"
#include "core/vm/virtual.h"
#include "tests/fuzz/regions.h"

#define PAGE OS_PAGE_SIZE
#define BASES 4
/* From one request of an input to the next. */
#define PART_BYTES ((size_t)64)

/* Of the first byte, when it is one of the last 32; else all is put right. */
enum { SHAPE_RAW = 1, SHAPE_ANY_API = 2, SHAPE_ANY_WORDS = 4, SHAPE_ANY_ADDRESSES = 8 };

/* What the bytes of an input choose. */
struct choice {
	uint8_t shape, operation, api, type, place, shift, size, protect, word_count;
};

static const struct {
	uint16_t operation, api;
} calls[] = {
	{ PROTOCOL_ALLOCATE, API_VirtualAllocEx },
	{ PROTOCOL_ALLOCATE, API_VirtualAlloc2 },
	{ PROTOCOL_FREE, API_VirtualFreeEx },
	{ PROTOCOL_PROTECT, API_VirtualProtectEx },
	{ PROTOCOL_QUERY, API_VirtualQueryEx },
	{ PROTOCOL_EXPECT, API_WriteProcessMemory },
	{ PROTOCOL_LOCK, API_NtLockVirtualMemory },
	{ PROTOCOL_UNLOCK, API_NtUnlockVirtualMemory },
	{ PROTOCOL_PREFETCH, API_PrefetchVirtualMemory },
	{ PROTOCOL_GET_LIMITS, API_GetProcessWorkingSetSizeEx },
	{ PROTOCOL_SET_LIMITS, API_SetProcessWorkingSetSizeEx },
	{ PROTOCOL_PAGES, API_QueryWorkingSetEx },
	{ PROTOCOL_WRITTEN, API_NtGetWriteWatch },
	{ PROTOCOL_NOT_WRITTEN, API_NtResetWriteWatch },
	{ PROTOCOL_TAKE_FRAMES, API_AllocateUserPhysicalPages },
	{ PROTOCOL_GIVE_FRAMES, API_FreeUserPhysicalPages },
};

static const uint32_t types[] = {
	MEM_RESERVE,
	MEM_COMMIT,
	MEM_RESERVE | MEM_COMMIT,
	MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
	MEM_RESERVE | MEM_PHYSICAL,
	MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
	MEM_DECOMMIT,
	MEM_RELEASE,
};

static const uint32_t protects[] = { PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE,
				     PAGE_READWRITE | PAGE_GUARD };

/* Addresses and frames that replies have named, oldest first. */
static uint64_t bases[BASES], frames[PROTOCOL_WORDS];
static size_t frame_count;

static void remember(uint64_t base)
{
	memmove(bases, bases + 1, sizeof bases - sizeof bases[0]);
	bases[BASES - 1] = base;
}

static void put_right(struct protocol_request *request, const struct choice *choice)
{
	size_t call = choice->operation % (sizeof calls / sizeof calls[0]);

	request->mark = PROTOCOL_REQUEST_MARK;
	request->operation = calls[call].operation;
	if (!(choice->shape & SHAPE_ANY_API))
		request->api = calls[call].api;
	if (!(choice->shape & SHAPE_ANY_WORDS))
		request->word_count = choice->word_count % (PROTOCOL_WORDS + 1);
	if (choice->shape & SHAPE_ANY_ADDRESSES)
		return;
	request->base = bases[choice->place % BASES] + choice->place / BASES * PAGE;
	request->size_bytes = ((size_t)choice->size << choice->shift % 16) % (256 * PAGE);
	request->type = types[choice->type % (sizeof types / sizeof types[0])];
	request->protect = protects[choice->protect % (sizeof protects / sizeof protects[0])];
	request->alignment_bytes = request->lowest = request->limit = 0;
	request->takes_placeholders = choice->place & 1;
	request->node = 0;
	if (request->operation == PROTOCOL_GIVE_FRAMES && choice->place & 2)
		memcpy(request->words, frames, sizeof request->words);
}

static void check_reply(const struct protocol_request *request, const struct protocol_reply *reply)
{
	check(reply->mark == PROTOCOL_REPLY_MARK, "a reply that is none");
	check(status_is_success(reply->status) ||
		      status_to_win32(reply->status) != ERROR_MR_MID_NOT_FOUND,
	      "a status that has no error");
	check(reply->word_count <= PROTOCOL_WORDS, "more words than there is room for");
	if (!status_is_success(reply->status))
		return;
	if (request->operation == PROTOCOL_ALLOCATE)
		remember(reply->base);
	if (request->operation != PROTOCOL_TAKE_FRAMES)
		return;
	frame_count = reply->word_count;
	memcpy(frames, reply->words, sizeof frames);
}

/* The next input begins with nothing. */
static void release_all(void)
{
	static const struct vm_request request = { .api = API_VirtualFreeEx };
	size_t count = frame_count;

	release_regions(&request);
	if (count)
		(void)awe_free(frames, &count, &request);
	memset(bases, 0, sizeof bases);
	frame_count = 0;
}

static void send(const uint8_t *bytes, size_t size_bytes)
{
	struct protocol_request request;
	struct protocol_reply reply;
	struct choice choice = { .shape = 0 };

	memset(&request, 0, sizeof request);
	memcpy(&choice, bytes, size_bytes < sizeof choice ? size_bytes : sizeof choice);
	memcpy(&request, bytes, size_bytes < sizeof request ? size_bytes : sizeof request);
	choice.shape = choice.shape >= 0xe0 ? choice.shape & 0xf : 0;
	if (!(choice.shape & SHAPE_RAW))
		put_right(&request, &choice);
	memset(&reply, 0xaa, sizeof reply);
	perform(&request, sizeof request, &reply);
	check_reply(&request, &reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
	_Alignas(8) static unsigned char message[sizeof(struct protocol_request) + 1];
	struct protocol_reply reply;

	if (size_bytes <= sizeof message) {
		memcpy(message, bytes, size_bytes);
		perform(message, size_bytes, &reply);
		check(reply.mark == PROTOCOL_REPLY_MARK, "a reply that is none");
	}
	for (; size_bytes >= PART_BYTES; bytes += PART_BYTES, size_bytes -= PART_BYTES)
		send(bytes, size_bytes);
	vm_check();
	release_all();
	return 0;
}
