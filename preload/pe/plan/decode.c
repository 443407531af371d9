/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Asks libZydis, which allocates nothing and keeps nothing. */

#include "preload/pe/plan/decode.h"

#include <Zydis/Zydis.h>

static bool is_relative(const ZydisDecodedInstruction *instruction)
{
	return instruction->raw.imm[0].is_relative || instruction->raw.imm[1].is_relative;
}

/* mod 0 with r/m 5 is an address relative to the next instruction. */
static bool is_rip_relative(const ZydisDecodedInstruction *instruction)
{
	return (instruction->attributes & ZYDIS_ATTRIB_HAS_MODRM) &&
	       instruction->raw.modrm.mod == 0 && instruction->raw.modrm.rm == 5;
}

/* jcc rel8 and jcc rel32; not loop and jrcxz. */
static bool is_plain_condition(const ZydisDecodedInstruction *instruction)
{
	return (instruction->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
		instruction->opcode >> 4 == 0x7) ||
	       (instruction->opcode_map == ZYDIS_OPCODE_MAP_0F && instruction->opcode >> 4 == 0x8);
}

static enum decode_kind relative_kind(const ZydisDecodedInstruction *instruction)
{
	/* With an operand size prefix, processors of different makers go to different places. */
	if (instruction->raw.imm[0].size == 16)
		return DECODE_OTHER;
	switch (instruction->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return DECODE_CALL;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return DECODE_JUMP;
	case ZYDIS_CATEGORY_COND_BR:
		return is_plain_condition(instruction) ? DECODE_JUMP_IF : DECODE_OTHER;
	default:
		return DECODE_OTHER;
	}
}

static enum decode_kind absolute_kind(const ZydisDecodedInstruction *instruction)
{
	switch (instruction->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return DECODE_CALL_THROUGH;
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_RET:
		return DECODE_RETURN;
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
		return DECODE_NOTHING;
	default:
		return instruction->mnemonic == ZYDIS_MNEMONIC_INT3 ? DECODE_TRAP : DECODE_PLAIN;
	}
}

bool decode_instruction(const uint8_t *bytes, size_t size_bytes, struct decode *decode)
{
	ZydisDecoder decoder;
	ZydisDecodedInstruction instruction;

	if (!ZYAN_SUCCESS(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(
		    ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, size_bytes, &instruction)))
		return false;
	*decode = (struct decode){ .size_bytes = instruction.length };
	if (is_relative(&instruction)) {
		decode->kind = relative_kind(&instruction);
		decode->condition = instruction.opcode & 0xf;
		decode->target = instruction.raw.imm[0].value.s + instruction.length;
		return true;
	}
	decode->kind = absolute_kind(&instruction);
	if (is_rip_relative(&instruction)) {
		decode->disp_offset = instruction.raw.disp.offset;
		decode->target = instruction.raw.disp.value + instruction.length;
	}
	return true;
}
