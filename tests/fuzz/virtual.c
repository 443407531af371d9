/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The virtual-memory calls with arguments out of arbitrary bytes, sixteen a call:
 *
 *   | call | place | shift | size in pages, low bits | type, 4 bytes | protection, 4 | parameter, 4
 * |
 *
 * Whatever they are: the answer is a status that the calls are documented to give, outputs are
 * written on success only, and core's records keep their invariants. `make fuzz` makes clang's
 * fuzzer of it; make check feeds it random bytes (feed.c). */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/os/os.h"
#include "core/vm/virtual.h"
#include "tests/fuzz/regions.h"

#define PAGE OS_PAGE_SIZE
#define CALL_BYTES 16
#define BASES 4
#define SELF ((HANDLE)(intptr_t)-1)

struct call {
	uint8_t kind;
	uint8_t place; /* which base the address is counted from */
	uint8_t shift; /* of the size */
	uint8_t size;
	uint32_t type, protect, parameter;
};

/* Addresses that calls have answered, oldest first. */
static char *bases[BASES];

static const uint32_t types[] = {
	MEM_RESERVE,
	MEM_COMMIT,
	MEM_RESERVE | MEM_COMMIT,
	MEM_RESET,
	MEM_RESET_UNDO,
	MEM_RESERVE | MEM_TOP_DOWN,
	MEM_RESERVE | MEM_WRITE_WATCH,
	MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
	MEM_RESERVE | MEM_REPLACE_PLACEHOLDER,
	MEM_RESERVE | MEM_COMMIT | MEM_REPLACE_PLACEHOLDER,
	MEM_DECOMMIT,
	MEM_RELEASE,
	MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER,
	MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS,
	MEM_RESERVE | MEM_PHYSICAL,
};

static const uint32_t protects[] = { PAGE_NOACCESS,
				     PAGE_READONLY,
				     PAGE_READWRITE,
				     PAGE_WRITECOPY,
				     PAGE_EXECUTE_READ,
				     PAGE_READWRITE | PAGE_GUARD,
				     0 };

/* Half of all numbers are as they come. */
static uint32_t pick(uint32_t number, const uint32_t *table, size_t count)
{
	return number & 1 ? table[number / 2 % count] : number;
}

static void *address_of(const struct call *call)
{
	char *base = call->place & 0x80 ? NULL : bases[call->place % BASES];
	uint32_t offset = call->parameter % 64 * PAGE + (call->parameter & 0x10000 ? 5 : 0);

	if (call->place == 0xff)
		return (void *)((uintptr_t)call->parameter << 20 | call->type);
	return base ? base + offset : NULL;
}

static size_t size_of(const struct call *call)
{
	size_t size_bytes = (size_t)call->size << call->shift % 64;

	return call->shift & 0x40 ? size_bytes : size_bytes % (64 * PAGE);
}

static void check_status(NTSTATUS status)
{
	check(status_is_success(status) || status_to_win32(status) != ERROR_MR_MID_NOT_FOUND,
	      "a status that has no error");
	check(status != STATUS_UNSUCCESSFUL, "a status that says nothing");
}

static void remember(char *base)
{
	memmove(bases, bases + 1, sizeof bases - sizeof bases[0]);
	bases[BASES - 1] = base;
}

static void allocate(const struct call *call)
{
	MEM_ADDRESS_REQUIREMENTS asked = { (PVOID)((uintptr_t)(call->parameter & 0xffff) << 32),
					   (PVOID)(((uintptr_t)(call->parameter >> 16) << 31) - 1),
					   (size_t)call->place << 13 };
	MEM_EXTENDED_PARAMETER parameter = { .Pointer = &asked };
	void *address = address_of(call), *base = address;
	size_t asked_bytes = size_of(call), size_bytes = asked_bytes;
	NTSTATUS status;

	parameter.Type = call->kind % 8;
	if (parameter.Type != MemExtendedParameterAddressRequirements)
		parameter.ULong64 = call->parameter;
	status = NtAllocateVirtualMemoryEx(
		SELF, &base, &size_bytes, pick(call->type, types, sizeof types / sizeof *types),
		pick(call->protect, protects, sizeof protects / sizeof *protects), &parameter,
		call->kind & 0x40 ? 1 : 0);
	check_status(status);
	if (status_is_success(status))
		remember(base);
	else
		check(base == address && size_bytes == asked_bytes, "an output of a failure");
}

static void release(const struct call *call)
{
	void *address = address_of(call), *base = address;
	size_t asked_bytes = call->kind & 0x40 ? size_of(call) : 0, size_bytes = asked_bytes;
	NTSTATUS status = NtFreeVirtualMemory(
		SELF, &base, &size_bytes, pick(call->type, types, sizeof types / sizeof *types));

	check_status(status);
	if (!status_is_success(status))
		check(base == address && size_bytes == asked_bytes, "an output of a failure");
}

static void protect(const struct call *call)
{
	void *address = address_of(call), *base = address;
	size_t asked_bytes = size_of(call), size_bytes = asked_bytes;
	ULONG old = 0xdeadbeef;
	NTSTATUS status = NtProtectVirtualMemory(
		SELF, &base, &size_bytes,
		pick(call->protect, protects, sizeof protects / sizeof *protects), &old);

	check_status(status);
	if (!status_is_success(status))
		check(base == address && size_bytes == asked_bytes && old == 0xdeadbeef,
		      "an output of a failure");
}

static void query(const struct call *call)
{
	char *address = address_of(call);
	MEMORY_BASIC_INFORMATION info;
	NTSTATUS status = NtQueryVirtualMemory(SELF, address, MemoryBasicInformation, &info,
					       sizeof info, NULL);

	check_status(status);
	if (!status_is_success(status))
		return;
	check((char *)info.BaseAddress <= address &&
		      address < (char *)info.BaseAddress + info.RegionSize,
	      "an answer about other addresses");
	check(info.State == MEM_FREE || (char *)info.AllocationBase <= address,
	      "a page before its region");
}

static void allocate_plainly(const struct call *call)
{
	void *base = address_of(call);
	size_t size_bytes = size_of(call);
	NTSTATUS status = NtAllocateVirtualMemory(
		SELF, &base, call->parameter & 0xff ? 0 : call->parameter, &size_bytes,
		pick(call->type, types, sizeof types / sizeof *types),
		pick(call->protect, protects, sizeof protects / sizeof *protects));

	check_status(status);
	if (status_is_success(status))
		remember(base);
}

static void perform(const struct call *call)
{
	static void (*const calls[])(
		const struct call *) = { allocate, allocate_plainly, release, protect,
					 query,    allocate,         release, allocate_plainly };

	calls[call->kind / 8 % 8](call);
}

/* The next input begins with nothing. */
static void release_all(void)
{
	static const struct vm_request request = { .api = API_VirtualFree };

	release_regions(&request);
	memset(bases, 0, sizeof bases);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
	struct call call;

	for (; size_bytes >= CALL_BYTES; bytes += CALL_BYTES, size_bytes -= CALL_BYTES) {
		memcpy(&call, bytes, sizeof call);
		perform(&call);
		vm_check();
	}
	release_all();
	return 0;
}
