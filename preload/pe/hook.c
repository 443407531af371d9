/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Sets the hooks of a DLL, all in one go:
 *
 *   image    entry:  jmp stub ------------.      region near it
 *            entry + patch: the rest <-.   `--->  stub        asks, answers or calls
 *                                       `-------  trampoline  what gave way to the jump
 *                                                 near code   a copy of what is asked first
 *                                                 tables      addresses, unwind information
 *
 * First everything is written into the region; when it has become executable, the jumps are written
 * over the entries. What fails before then leaves the DLL as it was.
 *
 * No lock: each DLL is done once, by the thread that maps it, before any thread can call it; what
 * others read of it here is published by the DLL's own becoming executable. */

#include "preload/pe/hook.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/pe/plan/plan.h"
#include "preload/pe/region.h"
#include "preload/pe/stub.h"
#include "preload/recorder.h"

#define DLLS_MAX 3

#define ID_FITS(id, ...) static_assert((id) < HOOK_IDS_MAX, "originals has a place for it");
API_HOOKS(ID_FITS)

/* A RUNTIME_FUNCTION; relative to the region's base. */
struct row {
	uint32_t begin, end, unwind;
};

/* A DLL whose hooks are set, or could not be.
 *  - name is NULL until then;
 *  - rows: row_count of them in rising order, at the beginning of the region's tables. */
struct dll {
	const char *name;
	uint64_t base, size_bytes;
	struct region region;
	uint32_t unwind;      /* of stubs */
	uint32_t leaf_unwind; /* of what comes before them */
	uint64_t near_code;   /* the copy; 0: none of its hooks has a quick way */
	struct stub_slots slots;
	struct row *rows;
	uint32_t row_count;
};

static struct dll dlls[DLLS_MAX];
static struct plan plans[HOOK_COUNT];
static struct hook_place places[HOOK_COUNT];
static uint64_t stubs[HOOK_COUNT];
static void *originals[HOOK_IDS_MAX];
static struct {
	hook_quick quick; /* NULL: none */
	hook_rest *rest;
	bool probes;
} quicks[HOOK_IDS_MAX];
static struct hook_near near_code;
static struct gate gate;
static hook_enter dispatch_enter_call;
static hook_leave dispatch_leave_call;
static uint64_t raise_status, add_function_table, query_system;

void hook_set_dispatch(hook_enter enter, hook_leave leave)
{
	dispatch_enter_call = enter;
	dispatch_leave_call = leave;
}

void hook_set_near(const struct hook_near *code)
{
	near_code = *code;
}

void hook_set_quick(enum api api, hook_quick quick, hook_rest *rest, bool probes)
{
	quicks[api].quick = quick;
	quicks[api].rest = rest;
	quicks[api].probes = probes;
}

void hook_set_gate(const bool *is_open, const volatile int *const *wanted)
{
	gate = (struct gate){ is_open, wanted };
}

bool hook_is_wanted(void)
{
	return dispatch_enter_call != NULL;
}

struct hook_place hook_place_at(size_t index)
{
	struct hook_place place = places[index];

	if (!place.reason)
		place.reason = "";
	return place;
}

void *hook_original(enum api api)
{
	return (unsigned int)api < HOOK_IDS_MAX ? originals[api] : NULL;
}

bool hook_holds(uint64_t address)
{
	for (size_t i = 0; i < DLLS_MAX; i++)
		if (address - dlls[i].region.base < dlls[i].region.size_bytes)
			return true;
	return false;
}

/* --- Writing --------------------------------------------------------------------------------- */

static uint32_t in_region(const struct dll *dll, uint64_t address)
{
	return (uint32_t)(address - dll->region.base);
}

static uint64_t emit_slot(struct emitter *tables, uint64_t value)
{
	uint64_t address = emit_address(tables);

	emit_64(tables, value);
	return address;
}

/* What all stubs share; the rows go before it. */
static void emit_common(struct dll *dll, uint32_t hooks)
{
	struct emitter *tables = &dll->region.tables;

	dll->rows = (struct row *)tables->bytes;
	tables->used = sizeof(struct row) * (STUB_ROWS_MAX * hooks + /* near code */ 1);
	emit_align(tables, sizeof(uint64_t), 0);
	dll->slots.enter = emit_slot(tables, (uintptr_t)dispatch_enter_call);
	dll->slots.leave = emit_slot(tables, (uintptr_t)dispatch_leave_call);
	dll->slots.raise_status = emit_slot(tables, raise_status);
	dll->unwind = in_region(dll, emit_address(tables));
	stub_emit_unwind(tables);
	dll->leaf_unwind = in_region(dll, emit_address(tables));
	leaf_emit_unwind(tables);
}

static void add_row(struct dll *dll, uint64_t begin, uint32_t unwind)
{
	dll->rows[dll->row_count++] = (struct row){
		in_region(dll, begin),
		in_region(dll, emit_address(&dll->region.code)),
		unwind,
	};
}

/* Gives the function as it was. One that moves nothing onto the stack needs no row: it is a leaf.
 */
static uint64_t emit_original(struct dll *dll, const struct plan *plan)
{
	struct region *region = &dll->region;
	uint64_t begin = emit_address(&region->code);
	uint32_t unwind = in_region(dll, emit_address(&region->tables));
	struct plan_unwind moved;

	if (plan->way == PLAN_WAY_SKIP)
		return dll->base + plan->rva + plan->patch_bytes;
	trampoline_emit(&region->code, plan, dll->base, &moved);
	if (moved.slot_count > 0) {
		add_row(dll, begin, unwind);
		trampoline_emit_unwind(&region->tables, &moved,
				       emit_address(&region->code) - begin);
	}
	return begin;
}

/* The first of an API gets the quick way in. */
static bool is_quick(const struct hook *hook)
{
	return quicks[hook->api].quick && !*quicks[hook->api].rest;
}

/* Begins a piece of code that moves nothing onto the stack. */
static uint64_t begin_leaf(struct dll *dll)
{
	emit_align(&dll->region.code, 16, 0xcc);
	return emit_address(&dll->region.code);
}

/* Where the copy has what is at `original` in our own object. */
static uint64_t in_near_code(const struct dll *dll, const void *original)
{
	return dll->near_code + ((uintptr_t)original - (uintptr_t)near_code.code);
}

static void emit_near_code(struct dll *dll)
{
	struct emitter *code = &dll->region.code;

	emit_align(code, HOOK_NEAR_ALIGNMENT, 0xcc);
	dll->near_code = emit_address(code);
	emit_bytes(code, near_code.code, near_code.size_bytes);
	add_row(dll, dll->near_code, dll->leaf_unwind);
}

static void *near_words(const struct dll *dll)
{
	return (void *)in_near_code(dll, near_code.words_at);
}

static void fill_near_words(const struct dll *dll)
{
	const uint64_t *from = near_code.words;
	uint64_t *to = near_words(dll);

	for (size_t i = 0; i < near_code.words_bytes / sizeof(*to); i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELEASE);
}

static bool protect_near_words(const struct dll *dll, int protection)
{
	return os_protect(near_words(dll), OS_PAGE_SIZE, protection) == 0;
}

void hook_write_near_words(void)
{
	for (size_t i = 0; i < DLLS_MAX; i++) {
		const struct dll *dll = &dlls[i];

		if (!dll->near_code || !protect_near_words(dll, PROT_READ | PROT_WRITE))
			continue;
		fill_near_words(dll);
		(void)protect_near_words(dll, PROT_READ);
	}
}

static uint64_t emit_quick(struct dll *dll, enum api api, uint64_t rest)
{
	uint64_t quick = in_near_code(dll, (const void *)quicks[api].quick), first;

	*quicks[api].rest = (hook_rest)rest;
	if (quicks[api].probes)
		return quick;
	first = begin_leaf(dll);
	quick_emit(&dll->region.code, quick);
	add_row(dll, first, dll->leaf_unwind);
	return first;
}

static uint64_t emit_gate(struct dll *dll, uint64_t original, uint64_t stub)
{
	uint64_t first = begin_leaf(dll);

	gate_emit(&dll->region.code, &gate, original, stub);
	add_row(dll, first, dll->leaf_unwind);
	return first;
}

/* Gives where the jump from the entry goes: to the quick way in, to the gate, if there is one, or
 * to the stub; each goes on to the next. */
static uint64_t emit_stub(struct dll *dll, const struct hook *hook, uint64_t original)
{
	struct emitter *code = &dll->region.code;
	uint64_t first = emit_address(code);

	stub_emit(code, hook, original, &dll->slots);
	add_row(dll, first, dll->unwind);
	if (!hook->is_routed && gate.is_open)
		first = emit_gate(dll, original, first);
	return is_quick(hook) ? emit_quick(dll, hook->api, first) : first;
}

static void emit_hook(struct dll *dll, size_t index)
{
	struct emitter *code = &dll->region.code;
	uint64_t original;

	emit_align(code, 16, 0xcc);
	original = emit_original(dll, &plans[index]);
	emit_align(code, 16, 0xcc);
	stubs[index] = emit_stub(dll, hook_at(index), original);
	originals[hook_at(index)->api] = (void *)original;
}

/* Writes the code of a hook; takes back what does not fit. */
static void try_hook(struct dll *dll, size_t index)
{
	struct region *region = &dll->region;
	size_t code_used = region->code.used, tables_used = region->tables.used;
	uint32_t row_count = dll->row_count;

	emit_hook(dll, index);
	if (!region->code.has_failed && !region->tables.has_failed)
		return;
	region->code.used = code_used;
	region->tables.used = tables_used;
	region->code.has_failed = region->tables.has_failed = false;
	dll->row_count = row_count;
	originals[hook_at(index)->api] = NULL;
	plans[index].state = HOOK_LEFT;
	plans[index].reason = "its code is too far from what it needs";
}

/* The jump, and nothing that could be run by mistake behind it. */
static void patch(const struct dll *dll, size_t index)
{
	const struct plan *plan = &plans[index];
	struct emitter entry = {
		.bytes = (uint8_t *)dll->base + plan->rva,
		.address = dll->base + plan->rva,
		.size_bytes = plan->patch_bytes,
	};

	emit_code(&entry, 0xe9);
	emit_relative(&entry, stubs[index]);
	while (entry.used < entry.size_bytes)
		emit_8(&entry, 0xcc);
}

/* --- A DLL ----------------------------------------------------------------------------------- */

static bool is_of(size_t index, const struct dll *dll)
{
	return strcmp(hook_at(index)->dll, dll->name) == 0;
}

static bool is_wanted(size_t index, const struct dll *dll)
{
	return is_of(index, dll) && plans[index].state == HOOK_IS_SET;
}

static bool has_quick(const struct dll *dll)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (is_wanted(i, dll) && is_quick(hook_at(i)))
			return true;
	return false;
}

static void leave_all(const struct dll *dll, const char *reason)
{
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		if (!is_wanted(i, dll))
			continue;
		originals[hook_at(i)->api] = NULL;
		plans[i].state = HOOK_LEFT;
		plans[i].reason = reason;
	}
}

static bool emit_all(struct dll *dll, size_t image_bytes)
{
	uint32_t hooks = 0;
	size_t near_bytes = has_quick(dll) ? near_code.size_bytes + HOOK_NEAR_ALIGNMENT : 0;

	for (size_t i = 0; i < HOOK_COUNT; i++)
		hooks += is_wanted(i, dll);
	if (!region_open(&dll->region, dll->base, image_bytes,
			 near_bytes + hooks * STUB_CODE_BYTES_MAX,
			 STUB_COMMON_BYTES + hooks * STUB_TABLE_BYTES_MAX))
		return false;
	emit_common(dll, hooks);
	if (near_bytes > 0)
		emit_near_code(dll);
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (is_wanted(i, dll))
			try_hook(dll, i);
	if (dll->near_code)
		fill_near_words(dll);
	return region_seal(&dll->region) && (!dll->near_code || protect_near_words(dll, PROT_READ));
}

static void publish(const struct dll *dll)
{
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		if (is_wanted(i, dll))
			patch(dll, i);
		if (is_of(i, dll))
			places[i] = (struct hook_place){
				.state = plans[i].state,
				.reason = plans[i].reason,
				.address = plans[i].rva ? dll->base + plans[i].rva : 0,
			};
	}
}

/* ntdll comes first, and has what the others' stubs need. */
static void learn_ntdll(const struct dll *dll, const struct pe_image *image)
{
	struct pe_export raise = pe_image_export(image, "RtlRaiseStatus");
	struct pe_export add = pe_image_export(image, "RtlAddFunctionTable");
	struct pe_export query = pe_image_export(image, "NtQuerySystemInformation");

	if (strcmp(dll->name, "ntdll") != 0)
		return;
	if (raise.kind == PE_EXPORT_CODE)
		raise_status = dll->base + raise.rva;
	if (add.kind == PE_EXPORT_CODE)
		add_function_table = dll->base + add.rva;
	if (query.kind == PE_EXPORT_CODE)
		query_system = dll->base + query.rva;
}

static void set_hooks(struct dll *dll, const struct pe_image *image)
{
	recorder_plan_dll(image, dll->name, plans);
	learn_ntdll(dll, image);
	if (!raise_status || !add_function_table) {
		leave_all(dll, "ntdll lacks RtlRaiseStatus or RtlAddFunctionTable");
	} else if (!emit_all(dll, image->image_bytes)) {
		leave_all(dll, "there is no memory near the DLL");
		region_close(&dll->region);
	}
	publish(dll);
}

/* The hooks' own name of the DLL; NULL when it has none. */
static const char *find_name(const char *file_name)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (hook_is_in(hook_at(i)->dll, file_name))
			return hook_at(i)->dll;
	return NULL;
}

/* A free place for a DLL of this name; NULL when it has been here. */
static struct dll *find_place(const char *name)
{
	for (size_t i = 0; i < DLLS_MAX; i++) {
		if (!dlls[i].name)
			return &dlls[i];
		if (strcmp(dlls[i].name, name) == 0)
			return NULL;
	}
	return NULL;
}

void hook_set_all(const char *name, void *base, size_t size_bytes)
{
	const char *own_name = dispatch_enter_call ? find_name(name) : NULL;
	struct dll *dll = own_name ? find_place(own_name) : NULL;
	struct pe_image image;

	if (!dll || !pe_image_open(&image, base, size_bytes, PE_LAYOUT_MAPPED))
		return;
	*dll = (struct dll){ .name = own_name, .base = (uintptr_t)base, .size_bytes = size_bytes };
	set_hooks(dll, &image);
}

bool hook_is_in_ntdll(uint64_t address)
{
	for (size_t i = 0; i < DLLS_MAX; i++)
		if (address - dlls[i].base < dlls[i].size_bytes)
			return strcmp(dlls[i].name, "ntdll") == 0;
	return false;
}

bool hook_can_route(void)
{
	bool has_ntdll = false;

	for (size_t i = 0; i < HOOK_COUNT; i++) {
		if (!hook_at(i)->is_routed || strcmp(hook_at(i)->dll, "ntdll") != 0)
			continue;
		if (places[i].state == HOOK_LEFT)
			return false;
		has_ntdll |= places[i].state == HOOK_IS_SET;
	}
	return has_ntdll;
}

/* A class of information of Wine's own: its version, then other texts. */
#define SYSTEM_WINE_VERSION 1000

const char *hook_wine_version(void)
{
	static char texts[256];
	int32_t(HOOK_ABI * query)(uint32_t, void *, uint32_t, uint32_t *);

	query = (int32_t(HOOK_ABI *)(uint32_t, void *, uint32_t, uint32_t *))query_system;
	if (!query || query(SYSTEM_WINE_VERSION, texts, sizeof(texts) - 1, NULL) < 0 || !texts[0])
		return "unknown";
	return texts;
}

void hook_register_unwind(void)
{
	uint8_t(HOOK_ABI * add)(struct row *, uint32_t, uint64_t);

	add = (uint8_t(HOOK_ABI *)(struct row *, uint32_t, uint64_t))add_function_table;
	for (size_t i = 0; i < DLLS_MAX; i++)
		if (add && dlls[i].row_count > 0 && dlls[i].region.size_bytes > 0)
			(void)add(dlls[i].rows, dlls[i].row_count, dlls[i].region.base);
}
