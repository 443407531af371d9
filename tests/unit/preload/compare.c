/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The comparisons of verify mode, against a Wine that is played here: one heap, one block, one
 * handle of moveable memory, the thread's block and the process's, at gs as Windows has them. Each
 * row says what Wine has before and after the call and what it answers; the differences that are
 * told are one text: "what wine core; ". Built without Wine. */

#include <asm/prctl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/heap/heap.h"
#include "preload/wine/compare_handle.h"
#include "preload/wine/compare_heap.h"
#include "preload/wine/compare_lock.h"
#include "preload/wine/compare_tls.h"
#include "preload/wine/difference.h"
#include "preload/wine/guest.h"
#include "tests/lib/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNTOUCHED 0xdeadbeefu
#define BLOCK_BYTES 256
/* In a thread's block and a process's. */
#define TEB_ERROR 0x68
#define TEB_SLOTS 0x1480
#define TEB_EXPANSION 0x1780
#define PEB_BITMAP 0x78
#define PEB_EXPANSION_BITMAP 0x238
#define HEAP_FLAGS 0x70
/* In an entry of Wine's table. */
#define ENTRY_USED 0x0003u
#define ENTRY_DISCARDABLE 0x0004u
#define ENTRY_DISCARDED 0x0008u
#define ENTRY_SHARED 0x8000u
#define NONE 0x8000u /* GlobalFlags of no handle */

/* --- A Wine ---------------------------------------------------------------------------------- */

struct bitmap {
	uint64_t bits;
	uint32_t *words;
};

static uint8_t teb[0x2000] __attribute__((aligned(16)));
static uint8_t peb[0x400] __attribute__((aligned(16)));
static uint8_t heap[0x80] __attribute__((aligned(16)));
static uint64_t expansion[1024];
static uint32_t direct_words[2], expansion_words[32];
static struct bitmap direct_map = { 64, direct_words }, expansion_map = { 1024, expansion_words };
/* What lies before a block is read, too. */
static uint8_t memory[16 + BLOCK_BYTES + 16] __attribute__((aligned(16)));
#define BLOCK ((uint64_t)(uintptr_t)(memory + 16))
static struct {
	uint16_t flags;
	uint8_t locks;
	uint8_t unused[5];
	uint64_t memory;
} entry __attribute__((aligned(16)));
#define HANDLE_HERE ((uint64_t)(uintptr_t)&entry.memory)
#define HEAP_HERE ((uint64_t)(uintptr_t)heap)

/* is_fixed: the block is a program's; size_bytes is what Wine says of it. */
static struct {
	bool is_fixed;
	uint64_t size_bytes, value, fls_value;
	uint32_t user_flags, kind;
} wine;

static void put(uint8_t *base, size_t offset, const void *value, size_t size_bytes)
{
	memcpy(base + offset, value, size_bytes);
}

static void put_pointer(uint8_t *base, size_t offset, const void *pointer)
{
	put(base, offset, &pointer, sizeof(pointer));
}

static void set_error(uint32_t error)
{
	put(teb, TEB_ERROR, &error, sizeof(error));
}

static uint32_t error_now(void)
{
	uint32_t error;

	memcpy(&error, teb + TEB_ERROR, sizeof(error));
	return error;
}

static void set_heap_flags(uint32_t flags)
{
	put(heap, HEAP_FLAGS, &flags, sizeof(flags));
}

static void start_wine(void)
{
	uint32_t signature = 0xffeeffee;

	put_pointer(teb, 0x30, teb);
	put_pointer(teb, 0x60, peb);
	put_pointer(teb, TEB_EXPANSION, expansion);
	put_pointer(peb, 0x30, heap);
	put_pointer(peb, PEB_BITMAP, &direct_map);
	put_pointer(peb, PEB_EXPANSION_BITMAP, &expansion_map);
	put(heap, 0x10, &signature, sizeof(signature));
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, teb) != 0)
		tap_skip_all("gs cannot be set");
}

static HOOK_ABI uint64_t size_of_block(uint64_t whose, uint32_t flags, uint64_t block)
{
	(void)flags;
	return whose == HEAP_HERE && block == BLOCK ? wine.size_bytes : UINT64_MAX;
}

static HOOK_ABI uint32_t flags_of_handle(uint64_t handle)
{
	set_error(UNTOUCHED - 1);
	if (handle == BLOCK)
		return wine.is_fixed || entry.memory ? 0 : NONE;
	if (handle == BLOCK + 16)
		return 0;
	return handle == HANDLE_HERE && entry.flags ? 0 : NONE;
}

static HOOK_ABI uint8_t get_user_info(uint64_t whose, uint32_t flags, uint64_t block,
				      uint64_t *value, uint32_t *user_flags)
{
	(void)flags;
	if (whose != HEAP_HERE || block != BLOCK)
		return false;
	*value = entry.memory ? HANDLE_HERE : wine.value;
	*user_flags = wine.user_flags;
	return true;
}

static HOOK_ABI int32_t query_kind(uint64_t whose, uint32_t class, uint32_t *value, uint64_t size,
				   uint64_t *needed)
{
	(void)whose, (void)class, (void)size, (void)needed;
	*value = wine.kind;
	return 0;
}

static HOOK_ABI uint64_t get_fls_value(uint32_t index)
{
	(void)index;
	set_error(0);
	return wine.fls_value;
}

void *hook_original(enum api api)
{
	switch (api) {
	case API_HeapSize:
		return (void *)size_of_block;
	case API_GlobalFlags:
		return (void *)flags_of_handle;
	case API_RtlGetUserInfoHeap:
		return (void *)get_user_info;
	case API_RtlQueryHeapInformation:
		return (void *)query_kind;
	case API_FlsGetValue:
		return (void *)get_fls_value;
	default:
		return NULL;
	}
}

/* The first 64 KiB are nobody's. */
bool guest_read(void *to, uint64_t from, size_t size_bytes)
{
	if (from < 0x10000)
		return false;
	memcpy(to, (const void *)(uintptr_t)from, size_bytes);
	return true;
}

enum config_mode serve_mode(void)
{
	return CONFIG_VERIFY;
}

uint32_t *serve_silence(struct hook_call *call)
{
	return &call->silence;
}

/* --- What is told ---------------------------------------------------------------------------- */

static char told[512];

void difference_in(const struct hook_call *call, const char *what, uint64_t wines, uint64_t cores)
{
	size_t length = strlen(told);

	(void)call;
	if (wines != cores)
		snprintf(told + length, sizeof(told) - length, "%s %" PRIx64 " %" PRIx64 "; ", what,
			 wines, cores);
}

static void expect(const char *expected, const char *name, size_t row)
{
	if (!ok(strcmp(told, expected) == 0, "%s, row %zu: what is told", name, row))
		printf("# told \"%s\", expected \"%s\"\n", told, expected);
	told[0] = '\0';
}

/* A call that is being made; its hook is the caller's. */
static void begin(struct hook_call *call, struct hook *hook, enum api api)
{
	*hook = (struct hook){ .api = (uint16_t)api, .arguments = 4 };
	memset(call, 0, sizeof(*call));
	call->hook = hook;
	set_error(UNTOUCHED);
}

/* --- Heaps ----------------------------------------------------------------------------------- */

/* The second and third argument of HeapAlloc; offset: of what it gives, -1: nothing. */
static const struct {
	uint32_t heap_flags, flags;
	uint64_t size_bytes, wine_size_bytes;
	int offset;
	bool is_zero;
	const char *expected;
} allocations[] = {
	{ 0, 0, 100, 100, 0, false, "" },
	{ 0, 0, 100, 112, 0, false, "HeapSize 70 64; " },
	{ 0, 0, 0, 0, 0, false, "" },
	{ 0, 0, 100, 100, 8, false, "alignment 8 0; HeapSize ffffffffffffffff 64; " },
	{ 0, HEAP_ZERO_MEMORY, 100, 100, 0, true, "" },
	{ 0, HEAP_ZERO_MEMORY, 100, 100, 0, false, "zeroed 0 1; " },
	{ 0, 0, 100, 100, -1, false, "" },
	{ HEAP_GENERATE_EXCEPTIONS, 0, 100, 100, -1, false, "exception 0 c0000017; " },
	{ HEAP_GENERATE_EXCEPTIONS, 0, 100, 100, 0, false, "" },
};

static void test_allocations(void)
{
	struct hook_call call;
	struct hook hook;

	for (size_t row = 0; row < COUNT(allocations); row++) {
		begin(&call, &hook, API_HeapAlloc);
		set_heap_flags(allocations[row].heap_flags);
		memset(memory, allocations[row].is_zero ? 0 : 'x', sizeof(memory));
		wine.size_bytes = allocations[row].wine_size_bytes;
		call.arguments[0] = HEAP_HERE;
		call.arguments[1] = allocations[row].flags;
		call.arguments[2] = allocations[row].size_bytes;
		if (allocations[row].offset >= 0)
			call.result = BLOCK + (uint64_t)allocations[row].offset;
		compare_allocated(&call);
		expect(allocations[row].expected, "HeapAlloc", row);
	}
}

/* Of a block of 50 bytes; is_zero: what lies behind them. */
static const struct {
	uint32_t heap_flags, flags;
	uint64_t size_bytes, wine_size_bytes;
	bool is_done, is_zero;
	const char *expected;
} resizes[] = {
	{ 0, 0, 100, 100, true, false, "" },
	{ 0, 0, 100, 50, true, false, "HeapSize 32 64; " },
	{ 0, HEAP_ZERO_MEMORY, 100, 100, true, true, "" },
	{ 0, HEAP_ZERO_MEMORY, 100, 100, true, false, "zeroed 0 1; " },
	{ 0, HEAP_ZERO_MEMORY, 40, 40, true, false, "" },
	{ 0, HEAP_REALLOC_IN_PLACE_ONLY, 40, 40, true, false, "" },
	{ 0, 0, 100, 50, false, false, "" },
	{ 0, 0, 100, 100, false, false, "HeapSize 64 32; " },
	{ HEAP_GENERATE_EXCEPTIONS, 0, 100, 50, false, false, "exception 0 c0000017; " },
};

static void test_resizes(void)
{
	struct hook_call call;
	struct hook hook;

	for (size_t row = 0; row < COUNT(resizes); row++) {
		begin(&call, &hook, API_HeapReAlloc);
		set_heap_flags(resizes[row].heap_flags);
		memset(memory, 'x', sizeof(memory));
		if (resizes[row].is_zero)
			memset(memory + 16 + 50, 0, BLOCK_BYTES - 50);
		wine.size_bytes = resizes[row].wine_size_bytes;
		call.arguments[0] = HEAP_HERE;
		call.arguments[1] = resizes[row].flags;
		call.arguments[2] = BLOCK;
		call.arguments[3] = resizes[row].size_bytes;
		call.before = 50;
		call.result = resizes[row].is_done ? BLOCK : 0;
		compare_reallocated(&call);
		expect(resizes[row].expected, "HeapReAlloc", row);
	}
}

static void test_moved_in_place(void)
{
	struct hook_call call;
	struct hook hook;
	char text[100];

	begin(&call, &hook, API_HeapReAlloc);
	wine.size_bytes = 40;
	call.arguments[0] = HEAP_HERE;
	call.arguments[1] = HEAP_REALLOC_IN_PLACE_ONLY;
	call.arguments[2] = BLOCK + 32;
	call.arguments[3] = 40;
	call.result = BLOCK;
	compare_reallocated(&call);
	snprintf(text, sizeof(text), "place %" PRIx64 " %" PRIx64 "; ", BLOCK, BLOCK + 32);
	expect(text, "a block that moved and must not", 0);
}

/* Of a BOOLEAN only the low byte counts. */
static const struct {
	void (*compare)(const struct hook_call *call);
	uint64_t result, before;
	uint32_t error;
	const char *expected;
} verdicts[] = {
	{ compare_freed, 1, 1, UNTOUCHED, "" },
	{ compare_freed, 0xffffff01, 1, UNTOUCHED, "" },
	{ compare_freed, 0xffffff00, 1, UNTOUCHED, "result 0 1; " },
	{ compare_freed, 1, 0, UNTOUCHED, "result 1 0; " },
	{ compare_freed, 0, 0, ERROR_INVALID_PARAMETER, "" },
	{ compare_freed, 0, 0, UNTOUCHED, "last error deadbeef 57; " },
	{ compare_destroyed, 0, 1, UNTOUCHED, "" },
	{ compare_destroyed, 0, 0, UNTOUCHED, "is destroyed 1 0; " },
	{ compare_destroyed, 0x10000, 1, UNTOUCHED, "is destroyed 0 1; " },
	{ compare_destroyed, 0x10000, 0, UNTOUCHED, "" },
	{ compare_validated, 1, 1, UNTOUCHED, "" },
	{ compare_validated, 1, 0, UNTOUCHED, "result 1 0; " },
	{ compare_validated, 0, 1, UNTOUCHED, "result 0 1; " },
};

static void test_verdicts(void)
{
	struct hook_call call;
	struct hook hook;

	set_heap_flags(0);
	for (size_t row = 0; row < COUNT(verdicts); row++) {
		begin(&call, &hook, API_HeapFree);
		set_error(verdicts[row].error);
		call.arguments[0] = HEAP_HERE;
		call.arguments[2] = BLOCK;
		call.result = verdicts[row].result;
		call.before = verdicts[row].before;
		verdicts[row].compare(&call);
		expect(verdicts[row].expected, "a verdict", row);
	}
}

/* A heap that checks tails has no valid block with another one. */
static void test_tail(void)
{
	struct hook_call call;
	struct hook hook;

	begin(&call, &hook, API_HeapValidate);
	set_heap_flags(HEAP_TAIL_CHECKING_ENABLED);
	wine.size_bytes = 100;
	memset(memory, 0xab, sizeof(memory));
	call.arguments[0] = HEAP_HERE;
	call.arguments[2] = BLOCK;
	call.result = call.before = true;
	compare_validated(&call);
	expect("", "a tail", 0);
	memory[16 + 103] = 'x';
	compare_validated(&call);
	expect("result 1 0; ", "a tail", 1);
	call.result = false;
	compare_validated(&call);
	expect("", "a tail", 2);
	set_heap_flags(0);
}

static void test_user_info(void)
{
	struct hook_call call;
	struct hook hook;

	begin(&call, &hook, API_RtlSetUserValueHeap);
	call.arguments[0] = HEAP_HERE;
	call.arguments[2] = BLOCK;
	call.arguments[3] = wine.value = 0x1234;
	call.result = true;
	compare_user_value(&call);
	expect("", "a user value", 0);
	wine.value = 7;
	compare_user_value(&call);
	expect("user value 7 1234; ", "a user value", 1);
	call.result = false;
	compare_user_value(&call);
	expect("", "a user value", 2);
	call.result = true;
	call.before = 0x600;
	call.arguments[3] = 0x200;
	call.stacked[0] = 0x800;
	wine.user_flags = 0xc00;
	compare_user_flags(&call);
	expect("", "user flags", 0);
	wine.user_flags = 0x600;
	compare_user_flags(&call);
	expect("user flags 600 c00; ", "user flags", 1);
	wine.value = 0;
}

/* The kind of heap that is asked for, what Wine answers, and what it is then. */
static const struct {
	uint32_t heap_flags, class, asked, kind;
	NTSTATUS status;
	const char *expected;
} kinds[] = {
	{ HEAP_GROWABLE, 0, 2, 2, STATUS_SUCCESS, "" },
	{ HEAP_GROWABLE, 0, 2, 0, STATUS_SUCCESS, "kind of heap 0 2; " },
	{ HEAP_GROWABLE, 0, 2, 0, STATUS_UNSUCCESSFUL, "" },
	{ 0, 0, 2, 0, STATUS_SUCCESS, "status 0 c0000001; " },
	{ 0, 0, 2, 0, STATUS_UNSUCCESSFUL, "" },
	{ HEAP_GROWABLE | HEAP_NO_SERIALIZE, 0, 2, 0, STATUS_SUCCESS, "status 0 c0000001; " },
	{ HEAP_GROWABLE, 0, 0, 0, STATUS_SUCCESS, "" },
	{ 0, 1, 2, 0, STATUS_SUCCESS, "" },
};

static void test_kinds(void)
{
	struct hook_call call;
	struct hook hook;

	for (size_t row = 0; row < COUNT(kinds); row++) {
		begin(&call, &hook, API_RtlSetHeapInformation);
		set_heap_flags(kinds[row].heap_flags);
		wine.kind = kinds[row].kind;
		call.arguments[0] = HEAP_HERE;
		call.arguments[1] = kinds[row].class;
		call.arguments[2] = (uint64_t)(uintptr_t)&kinds[row].asked;
		call.result = (uint32_t)kinds[row].status;
		compare_information(&call);
		expect(kinds[row].expected, "the kind of a heap", row);
	}
	set_heap_flags(0);
}

static void test_readable(void)
{
	ok(compare_is_heap(HEAP_HERE), "a heap is known by its signature");
	ok(!compare_is_heap(BLOCK) && !compare_is_heap(0), "nothing else is one");
	ok(compare_can_read_block(BLOCK), "Wine may be asked about a block");
	ok(!compare_can_read_block(8) && !compare_can_read_block(0x10),
	   "but not about what nothing lies before");
	ok_equal(compare_size_heap(HEAP_HERE, 0x10), UINT64_MAX, "which has no size");
}

/* --- Handles --------------------------------------------------------------------------------- */

/* What there is: a block of the program's (fixed), or an entry with its flags, its locks and, with
 * has_memory, the block. size_bytes is the block's. */
struct state {
	bool is_fixed;
	uint16_t flags;
	uint8_t locks;
	bool has_memory;
	uint64_t size_bytes;
};

#define FIXED(size)                     \
	{                               \
		true, 0, 0, false, size \
	}
#define MOVEABLE(flags, locks, size)                           \
	{                                                      \
		false, ENTRY_USED | (flags), locks, true, size \
	}
#define EMPTY(flags)                                                       \
	{                                                                  \
		false, ENTRY_USED | ENTRY_DISCARDED | (flags), 0, false, 0 \
	}
#define NOTHING                       \
	{                             \
		false, 0, 0, false, 0 \
	}
/* Stand for the handle, the inside of the block and the block here. */
#define H 0xaaaau
#define I 0xacacu
#define B 0xbbbbu

static const struct {
	enum api api;
	uint64_t arguments[3];
	struct state before, after;
	uint64_t result;
	uint32_t error;
	const char *expected;
} handles[] = {
	/* Given. */
	{ API_GlobalAlloc, { 0, 100 }, NOTHING, FIXED(100), B, UNTOUCHED, "" },
	{ API_GlobalAlloc, { 0, 0 }, NOTHING, FIXED(1), B, UNTOUCHED, "" },
	{ API_GlobalAlloc, { 0, 0 }, NOTHING, FIXED(0), B, UNTOUCHED, "size 0 1; " },
	{ API_LocalAlloc, { 0, 0 }, NOTHING, FIXED(0), B, UNTOUCHED, "" },
	{ API_GlobalAlloc, { 2, 100 }, NOTHING, MOVEABLE(0, 0, 100), H, UNTOUCHED, "" },
	{ API_GlobalAlloc, { 2, 100 }, NOTHING, FIXED(100), B, UNTOUCHED, "moveable 0 1; " },
	{ API_GlobalAlloc, { 2, 0 }, NOTHING, EMPTY(0), H, UNTOUCHED, "" },
	{ API_GlobalAlloc,
	  { GMEM_DISCARDABLE | 2, 9 },
	  NOTHING,
	  MOVEABLE(0, 0, 9),
	  H,
	  UNTOUCHED,
	  "flags 0 100; " },
	{ API_LocalAlloc,
	  { LMEM_DISCARDABLE | 2, 9 },
	  NOTHING,
	  MOVEABLE(ENTRY_DISCARDABLE, 0, 9),
	  H,
	  UNTOUCHED,
	  "" },
	{ API_GlobalAlloc,
	  { GMEM_DDESHARE | 2, 9 },
	  NOTHING,
	  MOVEABLE(ENTRY_SHARED, 0, 9),
	  H,
	  UNTOUCHED,
	  "" },
	{ API_GlobalAlloc, { 2, 9 }, NOTHING, MOVEABLE(0, 1, 9), H, UNTOUCHED, "locks 1 0; " },
	{ API_GlobalAlloc, { GMEM_ZEROINIT, 9 }, NOTHING, FIXED(9), B, UNTOUCHED, "zeroed 0 1; " },
	{ API_GlobalAlloc, { 0, 9 }, NOTHING, NOTHING, 0, ERROR_NOT_ENOUGH_MEMORY, "" },
	{ API_GlobalAlloc, { 0, 9 }, NOTHING, NOTHING, 0, UNTOUCHED, "last error deadbeef 8; " },
	/* Resized, discarded. */
	{ API_GlobalReAlloc,
	  { H, 200, 0 },
	  MOVEABLE(0, 0, 100),
	  MOVEABLE(0, 0, 200),
	  H,
	  UNTOUCHED,
	  "" },
	{ API_GlobalReAlloc,
	  { H, 200, 0 },
	  MOVEABLE(0, 0, 100),
	  MOVEABLE(0, 0, 100),
	  H,
	  UNTOUCHED,
	  "size 64 c8; " },
	{ API_GlobalReAlloc, { H, 0, 2 }, MOVEABLE(0, 0, 100), EMPTY(0), H, UNTOUCHED, "" },
	{ API_GlobalReAlloc,
	  { H, 0, 0 },
	  MOVEABLE(0, 0, 100),
	  MOVEABLE(0, 0, 100),
	  0,
	  ERROR_INVALID_PARAMETER,
	  "" },
	{ API_GlobalReAlloc,
	  { H, 0, 2 },
	  MOVEABLE(0, 1, 100),
	  MOVEABLE(0, 1, 100),
	  0,
	  UNTOUCHED,
	  "last error deadbeef 57; " },
	{ API_GlobalReAlloc,
	  { H, 0, 2 },
	  MOVEABLE(0, 1, 100),
	  EMPTY(0),
	  H,
	  UNTOUCHED,
	  "is done 1 0; " },
	{ API_GlobalReAlloc,
	  { H, 0, GMEM_MODIFY | GMEM_DISCARDABLE },
	  MOVEABLE(0, 0, 100),
	  MOVEABLE(ENTRY_DISCARDABLE, 0, 100),
	  H,
	  UNTOUCHED,
	  "" },
	{ API_LocalReAlloc,
	  { H, 0, LMEM_MODIFY | LMEM_DISCARDABLE },
	  MOVEABLE(0, 0, 100),
	  MOVEABLE(0, 0, 100),
	  H,
	  UNTOUCHED,
	  "flags 0 100; " },
	{ API_GlobalReAlloc,
	  { B, 0, GMEM_MODIFY | 2 },
	  FIXED(100),
	  MOVEABLE(0, 0, 100),
	  H,
	  UNTOUCHED,
	  "" },
	{ API_LocalReAlloc,
	  { B, 0, LMEM_MODIFY | 2 },
	  FIXED(100),
	  MOVEABLE(0, 0, 100),
	  H,
	  UNTOUCHED,
	  "moveable 1 0; " },
	{ API_GlobalReAlloc, { B, 50, 0 }, FIXED(100), FIXED(50), B, UNTOUCHED, "" },
	{ API_GlobalReAlloc,
	  { B, 900, 0 },
	  FIXED(100),
	  FIXED(100),
	  0,
	  ERROR_NOT_ENOUGH_MEMORY,
	  "" },
	{ API_GlobalReAlloc,
	  { B, 900, 0 },
	  FIXED(100),
	  FIXED(90),
	  0,
	  ERROR_NOT_ENOUGH_MEMORY,
	  "size 5a 64; " },
	{ API_GlobalReAlloc, { H, 9, 2 }, NOTHING, NOTHING, 0, ERROR_INVALID_HANDLE, "" },
	{ API_GlobalDiscard, { H }, MOVEABLE(0, 0, 100), EMPTY(0), H, UNTOUCHED, "" },
	{ API_LocalDiscard, { H }, MOVEABLE(0, 0, 100), EMPTY(0), H, UNTOUCHED, "" },
	{ API_LocalDiscard,
	  { H },
	  MOVEABLE(0, 1, 100),
	  MOVEABLE(0, 1, 100),
	  0,
	  ERROR_INVALID_PARAMETER,
	  "" },
	{ API_LocalDiscard, { H }, MOVEABLE(0, 1, 100), EMPTY(0), H, UNTOUCHED, "is done 1 0; " },
	/* Locked and unlocked. */
	{ API_GlobalLock, { H }, MOVEABLE(0, 0, 9), MOVEABLE(0, 1, 9), B, UNTOUCHED, "" },
	{ API_GlobalLock,
	  { H },
	  MOVEABLE(0, 0, 9),
	  MOVEABLE(0, 0, 9),
	  B,
	  UNTOUCHED,
	  "locks 0 1; " },
	{ API_GlobalLock, { H }, MOVEABLE(0, 255, 9), MOVEABLE(0, 255, 9), B, UNTOUCHED, "" },
	{ API_GlobalLock, { H }, EMPTY(0), EMPTY(0), 0, ERROR_DISCARDED, "" },
	{ API_GlobalLock, { B }, FIXED(9), FIXED(9), B, UNTOUCHED, "" },
	{ API_GlobalLock, { H }, NOTHING, NOTHING, 0, UNTOUCHED, "last error deadbeef 6; " },
	{ API_GlobalFix, { H }, MOVEABLE(0, 1, 9), MOVEABLE(0, 2, 9), 0, UNTOUCHED, "" },
	{ API_GlobalUnfix,
	  { H },
	  MOVEABLE(0, 1, 9),
	  MOVEABLE(0, 1, 9),
	  0,
	  UNTOUCHED,
	  "locks 1 0; " },
	{ API_GlobalWire, { H }, MOVEABLE(0, 0, 9), MOVEABLE(0, 1, 9), B, UNTOUCHED, "" },
	{ API_GlobalWire,
	  { H },
	  MOVEABLE(0, 0, 9),
	  MOVEABLE(0, 0, 9),
	  B,
	  UNTOUCHED,
	  "locks 0 1; " },
	{ API_LocalLock, { H }, MOVEABLE(0, 0, 9), MOVEABLE(0, 1, 9), B, UNTOUCHED, "" },
	{ API_LocalLock, { H }, EMPTY(0), EMPTY(0), 0, UNTOUCHED, "last error deadbeef 9d; " },
	{ API_GlobalUnWire, { H }, MOVEABLE(0, 1, 9), MOVEABLE(0, 0, 9), FALSE, ERROR_SUCCESS, "" },
	{ API_GlobalUnWire,
	  { H },
	  MOVEABLE(0, 2, 9),
	  MOVEABLE(0, 2, 9),
	  TRUE,
	  UNTOUCHED,
	  "locks 2 1; " },
	{ API_GlobalUnlock, { H }, MOVEABLE(0, 2, 9), MOVEABLE(0, 1, 9), TRUE, UNTOUCHED, "" },
	{ API_GlobalUnlock, { H }, MOVEABLE(0, 1, 9), MOVEABLE(0, 0, 9), FALSE, ERROR_SUCCESS, "" },
	{ API_GlobalUnlock,
	  { H },
	  MOVEABLE(0, 1, 9),
	  MOVEABLE(0, 0, 9),
	  FALSE,
	  UNTOUCHED,
	  "last error deadbeef 0; " },
	{ API_GlobalUnlock,
	  { H },
	  MOVEABLE(0, 0, 9),
	  MOVEABLE(0, 0, 9),
	  FALSE,
	  ERROR_NOT_LOCKED,
	  "" },
	{ API_GlobalUnlock, { B }, FIXED(9), FIXED(9), TRUE, UNTOUCHED, "" },
	{ API_GlobalUnlock, { B }, FIXED(9), FIXED(9), FALSE, ERROR_NOT_LOCKED, "result 0 1; " },
	{ API_LocalUnlock, { B }, FIXED(9), FIXED(9), FALSE, ERROR_NOT_LOCKED, "" },
	/* Asked. */
	{ API_GlobalSize, { H }, MOVEABLE(0, 0, 9), MOVEABLE(0, 0, 9), 9, UNTOUCHED, "" },
	{ API_GlobalSize,
	  { H },
	  MOVEABLE(0, 0, 9),
	  MOVEABLE(0, 0, 9),
	  16,
	  UNTOUCHED,
	  "result 10 9; " },
	{ API_GlobalSize, { H }, EMPTY(0), EMPTY(0), 0, UNTOUCHED, "" },
	{ API_GlobalSize, { H }, NOTHING, NOTHING, 0, ERROR_INVALID_HANDLE, "" },
	{ API_LocalSize, { H }, MOVEABLE(0, 0, 9), MOVEABLE(0, 0, 9), 9, UNTOUCHED, "" },
	{ API_LocalSize,
	  { H },
	  MOVEABLE(0, 0, 9),
	  MOVEABLE(0, 0, 9),
	  0,
	  UNTOUCHED,
	  "result 0 9; " },
	{ API_GlobalFlags,
	  { H },
	  MOVEABLE(ENTRY_DISCARDABLE, 3, 9),
	  MOVEABLE(ENTRY_DISCARDABLE, 3, 9),
	  GMEM_DISCARDABLE | 3,
	  UNTOUCHED,
	  "" },
	{ API_LocalFlags,
	  { H },
	  MOVEABLE(ENTRY_DISCARDABLE, 3, 9),
	  MOVEABLE(ENTRY_DISCARDABLE, 3, 9),
	  GMEM_DISCARDABLE | 3,
	  UNTOUCHED,
	  "result 103 f03; " },
	{ API_GlobalFlags, { H }, NOTHING, NOTHING, NONE, ERROR_INVALID_HANDLE, "" },
	{ API_GlobalFlags, { H }, NOTHING, NOTHING, 0, UNTOUCHED, "result 0 8000; " },
	{ API_GlobalHandle, { B }, FIXED(9), FIXED(9), B, UNTOUCHED, "" },
	{ API_GlobalHandle, { B }, MOVEABLE(0, 0, 9), MOVEABLE(0, 0, 9), H, UNTOUCHED, "" },
	{ API_GlobalHandle,
	  { H },
	  MOVEABLE(0, 0, 9),
	  MOVEABLE(0, 0, 9),
	  0,
	  ERROR_INVALID_HANDLE,
	  "" },
	{ API_GlobalHandle, { I }, FIXED(9), FIXED(9), 0, ERROR_INVALID_HANDLE, "" },
	{ API_GlobalSize, { I }, FIXED(9), FIXED(9), 0, ERROR_INVALID_HANDLE, "" },
	{ API_GlobalHandle, { 0 }, NOTHING, NOTHING, 0, ERROR_INVALID_PARAMETER, "" },
	{ API_LocalHandle, { 0 }, NOTHING, NOTHING, 0, ERROR_INVALID_HANDLE, "last error 6 57; " },
	{ API_GlobalCompact, { 0 }, NOTHING, NOTHING, 0, UNTOUCHED, "" },
	{ API_LocalCompact, { 0 }, NOTHING, NOTHING, 0, UNTOUCHED, "" },
	{ API_LocalCompact, { 0 }, NOTHING, NOTHING, 7, UNTOUCHED, "result 7 0; " },
	{ API_LocalShrink, { H }, NOTHING, NOTHING, 7, UNTOUCHED, "result 7 0; " },
	/* Freed. */
	{ API_GlobalFree, { H }, MOVEABLE(0, 0, 9), NOTHING, 0, UNTOUCHED, "" },
	{ API_LocalFree, { H }, MOVEABLE(0, 0, 9), NOTHING, 0, UNTOUCHED, "" },
	{ API_LocalFree, { H }, NOTHING, NOTHING, H, UNTOUCHED, "last error deadbeef 6; " },
	{ API_GlobalFree, { 0 }, NOTHING, NOTHING, 0, UNTOUCHED, "" },
	{ API_GlobalFree, { H }, NOTHING, NOTHING, H, ERROR_INVALID_HANDLE, "" },
	{ API_GlobalFree, { H }, NOTHING, NOTHING, H, UNTOUCHED, "last error deadbeef 6; " },
};

static bool has_row(unsigned int api)
{
	for (size_t row = 0; row < COUNT(handles); row++) {
		if (handles[row].api == api)
			return true;
	}
	return false;
}

/* A function that nobody compares, or whose comparison nobody tests, is seen here. */
static void test_all_have_rows(void)
{
	for (unsigned int api = API_GlobalAlloc; api <= API_LocalShrink; api++)
		ok(has_row(api), "function %u of Global and Local memory is compared", api);
}

static uint64_t address_for(uint64_t value)
{
	if (value == H)
		return HANDLE_HERE;
	if (value == I)
		return BLOCK + 16;
	return value == B ? BLOCK : value;
}

static void set_state(const struct state *state)
{
	wine.is_fixed = state->is_fixed;
	wine.size_bytes = state->size_bytes;
	entry.flags = state->flags;
	entry.locks = state->locks;
	entry.memory = state->has_memory ? BLOCK : 0;
}

static void test_handles(void)
{
	struct hook_call call;
	struct hook hook;

	memset(memory, 'x', sizeof(memory));
	for (size_t row = 0; row < COUNT(handles); row++) {
		serve_after after;

		begin(&call, &hook, handles[row].api);
		for (size_t i = 0; i < COUNT(handles[row].arguments); i++)
			call.arguments[i] = address_for(handles[row].arguments[i]);
		set_state(&handles[row].before);
		after = compare_handle(&call);
		ok_equal(error_now(), UNTOUCHED, "handles, row %zu: no error is lost", row);
		set_state(&handles[row].after);
		call.result = address_for(handles[row].result);
		set_error(handles[row].error);
		after(&call, handles[row].api);
		expect(handles[row].expected, "handles", row);
	}
	begin(&call, &hook, API_HeapAlloc);
	ok(!compare_handle(&call), "other functions are not looked at");
	set_state(&(const struct state)NOTHING);
}

/* --- Storage of threads ---------------------------------------------------------------------- */

/* is_used and value: of the index, as Wine has them; value_after likewise when it has answered. */
static const struct {
	enum api api;
	uint64_t index, set;
	bool is_used;
	uint64_t value, value_after, result;
	uint32_t error;
	const char *expected;
} slots[] = {
	{ API_TlsAlloc, 5, 0, true, 0, 0, 5, UNTOUCHED, "" },
	{ API_TlsAlloc, 5, 0, true, 0, 9, 5, UNTOUCHED, "new value 9 0; " },
	{ API_TlsAlloc, 500, 0, true, 0, 9, 500, UNTOUCHED, "new value 9 0; " },
	{ API_TlsAlloc, 0, 0, true, 0, 0, 1088, UNTOUCHED, "is an index 0 1; " },
	{ API_TlsAlloc, 0, 0, true, 0, 0, TLS_OUT_OF_INDEXES, ERROR_NO_MORE_ITEMS, "" },
	{ API_TlsAlloc, 0, 0, true, 0, 0, TLS_OUT_OF_INDEXES, UNTOUCHED,
	  "last error deadbeef 103; " },
	{ API_TlsFree, 5, 0, true, 0, 0, TRUE, UNTOUCHED, "" },
	{ API_TlsFree, 500, 0, true, 0, 0, FALSE, UNTOUCHED, "result 0 1; " },
	{ API_TlsFree, 500, 0, false, 0, 0, FALSE, ERROR_INVALID_PARAMETER, "" },
	{ API_TlsFree, 5, 0, false, 0, 0, TRUE, UNTOUCHED, "result 1 0; " },
	{ API_TlsGetValue, 5, 0, true, 7, 7, 7, ERROR_SUCCESS, "" },
	{ API_TlsGetValue, 500, 0, true, 7, 7, 8, ERROR_SUCCESS, "result 8 7; " },
	{ API_TlsGetValue, 5, 0, true, 7, 7, 7, UNTOUCHED, "last error deadbeef 0; " },
	{ API_TlsGetValue, 1088, 0, false, 0, 0, 0, ERROR_INVALID_PARAMETER, "" },
	{ API_TlsSetValue, 5, 7, true, 0, 7, TRUE, UNTOUCHED, "" },
	{ API_TlsSetValue, 500, 7, true, 0, 0, TRUE, UNTOUCHED, "value 0 7; " },
	{ API_TlsSetValue, 1088, 7, false, 0, 0, FALSE, ERROR_INVALID_PARAMETER, "" },
	{ API_FlsAlloc, 0, 0, true, 0, 0, 5, UNTOUCHED, "" },
	{ API_FlsAlloc, 0, 0, true, 0, 9, 5, UNTOUCHED, "new value 9 0; " },
	{ API_FlsAlloc, 0, 0, true, 0, 0, 0, UNTOUCHED, "is an index 0 1; " },
	{ API_FlsFree, 5, 0, true, 0, 0, TRUE, UNTOUCHED, "" },
	{ API_FlsFree, 0, 0, false, 0, 0, TRUE, UNTOUCHED, "result 1 0; " },
	{ API_FlsFree, 5, 0, false, 0, 0, FALSE, UNTOUCHED, "last error deadbeef 57; " },
	{ API_FlsGetValue, 5, 0, true, 0, 0, 0, ERROR_SUCCESS, "" },
	{ API_FlsGetValue, 5, 0, true, 0, 0, 0, UNTOUCHED, "last error deadbeef 0; " },
	{ API_FlsSetValue, 5, 7, true, 0, 7, TRUE, UNTOUCHED, "" },
	{ API_FlsSetValue, 5, 7, true, 0, 6, TRUE, UNTOUCHED, "value 6 7; " },
	{ API_FlsSetValue, 0, 7, true, 0, 7, TRUE, UNTOUCHED, "result 1 0; " },
};

static void set_slot(uint64_t index, uint64_t value)
{
	wine.fls_value = value;
	if (index < 64)
		put(teb, TEB_SLOTS + index * sizeof(value), &value, sizeof(value));
	else if (index < 1088)
		expansion[index - 64] = value;
}

static void set_used(uint64_t index, bool is_used)
{
	uint32_t *words = index < 64 ? direct_words : expansion_words;
	uint64_t bit = index < 64 ? index : index - 64;

	if (index >= 1088)
		return;
	words[bit / 32] = is_used ? UINT32_C(1) << bit % 32 : 0;
}

static void test_slots(void)
{
	struct hook_call call;
	struct hook hook;

	for (size_t row = 0; row < COUNT(slots); row++) {
		serve_after after;

		begin(&call, &hook, slots[row].api);
		call.arguments[0] = slots[row].index;
		call.arguments[1] = slots[row].set;
		set_used(slots[row].index, slots[row].is_used);
		set_slot(slots[row].index, slots[row].value);
		after = compare_tls(&call);
		set_slot(slots[row].index, slots[row].value_after);
		call.result = slots[row].result;
		set_error(slots[row].error);
		after(&call, slots[row].api);
		expect(slots[row].expected, "slots", row);
		set_slot(slots[row].index, 0);
		set_used(slots[row].index, false);
	}
	begin(&call, &hook, API_HeapAlloc);
	ok(!compare_tls(&call), "other functions are not looked at");
}

/* --- Locks ----------------------------------------------------------------------------------- */

static void lock(uint64_t which, uint64_t thread, bool is_done)
{
	struct hook_call call;
	struct hook hook;

	begin(&call, &hook, API_HeapLock);
	put(teb, 0x48, &thread, sizeof(thread));
	call.arguments[0] = which;
	call.result = is_done;
	compare_locked(&call);
}

/* Wine says that all is well. */
static void unlock(uint64_t which, uint64_t thread, const char *expected, const char *name)
{
	struct hook_call call;
	struct hook hook;

	begin(&call, &hook, API_HeapUnlock);
	put(teb, 0x48, &thread, sizeof(thread));
	call.arguments[0] = which;
	compare_unlocking(&call);
	call.result = true;
	compare_unlocked(&call);
	expect(expected, name, 0);
}

static void test_locks(void)
{
	static const char none[] = "result 1 0; ";

	unlock(1, 1, none, "a heap that nobody has locked");
	lock(1, 1, true);
	lock(1, 1, true);
	unlock(1, 2, none, "another thread's lock");
	unlock(2, 1, none, "another heap");
	unlock(1, 1, "", "one of two locks");
	unlock(1, 1, "", "the other one");
	unlock(1, 1, none, "one too many");
	lock(1, 1, false);
	unlock(1, 1, none, "a lock that failed");
	lock(1, 1, true);
	lock(2, 2, true);
	unlock(2, 2, "", "two threads with a heap each");
	unlock(1, 1, "", "the other thread");
	for (uint64_t which = 1; which <= 65; which++)
		lock(which, 1, true);
	unlock(65, 1, "", "more heaps than are followed");
}

int main(void)
{
	start_wine();
	test_readable();
	test_all_have_rows();
	test_allocations();
	test_resizes();
	test_moved_in_place();
	test_verdicts();
	test_tail();
	test_user_info();
	test_kinds();
	test_handles();
	test_slots();
	test_locks();
	return tap_done();
}
