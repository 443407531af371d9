/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Under Wine a stack runs through both kinds of code. A Windows program's thread:
 *
 *   mmap <- ELF ntdll.so <- its system-call dispatcher | PE ntdll.dll <- kernelbase.dll <- program
 *
 * The dispatcher changes stacks; where it keeps the Windows side's registers, its own unwind
 * information says (CFI_STORED). So each frame needs no more than a rule, whichever side it is on,
 * and one walk goes all the way. */

#include "trace/stack/stack_mixed.h"

#include "trace/system.h"

static mixed_images find_image;

void mixed_start_windows(mixed_images images)
{
	__atomic_store_n(&find_image, images, __ATOMIC_RELEASE);
}

bool mixed_has_windows(void)
{
	return __atomic_load_n(&find_image, __ATOMIC_RELAXED) != NULL;
}

bool mixed_find_frame(uintptr_t pc, bool is_exact, struct pe_frame *frame)
{
	mixed_images images = __atomic_load_n(&find_image, __ATOMIC_ACQUIRE);
	struct pe_image image;

	if (!images || !images(pc, &image))
		return false;
	*frame = pe_frame_find(&image, pc, is_exact);
	return true;
}

static bool fits(int64_t value, unsigned bits)
{
	return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1) << (bits - 1);
}

/* A frame that depends on rsp and rbp only, as far as a walk goes on with these. */
static bool is_simple(const struct pe_frame *frame)
{
	bool is_rbp_saved = frame->saved >> PE_RBP & 1;
	uint8_t place_base = frame->is_of_frame >> PE_RBP & 1 ? frame->frame_register : PE_RSP;

	if (frame->base != PE_RSP && frame->base != PE_RBP)
		return false;
	return !is_rbp_saved || (place_base == frame->base &&
				 fits((int64_t)frame->places[PE_RBP] - frame->caller_stack, 24));
}

static struct cfi_rule rule_of(const struct pe_frame *frame)
{
	struct cfi_rule rule = { .kind = CFI_STANDARD };

	if (frame->kind == PE_NO_TABLE)
		return (struct cfi_rule){ .kind = CFI_NO_INFO };
	if (frame->kind == PE_BAD)
		return (struct cfi_rule){ .kind = CFI_END };
	if (!is_simple(frame))
		return (struct cfi_rule){ .kind = CFI_REGISTERS };
	if (frame->kind == PE_MACHINE)
		rule.kind = CFI_MACHINE;
	rule.is_cfa_of_rbp = frame->base == PE_RBP;
	rule.cfa_offset = frame->caller_stack;
	if (frame->saved >> PE_RBP & 1) {
		rule.rbp = CFI_RBP_AT_CFA;
		rule.rbp_offset = frame->places[PE_RBP] - frame->caller_stack;
	}
	return rule;
}

struct cfi_rule mixed_find(uintptr_t pc, bool is_exact)
{
	struct cfi_rule rule = cfi_find(pc);
	struct pe_frame frame;

	if (rule.kind == CFI_NO_MODULE && mixed_find_frame(pc, is_exact, &frame))
		rule = rule_of(&frame);
	return rule;
}

/* The length of `call` through the operand that the byte describes. */
static unsigned call_length(uint8_t modrm)
{
	unsigned mode = modrm >> 6, base = modrm & 7;
	unsigned length = 2 + (mode != 3 && base == 4);

	if (mode == 0)
		return length + (base == 5 ? 4 : 0);
	return length + (mode == 1 ? 1 : mode == 2 ? 4 : 0);
}

bool mixed_is_return(uintptr_t pc)
{
	uint8_t before[7];

	if (!system_read_memory(pc - sizeof(before), before, sizeof(before)))
		return false;
	if (before[2] == 0xe8)
		return true;
	for (unsigned length = 2; length <= sizeof(before); length++) {
		const uint8_t *at = before + sizeof(before) - length;

		if (at[0] == 0xff && (at[1] >> 3 & 7) == 2 && call_length(at[1]) == length)
			return true;
	}
	return false;
}
