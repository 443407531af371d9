/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A reader of .pdata and .xdata.
 *
 *   RUNTIME_FUNCTION   begin, end, unwind data          sorted by begin
 *   UNWIND_INFO        version and flags, prologue size, codes, frame register, codes[]
 *                      then, with the chained flag, the RUNTIME_FUNCTION of the rest
 *
 * The codes, which undo the prologue, are run in terms of two registers: rsp and the frame register
 * as they are at the instruction. After the prologue has been undone, rsp is at the return address.
 * Inside an epilogue the instructions that are left say the same. */

#include "trace/stack/stack_pe.h"

#include <string.h>

#define FUNCTION_SIZE 12u
#define CHAIN_MAX 32
#define CODES_MAX 255
#define EPILOGUE_MAX 32u
#define MACHINE_FRAME_RSP 24

enum unwind_flags { FLAG_CHAINED = 4 };

enum unwind_operation {
	PUSH_NONVOL = 0,
	ALLOC_LARGE = 1,
	ALLOC_SMALL = 2,
	SET_FPREG = 3,
	SAVE_NONVOL = 4,
	SAVE_NONVOL_FAR = 5,
	EPILOG = 6, /* in version 1: an old form of SAVE_XMM */
	SPARE = 7,
	SAVE_XMM128 = 8,
	SAVE_XMM128_FAR = 9,
	PUSH_MACHFRAME = 10,
};

struct runtime_function {
	uint32_t begin, end, unwind;
};
_Static_assert(sizeof(struct runtime_function) == FUNCTION_SIZE, "as Windows has it");

struct unwind_code {
	uint8_t offset;
	uint8_t operation : 4;
	uint8_t info : 4;
};
_Static_assert(sizeof(struct unwind_code) == 2, "as Windows has it");

struct unwind_info {
	uint8_t version : 3;
	uint8_t flags : 5;
	uint8_t prologue_size;
	uint8_t count;
	uint8_t frame_register : 4;
	uint8_t frame_offset : 4;
	struct unwind_code codes[CODES_MAX + 1];
};
_Static_assert(offsetof(struct unwind_info, codes) == 4, "as Windows has it");

/* Codes under way. The caller's stack, as far as it is undone, is at base + offset. */
struct machine {
	const struct pe_image *image;
	struct pe_frame frame;
	uint32_t rva;
	bool is_exact;
	uint8_t base;
	int64_t offset;
	/* Of the info at hand: what SAVE_* count from. */
	uint8_t save_base;
	int64_t save_offset;
};

static bool read_rva(const struct pe_image *image, uint64_t rva, void *to, size_t size_bytes)
{
	return image->read(image->base + rva, to, size_bytes);
}

static bool read_function(const struct pe_image *image, uint32_t index,
			  struct runtime_function *function)
{
	return image->read(image->table + (uint64_t)index * FUNCTION_SIZE, function,
			   sizeof(*function));
}

enum found { FOUND, FOUND_NONE, FOUND_BAD };

/* The entry that holds `rva`. */
static enum found find_function(const struct pe_image *image, uint32_t rva,
				struct runtime_function *function)
{
	uint32_t low = 0, high = image->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (!read_function(image, middle, function))
			return FOUND_BAD;
		if (rva < function->begin)
			high = middle;
		else if (rva >= function->end)
			low = middle + 1;
		else
			return FOUND;
	}
	return FOUND_NONE;
}

/* An entry may stand for another one. */
static bool resolve(const struct pe_image *image, struct runtime_function *function)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		if (!(function->unwind & 1))
			return true;
		if (!read_rva(image, function->unwind & ~UINT32_C(1), function, sizeof(*function)))
			return false;
	}
	return false;
}

static bool read_info(const struct pe_image *image, uint32_t rva, struct unwind_info *info)
{
	size_t head = offsetof(struct unwind_info, codes);

	return read_rva(image, rva, info, head) && info->version >= 1 && info->version <= 2 &&
	       read_rva(image, rva + head, info->codes, info->count * sizeof(info->codes[0]));
}

/* How many slots a code takes; 0: unknown. */
static unsigned slots_of(const struct unwind_info *info, struct unwind_code code)
{
	switch (code.operation) {
	case PUSH_NONVOL:
	case ALLOC_SMALL:
	case SET_FPREG:
	case PUSH_MACHFRAME:
		return 1;
	case ALLOC_LARGE:
		return code.info ? 3 : 2;
	case EPILOG:
		return info->version == 1 ? 2 : 1;
	case SAVE_NONVOL:
	case SAVE_XMM128:
		return 2;
	case SPARE:
	case SAVE_NONVOL_FAR:
	case SAVE_XMM128_FAR:
		return 3;
	}
	return 0;
}

/* The number behind a code: one slot, scaled, or two. */
static int64_t operand(const struct unwind_code *code, unsigned slots, unsigned scale)
{
	uint32_t wide;
	uint16_t narrow;

	if (slots == 3) {
		memcpy(&wide, code + 1, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, code + 1, sizeof(narrow));
	return (int64_t)narrow * scale;
}

static bool is_saved(const struct pe_frame *frame, unsigned number)
{
	return frame->saved >> number & 1;
}

static bool fits(int64_t value)
{
	return value == (int32_t)value;
}

/* The caller's register `number` is stored at base + offset. */
static bool save(struct machine *machine, unsigned number, uint8_t base, int64_t offset)
{
	struct pe_frame *frame = &machine->frame;

	if (number == PE_RSP || !fits(offset))
		return false;
	frame->saved |= (uint16_t)(1u << number);
	frame->is_of_frame &= (uint16_t) ~(1u << number);
	if (base != PE_RSP)
		frame->is_of_frame |= (uint16_t)(1u << number);
	frame->places[number] = (int32_t)offset;
	return true;
}

/* rsp is the info's frame register less its offset from here on, if that register is still what it
 * is at the instruction. */
static bool use_frame(struct machine *machine, const struct unwind_info *info, uint8_t *base,
		      int64_t *offset)
{
	struct pe_frame *frame = &machine->frame;

	if (info->frame_register == 0 || info->frame_register == PE_RSP ||
	    is_saved(frame, info->frame_register) ||
	    (frame->frame_register != 0 && frame->frame_register != info->frame_register))
		return false;
	frame->frame_register = info->frame_register;
	*base = info->frame_register;
	*offset = -16 * (int64_t)info->frame_offset;
	return true;
}

static bool run_code(struct machine *machine, const struct unwind_info *info,
		     const struct unwind_code *code, unsigned slots)
{
	switch (code->operation) {
	case PUSH_NONVOL:
		machine->offset += 8;
		return save(machine, code->info, machine->base, machine->offset - 8);
	case ALLOC_SMALL:
		machine->offset += 8 * (int64_t)code->info + 8;
		return true;
	case ALLOC_LARGE:
		machine->offset += operand(code, slots, 8);
		return true;
	case SET_FPREG:
		return use_frame(machine, info, &machine->base, &machine->offset);
	case SAVE_NONVOL:
	case SAVE_NONVOL_FAR:
		return save(machine, code->info, machine->save_base,
			    machine->save_offset + operand(code, slots, 8));
	case PUSH_MACHFRAME:
		machine->frame.kind = PE_MACHINE;
		machine->offset += code->info ? 8 : 0;
		return true;
	}
	return true;
}

/* Whether the frame register is set at this place of the prologue. */
static bool is_frame_set(const struct unwind_info *info, uint32_t done)
{
	unsigned slots;

	for (unsigned i = 0; i < info->count; i += slots) {
		slots = slots_of(info, info->codes[i]);
		if (slots == 0)
			return false;
		if (info->codes[i].operation == SET_FPREG)
			return info->codes[i].offset <= done;
	}
	return true;
}

/* Runs the codes of the part of the prologue that is `done`, in bytes. */
static bool run_codes(struct machine *machine, const struct unwind_info *info, uint32_t done)
{
	unsigned slots;

	machine->save_base = machine->base;
	machine->save_offset = machine->offset;
	if (info->frame_register && is_frame_set(info, done) &&
	    !use_frame(machine, info, &machine->save_base, &machine->save_offset))
		return false;
	for (unsigned i = 0; i < info->count; i += slots) {
		slots = slots_of(info, info->codes[i]);
		if (slots == 0 || i + slots > info->count)
			return false;
		if (info->codes[i].offset > done || info->codes[i].operation == EPILOG)
			continue;
		if (!run_code(machine, info, &info->codes[i], slots))
			return false;
		if (machine->frame.kind == PE_MACHINE)
			return true;
	}
	return true;
}

/* The next info of the chain; false at its end, or when it cannot be read. */
static bool follow_chain(const struct pe_image *image, uint32_t info_rva,
			 const struct unwind_info *info, struct runtime_function *function)
{
	uint32_t codes_size = 2u * ((info->count + 1u) & ~1u);

	return (info->flags & FLAG_CHAINED) &&
	       read_rva(image, info_rva + 4 + codes_size, function, sizeof(*function)) &&
	       resolve(image, function);
}

/* Undoes the prologues of the function and of those that it is chained to. */
static bool run_chain(struct machine *machine, struct runtime_function function,
		      struct unwind_info *info)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		uint32_t done = machine->rva - function.begin;
		uint32_t info_rva = function.unwind;

		if (i > 0 && !read_info(machine->image, info_rva, info))
			return false;
		/* A chained part has no prologue of its own that could be in progress elsewhere. */
		if (done >= info->prologue_size)
			done = UINT32_MAX;
		if (!run_codes(machine, info, done))
			return false;
		if (machine->frame.kind == PE_MACHINE || !(info->flags & FLAG_CHAINED))
			return true;
		if (!follow_chain(machine->image, info_rva, info, &function))
			return false;
	}
	return false;
}

/* Whether version 2 says that `rva` is in an epilogue. */
static bool is_in_listed_epilogue(const struct unwind_info *info,
				  const struct runtime_function *function, uint32_t rva)
{
	uint32_t size = info->codes[0].offset;

	for (unsigned i = 0; i < info->count && info->codes[i].operation == EPILOG; i++) {
		uint32_t from_end = info->codes[i].offset + 256u * info->codes[i].info;

		if (i == 0)
			from_end = info->codes[0].info & 1 ? size : 0;
		if (from_end != 0 && rva - (function->end - from_end) < size)
			return true;
	}
	return false;
}

/* Whether a jump to `rva` leaves the function for good: it is the start of another one that makes
 * its own frame. A part of this function that was moved away has its frame from the start. */
static bool is_entry(const struct machine *machine, const struct runtime_function *function,
		     uint64_t rva)
{
	struct runtime_function target;
	struct unwind_info info;

	if (rva - function->begin < function->end - function->begin)
		return rva == function->begin;
	if (rva >= machine->image->end - machine->image->base ||
	    find_function(machine->image, (uint32_t)rva, &target) != FOUND)
		return true;
	if (rva != target.begin || (target.unwind & 1) ||
	    !read_info(machine->image, target.unwind, &info))
		return false;
	return !(info.flags & FLAG_CHAINED) && (info.count == 0 || info.codes[0].offset != 0);
}

/* The instructions that are left of an epilogue, from `at`. */
struct tail {
	const uint8_t *at, *end;
	uint32_t rva; /* of `at` */
};

static bool has_bytes(const struct tail *tail, unsigned count)
{
	return (size_t)(tail->end - tail->at) >= count;
}

/* Whether the function ends here: return, or jump away. */
static bool is_end(const struct machine *machine, const struct runtime_function *function,
		   const struct tail *tail)
{
	const uint8_t *at = tail->at;
	int32_t distance;

	if (has_bytes(tail, 1) && (at[0] == 0xc3 || at[0] == 0xc2))
		return true;
	if (has_bytes(tail, 2) && at[0] == 0xf3 && at[1] == 0xc3)
		return true;
	if (has_bytes(tail, 2) && at[0] == 0xeb)
		return is_entry(machine, function,
				tail->rva + 2 + (uint64_t)(int64_t)(int8_t)at[1]);
	if (has_bytes(tail, 5) && at[0] == 0xe9) {
		memcpy(&distance, at + 1, sizeof(distance));
		return is_entry(machine, function, tail->rva + 5 + (uint64_t)(int64_t)distance);
	}
	/* An indirect jump has a REX.W there, which a jump table's has not. */
	return has_bytes(tail, 3) && (at[0] & 0xf8) == 0x48 && at[1] == 0xff &&
	       (at[2] >> 3 & 7) == 4;
}

/* A pop at the tail: its register, or -1. */
static int take_pop(struct tail *tail)
{
	int high = 0;

	if (has_bytes(tail, 2) && (tail->at[0] & 0xf0) == 0x40 && (tail->at[1] & 0xf8) == 0x58) {
		high = tail->at[0] & 1 ? 8 : 0;
		tail->at++;
		tail->rva++;
	}
	if (!has_bytes(tail, 1) || (tail->at[0] & 0xf8) != 0x58)
		return -1;
	tail->rva++;
	return high + (*tail->at++ & 7);
}

/* Runs what is left of an epilogue; false: this is none. Its first instruction, which frees the
 * stack, needs no look: before it, the frame is still whole. */
static bool run_epilogue(struct machine *machine, const struct runtime_function *function)
{
	uint8_t bytes[EPILOGUE_MAX];
	uint32_t left = function->end - machine->rva;
	struct tail tail = { bytes, bytes, machine->rva };
	struct machine popped = *machine;
	int number;

	left = left < EPILOGUE_MAX ? left : EPILOGUE_MAX;
	if (!read_rva(machine->image, machine->rva, bytes, left))
		return false;
	tail.end = bytes + left;
	while ((number = take_pop(&tail)) >= 0) {
		if (!save(&popped, (unsigned)number, PE_RSP, popped.offset))
			return false;
		popped.offset += 8;
	}
	if (!is_end(machine, function, &tail))
		return false;
	*machine = popped;
	return true;
}

static bool is_in_epilogue(const struct machine *machine, const struct unwind_info *info,
			   const struct runtime_function *function)
{
	if (!machine->is_exact || machine->rva - function->begin < info->prologue_size)
		return false;
	return info->version == 1 || info->count == 0 || info->codes[0].operation != EPILOG ||
	       is_in_listed_epilogue(info, function, machine->rva);
}

static bool run(struct machine *machine, struct runtime_function function)
{
	struct unwind_info info;

	if (!resolve(machine->image, &function) ||
	    !read_info(machine->image, function.unwind, &info))
		return false;
	if (is_in_epilogue(machine, &info, &function) && run_epilogue(machine, &function))
		return true;
	return run_chain(machine, function, &info);
}

static struct pe_frame result_of(struct machine *machine)
{
	struct pe_frame *frame = &machine->frame;
	int64_t caller_stack = machine->offset + (frame->kind == PE_MACHINE ? 0 : 8);

	frame->base = machine->base;
	frame->caller_stack = (int32_t)caller_stack;
	if (!fits(caller_stack))
		frame->kind = PE_BAD;
	return *frame;
}

struct pe_frame pe_frame_find(const struct pe_image *image, uint64_t pc, bool is_exact)
{
	struct machine machine = { .image = image,
				   .base = PE_RSP,
				   .is_exact = is_exact,
				   .rva = (uint32_t)(pc - image->base) };
	struct runtime_function function;
	enum found found;

	if (image->table == 0 || image->count == 0)
		return (struct pe_frame){ .kind = PE_NO_TABLE };
	found = find_function(image, machine.rva, &function);
	/* Without an entry, the function calls nobody and keeps the stack as it is. */
	if (found == FOUND_BAD || (found == FOUND && !run(&machine, function)))
		return (struct pe_frame){ .kind = PE_BAD };
	return result_of(&machine);
}

bool pe_is_in_function(const struct pe_image *image, uint64_t pc, uint64_t entry)
{
	struct runtime_function function;

	return find_function(image, (uint32_t)(pc - image->base), &function) == FOUND &&
	       image->base + function.begin == entry;
}

bool pe_frame_apply(const struct pe_frame *frame, struct pe_context *context,
		    bool (*load)(void *data, uint64_t address, uint64_t *value), void *data)
{
	struct pe_context caller = *context;
	uint64_t stack = context->registers[frame->base] + (uint64_t)(int64_t)frame->caller_stack;

	for (unsigned i = 0; i < PE_REGISTERS; i++) {
		unsigned base = frame->is_of_frame >> i & 1 ? frame->frame_register : PE_RSP;

		if (is_saved(frame, i) &&
		    !load(data, context->registers[base] + (uint64_t)(int64_t)frame->places[i],
			  &caller.registers[i]))
			return false;
	}
	caller.registers[PE_RSP] = stack;
	if (frame->kind == PE_MACHINE) {
		if (!load(data, stack, &caller.rip) ||
		    !load(data, stack + MACHINE_FRAME_RSP, &caller.registers[PE_RSP]))
			return false;
	} else if (frame->kind != PE_STANDARD || !load(data, stack - 8, &caller.rip)) {
		return false;
	}
	*context = caller;
	return true;
}
