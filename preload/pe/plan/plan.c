/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A jump of five bytes is to be written over the entry of a function:
 *
 *   48 8d a4 24 00 00 00 00  lea 0(%rsp),%rsp   Wine's place for hooks: overwritten whole, the
 *                                               function itself begins behind it
 *   48 83 ec 28              sub $0x28,%rsp     any other instructions that the jump touches move
 *   e8 67 8c 01 00           call ...           elsewhere, and are followed by a jump back
 *   31 c0                    xor %eax,%eax      a function may end before the jump does, if only
 *   c3                       ret                padding follows
 *
 * What cannot be moved for certain is left alone: the function then works, unseen. */

#include "preload/pe/plan/plan.h"

#include <string.h>

#include "preload/pe/plan/decode.h"

#define ENTRY_ALIGNMENT 16 /* compilers pad functions to this */
/* How far a function that .pdata does not know is searched for jumps. */
#define LEAF_BYTES_MAX 4096

static const uint8_t hot_patch[] = { 0x48, 0x8d, 0xa4, 0x24, 0, 0, 0, 0 };

static const char *const TEXT_NO_EXPORT = "the DLL does not export it";
static const char *const TEXT_FORWARDED = "the DLL forwards it to another DLL";
static const char *const TEXT_NO_CODE = "the export is no code";
static const char *const TEXT_SHARED = "it is the same code as another function";
static const char *const TEXT_INSIDE = "it begins inside another function";
static const char *const TEXT_SHORT = "it is too short for a jump";
static const char *const TEXT_UNREADABLE = "its first instructions cannot be decoded";
static const char *const TEXT_UNMOVABLE = "its first instructions work in their place only";
static const char *const TEXT_RELOCATED = "the loader relocates its first instructions";
static const char *const TEXT_JUMPED_TO = "its own code jumps to its first instructions";
static const char *const TEXT_BODY = "its code cannot be decoded to its end";
static const char *const TEXT_UNWIND = "its unwind information is of an unknown kind";

/* The function around an entry.
 *  - nothing else begins before `limit`, as far as .pdata knows; begin < end <= limit;
 *  - bytes are those from the entry to `limit`. */
struct body {
	const uint8_t *bytes;
	uint32_t begin, end, limit;
	uint32_t unwind; /* 0: a leaf, or unknown */
};

static void leave(struct plan *plan, const char *reason)
{
	plan->state = HOOK_LEFT;
	plan->reason = reason;
}

static bool find_body(const struct pe_image *image, struct plan *plan, struct body *body)
{
	uint32_t code_bytes = pe_image_code_bytes(image, plan->rva), after;
	struct pe_function function;
	bool is_known = pe_image_function(image, plan->rva, &function, &after);

	*body = (struct body){ .begin = plan->rva, .limit = plan->rva + code_bytes };
	if (after < body->limit)
		body->limit = after;
	body->end = body->limit;
	if (is_known && function.begin != plan->rva) {
		leave(plan, TEXT_INSIDE);
		return false;
	}
	if (is_known && function.end < body->end)
		body->end = function.end;
	if (is_known)
		body->unwind = function.unwind;
	else if (body->end - body->begin > LEAF_BYTES_MAX)
		body->end = body->begin + LEAF_BYTES_MAX;
	body->bytes = pe_image_at(image, body->begin, body->limit - body->begin);
	if (body->bytes && body->begin < body->end)
		return true;
	leave(plan, TEXT_UNREADABLE);
	return false;
}

/* --- The parts ------------------------------------------------------------------------------- */

static enum plan_part_kind part_kind(const struct decode *decode)
{
	switch (decode->kind) {
	case DECODE_JUMP:
		return PLAN_PART_JUMP;
	case DECODE_JUMP_IF:
		return PLAN_PART_JUMP_IF;
	case DECODE_CALL:
		return PLAN_PART_CALL;
	case DECODE_CALL_THROUGH:
		return PLAN_PART_CALL_THROUGH;
	default:
		return decode->disp_offset ? PLAN_PART_RIP : PLAN_PART_PLAIN;
	}
}

/* Whether control comes out of the instruction somewhere else only. */
static bool is_end(const struct decode *decode)
{
	return decode->kind == DECODE_RETURN || decode->kind == DECODE_JUMP;
}

/* A call must be the last part, because it returns behind the patch. Through a register it could be
 * anything. */
static bool is_movable(const struct decode *decode, uint32_t offset)
{
	bool is_call = decode->kind == DECODE_CALL || decode->kind == DECODE_CALL_THROUGH;

	if (decode->kind == DECODE_OTHER ||
	    (decode->kind == DECODE_CALL_THROUGH && !decode->disp_offset))
		return false;
	return !is_call || offset + decode->size_bytes >= PLAN_JUMP_BYTES;
}

/* Adds the instruction as a part. False when its target is outside the image. */
static bool add_part(const struct pe_image *image, struct plan *plan, const struct decode *decode)
{
	struct plan_part *part = &plan->parts[plan->part_count];
	bool has_target = part_kind(decode) != PLAN_PART_PLAIN;
	int64_t target = (int64_t)plan->rva + plan->patch_bytes + decode->target;

	if (has_target && (target < 0 || target >= (int64_t)image->image_bytes))
		return false;
	*part = (struct plan_part){
		.kind = (uint8_t)part_kind(decode),
		.offset = plan->patch_bytes,
		.size_bytes = decode->size_bytes,
		.field = decode->kind == DECODE_JUMP_IF ? decode->condition : decode->disp_offset,
		.target = has_target ? (uint32_t)target : 0,
	};
	plan->part_count++;
	plan->patch_bytes += decode->size_bytes;
	return true;
}

/* Takes in padding behind a function that ended before the jump does. */
static bool take_padding(const struct body *body, struct plan *plan)
{
	uint32_t padding_end = (body->begin + plan->patch_bytes + ENTRY_ALIGNMENT - 1) &
			       ~(uint32_t)(ENTRY_ALIGNMENT - 1);
	struct decode decode;

	if (body->begin + PLAN_JUMP_BYTES > padding_end || padding_end > body->limit)
		return false;
	while (plan->patch_bytes < PLAN_JUMP_BYTES) {
		if (!decode_instruction(body->bytes + plan->patch_bytes,
					padding_end - body->begin - plan->patch_bytes, &decode))
			return false;
		if (decode.kind != DECODE_NOTHING && decode.kind != DECODE_TRAP)
			return false;
		plan->patch_bytes += decode.size_bytes;
	}
	return true;
}

/* Why the instructions under the jump cannot be taken; NULL when they are. */
static const char *take_parts(const struct pe_image *image, const struct body *body,
			      struct plan *plan)
{
	struct decode decode;

	plan->falls_through = true;
	while (plan->patch_bytes < PLAN_JUMP_BYTES && plan->falls_through) {
		if (!decode_instruction(body->bytes + plan->patch_bytes,
					body->end - body->begin - plan->patch_bytes, &decode))
			return TEXT_UNREADABLE;
		if (!is_movable(&decode, plan->patch_bytes) || !add_part(image, plan, &decode))
			return TEXT_UNMOVABLE;
		plan->falls_through = !is_end(&decode);
	}
	memcpy(plan->code, body->bytes, plan->patch_bytes);
	if (plan->patch_bytes < PLAN_JUMP_BYTES && !take_padding(body, plan))
		return TEXT_SHORT;
	return NULL;
}

/* --- Jumps back ------------------------------------------------------------------------------ */

static bool is_jumped_to(const struct plan *plan, uint32_t offset, const struct decode *decode)
{
	int64_t target = (int64_t)offset + decode->target;
	bool is_call = decode->kind == DECODE_CALL;

	if (!is_call && decode->kind != DECODE_JUMP && decode->kind != DECODE_JUMP_IF &&
	    decode->kind != DECODE_OTHER)
		return false;
	/* The function may call itself. */
	return target >= (is_call ? 1 : 0) && target < plan->patch_bytes;
}

/* Why the function's code speaks against it; NULL when it does not. The extent of a function that
 * .pdata does not know is a guess: what cannot be decoded there is not its code. */
static const char *check_jumps(const struct body *body, const struct plan *plan)
{
	uint32_t size_bytes = body->end - body->begin;
	struct decode decode;

	for (uint32_t at = 0; at < size_bytes; at += decode.size_bytes) {
		if (!decode_instruction(body->bytes + at, size_bytes - at, &decode))
			return body->unwind ? TEXT_BODY : NULL;
		if (is_jumped_to(plan, at, &decode))
			return TEXT_JUMPED_TO;
	}
	return NULL;
}

/* --- Unwind information ---------------------------------------------------------------------- */

/* Slots of an UNWIND_CODE by its operation and information; 0: unknown. */
static unsigned int slots_of(uint16_t code)
{
	static const uint8_t slots[16] = { 1, 0, 1, 1, 2, 3, 0, 0, 2, 3, 1 };
	unsigned int operation = code >> 8 & 0xf, information = code >> 12;

	if (operation == 1)
		return information == 0 ? 2 : information == 1 ? 3 : 0;
	return slots[operation];
}

/* The codes are sorted by falling offset: takes those of the patch, which are the last. */
static bool take_slots(struct plan *plan, const uint8_t *bytes, unsigned int count)
{
	for (unsigned int i = 0, step; i < count; i += step) {
		uint16_t code;

		memcpy(&code, bytes + (size_t)i * 2, sizeof(code));
		step = slots_of(code);
		if (step == 0 || i + step > count)
			return false;
		if ((code & 0xff) > plan->patch_bytes)
			continue;
		if (plan->unwind.slot_count + step > PLAN_UNWIND_SLOTS_MAX)
			return false;
		memcpy(&plan->unwind.slots[plan->unwind.slot_count], bytes + (size_t)i * 2,
		       (size_t)step * 2);
		plan->unwind.slot_count += (uint8_t)step;
	}
	return true;
}

/* A walk may meet the moved instructions: a push may overflow the stack. */
static bool take_unwind(const struct pe_image *image, const struct body *body, struct plan *plan)
{
	const uint8_t *header = pe_image_at(image, body->unwind, 4), *codes;

	if (!header || (header[0] & 7) != 1 || header[0] >> 3 & 4)
		return false;
	codes = pe_image_at(image, body->unwind + 4, (size_t)header[2] * 2);
	plan->unwind.frame = header[3];
	return codes && take_slots(plan, codes, header[2]);
}

/* --- The plan -------------------------------------------------------------------------------- */

static void plan_move(const struct pe_image *image, const struct body *body, struct plan *plan)
{
	const char *reason = take_parts(image, body, plan);

	if (!reason && pe_image_is_relocated(image, plan->rva, plan->patch_bytes))
		reason = TEXT_RELOCATED;
	if (!reason)
		reason = check_jumps(body, plan);
	if (!reason && body->unwind && !take_unwind(image, body, plan))
		reason = TEXT_UNWIND;
	if (reason) {
		leave(plan, reason);
		return;
	}
	plan->way = PLAN_WAY_MOVE;
	plan->state = HOOK_IS_SET;
}

static void plan_code(const struct pe_image *image, struct plan *plan)
{
	struct body body;

	if (!find_body(image, plan, &body))
		return;
	if (body.end - body.begin > sizeof(hot_patch) &&
	    memcmp(body.bytes, hot_patch, sizeof(hot_patch)) == 0) {
		plan->way = PLAN_WAY_SKIP;
		plan->patch_bytes = sizeof(hot_patch);
		plan->state = HOOK_IS_SET;
		return;
	}
	plan_move(image, &body, plan);
}

void plan_hook(const struct pe_image *image, const char *export, struct plan *plan)
{
	struct pe_export found = pe_image_export(image, export);

	*plan = (struct plan){ .state = HOOK_ABSENT, .reason = "" };
	switch (found.kind) {
	case PE_EXPORT_ABSENT:
		plan->reason = TEXT_NO_EXPORT;
		break;
	case PE_EXPORT_FORWARD:
		plan->reason = TEXT_FORWARDED;
		break;
	case PE_EXPORT_OTHER:
		leave(plan, TEXT_NO_CODE);
		break;
	case PE_EXPORT_CODE:
		plan->rva = found.rva;
		plan_code(image, plan);
		break;
	}
}

/* Whether a patch of another hook of the DLL touches this one's. */
static bool is_taken(const struct plan *plans, size_t index)
{
	const struct plan *plan = &plans[index];

	for (size_t i = 0; i < index; i++)
		if (strcmp(hook_at(i)->dll, hook_at(index)->dll) == 0 &&
		    plans[i].state == HOOK_IS_SET &&
		    plan->rva < plans[i].rva + plans[i].patch_bytes &&
		    plans[i].rva < plan->rva + plan->patch_bytes)
			return true;
	return false;
}

void plan_dll(const struct pe_image *image, const char *name, struct plan *plans)
{
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		if (strcmp(hook_at(i)->dll, name) != 0)
			continue;
		plan_hook(image, hook_at(i)->export, &plans[i]);
		if (plans[i].state == HOOK_IS_SET && is_taken(plans, i))
			leave(&plans[i], TEXT_SHARED);
	}
}
